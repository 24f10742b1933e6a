//! A vendor that is slow, down, or loses its reply; and a card that is gone or refused.

use std::sync::Arc;
use std::time::Duration;

use hindcast_chatops::FailPoint;
use hindcast_domain::chat::Status;
use hindcast_domain::command::Command;
use hindcast_domain::event::Event;
use hindcast_domain::{Severity, Span};
use hindcast_ledger::memory::AppendFault;
use serde_json::json;

use super::{crash, sets};
use crate::harness;
use crate::harness::{MemoryChat, VendorBehaviour, World, rules};

#[tokio::test(start_paused = true)]
async fn a_reply_that_was_lost_does_not_make_a_second_card() {
    for behaviour in [VendorBehaviour::LoseReply, VendorBehaviour::Hang] {
        let world = World::new(rules()).await;
        world.vendor.then(behaviour);
        world.delivers();
        world.declares("checkout is slow", Severity::High, &[]).await;
        world.settle().await;
        assert_eq!(world.vendor.standing().len(), 1, "{behaviour:?}");
        let found = world.count(|event| matches!(event, Event::ChatDelivered(delivered) if delivered.found)).await;
        assert_eq!(found, 1, "{behaviour:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn with_the_look_switched_off_a_lost_reply_makes_a_second_card() {
    let world = World::new(rules()).await;
    world.vendor.then(VendorBehaviour::LoseReply);
    let mut options = world.options();
    options.fail = FailPoint::SkipFind;
    World::delivers_with(options);
    world.declares("checkout is slow", Severity::High, &[]).await;
    world.settle().await;
    assert_eq!(world.vendor.doubles(), 1, "the test of the guarantee can turn red");
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_cannot_be_asked_gets_a_double_only_where_the_outcome_was_unknown() {
    let world = World::new(rules()).await;
    world.vendor.cannot_look();
    world.vendor.then(VendorBehaviour::LoseReply);
    world.delivers();
    let first = world.declares("checkout is slow", Severity::High, &[]).await;
    world.settle().await;
    world.declares("search is slow", Severity::High, &[]).await;
    world.settle().await;
    assert_eq!((world.vendor.standing().len(), world.vendor.doubles()), (3, 1));
    assert!(world.vendor.needless().is_empty());
    assert!((world.metrics.get("hindcast_chat_doubles_possible_total", &[("vendor", "slack")]) - 1.0).abs() < 0.1);
    let messages = world.messages().await;
    let place = messages.card(&first, &"slack".into(), "C1").unwrap().place.clone();
    let second = world.vendor.standing()[1].place.clone();
    assert_eq!(place, Some(second), "the place that we know of is kept current");
}

#[tokio::test(start_paused = true)]
async fn when_the_fact_cannot_be_written_the_message_is_not_sent_again() {
    let world = World::new(rules()).await;
    let incident = world.declares("checkout is slow", Severity::High, &[]).await;
    for _ in 0..3 {
        world.ledger.inject(AppendFault::Refuse);
    }
    world.delivers();
    world.settle().await;
    assert_eq!(world.vendor.standing().len(), 1);
    let messages = world.messages().await;
    assert_eq!(messages.card(&incident, &"slack".into(), "C1").unwrap().status, Status::Delivered);
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_is_down_is_seen_and_costs_a_bounded_number_of_facts() {
    let world = World::new(rules()).await;
    world.vendor.always(VendorBehaviour::Down);
    world.delivers();
    let incident = world.declares("checkout is slow", Severity::High, &[]).await;
    world.clock.set(harness::START + Span::minutes(5));
    world.settle().await;
    let calls = world.vendor.calls();
    assert!((5..30).contains(&calls), "{calls} attempts in 400 s: backed off, and not given up");
    assert_eq!(
        world.count(|event| matches!(event, Event::ChatFailed(_))).await,
        5,
        "further failures are only counted"
    );
    let status = world.handle.status();
    let slack = &status.items[0];
    assert_eq!((slack.reachable, slack.queued, slack.oldest_s), (false, 1, 300), "{slack:?}");
    assert_eq!(slack.last_error.as_deref(), Some("503 Service Unavailable"));
    assert_eq!(slack.waiting[0].url, Some(format!("http://localhost:8080/incidents/{incident}")));
    assert!((world.metrics.get("hindcast_chat_queued", &[("vendor", "slack")]) - 1.0).abs() < 0.1);
    world.vendor.always(VendorBehaviour::Take);
    world.settle().await;
    assert_eq!(world.vendor.standing().len(), 1, "it comes when the vendor does");
    let status = world.handle.status();
    assert_eq!((status.items[0].reachable, status.items[0].queued), (true, 0));
}

#[tokio::test(start_paused = true)]
async fn one_vendor_that_hangs_holds_up_no_other() {
    let world = World::new(json!({"channels": [
        {"vendor": "slack", "channel": "C1"}, {"vendor": "teams", "channel": "19:x"},
    ]}))
    .await;
    world.vendor.always(VendorBehaviour::Hang);
    let teams = Arc::new(MemoryChat::new("teams", world.ledger.clone()));
    let mut options = world.options();
    options.vendors.push(Arc::clone(&teams) as hindcast_messaging::chat::Shared);
    World::delivers_with(options);
    for n in 0..10 {
        world.declares(&format!("{n}"), Severity::High, &[]).await;
    }
    world.quiet().await;
    assert_eq!(teams.standing().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_card_that_is_gone_is_said_to_be_and_not_shown_again() {
    let world = World::new(rules()).await;
    let run = world.delivers();
    let incident = world.declares("checkout is slow", Severity::High, &[]).await;
    world.settle().await;
    world.vendor.always(VendorBehaviour::Gone);
    world.command(Command::AcknowledgeIncident { incident: incident.clone() }).await;
    world.settle().await;
    world.vendor.always(VendorBehaviour::Take);
    sets(&world, &incident, Severity::Critical).await;
    world.settle().await;
    crash(run).await;
    world.delivers();
    world.settle().await;
    assert_eq!((world.vendor.standing().len(), world.vendor.updates().len()), (1, 0));
    let status = world.handle.status();
    assert_eq!((status.items[0].gone, status.items[0].queued), (1, 0), "{status:?}");
    let expired = world.count(|event| matches!(event, Event::ChatExpired(_))).await;
    assert_eq!(expired, 3, "the card, and the two notes that belonged under it; a restart says nothing again");
}

#[tokio::test(start_paused = true)]
async fn a_card_that_is_refused_is_tried_again_while_its_incident_goes_on() {
    let world = World::new(rules()).await;
    world.vendor.always(VendorBehaviour::Never);
    world.delivers();
    world.declares("checkout is slow", Severity::High, &[]).await;
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert!((2..20).contains(&world.vendor.calls()), "{}", world.vendor.calls());
    assert!(world.count(|event| matches!(event, Event::ChatFailed(_))).await <= 5);
    let status = world.handle.status();
    assert_eq!(status.items[0].last_error.as_deref(), Some("not_in_channel"));
    // Somebody invites us.
    world.vendor.always(VendorBehaviour::Take);
    tokio::time::sleep(Duration::from_secs(400)).await;
    assert_eq!(world.vendor.standing().len(), 1);
}
