//! What the tests share: a ledger in memory with the correlator and the labeller on it, the weeks of
//! synthetic worlds with people in them, and the figures of two runs over the same past.

#![allow(dead_code, unreachable_pub, missing_docs)] // each test file uses its own part
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

pub mod world;

use std::collections::{BTreeMap, BTreeSet};

use hindcast_correlation::weights::GroupingWeights;
use hindcast_correlator::Correlator;
use hindcast_domain::alert::Observation;
use hindcast_domain::catalog::Catalog;
use hindcast_domain::command::{Command, Configured, Received};
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::label::{About, Given, Judged, Kind};
use hindcast_domain::{EventId, Fingerprint, IncidentId, Partition, Severity, Span, Time};
use hindcast_engine::InputTime;
use hindcast_mlops::Labeller;
use hindcast_mlops::outcome::RunOutcome;
use hindcast_mlops::redecide::{self, MemoryLane};
use hindcast_mlops::seeded::Seeded;
use hindcast_mlops::truth::{LabelledProblem, LabelledProblems};

pub const START: Time = Time::from_millis(1_763_996_400_000);

pub fn at(seconds: i64) -> Time {
    START + Span::seconds(seconds)
}

/// A ledger in memory: the correlator decides, people command, the labeller concludes.
pub struct Ledger {
    pub partition: Partition,
    pub correlator: MemoryLane<Correlator>,
    pub labeller: MemoryLane<Labeller>,
    /// What a backtest is given.
    pub inputs: Vec<Recorded>,
    /// Decisions about alerts, incidents and labels, and configurations, in order.
    pub history: Vec<Recorded>,
    /// What really was the problem behind each observation.
    pub truth: BTreeMap<EventId, (String, Option<String>)>,
    /// So many of a thousand labels about pairs say the opposite.
    pub flipped: u64,
    draws: Seeded,
    seed: u64,
    position: u64,
    now: Time,
}

impl Ledger {
    pub fn new(seed: u64) -> Self {
        let partition = Partition::of_environment("production");
        Self {
            correlator: MemoryLane::new(Correlator, partition.clone()),
            labeller: MemoryLane::new(Labeller, partition.clone()),
            partition,
            inputs: Vec::new(),
            history: Vec::new(),
            truth: BTreeMap::new(),
            flipped: 0,
            draws: Seeded::new(seed),
            seed,
            position: 0,
            now: Time::ZERO,
        }
    }

    fn recorded(&mut self, time: Time, subject: &str, actor: &str, event: Event) -> Recorded {
        self.now = self.now.max(time);
        self.position = self.labeller.position.max(self.correlator.position).max(self.position) + 1;
        Recorded {
            id: EventId::derive(&[&self.seed.to_be_bytes(), &self.position.to_be_bytes()]),
            position: self.position,
            partition: self.partition.clone(),
            subject: subject.to_owned(),
            revision: None,
            time: self.now,
            actor: actor.to_owned(),
            cause: None,
            event,
        }
    }

    /// Takes one input in; what the correlator decided about it, and the labels that followed.
    pub fn input(&mut self, time: Time, subject: &str, actor: &str, event: Event) -> (Vec<Recorded>, Vec<Given>) {
        let input = self.recorded(time, subject, actor, event);
        self.take(input)
    }

    fn take(&mut self, input: Recorded) -> (Vec<Recorded>, Vec<Given>) {
        let configuration = matches!(input.event, Event::Configured(_));
        let mut decided = Vec::new();
        self.correlator.input(&input, InputTime::in_order(input.time), &mut |decision| decided.push(decision));
        self.labeller.position = self.labeller.position.max(self.correlator.position);
        let mut labels = Vec::new();
        if !configuration {
            self.labeller.input(&input, InputTime::in_order(input.time), &mut |label| labels.push(label));
        }
        for decision in &decided {
            self.labeller.input(decision, InputTime::in_order(decision.time), &mut |label| labels.push(label));
        }
        self.keep(configuration.then(|| input.clone()).into_iter().chain(decided.clone()), labels.clone());
        self.inputs.push(input);
        (decided, given(&labels))
    }

    fn keep(&mut self, decided: impl IntoIterator<Item = Recorded>, labels: Vec<Recorded>) {
        self.history.extend(decided);
        for mut label in labels {
            if let Event::LabelGiven(given) = &mut label.event
                && given.kind == Kind::Grouping
                && self.draws.chance(self.flipped)
            {
                given.value = if given.value == "same" { "different" } else { "same" }.into();
            }
            self.history.push(label);
        }
        let newest = self.history.iter().rev().take(600);
        assert!(newest.is_sorted_by(|a, b| a.position >= b.position), "the order of the ledger");
    }

    /// Lets time pass for the labeller.
    pub fn pass(&mut self, until: Time) -> Vec<Given> {
        let mut labels = Vec::new();
        self.labeller.position = self.labeller.position.max(self.correlator.position);
        self.labeller.pass(until, &mut |label| labels.push(label));
        self.keep([], labels.clone());
        given(&labels)
    }

