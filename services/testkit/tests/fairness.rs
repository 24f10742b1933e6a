//! What can page does not wait behind a flood: counted in inputs that the lane decides before it, with the deciders
//! that serve. With the choice switched off it waits for all of them.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use std::collections::BTreeSet;
use std::sync::Arc;

use hindcast_clock::Stepped;
use hindcast_correlator::Correlator;
use hindcast_domain::alert::Observation;
use hindcast_domain::event::Event;
use hindcast_domain::lane::{Decider, names};
use hindcast_domain::notice::Requested;
use hindcast_domain::{EventId, Fingerprint, Partition, Severity, Span, Time};
use hindcast_eventlog::lane::{BACKLOG, Options, Runner, redecide};
use hindcast_eventlog::snapshot::SnapshotStore;
use hindcast_facts::{NewFact, SubmitError};
use hindcast_intake::IntakeWriter;
use hindcast_ledger::memory::MemoryLedger;
use hindcast_ledger::progress::UNDECIDED_MAX;
use hindcast_ledger::{LedgerProgress, Seq, Shared, Subject};
use hindcast_pager::Pager;
use hindcast_testkit::conformance::toy;
use tokio::sync::watch;

const START: Time = Time::from_millis(1_763_996_400_000);

/// A ledger with a door, and lanes that run over it.
struct Flooded {
    ledger: Shared,
    door: IntakeWriter,
    progress: LedgerProgress,
    stop: watch::Sender<bool>,
}

fn partition() -> Partition {
    Partition::of_environment("production")
}

impl Flooded {
    /// A ledger into which one source has said so many different things.
    async fn by(alerts: usize) -> Self {
        let ledger = MemoryLedger::new("FLOOD").share();
        let progress = LedgerProgress::default();
        let door = IntakeWriter::new(Arc::clone(&ledger), Arc::new(Stepped::new(START)), progress.clone(), "door");
        let flooded = Self { ledger, door, progress, stop: watch::channel(false).0 };
        for first in (0..alerts).step_by(500) {
            let says = first..alerts.min(first + 500);
            flooded.say(says.map(|n| observation("flood", n, Severity::Low)).collect()).await;
        }
        flooded
    }

    async fn say(&self, seen: Vec<Observation>) -> (Seq, Vec<EventId>) {
        let facts = seen.into_iter().map(|seen| NewFact::new(seen.fingerprint.to_string(), "prometheus", seen));
        let appended = self.door.facts().submit(&partition(), facts.collect()).await.unwrap();
        (hindcast_ledger::commit::seq_of(appended.position()), appended.ids)
    }

    fn run<D: Decider>(&self, decider: D, backlog: usize) {
        let options = Options {
            ledger: Arc::clone(&self.ledger),
            // A page is asked for once what began has settled.
            clock: Arc::new(Stepped::new(START + Span::seconds(5))),
            progress: self.progress.clone(),
            snapshots: SnapshotStore::none(),
            owner: "test".to_owned(),
            backlog,
        };
        tokio::spawn(Runner::new(decider, options).run(self.stop.subscribe()));
    }

    /// Waits until the lane of incidents has a commit in which something satisfies `found`.
    async fn until(&self, lane: &Subject, found: impl Fn(&Event, Option<&EventId>) -> bool) {
        let (mut tail, mut done) = (self.ledger.tail(1), false);
        let reading = async {
            while !done {
                for record in tail.next().await.unwrap().into_iter().filter(|record| record.subject == *lane) {
                    let commit = hindcast_eventlog::read::commit(&record).unwrap();
                    done |= hindcast_eventlog::read::events(&record, &commit).unwrap().iter().any(|item| match item {
                        hindcast_eventlog::read::ReadEvent::Known(event) => found(&event.event, event.cause.as_ref()),
                        hindcast_eventlog::read::ReadEvent::Unknown { .. } => false,
                    });
                }
            }
        };
        tokio::time::timeout(toy::PATIENCE * 4, reading).await.expect("what can page is decided");
    }

    /// The inputs that the lane of incidents decided something about, in its order, from a commit on.
    async fn decided(&self, after: Seq) -> Vec<EventId> {
        let mut inputs: Vec<EventId> = Vec::new();
        let decisions = toy::events(self.ledger.as_ref()).await.into_iter().map(|(_, event)| event);
        for event in decisions.filter(|event| hindcast_ledger::commit::seq_of(event.position) > after) {
            let cause = event.cause.filter(|_| matches!(event.event, Event::AlertFired(_) | Event::AlertRepeated(_)));
            inputs.extend(cause.filter(|cause| inputs.last() != Some(cause)));
        }
        inputs
    }
}

