//! How a lane decides: inputs one by one, timers before the inputs that come after them, and one append for
//! what a batch decided. Refuses to know how the state was found.

use std::collections::BTreeMap;

use hindcast_domain::event::{Draft, Event, Recorded, SYSTEM};
use hindcast_domain::lane::{Decider, Timer};
use hindcast_domain::{EventId, Partition, Time, command};
use hindcast_events::Envelope;
use tokio::sync::watch;

use super::{BATCH_BYTES, BATCH_EVENTS, Error, LaneTip, OwnedLane, PAUSE, Runner, RunnerState};
use hindcast_ledger::commit::{self, CommitHeader, ConsumedThrough, Hash};
use hindcast_ledger::port::{AppendError, ReadError, Seq};
use hindcast_ledger::progress::ServiceReport;

impl<D: Decider> Runner<D> {
    /// On a ledger that others can write to, the first append of an owner says so, and is its fence.
    pub(super) async fn take_over(&self, world: &mut RunnerState<D>) -> Result<bool, Error> {
        if !self.options.ledger.info().shared {
            return Ok(true);
        }
        let partitions: Vec<_> = world.lanes.keys().cloned().collect();
        for partition in partitions {
            let Some(lane) = world.lanes.get_mut(&partition) else {
                continue;
            };
            let epoch = lane.tip.counter + 1;
            let owned = Event::Owned(command::Owned { epoch, owner: self.options.owner.clone() });
            let seed = format!("owned/{epoch}");
            let draft = Draft::system(&lane.subject, owned);
            let now = lane.now;
            self.adopt(lane, vec![draft], None, seed.as_bytes(), now);
            if !self.append(lane).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) async fn decide_all(
        &self,
        world: &mut RunnerState<D>,
        shutdown: &watch::Receiver<bool>,
    ) -> Result<bool, Error> {
        for lane in world.lanes.values_mut() {
            // What is left waits in the ledger for whoever owns the lane next.
            while !*shutdown.borrow()
                && let Some(input) = lane.pending.pop_front()
            {
                for event in &input.events {
                    self.decide(lane, event, input.stamped_at);
                }
                let cursor = ConsumedThrough { subject: input.subject.clone(), seq: input.seq, hash: input.hash };
                lane.cursors.insert(input.subject.clone(), cursor);
                let full = lane.batch.len() >= BATCH_EVENTS || lane.batch_bytes >= BATCH_BYTES;
                if (full || lane.pending.is_empty()) && !self.append(lane).await? {
                    return Ok(false);
                }
                if full {
                    tokio::task::yield_now().await;
                }
            }
        }
        Ok(true)
    }

    pub(super) fn decide(&self, lane: &mut OwnedLane<D>, input: &Recorded, stamped_at: Time) {
        if self.decider.sees_first() {
            self.decider.seen(&mut lane.state, input);
        }
        // Timers that were due before this input come first, each at its own time.
        while !self.decider.precedes_timers(input)
            && let Some(timer) = self.decider.due(&lane.state).filter(|timer| timer.due <= stamped_at)
        {
            if !self.fire_one(lane, &timer) {
                break;
            }
        }
        let now = lane.now.max(stamped_at);
        let drafts = self.decider.decide(&lane.state, &lane.partition, input, now);
        lane.seal |= self.decider.seals(input);
        self.adopt(lane, drafts, Some(input), input.id.as_str().as_bytes(), now);
        if !self.decider.sees_first() {
            self.decider.seen(&mut lane.state, input);
        }
    }

    /// Decides about a timer; false where it decided nothing, which would make it due for ever.
    pub(super) fn fire_one(&self, lane: &mut OwnedLane<D>, timer: &Timer) -> bool {
        let now = lane.now.max(timer.due);
        let drafts = self.decider.fire(&lane.state, &lane.partition, timer);
        if drafts.is_empty() {
            tracing::error!(timer = timer.id, "a timer that is due decides nothing; it is a defect");
            return false;
        }
        let seed = format!("{}/{}/{}", lane.subject, timer.due.nanos(), timer.id);
        self.adopt(lane, drafts, None, seed.as_bytes(), now);
        true
    }

    /// Gives drafts their ids and revisions, folds them, and puts them into the batch.
    pub(super) fn adopt(
        &self,
        lane: &mut OwnedLane<D>,
        drafts: Vec<Draft>,
        input: Option<&Recorded>,
        seed: &[u8],
        now: Time,
    ) {
        // One decision gives all its events on a subject the same revision.
        let mut revisions: BTreeMap<String, u64> = BTreeMap::new();
        for (index, draft) in drafts.into_iter().enumerate() {
            let Draft { subject, actor, event } = draft;
            let revision =
                *revisions.entry(subject.clone()).or_insert_with(|| self.decider.revision(&lane.state, &subject) + 1);
            let envelope = Envelope {
                id: EventId::derive(&[lane.subject.to_string().as_bytes(), seed, &index.to_be_bytes()]),
                subject,
                // A lane is no aggregate: its owners are told apart by their epoch.
                revision: (!matches!(event, Event::Owned(_))).then_some(revision),
                time: now,
                actor: if actor.is_empty() { SYSTEM.to_owned() } else { actor },
                cause: input.map(|input| input.id.clone()),
                traceparent: None,
                event,
            };
            let bytes = hindcast_events::encode(&envelope);
            lane.batch_bytes += bytes.len();
            lane.batch.push(bytes);
            lane.now = lane.now.max(now);
            // Places are given by the append; no fold of a lane reads them.
            self.decider.evolve(&mut lane.state, &envelope.at(0, &lane.partition));
        }
    }

    /// Appends the batch with its cursor; false when another owner decided.
    pub(super) async fn append(&self, lane: &mut OwnedLane<D>) -> Result<bool, Error> {
        if lane.batch.is_empty() && !lane.seal {
            return Ok(true);
        }
        let header = CommitHeader {
            ledger: self.options.ledger.info().ledger_id.clone(),
            subject: lane.subject.clone(),
            counter: lane.tip.counter + 1,
            expected: lane.tip.seq,
            previous: lane.tip.hash,
            stamped_at: self.options.clock.now(),
            root: Hash::ZERO,
            events: 0,
            consumed: lane.cursors.values().cloned().collect(),
        };
        let (payload, hash) = match commit::encode(header, &lane.batch) {
            Ok(packed) => packed,
            Err(error) => {
                // The batch's bounds keep this from happening; losing decisions in silence is no option.
                let detail = error.to_string();
                return Err(ReadError::Damaged { seq: lane.tip.seq, detail }.into());
            }
        };
        let name = self.decider.name();
        self.options.progress.appending(name, 1);
        let settled = self.settle(lane, payload).await;
        self.options.progress.appending(name, -1);
        let Some(seq) = settled? else {
            return Ok(false);
        };
        lane.tip = LaneTip { seq, hash, counter: lane.tip.counter + 1 };
        lane.batch.clear();
        lane.batch_bytes = 0;
        lane.seal = false;
        Ok(true)
    }

    /// Appends until the outcome is known; `None` when another's commit stands there.
    pub(super) async fn settle(&self, lane: &OwnedLane<D>, payload: bytes::Bytes) -> Result<Option<Seq>, Error> {
        let mut pause = PAUSE.0;
        loop {
            match self.options.ledger.append(&lane.subject, lane.tip.seq, payload.clone()).await {
                Ok(seq) => return Ok(Some(seq)),
                Err(AppendError::Conflict { .. } | AppendError::Unknown { .. }) => {}
                Err(error) => tracing::error!(%error, "decisions cannot be appended; trying again"),
            }
            match self.options.ledger.first_after(&lane.subject, lane.tip.seq).await {
                Ok(Some(record)) if record.payload == payload => return Ok(Some(record.seq)),
                Ok(Some(_)) => return Ok(None),
                Ok(None) => {}
                Err(error @ ReadError::Damaged { .. }) => return Err(error.into()),
                Err(error) => tracing::warn!(%error, "an append's outcome cannot be read yet"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    pub(super) fn next_due(&self, world: &RunnerState<D>) -> Option<(Partition, Timer)> {
        let of = |lane: &OwnedLane<D>| self.decider.due(&lane.state).map(|timer| (lane.partition.clone(), timer));
        world.lanes.values().filter_map(of).min_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)))
    }

    pub(super) async fn fire(
        &self,
        world: &mut RunnerState<D>,
        partition: &Partition,
        timer: &Timer,
    ) -> Result<bool, Error> {
        let Some(lane) = world.lanes.get_mut(partition) else {
            return Ok(true);
        };
        if !self.fire_one(lane, timer) {
            tokio::time::sleep(PAUSE.1).await;
            return Ok(true);
        }
        self.append(lane).await
    }

    pub(super) fn report(&self, world: &RunnerState<D>) {
        let due = self.next_due(world).map(|(_, timer)| timer.due);
        self.options.progress.report(self.decider.name(), ServiceReport { through: world.through, due, appending: 0 });
    }
}
