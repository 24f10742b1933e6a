//! Cases of decisions: fences, `now`, snapshots, unknown versions, idleness. They run the real lane runner
//! with a decider that says one thing for each input.

use std::collections::BTreeMap;
use std::time::Duration;

use hindcast_domain::event::Event;
use hindcast_domain::{Partition, Time};

use super::Factory;
use super::toy::{
    Chains, Count, Counter, Running, assert_sound, decided, decisions, events, fact, fact_of, intake, lane, partition,
    writer,
};
use hindcast_eventlog::lane::{Error, redecide};
use hindcast_eventlog::read::ReadEvent;
use hindcast_eventlog::snapshot::{SnapshotHeader, SnapshotStore};
use hindcast_ledger::commit::{self, Hash};

/// Two owners at once, each sure that it is the one: every input is decided once, and the chain holds.
pub async fn an_owner_that_lost_its_lease_is_fenced(make: &dyn Factory) {
    const FACTS: usize = 30;
    let site = make.site("FENCE").await;
    let (ledger, another) = (site.ledger(), site.another().await);
    let door = writer(&ledger, "door", 10);
    let one = Running::start(&ledger, "one", SnapshotStore::none());
    let two = Running::start(&another, "two", SnapshotStore::none());
    for n in 0..FACTS {
        door.facts().submit(&partition(), vec![fact(&n.to_string())]).await.unwrap();
    }
    decided(ledger.as_ref(), FACTS).await;
    assert!(!one.is_finished() && !two.is_finished(), "an owner that was fenced folds again and goes on");
    one.stop().await;
    // The other goes on alone, whoever had it before.
    door.facts().submit(&partition(), vec![fact("last")]).await.unwrap();
    decided(ledger.as_ref(), FACTS + 1).await;
    two.stop().await;
    door.stop().await;
    let decisions = decisions(ledger.as_ref()).await;
    let counted: Vec<u64> = decisions.iter().map(|(count, _, _)| *count).collect();
    assert_eq!(counted, (1..=FACTS as u64 + 1).collect::<Vec<_>>(), "each input is decided once, in order");
    assert_sound(ledger.as_ref()).await;
}

/// A lane reads only its inputs; who reads everything derives the same `now` for each of its decisions.
pub async fn a_filtered_and_a_full_reader_agree_on_now(make: &dyn Factory) {
    let site = make.site("NOW").await;
    let ledger = site.ledger();
    let noise = Partition::of_environment("elsewhere");
    let (fast, slow) = (writer(&ledger, "fast", 5_000), writer(&ledger, "slow", 1_000));
    let far = writer(&ledger, "far", 900_000);
    for n in 0..4 {
        slow.facts().submit(&partition(), vec![fact(&format!("slow {n}"))]).await.unwrap();
        far.facts().submit(&noise, vec![fact("noise")]).await.unwrap();
        fast.facts().submit(&partition(), vec![fact(&format!("fast {n}"))]).await.unwrap();
    }
    let owner = Running::start(&ledger, "owner", SnapshotStore::none());
    decided(ledger.as_ref(), 12).await;
    owner.stop().await;
    for writer in [fast, slow, far] {
        writer.stop().await;
    }
    let mut stamps = BTreeMap::new();
    let mut now: BTreeMap<Partition, Time> = BTreeMap::new();
    for (header, recorded) in events(ledger.as_ref()).await {
        let Event::Restored(said) = &recorded.event else {
            stamps.insert(recorded.id.as_str().to_owned(), header.stamped_at);
            continue;
        };
        let input = stamps.get(&said.hash).copied().expect("a decision names an input before it");
        let now = now.entry(recorded.partition.clone()).or_default();
        *now = (*now).max(input);
        assert_eq!(recorded.time, *now, "the lane's now is the maximum of its own inputs' stamps");
    }
    assert_eq!(now.get(&partition()), Some(&Time::from_millis(5_000)), "another partition's clock is not ours");
}

