//! What the correlator decides, read as a specification: one sentence, one situation, one answer.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod entities;
mod grouping;
mod harness;
mod senders;

use harness::{Lane, alert, at, fingerprint, types};
use hindcast_domain::Severity::{Critical, High, Info, Medium};
use hindcast_domain::Span;
use hindcast_domain::alert::{Signal, Status as AlertStatus};
use hindcast_domain::command::Command;
use hindcast_domain::event::Event;
use hindcast_domain::incident::Status;

// ── opening and joining ────────────────────────────────────────────────────────────────────────────

#[test]
fn an_alert_opens_an_incident_in_the_decision_that_saw_it() {
    let mut lane = Lane::shop();
    let decided = lane.fire(10, "PgDown", "postgres", Critical);
    assert_eq!(types(&decided), ["alert.fired", "incident.opened"]);
    assert_eq!(lane.only().teams.iter().collect::<Vec<_>>(), ["data"]);
}

#[test]
fn alerts_along_the_calls_are_one_incident_and_the_reason_is_kept() {
    let mut lane = Lane::shop();
    lane.fire(10, "PgConnectionsFull", "postgres", Critical);
    lane.fire(16, "CheckoutErrors", "checkout", High);
    let decided = lane.fire(25, "NginxErrors", "nginx", High);
    let Event::IncidentAlertJoined(joined) = &decided[1].event else { panic!("{decided:#?}") };
    let grouping = joined.grouping.as_ref().unwrap();
    assert!(grouping.score >= grouping.threshold && grouping.weights == 1, "{grouping:?}");
    assert_eq!(lane.only().members.len(), 3);
}

#[test]
fn an_alert_with_no_path_between_the_services_stands_alone_and_says_what_it_was_kept_out_of() {
    let mut lane = Lane::shop();
    lane.fire(10, "PgConnectionsFull", "postgres", Critical);
    let decided = lane.fire(12, "BackupTooOld", "backup", High);
    let Event::IncidentOpened(opened) = &decided[1].event else { panic!("{decided:#?}") };
    assert_eq!(opened.grouping.considered.len(), 1);
    assert!(opened.grouping.considered[0].why.contains("no path"), "{:?}", opened.grouping.considered);
    assert_eq!(lane.incidents().len(), 2);
}

#[test]
fn an_info_alert_joins_what_fits_and_opens_nothing() {
    let mut lane = Lane::shop();
    assert_eq!(types(&lane.fire(10, "Slow", "nginx", Info)), ["alert.fired"]);
    lane.fire(20, "PgDown", "postgres", Critical);
    let decided = lane.fire(22, "PgSlow", "postgres", Info);
    assert_eq!(types(&decided), ["alert.fired", "incident.alert_joined"]);
}

#[test]
fn a_worse_severity_of_a_member_is_told_to_its_incident() {
    let mut lane = Lane::shop();
    lane.fire(10, "PgDown", "postgres", Medium);
    let decided = lane.fire(20, "PgDown", "postgres", Critical);
    assert_eq!(types(&decided), ["alert.repeated", "incident.alert_joined"]);
    assert_eq!((lane.only().severity, lane.only().peak_severity), (Critical, Critical));
}

// ── dedup ──────────────────────────────────────────────────────────────────────────────────────────

fn said(starts: i64, signal: Signal, ends: Option<i64>) -> hindcast_domain::alert::Observation {
    let mut observation = alert("PgDown", "postgres", Critical);
    observation.starts_at = Some(at(starts));
    observation.signal = signal;
    observation.ends_at = ends.map(at);
    observation
}

#[test]
fn a_resend_and_a_replica_are_one_more_receipt_and_no_transition() {
    let mut lane = Lane::shop();
    lane.see(10, said(5, Signal::Firing, None));
    assert_eq!(types(&lane.see(20, said(5, Signal::Firing, None))), ["alert.repeated"]);
    assert_eq!(types(&lane.see(21, said(6, Signal::Firing, None))), ["alert.repeated"]);
    assert_eq!(types(&lane.see(22, said(5, Signal::Firing, None))), ["alert.repeated"]);
    let alert = &lane.state.book.alerts[&fingerprint("PgDown", "postgres")];
    assert_eq!((alert.fired, alert.messages), (1, 4));
    assert_eq!(alert.occurrence().starts_sent.len(), 2);
}

