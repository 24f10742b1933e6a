//! When what is over leaves the memory of a lane: while nothing waits for it and the state is exactly that of its place in
//! the ledger. Owns the pace; refuses to know what is over.

use std::sync::Arc;

use hindcast_domain::lane::Decider;
use hindcast_domain::shelf::ShelfError;
use hindcast_domain::{Span, Time};

use super::world::{LaneWorld, OwnedLane};
use super::{Error, Runner};
use crate::shelf::LaneShelves;
use hindcast_ledger::port::Seq;

/// How often what is over is looked for, at most and at least.
const EVERY: (Span, Span) = (Span::seconds(1), Span::minutes(1));
/// As part of the time for which it is kept.
const PART: i64 = 20;
/// How far the clock of whoever stamps an input may be behind ours.
const BEHIND: Span = Span::minutes(1);

impl<D: Decider> Runner<D> {
    /// Puts what is over on the shelf where it is time to.
    pub(super) fn tidy(&self, world: &mut LaneWorld<D>, caught_up: bool) {
        let Some(kept) = self.options.snapshots.over_kept().filter(|_| world.shelves.is_some()) else { return };
        let now = self.options.clock.now();
        world.tidy_every = Span::millis((kept.as_millis() / PART).clamp(EVERY.0.as_millis(), EVERY.1.as_millis()));
        // While it folds the past, the lane's own time says when.
        let lane_now = world.lanes.values().map(|lane| lane.engine.now()).max().unwrap_or(Time::ZERO);
        let clock = if caught_up { now } else { lane_now };
        if world.tidied_at.is_some_and(|last| clock.since(last) < world.tidy_every) || !world.is_level() {
            return;
        }
        world.tidied_at = Some(clock);
        if let Some(shelves) = &world.shelves {
            shelves.read_through(world.through);
        }
        for lane in world.lanes.values_mut() {
            let own = lane.engine.now();
            let now = if caught_up { own.max(now - BEHIND) } else { own };
            match lane.engine.shelve(now, kept) {
                Ok(0) => {}
                Ok(parts) => tracing::debug!(subject = %lane.subject, parts, "what is over left memory"),
                Err(error) => tracing::error!(%error, "what is over stays in memory: the shelf does not take it"),
            }
        }
    }
}

impl<D: Decider> LaneWorld<D> {
    /// Begins with the shelf as of a snapshot; one that cannot be read is none.
    pub(super) fn open_shelves(&mut self, shelves: Option<Arc<LaneShelves>>, snapshot: Option<Seq>) {
        self.shelves = shelves.filter(|shelves| match shelves.begin(snapshot) {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "what is over stays in memory: its shelf cannot be read");
                false
            }
        });
    }

    /// Whether the state of every lane is that of one place, and nothing waits.
    pub(super) fn is_level(&self) -> bool {
        let is_quiet = |lane: &OwnedLane<D>| lane.queue.is_empty() && lane.batch.is_empty();
        // Our own appends may lie beyond what came back to us: the state is then ahead of its place.
        self.lanes.values().all(|lane| is_quiet(lane) && lane.tip.seq <= self.through)
    }

    /// When what is over is looked for next; `None` where nothing leaves memory, and while something waits: what follows
    /// from that looks too.
    pub(super) fn tidy_at(&self) -> Option<Time> {
        self.shelves.as_ref().filter(|_| self.is_level())?;
        Some(self.tidied_at.unwrap_or(Time::ZERO) + self.tidy_every)
    }

    /// Makes durable what a snapshot of now counts on; whether it counts on anything.
    pub(super) fn mark_shelves(&self) -> Result<bool, ShelfError> {
        let Some(shelves) = &self.shelves else { return Ok(false) };
        shelves.read_through(self.through);
        let marked = shelves.mark(self.through);
        if let Err(error) = &marked {
            tracing::warn!(%error, "no snapshot is written: the shelf is not durable");
        }
        marked.map(|()| true)
    }

    /// Nothing more is decided or folded where a part of the state could not be read.
    pub(super) fn is_read(&self) -> Result<(), Error> {
        self.lanes.values().try_for_each(OwnedLane::is_read)
    }
}

impl<D: Decider> OwnedLane<D> {
    /// The same for one lane.
    pub(super) fn is_read(&self) -> Result<(), Error> {
        self.engine.unread().map_or(Ok(()), |error| Err(error.clone().into()))
    }
}
