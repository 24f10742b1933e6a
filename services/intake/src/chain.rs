//! One partition's chain of intake commits, with one commit in flight.
//!
//! After an unknown outcome the leader is read before anything else: ours is success, another's is a twin
//! in our slot (we take the next slot), nothing means the same bytes once more with the same expectation.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hindcast_domain::limits::COMMIT_EVENTS_MAX;
use hindcast_domain::{EventId, Partition};
use hindcast_events::NewEvent;
use hindcast_facts::SubmitError;
use hindcast_ledger::commit::{self, CommitHeader, Hash, Malformed};
use hindcast_ledger::port::{AppendError, ReadError, Seq};
use hindcast_ledger::subject::Subject;
use tokio::sync::mpsc;

use crate::gather::{answer, gather};
use crate::repeats::{GatheredEvents, LINGER, RequestShare};
use crate::slot::{FailPoint, Slot, event_id};
use crate::submission::Submission;

/// Slots that a writer tries before it gives up: more twins than this is a mistake of configuration.
const SLOTS_MAX: u32 = 64;
/// How long a request waits for a ledger that cannot be reached, before it is told to come again.
const PATIENCE: Duration = Duration::from_secs(6);
/// How often an unknown outcome is looked into, at the most.
const ATTEMPTS_MAX: u32 = 40;
/// The pause between two looks, at first; it doubles up to a second.
const PAUSE: Duration = Duration::from_millis(10);

/// One partition's subject: its slot, and where its chain stands.
pub(crate) struct Chain {
    shared: Arc<Slot>,
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

impl Chain {
    pub(crate) fn new(shared: &Arc<Slot>, partition: Partition) -> Self {
        Self { shared: Arc::clone(shared), partition, slot_number: 0, tip: None }
    }

    pub(crate) async fn run(mut self, mut queue: mpsc::Receiver<Submission>) {
        let name = format!("writer/{}/{}", self.shared.name, self.partition);
        let mut waiting = None;
        loop {
            let first = match waiting.take() {
                Some(submission) => submission,
                None => match queue.recv().await {
                    Some(submission) => submission,
                    None => break,
                },
            };
            self.shared.progress.appending(&name, 1);
            let (batch, left) = self.collect(first, &mut queue).await;
            waiting = left;
            self.write(batch).await;
            self.shared.progress.appending(&name, -1);
        }
        self.shared.progress.forget(&name);
    }

    /// Takes what waits already; where all of that repeats what is known, what comes within a few milliseconds too.
    async fn collect(
        &self,
        first: Submission,
        queue: &mut mpsc::Receiver<Submission>,
    ) -> (Vec<Submission>, Option<Submission>) {
        let (mut batch, mut left) = gather(first, queue);
        let Some(index) = &self.shared.repeats else { return (batch, left) };
        if !index.ready(&self.shared.ledger).await || !index.are_repeats(&batch, self.shared.clock.now()) {
            return (batch, left);
        }
        let until = tokio::time::Instant::now() + LINGER;
        let mut events: usize = batch.iter().map(|submission| submission.events.len()).sum();
        while left.is_none() && events < COMMIT_EVENTS_MAX {
            let Ok(Some(next)) = tokio::time::timeout_at(until, queue.recv()).await else { break };
            let (more, rest) = gather(next, queue);
            events += more.iter().map(|submission| submission.events.len()).sum::<usize>();
            let goes_on = index.are_repeats(&more, self.shared.clock.now());
            batch.extend(more);
            left = rest;
            if !goes_on {
                break;
            }
        }
        (batch, left)
    }

    async fn write(&mut self, batch: Vec<Submission>) {
        let index = self.shared.repeats.as_ref().filter(|index| index.is_followed());
        let gathered = match index {
            Some(index) => index.gather(batch, self.shared.clock.now()),
            None => GatheredEvents::plain(batch),
        };
        let GatheredEvents { events, shares, written } = gathered;
        if self.shared.fail == FailPoint::AcknowledgeBeforeAppend {
            self.write_after_answering(&events, shares).await;
            return;
        }
        let result = self.append(&events).await;
        if let (Some(index), Err(_)) = (&self.shared.repeats, &result) {
            index.lose(&written);
        }
        answer(shares, result);
    }

    /// What must never be: it exists so that the test of the guarantee can be seen to turn red.
    async fn write_after_answering(&mut self, events: &[NewEvent], shares: Vec<RequestShare>) {
        let unwritten = (0, EventId::derive(&[b"unwritten"]));
        answer(shares, Ok(vec![unwritten; events.len()]));
        tokio::time::sleep(Duration::from_millis(50)).await;
        if let Err(error) = self.append(events).await {
            tracing::error!(%error, "acknowledged events are lost");
        }
    }

