//! The table as a specification: what somebody does, and the labels that follow. And what takes them back.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod untouched;

use std::collections::BTreeSet;

use hindcast_domain::catalog::{Catalog, Service};
use hindcast_domain::command::Command;
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::label::{About, Judged, Kind, Provenance};
use hindcast_domain::lane::Decider;
use hindcast_domain::silence::{Created, Ended, Kind as SilenceKind, Matcher, Started, Terms};
use hindcast_domain::{ConversationId, EventId, Fingerprint, IncidentId, NoticeId, ProposalId, Severity, SilenceId};
use hindcast_mlops::labeller::{self, Labeller};
use hindcast_mlops::{standing, table};

use crate::common::{Ledger, alert, at, rules};
use untouched::{page, propose};

const DAY: i64 = 86_400;

/// A shop: nginx → checkout → postgres, and backup on its own.
fn shop() -> Ledger {
    let service = |name: &str, to: &[&str]| Service {
        name: name.into(),
        aliases: vec![],
        owner: None,
        tier: None,
        depends_on: to.iter().map(ToString::to_string).collect(),
    };
    let services = vec![
        service("nginx", &["checkout"]),
        service("checkout", &["postgres"]),
        service("postgres", &[]),
        service("backup", &[]),
    ];
    let mut ledger = Ledger::new(1);
    ledger.catalog(at(0), &Catalog { services });
    ledger
}

fn fire(ledger: &mut Ledger, second: i64, name: &str, service: &str) -> (Fingerprint, IncidentId) {
    let observation = alert(name, service, &[], "");
    let fingerprint = observation.fingerprint.clone();
    ledger.observe(at(second), observation, "p");
    let home = ledger.home(&fingerprint).unwrap();
    (fingerprint, home)
}

fn over(ledger: &mut Ledger, second: i64, name: &str, service: &str) {
    let mut observation = alert(name, service, &[], "");
    observation.signal = hindcast_domain::alert::Signal::Resolved;
    ledger.observe(at(second), observation, "p");
}

/// What the labels say that count now, by rule.
fn standing_rules(ledger: &Ledger) -> BTreeSet<String> {
    ledger.labels().iter().map(|label| label.given.rule.to_string()).collect()
}

fn said(ledger: &mut Ledger, second: i64, command: Command) -> Vec<String> {
    let (_, labels) = ledger.command(at(second), "ada", command);
    labels.into_iter().map(|label| label.rule.to_string()).collect()
}

// ── what people say of incidents ───────────────────────────────────────────────────────────────────

#[test]
fn a_merge_says_that_pairs_across_are_one_problem_and_its_undo_takes_that_back() {
    let mut ledger = shop();
    let (pg, into) = fire(&mut ledger, 10, "PgDown", "postgres");
    let (backup, incident) = fire(&mut ledger, 20, "BackupTooOld", "backup");
    let (decided, labels) = ledger.command(at(60), "ada", Command::MergeIncident { incident, into: into.clone() });
    assert_eq!(rules(&labels), ["merged"]);
    let About::Pair { younger, older, fired, .. } = &labels[0].about else { panic!("{labels:?}") };
    assert_eq!((younger, older), (&backup, &pg), "the one that fired later looked for its place");
    let firing = ledger.history.iter().find(|recorded| recorded.id == *fired).unwrap();
    assert_eq!(firing.subject, backup.to_string());
    assert_eq!(
        (labels[0].value.as_str(), labels[0].weight, labels[0].provenance),
        ("same", 1_000, Provenance::Explicit)
    );
    let undo = Command::UndoEvent { event: decided[0].id.clone(), subject: into.to_string() };
    assert_eq!(said(&mut ledger, 90, undo), ["merge_undone"]);
    assert_eq!(standing_rules(&ledger), BTreeSet::from(["merge_undone".to_owned()]), "the merge's label is retracted");
}

