//! What happens after a message was given up: what it said is owed again for as long as it is needed, and not for ever.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

use crate::harness;
use crate::pager::{NONE, acknowledge, budget};
use harness::{Desk, at, requested, words};
use hindcast_domain::Severity::{Critical, High, Medium};
use hindcast_domain::Span;
use hindcast_domain::notice::Reason;

#[test]
fn a_page_that_was_given_up_is_requested_anew_and_says_how_late_it_is() {
    let mut desk = Desk::new();
    let (_, said) = desk.opens(10, "PgDown", "postgres", Critical);
    let first = requested(&said)[0].0.clone();
    let said = desk.expires(610, &first);
    assert_eq!(words(&said), ["page retried"]);
    let (second, asked) = requested(&said).remove(0);
    assert_eq!((asked.delayed_by, &asked.services), (Some(Span::seconds(600)), &vec!["postgres".to_owned()]));
    assert_eq!(
        requested(&desk.expires(1_210, &second))[0].1.delayed_by,
        Some(Span::seconds(1_200)),
        "since the first one"
    );
    assert_eq!(words(&desk.expires(1_300, &first)), NONE, "a later page was not given up");
}

#[test]
fn a_page_that_its_receiver_refuses_is_tried_again_later_and_not_in_a_circle() {
    let mut desk = Desk::new();
    let (_, said) = desk.opens(10, "PgDown", "postgres", Critical);
    assert_eq!(words(&desk.expires(11, &requested(&said)[0].0)), NONE);
    assert_eq!(words(&desk.pass(at(609))), NONE);
    assert_eq!(words(&desk.pass(at(700))), ["page retried"]);
}

#[test]
fn what_a_refused_digest_told_is_paged_for_by_itself() {
    let mut desk = budget(1);
    desk.opens(10, "A", "a", High);
    desk.opens(11, "B", "b", High);
    let said = desk.pass(at(72));
    assert_eq!(words(&desk.expires(73, &requested(&said)[0].0)), NONE);
    assert_eq!(words(&desk.pass(at(700))), ["page retried"]);
}

#[test]
fn a_page_that_was_given_up_is_not_wanted_any_more_when_somebody_takes_care_or_it_is_over() {
    let mut desk = Desk::new();
    let (id, said) = desk.opens(10, "PgDown", "postgres", Critical);
    desk.person(20, acknowledge(&id));
    assert_eq!(words(&desk.expires(610, &requested(&said)[0].0)), ["notice new_alert"], "it is named all the same");
    let (_, said) = desk.opens(700, "Down", "nginx", Critical);
    desk.when(710, |lane| lane.end("Down"));
    assert_eq!(words(&desk.expires(1_300, &requested(&said)[0].0)), ["notice resolved"]);
    assert_eq!(words(&desk.when(1_301, |lane| lane.fire("Down", "nginx", Critical, None)))[0], "page opened");
}

#[test]
fn news_for_whoever_took_care_is_requested_anew_when_it_was_given_up() {
    let mut desk = Desk::new();
    let (id, _) = desk.opens(10, "PgSlow", "postgres", High);
    desk.person(20, acknowledge(&id));
    let said = desk.joins(30, &id, "Errors", "checkout", High);
    assert_eq!(words(&desk.expires(630, &requested(&said)[0].0)), ["page retried"]);
}

#[test]
fn an_incident_whose_only_page_was_given_up_while_it_was_over_pages_when_it_is_back() {
    let mut desk = Desk::new();
    let (_, said) = desk.opens(10, "PgDown", "postgres", High);
    desk.when(20, |lane| lane.end("PgDown"));
    desk.expires(30, &requested(&said)[0].0);
    assert_eq!(words(&desk.when(60, |lane| lane.fire("PgDown", "postgres", High, None))), ["page reopened"]);
}

#[test]
fn the_message_of_a_storm_that_was_given_up_is_requested_anew_with_its_words_and_not_for_ever() {
    let mut desk = budget(1);
    desk.opens(10, "A", "a", High);
    let (_, said) = desk.opens(11, "B", "b", High);
    let (id, storm) = requested(&said).remove(0);
    let said = desk.expires(700, &id);
    let (again, retried) = requested(&said).into_iter().find(|(_, asked)| asked.reason == Reason::Retried).unwrap();
    assert_eq!((retried.lines, retried.title), (storm.lines, storm.title));
    let said = desk.expires(100_000, &again);
    assert!(requested(&said).iter().all(|(_, asked)| asked.incident.is_some()), "{said:?}");
}

#[test]
fn a_quiet_notice_that_was_given_up_stays_so() {
    let mut desk = Desk::new();
    let (_, said) = desk.opens(10, "Slow", "nginx", Medium);
    assert_eq!(words(&desk.expires(610, &requested(&said)[0].0)), NONE);
}

#[test]
fn a_quiet_notice_that_leant_on_a_page_is_not_enough_once_that_page_was_given_up() {
    let mut desk = Desk::new();
    let (id, _) = desk.opens(10, "PgSlow", "postgres", High);
    let said = desk.joins(20, &id, "PgDown", "postgres", Critical);
    assert_eq!(words(&said), ["page worse"]);
    let leans = desk.when(40, |lane| lane.fire("PgSlow", "postgres", Critical, None));
    assert_eq!(words(&leans), ["notice new_alert"], "as bad as what paged");
    desk.when(120, |lane| lane.end("PgDown"));
    let again = desk.expires(620, &requested(&said)[0].0);
    assert_eq!(words(&again), ["page worse"]);
    assert_eq!(requested(&again)[0].1.alerts[0].name, "PgSlow");
    assert_eq!(words(&desk.pass(at(1_000))), NONE);
}
