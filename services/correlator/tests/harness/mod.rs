//! Given, when, then for the correlator: a lane in memory that does what the ledger's runner does, and
//! keeps every decision so that a test can read it.

#![allow(dead_code)] // each test file uses its own part
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)] // a test that cannot go on fails

use std::collections::BTreeMap;

use hindcast_correlator::{Correlator, CorrelatorState};
use hindcast_domain::alert::{Observation, Signal};
use hindcast_domain::command::{Command, Configured, Received};
use hindcast_domain::event::{DoorOpened, Draft, Event, Recorded};
use hindcast_domain::incident::{Incident, Status};
use hindcast_domain::lane::Decider;
use hindcast_domain::silence::{Created, Ended, Kind, Matcher, Started, Terms};
use hindcast_domain::{EventId, Fingerprint, IncidentId, Partition, Severity, SilenceId, Span, Time};

/// A lane in memory.
pub struct Lane {
    pub decider: Correlator,
    pub partition: Partition,
    pub state: CorrelatorState,
    pub now: Time,
    pub log: Vec<Recorded>,
    inputs: u64,
    pub last_input: EventId,
}

pub const START: Time = Time::from_millis(1_763_996_400_000);

/// So many seconds after the beginning of the test.
pub fn at(seconds: i64) -> Time {
    START + Span::seconds(seconds)
}

pub fn fingerprint(name: &str, service: &str) -> Fingerprint {
    let mut mac = [0_u8; 32];
    for (index, byte) in format!("{name}/{service}").bytes().enumerate() {
        mac[index % 10] = mac[index % 10].wrapping_mul(31).wrapping_add(byte);
    }
    Fingerprint::from_mac(&mac)
}

pub fn alert(name: &str, service: &str, severity: Severity) -> Observation {
    Observation { severity, ..hindcast_testkit::observation(fingerprint(name, service), name, service) }
}

impl Lane {
    pub fn new() -> Self {
        Self {
            decider: Correlator,
            partition: Partition::of_environment("production"),
            state: CorrelatorState::default(),
            now: Time::ZERO,
            log: Vec::new(),
            inputs: 0,
            last_input: EventId::derive(&[b"none"]),
        }
    }

    /// A lane that knows nginx → checkout → postgres, and backup on its own.
    pub fn shop() -> Self {
        let mut lane = Self::new();
        let catalog = serde_json::json!({"services": [
            {"name": "nginx", "owner": "edge", "depends_on": ["checkout"]},
            {"name": "checkout", "owner": "shop", "depends_on": ["postgres"]},
            {"name": "postgres", "owner": "data"},
            {"name": "backup", "owner": "data"},
        ]});
        let configured = Configured { section: "catalog".into(), hash: "h".into(), content: catalog };
        lane.input(at(0), "catalog", Event::Configured(configured));
        lane
    }

    /// Decides about one input, timers first, and folds what was decided.
    pub fn input(&mut self, time: Time, subject: &str, event: Event) -> Vec<Recorded> {
        self.inputs += 1;
        let input = Recorded {
            id: EventId::derive(&[&self.inputs.to_be_bytes()]),
            position: self.inputs * 4_096,
            partition: self.partition.clone(),
            subject: subject.to_owned(),
            revision: None,
            time,
            actor: "ada".into(),
            cause: None,
            event,
        };
        self.last_input = input.id.clone();
        if !self.decider.precedes_timers(&input) {
            self.pass(time);
        }
        let now = self.now.max(time);
        let drafts = self.decider.decide(&self.state, &self.partition, &input, now);
        let decided = self.adopt(drafts, input.id.as_str().as_bytes(), now, Some(input.id.clone()));
        self.decider.seen(&mut self.state, &input);
        decided
    }

    /// Lets time pass: every timer that is due fires at its own time.
    pub fn pass(&mut self, until: Time) -> Vec<Recorded> {
        let mut all = Vec::new();
        while let Some(timer) = self.decider.due(&self.state).filter(|timer| timer.due <= until) {
            let drafts = self.decider.fire(&self.state, &self.partition, &timer);
            assert!(!drafts.is_empty(), "a timer that is due must decide something: {timer:?}");
            let now = self.now.max(timer.due);
            all.extend(self.adopt(drafts, timer.id.as_bytes(), now, None));
        }
        all
    }

