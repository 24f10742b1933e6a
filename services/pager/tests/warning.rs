//! The warning before a silence ends over something that still fires, read as a specification.

use hindcast_domain::Severity::Critical;
use serde_json::json;

use crate::harness::{Desk, at, requested, words};

const NONE: [&str; 0] = [];
const HOUR: i64 = 3_600;

#[test]
fn people_are_told_a_quarter_of_an_hour_before_a_silence_ends_over_something_that_fires() {
    let mut desk = Desk::new();
    desk.silence(0, HOUR);
    desk.when(1, |lane| lane.silence("PgDown", at(HOUR)));
    assert_eq!(
        words(&desk.when(10, |lane| lane.fire("PgDown", "postgres", Critical, None))),
        ["hold opened (silence)"]
    );
    assert_eq!(words(&desk.pass(at(HOUR - 901))), NONE);
    let said = desk.pass(at(HOUR - 899));
    assert_eq!(words(&said), ["notice silence_ends"]);
    let (_, asked) = requested(&said).remove(0);
    assert!(
        asked.title.contains("SIL-0123456789ABCDEF of ada ends at") && asked.title.ends_with("1 alert still fires"),
        "{}",
        asked.title
    );
    assert!(asked.alerts.is_empty() && asked.incident.is_none(), "it names nothing: what fires then is told then");
    assert!(asked.lines[0].starts_with("PgDown on postgres (critical) since"), "{:?}", asked.lines);
    assert_eq!(words(&desk.pass(at(HOUR - 1))), NONE, "it is told once");
    let said = desk.when(HOUR, |lane| lane.unsilence("PgDown"));
    assert_eq!(words(&said).last().map(String::as_str), Some("page opened"), "it pages although people were warned");
}

#[test]
fn nothing_is_told_of_a_silence_over_nothing_or_one_that_is_short() {
    let mut desk = Desk::new();
    desk.silence(0, HOUR);
    desk.when(1, |lane| lane.silence("PgDown", at(HOUR)));
    desk.when(10, |lane| lane.fire("PgDown", "postgres", Critical, None));
    desk.when(20, |lane| lane.end("PgDown"));
    assert_eq!(words(&desk.pass(at(2 * HOUR))), NONE);
    let mut desk = Desk::new();
    desk.silence(0, 600);
    desk.when(1, |lane| lane.silence("PgDown", at(600)));
    assert_eq!(
        words(&desk.when(10, |lane| lane.fire("PgDown", "postgres", Critical, None))),
        ["hold opened (silence)"]
    );
    assert!(!words(&desk.pass(at(590))).contains(&"notice silence_ends".to_owned()));
}

#[test]
fn what_begins_to_fire_shortly_before_the_end_is_told_then_and_the_setting_counts() {
    let mut desk = Desk::new().rules(json!({"warn_before_silence_end_s": 300}));
    desk.silence(0, HOUR);
    desk.when(1, |lane| lane.silence("PgDown", at(HOUR)));
    assert_eq!(words(&desk.pass(at(HOUR - 200))), NONE);
    let said = desk.when(HOUR - 100, |lane| lane.fire("PgDown", "postgres", Critical, None));
    assert_eq!(words(&said), ["notice silence_ends", "hold opened (silence)"]);
    let mut desk = Desk::new().rules(json!({"warn_before_silence_end_s": 0}));
    desk.silence(0, HOUR);
    desk.when(1, |lane| lane.silence("PgDown", at(HOUR)));
    desk.when(10, |lane| lane.fire("PgDown", "postgres", Critical, None));
    assert_eq!(words(&desk.pass(at(HOUR - 1))), NONE);
}
