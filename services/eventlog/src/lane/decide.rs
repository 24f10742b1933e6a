//! How a lane decides: inputs one by one, timers before the inputs that come after them, and one append for
//! what a batch decided. Refuses to know how the state was found.

use std::time::Instant;

use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::lane::{Decider, Timer};
use hindcast_domain::{Partition, Time, command};
use hindcast_engine::{DeadTimer, ENGINE_VERSION, InputTime};
use tokio::sync::watch;

use super::queue::Decided;
use super::world::{LaneWorld, OwnedLane};
use super::{BATCH_BYTES, BATCH_EVENTS, BATCH_EVENTS_MAX, Error, LaneTip, PAUSE, Runner};
use hindcast_ledger::commit::{self, CommitHeader};
use hindcast_ledger::figures::elapsed;
use hindcast_ledger::port::{AppendError, ReadError, Seq};
use hindcast_ledger::progress::ServiceReport;
use hindcast_ledger::{LedgerFigures, RecordMemo};

impl<D: Decider> Runner<D> {
    /// On a ledger that others can write to, the first append of an owner says so, and is its fence.
    pub(super) async fn take_over(&self, world: &mut LaneWorld<D>) -> Result<bool, Error> {
        if !self.options.ledger.info().shared {
            return Ok(true);
        }
        for lane in world.lanes.values_mut() {
            let epoch = lane.tip.counter + 1;
            let owned = command::Owned { epoch, owner: self.options.owner.clone() };
            lane.engine.owned(owned, &mut |decision| lane.batch.push(decision));
            lane.is_read()?;
            if !self.append(lane).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Decides one batch of each lane that has something to decide; whether something is left, and `None` when another
    /// owner decided. One batch, so that what comes meanwhile is heard of before the next choice.
    pub(super) async fn decide_some(
        &self,
        world: &mut LaneWorld<D>,
        shutdown: &watch::Receiver<bool>,
    ) -> Result<Option<bool>, Error> {
        let backlog = self.options.backlog;
        let mut left = false;
        for lane in world.lanes.values_mut() {
            // When the commits of the inputs that the batch decides about were stamped.
            let mut stamps = Vec::new();
            // What is left waits in the ledger for whoever owns the lane next.
            while !*shutdown.borrow() {
                let overtakes = lane.queue.len() > backlog;
                let Some((whole, stamp)) = decide_next(lane, backlog, self.options.progress.figures()) else { break };
                stamps.push(stamp);
                lane.is_read()?;
                let full = if whole || overtakes { BATCH_EVENTS } else { BATCH_EVENTS_MAX };
                let full = lane.batch.len() >= full || lane.batch.bytes() >= BATCH_BYTES || lane.queue.is_long();
                if full || lane.queue.is_empty() {
                    if !self.append(lane).await? {
                        return Ok(None);
                    }
                    let now = self.options.clock.now();
                    stamps.drain(..).for_each(|stamp| self.times.observe(elapsed(stamp, now)));
                    break;
                }
            }
            left |= !lane.queue.is_empty();
        }
        self.options.progress.undecided(self.decider.name(), world.undecided() as u64);
        Ok(Some(left && !*shutdown.borrow()))
    }

    /// Appends the batch with its cursor; false when another owner decided.
    pub(super) async fn append(&self, lane: &mut OwnedLane<D>) -> Result<bool, Error> {
        if lane.batch.is_empty() && !lane.seal {
            return Ok(true);
        }
        let LaneTip { seq, hash, counter } = lane.tip;
        let (ledger, subject) = (self.options.ledger.info().ledger_id.clone(), lane.subject.clone());
        let next = CommitHeader::next(ledger, subject, counter + 1, (seq, hash), self.options.clock.now());
        let Decided { consumed, order, ahead } = lane.queue.decided();
        let header = CommitHeader { consumed, order, ahead, engine: ENGINE_VERSION, clock: lane.clock.take(), ..next };
        let (payload, hash) = match commit::encode(header, lane.batch.encoded()) {
            Ok(packed) => packed,
            Err(error) => {
                // The batch's bounds keep this from happening; losing decisions in silence is no option.
                let detail = error.to_string();
                return Err(ReadError::Damaged { seq: lane.tip.seq, detail }.into());
            }
        };
        let name = self.decider.name();
        self.options.progress.appending(name, 1);
        let (bytes, began) = (payload.len(), Instant::now());
        let memo = lane.batch.memo();
        let settled = self.settle(lane, payload, memo).await;
        self.options.progress.appending(name, -1);
        let Some(seq) = settled? else {
            return Ok(false);
        };
        self.options.progress.figures().appended(&lane.subject, lane.batch.len(), bytes, began.elapsed());
        lane.tip = LaneTip { seq, hash, counter: lane.tip.counter + 1 };
        lane.batch.clear();
        lane.seal = false;
        Ok(true)
    }

    /// Appends until the outcome is known; `None` when another's commit stands there.
    async fn settle(&self, lane: &OwnedLane<D>, payload: bytes::Bytes, memo: RecordMemo) -> Result<Option<Seq>, Error> {
        let mut pause = PAUSE.0;
        loop {
            match self.options.ledger.append_from(&lane.subject, lane.tip.seq, payload.clone(), memo.clone()).await {
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

    pub(super) fn next_due(world: &LaneWorld<D>) -> Option<(Partition, Timer)> {
        let of = |(partition, lane): (&Partition, &OwnedLane<D>)| Some((partition.clone(), lane.engine.due()?));
        world.lanes.iter().filter_map(of).min_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)))
    }

    /// Fires a timer because the clock has reached it.
    pub(super) async fn fire(
        &self,
        world: &mut LaneWorld<D>,
        partition: &Partition,
        timer: &Timer,
    ) -> Result<bool, Error> {
        let Some(lane) = world.lanes.get_mut(partition) else {
            return Ok(true);
        };
        said(lane.engine.pass_to(timer, &mut |decision| lane.batch.push(decision)));
        lane.is_read()?;
        if lane.batch.is_empty() {
            tokio::time::sleep(PAUSE.1).await;
            return Ok(true);
        }
        lane.clock = Some(timer.clone());
        self.append(lane).await
    }

    pub(super) fn report(&self, world: &LaneWorld<D>) {
        let due = Self::next_due(world).map(|(_, timer)| timer.due);
        self.options
            .progress
            .report(self.decider.name(), ServiceReport { through: world.decided_through(), due, appending: 0 });
    }
}

/// Decides the next input of a lane; whether it ends its commit, and that one's stamp. `None` where none waits.
fn decide_next<D: Decider>(lane: &mut OwnedLane<D>, backlog: usize, figures: &LedgerFigures) -> Option<(bool, Time)> {
    let position = lane.queue.choose(backlog)?;
    let timers_by = lane.queue.oldest()?.stamped_at();
    let input = lane.queue.take(position)?;
    let time = InputTime { stamped_at: input.stamped_at(), timers_by };
    lane.seal |= lane.engine.decider().seals(input.event());
    let mut batch = |decision| lane.batch.push(decision);
    let mut out = |decision: Recorded| {
        if let Event::NoticeRequested(_) = decision.event
            && decision.cause.as_ref() == Some(&input.event().id)
        {
            // Somebody waits for it since the alert came in, whose time its incident's event has.
            figures.note_origin(decision.id.clone(), input.event().time);
        }
        batch(decision);
    };
    said(lane.engine.input(input.event(), time, &mut out));
    Some((input.ends_its_commit(), input.stamped_at()))
}

/// Says that a timer was dead, where one was.
pub(super) fn said(fired: Result<(), DeadTimer>) {
    if let Err(DeadTimer(timer)) = fired {
        tracing::error!(timer = timer.id, "a timer that is due decides nothing; it is a defect");
    }
}
