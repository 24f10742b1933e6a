//! What holds of every history that the deciders can make, whatever the order of alerts and people.
//!
//! The histories are random: alerts fire and end, an alert that fires joins an incident or opens one, and
//! people acknowledge, resolve, reopen, merge, split and undo at any time, sensibly or not. What is refused
//! leaves no decision, so each history is one that could stand in a ledger.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::book::Book;
use hindcast_domain::command::Command;
use hindcast_domain::event::Recorded;
use hindcast_domain::incident::{Incident, Status};
use hindcast_domain::words::ResolvedBy;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::random_lane::{Lane, Step, fingerprint, steps};

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