    /// A decision of another lane that the correlator does not make: the labeller reads it alone.
    pub fn other_lane(&mut self, time: Time, subject: &str, event: Event) -> Vec<Given> {
        let recorded = self.recorded(time, subject, "system", event);
        let mut labels = Vec::new();
        self.labeller.input(&recorded, InputTime::in_order(recorded.time), &mut |label| labels.push(label));
        self.keep([], labels.clone());
        given(&labels)
    }

    pub fn catalog(&mut self, time: Time, catalog: &Catalog) {
        let content = serde_json::to_value(catalog).unwrap();
        let configured = Configured { section: "catalog".into(), hash: "h".into(), content };
        self.input(time, "catalog", "ada", Event::Configured(configured));
    }

    pub fn observe(&mut self, time: Time, observation: Observation, problem: &str) -> (Vec<Recorded>, Vec<Given>) {
        let service = observation.service.clone();
        let subject = observation.fingerprint.to_string();
        let input = self.recorded(time, &subject, "prometheus", Event::Observed(observation));
        self.truth.insert(input.id.clone(), (problem.to_owned(), service));
        self.take(input)
    }

    pub fn command(&mut self, time: Time, actor: &str, command: Command) -> (Vec<Recorded>, Vec<Given>) {
        let key = format!("key-{}", self.position);
        self.input(time, "command", actor, Event::Command(Received { key, if_match: None, command }))
    }

    pub fn judge(&mut self, time: Time, actor: &str, about: About, verdict: &str) -> Vec<Given> {
        let judged = Judged { about, verdict: verdict.into(), text: None };
        self.input(time, "judged", actor, Event::LabelJudged(judged)).1
    }

    pub fn home(&self, fingerprint: &Fingerprint) -> Option<IncidentId> {
        self.correlator.state().book.alerts.get(fingerprint)?.incident.clone()
    }

    pub fn labels(&self) -> Vec<&hindcast_domain::label::Label> {
        self.labeller.state().labels.0.values().filter(|label| label.retracted.is_none()).collect()
    }

    pub fn position(&self) -> u64 {
        self.history.last().map_or(0, |recorded| recorded.position)
    }

    /// What weights make of the inputs from `from` on.
    pub fn decided_with(&self, weights: &GroupingWeights, from: u64) -> RunOutcome {
        let mut outcome = RunOutcome::default();
        let inputs = self.inputs.iter().filter(|input| input.position >= from).cloned();
        redecide::run(Correlator, &self.partition, weights, inputs, None, &mut |decided| outcome.see(&decided));
        outcome
    }

    /// What was really right from `from` on.
    pub fn real_truth(&self, from: u64, outcome: &RunOutcome) -> LabelledProblems {
        let mut problems: BTreeMap<String, LabelledProblem> = BTreeMap::new();
        for input in self.inputs.iter().filter(|input| input.position >= from) {
            let Some((name, service)) = self.truth.get(&input.id).filter(|_| outcome.firings.contains_key(&input.id))
            else {
                continue;
            };
            let new = || LabelledProblem { name: name.clone(), service: service.clone(), firings: BTreeSet::new() };
            problems.entry(name.clone()).or_insert_with(new).firings.insert(input.id.clone());
        }
        LabelledProblems { from, problems: problems.into_values().collect(), ..LabelledProblems::default() }
    }
}

pub fn given(labels: &[Recorded]) -> Vec<Given> {
    let of = |recorded: &Recorded| match &recorded.event {
        Event::LabelGiven(given) => Some(given.clone()),
        _ => None,
    };
    labels.iter().filter_map(of).collect()
}

pub fn rules(given: &[Given]) -> Vec<&str> {
    given.iter().map(|given| given.rule.as_str()).collect()
}

pub fn fingerprint(parts: &[&str]) -> Fingerprint {
    let hash = hindcast_mlops::seeded::hash(7, &parts.join("/"));
    let more = hindcast_mlops::seeded::hash(8, &parts.join("/"));
    let mut mac = [0_u8; 32];
    mac[..8].copy_from_slice(&hash.to_be_bytes());
    mac[8..16].copy_from_slice(&more.to_be_bytes());
    Fingerprint::from_mac(&mac)
}

pub fn alert(name: &str, service: &str, labels: &[(&str, &str)], summary: &str) -> Observation {
    let mut all: BTreeMap<String, String> = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    all.insert("alertname".into(), name.into());
    all.insert("service".into(), service.into());
    let mut parts = vec![name, service];
    parts.extend(labels.iter().map(|(_, value)| *value));
    Observation {
        severity: Severity::Critical,
        labels: all.into(),
        annotations: [("summary".to_owned(), summary.to_owned())].into(),
        ..hindcast_testkit::observation(fingerprint(&parts), name, service)
    }
}