#[test]
fn an_end_that_is_sent_for_a_quarter_of_an_hour_closes_once_and_reopens_nothing() {
    let mut lane = Lane::shop();
    lane.see(10, said(5, Signal::Firing, None));
    let closed = lane.see(60, said(5, Signal::Resolved, Some(55)));
    assert_eq!(types(&closed), ["alert.resolved", "incident.resolved"]);
    for minute in 2..17 {
        assert_eq!(types(&lane.see(minute * 60, said(5, Signal::Resolved, Some(55)))), ["alert.repeated"]);
    }
    assert_eq!(lane.status(0), Status::Resolved);
}

#[test]
fn a_flap_of_old_states_a_b_a_b_is_deduplicated() {
    let mut lane = Lane::shop();
    lane.see(10, said(5, Signal::Firing, None));
    lane.see(20, said(5, Signal::Resolved, Some(18)));
    assert_eq!(types(&lane.see(21, said(5, Signal::Firing, None))), ["alert.repeated"]);
    assert_eq!(types(&lane.see(22, said(5, Signal::Resolved, Some(18)))), ["alert.repeated"]);
    // A start that was never heard of is a refire.
    assert_eq!(types(&lane.see(40, said(35, Signal::Firing, None)))[0], "alert.fired");
    // The end of the first stretch, sent again, does not end the second one.
    assert_eq!(types(&lane.see(41, said(5, Signal::Resolved, Some(18)))), ["alert.repeated"]);
    assert_eq!(lane.status(0), Status::Open);
}

#[test]
fn a_replica_that_lags_says_what_its_sender_ended_and_is_late() {
    for behind in [10, 40, 130, 600, 880] {
        let mut lane = Lane::shop();
        lane.see(10, said(5, Signal::Firing, None));
        lane.see(60, said(5, Signal::Resolved, Some(58)));
        assert_eq!(types(&lane.see(60 + behind, said(5, Signal::Firing, None))), ["alert.repeated"], "{behind} s");
        assert_eq!(types(&lane.see(61 + behind, said(5, Signal::Resolved, Some(58)))), ["alert.repeated"]);
        assert_eq!((lane.incidents().len(), lane.only().reopened), (1, 0));
    }
}

#[test]
fn a_start_is_never_after_its_receipt() {
    let mut lane = Lane::shop();
    let decided = lane.see(10, said(610, Signal::Firing, None));
    let Event::AlertFired(fired) = &decided[0].event else { panic!() };
    assert_eq!((fired.starts_at, fired.starts_at_sent), (at(10), Some(at(610))));
}

#[test]
fn a_state_that_is_said_long_after_its_end_is_back() {
    let mut lane = Lane::shop();
    lane.see(10, said(5, Signal::Firing, None));
    lane.see(20, said(5, Signal::Resolved, Some(18)));
    assert_eq!(types(&lane.see(1_000, said(5, Signal::Firing, None)))[0], "alert.fired");
}

#[test]
fn an_end_of_something_that_never_began_decides_nothing() {
    let mut lane = Lane::shop();
    assert!(lane.see(10, said(5, Signal::Resolved, Some(8))).is_empty());
}

#[test]
fn a_start_of_long_ago_is_clamped_once_and_kept() {
    let mut lane = Lane::shop();
    let decided = lane.see(10, said(-1_000_000, Signal::Firing, None));
    let Event::AlertFired(fired) = &decided[0].event else { panic!() };
    assert_eq!(fired.starts_at, at(10) - Span::hours(24));
    assert_eq!(fired.starts_at_sent, Some(at(-1_000_000)));
}

// ── coming back ────────────────────────────────────────────────────────────────────────────────────

