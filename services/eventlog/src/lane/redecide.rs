//! The past decided again: every input that a lane's commits speak of goes through the engine once more, under the
//! configuration and versions that the ledger had then, and what comes out is compared with what is recorded, byte
//! for byte. It writes nothing, and where the engine was another one it folds what is recorded and compares nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::lane::Decider;
use hindcast_domain::{Partition, Span};
use hindcast_engine::ENGINE_VERSION;
use hindcast_events::Envelope;
use hindcast_ledger::commit;
use hindcast_ledger::port::{ReadError, Record, Seq, Shared};

use super::Error;
use super::world::{LaneCommit, LaneWorld, OwnedLane};
use crate::snapshot::SnapshotStore;

/// The first place where a lane would decide something else than it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The lane's subject.
    pub subject: String,
    /// The commit of the lane.
    pub seq: Seq,
    /// The first event of it that differs.
    pub index: usize,
    /// What is recorded there; `None` where the commit ends before it.
    pub recorded: Option<String>,
    /// What is decided now; `None` where nothing is.
    pub decided: Option<String>,
}

/// What came of deciding the lanes of one service again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redecision {
    /// Commits that were decided again and compared.
    pub commits: u64,
    /// Events in those commits.
    pub events: u64,
    /// Commits of another engine, and those behind a divergence: folded, and not compared.
    pub folded: u64,
    /// The engines that decided.
    pub engines: BTreeSet<u32>,
    /// Where the lanes diverged: the first place of each.
    pub divergences: Vec<Divergence>,
}

/// Decides again as it reads.
pub struct Redecider<D: Decider> {
    world: LaneWorld<D>,
    diverged: BTreeSet<Partition>,
    report: Redecision,
    /// How long something was over before it leaves memory; `None` for never.
    shelving: Option<Span>,
}

impl<D: Decider> Redecider<D> {
    /// One that has read nothing yet.
    pub fn new(decider: D) -> Self {
        let world = LaneWorld::new(Arc::new(decider));
        Self { world, diverged: BTreeSet::new(), report: Redecision::default(), shelving: None }
    }

    /// The same, and what is over leaves memory as it does where the lane is decided: a past of any length fits.
    #[must_use]
    pub fn shelving(mut self, store: &SnapshotStore) -> Self {
        let name = format!("again-{}", self.world.decider.name());
        self.world.open_shelves(store.shelves(&name), None);
        self.shelving = store.over_kept();
        self
    }

    /// Lets go of what is over as of what was decided last.
    fn shelve(&mut self) -> Result<(), Error> {
        let (Some(kept), Some(shelves)) = (self.shelving, &self.world.shelves) else { return Ok(()) };
        shelves.read_through(self.world.through);
        if self.world.is_level() {
            for lane in self.world.lanes.values_mut() {
                let now = lane.engine.now();
                lane.engine.shelve(now, kept)?;
            }
        }
        Ok(())
    }

    /// Takes the next record of the order.
    ///
    /// # Errors
    /// When the ledger is damaged or holds events of a newer binary.
    pub fn take(&mut self, record: &Record) -> Result<(), Error> {
        let Some(found) = self.world.take(record)? else { return Ok(()) };
        self.commit(record, found)?;
        self.world.is_read()?;
        self.shelve()
    }

    fn commit(&mut self, record: &Record, found: LaneCommit) -> Result<(), Error> {
        self.report.engines.insert(found.header.engine);
        let lane = self.world.lane(&found.partition);
        if found.header.engine != ENGINE_VERSION || self.diverged.contains(&found.partition) {
            lane.fold(&found);
            self.report.folded += 1;
            return Ok(());
        }
        let written = commit::decode(&record.payload)
            .map_err(|source| ReadError::Damaged { seq: record.seq, detail: source.to_string() })?;
        let again = decide(lane, &found);
        self.report.commits += 1;
        self.report.events += again.len() as u64;
        if let Some(index) = first_difference(&written.events, &again) {
            let text = |events: &[Vec<u8>]| events.get(index).map(|event| String::from_utf8_lossy(event).into_owned());
            self.report.divergences.push(Divergence {
                subject: record.subject.to_string(),
                seq: found.seq,
                index,
                recorded: text(&written.events),
                decided: text(&again),
            });
            self.diverged.insert(found.partition);
        }
        Ok(())
    }

    /// What came of it so far.
    #[must_use]
    pub const fn report(&self) -> &Redecision {
        &self.report
    }

    /// Parts of the state that left memory and came back.
    #[must_use]
    pub fn taken_back(&self) -> u64 {
        self.world.lanes.values().map(|lane| lane.engine.taken_back()).sum()
    }

    /// The states that were decided again, by partition.
    pub fn states(&self) -> BTreeMap<&Partition, &D::State> {
        self.world.lanes.iter().map(|(partition, lane)| (partition, lane.engine.state())).collect()
    }
}

/// Decides what a commit decided, as its header says: what came, and up to which timer the clock had passed.
fn decide<D: Decider>(lane: &mut OwnedLane<D>, commit: &LaneCommit) -> Vec<Vec<u8>> {
    let mut again = Vec::new();
    let mut out = |decision: Recorded| again.push(hindcast_events::encode(&Envelope::of(decision)));
    // Who took a lane over, and when, is no decision: it is taken as it is recorded.
    if let Some(Event::Owned(owned)) = commit.events().first().map(|event| &event.event) {
        lane.engine.owned(owned.clone(), &mut out);
    }
    for recorded in lane.queue.consume(&commit.header) {
        super::decide::said(lane.engine.input(recorded.input.event(), recorded.time(), &mut out));
    }
    if let Some(timer) = &commit.header.clock {
        super::decide::said(lane.engine.pass_to(timer, &mut out));
    }
    lane.tip = commit.tip();
    again
}

fn first_difference(recorded: &[Vec<u8>], decided: &[Vec<u8>]) -> Option<usize> {
    let length = recorded.len().max(decided.len());
    (0..length).find(|index| recorded.get(*index) != decided.get(*index))
}

/// Decides again what a ledger holds up to `last`, away from the tasks of the caller.
///
/// # Errors
/// When the ledger cannot be read, is damaged, or holds events of a newer binary.
pub async fn redecide<D: Decider>(ledger: &Shared, decider: D, last: Seq) -> Result<Redecision, Error> {
    let mut redecider = Redecider::new(decider);
    let mut tail = ledger.tail(1);
    let mut read = 0;
    while read < last {
        let records = tail.next().await?;
        read = records.last().map_or(last, |record| record.seq);
        let work = tokio::task::spawn_blocking(move || {
            for record in records.iter().filter(|record| record.seq <= last) {
                redecider.take(record)?;
            }
            Ok::<_, Error>(redecider)
        });
        redecider = work.await.map_err(|error| ReadError::Unavailable(Box::new(error)))??;
    }
    Ok(redecider.report)
}
