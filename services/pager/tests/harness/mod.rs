//! Given, when, then for the pager: an incident lane that says what happens, a notices lane that does what
//! the ledger's runner does, and the paging invariant as a function over what both have recorded.

#![allow(dead_code, unreachable_pub)] // each test file uses its own part
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

pub mod lane;

use std::collections::BTreeMap;

use hindcast_domain::command::{Command, Configured};
use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::lane::{Decider, Input, Timer};
use hindcast_domain::notice::{Expired, Held, Notices, Reason, Requested};
use hindcast_domain::silence::{Created, Kind, Matcher, Terms};
use hindcast_domain::{EventId, IncidentId, NoticeId, Partition, Severity, Span, Time};
use hindcast_pager::{NoticesState, Pager};
use serde_json::json;

use lane::Lane;

pub const START: Time = Time::from_millis(1_763_996_400_000);

/// So many seconds after the beginning of the test.
pub fn at(seconds: i64) -> Time {
    START + Span::seconds(seconds)
}

/// Both lanes.
pub struct Desk<D = Pager> {
    pub pager: D,
    pub state: NoticesState,
    pub incidents: Lane,
    /// The decisions of the notices lane, in order.
    pub log: Vec<Recorded>,
    /// Every input of the notices lane, in order.
    pub inputs: Vec<Recorded>,
    /// Notices as a reader folds them: with deliveries, and nothing forgotten.
    pub notices: Notices,
    pub time: Time,
    /// Whether the notices lane's timers fire before those of the incident lane that are due at the same time.
    pub pager_first: bool,
    now: Time,
    facts: u64,
}

impl Desk {
    pub fn new() -> Self {
        Self::of(Pager).rules(json!({}))
    }
}

impl<D: Decider<State = NoticesState>> Desk<D> {
    pub fn of(pager: D) -> Self {
        Self {
            pager,
            state: NoticesState::default(),
            incidents: Lane::default(),
            log: Vec::new(),
            inputs: Vec::new(),
            notices: Notices::default(),
            time: START,
            pager_first: false,
            now: Time::ZERO,
            facts: 0,
        }
    }

    /// Puts the section `paging` in force, without the times in which a change settles: what settles is not told, and
    /// that has tests of its own.
    pub fn rules(self, mut rules: serde_json::Value) -> Self {
        for name in ["first_after_s", "settle_s", "more_within_s"] {
            rules[name] = json!(0);
        }
        self.settling(rules)
    }

    /// Puts the section `paging` in force as it is.
    pub fn settling(mut self, rules: serde_json::Value) -> Self {
        let configured = Configured { section: "paging".into(), hash: "h".into(), content: rules };
        self.fact(Partition::whole("default"), "paging", Event::Configured(configured));
        self
    }

    /// Puts schedules in force.
    pub fn on_call(mut self, schedules: serde_json::Value) -> Self {
        let content = json!({"schedules": schedules});
        let configured = Configured { section: "oncall".into(), hash: "h".into(), content };
        self.fact(Partition::whole("default"), "oncall", Event::Configured(configured));
        self
    }

    /// Creates the silence by which the lane suppresses alerts.
    pub fn silence(&mut self, starts: i64, ends: i64) -> Vec<Recorded> {
        let matchers = vec![Matcher::equal("service", "postgres")];
        let terms = Terms {
            matchers,
            starts_at: at(starts),
            ends_at: at(ends),
            created_by: "ada".to_owned(),
            comment: "failover".to_owned(),
            kind: Kind::Silence,
            environment: None,
            repeats: None,
        };
        let created = Created { terms, replaces: None, follows: None };
        self.fact(Partition::whole("default"), "SIL-0123456789ABCDEF", Event::SilenceCreated(created))
    }

    // ── what happens ───────────────────────────────────────────────────────────────────────────────

