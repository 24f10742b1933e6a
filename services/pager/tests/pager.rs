//! Who is told what, and when; and who is not, why, and until when. One sentence, one situation, one answer.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

use crate::harness;
use harness::{Desk, at, held, requested, words};
use hindcast_domain::Severity::{Critical, High, Low, Medium};
use hindcast_domain::command::Command;
use hindcast_domain::event::Recorded;
use hindcast_domain::{IncidentId, Span};
use hindcast_pager::ReceiverRules;
use serde_json::json;

pub const NONE: [&str; 0] = [];

pub fn acknowledge(id: &IncidentId) -> Command {
    Command::AcknowledgeIncident { incident: id.clone() }
}

fn snooze(id: &IncidentId, until: i64) -> Command {
    Command::SnoozeIncident { incident: id.clone(), until: at(until) }
}

/// A receiver that takes `pages` pages in a minute.
pub fn budget(pages: u32) -> Desk {
    Desk::new().rules(json!({"receivers": [{"name": "on-call", "pages_max": pages, "window_s": 60}]}))
}

// ── paging and telling ─────────────────────────────────────────────────────────────────────────────

#[test]
fn a_paging_incident_pages_once() {
    let mut desk = Desk::new();
    let (id, said) = desk.opens(10, "PgDown", "postgres", Critical);
    assert_eq!(words(&said), ["page opened"]);
    let (_, asked) = requested(&said).remove(0);
    assert_eq!(
        (asked.incident, asked.receiver.as_str(), asked.services.as_slice()),
        (Some(id.clone()), "screen", &["postgres".to_owned()][..])
    );
    assert_eq!(words(&desk.when(20, |lane| lane.fire("PgDown", "postgres", Critical, None))), NONE, "a repeat");
    assert_eq!(words(&desk.joins(30, &id, "PgSlow", "postgres", High)), ["notice new_alert"], "of the same fault");
    assert_eq!(words(&desk.pass(at(100_000))), NONE);
}

#[test]
fn a_medium_incident_gives_a_notice_and_no_page() {
    let mut desk = Desk::new();
    let (id, said) = desk.opens(10, "Slow", "nginx", Medium);
    assert_eq!(words(&said), ["notice opened"]);
    assert_eq!(words(&desk.joins(20, &id, "Slower", "nginx", Medium)), NONE);
}

#[test]
fn a_worse_severity_and_another_kind_page_again_and_a_better_severity_does_not() {
    let mut desk = Desk::new();
    let (id, _) = desk.opens(10, "PgSlow", "postgres", High);
    assert_eq!(words(&desk.joins(20, &id, "PgDown", "postgres", Critical)), ["page worse"]);
    assert_eq!(words(&desk.joins(400, &id, "PgFull", "postgres", High)), ["page new_alert"]);
    desk.when(410, |lane| lane.fire("PgDown", "postgres", High, None));
    assert_eq!(words(&desk.pass(at(1_000))), NONE, "what becomes better is no news");
}

#[test]
fn an_incident_that_was_only_noticed_pages_when_it_becomes_bad() {
    let mut desk = Desk::new();
    let (id, _) = desk.opens(10, "Slow", "nginx", Medium);
    assert_eq!(words(&desk.joins(20, &id, "Errors", "nginx", High)), ["page worse"]);
    let (id, _) = desk.opens(30, "Slow2", "nginx", Low);
    let said = desk.person(40, Command::SetIncidentSeverity { incident: id, severity: Critical });
    assert_eq!(words(&said), ["page worse"]);
}

#[test]
fn an_alert_of_an_incident_that_a_person_played_down_still_pages_once() {
    let mut desk = Desk::new();
    let (id, _) = desk.opens(10, "Slow", "nginx", Medium);
    desk.person(20, Command::SetIncidentSeverity { incident: id.clone(), severity: Low });
    assert_eq!(words(&desk.joins(30, &id, "Errors", "nginx", Critical)), ["page worse"]);
    assert_eq!(words(&desk.joins(400, &id, "Down", "nginx", Critical)), ["page new_alert"], "nobody knows of it");
}

