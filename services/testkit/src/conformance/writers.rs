//! Cases of intake: unknown outcomes, twins, and stamps. They run the real writer.

use std::collections::BTreeSet;
use std::sync::Arc;

use hindcast_domain::Time;

use super::Factory;
use super::flaky::Flaky;
use super::toy::{Chains, all, assert_sound, events, fact, intake, partition, titles, writer};
use hindcast_ledger::commit;
use hindcast_ledger::memory::AppendFault;
use hindcast_ledger::port::Shared;

async fn survives(make: &dyn Factory, id: &str, faults: &[AppendFault]) {
    let site = make.site(id).await;
    let flaky: Shared = Flaky::around(&site.ledger(), faults);
    let writer = writer(&flaky, "door", 10);
    let receipt = writer.facts().submit(&partition(), vec![fact("one")]).await.expect("an outcome is found out");
    assert_eq!(commit::seq_of(receipt.position()), 1, "the receipt names the commit that is there");
    writer.facts().submit(&partition(), vec![fact("two")]).await.expect("the writer goes on");
    writer.stop().await;
    assert_eq!(titles(site.ledger().as_ref()).await, ["one", "two"]);
    assert_sound(site.ledger().as_ref()).await;
}

/// Written, and the answer lost: the leader is read, and there it is.
pub async fn a_lost_acknowledgement_is_no_second_commit(make: &dyn Factory) {
    survives(make, "LOSTACK", &[AppendFault::LoseAcknowledgement]).await;
}

/// Lost on the way: nothing is there, so the same bytes are sent again; twice in a row, too.
pub async fn a_lost_request_is_sent_again(make: &dyn Factory) {
    survives(make, "LOSTREQ", &[AppendFault::LoseRequest, AppendFault::LoseRequest]).await;
}

/// A conflict is a reason to read, not an outcome: where nobody's commit stands, ours is sent again.
pub async fn a_conflict_without_a_rival_is_looked_into(make: &dyn Factory) {
    survives(make, "NORIVAL", &[AppendFault::Conflict]).await;
}

/// Written, the answer lost, and a twin's commit already on top: ours is the *first* after what we
/// expected, so it is success; the next append then meets the twin.
pub async fn a_lost_acknowledgement_with_a_successor_on_top_is_success(make: &dyn Factory) {
    let site = make.site("ONTOP").await;
    let flaky = Flaky::around(&site.ledger(), &[AppendFault::LoseAcknowledgement]);
    // What the twin writes need not chain for this; only its place matters.
    let (_, payload) = Chains::default().next(flaky.as_ref(), &intake("door"), &[b"{\"twin\":1}".to_vec()]);
    flaky.follow_with(intake("door"), payload);
    let shared: Shared = flaky;
    let writer = writer(&shared, "door", 10);
    let first = writer.facts().submit(&partition(), vec![fact("one")]).await.expect("ours is there");
    assert_eq!(commit::seq_of(first.position()), 1);
    writer.facts().submit(&partition(), vec![fact("two")]).await.expect("another slot is taken");
    writer.stop().await;
    let subjects: Vec<_> = all(site.ledger().as_ref()).await.into_iter().map(|record| record.subject).collect();
    assert_eq!(subjects, [intake("door"), intake("door"), intake("door-1")]);
}

/// Two writers in one slot: the one that is fenced takes another slot, and every fact is there once.
pub async fn a_twin_in_a_slot_takes_another(make: &dyn Factory) {
    let site = make.site("TWIN").await;
    let one = writer(&site.ledger(), "door", 10);
    let two = writer(&site.another().await, "door", 10);
    one.facts().submit(&partition(), vec![fact("a")]).await.unwrap();
    two.facts().submit(&partition(), vec![fact("b")]).await.unwrap();
    one.facts().submit(&partition(), vec![fact("c")]).await.unwrap();
    two.facts().submit(&partition(), vec![fact("d")]).await.unwrap();
    one.stop().await;
    two.stop().await;
    assert_eq!(titles(site.ledger().as_ref()).await, ["a", "b", "c", "d"]);
    let slots: BTreeSet<_> = all(site.ledger().as_ref()).await.into_iter().map(|record| record.subject).collect();
    assert_eq!(slots, BTreeSet::from([intake("door"), intake("door-1")]), "the fenced one took the next slot");
    assert_sound(site.ledger().as_ref()).await;
}

/// Requests that wait at the same time are answered by fewer commits than there are requests.
pub async fn concurrent_requests_share_commits(make: &dyn Factory) {
    const REQUESTS: usize = 200;
    let site = make.site("SHARE").await;
    let writer = writer(&site.ledger(), "door", 10);
    let mut requests = tokio::task::JoinSet::new();
    for n in 0..REQUESTS {
        let writer = writer.clone();
        requests.spawn(async move { writer.facts().submit(&partition(), vec![fact(&n.to_string())]).await.unwrap() });
    }
    let mut positions = BTreeSet::new();
    while let Some(receipt) = requests.join_next().await {
        positions.extend(receipt.unwrap().positions);
    }
    writer.stop().await;
    assert_eq!(positions.len(), REQUESTS, "every event has a place of its own");
    let commits = site.ledger().head().await.unwrap();
    assert!(commits < REQUESTS as u64, "expected requests to share commits, got {commits} for {REQUESTS}");
    assert_eq!(titles(site.ledger().as_ref()).await.len(), REQUESTS);
}

/// Clocks disagree; what was recorded when is the running maximum over the whole ledger, so it never goes
/// back, and every reader derives the same.
pub async fn stamps_may_go_backward_between_writers(make: &dyn Factory) {
    let site = make.site("STAMPS").await;
    let fast = writer(&site.ledger(), "fast", 5_000);
    let slow = writer(&site.another().await, "slow", 1_000);
    for n in 0..3 {
        fast.facts().submit(&partition(), vec![fact(&format!("fast {n}"))]).await.unwrap();
        slow.facts().submit(&partition(), vec![fact(&format!("slow {n}"))]).await.unwrap();
    }
    fast.stop().await;
    slow.stop().await;
    let ledger = site.ledger();
    let stamps: Vec<Time> = events(ledger.as_ref()).await.iter().map(|(header, _)| header.stamped_at).collect();
    assert!(stamps.windows(2).any(|pair| pair[1] < pair[0]), "the case needs stamps that go backward");
    let recorded = |stamps: &[Time]| {
        let running = stamps.iter().scan(Time::ZERO, |max, stamp| {
            *max = (*max).max(*stamp);
            Some(*max)
        });
        running.collect::<Vec<_>>()
    };
    assert_eq!(recorded(&stamps), vec![Time::from_millis(5_000); 6]);
    let again: Vec<Time> =
        events(site.another().await.as_ref()).await.iter().map(|(header, _)| header.stamped_at).collect();
    assert_eq!(recorded(&again), recorded(&stamps), "every reader derives the same");
    assert_sound(Arc::clone(&ledger).as_ref()).await;
}