    /// Lets time pass: everything that is due in either lane happens at its own time.
    pub fn pass(&mut self, until: Time) -> Vec<Recorded> {
        let mut said = Vec::new();
        loop {
            let incidents = self.incidents.due().filter(|due| *due <= until);
            let notices = self.pager.due(&self.state).filter(|timer| timer.due <= until);
            match (incidents, notices) {
                (None, None) => break,
                (Some(due), Some(timer)) if timer.due < due || timer.due == due && self.pager_first => {
                    said.extend(self.fire_timer(&timer));
                }
                (Some(due), _) => {
                    self.time = self.time.max(due);
                    let decided = self.incidents.fire_due(due);
                    said.extend(self.feed(decided));
                }
                (None, Some(timer)) => said.extend(self.fire_timer(&timer)),
            }
        }
        self.time = self.time.max(until);
        said
    }

    /// What the incident lane does at a time, and what the pager says to it.
    pub fn when(&mut self, seconds: i64, what: impl FnOnce(&mut Lane)) -> Vec<Recorded> {
        self.at_time(at(seconds), what)
    }

    pub fn at_time(&mut self, time: Time, what: impl FnOnce(&mut Lane)) -> Vec<Recorded> {
        let mut said = self.pass(time);
        self.incidents.time = self.time;
        let before = self.incidents.log.len();
        what(&mut self.incidents);
        let decided = self.incidents.log[before..].to_vec();
        said.extend(self.feed(decided));
        said
    }

    /// An alert fires and opens an incident of its own.
    pub fn opens(
        &mut self,
        seconds: i64,
        name: &str,
        service: &str,
        severity: Severity,
    ) -> (IncidentId, Vec<Recorded>) {
        let said = self.when(seconds, |lane| lane.fire(name, service, severity, None));
        (self.incidents.home(name).expect("it opened one"), said)
    }

    /// An alert fires and joins an incident.
    pub fn joins(
        &mut self,
        seconds: i64,
        id: &IncidentId,
        name: &str,
        service: &str,
        severity: Severity,
    ) -> Vec<Recorded> {
        self.when(seconds, |lane| lane.fire(name, service, severity, Some(id)))
    }

    pub fn person(&mut self, seconds: i64, command: Command) -> Vec<Recorded> {
        self.when(seconds, |lane| assert!(lane.ask(command.clone()), "{command:?} was refused"))
    }

    /// A delivery is given up.
    pub fn expires(&mut self, seconds: i64, notice: &NoticeId) -> Vec<Recorded> {
        let mut said = self.pass(at(seconds));
        let expired =
            Expired { request: self.notices.0[notice].event.clone(), error: "no answer".into(), receiver: None };
        said.extend(self.fact(Partition::whole("default"), notice.as_str(), Event::NoticeExpired(expired)));
        said
    }

    // ── the notices lane, as the runner has it ─────────────────────────────────────────────────────

    fn fact(&mut self, partition: Partition, subject: &str, event: Event) -> Vec<Recorded> {
        self.facts += 1;
        self.feed(vec![Recorded {
            id: EventId::derive(&[b"fact", &self.facts.to_be_bytes()]),
            position: self.inputs.len() as u64,
            partition,
            subject: subject.to_owned(),
            revision: None,
            time: self.time,
            actor: "system".into(),
            cause: None,
            event,
        }])
    }

    fn feed(&mut self, inputs: Vec<Recorded>) -> Vec<Recorded> {
        let mut said: Vec<Recorded> = inputs.into_iter().flat_map(|input| self.input(input)).collect();
        // What is due at once is said once all of it is known.
        let now = self.time + Span::millis(1);
        while let Some(timer) = self.pager.due(&self.state).filter(|timer| timer.due <= now) {
            said.extend(self.fire_timer(&timer));
        }
        said
    }

    /// The inputs in the order in which the lane reads them.
    fn placed(&self, input: Recorded) -> Recorded {
        Recorded { position: self.inputs.len() as u64 + 1, ..input }
    }