#[test]
fn an_automatic_merge_says_nothing_and_a_person_who_undoes_it_says_that_these_are_two_problems() {
    let mut ledger = shop();
    fire(&mut ledger, 10, "NginxErrors", "nginx");
    fire(&mut ledger, 270, "ConnectionsExhausted", "postgres");
    for (second, name) in [(272, "CheckoutErrors"), (274, "CheckoutLatency"), (276, "QueueGrowing"), (278, "Timeouts")]
    {
        fire(&mut ledger, second, name, "checkout");
    }
    let is_merge = |recorded: &&Recorded| matches!(recorded.event, Event::IncidentMerged(_));
    let merged = ledger.history.iter().find(is_merge).cloned().expect("an alert that fits both merges the two");
    assert_eq!(merged.actor, hindcast_domain::event::SYSTEM);
    assert_eq!(standing_rules(&ledger), BTreeSet::new());
    let moved = match &merged.event {
        Event::IncidentMerged(merged) => merged.fingerprints.clone(),
        other => panic!("{other:?}"),
    };
    let undo = Command::UndoEvent { event: merged.id.clone(), subject: merged.subject.clone() };
    let said = said(&mut ledger, 300, undo);
    assert!(!said.is_empty() && said.iter().all(|rule| rule == "merge_undone"), "{said:?}");
    for label in ledger.labels() {
        let About::Pair { younger, older, .. } = &label.given.about else { panic!("{label:?}") };
        assert_ne!(moved.contains(younger), moved.contains(older), "a pair across what was merged");
        assert_eq!(label.given.value, "different");
    }
}

#[test]
fn a_split_says_that_those_that_left_and_those_that_stayed_are_two_problems() {
    let mut ledger = shop();
    fire(&mut ledger, 10, "PgDown", "postgres");
    let (checkout, incident) = fire(&mut ledger, 20, "CheckoutErrors", "checkout");
    let (nginx, _) = fire(&mut ledger, 30, "NginxErrors", "nginx");
    let split = Command::SplitIncident { incident: incident.clone(), fingerprints: vec![checkout, nginx] };
    let (decided, labels) = ledger.command(at(60), "ada", split);
    assert_eq!(rules(&labels), ["split", "split", "split_together"]);
    assert_eq!(labels.iter().map(|label| label.value.as_str()).collect::<Vec<_>>(), ["different", "different", "same"]);
    let undo = Command::UndoEvent { event: decided[0].id.clone(), subject: incident.to_string() };
    assert_eq!(said(&mut ledger, 90, undo), ["split_undone", "split_undone"]);
    assert_eq!(standing_rules(&ledger), BTreeSet::from(["split_undone".to_owned()]));
}

#[test]
fn a_cause_confirms_the_grouping_and_a_persons_word_retracts_what_was_concluded() {
    let mut ledger = shop();
    let (_, incident) = fire(&mut ledger, 10, "PgDown", "postgres");
    let (checkout, _) = fire(&mut ledger, 20, "CheckoutErrors", "checkout");
    let (_, other) = fire(&mut ledger, 30, "BackupTooOld", "backup");
    said(&mut ledger, 40, Command::AcknowledgeIncident { incident: incident.clone() });
    let resolve = |incident: &IncidentId, cause: &str| Command::ResolveIncident {
        incident: incident.clone(),
        cause: Some(cause.into()),
        resolution: None,
    };
    assert_eq!(said(&mut ledger, 50, resolve(&other, "the tape was full")), ["resolved_with_cause", "cause_apart"]);
    assert_eq!(said(&mut ledger, 60, resolve(&incident, "pool")), ["resolved_with_cause", "cause_together"]);
    assert_eq!(said(&mut ledger, 70, resolve(&incident, "idle transactions")), ["resolved_with_cause"], "once");
    let causes: Vec<_> = ledger.labels().into_iter().filter(|label| label.given.kind == Kind::Cause).collect();
    assert_eq!(causes.len(), 2, "the same person's earlier cause is retracted");
    let split = Command::SplitIncident { incident, fingerprints: vec![checkout] };
    assert_eq!(said(&mut ledger, 80, split), ["split"]);
    assert!(!standing_rules(&ledger).contains("cause_together"), "a person said otherwise");
}

