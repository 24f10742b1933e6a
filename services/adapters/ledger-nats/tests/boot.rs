//! What a ledger on JetStream must be before it is used, asserted against real servers; and what is shared
//! between processes: leases and progress.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests say what they expect

use crate::common;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use common::{Place, program};
use hindcast_domain::Time;
use hindcast_eventlog::snapshot::SnapshotStore;
use hindcast_ledger::port::LeaseError;
use hindcast_ledger::progress::ServiceReport;
use hindcast_ledger::{Durability, Ledger, LedgerProgress, Shared};
use hindcast_ledger_nats::{NatsLedger, NatsServer, OpenError, Options, server};
use hindcast_testkit::conformance::Site;
use hindcast_testkit::conformance::toy::{self, Chains, all, intake};

async fn refused(options: Options) -> OpenError {
    NatsLedger::connect(options).await.map(|_| ()).expect_err("expected it to be refused")
}

async fn start(store: &Path, sync_always: bool) -> NatsServer {
    let options =
        server::ServerOptions { kill_on_drop: true, sync_always, ..server::ServerOptions::at(program().await, store) };
    NatsServer::start(options).await.unwrap()
}

#[tokio::test]
async fn what_cannot_be_seen_is_lossy_and_needs_a_yes() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), true).await;
    let unseen = Options::at(&server.url());
    assert!(matches!(refused(unseen.clone()).await, OpenError::Lossy { .. }));
    let wrong = Options { monitoring: Some("http://127.0.0.1:1".to_owned()), ..unseen.clone() };
    assert!(matches!(refused(wrong).await, OpenError::Lossy { .. }));
    let accepted = NatsLedger::connect(Options { accept_lossy: true, ..unseen.clone() }).await.unwrap();
    assert_eq!(accepted.info().durability, Durability::Lossy);
    let seen = Options { monitoring: Some(server.monitoring()), ..unseen };
    assert_eq!(NatsLedger::connect(seen).await.unwrap().info().durability, Durability::Synced);
}

#[tokio::test]
async fn a_server_that_syncs_later_is_lossy() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), false).await;
    let options = Options { monitoring: Some(server.monitoring()), ..Options::at(&server.url()) };
    let error = refused(options.clone()).await;
    assert!(matches!(&error, OpenError::Lossy { why } if why.contains("later")), "{error:?}");
    let accepted = NatsLedger::connect(Options { accept_lossy: true, ..options }).await.unwrap();
    assert_eq!(accepted.info().durability, Durability::Lossy);
}

#[tokio::test]
async fn another_servers_monitoring_address_proves_nothing() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (ours, theirs) = (start(folders[0].path(), false).await, start(folders[1].path(), true).await);
    let options = Options { monitoring: Some(theirs.monitoring()), ..Options::at(&ours.url()) };
    let error = refused(options).await;
    assert!(matches!(&error, OpenError::Lossy { why } if why.contains("another server")), "{error:?}");
}

#[tokio::test]
async fn a_stream_that_was_changed_is_refused_and_each_setting_named() {
    let place = Place::new("CHANGED").await;
    let context = jetstream::new(async_nats::connect(place.server().url()).await.unwrap());
    let mut config = context.get_stream("HINDCAST").await.unwrap().cached_info().config.clone();
    config.discard = jetstream::stream::DiscardPolicy::Old;
    config.max_age = Duration::from_secs(3_600);
    context.update_stream(config).await.unwrap();
    let error = refused(place.options()).await;
    let said = error.to_string();
    assert!(matches!(error, OpenError::Unfit { .. }), "{said}");
    assert!(said.contains("discard new") && said.contains("max_age"), "{said}");
}

#[tokio::test]
async fn a_foreign_stream_and_another_ledger_are_refused() {
    let place = Place::new("MINE").await;
    let error = refused(Options { ledger_id: Some("THEIRS".to_owned()), ..place.options() }).await;
    assert!(matches!(error, OpenError::OtherLedger { .. }), "{error:?}");
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), true).await;
    let context = jetstream::new(async_nats::connect(server.url()).await.unwrap());
    let config = jetstream::stream::Config {
        name: "HINDCAST".to_owned(),
        subjects: vec!["other.>".to_owned()],
        ..jetstream::stream::Config::default()
    };
    context.create_stream(config).await.unwrap();
    let error = refused(Options { accept_lossy: true, ..Options::at(&server.url()) }).await;
    assert!(matches!(error, OpenError::NoIdentity(_)), "{error:?}");
}

