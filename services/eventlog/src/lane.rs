//! Decisions: runs a pure decider as the one owner of its lanes.
//!
//! A runner reads the whole order once and serves every lane of its service. For each lane it finds the
//! state again (snapshot, then fold), decides inputs one by one in the order of their places, fires timers
//! that are due before an input's time first, and appends what one batch decided as one commit with the
//! cursor that seals the batch. The append's expectation is the fence: whoever lost a lane learns it there,
//! drops what it thought and folds again.

mod batch;
mod decide;
mod find;
mod lines;
mod queue;
mod recorded;
mod redecide;
mod shelve;
mod world;

use std::sync::Arc;
use std::time::Duration;

use hindcast_clock as clock;
use hindcast_domain::Time;
use hindcast_domain::lane::Decider;
use hindcast_domain::limits::COMMIT_EVENTS_MAX;
use hindcast_domain::shelf::ShelfError;
use tokio::sync::watch;

use crate::feed::OrderedFeed;
use crate::snapshot::{self, SnapshotStore};
use hindcast_ledger::commit::Hash;
use hindcast_ledger::port::{Lease, ReadError, Seq, Shared};
use hindcast_ledger::progress::{LedgerProgress, UNDECIDED_MAX};
use hindcast_metrics::AtomicHistogram;
pub use queue::{DecodedCommit, QueuedInput, RecordedInput};
pub use recorded::{RecordedOrder, RecordedStep};
pub use redecide::{Divergence, Redecider, Redecision, redecide};

/// Events of one batch after which it is appended, once its last input ends the commit that it came in.
const BATCH_EVENTS: usize = COMMIT_EVENTS_MAX / 4;
/// Events of one batch after which it is appended anyway; one input's decisions always fit on top.
const BATCH_EVENTS_MAX: usize = COMMIT_EVENTS_MAX / 2;
/// Bytes of one batch, before compression, after which it is appended.
const BATCH_BYTES: usize = 1024 * 1024;
/// Commits after which a snapshot is written, unless the last one took long.
const SNAPSHOT_EVERY: u64 = 2_000;
/// So many times as long as the last snapshot took passes before the next one.
const SNAPSHOT_REST: u32 = 50;
/// Undecided inputs of a lane up to which they are decided in the order of the ledger: it takes well below a second.
pub const BACKLOG: usize = 256;
/// Inputs that are read ahead while others wait. Intake takes nothing new long before.
const READ_AHEAD: usize = 2 * UNDECIDED_MAX;
/// The pause after a failed read or append, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));
/// How often a waiting owner asks for its lease.
const LEASE_EVERY: Duration = Duration::from_secs(1);

/// What a runner needs.
#[derive(Clone)]
pub struct Options {
    /// The ledger that decisions are read from and appended to.
    pub ledger: Shared,
    /// The clock; only timers and stamps ask it.
    pub clock: clock::Shared,
    /// Where it says how far it is.
    pub progress: LedgerProgress,
    /// Where snapshots lie.
    pub snapshots: SnapshotStore,
    /// Who owns lanes on behalf of this process.
    pub owner: String,
    /// Undecided inputs of a lane above which it is chosen among them, usually [`BACKLOG`].
    pub backlog: usize,
}