#[test]
fn a_cause_that_is_said_without_resolving_says_what_a_resolve_with_a_cause_says() {
    let mut ledger = shop();
    let (_, incident) = fire(&mut ledger, 10, "PgDown", "postgres");
    fire(&mut ledger, 20, "CheckoutErrors", "checkout");
    let about = || About::Incident { incident: incident.clone() };
    let say = |ledger: &mut Ledger, second, actor: &str, text: Option<&str>| {
        let judged = Judged { about: about(), verdict: "cause".into(), text: text.map(Into::into) };
        let labels = ledger.input(at(second), "judged", actor, Event::LabelJudged(judged.clone())).1;
        (labeller::check(&judged), rules(&labels).into_iter().map(ToOwned::to_owned).collect::<Vec<_>>())
    };
    let (checked, given) = say(&mut ledger, 30, "ada", Some(" the pool ran dry "));
    assert_eq!((checked, given), (Ok(()), vec!["cause_confirmed".to_owned(), "cause_together".to_owned()]));
    let cause = ledger.labels().into_iter().find(|label| label.given.kind == Kind::Cause).unwrap().clone();
    assert_eq!((cause.given.value.as_str(), cause.given.weight, cause.by.as_str()), ("the pool ran dry", 1_000, "ada"));
    assert!(!ledger.labeller.state().seen.cases[&incident].causes.is_empty(), "it counts as an incident with a cause");
    // The same person changes their mind, first so and then by resolving; somebody else stands beside.
    assert_eq!(say(&mut ledger, 40, "ada", Some("idle transactions")).1, ["cause_confirmed"]);
    assert_eq!(say(&mut ledger, 50, "bob", Some("a slow disk")).1, ["cause_confirmed"]);
    let cause = Some("vacuum".to_owned());
    let resolve = Command::ResolveIncident { incident: incident.clone(), cause, resolution: None };
    assert_eq!(said(&mut ledger, 60, resolve), ["resolved_with_cause"]);
    let mut causes: Vec<_> = ledger.labels().into_iter().filter(|label| label.given.kind == Kind::Cause).collect();
    causes.sort_by_key(|label| label.at);
    assert_eq!(causes.iter().map(|label| label.given.value.as_str()).collect::<Vec<_>>(), ["a slow disk", "vacuum"]);
    for nothing in [None, Some("  ")] {
        let (checked, given) = say(&mut ledger, 70, "ada", nothing);
        assert_eq!((checked, given), (Err("expected the cause as text, got none".to_owned()), vec![]));
    }
}

#[test]
fn what_is_said_to_have_fixed_it_was_not_fixed_outside() {
    let mut ledger = shop();
    let (_, incident) = fire(&mut ledger, 10, "PgDown", "postgres");
    let proposal = propose(&mut ledger, 20, &incident);
    said(&mut ledger, 30, Command::NoteIncident { incident: incident.clone(), text: "restarted".into() });
    ledger.judge(at(40), "ada", About::Proposal { proposal }, "fixed");
    over(&mut ledger, 50, "PgDown", "postgres");
    assert!(ledger.pass(at(2 * 86_400)).is_empty());
}

#[test]
fn acknowledging_severity_feedback_and_reopening_are_labels() {
    let mut ledger = shop();
    let (_, incident) = fire(&mut ledger, 10, "PgDown", "postgres");
    let id = || incident.clone();
    assert_eq!(said(&mut ledger, 20, Command::AcknowledgeIncident { incident: id() }), ["acknowledged"]);
    assert_eq!(said(&mut ledger, 30, Command::UnacknowledgeIncident { incident: id() }), Vec::<String>::new());
    assert!(standing_rules(&ledger).is_empty(), "taken back");
    let low = Command::SetIncidentSeverity { incident: id(), severity: Severity::Low };
    assert_eq!(said(&mut ledger, 40, low), ["severity_set"]);
    let feedback = |verdict: &str| Command::GiveFeedback { incident: id(), verdict: verdict.into(), text: None };
    assert_eq!(said(&mut ledger, 50, feedback("noise")), ["feedback_noise"]);
    assert_eq!(said(&mut ledger, 51, feedback("helpful")), ["feedback_useful"]);
    assert_eq!(said(&mut ledger, 52, feedback("purple")), Vec::<String>::new());
    let resolve = Command::ResolveIncident { incident: id(), cause: None, resolution: Some("restart".into()) };
    assert_eq!(said(&mut ledger, 60, resolve), Vec::<String>::new(), "without a cause nothing is confirmed");
    assert_eq!(said(&mut ledger, 70, Command::ReopenIncident { incident: id() }), ["reopened_by_person"]);
}

