//! What is over leaves the memory of the lanes that hold it, by a stepped clock, and is there again when it fires anew.
//! What a lane holds is measured by the snapshot that it leaves; with the shelf switched off the same check turns red.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hindcast_clock::Stepped;
use hindcast_correlator::Correlator;
use hindcast_domain::alert::{Observation, Signal};
use hindcast_domain::event::Event;
use hindcast_domain::lane::{Decider, names};
use hindcast_domain::{Fingerprint, Partition, Span, Time};
use hindcast_eventlog::lane::{BACKLOG, Options, Runner};
use hindcast_eventlog::snapshot::SnapshotStore;
use hindcast_facts::NewFact;
use hindcast_intake::IntakeWriter;
use hindcast_ledger::memory::MemoryLedger;
use hindcast_ledger::{LedgerProgress, Shared};
use hindcast_pager::Pager;
use hindcast_testkit::conformance::toy;
use tokio::sync::watch;

const START: Time = Time::from_millis(1_763_996_400_000);
const ALERTS: u16 = 600;
const LANES: [&str; 2] = [names::INCIDENTS, names::NOTICES];

fn observation(number: u16, signal: Signal) -> Observation {
    let mut mac = [0_u8; 32];
    mac[..2].copy_from_slice(&number.to_be_bytes());
    let service = format!("service-{}", number % 40);
    Observation {
        signal,
        starts_at: Some(START),
        stale_after: Span::hours(24),
        ..hindcast_testkit::observation(Fingerprint::from_mac(&mac), &format!("Rule{}", number % 7), &service)
    }
}

struct HoldingWorld {
    ledger: Shared,
    clock: Stepped,
    now: Time,
    progress: LedgerProgress,
    door: IntakeWriter,
    store: SnapshotStore,
}

impl HoldingWorld {
    fn new(store: SnapshotStore) -> Self {
        let (ledger, clock) = (MemoryLedger::new("SHELF").share(), Stepped::new(START));
        let progress = LedgerProgress::default();
        progress.expect(&LANES);
        let shared: hindcast_clock::Shared = Arc::new(clock.clone());
        let door = IntakeWriter::new(Arc::clone(&ledger), shared, progress.clone(), "door");
        Self { ledger, clock, now: START, progress, door, store }
    }

    async fn say(&self, signal: Signal, numbers: impl Iterator<Item = u16>) {
        let partition = Partition::of_environment("production");
        let facts: Vec<NewFact> = numbers
            .map(|number| {
                let seen = observation(number, signal);
                NewFact::new(seen.fingerprint.to_string(), "prometheus", seen)
            })
            .collect();
        for some in facts.chunks(100) {
            self.door.facts().submit(&partition, some.to_vec()).await.expect("a ledger in memory takes facts");
        }
    }

    fn pass(&mut self, span: Span) {
        self.now = self.now + span;
        self.clock.set(self.now);
    }

    async fn settle(&self) {
        let settled = async {
            while !self.progress.settled(self.ledger.head().await.expect("it is in memory"), self.now) {
                tokio::time::timeout(Duration::from_millis(20), self.progress.changed()).await.ok();
            }
        };
        tokio::time::timeout(toy::PATIENCE, settled).await.expect("the lanes settle");
    }

    /// Runs the lanes while something happens to the world; they leave their snapshots behind.
    async fn live(&mut self, happens: impl AsyncFnOnce(&mut Self)) {
        let (stop, stopped) = watch::channel(false);
        let tasks = [self.run(Correlator, &stopped), self.run(Pager, &stopped)];
        happens(self).await;
        self.settle().await;
        stop.send_replace(true);
        for task in tasks {
            task.await.expect("no owner panics");
        }
    }

    fn run<D: Decider>(&self, decider: D, stop: &watch::Receiver<bool>) -> tokio::task::JoinHandle<()> {
        let options = Options {
            ledger: Arc::clone(&self.ledger),
            clock: Arc::new(self.clock.clone()),
            progress: self.progress.clone(),
            snapshots: self.store.clone(),
            owner: "owner".to_owned(),
            backlog: BACKLOG,
        };
        let running = Runner::new(decider, options).run(stop.clone());
        tokio::spawn(async move { running.await.expect("an owner ends when it is asked") })
    }
}

/// Bytes of the snapshots of both lanes.
fn held(folder: &Path) -> u64 {
    let of = |lane: &str| folder.join(format!("lane-{lane}.snapshot")).metadata().expect("a snapshot is there").len();
    LANES.into_iter().map(of).sum()
}

/// What the lanes hold while all fire, and once all are over for hours.
async fn lived(kept: Option<Span>) -> (u64, u64, HoldingWorld, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut world = HoldingWorld::new(SnapshotStore::at(folder.path()).shelving_after(kept));
    world.live(async |world| world.say(Signal::Firing, 0..ALERTS).await).await;
    let while_firing = held(folder.path());
    world
        .live(async |world| {
            world.pass(Span::minutes(10));
            world.say(Signal::Resolved, 0..ALERTS).await;
            world.settle().await;
            world.pass(Span::hours(1));
            world.settle().await;
            world.pass(Span::hours(5));
            world.settle().await;
            // Something small is said, so that there is a new place to take a snapshot of.
            world.say(Signal::Resolved, ALERTS..=ALERTS).await;
        })
        .await;
    (while_firing, held(folder.path()), world, folder)
}

#[tokio::test]
async fn what_is_over_leaves_the_lanes_and_is_known_when_it_fires_again() {
    let (while_firing, after, mut world, _folder) = lived(Some(Span::hours(1))).await;
    let (_, switched_off, _, _) = lived(None).await;
    eprintln!("{while_firing} bytes while {ALERTS} fire, {after} once they are over, {switched_off} without a shelf");
    // What grouping learnt stays, and the messages of a month.
    assert!(after * 3 < while_firing, "{while_firing} bytes while {ALERTS} fire, {after} once they are over");
    assert!(switched_off * 3 > while_firing, "the check turns red where nothing leaves memory: {switched_off}");
    world.live(async |world| world.say(Signal::Firing, 3..=3).await).await;
    let events = toy::events(world.ledger.as_ref()).await;
    let again = events.iter().rev().find_map(|(_, event)| match &event.event {
        Event::AlertFired(fired) => Some((event.revision, fired.occurrence)),
        _ => None,
    });
    assert_eq!(again, Some((Some(3), 2)), "it fired and was resolved before");
}
