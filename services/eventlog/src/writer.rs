//! Intake: facts from outside, written by a slot of this process, one commit in flight per partition.
//!
//! Requests that arrive while a commit is being made durable share the next one, so that a sync is paid
//! once for all of them. A request is answered when the commit that holds its last event is durable.
//! After an unknown outcome the leader is read before anything else: ours is success, another's is a twin
//! in our slot (we take the next slot), nothing means the same bytes once more with the same expectation.

use hindcast_domain::events;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use hindcast_clock as clock;
use hindcast_domain::limits::COMMIT_EVENTS_MAX;
use hindcast_domain::{EventId, Partition};
use hindcast_events::{Envelope, NewEvent};
use tokio::sync::{mpsc, oneshot};

use hindcast_ledger::commit::{self, Hash, Header, Malformed};
use hindcast_ledger::port::{AppendError, ReadError, Seq, Shared};
use hindcast_ledger::progress::Progress;
use hindcast_ledger::subject::Subject;

/// Requests that wait for a partition's next commit.
const QUEUE_MAX: usize = 4_096;
/// Bytes of events, before compression, that go into one commit.
const BATCH_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Slots that a writer tries before it gives up: more twins than this is a mistake of configuration.
const SLOTS_MAX: u32 = 64;
/// How long a request waits for a ledger that cannot be reached, before it is told to come again.
const PATIENCE: Duration = Duration::from_secs(6);
/// How often an unknown outcome is looked into, at the most.
const ATTEMPTS_MAX: u32 = 40;
/// The pause between two looks, at first; it doubles up to a second.
const PAUSE: Duration = Duration::from_millis(10);

/// Where a request's events lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The place of each event, in order.
    pub positions: Vec<u64>,
    /// The id of each event, in order.
    pub ids: Vec<EventId>,
}

impl Receipt {
    /// The place of the last event.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.positions.last().copied().unwrap_or(0)
    }
}

/// Why a request's events are not known to be durable.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SubmitError {
    /// So many requests wait that this one is turned away; nothing of it was written.
    #[error("too many requests wait for the ledger")]
    Busy,
    /// One event alone is over a commit's limit.
    #[error("one event of {0} bytes is over the limit of a commit")]
    TooLarge(usize),
    /// The ledger takes nothing now.
    #[error("the ledger takes nothing now: {0}")]
    Unavailable(String),
    /// The service stops.
    #[error("the writer has stopped")]
    Stopped,
}

struct Submission {
    events: Vec<NewEvent>,
    answer: oneshot::Sender<Result<Receipt, SubmitError>>,
}

/// Where the guarantee may be broken on purpose, so that its test can be seen to turn red.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailPoint {
    /// Nowhere.
    #[default]
    None,
    /// Requests are answered before the append.
    AcknowledgeBeforeAppend,
}

/// Writes facts. Cheap to clone; all clones share their commits.
#[derive(Clone)]
pub struct Writer {
    inner: Arc<Inner>,
}

struct Inner {
    ledger: Shared,
    clock: clock::Shared,
    progress: Progress,
    slot: String,
    fail: FailPoint,
    lanes: Mutex<BTreeMap<Partition, mpsc::Sender<Submission>>>,
    stopped: tokio::sync::watch::Sender<bool>,
    tasks: Mutex<tokio::task::JoinSet<()>>,
}

impl Writer {
    /// A writer in the slot `slot` (a stable word such as `door`).
    #[must_use]
    pub fn new(ledger: Shared, clock: clock::Shared, progress: Progress, slot: &str) -> Self {
        Self::with_fail_point(ledger, clock, progress, slot, FailPoint::None)
    }

    /// The same, with the guarantee broken somewhere.
    #[must_use]
    pub fn with_fail_point(
        ledger: Shared,
        clock: clock::Shared,
        progress: Progress,
        slot: &str,
        fail: FailPoint,
    ) -> Self {
        if fail != FailPoint::None {
            tracing::error!(?fail, "a guarantee is switched off: what is acknowledged may be lost");
        }
        Self {
            inner: Arc::new(Inner {
                ledger,
                clock,
                progress,
                slot: slot.to_owned(),
                fail,
                lanes: Mutex::default(),
                stopped: tokio::sync::watch::Sender::new(false),
                tasks: Mutex::default(),
            }),
        }
    }