#[test]
fn another_kind_pages_later_than_five_minutes_after_a_page_and_at_once_in_an_old_incident() {
    let mut desk = Desk::new();
    let (id, _) = desk.opens(10, "PgDown", "postgres", Critical);
    assert_eq!(words(&desk.joins(100, &id, "PgSlow", "postgres", High)), ["notice new_alert"]);
    assert_eq!(words(&desk.joins(320, &id, "PgFull", "postgres", High)), ["page new_alert"], "later than that");
    assert_eq!(words(&desk.joins(3_650, &id, "PgLost", "postgres", High)), ["page new_alert"], "an old incident");
    assert_eq!(words(&desk.joins(3_680, &id, "PgGone", "postgres", High)), ["page new_alert"], "likewise");
    desk.person(3_700, Command::AcknowledgeIncident { incident: id.clone() });
    assert_eq!(words(&desk.joins(3_720, &id, "PgOdd", "postgres", High)), ["page new_alert"], "somebody cares");

    let mut desk = Desk::new().rules(json!({"kind_quiet_s": 0}));
    let (id, _) = desk.opens(10, "PgDown", "postgres", Critical);
    assert_eq!(words(&desk.joins(100, &id, "PgSlow", "postgres", High)), ["page new_alert"], "switched off");
}

#[test]
fn each_receiver_hears_what_it_wants_and_a_page_that_none_wants_goes_to_all() {
    let rules = json!({"receivers": [
        {"name": "phone", "at_least": "critical", "pages_only": true},
        {"name": "channel", "at_least": "medium"},
    ]});
    let mut desk = Desk::new().rules(rules);
    let to = |said: &[Recorded]| requested(said).into_iter().map(|(_, asked)| asked.receiver).collect::<Vec<_>>();
    assert_eq!(to(&desk.opens(10, "Slow", "a", Low).1), NONE);
    assert_eq!(to(&desk.opens(20, "Slower", "b", Medium).1), ["channel"]);
    assert_eq!(to(&desk.opens(30, "Errors", "c", High).1), ["channel"]);
    assert_eq!(to(&desk.opens(40, "Down", "d", Critical).1), ["phone", "channel"]);

    let mut desk = Desk::new().rules(json!({"receivers": [{"name": "phone", "at_least": "critical"}]}));
    assert_eq!(to(&desk.opens(10, "Errors", "a", High).1), ["phone"], "rules must not lose a page");
}

#[test]
fn quiet_hours_hold_what_wakes_nobody_and_never_a_page() {
    let team = json!({"name": "team", "quiet": "daily 00:00-23:00 UTC"});
    let rules = json!({"receivers": [team]});
    let ends = serde_json::from_value::<ReceiverRules>(team).unwrap().quiet_until(at(10)).unwrap();
    let mut desk = Desk::new().rules(rules.clone());
    let (slow, said) = desk.opens(10, "Slow", "a", Medium);
    assert_eq!(words(&said), NONE, "it waits");
    let (over, _) = desk.opens(20, "Slower", "b", Medium);
    assert_eq!(words(&desk.opens(30, "Down", "c", Critical).1), ["page opened"], "a page does not");
    desk.person(40, Command::ResolveIncident { incident: over, cause: None, resolution: None });
    assert_eq!(words(&desk.pass(ends - Span::seconds(1))), NONE);
    let said = desk.pass(ends + Span::seconds(1));
    assert_eq!(words(&said), ["notice opened"], "what goes on is told, and what ended meanwhile is not");
    assert_eq!(requested(&said)[0].1.incident, Some(slow));

    let mut desk = Desk::new().rules(rules);
    let (id, _) = desk.opens(10, "Slow", "a", Medium);
    assert_eq!(words(&desk.joins(20, &id, "Errors", "a", High)), ["page opened"], "what becomes bad pages at once");
}

// ── acknowledged ───────────────────────────────────────────────────────────────────────────────────

