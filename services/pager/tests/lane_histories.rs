//! Random histories of the lane alone: a restart finds the state that decided, budgets hold, and what holds comes to an
//! end. Whether people are told the truth is audited in `services/testkit/tests/paging.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

use crate::harness;
use harness::{Desk, START};
use hindcast_domain::command::Command;
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::incident::Incident;
use hindcast_domain::lane::Decider;
use hindcast_domain::notice::Status;
use hindcast_domain::{IncidentId, Severity, Span};
use hindcast_pager::NoticesState;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;

const NAMES: [&str; 8] = ["A", "B", "C", "D", "E", "F", "G", "H"];
const SERVICES: [&str; 4] = ["db-1", "db-2", "web", "queue"];
const SEVERITIES: [Severity; 5] = [Severity::Low, Severity::Medium, Severity::High, Severity::High, Severity::Critical];

#[derive(Clone, Debug)]
enum Step {
    Fire { alert: usize, severity: usize, join: Option<Index> },
    End(usize),
    Silence(usize, i64),
    Unsilence(usize),
    Acknowledge(Index),
    Unacknowledge(Index),
    Resolve(Index),
    Reopen(Index),
    SetSeverity(Index, usize),
    Snooze(Index, i64),
    Merge(Index, Index),
    Split(Index, Index),
    Undo(Index),
    GiveUp(Index),
    Wait,
}

fn step() -> impl Strategy<Value = (i64, Step)> {
    let index = any::<Index>;
    let step = prop_oneof![
        10 => (0..NAMES.len(), 0..SEVERITIES.len(), any::<Option<Index>>())
            .prop_map(|(alert, severity, join)| Step::Fire { alert, severity, join }),
        5 => (0..NAMES.len()).prop_map(Step::End),
        3 => (0..NAMES.len(), 1..400_i64).prop_map(|(alert, seconds)| Step::Silence(alert, seconds)),
        1 => (0..NAMES.len()).prop_map(Step::Unsilence),
        2 => index().prop_map(Step::Acknowledge),
        2 => index().prop_map(Step::Unacknowledge),
        1 => index().prop_map(Step::Resolve),
        1 => index().prop_map(Step::Reopen),
        1 => (index(), 0..SEVERITIES.len()).prop_map(|(of, severity)| Step::SetSeverity(of, severity)),
        2 => (index(), 1..400_i64).prop_map(|(of, seconds)| Step::Snooze(of, seconds)),
        2 => (index(), index()).prop_map(|(from, into)| Step::Merge(from, into)),
        2 => (index(), index()).prop_map(|(of, leaving)| Step::Split(of, leaving)),
        2 => index().prop_map(Step::Undo),
        3 => index().prop_map(Step::GiveUp),
        1 => Just(Step::Wait),
    ];
    (prop_oneof![4 => 0..20_i64, 1 => 0..600_i64], step)
}

fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    prop::collection::vec(step(), 1..50)
}

fn rules() -> impl Strategy<Value = serde_json::Value> {
    let receiver = |name: &'static str| {
        (1..4_u32, 30..300_i64, prop::sample::select(vec!["low", "high", "critical"]), any::<bool>()).prop_map(
            move |(pages, window, at_least, pages_only)| {
                json!({"name": name, "pages_max": pages, "window_s": window, "at_least": at_least, "pages_only": pages_only})
            },
        )
    };
    prop_oneof![
        Just(json!({})),
        receiver("phone").prop_map(|phone| json!({"receivers": [phone]})),
        (receiver("phone"), receiver("channel")).prop_map(|both| json!({"receivers": [both.0, both.1]})),
    ]
}

fn pick<D: Decider<State = NoticesState>>(
    desk: &Desk<D>,
    index: &Index,
    which: fn(&Incident) -> bool,
) -> Option<IncidentId> {
    let ids: Vec<_> = desk.incidents.book.incidents.values().filter(|i| which(i)).map(|i| i.id.clone()).collect();
    (!ids.is_empty()).then(|| index.get(&ids).clone())
}

fn any_incident(_: &Incident) -> bool {
    true
}

fn take<D: Decider<State = NoticesState>>(desk: &mut Desk<D>, wait: i64, step: &Step) {
    let time = desk.time + Span::seconds(wait);
    match step {
        Step::Wait => {
            desk.pass(time);
        }
        Step::Fire { alert, severity, join } => {
            let join = join.as_ref().and_then(|join| pick(desk, join, Incident::is_live));
            let service = SERVICES[alert % SERVICES.len()];
            desk.at_time(time, |lane| lane.fire(NAMES[*alert], service, SEVERITIES[*severity], join.as_ref()));
        }
        Step::End(alert) => {
            desk.at_time(time, |lane| lane.end(NAMES[*alert]));
        }
        Step::Silence(alert, seconds) => {
            desk.at_time(time, |lane| lane.silence(NAMES[*alert], time + Span::seconds(*seconds)));
        }
        Step::Unsilence(alert) => {
            desk.at_time(time, |lane| lane.unsilence(NAMES[*alert]));
        }
        Step::GiveUp(index) => {
            let asked: Vec<_> =
                desk.notices.0.values().filter(|n| n.status == Status::Requested).map(|n| n.id.clone()).collect();
            if !asked.is_empty() {
                let seconds = time.since(START).as_millis() / 1_000;
                desk.expires(seconds, &index.get(&asked).clone());
            }
        }
        person => {
            // What is named is what exists before time passes; what is refused then leaves no decision.
            if let Some(command) = command(desk, person, time) {
                desk.at_time(time, |lane| {
                    lane.ask(command);
                });
            }
        }
    }
}

