//! What holds of every history that the deciders can make, whatever the order of alerts and people.
//!
//! The histories are random: alerts fire and end, an alert that fires joins an incident or opens one, and
//! people acknowledge, resolve, reopen, merge, split and undo at any time, sensibly or not. What is refused
//! leaves no decision, so each history is one that could stand in a ledger.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

use hindcast_domain::words::ResolvedBy;
use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::alert::decide::{Rules, observe};
use hindcast_domain::alert::{Labels, Observation, Signal};
use hindcast_domain::book::Book;
use hindcast_domain::command::{Command, Received};
use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::incident::decide::command;
use hindcast_domain::incident::{AlertJoined, Grouping, Incident, Opened, Reopened, Resolved, Status};
use hindcast_domain::{EventId, Fingerprint, IncidentId, Partition, Severity, Span, Time};
use proptest::prelude::*;
use proptest::sample::Index;

const ALERTS: usize = 6;
const SEVERITIES: [Severity; 4] = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

/// One thing that happens. Incidents and past decisions are named by an index into what exists then.
#[derive(Clone, Debug)]
enum Step {
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

fn step() -> impl Strategy<Value = Step> {
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

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..60)
}

/// A partition in memory: it decides, folds, and keeps every decision.
#[derive(Default)]
struct Lane {
    book: Book,
    log: Vec<Recorded>,
    inputs: u64,
}

fn fingerprint(alert: usize) -> Fingerprint {
    Fingerprint::from_mac(&[u8::try_from(alert).unwrap() + 1; 32])
}