#[tokio::test]
async fn nobody_can_delete_or_purge_what_is_there() {
    let place = Place::new("DENY").await;
    let ledger = place.ledger();
    Chains::default().append(ledger.as_ref(), &intake("a")).await.unwrap();
    let context = jetstream::new(async_nats::connect(place.server().url()).await.unwrap());
    let stream = context.get_stream("HINDCAST").await.unwrap();
    assert!(stream.delete_message(1).await.is_err());
    assert!(stream.purge().await.is_err());
    assert_eq!(ledger.head().await.unwrap(), 1);
}

#[tokio::test]
async fn a_lease_has_one_holder_and_expires_with_it() {
    let place = Place::new("LEASE").await;
    let short = Options { lease: Duration::from_secs(1), ..place.options() };
    // The stream of leases is made with the first lifetime that it meets.
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), true).await;
    let options = Options { url: server.url(), monitoring: Some(server.monitoring()), ..short };
    let one = NatsLedger::connect(options.clone()).await.unwrap();
    let two = NatsLedger::connect(options).await.unwrap();
    let held = one.lease("incidents", "one").await.unwrap();
    assert!(held.renew().await, "its holder keeps it");
    let Err(LeaseError::Held { holder, .. }) = two.lease("incidents", "two").await else {
        panic!("expected the lease to be held");
    };
    assert_eq!(holder, "one");
    two.lease("notices", "two").await.expect("another lease is free");
    held.release().await;
    let theirs = two.lease("incidents", "two").await.expect("what was given back can be taken");
    assert!(!held.renew().await, "who gave it back has it no more");
    // Nobody renews it: it expires.
    tokio::time::sleep(Duration::from_secs(3)).await;
    one.lease("incidents", "one").await.expect("what expired can be taken");
    assert!(!theirs.renew().await, "who was silent for too long has lost it");
}

/// Leases far shorter than the time between two renewals: owners lose them all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn owners_whose_leases_expire_decide_each_input_once() {
    const FACTS: usize = 40;
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), true).await;
    let options = Options {
        lease: Duration::from_millis(150),
        monitoring: Some(server.monitoring()),
        ..Options::at(&server.url())
    };
    let mut owners = Vec::new();
    let mut ledgers: Vec<Shared> = Vec::new();
    for owner in ["one", "two"] {
        let ledger: Shared = Arc::new(NatsLedger::connect(options.clone()).await.unwrap());
        owners.push(toy::Running::start(&ledger, owner, SnapshotStore::none()));
        ledgers.push(ledger);
    }
    let door = toy::writer(&ledgers[0], "door", 10);
    for n in 0..FACTS {
        door.facts().submit(&toy::partition(), vec![toy::fact(&n.to_string())]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    toy::decided(ledgers[1].as_ref(), FACTS).await;
    for owner in owners {
        owner.stop().await;
    }
    door.stop().await;
    let counted: Vec<u64> = toy::decisions(ledgers[0].as_ref()).await.iter().map(|(count, _, _)| *count).collect();
    assert_eq!(counted, (1..=FACTS as u64).collect::<Vec<_>>());
    toy::assert_sound(ledgers[1].as_ref()).await;
}

#[tokio::test]
async fn progress_is_heard_by_others_and_forgotten_with_its_process() {
    let place = Place::new("PROGRESS").await;
    let (one, two) =
        (NatsLedger::connect(place.options()).await.unwrap(), NatsLedger::connect(place.options()).await.unwrap());
    let (ours, theirs) = (LedgerProgress::default(), LedgerProgress::default());
    let _listening = one.share_progress(ours.clone(), "p1");
    let speaking = two.share_progress(theirs.clone(), "p2");
    let report = ServiceReport { through: 7, due: Some(Time::from_millis(9)), appending: 0 };
    theirs.report("incidents", report);
    theirs.report("writer/door/x", ServiceReport { appending: 1, ..ServiceReport::default() });
    ours.report("views", ServiceReport { through: 3, ..ServiceReport::default() });
    let wait = |wanted: &'static str, there: bool| {
        let ours = ours.clone();
        async move {
            let work = async {
                while ours.all().contains_key(wanted) != there {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(10), work).await.expect(wanted);
        }
    };
    wait("p2/incidents", true).await;
    wait("writer/p2/door/x", true).await;
    assert_eq!(ours.all().get("p2/incidents"), Some(&report));
    assert!(!ours.settled(3, Time::ZERO), "another process still appends");
    theirs.report("writer/door/x", ServiceReport::default());
    let through = async {
        while !ours.settled(3, Time::ZERO) || !theirs.all().contains_key("p1/views") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), through).await.expect("both hear that both are through");
    assert!(!theirs.all().contains_key("p1/p2/incidents"), "nobody repeats what it heard");
    drop(speaking);
    wait("p2/incidents", false).await;
    wait("writer/p2/door/x", false).await;
}

