//! The engine: one lane, one input or one timer at a time, and what follows from it. Whoever decides, decides
//! through here: the owner of a lane, a backtest, a shadow, and the check that the past decides itself again.
//!
//! The one contract of this crate: *the same decider, state, input and time give the same decisions, to the byte*:
//! their order, ids, revisions and `now`. It reads no clock and draws no number; which input comes next is said by
//! whoever calls, live by the owner's choice and afterwards by the ledger, which recorded that choice.
//!
//! One input is decided in this order:
//! 1. Timers that are due by its time fire, each at its own time; an input that moves timers comes before them.
//! 2. `now` is the lane's last `now` or the stamp of the input's commit, whichever is later.
//! 3. The input is decided and its decisions are folded; it is seen before or after that, as the decider says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hindcast_domain::command::Owned;
use hindcast_domain::event::{Draft, Event, Recorded, SYSTEM};
use hindcast_domain::lane::{self, Decider, Timer, Upcoming};
use hindcast_domain::shelf::{Shelf, ShelfError};
use hindcast_domain::{EventId, Partition, Span, Time};

/// The version of the engine, which stands in the header of every commit that it decided. It rises with every change
/// of this crate or of a decider after which a recorded past would be decided differently under the same
/// configuration and versions. Commits from before it was written count as 0.
pub const ENGINE_VERSION: u32 = 5;

/// A timer that was due and decided nothing. It is a defect of its decider and would be due for ever, so no timer
/// fires in front of the input at hand any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadTimer(pub Timer);

/// When an input came, as far as deciding goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputTime {
    /// The stamp of the input's commit.
    pub stamped_at: Time,
    /// Timers that are due by then fire before the input. It is the stamp of the oldest input that is undecided, so
    /// that no timer fires in front of what came before it was due.
    pub timers_by: Time,
}

impl InputTime {
    /// The time of an input that is decided in the order of the ledger.
    #[must_use]
    pub const fn in_order(stamped_at: Time) -> Self {
        Self { stamped_at, timers_by: stamped_at }
    }
}

/// One lane as it decides.
pub struct LaneEngine<D: Decider> {
    decider: Arc<D>,
    partition: Partition,
    /// The lane's subject: the first part of every id.
    subject: String,
    state: D::State,
    now: Time,
    /// Where the parts of the state stand that are over, where they leave memory at all.
    shelf: Option<Arc<dyn Shelf>>,
    /// The first answer that the shelf owed: what was decided since may be wrong.
    unread: Option<ShelfError>,
    /// Parts that came back from the shelf.
    taken_back: u64,
}

impl<D: Decider> LaneEngine<D> {
    /// A lane of `partition` that decided nothing yet and has seen what `state` holds.
    pub fn new(decider: Arc<D>, partition: Partition, state: D::State) -> Self {
        let subject = lane::subject(&partition, decider.name());
        Self { decider, partition, subject, state, now: Time::ZERO, shelf: None, unread: None, taken_back: 0 }
    }

    /// A lane as a snapshot has it, with the `now` of its last decision.
    pub fn resumed(decider: Arc<D>, partition: Partition, state: D::State, now: Time) -> Self {
        Self { now, ..Self::new(decider, partition, state) }
    }

    /// The same lane with a shelf for what is over.
    #[must_use]
    pub fn with_shelf(self, shelf: Option<Arc<dyn Shelf>>) -> Self {
        Self { shelf, ..self }
    }

    /// Whose lane it is.
    pub const fn partition(&self) -> &Partition {
        &self.partition
    }

    /// Who decides.
    pub fn decider(&self) -> &D {
        &self.decider
    }

    /// What it decides on.
    pub const fn state(&self) -> &D::State {
        &self.state
    }

    /// Lends what it decides on to whoever writes it down; nothing may be decided until it is given back.
    pub fn lend_state(&mut self) -> D::State {
        std::mem::take(&mut self.state)
    }

    /// Takes back what was lent.
    pub fn give_back(&mut self, state: D::State) {
        self.state = state;
    }

    /// `now` of the last decision.
    pub const fn now(&self) -> Time {
        self.now
    }

    /// Puts what was over for `kept` at `now` on the shelf; how many parts. What comes is not before `now`.
    ///
    /// # Errors
    /// When the shelf does not take it: it stays in memory.
    pub fn shelve(&mut self, now: Time, kept: Span) -> Result<usize, ShelfError> {
        let Some(shelf) = &self.shelf else { return Ok(0) };
        let parts = self.decider.over(&self.state, now, kept);
        if !parts.is_empty() {
            shelf.put(&parts)?;
            self.decider.shelved(&mut self.state, &parts);
        }
        Ok(parts.len())
    }

    /// Why what was decided since may be wrong: the shelf did not answer.
    pub const fn unread(&self) -> Option<&ShelfError> {
        self.unread.as_ref()
    }

    /// How many parts came back from the shelf so far.
    pub const fn taken_back(&self) -> u64 {
        self.taken_back
    }