/// A snapshot is used where it fits, to the same decisions; one that does not fit is not used.
pub async fn a_snapshot_is_resumed_and_a_foreign_one_refused(make: &dyn Factory) {
    let site = make.site("SNAPSHOT").await;
    let ledger = site.ledger();
    let store = SnapshotStore::at(site.scratch());
    let door = writer(&ledger, "door", 10);
    for n in 0..5 {
        door.facts().submit(&partition(), vec![fact(&n.to_string())]).await.unwrap();
    }
    let owner = Running::start(&ledger, "owner", store.clone());
    decided(ledger.as_ref(), 5).await;
    owner.stop().await;
    for n in 5..8 {
        door.facts().submit(&partition(), vec![fact(&n.to_string())]).await.unwrap();
    }
    let owner = Running::start(&ledger, "owner", store.clone());
    decided(ledger.as_ref(), 8).await;
    owner.stop().await;
    door.stop().await;
    let counted: Vec<u64> = decisions(ledger.as_ref()).await.iter().map(|(count, _, _)| *count).collect();
    assert_eq!(counted, (1..=8).collect::<Vec<_>>(), "the state after a resume is the state before it");
    assert_sound(ledger.as_ref()).await;

    let record = ledger.get(2).await.unwrap().unwrap();
    let (_, hash) = commit::decode_header(&record.payload).unwrap();
    let fold_version = hindcast_domain::canonical::FOLD_VERSION;
    let fits = SnapshotHeader { ledger_id: "SNAPSHOT".to_owned(), fold_version, seq: 2, hash };
    for (stamp, used) in [
        (fits.clone(), true),
        (SnapshotHeader { hash: Hash::of(b"another commit"), ..fits.clone() }, false),
        (SnapshotHeader { ledger_id: "ANOTHER".to_owned(), ..fits.clone() }, false),
        (SnapshotHeader { fold_version: fold_version + 1, ..fits.clone() }, false),
        (SnapshotHeader { seq: 1_000, ..fits }, false),
    ] {
        store.write("case", stamp.clone(), &Count::default()).unwrap();
        let read = store.read::<Count>("case", ledger.as_ref()).await;
        assert_eq!(read.is_some(), used, "a snapshot at {stamp:?}");
    }
}

/// An owner that is killed in the middle of a backlog that it decides out of order: the next one goes on, decides
/// nothing twice and passes over nothing, and each line and each alert keep their order.
pub async fn a_backlog_that_was_overtaken_is_resumed(make: &dyn Factory) {
    const FLOOD: usize = 5_000;
    let site = make.site("BACKLOG").await;
    let ledger = site.ledger();
    let door = writer(&ledger, "door", 10);
    let flood: Vec<_> = (0..FLOOD).map(|n| fact_of("flood", (n == 40).then_some("a"), &format!("{n:05}"))).collect();
    let last = ["urgent of the flood", "urgent of the flood too"].map(|title| fact_of("flood", Some("a"), title));
    let quiet = ["quiet 1", "quiet 2"].map(|title| fact_of("quiet", None, title));
    for facts in flood.chunks(250).map(<[_]>::to_vec).chain([last.to_vec(), quiet.to_vec()]) {
        door.facts().submit(&partition(), facts).await.unwrap();
    }
    door.stop().await;
    let owner = Running::start_behind(&ledger, "owner", SnapshotStore::none(), 4);
    while ledger
        .last(&lane())
        .await
        .unwrap()
        .is_none_or(|record| commit::decode_header(&record.payload).unwrap().0.order.is_empty())
    {
        tokio::task::yield_now().await;
    }
    owner.kill().await;
    let before = decisions(ledger.as_ref()).await.len();
    assert!((1..FLOOD).contains(&before), "the owner was killed in the middle, behind {before} decisions");
    let owner = Running::start_behind(&ledger, "owner", SnapshotStore::none(), 4);
    decided(ledger.as_ref(), FLOOD + 4).await;
    owner.stop().await;
    assert_sound(ledger.as_ref()).await;

    let mut titles = BTreeMap::new();
    for (_, recorded) in events(ledger.as_ref()).await {
        if let Event::Change(change) = recorded.event {
            titles.insert(recorded.id.as_str().to_owned(), change.title);
        }
    }
    let decisions = decisions(ledger.as_ref()).await;
    let order: Vec<String> = decisions.iter().map(|(_, input, _)| titles[input].clone()).collect();
    let counted: Vec<u64> = decisions.iter().map(|(count, _, _)| *count).collect();
    assert_eq!(counted, (1..=FLOOD as u64 + 4).collect::<Vec<_>>(), "the state after a resume is the state before it");
    assert_eq!(order.iter().collect::<std::collections::BTreeSet<_>>().len(), FLOOD + 4, "each input is decided once");
    let line: Vec<&String> = order.iter().filter(|title| title.parse::<usize>().is_ok_and(|n| n != 40)).collect();
    assert!(line.is_sorted(), "what waits in one line keeps its order");
    let at = |title: &str| order.iter().position(|other| other == title).unwrap();
    assert!(at("00040") < at("urgent of the flood"), "an alert's own inputs do not overtake each other");
    assert!(at("urgent of the flood") < at("urgent of the flood too"));
    for title in ["urgent of the flood too", "quiet 1", "quiet 2"] {
        assert!(at(title) < 20, "{title} is decided at {} of {}", at(title), order.len());
    }
    assert!(decisions.is_sorted_by_key(|(_, _, now)| *now), "now stays monotone");
    let again = redecide(&ledger, Counter, ledger.head().await.unwrap()).await.unwrap();
    assert_eq!((again.divergences, again.folded), (Vec::new(), 0), "the recorded order decides itself again");
}