#[test]
fn an_acknowledged_incident_pages_again_on_a_new_kind_team_service_or_severity_and_not_otherwise() {
    let mut desk = Desk::new();
    let (id, _) = desk.opens(10, "PgSlow", "postgres", High);
    assert_eq!(words(&desk.person(20, acknowledge(&id))), ["notice acknowledged"]);
    assert_eq!(words(&desk.joins(30, &id, "PgFull", "postgres", High)), ["page new_alert"]);
    assert_eq!(words(&desk.joins(40, &id, "Errors", "checkout", High)), ["page new_team"]);
    assert_eq!(words(&desk.joins(50, &id, "ReplicaSlow", "postgres-replica", High)), ["page new_service"]);
    assert_eq!(words(&desk.joins(60, &id, "PgDown", "postgres", Critical)), ["page worse"]);
    desk.when(70, |lane| lane.end("Errors"));
    assert_eq!(words(&desk.when(71, |lane| lane.fire("Errors", "checkout", High, None))), ["notice new_alert"]);
    desk.person(80, Command::NoteIncident { incident: id.clone(), text: "looking".into() });
    assert_eq!(words(&desk.person(90, Command::AssignIncident { incident: id, owner: None })), NONE);
}

#[test]
fn what_was_there_when_somebody_took_care_is_not_new_to_them() {
    let mut desk = Desk::new();
    let (id, _) = desk.opens(10, "PgSlow", "postgres", High);
    desk.joins(20, &id, "Errors", "checkout", High);
    desk.person(30, acknowledge(&id));
    let said = desk.when(40, |lane| {
        lane.end("Errors");
        lane.fire("Errors", "checkout", High, None);
    });
    assert_eq!(words(&said), ["notice new_alert"], "it is named, and wakes nobody");
}

#[test]
fn an_incident_that_nobody_takes_care_of_any_more_pages() {
    let mut desk = Desk::new();
    let (id, _) = desk.opens(10, "PgDown", "postgres", Critical);
    desk.person(20, acknowledge(&id));
    let said = desk.person(30, Command::UnacknowledgeIncident { incident: id });
    assert_eq!(words(&said), ["page unacknowledged"]);
    let (id, _) = desk.opens(40, "Slow", "nginx", Medium);
    desk.person(50, acknowledge(&id));
    let said = desk.person(60, Command::UnacknowledgeIncident { incident: id });
    assert_eq!(words(&said), ["notice unacknowledged"]);
}

// ── over and back ──────────────────────────────────────────────────────────────────────────────────

#[test]
fn those_who_were_told_are_told_once_that_it_is_over() {
    let mut desk = Desk::new();
    let (id, _) = desk.opens(10, "PgDown", "postgres", Critical);
    assert_eq!(words(&desk.when(60, |lane| lane.end("PgDown"))), ["notice resolved"]);
    let cause = Command::ResolveIncident { incident: id, cause: Some("idle transactions".into()), resolution: None };
    assert_eq!(words(&desk.person(90, cause)), NONE, "a cause that is added later is no news");
}

#[test]
fn a_return_is_told_at_once_and_pages_if_it_stays_or_is_worse() {
    let mut desk = Desk::new();
    desk.opens(10, "PgDown", "postgres", High);
    desk.when(60, |lane| lane.end("PgDown"));
    assert_eq!(words(&desk.when(90, |lane| lane.fire("PgDown", "postgres", High, None))), ["notice reopened"]);
    assert_eq!(words(&desk.when(100, |lane| lane.end("PgDown"))), ["notice resolved"]);
    assert_eq!(words(&desk.when(120, |lane| lane.fire("PgDown", "postgres", High, None))), ["notice reopened"]);
    assert_eq!(words(&desk.pass(at(160))), ["page reopened"], "it stays");
    desk.when(170, |lane| lane.end("PgDown"));
    assert_eq!(words(&desk.when(180, |lane| lane.fire("PgDown", "postgres", Critical, None))), ["page reopened"]);
}

#[test]
fn a_return_long_after_the_page_pages_at_once() {
    let mut desk = Desk::new();
    desk.opens(10, "PgDown", "postgres", High);
    desk.when(5_000, |lane| lane.end("PgDown"));
    assert_eq!(words(&desk.when(5_060, |lane| lane.fire("PgDown", "postgres", High, None))), ["page reopened"]);
}

// ── what settles ───────────────────────────────────────────────────────────────────────────────────

