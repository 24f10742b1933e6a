//! Repeats that are gathered: random resends while the intake and the owner of the lane are killed and begin again. No
//! repeat that was acknowledged is lost, and no alert is stale whose repeat was acknowledged in time. With the wait for
//! durability switched off the same check turns red.
//!
//! `HINDCAST_TEST_HISTORIES` says how many histories are lived, `HINDCAST_TEST_SEED` repeats an earlier run.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hindcast_clock::Stepped;
use hindcast_correlator::Correlator;
use hindcast_domain::alert::Observation;
use hindcast_domain::event::Event;
use hindcast_domain::lane::names;
use hindcast_domain::{Fingerprint, Partition, Span, Time};
use hindcast_eventlog::lane::{BACKLOG, Error, Options, Runner};
use hindcast_eventlog::snapshot::SnapshotStore;
use hindcast_facts::NewFact;
use hindcast_intake::{FailPoint, IntakeWriter};
use hindcast_ledger::memory::MemoryLedger;
use hindcast_ledger::{LedgerProgress, Shared};
use hindcast_mlops::seeded::Seeded;
use hindcast_testkit::conformance::toy;
use hindcast_testkit::seeds::{asked, seed};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const START: Time = Time::from_millis(1_763_996_400_000);
const STALE_AFTER: Span = Span::seconds(300);
const ALERTS: usize = 12;
const STEPS: usize = 60;

type RunningLane = (watch::Sender<bool>, JoinHandle<Result<(), Error>>);

/// What senders were told: how many messages of an alert were taken, and when the last of them was.
#[derive(Clone, Copy, Debug, Default)]
struct Acknowledged {
    messages: u64,
    last_at: Time,
}

struct ResendingWorld {
    ledger: Shared,
    memory: MemoryLedger,
    clock: Stepped,
    now: Time,
    draws: Seeded,
    progress: LedgerProgress,
    fail: FailPoint,
    door: IntakeWriter,
    lane: Option<RunningLane>,
    acknowledged: BTreeMap<Fingerprint, Acknowledged>,
}

fn partition() -> Partition {
    Partition::of_environment("production")
}

fn observation(index: usize) -> Observation {
    let mut mac = [0_u8; 32];
    mac[0] = u8::try_from(index).unwrap_or(0);
    let service = ["db", "web", "queue"][index % 3];
    Observation {
        stale_after: STALE_AFTER,
        starts_at: Some(START),
        ..hindcast_testkit::observation(Fingerprint::from_mac(&mac), &format!("Rule{index}"), service)
    }
}

impl ResendingWorld {
    fn new(seed: u64, fail: FailPoint) -> Self {
        let memory = MemoryLedger::new("REPEATS");
        let (ledger, clock, progress) = (memory.share(), Stepped::new(START), LedgerProgress::default());
        progress.expect(&[names::INCIDENTS]);
        let door = door(&ledger, &clock, &progress, fail);
        let draws = Seeded::new(seed);
        let mut world = Self {
            ledger,
            memory,
            clock,
            now: START,
            draws,
            progress,
            fail,
            door,
            lane: None,
            acknowledged: BTreeMap::new(),
        };
        world.start();
        world
    }

    fn start(&mut self) {
        let options = Options {
            ledger: Arc::clone(&self.ledger),
            clock: Arc::new(self.clock.clone()),
            progress: self.progress.clone(),
            snapshots: SnapshotStore::none(),
            owner: "owner".to_owned(),
            backlog: [0, 3, BACKLOG][self.draws.below(3)],
        };
        let (stop, stopped) = watch::channel(false);
        self.lane = Some((stop, tokio::spawn(Runner::new(Correlator, options).run(stopped))));
    }

    /// Ends the owner wherever it is.
    async fn kill_lane(&mut self) {
        let Some((_stop, task)) = self.lane.take() else { return };
        task.abort();
        task.await.ok();
        self.progress.forget(names::INCIDENTS);
        self.memory.expire_leases();
    }

    async fn settle(&self) {
        let settled = async {
            loop {
                let changed = self.progress.changed();
                if self.progress.settled(self.ledger.head().await.expect("it is in memory"), self.now) {
                    return;
                }
                tokio::time::timeout(Duration::from_millis(50), changed).await.ok();
            }
        };
        tokio::time::timeout(toy::PATIENCE, settled).await.expect("the lane settles");
    }

