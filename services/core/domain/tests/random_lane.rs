//! A lane that lives a random history: alerts fire and end, join or open incidents, and people act, sensibly or not.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

use std::collections::BTreeMap;

use hindcast_domain::alert::decide::{Rules, observe};
use hindcast_domain::alert::{Labels, Observation, Signal};
use hindcast_domain::book::Book;
use hindcast_domain::command::{Command, Received};
use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::incident::decide::command;
use hindcast_domain::incident::{AlertJoined, Grouping, Incident, Opened, Reopened, Resolved};
use hindcast_domain::{EventId, Fingerprint, IncidentId, Partition, Severity, Span, Time};
use proptest::prelude::*;
use proptest::sample::Index;

pub const ALERTS: usize = 6;
pub const SEVERITIES: [Severity; 4] = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

/// One thing that happens. Incidents and past decisions are named by an index into what exists then.
#[derive(Clone, Debug)]
pub enum Step {
    Fire { alert: usize, severity: usize, join: Option<Index>, resent: bool },
    End { alert: usize },
    Declare,
    Acknowledge(Index),
    Unacknowledge(Index),
    Resolve(Index),
    Reopen(Index),
    Merge(Index, Index),
    Split(Index, Vec<Index>),
    Undo(Index),
    SetSeverity(Index, usize),
    Snooze(Index),
    Note(Index),
}

pub fn step() -> impl Strategy<Value = Step> {
    let index = any::<Index>;
    prop_oneof![
        6 => (0..ALERTS, 0..SEVERITIES.len(), any::<Option<Index>>(), any::<bool>())
            .prop_map(|(alert, severity, join, resent)| Step::Fire { alert, severity, join, resent }),
        4 => (0..ALERTS).prop_map(|alert| Step::End { alert }),
        1 => Just(Step::Declare),
        1 => index().prop_map(Step::Acknowledge),
        1 => index().prop_map(Step::Unacknowledge),
        2 => index().prop_map(Step::Resolve),
        2 => index().prop_map(Step::Reopen),
        3 => (index(), index()).prop_map(|(from, into)| Step::Merge(from, into)),
        3 => (index(), prop::collection::vec(index(), 1..3)).prop_map(|(of, leaving)| Step::Split(of, leaving)),
        4 => index().prop_map(Step::Undo),
        1 => (index(), 0..SEVERITIES.len()).prop_map(|(of, severity)| Step::SetSeverity(of, severity)),
        1 => index().prop_map(Step::Snooze),
        1 => index().prop_map(Step::Note),
    ]
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..60)
}

/// A partition in memory: it decides, folds, and keeps every decision.
#[derive(Default)]
pub struct Lane {
    pub book: Book,
    pub log: Vec<Recorded>,
    pub inputs: u64,
}

pub fn fingerprint(alert: usize) -> Fingerprint {
    Fingerprint::from_mac(&[u8::try_from(alert).unwrap() + 1; 32])
}

pub fn observation(alert: usize, severity: Severity, signal: Signal, starts_at: Option<Time>) -> Observation {
    let service = format!("service-{}", alert % 3);
    Observation {
        severity,
        signal,
        labels: Labels::from([("service".to_owned(), service.clone())]),
        starts_at,
        stale_after: Span::hours(1),
        ..hindcast_testkit::observation(fingerprint(alert), &format!("Alert{alert}"), &service)
    }
}

impl Lane {
    pub fn after(steps: &[Step]) -> Self {
        let mut lane = Self::default();
        steps.iter().for_each(|step| lane.take(step));
        lane
    }

    pub fn now(&self) -> Time {
        Time::from_millis(1_763_996_400_000) + Span::seconds(i64::try_from(self.inputs).unwrap() * 37)
    }