/// Why a runner ended without being asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The ledger is damaged.
    #[error("the ledger cannot be read")]
    Read(#[from] ReadError),
    /// An event of a newer binary: a decider must not guess.
    #[error("event {position} is of type {kind} version {version}, which this binary does not know; upgrade it")]
    Unknown {
        /// Position of the event.
        position: u64,
        /// The type of the event that this program does not know.
        kind: String,
        /// The schema version that the event names.
        version: u32,
    },
    /// A part of the state that was over cannot be read back.
    #[error(transparent)]
    Shelf(#[from] ShelfError),
}

/// Runs a decider.
pub struct Runner<D: Decider> {
    decider: Arc<D>,
    options: Options,
    /// How long its decisions take.
    times: AtomicHistogram,
}

#[derive(Clone, Copy, Default)]
struct LaneTip {
    seq: Seq,
    hash: Hash,
    counter: u64,
}

enum RunnerStep {
    /// Asked to stop.
    Stop,
    /// Another owner decided: fold again.
    Fenced,
}

impl<D: Decider> Runner<D> {
    /// A runner of `decider`.
    pub fn new(decider: D, options: Options) -> Self {
        let times = options.progress.figures().decisions(decider.name());
        Self { decider: Arc::new(decider), options, times }
    }

    /// Runs until `shutdown` is true, then appends what it decided, snapshots and ends.
    ///
    /// # Errors
    /// When the ledger is damaged or holds events of a newer binary.
    pub async fn run(self, mut shutdown: watch::Receiver<bool>) -> Result<(), Error> {
        let name = self.decider.name();
        loop {
            let Some(lease) = self.acquire(&mut shutdown).await else {
                break;
            };
            let turn = self.own(lease.as_ref(), &mut shutdown).await;
            lease.release().await;
            match turn? {
                RunnerStep::Stop => break,
                RunnerStep::Fenced => tracing::warn!(lane = name, "another owner decided; folding again"),
            }
        }
        self.options.progress.forget(name);
        Ok(())
    }

    /// Waits for the lease; `None` when asked to stop.
    async fn acquire(&self, shutdown: &mut watch::Receiver<bool>) -> Option<Box<dyn Lease>> {
        loop {
            if *shutdown.borrow() {
                return None;
            }
            match self.options.ledger.lease(self.decider.name(), &self.options.owner).await {
                Ok(lease) => return Some(lease),
                Err(error) => tracing::debug!(%error, "waiting for a lease"),
            }
            tokio::select! {
                () = tokio::time::sleep(LEASE_EVERY) => {}
                _ = shutdown.changed() => {}
            }
        }
    }

    /// Owns the lanes until asked to stop, or fenced.
    async fn own(&self, lease: &dyn Lease, shutdown: &mut watch::Receiver<bool>) -> Result<RunnerStep, Error> {
        let head = self.patiently(|| self.options.ledger.head()).await?;
        let mut world = self.load().await?;
        let mut feed = OrderedFeed::start(Arc::clone(&self.options.ledger), world.through + 1);
        let mut caught_up = world.through >= head;
        if caught_up && !self.take_over(&mut world).await? {
            return Ok(RunnerStep::Fenced);
        }
        let mut renew = tokio::time::interval(LEASE_EVERY);
        loop {
            let mut left = false;
            if caught_up {
                match self.decide_some(&mut world, shutdown).await? {
                    Some(more) => left = more,
                    None => return Ok(RunnerStep::Fenced),
                }
                self.report(&world);
            }
            while left
                && world.undecided() < READ_AHEAD
                && let Some(records) = feed.ready()
            {
                for record in records? {
                    Self::take(&mut world, &record)?;
                }
            }
            // No later timer fires until the backlog is decided.
            let due = if caught_up && !left { Self::next_due(&world) } else { None };
            let due_at = due.as_ref().map_or(Time::MAX, |(_, timer)| timer.due);
            let tidy_at = if caught_up && !left { world.tidy_at() } else { None };
            tokio::select! {
                biased;
                _ = shutdown.changed() => {
                    if *shutdown.borrow() {
                        self.save(&mut world, true).await?;
                        return Ok(RunnerStep::Stop);
                    }
                }
                _ = renew.tick(), if self.options.ledger.info().shared => {
                    if !lease.renew().await {
                        return Ok(RunnerStep::Fenced);
                    }
                }
                () = tokio::task::yield_now(), if left => {}
                records = feed.next(), if !left => {
                    for record in records? {
                        Self::take(&mut world, &record)?;
                    }
                    if !caught_up && world.through >= head {
                        caught_up = true;
                        if !self.take_over(&mut world).await? {
                            return Ok(RunnerStep::Fenced);
                        }
                    }
                    self.tidy(&mut world, caught_up);
                    self.save(&mut world, false).await?;
                }
                () = self.options.clock.sleep_until(tidy_at.unwrap_or(Time::MAX)), if tidy_at.is_some() => {
                    self.tidy(&mut world, caught_up);
                }
                () = self.options.clock.sleep_until(due_at), if due.is_some() => {
                    if let Some((partition, timer)) = due
                        && !self.fire(&mut world, &partition, &timer).await?
                    {
                        return Ok(RunnerStep::Fenced);
                    }
                }
            }
        }
    }

    async fn patiently<T, F>(&self, mut work: impl FnMut() -> F) -> Result<T, ReadError>
    where
        F: Future<Output = Result<T, ReadError>>,
    {
        let mut pause = PAUSE.0;
        loop {
            match work().await {
                Err(ReadError::Unavailable(error)) => {
                    tracing::warn!(%error, "the ledger cannot be reached; trying again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE.1);
                }
                done => return done,
            }
        }
    }
}

/// Whether a snapshot's place is still in the ledger; readers that keep their own place ask the same.
pub async fn fits(ledger: &Shared, seq: Seq, hash: Hash) -> bool {
    snapshot::hash_at(ledger.as_ref(), seq).await == Some(hash)
}