    fn input(&mut self, input: Recorded) -> Vec<Recorded> {
        let input = self.placed(input);
        let lane = Partition::whole("default");
        let of = if input.partition.is_whole() { Input::Intake } else { Input::Lane("incidents") };
        assert!(self.pager.sees_first() && self.pager.reads(&lane, of, &input.partition));
        self.pager.seen(&mut self.state, &input);
        self.notices.evolve(&input);
        let mut said = Vec::new();
        while let Some(timer) = self.pager.due(&self.state).filter(|timer| timer.due <= input.time) {
            said.extend(self.fire_timer(&timer));
        }
        let now = self.now.max(input.time);
        let drafts = self.pager.decide(&self.state, &lane, &input, now);
        said.extend(self.adopt(drafts, input.id.as_str().as_bytes(), now, Some(&input.id)));
        self.inputs.push(input);
        said
    }

    fn fire_timer(&mut self, timer: &Timer) -> Vec<Recorded> {
        self.time = self.time.max(timer.due);
        let drafts = self.pager.fire(&self.state, &Partition::whole("default"), timer);
        assert!(!drafts.is_empty(), "a timer that is due must decide something: {timer:?}");
        let seed = format!("{}/{}", timer.due.nanos(), timer.id);
        let said = self.adopt(drafts, seed.as_bytes(), self.now.max(timer.due), None);
        assert_ne!(self.pager.due(&self.state).as_ref(), Some(timer), "what a timer decides must clear it");
        said
    }

    fn adopt(&mut self, drafts: Vec<Draft>, seed: &[u8], now: Time, cause: Option<&EventId>) -> Vec<Recorded> {
        let mut revisions = BTreeMap::new();
        let mut said = Vec::new();
        for (index, draft) in drafts.into_iter().enumerate() {
            let next = self.pager.revision(&self.state, &draft.subject) + 1;
            let recorded = Recorded {
                id: EventId::derive(&[b"notices", seed, &index.to_be_bytes()]),
                position: 0,
                partition: Partition::whole("default"),
                revision: Some(*revisions.entry(draft.subject.clone()).or_insert(next)),
                subject: draft.subject,
                time: now,
                actor: draft.actor,
                cause: cause.cloned(),
                event: draft.event,
            };
            self.now = self.now.max(now);
            self.pager.evolve(&mut self.state, &recorded);
            self.notices.evolve(&recorded);
            self.log.push(recorded.clone());
            said.push(recorded);
        }
        said
    }

    /// The state as a restart finds it: all inputs are seen, then all decisions are folded.
    pub fn restarted(&self) -> NoticesState {
        let mut state = NoticesState::default();
        self.inputs.iter().for_each(|input| self.pager.seen(&mut state, input));
        self.log.iter().for_each(|decision| self.pager.evolve(&mut state, decision));
        state
    }
}

// ── reading what was said ──────────────────────────────────────────────────────────────────────────

/// What was said, in short: `page opened`, `notice opened`, `hold opened (storm)`, `release told`.
pub fn words(said: &[Recorded]) -> Vec<String> {
    let word = |reason: Reason| serde_json::to_value(reason).unwrap().as_str().unwrap().to_owned();
    let of = |event: &Recorded| match &event.event {
        Event::NoticeRequested(asked) => {
            format!("{} {}", if asked.page { "page" } else { "notice" }, word(asked.reason))
        }
        Event::NoticeHeld(held) => format!("hold {} ({})", word(held.reason), held.why),
        Event::NoticeReleased(released) => format!("release {}", released.why),
        other => panic!("the pager says nothing of the kind: {other:?}"),
    };
    said.iter().map(of).collect()
}

pub fn requested(said: &[Recorded]) -> Vec<(NoticeId, Requested)> {
    let of = |event: &Recorded| match &event.event {
        Event::NoticeRequested(asked) => Some((event.subject.parse().unwrap(), asked.clone())),
        _ => None,
    };
    said.iter().filter_map(of).collect()
}

pub fn held(said: &[Recorded]) -> Vec<Held> {
    let of = |event: &Recorded| match &event.event {
        Event::NoticeHeld(held) => Some(held.clone()),
        _ => None,
    };
    said.iter().filter_map(of).collect()
}