fn command<D: Decider<State = NoticesState>>(
    desk: &Desk<D>,
    step: &Step,
    time: hindcast_domain::Time,
) -> Option<Command> {
    let any = |index: &Index| pick(desk, index, any_incident);
    Some(match step {
        Step::Acknowledge(of) => Command::AcknowledgeIncident { incident: any(of)? },
        Step::Unacknowledge(of) => Command::UnacknowledgeIncident { incident: any(of)? },
        Step::Resolve(of) => Command::ResolveIncident { incident: any(of)?, cause: None, resolution: None },
        Step::Reopen(of) => Command::ReopenIncident { incident: any(of)? },
        Step::SetSeverity(of, severity) => {
            Command::SetIncidentSeverity { incident: any(of)?, severity: SEVERITIES[*severity] }
        }
        Step::Snooze(of, seconds) => {
            Command::SnoozeIncident { incident: any(of)?, until: time + Span::seconds(*seconds) }
        }
        // What a person ended stays so: a merge of it would hide who said that it is over.
        Step::Merge(from, into) => Command::MergeIncident {
            incident: pick(desk, from, Incident::is_live)?,
            into: pick(desk, into, Incident::is_live)?,
        },
        Step::Split(of, leaving) => {
            let incident = pick(desk, of, |incident| incident.members.len() > 1)?;
            let members: Vec<_> = desk.incidents.book.incidents[&incident].members.keys().cloned().collect();
            Command::SplitIncident { incident, fingerprints: vec![leaving.get(&members).clone()] }
        }
        Step::Undo(of) => {
            let past = |event: &&Recorded| matches!(event.event, Event::IncidentMerged(_) | Event::IncidentSplit(_));
            let past: Vec<&Recorded> = desk.incidents.log.iter().filter(past).collect();
            let event = (!past.is_empty()).then(|| *of.get(&past))?;
            Command::UndoEvent { event: event.id.clone(), subject: event.subject.clone() }
        }
        _ => return None,
    })
}

/// Pages in one window of a receiver never exceed its budget, but for the storm's own message and digests.
fn budgets_hold(desk: &Desk, rules: &serde_json::Value) -> Result<(), String> {
    for receiver in rules["receivers"].as_array().into_iter().flatten() {
        let (name, max) = (receiver["name"].as_str().unwrap(), receiver["pages_max"].as_u64().unwrap());
        let window = Span::seconds(receiver["window_s"].as_i64().unwrap());
        let paged: Vec<_> = desk
            .notices
            .0
            .values()
            .filter(|n| {
                n.page && n.incident.is_some() && n.receiver.as_deref() == Some(name) && n.status != Status::Held
            })
            .filter(|n| n.status != Status::Released)
            .map(|n| n.at)
            .collect();
        for start in &paged {
            let inside = paged.iter().filter(|at| **at >= *start && at.since(*start) < window).count();
            if inside as u64 > max {
                return Err(format!("{inside} pages of {name} within {window}, {max} are its limit"));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn budgets_hold_and_what_holds_comes_to_an_end(steps in steps(), rules in rules(), pager_first in any::<bool>()) {
        let mut desk = Desk::new().rules(rules.clone());
        desk.pager_first = pager_first;
        steps.iter().for_each(|(wait, step)| take(&mut desk, *wait, step));
        desk.pass(desk.time + Span::hours(1));
        let held: Vec<_> = desk.state.held().collect();
        prop_assert!(held.is_empty(), "a hold has no end: {held:?} at {}", desk.time);
        prop_assert_eq!(budgets_hold(&desk, &rules), Ok(()));
    }

    #[test]
    fn a_restart_finds_the_state_that_decided(steps in steps(), rules in rules()) {
        let mut desk = Desk::new().rules(rules);
        steps.iter().for_each(|(wait, step)| take(&mut desk, *wait, step));
        prop_assert_eq!(desk.restarted(), desk.state.clone(), "inputs and decisions do not touch each other");
        let snapshot: NoticesState = serde_json::from_slice(&serde_json::to_vec(&desk.state).unwrap()).unwrap();
        prop_assert_eq!(snapshot, desk.state);
    }
}