    /// Takes back from the shelf what is about to be read.
    fn bring(&mut self, of: Upcoming<'_>) {
        let Some(shelf) = self.shelf.as_ref().filter(|shelf| !shelf.is_empty()) else { return };
        let mut asked = BTreeSet::new();
        loop {
            let missing = self.decider.missing(&self.state, &self.partition, of);
            let mut is_back = false;
            for id in missing {
                if !asked.insert(id.clone()) {
                    continue;
                }
                let part = shelf.get(&id).and_then(|part| match part {
                    Some(part) => self.decider.taken_back(&mut self.state, &id, &part).map(|()| true),
                    None => Ok(false),
                });
                match part {
                    Ok(true) => {
                        is_back = true;
                        self.taken_back += 1;
                    }
                    Ok(false) => {}
                    Err(error) => self.unread = Some(self.unread.take().unwrap_or(error)),
                }
            }
            if !is_back {
                return;
            }
        }
    }

    /// Folds an input that was decided before.
    pub fn see(&mut self, input: &Recorded) {
        self.bring(Upcoming::Input(input));
        self.decider.seen(&mut self.state, input);
    }

    /// Folds a decision that is recorded.
    pub fn fold(&mut self, decision: &Recorded) {
        self.bring(Upcoming::Decision(decision));
        self.now = self.now.max(decision.time);
        self.decider.evolve(&mut self.state, decision);
    }

    /// What is due next.
    pub fn due(&self) -> Option<Timer> {
        self.decider.due(&self.state)
    }

    /// Decides about one input, timers before it first. Each decision goes to `out` as it is written, at position 0:
    /// places are given by the ledger.
    ///
    /// # Errors
    /// When a timer was dead; the input is decided all the same.
    pub fn input(&mut self, input: &Recorded, time: InputTime, out: &mut dyn FnMut(Recorded)) -> Result<(), DeadTimer> {
        let fired = if self.decider.precedes_timers(input) { Ok(()) } else { self.pass(time.timers_by, out) };
        self.bring(Upcoming::Input(input));
        if self.decider.sees_first() {
            self.see(input);
        }
        let now = self.now.max(time.stamped_at);
        let drafts = self.decider.decide(&self.state, &self.partition, input, now);
        self.adopt(drafts, Some(&input.id), input.id.as_str().as_bytes(), now, out);
        if !self.decider.sees_first() {
            self.see(input);
        }
        fired
    }

    /// Lets time pass: every timer that is due by `until` fires at its own time.
    ///
    /// # Errors
    /// When a timer was dead; those behind it did not fire.
    pub fn pass(&mut self, until: Time, out: &mut dyn FnMut(Recorded)) -> Result<(), DeadTimer> {
        self.fire_while(|timer| timer.due <= until, out)
    }

    /// Fires the timers up to `last` and that one itself, because the clock has reached it.
    ///
    /// # Errors
    /// When a timer was dead; those behind it did not fire.
    pub fn pass_to(&mut self, last: &Timer, out: &mut dyn FnMut(Recorded)) -> Result<(), DeadTimer> {
        self.fire_while(|timer| timer <= last, out)
    }

    /// Says that an owner took the lane over.
    pub fn owned(&mut self, owned: Owned, out: &mut dyn FnMut(Recorded)) {
        let seed = format!("owned/{}", owned.epoch);
        let draft = Draft::system(&self.subject, Event::Owned(owned));
        self.adopt(vec![draft], None, seed.as_bytes(), self.now, out);
    }

    fn fire_while(&mut self, fires: impl Fn(&Timer) -> bool, out: &mut dyn FnMut(Recorded)) -> Result<(), DeadTimer> {
        while let Some(timer) = self.due().filter(&fires) {
            self.bring(Upcoming::Timer(&timer));
            let drafts = self.decider.fire(&self.state, &self.partition, &timer);
            if drafts.is_empty() {
                return Err(DeadTimer(timer));
            }
            let seed = format!("{}/{}/{}", self.subject, timer.due.nanos(), timer.id);
            self.adopt(drafts, None, seed.as_bytes(), self.now.max(timer.due), out);
        }
        Ok(())
    }

    /// Gives drafts their ids and revisions, folds them, and hands them on.
    fn adopt(
        &mut self,
        drafts: Vec<Draft>,
        cause: Option<&EventId>,
        seed: &[u8],
        now: Time,
        out: &mut dyn FnMut(Recorded),
    ) {
        // One decision gives all its events on a subject the same revision.
        let mut revisions: BTreeMap<String, u64> = BTreeMap::new();
        for (index, Draft { subject, actor, event }) in drafts.into_iter().enumerate() {
            let revision = match revisions.get(&subject) {
                Some(revision) => *revision,
                None => {
                    let revision = self.decider.revision(&self.state, &subject) + 1;
                    revisions.insert(subject.clone(), revision);
                    revision
                }
            };
            let decision = Recorded {
                id: EventId::derive(&[self.subject.as_bytes(), seed, &(index as u64).to_be_bytes()]),
                position: 0,
                partition: self.partition.clone(),
                subject,
                // A lane is no aggregate: its owners are told apart by their epoch.
                revision: (!matches!(event, Event::Owned(_))).then_some(revision),
                time: now,
                actor: if actor.is_empty() { SYSTEM.to_owned() } else { actor },
                cause: cause.cloned(),
                event,
            };
            self.fold(&decision);
            out(decision);
        }
    }
}
