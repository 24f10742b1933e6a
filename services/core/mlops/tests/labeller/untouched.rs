//! What nobody did: labels that follow from time alone.

use hindcast_domain::command::Command;
use hindcast_domain::event::Event;
use hindcast_domain::label::{About, Provenance};
use hindcast_domain::notice::{Reason, Requested};
use hindcast_domain::{IncidentId, NoticeId, ProposalId, Severity, proposal};

use super::{DAY, fire, over, said, shop};
use crate::common::{Ledger, alert, at, rules};

pub(super) fn page(ledger: &mut Ledger, second: i64, incident: &IncidentId) -> NoticeId {
    let id = NoticeId::derive(&[incident.as_str().as_bytes()]);
    let asked = Requested {
        incident: Some(incident.clone()),
        receiver: "ops".into(),
        reason: Reason::Opened,
        page: true,
        severity: Severity::Critical,
        title: "t".into(),
        lines: vec![],
        services: vec![],
        teams: vec![],
        holds_until: None,
        expires_at: at(second + 600),
        delayed_by: None,
        status: None,
        alerts: Vec::new(),
        incidents: Vec::new(),
        through: None,
        silence: None,
    };
    ledger.other_lane(at(second), id.as_str(), Event::NoticeRequested(asked));
    id
}

pub(super) fn propose(ledger: &mut Ledger, second: i64, incident: &IncidentId) -> ProposalId {
    let id = ProposalId::derive(&[&second.to_be_bytes()]);
    let made = proposal::Made {
        incident: incident.clone(),
        runbook: "restart".into(),
        version: "1".into(),
        params: std::collections::BTreeMap::new(),
        sources: Default::default(),
        targets: vec![],
        evidence: vec![],
        effect: String::new(),
        risk: "low".into(),
        by: "rules".into(),
    };
    ledger.input(at(second), id.as_str(), "rca", Event::ProposalMade(made));
    id
}

#[test]
fn what_nobody_touched_for_a_day_was_noise_and_its_page_unopened() {
    let mut ledger = shop();
    let (_, incident) = fire(&mut ledger, 10, "PgDown", "postgres");
    page(&mut ledger, 11, &incident);
    over(&mut ledger, 100, "PgDown", "postgres");
    assert!(ledger.pass(at(100 + DAY - 1)).is_empty(), "not before a day has passed");
    let labels = ledger.pass(at(100 + DAY));
    assert_eq!(rules(&labels), ["untouched", "unopened"]);
    assert!(labels.iter().all(|label| label.provenance == Provenance::Implicit));
    assert!(ledger.pass(at(100 + 3 * DAY)).is_empty(), "once");
}

#[test]
fn an_opened_page_and_a_touched_incident_are_no_noise() {
    let mut ledger = shop();
    let (_, incident) = fire(&mut ledger, 10, "PgDown", "postgres");
    let notice = page(&mut ledger, 11, &incident);
    ledger.judge(at(20), "ada", About::Notice { notice }, "opened");
    over(&mut ledger, 100, "PgDown", "postgres");
    said(&mut ledger, 200, Command::NoteIncident { incident, text: "a fan broke".into() });
    assert!(ledger.pass(at(100 + 2 * DAY)).is_empty());
}

#[test]
fn acknowledged_and_nothing_more_is_no_action() {
    let mut ledger = shop();
    let (_, incident) = fire(&mut ledger, 10, "PgDown", "postgres");
    said(&mut ledger, 20, Command::AcknowledgeIncident { incident });
    over(&mut ledger, 100, "PgDown", "postgres");
    assert_eq!(rules(&ledger.pass(at(100 + DAY))), ["acknowledged_without_action"]);
}

#[test]
fn a_proposal_that_nobody_judged_is_ignored_and_the_incident_was_fixed_outside() {
    let mut ledger = shop();
    let (_, incident) = fire(&mut ledger, 10, "PgDown", "postgres");
    propose(&mut ledger, 20, &incident);
    let approved = propose(&mut ledger, 21, &incident);
    said(&mut ledger, 30, Command::AssignIncident { incident, owner: Some("ada".into()) });
    over(&mut ledger, 100, "PgDown", "postgres");
    ledger.judge(at(120), "ada", About::Proposal { proposal: approved }, "rejected");
    assert_eq!(rules(&ledger.pass(at(100 + DAY))), ["proposal_expired", "fixed_outside"]);
}

#[test]
fn an_incident_that_came_back_within_a_day_did_not_hold() {
    let mut ledger = shop();
    fire(&mut ledger, 10, "PgDown", "postgres");
    over(&mut ledger, 100, "PgDown", "postgres");
    let (_, labels) = ledger.observe(at(160), alert("PgDown", "postgres", &[], ""), "p");
    assert_eq!(rules(&labels), ["came_back"]);
    assert!(ledger.pass(at(100 + DAY)).is_empty(), "it lives: nothing is concluded of its first end");
}

#[test]
fn an_incident_that_was_over_and_then_merged_is_judged_as_a_part_of_the_other() {
    let mut ledger = shop();
    let (_, incident) = fire(&mut ledger, 10, "PgDown", "postgres");
    over(&mut ledger, 100, "PgDown", "postgres");
    let (_, into) = fire(&mut ledger, 150, "BackupTooOld", "backup");
    said(&mut ledger, 200, Command::MergeIncident { incident, into });
    assert!(ledger.pass(at(3 * DAY)).is_empty());
}