#[test]
fn within_the_window_the_same_alert_reopens_its_incident_with_a_counter() {
    let mut lane = Lane::shop();
    lane.fire(10, "PgDown", "postgres", Critical);
    lane.resolve(60, "PgDown", "postgres");
    let decided = lane.fire(120, "PgDown", "postgres", Critical);
    assert_eq!(types(&decided), ["alert.fired", "incident.reopened"]);
    assert_eq!((lane.only().reopened, lane.only().status), (1, Status::Open));
}

#[test]
fn after_the_window_it_is_a_new_incident_that_names_the_old_one() {
    let mut lane = Lane::shop();
    lane.fire(10, "PgDown", "postgres", Critical);
    lane.resolve(60, "PgDown", "postgres");
    lane.fire(60 + 121, "PgDown", "postgres", Critical);
    assert_eq!(lane.incidents().len(), 2);
    assert_eq!(lane.incidents()[1].recurrence_of, Some(lane.id(0)));
}

#[test]
fn an_incident_ends_when_its_last_alert_does() {
    let mut lane = Lane::shop();
    lane.fire(10, "PgDown", "postgres", Critical);
    lane.fire(12, "CheckoutErrors", "checkout", High);
    assert_eq!(types(&lane.resolve(60, "PgDown", "postgres")), ["alert.resolved"]);
    assert_eq!(types(&lane.resolve(70, "CheckoutErrors", "checkout")), ["alert.resolved", "incident.resolved"]);
}

// ── silence ────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_silenced_alert_is_recorded_with_its_end_and_counts_when_the_silence_ends() {
    let mut lane = Lane::shop();
    let id = lane.silence(5, 600, "service", "postgres");
    let decided = lane.fire(10, "PgDown", "postgres", Critical);
    assert_eq!(types(&decided), ["alert.fired", "alert.suppressed"]);
    assert!(lane.incidents().is_empty());
    let decided = lane.silence_ended(600, &id, "elapsed");
    assert_eq!(types(&decided), Vec::<String>::new(), "the lane's own timer was first");
    assert_eq!(lane.only().status, Status::Open);
}

#[test]
fn what_one_silence_held_becomes_one_incident_when_it_ends_early() {
    let mut lane = Lane::shop();
    let id = lane.silence(5, 600, "team", "");
    assert_eq!(lane.incidents().len(), 0);
    lane.fire(10, "PgDown", "postgres", Critical);
    lane.fire(12, "CheckoutErrors", "checkout", High);
    let decided = lane.silence_ended(60, &id, "expired");
    assert_eq!(types(&decided).iter().filter(|kind| *kind == "incident.opened").count(), 1, "{decided:#?}");
    assert_eq!(lane.only().members.len(), 2);
}

#[test]
fn a_silence_that_begins_while_an_alert_fires_holds_it_from_then() {
    let mut lane = Lane::shop();
    lane.fire(10, "PgDown", "postgres", Critical);
    lane.silence(20, 600, "service", "postgres");
    let alert = &lane.state.book.alerts[&fingerprint("PgDown", "postgres")];
    assert_eq!(alert.suppressed.as_ref().map(|held| held.until), Some(at(600)));
    assert_eq!(lane.only().status, Status::Open);
}

#[test]
fn a_suppression_that_a_person_lifts_does_not_come_back() {
    let mut lane = Lane::shop();
    lane.silence(5, 600, "service", "postgres");
    lane.fire(10, "PgDown", "postgres", Critical);
    let held = lane.log.iter().find(|event| matches!(event.event, Event::AlertSuppressed(_))).unwrap().clone();
    let undo = Command::UndoEvent { event: held.id, subject: held.subject };
    assert_eq!(types(&lane.command(20, undo)), ["alert.unsuppressed", "incident.opened"]);
    lane.resolve(30, "PgDown", "postgres");
    assert!(!types(&lane.fire(40, "PgDown", "postgres", Critical)).contains(&"alert.suppressed".to_owned()));
}

// ── silence of senders ─────────────────────────────────────────────────────────────────────────────