#[test]
fn what_is_taken_back_before_it_is_settled_is_not_told() {
    let mut desk = Desk::new().settling(json!({}));
    assert_eq!(words(&desk.opens(10, "PgDown", "postgres", High).1), NONE);
    assert_eq!(words(&desk.pass(at(12))), ["page opened"]);
    let said = desk.when(100, |lane| {
        lane.end("PgDown");
        lane.fire("PgDown2", "postgres", High, None);
    });
    assert_eq!(words(&said), NONE);
    desk.when(200, |lane| lane.end("PgDown2"));
    desk.when(205, |lane| lane.fire("PgDown2", "postgres", High, None));
    let said = desk.pass(at(300));
    assert!(words(&said).iter().all(|word| !word.ends_with("resolved")), "{:?}", words(&said));
}

#[test]
fn an_alert_that_ends_before_its_page_is_named_in_a_message_that_wakes_nobody() {
    let mut desk = Desk::new().settling(json!({}));
    desk.opens(10, "PgDown", "postgres", High);
    desk.when(11, |lane| lane.end("PgDown"));
    let said = desk.pass(at(60));
    assert_eq!(words(&said), ["notice resolved"]);
    assert_eq!(requested(&said)[0].1.alerts[0].name, "PgDown");
}

#[test]
fn an_incident_whose_page_was_held_until_it_ended_pages_when_it_is_back() {
    let mut desk = budget(1);
    desk.opens(10, "First", "a", High);
    assert_eq!(words(&desk.opens(11, "PgDown", "postgres", High).1), ["page storm", "hold opened (storm)"]);
    assert_eq!(
        words(&desk.when(20, |lane| lane.end("PgDown"))),
        ["release over"],
        "nobody heard of it, so nobody hears its end"
    );
    assert_eq!(words(&desk.when(100, |lane| lane.fire("PgDown", "postgres", High, None))), ["page reopened"]);
}

// ── snoozed ────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_snooze_holds_until_its_end_and_tells_after_it_once_if_it_still_goes_on() {
    for pager_first in [false, true] {
        let mut desk = Desk::new();
        desk.pager_first = pager_first;
        let (id, _) = desk.opens(10, "PgSlow", "postgres", High);
        desk.person(20, snooze(&id, 600));
        let said = desk.joins(30, &id, "PgDown", "postgres", Critical);
        assert_eq!(words(&said), ["hold worse (snoozed)"]);
        assert_eq!(held(&said)[0].until, at(600));
        assert_eq!(words(&desk.pass(at(599))), NONE);
        assert_eq!(words(&desk.pass(at(700))), ["release held", "page still_there"], "pager first: {pager_first}");
    }
}

#[test]
fn a_snooze_in_which_nothing_happened_tells_at_its_end_too() {
    let mut desk = Desk::new();
    let (id, _) = desk.opens(10, "PgDown", "postgres", Critical);
    desk.person(20, snooze(&id, 600));
    assert_eq!(words(&desk.pass(at(700))), ["page still_there"]);
}

#[test]
fn a_snooze_of_what_ended_meanwhile_tells_nothing() {
    let mut desk = Desk::new();
    let (id, _) = desk.opens(10, "PgDown", "postgres", High);
    desk.person(20, snooze(&id, 600));
    desk.when(30, |lane| lane.fire("PgDown", "postgres", Critical, None));
    assert_eq!(words(&desk.when(40, |lane| lane.end("PgDown"))), ["release over", "notice resolved"]);
    assert_eq!(words(&desk.pass(at(700))), NONE);
}

#[test]
fn a_snooze_that_is_made_longer_holds_on() {
    let mut desk = Desk::new();
    let (id, _) = desk.opens(10, "PgSlow", "postgres", High);
    desk.person(20, snooze(&id, 600));
    desk.joins(30, &id, "PgDown", "postgres", Critical);
    desk.person(40, snooze(&id, 900));
    assert_eq!(words(&desk.pass(at(899))), ["release held", "hold still_there (snoozed)"]);
    assert_eq!(words(&desk.pass(at(900))), ["release held", "page still_there"]);
}

#[test]
fn what_is_new_to_whoever_acknowledged_and_snoozed_is_told_after_the_snooze() {
    let mut desk = Desk::new();
    let (id, _) = desk.opens(10, "PgSlow", "postgres", High);
    desk.person(20, acknowledge(&id));
    desk.person(30, snooze(&id, 600));
    assert_eq!(words(&desk.joins(40, &id, "Errors", "checkout", High)), ["hold new_team (snoozed)"]);
    assert_eq!(words(&desk.pass(at(700))), ["release held", "page still_there"]);
}

