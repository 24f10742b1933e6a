//! A shadow decides beside the version in force and changes nothing; it says each thing once, whatever ends it.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use crate::harness;
use std::sync::Arc;
use std::time::Duration;

use harness::common::{at, world};
use harness::{Past, production, types};
use hindcast_api::BacktestRequest;
use hindcast_clock::{self as clock, Stepped};
use hindcast_correlation::weights::GroupingWeights;
use hindcast_correlator::Correlator;
use hindcast_domain::book::Book;
use hindcast_domain::canonical;
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::lane::names;
use hindcast_domain::model::PAIR_SCORER;
use hindcast_domain::model::{Placed, Registered, Shadowed, Unshadowed};
use hindcast_eventlog::lane;
use hindcast_facts::NewFact;
use hindcast_intake::IntakeWriter;
use hindcast_learning::{Options, ShadowService};
use hindcast_ledger::{LedgerProgress, Record, Seq, Shared, Subject, commit};
use hindcast_mlops::train;
use hindcast_training::Learning;
use sha2::Digest;
use tokio::sync::watch;
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_secs(60);

/// A version that keeps everything apart: it differs from the one in force wherever that joins.
fn registered() -> Registered {
    // Nothing shared weighs anything, so that nothing is ever one problem.
    let apart = GroupingWeights {
        same_entity: 0,
        same_name: 0,
        same_namespace: 0,
        labels: 0,
        words: 0,
        ..GroupingWeights::default()
    };
    let weights = GroupingWeights { version: 2, bias: -12_000, same_service: 0, topology: 0, returning: 0, ..apart };
    let lineage = hindcast_domain::model::Lineage {
        from: 0,
        to: 0,
        labels: 0,
        dataset: String::new(),
        seed: 1,
        code: "test".into(),
        features: 1,
        parent: 1,
    };
    Registered {
        name: PAIR_SCORER.into(),
        version: 2,
        hash: train::hash(&weights, &lineage),
        weights: train::to_map(&weights),
        lineage,
        metrics: std::collections::BTreeMap::new(),
        card: String::new(),
    }
}

async fn wish(past: &mut Past, from: u64) {
    past.say(at(90 * 86_400), "pair-scorer/2", Event::ModelRegistered(registered())).await;
    let shadowed = Shadowed { name: PAIR_SCORER.into(), version: 2, from };
    past.say(at(90 * 86_400), PAIR_SCORER, Event::ModelShadowed(shadowed)).await;
}

struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

fn run(options: Options) -> Running {
    let (stop, stopped) = watch::channel(false);
    let shadow = ShadowService::new(options, || Correlator);
    Running { stop, task: tokio::spawn(async move { shadow.run(stopped).await.unwrap() }) }
}

impl Running {
    async fn end(self) {
        self.stop.send(true).unwrap();
        self.task.await.unwrap();
    }
}

async fn placed(ledger: &Shared) -> Vec<Placed> {
    let of = |event: Recorded| match event.event {
        Event::ShadowPlaced(placed) => {
            assert_eq!((event.subject.as_str(), event.partition), ("pair-scorer/2", production()));
            Some(placed)
        }
        _ => None,
    };
    harness::events(ledger).await.into_iter().filter_map(of).collect()
}

/// Waits until a ledger has not grown for a while.
async fn settled(ledger: &Shared) -> u64 {
    let mut before = (ledger.head().await.unwrap(), 0);
    let settled = async {
        while before.1 < 8 {
            tokio::time::sleep(Duration::from_millis(150)).await;
            let head = ledger.head().await.unwrap();
            before = if head == before.0 { (head, before.1 + 1) } else { (head, 0) };
        }
    };
    tokio::time::timeout(PATIENCE, settled).await.expect("the ledger comes to rest");
    before.0
}

