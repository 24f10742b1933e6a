//! Reminders and escalation, read as a specification: who is told at once, who later, and when nobody is any more.

use hindcast_domain::IncidentId;
use hindcast_domain::Severity::{Critical, High, Medium};
use hindcast_domain::command::Command;
use hindcast_domain::event::Recorded;
use serde_json::json;

use crate::harness::{Desk, at, requested, words};

fn acknowledge(id: &IncidentId) -> Command {
    Command::AcknowledgeIncident { incident: id.clone() }
}

/// Whom the pages and other messages are for, with their reasons, in order.
fn told(said: &[Recorded]) -> Vec<String> {
    let word = |reason| serde_json::to_value(reason).unwrap().as_str().unwrap().to_owned();
    let one =
        |(_, asked): (_, hindcast_domain::notice::Requested)| format!("{} {}", asked.receiver, word(asked.reason));
    requested(said).into_iter().map(one).collect()
}

/// Ada and Bob take turns, the lead is told after 15 minutes; the wall shows everything.
fn team() -> Desk {
    Desk::new()
        .rules(json!({
            "receivers": [{"name": "ada"}, {"name": "bob"}, {"name": "lead"}, {"name": "wall"}],
            "escalations": [{"name": "all", "steps": [
                {"on_call": "primary"}, {"after_s": 900, "receivers": ["lead"]},
            ]}],
        }))
        .on_call(
            json!([{"name": "primary", "people": ["ada", "bob"], "first_day": "2025-11-17", "hand_over": "09:00"}]),
        )
}

// The tests begin on Monday, 2025-11-24 at 15:00 UTC: it is Bob's week, and Ada's from 2025-12-01 09:00 on.
const ADAS: i64 = 7 * 86_400;

#[test]
fn a_page_that_nobody_acknowledges_is_repeated_until_somebody_does() {
    let mut desk = Desk::new().rules(json!({"remind_after_s": 600}));
    let (id, said) = desk.opens(10, "PgDown", "postgres", Critical);
    assert_eq!(words(&said), ["page opened"]);
    assert_eq!(words(&desk.pass(at(609))), [""; 0]);
    let said = desk.pass(at(611));
    assert_eq!(words(&said), ["page reminder"]);
    assert_eq!(requested(&said)[0].1.alerts[0].name, "PgDown", "it says what fires");
    assert_eq!(words(&desk.pass(at(1_900))), ["page reminder"; 2]);
    desk.person(1_901, acknowledge(&id));
    assert_eq!(words(&desk.pass(at(10_000))), [""; 0]);
}

#[test]
fn a_page_for_something_else_puts_the_reminder_off_and_reminders_end() {
    let mut desk = Desk::new().rules(json!({"remind_after_s": 600, "remind_max": 2}));
    let (id, _) = desk.opens(10, "PgSlow", "postgres", High);
    assert_eq!(words(&desk.joins(300, &id, "PgDown", "postgres", Critical)), ["page worse"]);
    assert_eq!(words(&desk.pass(at(899))), [""; 0]);
    assert_eq!(words(&desk.pass(at(100_000))), ["page reminder"; 2]);
}

#[test]
fn what_pages_nobody_and_what_is_over_is_no_reminder() {
    let mut desk = Desk::new().rules(json!({"remind_after_s": 600}));
    desk.opens(10, "Slow", "nginx", Medium);
    desk.opens(20, "PgDown", "postgres", Critical);
    assert_eq!(words(&desk.when(300, |lane| lane.end("PgDown"))), ["notice resolved"]);
    assert_eq!(words(&desk.pass(at(100_000))), [""; 0]);
}