// ── storms ─────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn in_a_storm_one_message_says_what_is_held_and_one_digest_what_still_goes_on() {
    let mut desk = budget(2);
    assert_eq!(words(&desk.opens(10, "A", "a", High).1), ["page opened"]);
    assert_eq!(words(&desk.opens(11, "B", "b", High).1), ["page opened"]);
    let (third, said) = desk.opens(12, "C", "c", Critical);
    assert_eq!(words(&said), ["page storm", "hold opened (storm)"]);
    let end = at(72) + Span::millis(1);
    assert_eq!((requested(&said)[0].1.holds_until, held(&said)[0].until), (Some(end), end));
    assert_eq!(words(&desk.opens(13, "D", "d", High).1), ["hold opened (storm)"]);
    let (fifth, _) = desk.opens(14, "E", "e", High);
    desk.when(20, |lane| lane.end("D"));

    let said = desk.pass(at(73));
    let mut told = words(&said);
    told.sort();
    assert_eq!(told, ["page digest", "release told", "release told"]);
    let digest = &requested(&said)[0].1;
    assert_eq!(digest.title, "After the storm: 2 unresolved incidents were not paged");
    assert_eq!(digest.severity, Critical);
    assert!(digest.lines.iter().any(|line| line.contains(third.as_str())), "{:?}", digest.lines);
    assert!(digest.lines.iter().any(|line| line.contains(fifth.as_str())), "{:?}", digest.lines);

    // The digest told them: they page again only for what is worse. And the budget is whole again.
    assert_eq!(words(&desk.joins(80, &third, "C", "c", High)), NONE);
    assert_eq!(words(&desk.opens(140, "F", "f", High).1), ["page opened"]);
}

#[test]
fn a_storm_in_which_everything_ended_needs_no_digest() {
    let mut desk = budget(1);
    desk.opens(10, "A", "a", High);
    desk.opens(11, "B", "b", High);
    assert_eq!(words(&desk.when(20, |lane| lane.end("B"))), ["release over"]);
    assert_eq!(words(&desk.pass(at(700))), NONE);
}

#[test]
fn an_incident_that_is_held_twice_stands_in_the_digest_once() {
    let mut desk = budget(1);
    desk.opens(10, "A", "a", High);
    let (id, _) = desk.opens(11, "B", "b", High);
    assert_eq!(words(&desk.joins(12, &id, "B2", "b", Critical)), NONE, "the same suppression covers it");
    let said = desk.pass(at(100));
    assert_eq!(requested(&said)[0].1.lines.len(), 1, "{said:#?}");
}

#[test]
fn somebody_who_took_care_during_a_storm_is_not_woken_by_its_digest_but_for_news() {
    let mut desk = budget(1);
    desk.opens(10, "A", "a", High);
    let (id, _) = desk.opens(11, "B", "b", High);
    desk.person(20, acknowledge(&id));
    assert_eq!(words(&desk.pass(at(72))), ["release over", "notice opened"], "named, without waking anybody");

    let mut desk = budget(1);
    let (id, _) = desk.opens(10, "A", "a", High);
    desk.person(20, acknowledge(&id));
    assert_eq!(words(&desk.joins(30, &id, "B", "b", High)), ["page storm", "hold new_team (storm)"]);
    assert_eq!(words(&desk.pass(at(91))), ["release told", "page digest"]);
}

#[test]
fn a_digest_leaves_out_what_was_snoozed_meanwhile_and_holds_it_on() {
    let mut desk = budget(1);
    desk.opens(10, "A", "a", High);
    let (id, _) = desk.opens(11, "B", "b", High);
    desk.person(20, snooze(&id, 600));
    assert_eq!(words(&desk.pass(at(72))), ["release held", "hold opened (snoozed)"]);
    assert_eq!(words(&desk.pass(at(700))), ["release held", "page still_there"]);
}

// ── silenced ───────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_silenced_paging_alert_is_held_with_an_end_and_pages_after_it() {
    for pager_first in [false, true] {
        let mut desk = Desk::new();
        desk.pager_first = pager_first;
        desk.when(5, |lane| lane.silence("PgDown", at(600)));
        let said = desk.when(10, |lane| lane.fire("PgDown", "postgres", Critical, None));
        assert_eq!(words(&said), ["hold opened (silence)"]);
        assert_eq!((held(&said)[0].until, held(&said)[0].incident.clone()), (at(600), None));
        assert_eq!(words(&desk.pass(at(700))), ["release over", "page opened"]);
    }
}

