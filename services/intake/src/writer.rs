//! The owner of a slot of intake: it gives each partition a queue and a chain, and hands out the two handles.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use hindcast_clock as clock;
use hindcast_domain::Partition;
use hindcast_domain::limits::COMMIT_EVENTS_MAX;
use hindcast_events::NewEvent;
use hindcast_facts::{Appended, FactsWriter, NewFact, Sink, SubmitError};
use hindcast_ledger::port::Shared;
use hindcast_ledger::progress::{LedgerProgress, UNDECIDED_MAX};
use tokio::sync::{mpsc, oneshot};

use crate::chain::Chain;
use crate::repeats::RepeatIndex;
use crate::slot::{FailPoint, Slot, of_fact};
use crate::submission::Submission;

/// Requests that wait for a partition's next commit.
const QUEUE_MAX: usize = 4_096;

/// Owns a slot of intake. Cheap to clone; all clones share their commits.
#[derive(Clone)]
pub struct IntakeWriter {
    inner: Arc<Inner>,
}

struct Inner {
    slot: Arc<Slot>,
    lanes: Mutex<BTreeMap<Partition, mpsc::Sender<Submission>>>,
    stopped: tokio::sync::watch::Sender<bool>,
    tasks: Mutex<tokio::task::JoinSet<()>>,
}

impl IntakeWriter {
    /// A writer in the slot `slot` (a stable word such as `door`).
    #[must_use]
    pub fn new(ledger: Shared, clock: clock::Shared, progress: LedgerProgress, slot: &str) -> Self {
        Self::with_fail_point(ledger, clock, progress, slot, FailPoint::None)
    }

    /// The same, with the guarantee broken somewhere.
    #[must_use]
    pub fn with_fail_point(
        ledger: Shared,
        clock: clock::Shared,
        progress: LedgerProgress,
        slot: &str,
        fail: FailPoint,
    ) -> Self {
        Self::of(Slot { ledger, clock, progress, name: slot.to_owned(), fail, repeats: None })
    }

    /// The same, which keeps what senders say again without a change as a count and a time in a batch.
    #[must_use]
    pub fn gathering(
        ledger: Shared,
        clock: clock::Shared,
        progress: LedgerProgress,
        slot: &str,
        fail: FailPoint,
    ) -> Self {
        let repeats = Some(RepeatIndex::default());
        Self::of(Slot { ledger, clock, progress, name: slot.to_owned(), fail, repeats })
    }

    fn of(slot: Slot) -> Self {
        if slot.fail != FailPoint::None {
            tracing::error!(fail = ?slot.fail, "a guarantee is switched off: what is acknowledged may be lost");
        }
        Self {
            inner: Arc::new(Inner {
                slot: Arc::new(slot),
                lanes: Mutex::default(),
                stopped: tokio::sync::watch::Sender::new(false),
                tasks: Mutex::default(),
            }),
        }
    }

    /// A handle that appends facts alone.
    #[must_use]
    pub fn facts(&self) -> FactsWriter {
        FactsWriter::over(Arc::new(self.clone()))
    }

    /// Writes events of one request in order and answers once the last of them is durable. Many events
    /// become several commits.
    ///
    /// # Errors
    /// When they are not known to be durable: the sender has to try again.
    pub(crate) async fn submit(&self, partition: &Partition, events: Vec<NewEvent>) -> Result<Appended, SubmitError> {
        // Beyond that nothing is taken that would wait for too long; what people ask for is.
        let is_alert = |event: &NewEvent| matches!(event.event, hindcast_domain::event::Event::Observed(_));
        if self.inner.slot.progress.backlog() >= UNDECIDED_MAX as u64 && events.iter().any(is_alert) {
            return Err(SubmitError::Busy);
        }
        let mut receipt = Appended { positions: Vec::new(), ids: Vec::new() };
        let mut rest = events;
        while !rest.is_empty() {
            let later = rest.split_off(rest.len().min(COMMIT_EVENTS_MAX / 2));
            let part = self.submit_part(partition, rest).await?;
            receipt.positions.extend(part.positions);
            receipt.ids.extend(part.ids);
            rest = later;
        }
        Ok(receipt)
    }

    async fn submit_part(&self, partition: &Partition, events: Vec<NewEvent>) -> Result<Appended, SubmitError> {
        let (answer, answered) = oneshot::channel();
        let lane = self.lane(partition)?;
        let at = self.inner.slot.clock.now();
        lane.try_send(Submission { events, answer, at }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SubmitError::Busy,
            mpsc::error::TrySendError::Closed(_) => SubmitError::Stopped,
        })?;
        answered.await.unwrap_or(Err(SubmitError::Stopped))
    }

    fn lane(&self, partition: &Partition) -> Result<mpsc::Sender<Submission>, SubmitError> {
        if *self.inner.stopped.borrow() {
            return Err(SubmitError::Stopped);
        }
        let mut lanes = lock(&self.inner.lanes);
        if let Some(lane) = lanes.get(partition).filter(|lane| !lane.is_closed()) {
            return Ok(lane.clone());
        }
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        lanes.insert(partition.clone(), sender.clone());
        let chain = Chain::new(&self.inner.slot, partition.clone());
        lock(&self.inner.tasks).spawn(chain.run(receiver));
        Ok(sender)
    }

    /// Takes nothing new, makes durable what was taken, and ends.
    pub async fn stop(&self) {
        self.inner.stopped.send_replace(true);
        lock(&self.inner.lanes).clear();
        let mut tasks = std::mem::take(&mut *lock(&self.inner.tasks));
        while tasks.join_next().await.is_some() {}
        self.inner.slot.repeats.iter().for_each(RepeatIndex::stop);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[async_trait]
impl Sink for IntakeWriter {
    async fn append(&self, partition: &Partition, facts: Vec<NewFact>) -> Result<Appended, SubmitError> {
        self.submit(partition, facts.into_iter().map(of_fact).collect()).await
    }
}