#[tokio::test]
async fn the_brokers_time_is_about_ours() {
    let place = Place::new("TIME").await;
    let ledger = NatsLedger::connect(place.options()).await.unwrap();
    use hindcast_clock::Clock;
    let distance = hindcast_clock::System.now().distance(ledger.broker_time().await.unwrap());
    assert!(distance < hindcast_domain::Span::minutes(1), "{distance:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_and_writers_survive_a_server_that_is_killed() {
    const FACTS: u64 = 400;
    let mut place = Place::new("KILLS").await;
    let ledger = place.ledger();
    let mut tail = ledger.tail(1);
    let reader = tokio::spawn(async move {
        let mut next = 1;
        while next <= FACTS {
            for record in tail.next().await.expect("a reader outlives a restart") {
                assert_eq!(record.seq, next, "in order, without a gap or a repetition");
                next += 1;
            }
        }
    });
    let writer = {
        let ledger = Arc::clone(&ledger);
        tokio::spawn(async move {
            let subject = intake("a");
            let mut last = 0;
            for n in 0..FACTS {
                // Slow enough that both kills come in the middle.
                tokio::time::sleep(Duration::from_millis(2)).await;
                let payload = bytes::Bytes::from(format!("fact {n}"));
                loop {
                    match ledger.append(&subject, last, payload.clone()).await {
                        Ok(seq) => break last = seq,
                        Err(_) => match ledger.first_after(&subject, last).await {
                            Ok(Some(record)) if record.payload == payload => {
                                break last = record.seq;
                            }
                            Ok(Some(record)) => panic!("somebody else's commit at {}", record.seq),
                            _ => tokio::time::sleep(Duration::from_millis(50)).await,
                        },
                    }
                }
            }
        })
    };
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert!(!writer.is_finished(), "the case needs a kill in the middle");
        place.restart(true, |_| ()).await;
    }
    tokio::time::timeout(Duration::from_secs(60), writer).await.expect("the writer ends").unwrap();
    tokio::time::timeout(Duration::from_secs(60), reader).await.expect("the reader ends").unwrap();
    let facts: Vec<_> = all(ledger.as_ref()).await.into_iter().map(|record| record.payload).collect();
    let expected: Vec<_> = (0..FACTS).map(|n| bytes::Bytes::from(format!("fact {n}"))).collect();
    assert_eq!(facts, expected, "each fact once, in order");
}

#[tokio::test]
async fn a_server_that_a_crash_left_running_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let first = start(folder.path(), true).await;
    let options = server::ServerOptions::at(program().await, folder.path());
    let second = NatsServer::start(options).await.unwrap();
    assert_eq!((second.pid(), second.url()), (first.pid(), first.url()), "no second server on one store");
    second.stop().await.expect("it can be stopped by who took it over");
    let third = start(folder.path(), true).await;
    assert_eq!(third.url(), first.url(), "a restart keeps its port, so that clients find it");
}

#[tokio::test]
async fn a_reader_outlives_its_consumer() {
    let place = Place::new("CONSUMER").await;
    let ledger = place.ledger();
    let (mut chains, subject) = (Chains::default(), intake("a"));
    let context = jetstream::new(async_nats::connect(place.server().url()).await.unwrap());
    let stream = context.get_stream("HINDCAST").await.unwrap();
    let mut tail = ledger.tail(1);
    for seq in 1..=5 {
        chains.append(ledger.as_ref(), &subject).await.unwrap();
        let records = tokio::time::timeout(Duration::from_secs(20), tail.next()).await.expect("it goes on").unwrap();
        assert_eq!(records.iter().map(|record| record.seq).collect::<Vec<_>>(), [seq]);
        let mut names = stream.consumer_names();
        let mut deleted = 0;
        while let Some(name) = futures::StreamExt::next(&mut names).await {
            stream.delete_consumer(&name.unwrap()).await.unwrap();
            deleted += 1;
        }
        assert!(deleted > 0, "the case needs a consumer to delete");
    }
}