#[test]
fn a_silenced_alert_that_ends_is_released_and_one_that_comes_back_is_held_again() {
    let mut desk = Desk::new();
    desk.when(5, |lane| lane.silence("PgDown", at(600)));
    desk.when(10, |lane| lane.fire("PgDown", "postgres", Critical, None));
    assert_eq!(words(&desk.when(20, |lane| lane.end("PgDown"))), ["release over"]);
    let said = desk.when(30, |lane| lane.fire("PgDown", "postgres", Critical, None));
    assert_eq!(words(&said), ["hold opened (silence)"], "the same suppression, and a hold of its own");
}

#[test]
fn a_silenced_alert_that_becomes_bad_is_held_from_then() {
    let mut desk = Desk::new();
    desk.when(5, |lane| lane.silence("Slow", at(600)));
    assert_eq!(words(&desk.when(10, |lane| lane.fire("Slow", "nginx", Medium, None))), NONE);
    assert_eq!(words(&desk.when(20, |lane| lane.fire("Slow", "nginx", High, None))), ["hold opened (silence)"]);
}

#[test]
fn a_silence_that_ends_early_releases_and_pages_at_once() {
    let mut desk = Desk::new();
    desk.when(5, |lane| lane.silence("PgDown", at(600)));
    desk.when(10, |lane| lane.fire("PgDown", "postgres", Critical, None));
    assert_eq!(words(&desk.when(20, |lane| lane.unsilence("PgDown"))), ["release over", "page opened"]);
}

// ── merged, split, undone ──────────────────────────────────────────────────────────────────────────

#[test]
fn a_merge_pages_nobody_who_was_paged_for_it_already() {
    let mut desk = Desk::new();
    let (a, _) = desk.opens(10, "A", "a", Critical);
    let (b, _) = desk.opens(11, "B", "b", High);
    let (c, _) = desk.opens(12, "C", "c", Critical);
    let said = desk.person(20, Command::MergeIncident { incident: b.clone(), into: a.clone() });
    assert_eq!(words(&said), ["notice merged"]);
    let (d, _) = desk.opens(30, "D", "d", High);
    assert_eq!(words(&desk.person(40, Command::MergeIncident { incident: c, into: d })), ["notice merged"]);
    assert_eq!(words(&desk.pass(at(1_000))), NONE);
}

#[test]
fn a_merge_lets_go_what_was_held_for_the_other_one_and_undoing_it_asks_again() {
    let mut desk = budget(2);
    let (a, _) = desk.opens(10, "A", "a", High);
    desk.opens(11, "B", "b", High);
    let (c, _) = desk.opens(12, "C", "c", High);
    let said = desk.person(20, Command::MergeIncident { incident: c, into: a.clone() });
    assert_eq!(
        words(&said),
        ["release merged", "notice new_alert"],
        "its alert is of what people were paged for a moment ago"
    );
    let merged = desk.incidents.log.last().unwrap().id.clone();
    desk.pass(at(199));
    let said = desk.person(200, Command::UndoEvent { event: merged, subject: a.to_string() });
    assert_eq!(words(&said), ["page opened"], "on its own again, it was never paged for");
}

#[test]
fn what_is_split_off_pages_for_itself_and_undoing_it_lets_go_what_is_held() {
    let mut desk = budget(1);
    let (a, _) = desk.opens(10, "A", "a", High);
    desk.joins(11, &a, "B", "b", High);
    let leaving = Command::SplitIncident { incident: a.clone(), fingerprints: vec![harness::lane::fingerprint("B")] };
    assert_eq!(words(&desk.person(20, leaving)), ["page storm", "hold opened (storm)"]);
    let split = desk.incidents.log.last().unwrap().id.clone();
    assert_eq!(
        words(&desk.person(30, Command::UndoEvent { event: split, subject: a.to_string() })),
        ["release merged"]
    );
    assert_eq!(words(&desk.pass(at(700))), NONE);
}