fn observation(alert: usize, severity: Severity, signal: Signal, starts_at: Option<Time>) -> Observation {
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
    fn after(steps: &[Step]) -> Self {
        let mut lane = Self::default();
        steps.iter().for_each(|step| lane.take(step));
        lane
    }

    fn now(&self) -> Time {
        Time::from_millis(1_763_996_400_000) + Span::seconds(i64::try_from(self.inputs).unwrap() * 37)
    }

    fn take(&mut self, step: &Step) {
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
    fn fire(&mut self, alert: usize, severity: Severity, join: Option<&Index>, resent: bool) {
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

    fn end(&mut self, alert: usize) {
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

    fn observe(&mut self, observation: &Observation) {
        let known = self.book.alerts.get(&observation.fingerprint);
        let service = observation.service.as_deref();
        let drafts = observe(known, observation, &self.input(), service, self.now(), &Rules::default());
        self.adopt(drafts);
    }

    fn input(&self) -> EventId {
        EventId::derive(&[b"input", &self.inputs.to_be_bytes()])
    }

    fn pick(&self, index: &Index, which: impl Fn(&Incident) -> bool) -> Option<IncidentId> {
        let ids: Vec<&IncidentId> = self.book.incidents.values().filter(|i| which(i)).map(|i| &i.id).collect();
        (!ids.is_empty()).then(|| (*index.get(&ids)).clone())
    }

    fn command(&self, step: &Step) -> Option<Command> {
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
    fn ask(&mut self, wanted: Command) -> bool {
        let received = Received { key: self.inputs.to_string(), if_match: None, command: wanted };
        let decided = command(&self.book, &received, &self.input(), "ada", self.now());
        let taken = decided.is_ok();
        self.adopt(decided.unwrap_or_default());
        taken
    }

    fn adopt(&mut self, drafts: Vec<Draft>) {
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

fn revision(book: &Book, subject: &str) -> u64 {
    let alert = subject.parse::<Fingerprint>().ok().and_then(|id| book.alerts.get(&id)).map(|alert| alert.revision);
    let incident = subject.parse::<IncidentId>().ok().and_then(|id| book.incidents.get(&id)).map(|i| i.revision);
    alert.or(incident).unwrap_or(0)
}

fn folded(log: &[Recorded]) -> Book {
    let mut book = Book::default();
    log.iter().for_each(|event| {
        book.evolve(event);
    });
    book
}

// ── what holds after every step ────────────────────────────────────────────────────────────────────

/// A live incident's members are the alerts that think they belong to it, and an alert that thinks it
/// belongs to a live incident is a member of it.
fn membership_is_consistent(book: &Book) -> Result<(), String> {
    for incident in book.incidents.values().filter(|incident| incident.is_live()) {
        let members: BTreeSet<_> = incident.members.keys().collect();
        let home = |alert: &&hindcast_domain::alert::Alert| alert.incident.as_ref() == Some(&incident.id);
        let at_home: BTreeSet<_> = book.alerts.values().filter(home).map(|alert| &alert.fingerprint).collect();
        if members != at_home {
            return Err(format!("{} has the members {members:?}, at home there are {at_home:?}", incident.id));
        }
    }
    Ok(())
}

/// An alert that was placed leads to an incident that exists and is no part of another one.
fn every_alert_leads_home(book: &Book) -> Result<(), String> {
    for alert in book.alerts.values() {
        let Some(id) = &alert.incident else { continue };
        match book.home(id) {
            Some(home) if home.merged_into.is_none() => {}
            other => return Err(format!("{} leads to {other:?}", alert.fingerprint)),
        }
    }
    Ok(())
}

/// An incident that became a part of another one is over and has nothing left that is its own.
fn what_was_merged_is_over(book: &Book) -> Result<(), String> {
    for incident in book.incidents.values().filter(|incident| incident.merged_into.is_some()) {
        let own = book.alerts.values().find(|alert| alert.incident.as_ref() == Some(&incident.id));
        if incident.is_live() || own.is_some() {
            return Err(format!("{} is merged, live: {}, and has {own:?}", incident.id, incident.is_live()));
        }
    }
    Ok(())
}

/// What fires belongs to an incident that lives, or to one that people ended: by saying so, or by merging
/// one that they had ended into one that was over.
fn nothing_that_fires_is_lost(book: &Book) -> Result<(), String> {
    for alert in book.alerts.values().filter(|alert| alert.is_firing()) {
        let home = alert.incident.as_ref().and_then(|id| book.home(id));
        let ended = |home: &Incident| home.resolved_by == Some(ResolvedBy::Person) || !home.lineage.is_empty();
        if !home.is_some_and(|home| home.is_live() || ended(home)) {
            return Err(format!("{} fires in {home:#?}", alert.fingerprint));
        }
    }
    Ok(())
}

/// Status and its times agree, and nothing is worse than it ever was.
fn an_incident_agrees_with_itself(book: &Book) -> Result<(), String> {
    for incident in book.incidents.values() {
        let resolved = incident.resolved_at.is_some() == (incident.status == Status::Resolved);
        let acknowledged = incident.status != Status::Acknowledged || incident.acknowledged_by.is_some();
        let peak = incident.severity <= incident.peak_severity;
        let snoozed = incident.is_live() || incident.snoozed_until.is_none();
        if !(resolved && acknowledged && peak && snoozed) {
            return Err(format!("{incident:#?}"));
        }
    }
    Ok(())
}

/// Each decision on an aggregate is one revision: 1, 2, 3, …
fn revisions_have_no_gap(log: &[Recorded]) -> Result<(), String> {
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    for event in log {
        let revision = event.revision.unwrap_or(0);
        let before = last.insert(&event.subject, revision).unwrap_or(0);
        if revision == 0 || revision < before || revision > before + 1 {
            return Err(format!("{} goes from revision {before} to {revision}", event.subject));
        }
    }
    Ok(())
}

fn all_hold(lane: &Lane) -> Result<(), String> {
    membership_is_consistent(&lane.book)?;
    every_alert_leads_home(&lane.book)?;
    what_was_merged_is_over(&lane.book)?;
    nothing_that_fires_is_lost(&lane.book)?;
    an_incident_agrees_with_itself(&lane.book)?;
    revisions_have_no_gap(&lane.log)
}

/// Where every alert is, and who is a member of what lives.
fn places(book: &Book) -> impl PartialEq + std::fmt::Debug + use<> {
    let homes: BTreeMap<_, _> = book.alerts.iter().map(|(id, alert)| (id.clone(), alert.incident.clone())).collect();
    let members: BTreeMap<_, _> =
        book.incidents.iter().map(|(id, incident)| (id.clone(), incident.members.clone())).collect();
    (homes, members)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn members_lineage_and_revisions_are_sound_after_every_step(steps in steps()) {
        let mut lane = Lane::default();
        for (index, step) in steps.iter().enumerate() {
            lane.take(step);
            if let Err(wrong) = all_hold(&lane) {
                prop_assert!(false, "after step {} ({:?}): {}", index, step, wrong);
            }
        }
    }

    #[test]
    fn a_fold_is_a_function_of_its_history(steps in steps()) {
        let lane = Lane::after(&steps);
        prop_assert_eq!(&folded(&lane.log), &lane.book, "folding again gives what decided");
        prop_assert_eq!(folded(&lane.log), folded(&lane.log));
        prop_assert_eq!(Lane::after(&steps).log, lane.log, "and deciding again gives the same decisions");
    }

    #[test]
    fn a_snapshot_and_the_tail_give_what_the_whole_history_gives(steps in steps(), at in any::<Index>()) {
        let lane = Lane::after(&steps);
        let at = at.index(lane.log.len() + 1);
        let bytes = serde_json::to_vec(&folded(&lane.log[..at])).unwrap();
        let mut book: Book = serde_json::from_slice(&bytes).unwrap();
        for event in &lane.log[at..] {
            book.evolve(event);
        }
        prop_assert_eq!(book, lane.book);
    }

    #[test]
    fn undoing_a_merge_restores_the_members(steps in steps(), from in any::<Index>(), into in any::<Index>()) {
        let mut lane = Lane::after(&steps);
        let before = places(&lane.book);
        lane.inputs += 1;
        let (Some(incident), Some(into)) = (lane.pick(&from, Incident::is_live), lane.pick(&into, Incident::is_live))
        else { return Ok(()) };
        if lane.ask(Command::MergeIncident { incident, into: into.clone() }) {
            let event = lane.log.last().unwrap().id.clone();
            lane.inputs += 1;
            let taken = lane.ask(Command::UndoEvent { event, subject: into.to_string() });
        prop_assert!(taken);
            prop_assert_eq!(places(&lane.book), before);
        }
    }

    #[test]
    fn undoing_a_split_restores_the_members(steps in steps(), of in any::<Index>(), leaving in any::<Index>()) {
        let mut lane = Lane::after(&steps);
        lane.inputs += 1;
        let Some(incident) = lane.pick(&of, |incident| incident.is_live() && incident.members.len() > 1) else {
            return Ok(());
        };
        let before = lane.book.incidents[&incident].members.clone();
        let members: Vec<_> = before.keys().cloned().collect();
        let fingerprints = vec![leaving.get(&members).clone()];
        let taken = lane.ask(Command::SplitIncident { incident: incident.clone(), fingerprints });
        prop_assert!(taken);
        let event = lane.log.last().unwrap().id.clone();
        lane.inputs += 1;
        let taken = lane.ask(Command::UndoEvent { event, subject: incident.to_string() });
        prop_assert!(taken);
        prop_assert_eq!(&lane.book.incidents[&incident].members, &before);
    }
}

// ── what the properties found, kept as sentences ───────────────────────────────────────────────────

#[test]
fn the_check_of_membership_turns_red_when_an_alert_is_told_another_home() {
    let fire = Step::Fire { alert: 0, severity: 3, join: None, resent: false };
    let mut lane = Lane::after(&[fire, Step::Fire { alert: 1, severity: 3, join: None, resent: false }]);
    assert_eq!(all_hold(&lane), Ok(()));
    let elsewhere = lane.book.alerts[&fingerprint(1)].incident.clone();
    lane.book.alerts.get_mut(&fingerprint(0)).unwrap().incident = elsewhere;
    assert!(membership_is_consistent(&lane.book).is_err());
}

#[test]
fn the_check_of_revisions_turns_red_on_a_gap() {
    let mut lane = Lane::after(&[Step::Fire { alert: 0, severity: 3, join: None, resent: false }]);
    lane.log[0].revision = Some(2);
    assert!(revisions_have_no_gap(&lane.log).is_err());
}
