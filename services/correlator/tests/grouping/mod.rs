//! Grouping over whole families of situations: strangers, old incidents, a person's word, what is usual, and the second
//! step with its undo.

use crate::harness::{Lane, alert, at, fingerprint, types};
use hindcast_domain::Severity;
use hindcast_domain::Severity::{Critical, High, Low, Medium};
use hindcast_domain::alert::Observation;
use hindcast_domain::command::{Command, Configured};
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::incident::Status;
use hindcast_domain::links::{LinkJudged, LinkKind, LinkProposed, LinkVerdict, ServiceLink};
use hindcast_domain::words::{GroupingRule, SuppressionKind};
use proptest::prelude::*;

fn labelled(name: &str, service: &str, severity: Severity, labels: &[(String, String)]) -> Observation {
    let mut observation = alert(name, service, severity);
    observation.labels.extend(labels.iter().cloned());
    observation.annotations.insert("summary".to_owned(), format!("{name} on {service}"));
    observation
}

fn opened(decided: &[Recorded]) -> Option<&hindcast_domain::incident::Opened> {
    decided.iter().find_map(|decision| match &decision.event {
        Event::IncidentOpened(opened) => Some(opened),
        _ => None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_label_that_all_alerts_of_a_sender_share_joins_no_strangers(
        labels in proptest::collection::btree_map("[a-z]{2,6}_(folder|group|az|dc|owner|tier|site)", "[A-Za-z]{2,8}", 1..4),
        gap in 0_i64..120,
        one in "[a-f]{4}", other in "[g-m]{4}",
    ) {
        let labels: Vec<(String, String)> = labels.into_iter().collect();
        let mut lane = Lane::new();
        lane.see(10, labelled("DiskFull", &one, Critical, &labels));
        lane.see(10 + gap, labelled("CertificateExpires", &other, Critical, &labels));
        prop_assert_eq!(lane.incidents().len(), 2, "each of them pages");
    }

    #[test]
    fn an_old_incident_takes_in_no_other_rule_however_it_stands(
        hours in 5_i64..72, acknowledged in any::<bool>(), known in any::<bool>(),
    ) {
        let mut lane = if known { Lane::shop() } else { Lane::new() };
        lane.fire(10, "HighLatency", "postgres", Critical);
        if acknowledged {
            let id = lane.id(0);
            lane.command(20, Command::AcknowledgeIncident { incident: id });
        }
        // It fires still, and is sent again every hour.
        for hour in 1..hours {
            lane.fire(hour * 3_600, "HighLatency", "postgres", Critical);
        }
        let decided = lane.fire(hours * 3_600, "LedgerOutOfBalance", "postgres", Critical);
        prop_assert!(opened(&decided).is_some(), "people are told: {:?}", types(&decided));
    }

    #[test]
    fn after_a_person_resolved_an_incident_nothing_reopens_it(
        fires_again_after in 1_i64..600, stranger_after in 1_i64..110, named in any::<bool>(),
    ) {
        let mut lane = Lane::shop();
        lane.fire(10, "PgDown", "postgres", Critical);
        lane.resolve(40, "PgDown", "postgres");
        let mut lane_of_stranger = Lane::shop();
        lane_of_stranger.fire(10, "PgDown", "postgres", Critical);
        for lane in [&mut lane, &mut lane_of_stranger] {
            let cause = named.then(|| "a full disk".to_owned());
            let id = lane.id(0);
            lane.command(50, Command::ResolveIncident { incident: id, cause, resolution: Some("restarted".into()) });
        }
        let decided = lane.fire(50 + fires_again_after.max(31), "PgDown", "postgres", Critical);
        prop_assert!(opened(&decided).is_some(), "a new firing begins a new incident: {:?}", types(&decided));
        let decided = lane_of_stranger.fire(50 + stranger_after, "ReplicaLag", "postgres", High);
        prop_assert!(opened(&decided).is_some(), "{:?}", types(&decided));
        let first = lane_of_stranger.id(0);
        prop_assert_eq!(lane_of_stranger.state.book.incidents[&first].status, Status::Resolved);
    }

    #[test]
    fn what_is_usual_is_suppressed_with_an_end_and_never_at_a_paging_severity(
        severity in prop::sample::select(vec![Critical, High, Medium, Low]),
        every in 1_500_i64..5_000,
    ) {
        let mut lane = Lane::new();
        let mut held = 0;
        for round in 0..12 {
            lane.fire(round * every, "ClockSkew", "node-3", severity);
            let alert = &lane.state.book.alerts[&fingerprint("ClockSkew", "node-3")];
            if let Some(suppressed) = &alert.suppressed {
                prop_assert_eq!(&suppressed.kind, &SuppressionKind::Usual);
                prop_assert!(suppressed.by.contains("ClockSkew") && suppressed.until > lane.now);
                held += 1;
            }
            lane.resolve(round * every + 300, "ClockSkew", "node-3");
        }
        if severity.pages() {
            prop_assert_eq!(held, 0);
        } else {
            prop_assert!(held >= 6, "held {} times of 12", held);
        }
    }
}

#[test]
fn a_usual_alert_that_a_person_lifts_is_not_suppressed_as_usual_again() {
    let mut lane = Lane::new();
    for round in 0..8 {
        lane.fire(round * 3_600, "ClockSkew", "node-3", Medium);
        lane.resolve(round * 3_600 + 300, "ClockSkew", "node-3");
    }
    let decided = lane.fire(8 * 3_600, "ClockSkew", "node-3", Medium);
    assert_eq!(types(&decided), ["alert.fired", "alert.suppressed"]);
    let held = decided[1].clone();
    let lifted = lane.command(8 * 3_600 + 60, Command::UndoEvent { event: held.id, subject: held.subject });
    assert_eq!(types(&lifted)[0], "alert.unsuppressed");
    lane.resolve(8 * 3_600 + 300, "ClockSkew", "node-3");
    let decided = lane.fire(9 * 3_600, "ClockSkew", "node-3", Medium);
    assert!(!types(&decided).contains(&"alert.suppressed".to_owned()), "{:?}", types(&decided));
}

#[test]
fn a_usual_alert_that_becomes_so_bad_that_it_pages_is_placed_at_once() {
    let mut lane = Lane::new();
    for round in 0..8 {
        lane.fire(round * 3_600, "ClockSkew", "node-3", Medium);
        lane.resolve(round * 3_600 + 300, "ClockSkew", "node-3");
    }
    lane.fire(8 * 3_600, "ClockSkew", "node-3", Medium);
    let decided = lane.fire(8 * 3_600 + 60, "ClockSkew", "node-3", Critical);
    assert!(opened(&decided).is_some_and(|opened| opened.severity == Critical), "{:?}", types(&decided));
}

#[test]
fn what_still_fires_after_a_person_resolved_it_is_said_as_that_after_a_quarter_of_an_hour() {
    let mut lane = Lane::shop();
    let mut observation = alert("PgDown", "postgres", Critical);
    observation.starts_at = Some(at(5));
    lane.see(10, observation.clone());
    let id = lane.id(0);
    lane.command(60, Command::ResolveIncident { incident: id.clone(), cause: Some("known".into()), resolution: None });
    for second in (120..960).step_by(120) {
        assert_eq!(types(&lane.see(second, observation.clone())), ["alert.repeated"], "at {second}");
    }
    let decided = lane.see(970, observation.clone());
    let opened = opened(&decided).expect("a new incident");
    assert_eq!(opened.grouping.rule, GroupingRule::StillFiring);
    assert_eq!(opened.recurrence_of, Some(id));
    assert_eq!(types(&lane.see(1_000, observation)), ["alert.repeated"], "and once");
}

/// A caller alarms, then what it calls over one between, and then the one between: it fits both.
fn bridged() -> (Lane, Recorded) {
    let mut lane = Lane::shop();
    lane.fire(0, "NginxErrors", "nginx", High);
    lane.fire(260, "ConnectionsExhausted", "postgres", Critical);
    assert_eq!(lane.incidents().len(), 2, "too far apart to be one by themselves");
    let mut merged = None;
    for (second, name) in [(262, "CheckoutErrors"), (264, "CheckoutLatency"), (266, "QueueGrowing"), (268, "Timeouts")]
    {
        let decided = lane.fire(second, name, "checkout", High);
        merged = merged.or_else(|| decided.into_iter().find(|event| matches!(event.event, Event::IncidentMerged(_))));
    }
    lane.pass(at(600));
    let merged = merged.or_else(|| lane.log.iter().find(|e| matches!(e.event, Event::IncidentMerged(_))).cloned());
    (lane, merged.expect("the two are one"))
}

#[test]
fn two_incidents_that_an_alert_ties_become_one_with_reasons_and_a_person_may_undo_it() {
    let (mut lane, merged) = bridged();
    let Event::IncidentMerged(event) = &merged.event else { panic!("{merged:?}") };
    let evidence = event.evidence.clone().expect("reasons");
    assert!(evidence.mean >= evidence.needed && evidence.best.log_odds >= evidence.worst.log_odds, "{evidence:?}");
    assert_eq!(lane.live().len(), 1, "{:#?}", lane.live());
    assert_eq!(merged.subject, lane.id(0).to_string(), "the one that opened first keeps its id");
    let from = event.incident.clone();
    let into = merged.subject.parse().unwrap();
    lane.command(610, Command::UndoEvent { event: merged.id, subject: merged.subject });
    assert_eq!(lane.live().len(), 2);
    assert!(lane.state.grouped.groups.are_apart(&into, &from));
    for second in [612, 614, 616, 618] {
        lane.fire(second, &format!("More{second}"), "checkout", High);
    }
    lane.pass(at(900));
    let again = lane.log.iter().filter(|e| matches!(e.event, Event::IncidentMerged(_))).count();
    assert_eq!(again, 1, "what a person took apart stays apart");
}

#[test]
fn a_lane_that_is_folded_again_from_its_decisions_knows_the_same_and_decides_the_same() {
    let (lane, _) = bridged();
    let mut again = Lane::shop();
    lane.log.iter().for_each(|decision| again.state.evolve(decision));
    assert_eq!(again.state.grouped, lane.state.grouped);
    let text = serde_json::to_string(&lane.state).unwrap();
    let read: hindcast_correlator::CorrelatorState = serde_json::from_str(&text).unwrap();
    assert_eq!(read.grouped, lane.state.grouped);
}

#[test]
fn a_review_that_changes_nothing_says_whom_it_asked_about_and_is_done() {
    let mut lane = Lane::shop();
    lane.fire(0, "NginxErrors", "nginx", High);
    lane.fire(1, "NginxErrors", "backup", High);
    assert_eq!(lane.incidents().len(), 2);
    lane.pass(at(500));
    let asked: Vec<usize> = lane
        .log
        .iter()
        .filter_map(|decision| match &decision.event {
            Event::IncidentReviewed(reviewed) => Some(reviewed.asked.len()),
            _ => None,
        })
        .collect();
    assert!(!asked.is_empty() && asked.iter().all(|asked| *asked == 1), "{asked:?}");
    assert_eq!(lane.state.next_timer().map(|timer| timer.due > at(500)), Some(true), "no review is due any more");
}

#[test]
fn an_alert_that_comes_back_to_an_open_incident_after_a_pause_is_asked_anew() {
    let mut lane = Lane::shop();
    lane.fire(10, "PgDown", "postgres", Critical);
    lane.fire(20, "CheckoutErrors", "checkout", High);
    lane.resolve(60, "PgDown", "postgres");
    let decided = lane.fire(60 + 6 * 3_600, "PgDown", "postgres", Critical);
    assert!(opened(&decided).is_some(), "CheckoutErrors fires still, and that is no evidence: {:?}", types(&decided));
    assert_eq!(lane.live().len(), 2);
}

#[test]
fn an_incident_is_called_by_the_number_of_places_once_one_rule_alarms_in_many_and_by_what_is_worse_after_that() {
    // Sixty services that call one database.
    let mut lane = Lane::new();
    let caller = |number: usize| serde_json::json!({ "name": format!("svc-{number}"), "depends_on": ["db"] });
    let services: Vec<_> = (0..60).map(caller).chain([serde_json::json!({ "name": "db" })]).collect();
    let content = serde_json::json!({ "services": services });
    let configured = Configured { section: "catalog".into(), hash: "h".into(), content };
    lane.input(at(0), "catalog", Event::Configured(configured));
    let largest = |lane: &Lane| {
        let incidents = lane.state.book.incidents.values();
        incidents.max_by_key(|incident| incident.members.len()).map(|it| (it.members.len(), it.title.clone())).unwrap()
    };
    lane.see(10, labelled("HighErrorRate", "svc-0", High, &[]));
    assert_eq!(largest(&lane), (1, "HighErrorRate on svc-0".to_owned()), "the words of one alert say more");
    for number in 1..60 {
        lane.see(10 + number, labelled("HighErrorRate", &format!("svc-{number}"), High, &[]));
    }
    let (count, title) = largest(&lane);
    assert!(count >= 3 && title.starts_with("HighErrorRate: ") && title.ends_with(" services"), "{count}: {title}");
    lane.see(80, labelled("CheckoutDown", "svc-3", Critical, &[]));
    let home = lane.state.last_incident(&fingerprint("CheckoutDown", "svc-3")).expect("it is placed");
    assert_eq!(home.title, "CheckoutDown on svc-3", "what is worse says what the incident is");
}

#[test]
fn a_merge_makes_the_title_anew_and_its_undo_gives_the_old_one_back() {
    let mut lane = Lane::new();
    for number in 0..3 {
        let decided = lane.fire(10 + number * 7_200, "HighErrorRate", &format!("svc-{number}"), High);
        assert!(opened(&decided).is_some(), "two hours apart: {:?}", types(&decided));
    }
    let homes: Vec<_> = (0..3).map(|index| lane.id(index)).collect();
    let merge = |lane: &mut Lane, second: i64, one: usize| {
        lane.command(second, Command::MergeIncident { incident: homes[one].clone(), into: homes[0].clone() })
    };
    merge(&mut lane, 20_000, 1);
    let title = |lane: &Lane| lane.state.book.incidents[&homes[0]].title.clone();
    assert_eq!(title(&lane), "HighErrorRate on svc-0", "two places are not many");
    let decided = merge(&mut lane, 20_010, 2);
    assert_eq!(title(&lane), "HighErrorRate: 3 services");
    lane.command(20_020, Command::UndoEvent { event: decided[0].id.clone(), subject: homes[0].to_string() });
    assert_eq!(title(&lane), "HighErrorRate on svc-0");
}

/// Two services of one second, of which no catalogue knows anything, with a link of this confidence between them.
fn incidents_with(confidence: Option<i32>, verdict: Option<LinkVerdict>) -> usize {
    let mut lane = Lane::new();
    let link = ServiceLink { kind: LinkKind::DependsOn, from: "shop-api".into(), to: "orders-db".into() };
    if let Some(confidence) = confidence {
        let proposed = LinkProposed { link: link.clone(), sightings: Vec::new(), confidence };
        lane.input(at(0), link.id().as_str(), Event::LinkProposed(proposed));
    }
    if let Some(verdict) = verdict {
        let judged = LinkJudged { link: link.clone(), verdict };
        lane.input(at(1), link.id().as_str(), Event::LinkJudged(judged));
    }
    lane.fire(10, "ConnectionsExhausted", "orders-db", Critical);
    lane.fire(11, "ErrorsOfCheckout", "shop-api", Critical);
    lane.incidents().len()
}

#[test]
fn a_link_counts_by_its_confidence_until_a_person_judges_it() {
    assert_eq!(incidents_with(None, None), 2, "nothing is known of them");
    assert_eq!(incidents_with(Some(900), None), 1);
    assert_eq!(incidents_with(Some(200), None), 2, "too weak to count");
    assert_eq!(incidents_with(Some(900), Some(LinkVerdict::Denied)), 2);
    assert_eq!(incidents_with(Some(300), Some(LinkVerdict::Confirmed)), 1);
}