    async fn append(&mut self, events: &[NewEvent]) -> Result<Vec<(u64, EventId)>, SubmitError> {
        let mut places = Vec::with_capacity(events.len());
        // What does not fit one commit is halved until it does; it is answered after the last one.
        let mut parts = vec![events];
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

    async fn append_part(&mut self, events: &[NewEvent]) -> Result<Vec<(u64, EventId)>, SubmitError> {
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
            let (subject, began) = (self.subject(), Instant::now());
            match self.settle(&subject, tip.seq, &payload).await {
                SettledAppend::Ours(seq) => {
                    let figures = self.shared.progress.figures();
                    figures.appended(&subject, events.len(), payload.len(), began.elapsed());
                    self.tip = Some(Tip { seq, hash, counter: tip.counter + 1 });
                    let place = |(index, id)| (commit::position(seq, index), id);
                    return Ok(ids.into_iter().enumerate().map(place).collect());
                }
                SettledAppend::Twin => self.next_slot()?,
                SettledAppend::Refused(reason) => return Err(SubmitError::Unavailable(reason)),
            }
        }
        Err(SubmitError::Unavailable("the ledger could not be reached for too long".to_owned()))
    }

    /// Appends until the outcome is known.
    async fn settle(&self, subject: &Subject, expected: Seq, payload: &Bytes) -> SettledAppend {
        let mut pause = PAUSE;
        for _ in 0..ATTEMPTS_MAX {
            match self.shared.ledger.append(subject, expected, payload.clone()).await {
                Ok(seq) => return SettledAppend::Ours(seq),
                Err(AppendError::Refused(reason)) => return SettledAppend::Refused(reason),
                Err(error @ AppendError::TooLarge { .. }) => {
                    return SettledAppend::Refused(error.to_string());
                }
                Err(AppendError::Conflict { .. } | AppendError::Unknown { .. }) => {}
            }
            // Read the leader: only what stands there tells what became of it.
            match self.shared.ledger.first_after(subject, expected).await {
                Ok(Some(record)) if record.payload == *payload => return SettledAppend::Ours(record.seq),
                Ok(Some(_)) => return SettledAppend::Twin,
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "an append's outcome cannot be read yet"),
            }
            rest(&mut pause).await;
        }
        SettledAppend::Refused("an append's outcome could not be learnt for too long".to_owned())
    }

    async fn tip(&mut self) -> Result<Tip, ReadError> {
        if let Some(tip) = self.tip {
            return Ok(tip);
        }
        let tip = match self.shared.ledger.last(&self.subject()).await? {
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
            0 => self.shared.name.clone(),
            n => format!("{}-{n}", self.shared.name),
        };
        Subject::intake(&self.partition, &slot)
    }

    fn next_slot(&mut self) -> Result<(), SubmitError> {
        tracing::warn!(subject = %self.subject(), "another writer holds this slot; taking the next one");
        self.slot_number += 1;
        self.tip = None;
        if self.slot_number == SLOTS_MAX {
            return Err(SubmitError::Unavailable(format!("{SLOTS_MAX} writers hold slots of {}", self.shared.name)));
        }
        Ok(())
    }

    fn pack(&self, events: &[NewEvent], tip: Tip) -> Result<(Bytes, Hash, Vec<EventId>), SubmitError> {
        let subject = self.subject();
        let now = self.shared.clock.now();
        let ledger = &self.shared.ledger.info().ledger_id;
        let counter = tip.counter + 1;
        let mut ids = Vec::with_capacity(events.len());
        let mut bytes = Vec::with_capacity(events.len());
        for (index, new) in events.iter().enumerate() {
            let id = event_id(ledger, &subject, counter, index);
            bytes.push(hindcast_events::encode_new(&id, now, new));
            ids.push(id);
        }
        let header = CommitHeader::next(ledger.clone(), subject, counter, (tip.seq, tip.hash), now);
        let (payload, hash) = commit::encode(header, &bytes).map_err(|error| SubmitError::TooLarge(error.bytes))?;
        Ok((payload, hash, ids))
    }
}

enum SettledAppend {
    Ours(Seq),
    Twin,
    Refused(String),
}

async fn rest(pause: &mut Duration) {
    tokio::time::sleep(*pause).await;
    *pause = (*pause * 2).min(Duration::from_secs(1));
}