#[test]
fn a_snooze_holds_the_reminder_and_nothing_else_does() {
    let mut desk = Desk::new().rules(json!({"remind_after_s": 600}));
    let (id, _) = desk.opens(10, "PgDown", "postgres", Critical);
    desk.person(20, Command::SnoozeIncident { incident: id, until: at(5_000) });
    let said = desk.pass(at(5_010));
    assert_eq!(words(&said).last().map(String::as_str), Some("page still_there"));
    assert!(!words(&said).contains(&"page reminder".to_owned()), "{:?}", words(&said));
}

#[test]
fn whoever_is_on_call_is_told_at_once_and_the_lead_if_nobody_acknowledges() {
    let mut desk = team();
    let (_, said) = desk.opens(10, "PgDown", "postgres", Critical);
    assert_eq!(told(&said), ["bob opened", "wall opened"]);
    assert_eq!(told(&desk.pass(at(905))), [""; 0]);
    assert_eq!(told(&desk.pass(at(920))), ["lead opened"]);
    assert_eq!(told(&desk.when(1_000, |lane| lane.end("PgDown"))), ["bob resolved", "lead resolved", "wall resolved"]);
    let (_, said) = desk.opens(ADAS, "PgDown", "postgres", Critical);
    assert!(told(&said).contains(&"ada opened".to_owned()) && !told(&said).contains(&"bob opened".to_owned()));
}

#[test]
fn an_acknowledgement_and_an_end_stop_the_steps() {
    let mut desk = team();
    let (id, _) = desk.opens(10, "PgDown", "postgres", Critical);
    desk.person(100, acknowledge(&id));
    assert_eq!(told(&desk.pass(at(10_000))), [""; 0]);
    desk.opens(10_100, "Other", "nginx", Critical);
    desk.when(10_200, |lane| lane.end("Other"));
    assert_eq!(told(&desk.pass(at(20_000))), [""; 0]);
}

#[test]
fn what_no_escalation_is_for_is_told_to_all() {
    let mut desk = team();
    let (_, said) = desk.opens(10, "Slow", "nginx", Medium);
    assert_eq!(told(&said), ["ada opened", "bob opened", "lead opened", "wall opened"]);
}

#[test]
fn where_nobody_is_on_call_all_are_told() {
    let mut desk = team().on_call(json!([{"name": "primary", "people": ["ada"], "first_day": "2026-11-17"}]));
    let (_, said) = desk.opens(10, "PgDown", "postgres", Critical);
    assert_eq!(told(&said), ["ada opened", "bob opened", "lead opened", "wall opened"]);
    let mut desk = team().on_call(json!([{"name": "primary", "people": ["eve"], "first_day": "2025-11-17"}]));
    let (_, said) = desk.opens(10, "PgDown", "postgres", Critical);
    assert_eq!(told(&said).len(), 4, "eve is no receiver");
}

#[test]
fn steps_are_chosen_by_service_severity_and_time() {
    let mut desk = Desk::new().rules(json!({
        "receivers": [{"name": "shop"}, {"name": "night"}, {"name": "data"}],
        "escalations": [
            {"name": "shop", "services": ["checkout"], "at_least": "critical", "steps": [{"receivers": ["shop"]}]},
            {"name": "night", "between": "daily 22:00-06:00 UTC", "steps": [{"receivers": ["night"]}]},
            {"name": "rest", "steps": [{"receivers": ["data"]}]},
        ],
    }));
    let mut opens = |seconds, name: &str, service, severity| told(&desk.opens(seconds, name, service, severity).1);
    assert_eq!(opens(10, "A", "checkout", Critical), ["shop opened"]);
    assert_eq!(opens(20, "B", "checkout", High), ["data opened"]);
    assert_eq!(opens(30, "C", "postgres", Critical), ["data opened"]);
    // At 23:00.
    assert_eq!(opens(8 * 3_600, "D", "postgres", Critical), ["night opened"]);
    assert_eq!(opens(8 * 3_600 + 10, "E", "checkout", Critical), ["shop opened"]);
    assert_eq!(opens(16 * 3_600, "F", "postgres", Critical), ["data opened"]);
}