    pub fn take(&mut self, step: &Step) {
        self.inputs += 1;
        match step {
            Step::Fire { alert, severity, join, resent } => {
                self.fire(*alert, SEVERITIES[*severity], join.as_ref(), *resent)
            }
            Step::End { alert } => self.end(*alert),
            other => {
                if let Some(command) = self.command(other) {
                    self.ask(command);
                }
            }
        }
    }

    /// An alert fires: back to its live incident, or into one that is named, or into one of its own.
    pub fn fire(&mut self, alert: usize, severity: Severity, join: Option<&Index>, resent: bool) {
        // A start that is sent again makes replicas and late words; without one, each word is its own.
        let starts_at = resent.then(|| Time::from_millis(1_763_996_400_000));
        self.observe(&observation(alert, severity, Signal::Firing, starts_at));
        let alert = self.book.alerts[&fingerprint(alert)].clone();
        let home = alert.incident.as_ref().and_then(|id| self.book.home(id));
        if !alert.is_firing() || home.is_some_and(Incident::is_live) {
            return;
        }
        let joined = AlertJoined {
            fingerprint: alert.fingerprint.clone(),
            severity: alert.severity,
            service: alert.service.clone(),
            team: None,
            starts_at: alert.occurrence().starts_at,
            grouping: None,
            title: None,
        };
        let back = home.filter(|home| self.now().since(home.resolved_at.unwrap()) < Span::minutes(3));
        let drafts = match (back, join.and_then(|join| self.pick(join, Incident::is_live))) {
            (Some(home), _) => {
                let count = home.reopened + 1;
                let fingerprint = Some(alert.fingerprint.clone());
                let reopened = Reopened {
                    count,
                    fingerprint,
                    severity: Some(alert.severity),
                    worse: false,
                    keeps_acknowledgement: false,
                };
                // A part of another one by now: it joins where it leads to.
                let joined = (!home.members.contains_key(&alert.fingerprint)).then_some(joined);
                let again = joined.map(|joined| Draft::system(&home.id, Event::IncidentAlertJoined(joined)));
                std::iter::once(Draft::system(&home.id, Event::IncidentReopened(reopened))).chain(again).collect()
            }
            (None, Some(incident)) => vec![Draft::system(&incident, Event::IncidentAlertJoined(joined))],
            (None, None) => {
                let id = IncidentId::derive(&[&self.inputs.to_be_bytes()]);
                let opened = Opened {
                    title: alert.name.clone(),
                    fingerprint: alert.fingerprint.clone(),
                    severity: alert.severity,
                    service: alert.service.clone(),
                    team: None,
                    started_at: joined.starts_at,
                    grouping: Grouping {
                        rule: "first".into(),
                        weights: 1,
                        score: 0,
                        threshold: 500,
                        parts: BTreeMap::new(),
                        like: None,
                        considered: Vec::new(),
                    },
                    recurrence_of: None,
                };
                vec![Draft::system(&id, Event::IncidentOpened(opened))]
            }
        };
        self.adopt(drafts);
    }

    pub fn end(&mut self, alert: usize) {
        self.observe(&observation(alert, Severity::Low, Signal::Resolved, None));
        let Some(id) = self.book.alerts.get(&fingerprint(alert)).and_then(|alert| alert.incident.clone()) else {
            return;
        };
        let incident = &self.book.incidents[&id];
        if incident.is_live() && self.book.alerts_of(incident).all(|alert| !alert.is_firing()) {
            let over = Resolved { by: "quiet".into(), cause: None, resolution: None };
            self.adopt(vec![Draft::system(&id, Event::IncidentResolved(over))]);
        }
    }

    pub fn observe(&mut self, observation: &Observation) {
        let known = self.book.alerts.get(&observation.fingerprint);
        let service = observation.service.as_deref();
        let observed = self.input();
        let reception = hindcast_testkit::reception(&observed, service, self.now());
        let drafts = observe(known, observation, &reception, &Rules::default());
        self.adopt(drafts);
    }

    pub fn input(&self) -> EventId {
        EventId::derive(&[b"input", &self.inputs.to_be_bytes()])
    }