    fn adopt(&mut self, drafts: Vec<Draft>, seed: &[u8], now: Time, cause: Option<EventId>) -> Vec<Recorded> {
        let mut revisions = BTreeMap::new();
        let mut decided = Vec::new();
        for (index, draft) in drafts.into_iter().enumerate() {
            let revision = *revisions
                .entry(draft.subject.clone())
                .or_insert_with(|| self.decider.revision(&self.state, &draft.subject) + 1);
            let recorded = Recorded {
                id: EventId::derive(&[seed, &now.nanos().to_be_bytes(), &index.to_be_bytes()]),
                position: self.log.len() as u64,
                partition: self.partition.clone(),
                subject: draft.subject,
                revision: Some(revision),
                time: now,
                actor: draft.actor,
                cause: cause.clone(),
                event: draft.event,
            };
            self.now = self.now.max(now);
            self.decider.evolve(&mut self.state, &recorded);
            self.log.push(recorded.clone());
            decided.push(recorded);
        }
        self.check();
        decided
    }

    /// What holds after every decision.
    fn check(&self) {
        let book = &self.state.book;
        // One that is over keeps its members for the record; the alert itself may have moved on.
        for incident in book.incidents.values().filter(|incident| incident.is_live()) {
            for member in incident.members.keys() {
                let home = book.alerts[member].incident.as_ref();
                assert_eq!(home, Some(&incident.id), "{member} is a member where it thinks it is");
            }
        }
        for alert in book.alerts.values().filter(|alert| alert.is_firing() && alert.severity.pages()) {
            let placed = alert.incident.is_some();
            assert!(placed || alert.suppressed.is_some(), "{} fires and nobody would know", alert.name);
        }
        let mut revisions: BTreeMap<&str, u64> = BTreeMap::new();
        for event in &self.log {
            let before = revisions.insert(&event.subject, event.revision.unwrap()).unwrap_or(0);
            let step = event.revision.unwrap() - before;
            assert!(step <= 1, "a revision gap on {}", event.subject);
        }
    }

    pub fn see(&mut self, seconds: i64, observation: Observation) -> Vec<Recorded> {
        let subject = observation.fingerprint.to_string();
        self.input(at(seconds), &subject, Event::Observed(observation))
    }

    pub fn fire(&mut self, seconds: i64, name: &str, service: &str, severity: Severity) -> Vec<Recorded> {
        self.see(seconds, alert(name, service, severity))
    }

    pub fn resolve(&mut self, seconds: i64, name: &str, service: &str) -> Vec<Recorded> {
        let mut over = alert(name, service, Severity::Critical);
        over.signal = Signal::Resolved;
        over.severity = self.state.book.alerts.get(&over.fingerprint).map_or(Severity::Critical, |a| a.severity);
        self.see(seconds, over)
    }

    pub fn command(&mut self, seconds: i64, command: Command) -> Vec<Recorded> {
        let key = format!("key-{}", self.inputs);
        self.input(at(seconds), "command", Event::Command(Received { key, if_match: None, command }))
    }

    pub fn silence(&mut self, seconds: i64, until: i64, label: &str, value: &str) -> SilenceId {
        let id = SilenceId::derive(&[label.as_bytes(), value.as_bytes(), &until.to_be_bytes()]);
        let terms = Terms {
            matchers: vec![Matcher::equal(label, value)],
            starts_at: at(seconds),
            ends_at: at(until),
            created_by: "ada".into(),
            comment: "test".into(),
            kind: Kind::Silence,
            environment: None,
            repeats: None,
        };
        self.input(at(seconds), id.as_str(), Event::SilenceCreated(Created { terms, replaces: None, follows: None }));
        id
    }

    pub fn silence_started(&mut self, seconds: i64, id: &SilenceId) {
        self.input(at(seconds), id.as_str(), Event::SilenceStarted(Started {}));
    }

    pub fn silence_ended(&mut self, seconds: i64, id: &SilenceId, reason: &str) -> Vec<Recorded> {
        self.input(at(seconds), id.as_str(), Event::SilenceEnded(Ended { reason: reason.into() }))
    }

    pub fn door_opens(&mut self, seconds: i64) {
        self.input(at(seconds), "door", Event::DoorOpened(DoorOpened { version: "0".into() }));
    }

    pub fn incidents(&self) -> Vec<&Incident> {
        let mut all: Vec<_> = self.state.book.incidents.values().collect();
        all.sort_by_key(|incident| (incident.opened_at, incident.id.clone()));
        all
    }

    pub fn live(&self) -> Vec<&Incident> {
        self.incidents().into_iter().filter(|incident| incident.is_live()).collect()
    }

    pub fn only(&self) -> &Incident {
        let all = self.incidents();
        assert_eq!(all.len(), 1, "expected one incident, got {all:#?}");
        all[0]
    }

    pub fn id(&self, index: usize) -> IncidentId {
        self.incidents()[index].id.clone()
    }

    pub fn status(&self, index: usize) -> Status {
        self.incidents()[index].status
    }
}

/// The types of some decisions, in order.
pub fn types(decided: &[Recorded]) -> Vec<String> {
    let of = |event: &Recorded| serde_json::to_value(&event.event).unwrap()["type"].as_str().unwrap().to_owned();
    decided.iter().map(of).collect()
}