#[test]
fn a_silence_is_a_word_about_an_alert_and_a_maintenance_window_is_none() {
    for (kind, expected) in [(SilenceKind::Silence, vec!["silenced"]), (SilenceKind::Maintenance, vec![])] {
        let mut ledger = shop();
        fire(&mut ledger, 10, "PgDown", "postgres");
        let id = SilenceId::derive(&[b"one"]);
        let terms = Terms {
            matchers: vec![Matcher::equal("alertname", "PgDown")],
            starts_at: at(20),
            ends_at: at(5_000),
            created_by: "ada".into(),
            comment: "known".into(),
            kind,
            environment: None,
            repeats: None,
        };
        let created = Event::SilenceCreated(Created { terms, replaces: None, follows: None });
        let (_, mut labels) = ledger.input(at(20), id.as_str(), "ada", created);
        labels.extend(ledger.input(at(20), id.as_str(), "system", Event::SilenceStarted(Started {})).1);
        assert_eq!(rules(&labels), expected);
        ledger.input(at(30), id.as_str(), "ada", Event::SilenceEnded(Ended { reason: "undone".into() }));
        assert!(standing_rules(&ledger).is_empty(), "an undone silence says nothing");
    }
}

// ── what people say of other things ────────────────────────────────────────────────────────────────

#[test]
fn judgements_of_proposals_recalls_answers_notices_and_pairs_are_labels() {
    let mut ledger = shop();
    let (pg, incident) = fire(&mut ledger, 10, "PgDown", "postgres");
    let (backup, _) = fire(&mut ledger, 20, "BackupTooOld", "backup");
    let fired = ledger.history.iter().rfind(|event| matches!(event.event, Event::AlertFired(_))).unwrap().id.clone();
    let proposal = || About::Proposal { proposal: ProposalId::derive(&[b"p"]) };
    let recall = || About::Recall { incident: incident.clone(), similar: IncidentId::derive(&[b"old"]) };
    let answer = || About::Conversation { conversation: ConversationId::derive(&[b"c"]) };
    let notice = || About::Notice { notice: NoticeId::derive(&[b"n"]) };
    let pair =
        || About::Pair { younger: backup.clone(), fired: fired.clone(), older: pg.clone(), incident: incident.clone() };
    let cases = [
        (proposal(), "approved", "proposal_approved"),
        (proposal(), "rejected", "proposal_rejected"),
        (proposal(), "fixed", "proposal_fixed"),
        (proposal(), "not_fixed", "proposal_did_not_fix"),
        (recall(), "confirmed", "recall_confirmed"),
        (recall(), "dismissed", "recall_dismissed"),
        (answer(), "helpful", "answer_helpful"),
        (answer(), "not_helpful", "answer_not_helpful"),
        (notice(), "opened", "notice_opened"),
        (pair(), "same", "pair_same"),
        (pair(), "different", "pair_different"),
    ];
    for (about, verdict, rule) in cases {
        assert_eq!(rules(&ledger.judge(at(30), "ada", about, verdict)), [rule]);
    }
    let odd = Judged { about: proposal(), verdict: "helpful".into(), text: None };
    assert_eq!(
        labeller::check(&odd),
        Err("expected a verdict of approved, rejected, fixed or not_fixed, got \"helpful\"".to_owned())
    );
    assert!(ledger.judge(at(40), "ada", proposal(), "helpful").is_empty());
}

#[test]
fn a_person_takes_a_label_back_by_its_event_once() {
    let mut ledger = shop();
    let (_, incident) = fire(&mut ledger, 10, "PgDown", "postgres");
    said(&mut ledger, 20, Command::AcknowledgeIncident { incident });
    let label = ledger.labels()[0].clone();
    let undo = || Command::UndoEvent { event: label.event.clone(), subject: label.id.to_string() };
    ledger.command(at(30), "bob", undo());
    assert!(ledger.labels().is_empty());
    ledger.command(at(40), "bob", undo());
    let refused = ledger.history.iter().rev().find_map(|recorded| match &recorded.event {
        Event::CommandRejected(rejected) if rejected.detail.contains("retracted already") => Some(()),
        _ => None,
    });
    assert!(refused.is_some(), "the second time is refused, not swallowed");
}

// ── what is concluded a day later ──────────────────────────────────────────────────────────────────

// ── how they stand ─────────────────────────────────────────────────────────────────────────────────

