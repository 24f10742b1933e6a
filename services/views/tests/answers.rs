//! Given events, what lists, receipts, timelines and outcomes say.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod replay;

use std::time::Duration;

use hindcast_api::Code;
use hindcast_domain::command::Command;
use hindcast_domain::{Severity, Span, incident};
use hindcast_ledger::progress::ServiceReport;
use hindcast_ledger::{Ledger, Subject, commit};
use hindcast_queries::{AlertFilter, CommandOutcome, EventFilter, IncidentFilter, Queries, Window};
use hindcast_views::FailPoint;

use crate::common;
use crate::common::{Running, World, partition};

fn limit(limit: usize) -> Window {
    Window { as_of: None, limit: Some(limit), cursor: None }
}

fn code(code: Code) -> &'static str {
    code.parts().0
}

/// Two alerts in production, each with an incident of its own, and one in staging.
async fn shop() -> World {
    let mut world = World::new();
    for alert in [1, 3, 5] {
        world.observe(alert, true, 0).await;
        world.wait(1_000);
    }
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn incidents_are_listed_newest_first_and_filtered() {
    let world = shop().await;
    let running = Running::over(&world.ledger).await;
    let views = &running.views;
    let page = views.incidents(IncidentFilter::default(), limit(10)).await.unwrap();
    let ids: Vec<String> = page.items.iter().map(|incident| incident.id.clone()).collect();
    let expected: Vec<String> = world.incidents.iter().rev().map(|(_, id)| id.to_string()).collect();
    assert_eq!((ids, page.next, page.position), (expected, None, world.position()));
    let newest = &page.items[0];
    assert_eq!((newest.alerts, newest.firing, newest.occurrences), (1, 1, 1));
    assert_eq!((newest.environment.as_str(), newest.url.clone()), ("production", format!("/{}", newest.id)));

    let of = |filter: IncidentFilter| async move {
        views
            .incidents(filter, limit(10))
            .await
            .unwrap()
            .items
            .into_iter()
            .map(|i| i.services.join(","))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(IncidentFilter { environment: Some("staging".into()), ..Default::default() }).await, ["svc-0"]);
    assert_eq!(of(IncidentFilter { service: Some("svc-2".into()), ..Default::default() }).await, ["svc-2"]);
    assert_eq!(of(IncidentFilter { q: Some("RULE1 svc-1".into()), ..Default::default() }).await, ["svc-1"]);
    assert!(of(IncidentFilter { q: Some("rule1 svc-2".into()), ..Default::default() }).await.is_empty());
    assert!(of(IncidentFilter { severity: vec![Severity::Low], ..Default::default() }).await.is_empty());
    assert!(of(IncidentFilter { status: vec![incident::Status::Resolved], ..Default::default() }).await.is_empty());
    assert!(of(IncidentFilter { until: Some(common::beginning()), ..Default::default() }).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_is_found_by_any_unique_prefix_in_any_case_and_an_ambiguous_one_is_named() {
    let world = shop().await;
    let running = Running::over(&world.ledger).await;
    let views = &running.views;
    let id = world.incidents[0].1.to_string();
    for text in [id.clone(), id.to_lowercase(), id[4..].to_owned(), id[..12].to_lowercase()] {
        assert_eq!(views.incident(Some(&text), None).await.unwrap().id, id, "{text}");
    }
    assert_eq!(views.incident(None, None).await.unwrap().id, world.incidents[2].1.to_string());
    assert_eq!(views.incident(Some("INC-"), None).await.unwrap_err().code, code(Code::NotFound));
    assert_eq!(views.incident(Some("INC-ZZZZZZ"), None).await.unwrap_err().code, code(Code::NotFound));

    let fingerprint = common::fingerprint(5).to_string();
    for text in [fingerprint.clone(), fingerprint[..7].to_uppercase(), "sent-5".into(), "Rule2".into()] {
        assert_eq!(views.receipt(Some(&text), None).await.unwrap().alert.fingerprint, fingerprint, "{text}");
    }
    assert_eq!(views.receipt(Some("sent-"), None).await.unwrap_err().code, code(Code::Ambiguous));
    assert_eq!(views.receipt(Some("nothing"), None).await.unwrap_err().code, code(Code::NotFound));
    let event = views.events(EventFilter::default(), limit(1)).await.unwrap().items.remove(0);
    assert_eq!(views.event(&event.id[..11], None).await.unwrap(), event);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_stays_at_the_position_of_the_first_while_events_come_in() {
    let mut world = World::new();
    for alert in [1, 5, 9, 13, 17] {
        world.observe(alert, true, 0).await;
    }
    let running = Running::over(&world.ledger).await;
    let views = &running.views;
    let before = world.position();
    let first = views.incidents(IncidentFilter::default(), limit(2)).await.unwrap();
    for alert in [21, 25] {
        world.observe(alert, true, 0).await;
    }
    running.catch_up(&world.ledger).await;
    let mut seen: Vec<String> = first.items.iter().map(|incident| incident.id.clone()).collect();
    let mut next = first.next;
    while let Some(cursor) = next {
        assert!(cursor.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        let window = Window { as_of: None, limit: Some(2), cursor: Some(cursor) };
        let page = views.incidents(IncidentFilter::default(), window).await.unwrap();
        assert_eq!(page.position, before);
        seen.extend(page.items.into_iter().map(|incident| incident.id));
        next = page.next;
    }
    let expected: Vec<String> = world.incidents[..5].iter().rev().map(|(_, id)| id.to_string()).collect();
    assert_eq!(seen, expected);
    assert_eq!(views.incidents(IncidentFilter::default(), limit(10)).await.unwrap().items.len(), 7);
    for bad in [0, 501] {
        assert_eq!(views.alerts(AlertFilter::default(), limit(bad)).await.unwrap_err().code, code(Code::BadLimit));
    }
    let window = Window { as_of: None, limit: None, cursor: Some("!".into()) };
    assert_eq!(views.events(EventFilter::default(), window).await.unwrap_err().code, code(Code::BadCursor));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_page_through_everything_once_whatever_the_filter() {
    let world = shop().await;
    let running = Running::over(&world.ledger).await;
    for kind in [None, Some("decision"), Some("alert.fired"), Some("incident")] {
        let filter = EventFilter { kind: kind.map(ToOwned::to_owned), ..Default::default() };
        let whole = running.views.events(filter.clone(), limit(500)).await.unwrap().items;
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let window = Window { as_of: None, limit: Some(2), cursor };
            let page = running.views.events(filter.clone(), window).await.unwrap();
            seen.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert!(!whole.is_empty());
        assert_eq!(seen, whole, "{kind:?}");
    }
    let from = world.position();
    let last = EventFilter { from: Some(from), to: Some(from), ..Default::default() };
    assert_eq!(running.views.events(last, limit(9)).await.unwrap().items.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_tells_the_whole_way_and_what_accounts_for_the_alert() {
    let mut world = World::new();
    world.observe(1, true, 0).await;
    let running = Running::over(&world.ledger).await;
    let views = &running.views;
    let fingerprint = common::fingerprint(1).to_string();
    let receipt = || async { views.receipt(Some(&fingerprint), None).await.unwrap() };
    let accounted = || async { receipt().await.accounted };
    assert_eq!(accounted().await, "held", "its notification may be under way");
    world.wait(120_000);
    world.observe(2, false, 0).await;
    running.catch_up(&world.ledger).await;
    assert_eq!(accounted().await, "unaccounted");
    assert_eq!(views.figures().unaccounted, 0, "the notices' lane has not seen it yet: no defect");
    let seen = ServiceReport { through: 1_000, due: None, appending: 0 };
    running.progress.report("notices", seen);
    assert_eq!((accounted().await.as_str(), views.figures().unaccounted), ("unaccounted", 1));

    world.notify(0, false).await;
    running.catch_up(&world.ledger).await;
    let receipt = receipt().await;
    assert_eq!(receipt.accounted, "incident_paged");
    let stages: Vec<&str> = receipt.steps.iter().map(|step| step.stage.as_str()).collect();
    assert_eq!(stages, ["received", "normalised", "fired", "grouped", "notified", "notified"]);
    assert_eq!(receipt.steps[5].text, "delivered after 120 ms, attempt 1: 200");
    assert_eq!(receipt.steps[4].text, "page requested for receiver web: incident opened");
    assert!(receipt.steps[1].text.contains("unmapped fields: /odd"), "{}", receipt.steps[1].text);

    world.silence(1).await;
    running.catch_up(&world.ledger).await;
    let receipt = views.receipt(Some(&fingerprint), None).await.unwrap();
    assert_eq!((receipt.accounted.as_str(), receipt.until.is_some()), ("suppressed", true));
    world.observe(1, false, 0).await;
    running.catch_up(&world.ledger).await;
    assert_eq!(accounted().await, "not_required");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_that_is_too_long_keeps_its_beginning_and_its_end() {
    let mut world = World::new();
    for _ in 0..150 {
        world.observe(1, true, 0).await;
    }
    let running = Running::over(&world.ledger).await;
    let receipt = running.views.receipt(None, None).await.unwrap();
    // Three events a message, and the grouping.
    assert_eq!((receipt.steps.len() as u64, receipt.omitted), (200, 150 * 3 + 1 - 200));
    assert_eq!(receipt.steps[0].stage, "received");
    assert_eq!(receipt.steps.last().unwrap().position, world.position());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timeline_folds_repeats_and_begins_with_the_alert() {
    let mut world = World::new();
    world.observe(1, true, 0).await;
    for _ in 0..20 {
        world.observe(1, true, 0).await;
    }
    let (partition, id) = world.incidents[0].clone();
    world.person(&partition, "k", Command::AcknowledgeIncident { incident: id.clone() }).await;
    let running = Running::over(&world.ledger).await;
    let page = running.views.timeline(id.as_str(), limit(50)).await.unwrap();
    let said: Vec<&str> = page.items.iter().map(|entry| entry.text.as_str()).collect();
    assert_eq!(said[0], "svc-1: Rule1 fired (critical)");
    assert!(said[1].starts_with("opened by svc-1: Rule1"), "{}", said[1]);
    assert!(said[2].starts_with("svc-1: Rule1 received again 20 times, last at "), "{}", said[2]);
    assert_eq!((said[3], said.len()), ("acknowledged by ada", 4));
    let incident = running.views.incident(None, None).await.unwrap();
    assert_eq!((incident.occurrences, incident.alerts), (21, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_is_answered_when_its_decision_is_projected() {
    let mut world = World::new();
    world.observe(1, true, 0).await;
    let running = Running::over(&world.ledger).await;
    let (partition, id) = world.incidents[0].clone();
    let acknowledge = Command::AcknowledgeIncident { incident: id.clone() };
    let command = world.person(&partition, "key-1", acknowledge.clone()).await;
    let outcome = running.views.outcome(&command, Duration::from_secs(5)).await;
    assert_eq!(outcome, CommandOutcome::Accepted { subjects: vec![id.to_string()], position: world.position() });
    let again = world.person(&partition, "key-1", acknowledge).await;
    let outcome = running.views.outcome(&again, Duration::from_secs(5)).await;
    assert!(matches!(outcome, CommandOutcome::Rejected(_)), "{outcome:?}");
    let unknown = hindcast_domain::EventId::derive(&[b"nobody"]);
    assert_eq!(running.views.outcome(&unknown, Duration::from_millis(20)).await, CommandOutcome::Pending);
    let (first, received) = running.views.command_by_key("key-1").await.unwrap();
    assert_eq!((first, received.key.as_str()), (command, "key-1"));
    assert_eq!(running.views.command_by_key("key-2").await, None);
    assert_eq!(running.views.partition_of(id.as_str()).await.unwrap(), partition);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_a_newer_binary_is_shown_counted_and_parked() {
    let mut world = World::new();
    world.observe(1, true, 0).await;
    let raw = serde_json::json!({
        "id": "EVT-0000000000000000", "subject": "x", "time": "2026-01-01T00:00:00Z", "actor": "later",
        "type": "incident.teleported", "data": {"to": "mars"},
    });
    let subject = Subject::lane(&partition(0), "teleport");
    let first = (0, hindcast_ledger::Hash::ZERO);
    let header = hindcast_ledger::CommitHeader::next("L".into(), subject.clone(), 1, first, world.now);
    let (payload, _) = commit::encode(header, &[serde_json::to_vec(&raw).unwrap()]).unwrap();
    world.ledger.append(&subject, 0, payload).await.unwrap();
    let running = Running::over(&world.ledger).await;
    let filter = EventFilter { kind: Some("incident.teleported".into()), ..Default::default() };
    let events = running.views.events(filter, limit(5)).await.unwrap().items;
    assert_eq!(events[0].data, serde_json::json!({"to": "mars"}));
    assert_eq!(running.views.figures().unknown, 1);
    let parked = running.views.parked(true, limit(5)).await.unwrap().items;
    assert_eq!(parked[0].code, "unknown_event");
    assert_eq!(running.views.state(None).await.unwrap().parked, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settled_waits_for_every_service_and_for_the_head() {
    let mut world = World::new();
    world.observe(1, true, 0).await;
    let running = Running::over(&world.ledger).await;
    let settled = || async { running.views.state(None).await.unwrap().settled };
    assert!(settled().await);
    running.progress.report("incidents", ServiceReport { through: world.head() - 1, due: None, appending: 0 });
    assert!(!settled().await, "a lane is behind");
    let due = Some(common::beginning() + Span::hours(1));
    running.progress.report("incidents", ServiceReport { through: world.head(), due, appending: 0 });
    assert!(settled().await, "a timer that is not due yet does not count");
    running
        .progress
        .report("incidents", ServiceReport { through: world.head(), due: Some(common::beginning()), appending: 0 });
    assert!(!settled().await, "a timer is due");
    running.progress.report("incidents", ServiceReport { through: world.head(), due: None, appending: 1 });
    assert!(!settled().await, "something is being appended");
    running.progress.report("incidents", ServiceReport { through: world.head(), due: None, appending: 0 });
    world.cursor_only().await;
    running.catch_up(&world.ledger).await;
    let state = running.views.state(None).await.unwrap();
    assert!(state.settled, "a commit that only seals is nobody's input");
    assert_eq!(state.position, commit::position(world.head(), 0));
    assert_eq!((state.incidents.open, state.alerts.firing), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_of_another_ledger_are_dropped_and_built_anew() {
    let world = shop().await;
    let running = Running::over(&world.ledger).await;
    let folder = running.stop().await;
    let mut other = World::new();
    other.observe(7, true, 0).await;
    other.observe(9, true, 0).await;
    let again = Running::with(&other.ledger, folder, FailPoint::None).await;
    let page = again.views.incidents(IncidentFilter::default(), limit(10)).await.unwrap();
    assert_eq!(page.items.len(), other.incidents.len());
    assert!(again.views.replay(None).await.unwrap().identical);
    assert!(again.views.is_ready());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_ends_the_service_and_what_was_written_stays_readable() {
    let world = shop().await;
    assert!(world.ledger.flip_bit(3, world.records[2].payload.len() - 2));
    let folder = tempfile::tempdir().unwrap();
    let options = hindcast_views::Options {
        folder: folder.path().join("views"),
        ledger: world.ledger.share(),
        clock: std::sync::Arc::new(hindcast_clock::Stepped::new(world.now)),
        progress: hindcast_ledger::LedgerProgress::default(),
        over_kept: None,
        public_url: "https://hc.example/".into(),
        fail: FailPoint::None,
    };
    let views = hindcast_views::Views::open(options).await.unwrap();
    let (_stop, shutdown) = tokio::sync::watch::channel(false);
    let ended = tokio::time::timeout(Duration::from_secs(20), views.run(shutdown)).await;
    assert!(ended.expect("damage ends it").is_err());
    assert!(!views.is_ready());
    assert!(!views.verify().await.unwrap().intact);
    assert!(views.replay(None).await.is_ok(), "an empty projection equals an empty fold");
}