fn observation(source: &str, n: usize, severity: Severity) -> Observation {
    let (name, service) = (format!("Alert{}", n / 200), format!("{source}-{}", n % 200));
    let mut mac = [0_u8; 32];
    mac[..8].copy_from_slice(&hindcast_mlops::seeded::hash(7, &format!("{name}/{service}")).to_be_bytes());
    Observation {
        source: source.to_owned(),
        severity,
        ..hindcast_testkit::observation(Fingerprint::from_mac(&mac), &name, &service)
    }
}

fn incidents() -> Subject {
    Subject::lane(&partition(), names::INCIDENTS)
}

/// Where an input stands among what was decided.
fn at(decided: &[EventId], input: &EventId) -> usize {
    decided.iter().position(|one| one == input).expect("it is decided")
}

#[tokio::test]
async fn behind_twelve_thousand_alerts_of_one_source_what_can_page_is_decided_among_the_first() {
    let flooded = Flooded::by(12_000).await;
    let (_, quiet) = flooded.say(vec![observation("other", 1, Severity::Low)]).await;
    let (_, critical) = flooded.say(vec![observation("another", 1, Severity::Critical)]).await;
    let (_, own) = flooded.say(vec![observation("flood", 12_001, Severity::Critical)]).await;
    // This one was said to be harmless before, deep in the backlog.
    let (_, worse) = flooded.say(vec![observation("flood", 11_500, Severity::Critical)]).await;
    flooded.run(Correlator, BACKLOG);
    flooded.run(Pager, BACKLOG);
    let notices = Subject::lane(&Partition::whole(Partition::TENANT), names::NOTICES);
    flooded.until(&notices, |event, _| matches!(event, Event::NoticeRequested(Requested { page: true, .. }))).await;
    flooded.stop.send_replace(true);
    let decided = flooded.decided(0).await;
    for (input, what) in [(&critical[0], "another source"), (&own[0], "the same source"), (&worse[0], "said before")] {
        assert!(at(&decided, input) < 16, "{what}: {} inputs were decided first", at(&decided, input));
    }
    assert!(at(&decided, &quiet[0]) < 40, "a quiet source: behind {}", at(&decided, &quiet[0]));
    let of_it: Vec<_> = toy::events(flooded.ledger.as_ref()).await.into_iter().map(|(_, event)| event).collect();
    let first =
        of_it.iter().find(|event| event.subject == observation("flood", 11_500, Severity::Low).fingerprint.to_string());
    assert!(at(&decided, &first.unwrap().id) < at(&decided, &worse[0]), "an alert's own inputs keep their order");
    let again = redecide(&flooded.ledger, Correlator, flooded.ledger.head().await.unwrap()).await.unwrap();
    assert_eq!(again.divergences, [], "the recorded order decides itself again");
}

#[tokio::test]
async fn what_comes_in_the_midst_of_a_backlog_waits_for_two_batches_at_the_most() {
    let flooded = Flooded::by(6_000).await;
    flooded.run(Correlator, BACKLOG);
    flooded.until(&incidents(), |event, _| matches!(event, Event::AlertFired(_))).await;
    let (seq, critical) = flooded.say(vec![observation("another", 1, Severity::Critical)]).await;
    flooded.until(&incidents(), |_, cause| cause == Some(&critical[0])).await;
    flooded.stop.send_replace(true);
    let waited = at(&flooded.decided(seq).await, &critical[0]);
    assert!(waited < 2_100, "{waited} inputs were decided first");
}

/// The choice switched off: the order of the ledger, and the critical alert at its end.
#[tokio::test]
async fn without_the_choice_it_waits_for_all_of_them() {
    let flooded = Flooded::by(1_500).await;
    let (_, critical) = flooded.say(vec![observation("another", 1, Severity::Critical)]).await;
    flooded.run(Correlator, usize::MAX);
    flooded.until(&incidents(), |_, cause| cause == Some(&critical[0])).await;
    assert_eq!(at(&flooded.decided(0).await, &critical[0]), 1_500);
}

#[tokio::test]
async fn beyond_the_bound_intake_takes_no_more_alerts_and_below_it_all() {
    let flooded = Flooded::by(1).await;
    let alert = || NewFact::new("x", "prometheus", observation("flood", 2, Severity::Critical));
    flooded.progress.undecided(names::INCIDENTS, UNDECIDED_MAX as u64);
    let refused = flooded.door.facts().submit(&partition(), vec![alert()]).await;
    assert!(matches!(refused, Err(SubmitError::Busy)), "{refused:?}");
    flooded.door.facts().submit(&partition(), vec![toy::fact("no alert")]).await.unwrap();
    flooded.progress.undecided(names::INCIDENTS, UNDECIDED_MAX as u64 - 1);
    flooded.door.facts().submit(&partition(), vec![alert()]).await.unwrap();
    let kept: BTreeSet<Seq> = toy::all(flooded.ledger.as_ref()).await.iter().map(|record| record.seq).collect();
    assert_eq!(kept.len(), 3);
}