    pub fn pick(&self, index: &Index, which: impl Fn(&Incident) -> bool) -> Option<IncidentId> {
        let ids: Vec<&IncidentId> = self.book.incidents.values().filter(|i| which(i)).map(|i| &i.id).collect();
        (!ids.is_empty()).then(|| (*index.get(&ids)).clone())
    }

    pub fn command(&self, step: &Step) -> Option<Command> {
        let any = |index| self.pick(index, |_| true);
        Some(match step {
            Step::Fire { .. } | Step::End { .. } => return None,
            Step::Declare => Command::DeclareIncident {
                title: "declared".to_owned(),
                severity: Severity::High,
                services: Vec::new(),
                description: None,
                started_at: None,
            },
            Step::Acknowledge(of) => Command::AcknowledgeIncident { incident: any(of)? },
            Step::Unacknowledge(of) => Command::UnacknowledgeIncident { incident: any(of)? },
            Step::Resolve(of) => Command::ResolveIncident { incident: any(of)?, cause: None, resolution: None },
            Step::Reopen(of) => Command::ReopenIncident { incident: any(of)? },
            Step::Merge(from, into) => Command::MergeIncident { incident: any(from)?, into: any(into)? },
            Step::Split(of, leaving) => {
                let incident = self.pick(of, |incident| incident.members.len() > 1)?;
                let members: Vec<_> = self.book.incidents[&incident].members.keys().cloned().collect();
                let fingerprints = leaving.iter().map(|one| one.get(&members).clone()).collect();
                Command::SplitIncident { incident, fingerprints }
            }
            Step::Undo(of) => {
                let past =
                    |event: &&Recorded| matches!(event.event, Event::IncidentMerged(_) | Event::IncidentSplit(_));
                let past: Vec<&Recorded> = self.log.iter().filter(past).collect();
                let event = (!past.is_empty()).then(|| *of.get(&past))?;
                Command::UndoEvent { event: event.id.clone(), subject: event.subject.clone() }
            }
            Step::SetSeverity(of, severity) => {
                Command::SetIncidentSeverity { incident: any(of)?, severity: SEVERITIES[*severity] }
            }
            Step::Snooze(of) => Command::SnoozeIncident { incident: any(of)?, until: self.now() + Span::hours(1) },
            Step::Note(of) => Command::NoteIncident { incident: any(of)?, text: "a note".to_owned() },
        })
    }

    /// Asks for something; true where it was decided and not refused.
    pub fn ask(&mut self, wanted: Command) -> bool {
        let received = Received { key: self.inputs.to_string(), if_match: None, command: wanted };
        let decided = command(&self.book, &received, &self.input(), "ada", self.now());
        let taken = decided.is_ok();
        self.adopt(decided.unwrap_or_default());
        taken
    }

    pub fn adopt(&mut self, drafts: Vec<Draft>) {
        let mut revisions: BTreeMap<String, u64> = BTreeMap::new();
        for draft in drafts {
            let before = revision(&self.book, &draft.subject);
            let revision = *revisions.entry(draft.subject.clone()).or_insert(before + 1);
            let recorded = Recorded {
                id: EventId::derive(&[&self.log.len().to_be_bytes()]),
                position: self.log.len() as u64,
                partition: Partition::of_environment("production"),
                subject: draft.subject,
                revision: Some(revision),
                time: self.now(),
                actor: draft.actor,
                cause: None,
                event: draft.event,
            };
            self.book.evolve(&recorded);
            self.log.push(recorded);
        }
    }
}

pub fn revision(book: &Book, subject: &str) -> u64 {
    let alert = subject.parse::<Fingerprint>().ok().and_then(|id| book.alerts.get(&id)).map(|alert| alert.revision);
    let incident = subject.parse::<IncidentId>().ok().and_then(|id| book.incidents.get(&id)).map(|i| i.revision);
    alert.or(incident).unwrap_or(0)
}