/// A decider does not guess what a newer binary meant: it ends, and says which event it was.
pub async fn an_unknown_version_stops_a_decider(make: &dyn Factory) {
    let site = make.site("UNKNOWN").await;
    let ledger = site.ledger();
    let door = writer(&ledger, "other", 10);
    door.facts().submit(&partition(), vec![fact("known")]).await.unwrap();
    door.stop().await;
    let (_, recorded) = events(ledger.as_ref()).await.pop().unwrap();
    let first = ledger.get(1).await.unwrap().unwrap();
    let known = hindcast_eventlog::read::commit(&first).unwrap().events;
    let later = newer(&known[0]);
    let (expected, payload) = Chains::default().next(ledger.as_ref(), &intake("newer"), &[later]);
    let seq = ledger.append(&intake("newer"), expected, payload).await.unwrap();

    let record = ledger.get(seq).await.unwrap().unwrap();
    let items = hindcast_eventlog::read::events(&record, &hindcast_eventlog::read::commit(&record).unwrap()).unwrap();
    assert!(
        matches!(items.as_slice(), [ReadEvent::Unknown { version: 99, .. }]),
        "a reader can park it, got {items:?}"
    );
    let outcome = Running::start(&ledger, "owner", SnapshotStore::none()).outcome().await;
    match outcome {
        Err(Error::Unknown { position, version: 99, .. }) => assert_eq!(commit::seq_of(position), seq),
        other => panic!("expected the decider to refuse the unknown version, got {other:?}"),
    }
    assert!(commit::seq_of(recorded.position) < seq);
    assert_sound(ledger.as_ref()).await;
}

/// The same event in a version that no binary of ours wrote.
fn newer(event: &[u8]) -> Vec<u8> {
    let mut event: serde_json::Value = serde_json::from_slice(event).unwrap();
    event["v"] = 99.into();
    serde_json::to_vec(&event).unwrap()
}

/// Two owners that have nothing to decide write nothing: an idle ledger does not grow.
pub async fn two_idle_lanes_do_not_grow(make: &dyn Factory) {
    let site = make.site("IDLE").await;
    let ledger = site.ledger();
    let door = writer(&ledger, "door", 10);
    let elsewhere = Partition::of_environment("elsewhere");
    door.facts().submit(&partition(), vec![fact("a")]).await.unwrap();
    door.facts().submit(&elsewhere, vec![fact("b")]).await.unwrap();
    let owner = Running::start(&ledger, "owner", SnapshotStore::none());
    decided(ledger.as_ref(), 2).await;
    let head = ledger.head().await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(ledger.head().await.unwrap(), head, "nothing was asked, nothing is written");
    owner.stop().await;
    door.stop().await;
    let sealed = ledger.last(&lane()).await.unwrap().unwrap();
    assert!(!commit::decode_header(&sealed.payload).unwrap().0.consumed.is_empty(), "the intake is sealed");
}