async fn lived(past: &mut Past, problems: usize) {
    let mut lived = harness::common::Ledger::new(3);
    world::live(&mut lived, &world::week(7, 0, problems), 0, 3);
    past.write(&lived, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_past_is_caught_up_with_and_an_idle_ledger_does_not_grow() {
    let mut past = Past::empty();
    lived(&mut past, 12).await;
    wish(&mut past, 0).await;
    let running = run(past.options());
    let head = settled(&past.ledger).await;
    let told = placed(&past.ledger).await;
    let opened = types(&past.events().await)["incident.opened"];
    assert!(told.len() > opened, "{} placed, {opened} opened: what joined there stands apart here", told.len());
    assert!(told.iter().all(|placed| placed.began), "this version keeps everything apart");
    assert!(told.iter().all(|placed| placed.group.starts_with("GRP-")), "a group is no incident");
    assert!(told.is_sorted_by_key(|placed| placed.at));
    let observed = past.events().await;
    let stands = |placed: &Placed| observed.iter().any(|e| e.id == placed.observed && e.position == placed.at);
    assert!(told.iter().all(stands), "each names what it decided on, and where that stands");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(past.ledger.head().await.unwrap(), head, "nothing happens, so nothing is said");
    running.end().await;
    // Again from the beginning: nothing is said twice.
    let running = run(past.options());
    tokio::time::sleep(Duration::from_secs(2)).await;
    running.end().await;
    assert_eq!(past.ledger.head().await.unwrap(), head);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_cut_off_goes_on_without_saying_anything_twice() {
    let mut whole = Past::empty();
    lived(&mut whole, 30).await;
    wish(&mut whole, 0).await;
    let running = run(whole.options());
    settled(&whole.ledger).await;
    running.end().await;
    let expected = placed(&whole.ledger).await;
    assert!(expected.len() > 60, "{}", expected.len());

    let mut cut = Past::empty();
    lived(&mut cut, 30).await;
    wish(&mut cut, 0).await;
    // What a run before the crash had written: all but its end, which breaks off within the facts of one input.
    for part in [7, expected.len() / 2] {
        let before = placed(&cut.ledger).await.len();
        let options = cut.options();
        let fact = |placed: &Placed| NewFact::new("pair-scorer/2", "system", placed.clone());
        let facts = expected[before..part].iter().map(fact);
        options.writer.submit(&production(), facts.collect()).await.unwrap();
    }
    let running = run(cut.options());
    settled(&cut.ledger).await;
    running.end().await;
    assert_eq!(placed(&cut.ledger).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_begins_where_it_is_told_and_ends_when_it_is_told() {
    let mut past = Past::empty();
    lived(&mut past, 12).await;
    let (first, last) = (past.events().await[0].position, past.events().await.last().unwrap().position);
    let from = u64::midpoint(first, last);
    wish(&mut past, from).await;
    let running = run(past.options());
    settled(&past.ledger).await;
    let told = placed(&past.ledger).await;
    assert!(!told.is_empty() && told.iter().all(|placed| placed.at >= from));
    let ended = Unshadowed { name: PAIR_SCORER.into(), version: 2, why: "enough".into() };
    past.say(at(90 * 86_400), PAIR_SCORER, Event::ModelUnshadowed(ended)).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let more = harness::common::alert("Later", "w7-svc0", &[], "later");
    let mut other = harness::common::Ledger::new(4);
    other.observe(at(91 * 86_400), more, "p");
    let input = other.inputs[0].clone();
    past.append(&Subject::intake(&production(), "door"), &[&input]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(placed(&past.ledger).await, told, "what fires after its end is not its business");
    running.end().await;
}

/// Whether this decision was made with the intake of `seq`. A timer's decision may stand behind it without.
fn has_consumed(record: &Record, seq: Seq) -> bool {
    let (header, _) = commit::decode_header(&record.payload).unwrap();
    header.consumed.iter().any(|cursor| cursor.seq >= seq)
}

/// What the live lane decided, and what its decisions add up to.
async fn live(shadowed: bool) -> (Vec<Recorded>, String, usize, Past) {
    let mut past = Past::empty();
    if shadowed {
        wish(&mut past, 0).await;
    } else {
        // The same places without a shadow.
        past.say(at(90 * 86_400), "pair-scorer/2", Event::ModelRegistered(registered())).await;
        let ended = Unshadowed { name: PAIR_SCORER.into(), version: 2, why: "it does not run".into() };
        past.say(at(90 * 86_400), PAIR_SCORER, Event::ModelUnshadowed(ended)).await;
    }
    let time = Stepped::new(at(0));
    let clock: clock::Shared = Arc::new(time.clone());
    let options = lane::Options {
        ledger: Shared::clone(&past.ledger),
        clock: Arc::clone(&clock),
        progress: LedgerProgress::default(),
        snapshots: hindcast_eventlog::snapshot::SnapshotStore::none(),
        owner: "test".into(),
        backlog: lane::BACKLOG,
    };
    let (stop, stopped) = watch::channel(false);
    let lane = tokio::spawn(hindcast_correlator::run(options, stopped));
    let writer =
        |slot| IntakeWriter::new(Shared::clone(&past.ledger), Arc::clone(&clock), LedgerProgress::default(), slot);
    let running = run(Options { writer: writer("learning").facts(), clock: Arc::clone(&clock), ..past.options() });
    let door = writer("door").facts();
    let week = world::week(7, 0, 12);
    let incidents = Subject::lane(&production(), names::INCIDENTS);
    for (second, said, _) in &week.says {
        time.set(at(*second));
        let event = NewFact::new(said.fingerprint.to_string(), "prometheus", said.clone());
        let at = commit::seq_of(door.submit(&production(), vec![event]).await.unwrap().position());
        // The clock goes on when the lane has decided: it would fire timers that a slower clock would not have.
        let sealed = async {
            while past.ledger.last(&incidents).await.unwrap().is_none_or(|record| !has_consumed(&record, at)) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, sealed).await.expect("the lane decides");
    }
    settled(&past.ledger).await;
    stop.send(true).unwrap();
    lane.await.unwrap().unwrap();
    running.end().await;
    let events = past.events().await;
    assert!(types(&events)["alert.fired"] > 20);
    let shadows = types(&events).get("shadow.placed").copied().unwrap_or(0);
    let decided: Vec<Recorded> = events
        .into_iter()
        .filter(|event| event.partition == production() && harness::subject_of(&event.event) == incidents)
        .map(|event| Recorded { position: 0, ..event })
        .collect();
    let mut book = Book::default();
    decided.iter().for_each(|event| {
        book.evolve(event);
    });
    let key = |fold, id: &str| (fold, production().to_string(), id.to_owned());
    let alerts =
        book.alerts.values().map(|alert| (key("alerts", alert.fingerprint.as_str()), canonical::digest(alert)));
    let incidents = book.incidents.values().map(|one| (key("incidents", one.id.as_str()), canonical::digest(one)));
    let digests: Vec<_> = alerts.chain(incidents).collect();
    (decided, canonical::state_hash(digests.iter().map(|(key, digest)| (key, digest))), shadows, past)
}

#[tokio::test(flavor = "multi_thread")]
async fn live_decisions_and_the_state_hash_are_the_same_with_and_without_a_shadow() {
    let (without, before, none, _) = live(false).await;
    let (with, after, some, _) = live(true).await;
    assert_eq!(none, 0);
    assert!(some > 20, "the shadow ran: {some}");
    let differs = with.iter().zip(&without).find(|(a, b)| a != b);
    assert!(differs.is_none() && with.len() == without.len(), "{differs:?}");
    assert_eq!(after, before);
}

/// A decision as a backtest hashes it: everything but its place.
#[derive(serde::Serialize)]
struct Placeless<'a> {
    id: &'a hindcast_domain::EventId,
    subject: &'a str,
    revision: Option<u64>,
    time: hindcast_domain::Time,
    actor: &'a str,
    cause: Option<&'a hindcast_domain::EventId>,
    event: &'a Event,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backtest_of_what_is_in_force_decides_the_ledgers_own_decisions_byte_for_byte() {
    let (decided, _, _, past) = live(false).await;
    let request = BacktestRequest { version: Some(1), since: Some("1".into()), ..BacktestRequest::default() };
    let compared = past.service().backtest(request, "ada", false, None).await.unwrap();
    let mut recorded = sha2::Sha256::default();
    for Recorded { id, subject, revision, time, actor, cause, event, .. } in &decided {
        let (revision, time, cause) = (*revision, *time, cause.as_ref());
        let bytes = serde_json::to_vec(&Placeless { id, subject, revision, time, actor, cause, event }).unwrap();
        recorded.update((bytes.len() as u64).to_be_bytes());
        recorded.update(&bytes);
    }
    assert_eq!(compared.decided, hindcast_domain::hex::hex(&recorded.finalize()), "{} decisions", decided.len());
    assert_eq!(compared.engine, None, "the same engine decided it");
}