#[test]
fn a_sender_that_falls_silent_makes_its_alert_stale_and_the_incident_waits() {
    let mut lane = Lane::shop();
    let mut observation = alert("PgDown", "postgres", Critical);
    observation.stale_after = Span::minutes(5);
    lane.see(10, observation);
    assert_eq!(types(&lane.pass(at(311))), ["alert.stale"]);
    assert_eq!(lane.status(0), Status::Open, "silence is no end");
    assert_eq!(types(&lane.pass(at(310 + 3_601))), ["incident.resolved"]);
    assert_eq!(lane.only().resolved_by, Some(hindcast_domain::words::ResolvedBy::Stale));
}

#[test]
fn silence_while_our_door_was_shut_is_not_held_against_a_sender() {
    let mut lane = Lane::shop();
    let mut observation = alert("PgDown", "postgres", Critical);
    observation.stale_after = Span::minutes(5);
    lane.see(10, observation.clone());
    // We were away for an hour.
    lane.door_opens(3_600);
    lane.see(3_660, observation);
    let alert = &lane.state.book.alerts[&fingerprint("PgDown", "postgres")];
    assert_eq!((alert.status, alert.fired), (AlertStatus::Firing, 1));
}

// ── flapping ───────────────────────────────────────────────────────────────────────────────────────

#[test]
fn an_alert_that_flaps_neither_ends_nor_reopens_its_incident_until_it_calms_down() {
    let mut lane = Lane::shop();
    for round in 0..6 {
        lane.fire(10 + round * 40, "PgDown", "postgres", Critical);
        lane.resolve(30 + round * 40, "PgDown", "postgres");
    }
    let flapping = lane.state.book.alerts[&fingerprint("PgDown", "postgres")].flapping_until;
    assert_eq!(lane.only().status, Status::Open, "it ended six times, and is not over");
    assert!(lane.only().reopened <= 3, "{}", lane.only().reopened);
    assert_eq!(flapping, Some(at(230 + 40)), "twice the longest pause between the latest transitions");
    let calmed = lane.pass(flapping.unwrap());
    assert_eq!(types(&calmed), ["alert.settled", "incident.resolved"]);
}

#[test]
fn how_long_an_alert_has_to_be_calm_follows_its_rhythm() {
    for (pause, calm) in [(1, 30), (14, 30), (20, 40), (90, 180), (119, 238)] {
        let mut lane = Lane::shop();
        for round in 0..4 {
            lane.fire(10 + 2 * round * pause, "PgDown", "postgres", Critical);
            lane.resolve(10 + (2 * round + 1) * pause, "PgDown", "postgres");
        }
        let last = at(10 + 7 * pause);
        let alert = &lane.state.book.alerts[&fingerprint("PgDown", "postgres")];
        assert_eq!(alert.flapping_until.map(|until| until.since(last)), Some(Span::seconds(calm)), "{pause} s");
    }
}

// ── people ─────────────────────────────────────────────────────────────────────────────────────────

fn two_incidents() -> Lane {
    let mut lane = Lane::shop();
    lane.fire(10, "PgDown", "postgres", Critical);
    lane.fire(12, "CheckoutErrors", "checkout", High);
    lane.fire(14, "BackupTooOld", "backup", High);
    lane
}

#[test]
fn a_merge_moves_members_and_its_undo_moves_them_back() {
    let mut lane = two_incidents();
    let (from, into) = (lane.id(1), lane.id(0));
    lane.command(20, Command::MergeIncident { incident: from.clone(), into: into.clone() });
    let merged = lane.log.last().unwrap().clone();
    assert_eq!(lane.state.book.incidents[&from].merged_into, Some(into.clone()));
    assert_eq!(lane.state.book.incidents[&into].members.len(), 3);
    // What fires afterwards finds its way through the merge.
    assert_eq!(types(&lane.fire(25, "BackupTooOld", "backup", High)), ["alert.repeated"]);
    lane.command(30, Command::UndoEvent { event: merged.id, subject: into.to_string() });
    assert_eq!(lane.state.book.incidents[&from].status, Status::Open);
    assert_eq!(lane.state.book.incidents[&from].members.len(), 1);
    assert_eq!(lane.state.book.incidents[&into].members.len(), 2);
    assert!(lane.state.book.incidents[&into].lineage[0].undone_by.is_some());
}