    /// Some alerts are sent by some requests at once; what is acknowledged is noted.
    async fn send(&mut self) {
        let requests: Vec<Vec<usize>> = (0..1 + self.draws.below(3))
            .map(|_| (0..1 + self.draws.below(6)).map(|_| self.draws.below(ALERTS)).collect())
            .collect();
        let (door, partition) = (self.door.facts(), partition());
        let mut waiting = Vec::new();
        for request in &requests {
            let facts = request.iter().map(|index| {
                let seen = observation(*index);
                NewFact::new(seen.fingerprint.to_string(), "prometheus", seen)
            });
            let (door, partition, facts) = (door.clone(), partition.clone(), facts.collect());
            waiting.push(tokio::spawn(async move { door.submit(&partition, facts).await }));
        }
        for (request, answer) in requests.iter().zip(waiting) {
            if answer.await.expect("a request does not panic").is_err() {
                continue;
            }
            for index in request {
                let known = self.acknowledged.entry(observation(*index).fingerprint).or_default();
                known.messages += 1;
                known.last_at = self.now;
            }
        }
    }

    async fn step(&mut self) {
        match self.draws.below(12) {
            0..=5 => self.send().await,
            6..=7 => {
                self.now = self.now + Span::seconds(1 + i64::try_from(self.draws.below(120)).unwrap_or(0));
                self.clock.set(self.now);
            }
            8 => {
                // The process that takes messages in is gone, with whatever it had in memory.
                self.door = door(&self.ledger, &self.clock, &self.progress, self.fail);
                self.progress.forget(&format!("writer/door/{}", partition()));
            }
            9 => {
                self.kill_lane().await;
                for _ in 0..self.draws.below(3) {
                    self.send().await;
                }
                self.start();
            }
            _ => self.settle().await,
        }
    }
}

fn door(ledger: &Shared, clock: &Stepped, progress: &LedgerProgress, fail: FailPoint) -> IntakeWriter {
    IntakeWriter::gathering(Arc::clone(ledger), Arc::new(clock.clone()), progress.clone(), "door", fail)
}

/// What of a ledger breaks what senders were told, and how many repeats were gathered.
async fn faults(world: &ResendingWorld) -> (Vec<String>, u64) {
    let (mut messages, mut heard) = (BTreeMap::<Fingerprint, u64>::new(), BTreeMap::<Fingerprint, Vec<Time>>::new());
    let (mut faults, mut gathered) = (Vec::new(), 0);
    for (_, event) in toy::events(world.ledger.as_ref()).await {
        match &event.event {
            Event::Observed(seen) => {
                *messages.entry(seen.fingerprint.clone()).or_default() += 1;
                heard.entry(seen.fingerprint.clone()).or_default().push(event.time);
            }
            Event::Repeats(batch) => {
                for again in &batch.alerts {
                    gathered += u64::from(again.count);
                    *messages.entry(again.fingerprint.clone()).or_default() += u64::from(again.count);
                    heard.entry(again.fingerprint.clone()).or_default().push(event.time);
                }
            }
            Event::AlertStale(_) => {
                let alert: Fingerprint = event.subject.parse().expect("an alert's events are about it");
                // What came after the timer was due may stand before what the timer decided.
                let before = heard.get(&alert).into_iter().flatten().filter(|at| **at <= event.time);
                let last = before.max().copied().unwrap_or(Time::ZERO);
                if event.time < last + STALE_AFTER {
                    faults.push(format!("{alert} is stale at {}, and was sent at {last}", event.time));
                }
            }
            _ => {}
        }
    }
    for (alert, told) in &world.acknowledged {
        let kept = messages.get(alert).copied().unwrap_or(0);
        if kept < told.messages {
            faults.push(format!("{alert}: {} messages were acknowledged, {kept} are kept", told.messages));
        }
        let last = heard.get(alert).into_iter().flatten().max().copied().unwrap_or(Time::ZERO);
        if last < told.last_at {
            faults.push(format!("{alert}: one was acknowledged at {}, the last one kept is of {last}", told.last_at));
        }
    }
    (faults, gathered)
}

async fn lived(seed: u64, fail: FailPoint) -> (Vec<String>, u64) {
    let mut world = ResendingWorld::new(seed, fail);
    for _ in 0..STEPS {
        world.step().await;
    }
    world.settle().await;
    let found = faults(&world).await;
    world.kill_lane().await;
    found
}

fn histories() -> impl Iterator<Item = u64> {
    let seed = seed();
    (0..asked("HINDCAST_TEST_HISTORIES").unwrap_or(12)).map(move |number| seed + number)
}

#[tokio::test]
async fn no_repeat_that_was_acknowledged_is_lost() {
    let mut gathered = 0;
    for seed in histories() {
        let (faults, repeats) = lived(seed, FailPoint::None).await;
        assert!(faults.is_empty(), "seed {seed}: {faults:#?}");
        gathered += repeats;
    }
    assert!(gathered > 0, "nothing was gathered, so that nothing was tested");
}

#[tokio::test]
async fn with_the_wait_for_durability_off_the_same_check_turns_red() {
    for seed in 0..40 {
        if !lived(seed, FailPoint::AcknowledgeBeforeAppend).await.0.is_empty() {
            return;
        }
    }
    panic!("a check that cannot fail is a defect");
}