    /// Writes events of one request in order and answers once the last of them is durable. Many events
    /// become several commits.
    ///
    /// # Errors
    /// When they are not known to be durable: the sender has to try again.
    pub async fn submit(&self, partition: &Partition, events: Vec<NewEvent>) -> Result<Receipt, SubmitError> {
        let mut receipt = Receipt { positions: Vec::new(), ids: Vec::new() };
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

    async fn submit_part(&self, partition: &Partition, events: Vec<NewEvent>) -> Result<Receipt, SubmitError> {
        let (answer, answered) = oneshot::channel();
        let lane = self.lane(partition)?;
        lane.try_send(Submission { events, answer }).map_err(|error| match error {
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
        let chain = Chain::new(&self.inner, partition.clone());
        lock(&self.inner.tasks).spawn(chain.run(receiver));
        Ok(sender)
    }

    /// Takes nothing new, makes durable what was taken, and ends.
    pub async fn stop(&self) {
        self.inner.stopped.send_replace(true);
        lock(&self.inner.lanes).clear();
        let mut tasks = std::mem::take(&mut *lock(&self.inner.tasks));
        while tasks.join_next().await.is_some() {}
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// One partition's subject: its slot, and where its chain stands.
struct Chain {
    inner: Arc<Inner>,
    partition: Partition,
    slot_number: u32,
    /// Where the chain stands; unknown until the leader was read.
    tip: Option<Tip>,
}

#[derive(Clone, Copy)]
struct Tip {
    seq: Seq,
    hash: Hash,
    counter: u64,
}

/// A commit that is ready to be appended, with what its requests are to be told.
struct Batch {
    submissions: Vec<Submission>,
}

impl Chain {
    fn new(inner: &Arc<Inner>, partition: Partition) -> Self {
        Self { inner: Arc::clone(inner), partition, slot_number: 0, tip: None }
    }

    async fn run(mut self, mut queue: mpsc::Receiver<Submission>) {
        let name = format!("writer/{}/{}", self.inner.slot, self.partition);
        let mut waiting = None;
        loop {
            let first = match waiting.take() {
                Some(submission) => submission,
                None => match queue.recv().await {
                    Some(submission) => submission,
                    None => break,
                },
            };
            self.inner.progress.appending(&name, 1);
            let (batch, left) = gather(first, &mut queue);
            waiting = left;
            self.write(batch).await;
            self.inner.progress.appending(&name, -1);
        }
        self.inner.progress.forget(&name);
    }

    async fn write(&mut self, batch: Batch) {
        if self.inner.fail == FailPoint::AcknowledgeBeforeAppend {
            self.write_after_answering(batch).await;
            return;
        }
        let result = self.append(&batch.submissions).await;
        answer(batch.submissions, result);
    }

    /// What must never be: it exists so that the test of the guarantee can be seen to turn red.
    async fn write_after_answering(&mut self, batch: Batch) {
        let mut kept = Vec::new();
        for submission in batch.submissions {
            let ids = submission.events.iter().map(|_| EventId::derive(&[b"unwritten"])).collect();
            let positions = vec![0; submission.events.len()];
            let (quiet, _) = oneshot::channel();
            kept.push(Submission { events: submission.events, answer: quiet });
            if submission.answer.send(Ok(Receipt { positions, ids })).is_err() {
                tracing::debug!("a request went away before its answer");
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        if let Err(error) = self.append(&kept).await {
            tracing::error!(%error, "acknowledged events are lost");
        }
    }

    async fn append(&mut self, submissions: &[Submission]) -> Result<Vec<(u64, EventId)>, SubmitError> {
        let events: Vec<&NewEvent> = submissions.iter().flat_map(|submission| &submission.events).collect();
        let mut places = Vec::with_capacity(events.len());
        // What does not fit one commit is halved until it does; it is answered after the last one.
        let mut parts = vec![events.as_slice()];
        while let Some(part) = parts.pop() {
            let appended = tokio::time::timeout(PATIENCE, self.append_part(part)).await;
            let appended = appended.unwrap_or_else(|_| {
                // Whether it was written is not known: the leader is read before the next commit.
                self.tip = None;
                Err(SubmitError::Unavailable("the ledger cannot be reached".to_owned()))
            });
            match appended {
                Ok(more) => places.extend(more),
                Err(SubmitError::TooLarge(_)) if part.len() > 1 => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(places)
    }

    async fn append_part(&mut self, events: &[&NewEvent]) -> Result<Vec<(u64, EventId)>, SubmitError> {
        let mut pause = PAUSE;
        for _ in 0..ATTEMPTS_MAX {
            let tip = match self.tip().await {
                Ok(tip) => tip,
                Err(error) => {
                    tracing::warn!(%error, "the ledger cannot be read; the writer tries again");
                    rest(&mut pause).await;
                    continue;
                }
            };
            let (payload, hash, ids) = self.pack(events, tip)?;
            let subject = self.subject();
            match self.settle(&subject, tip.seq, &payload).await {
                Settled::Ours(seq) => {
                    self.tip = Some(Tip { seq, hash, counter: tip.counter + 1 });
                    let place = |(index, id)| (commit::position(seq, index), id);
                    return Ok(ids.into_iter().enumerate().map(place).collect());
                }
                Settled::Twin => self.next_slot()?,
                Settled::Refused(reason) => return Err(SubmitError::Unavailable(reason)),
            }
        }
        Err(SubmitError::Unavailable("the ledger could not be reached for too long".to_owned()))
    }

    /// Appends until the outcome is known.
    async fn settle(&self, subject: &Subject, expected: Seq, payload: &Bytes) -> Settled {
        let mut pause = PAUSE;
        for _ in 0..ATTEMPTS_MAX {
            match self.inner.ledger.append(subject, expected, payload.clone()).await {
                Ok(seq) => return Settled::Ours(seq),
                Err(AppendError::Refused(reason)) => return Settled::Refused(reason),
                Err(error @ AppendError::TooLarge { .. }) => {
                    return Settled::Refused(error.to_string());
                }
                Err(AppendError::Conflict { .. } | AppendError::Unknown { .. }) => {}
            }
            // Read the leader: only what stands there tells what became of it.
            match self.inner.ledger.first_after(subject, expected).await {
                Ok(Some(record)) if record.payload == *payload => return Settled::Ours(record.seq),
                Ok(Some(_)) => return Settled::Twin,
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "an append's outcome cannot be read yet"),
            }
            rest(&mut pause).await;
        }
        Settled::Refused("an append's outcome could not be learnt for too long".to_owned())
    }

    async fn tip(&mut self) -> Result<Tip, ReadError> {
        if let Some(tip) = self.tip {
            return Ok(tip);
        }
        let tip = match self.inner.ledger.last(&self.subject()).await? {
            None => Tip { seq: 0, hash: Hash::ZERO, counter: 0 },
            Some(record) => {
                let (header, hash) = commit::decode_header(&record.payload)
                    .map_err(|source: Malformed| ReadError::Damaged { seq: record.seq, detail: source.to_string() })?;
                Tip { seq: record.seq, hash, counter: header.counter }
            }
        };
        self.tip = Some(tip);
        Ok(tip)
    }

    fn subject(&self) -> Subject {
        let slot = match self.slot_number {
            0 => self.inner.slot.clone(),
            n => format!("{}-{n}", self.inner.slot),
        };
        Subject::intake(&self.partition, &slot)
    }

    fn next_slot(&mut self) -> Result<(), SubmitError> {
        tracing::warn!(subject = %self.subject(), "another writer holds this slot; taking the next one");
        self.slot_number += 1;
        self.tip = None;
        if self.slot_number == SLOTS_MAX {
            return Err(SubmitError::Unavailable(format!("{SLOTS_MAX} writers hold slots of {}", self.inner.slot)));
        }
        Ok(())
    }

    fn pack(&self, events: &[&NewEvent], tip: Tip) -> Result<(Bytes, Hash, Vec<EventId>), SubmitError> {
        let subject = self.subject();
        let now = self.inner.clock.now();
        let ledger = &self.inner.ledger.info().ledger_id;
        let counter = tip.counter + 1;
        let mut ids = Vec::with_capacity(events.len());
        let mut bytes = Vec::with_capacity(events.len());
        for (index, new) in events.iter().enumerate() {
            let id = event_id(ledger, &subject, counter, index);
            bytes.push(hindcast_events::encode(&Envelope {
                id: id.clone(),
                subject: new.subject.clone(),
                revision: None,
                time: now,
                actor: new.actor.clone(),
                cause: None,
                traceparent: new.traceparent.clone(),
                event: new.event.clone(),
            }));
            ids.push(id);
        }
        let header = Header {
            ledger: ledger.clone(),
            subject,
            counter,
            expected: tip.seq,
            previous: tip.hash,
            stamped_at: now,
            root: Hash::ZERO,
            events: 0,
            consumed: Vec::new(),
        };
        let (payload, hash) = commit::encode(header, &bytes).map_err(|error| SubmitError::TooLarge(error.bytes))?;
        Ok((payload, hash, ids))
    }
}

/// The id of an intake event: a hash of its ledger, writer, counter and index.
#[must_use]
pub fn event_id(ledger: &str, subject: &Subject, counter: u64, index: usize) -> EventId {
    let subject = subject.to_string();
    EventId::derive(&[ledger.as_bytes(), subject.as_bytes(), &counter.to_be_bytes(), &index.to_be_bytes()])
}

enum Settled {
    Ours(Seq),
    Twin,
    Refused(String),
}

async fn rest(pause: &mut Duration) {
    tokio::time::sleep(*pause).await;
    *pause = (*pause * 2).min(Duration::from_secs(1));
}

/// Takes what waits already, up to a commit's limits. What does not fit any more waits for the next one.
fn gather(first: Submission, queue: &mut mpsc::Receiver<Submission>) -> (Batch, Option<Submission>) {
    let mut events = first.events.len();
    let mut bytes = weigh(&first.events);
    let mut submissions = vec![first];
    while let Ok(next) = queue.try_recv() {
        let weight = weigh(&next.events);
        if events + next.events.len() > COMMIT_EVENTS_MAX || bytes + weight > BATCH_BYTES_MAX {
            return (Batch { submissions }, Some(next));
        }
        events += next.events.len();
        bytes += weight;
        submissions.push(next);
    }
    (Batch { submissions }, None)
}

/// About how many bytes events have: texts dominate.
fn weigh(events: &[NewEvent]) -> usize {
    use hindcast_domain::Event;
    let of = |event: &NewEvent| match &event.event {
        Event::Observed(observation) => {
            let texts = observation.labels.iter().chain(&observation.annotations);
            512 + texts.map(|(name, value)| name.len() + value.len() + 8).sum::<usize>()
        }
        Event::Delivery(delivery) => 512 + rough(&delivery.envelope),
        Event::Parked(parked) => 512 + rough(&parked.payload),
        Event::Command(_) => 4_096,
        Event::DoorOpened(_)
        | Event::Change(_)
        | Event::Unparked(_)
        | events! { finding, conversation, proposal, label, model, chat, alert, incident, silence, control, notice } => {
            1_024
        }
    };
    events.iter().map(of).sum()
}

fn rough(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::String(text) => text.len() + 8,
        serde_json::Value::Array(items) => items.iter().map(rough).sum::<usize>() + 8,
        serde_json::Value::Object(object) => object.iter().map(|(key, value)| key.len() + rough(value) + 8).sum(),
        _ => 8,
    }
}

fn answer(submissions: Vec<Submission>, result: Result<Vec<(u64, EventId)>, SubmitError>) {
    let mut places = match &result {
        Ok(places) => places.iter(),
        Err(_) => [].iter(),
    };
    for submission in submissions {
        let told = match &result {
            Ok(_) => {
                let mine: Vec<_> = places.by_ref().take(submission.events.len()).cloned().collect();
                let (positions, ids) = mine.into_iter().unzip();
                Ok(Receipt { positions, ids })
            }
            Err(error) => Err(error.clone()),
        };
        if submission.answer.send(told).is_err() {
            tracing::debug!("a request went away before its answer");
        }
    }
}