#[test]
fn people_who_disagree_both_stand_and_are_shown() {
    let mut ledger = shop();
    let (_, incident) = fire(&mut ledger, 10, "PgDown", "postgres");
    for (person, cause) in [("ada", "the pool"), ("ada", "The  Pool"), ("bob", "the disk")] {
        let cause = Some(cause.to_owned());
        ledger.command(
            at(60),
            person,
            Command::ResolveIncident { incident: incident.clone(), cause, resolution: None },
        );
    }
    let all = standing::disagreements(ledger.labeller.state());
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].about, About::Incident { incident });
    let said: Vec<_> = all[0].said.iter().map(|(who, what)| (who.as_str(), what.as_str())).collect();
    assert_eq!(said, [("ada", "The  Pool"), ("bob", "the disk")]);
}

#[test]
fn coverage_counts_closed_incidents_with_a_cause() {
    let mut ledger = shop();
    let (_, incident) = fire(&mut ledger, 10, "PgDown", "postgres");
    let (_, backup) = fire(&mut ledger, 20, "BackupTooOld", "backup");
    let cause = Some("the pool".to_owned());
    ledger.command(at(60), "ada", Command::ResolveIncident { incident, cause, resolution: None });
    let coverage = standing::coverage(&ledger.labeller.state().seen);
    assert_eq!((coverage.closed, coverage.with_cause), (1, 1), "an open one is not counted");
    over(&mut ledger, 100, "BackupTooOld", "backup");
    let coverage = standing::coverage(&ledger.labeller.state().seen);
    assert_eq!((coverage.closed, coverage.with_cause, coverage.missing), (2, 1, vec![backup]));
    assert_eq!(coverage.services["postgres"], (1, 1));
}

#[test]
fn every_rule_of_the_table_is_given_by_a_test_here() {
    let text = concat!(include_str!("labeller.rs"), include_str!("labeller/untouched.rs"));
    for rule in table::RULES {
        assert!(text.matches(&format!("\"{}\"", rule.name)).count() > 0, "{} is given by no test", rule.name);
    }
}

// ── the contract of a lane ─────────────────────────────────────────────────────────────────────────

#[test]
fn a_lane_that_starts_again_stands_where_it_stood() {
    let mut ledger = shop();
    let (_, incident) = fire(&mut ledger, 10, "PgDown", "postgres");
    page(&mut ledger, 11, &incident);
    over(&mut ledger, 100, "PgDown", "postgres");
    fire(&mut ledger, 150, "BackupTooOld", "backup");
    let is_label = |recorded: &&Recorded| matches!(recorded.event, Event::LabelGiven(_) | Event::LabelRetracted(_));
    ledger.pass(at(100 + DAY));
    // All inputs first, and then all decisions: as a restart folds them.
    let labeller = Labeller;
    let mut state = labeller::LabellerState::default();
    let intake = ledger.inputs.iter().filter(|input| !matches!(input.event, Event::Configured(_)));
    let mut inputs: Vec<&Recorded> = intake.chain(ledger.history.iter().filter(|event| !is_label(event))).collect();
    inputs.sort_by_key(|input| input.position);
    inputs.iter().for_each(|input| labeller.seen(&mut state, input));
    assert_ne!(labeller.due(&state), None, "before its decisions are folded it would decide again");
    ledger.history.iter().filter(is_label).for_each(|label| labeller.evolve(&mut state, label));
    assert_eq!(labeller.due(&state), None);
    // The ledger gives places when it appends; no decision reads them.
    let placeless = |labels: &hindcast_domain::label::Labels| {
        let mut labels = labels.clone();
        labels.0.values_mut().for_each(|label| label.position = 0);
        labels
    };
    assert_eq!(placeless(&state.labels), placeless(&ledger.labeller.state().labels));
    let text = serde_json::to_string(&state).unwrap();
    assert_eq!(serde_json::from_str::<labeller::LabellerState>(&text).unwrap(), state, "a snapshot is the state");
}

#[test]
fn what_a_timer_decides_clears_it_and_its_ids_are_of_its_cause() {
    let ids = |_: usize| {
        let mut ledger = shop();
        fire(&mut ledger, 10, "PgDown", "postgres");
        over(&mut ledger, 100, "PgDown", "postgres");
        ledger.pass(at(2 * DAY));
        ledger.labels().iter().map(|label| label.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(0), ids(1));
    assert_eq!(ids(0).len(), 1);
    assert!(ids(0)[0].as_str().starts_with("LBL-"));
    assert_ne!(EventId::derive(&[b"a"]).as_str(), ids(0)[0].as_str());
}