#[test]
fn a_split_gives_birth_to_an_incident_and_its_undo_takes_it_back() {
    let mut lane = two_incidents();
    let source = lane.id(0);
    let leaving = vec![fingerprint("CheckoutErrors", "checkout")];
    lane.command(20, Command::SplitIncident { incident: source.clone(), fingerprints: leaving });
    let split = lane.log.last().unwrap().clone();
    let born = lane.incidents().into_iter().find(|incident| incident.split_from.is_some()).unwrap();
    assert_eq!((born.members.len(), born.status), (1, Status::Open));
    let born = born.id.clone();
    lane.command(30, Command::UndoEvent { event: split.id.clone(), subject: source.to_string() });
    assert_eq!(lane.state.book.incidents[&born].merged_into, Some(source.clone()));
    assert_eq!(lane.state.book.incidents[&source].members.len(), 2);
    let again = lane.command(40, Command::UndoEvent { event: split.id, subject: source.to_string() });
    assert_eq!(types(&again), ["command.rejected"]);
}

#[test]
fn what_makes_no_sense_is_an_event_with_its_reason() {
    let mut lane = two_incidents();
    let id = lane.id(0);
    let mut refused = |command| types(&lane.command(20, command)) == ["command.rejected"];
    assert!(refused(Command::UnacknowledgeIncident { incident: id.clone() }));
    assert!(refused(Command::ReopenIncident { incident: id.clone() }));
    assert!(refused(Command::MergeIncident { incident: id.clone(), into: id.clone() }));
    assert!(refused(Command::SplitIncident { incident: id, fingerprints: vec![fingerprint("Other", "x")] }));
}

#[test]
fn a_person_may_add_the_cause_after_it_ended_by_itself() {
    let mut lane = Lane::shop();
    lane.fire(10, "PgDown", "postgres", Critical);
    lane.resolve(60, "PgDown", "postgres");
    let id = lane.id(0);
    lane.command(
        90,
        Command::ResolveIncident { incident: id, cause: Some("idle transactions".into()), resolution: None },
    );
    assert_eq!(lane.only().cause.as_deref(), Some("idle transactions"));
}

#[test]
fn the_same_key_is_the_same_command() {
    let mut lane = two_incidents();
    let acknowledge = Command::AcknowledgeIncident { incident: lane.id(0) };
    let received = hindcast_domain::command::Received { key: "k".into(), if_match: None, command: acknowledge };
    assert_eq!(types(&lane.input(at(20), "command", Event::Command(received.clone()))), ["incident.acknowledged"]);
    assert_eq!(types(&lane.input(at(21), "command", Event::Command(received))), ["command.rejected"]);
}

#[test]
fn an_incident_that_a_split_leaves_with_quiet_alerts_alone_is_over() {
    let mut lane = two_incidents();
    let source = lane.id(0);
    lane.resolve(18, "PgDown", "postgres");
    let leaving = vec![fingerprint("CheckoutErrors", "checkout")];
    let decided = lane.command(20, Command::SplitIncident { incident: source.clone(), fingerprints: leaving });
    assert_eq!(types(&decided), ["incident.split", "incident.resolved"]);
    assert_eq!(lane.state.book.incidents[&source].status, Status::Resolved);
}

#[test]
fn an_escalation_under_a_silence_waits_for_its_end() {
    let mut lane = Lane::shop();
    lane.fire(10, "PgDown", "postgres", Medium);
    let id = lane.silence(20, 600, "service", "postgres");
    assert_eq!(types(&lane.fire(30, "PgDown", "postgres", Critical)), ["alert.repeated"]);
    assert_eq!(types(&lane.silence_ended(60, &id, "expired")), ["alert.unsuppressed", "incident.alert_joined"]);
}

#[test]
fn an_end_that_names_no_start_ends_the_stretch_that_fires() {
    let mut lane = Lane::shop();
    lane.see(10, said(10, Signal::Firing, None));
    // The sender's clock is a little behind: it ended, by its word, before it began.
    assert_eq!(types(&lane.see(11, said(2, Signal::Resolved, Some(9)))), ["alert.resolved", "incident.resolved"]);
}
