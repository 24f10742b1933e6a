//! How the owner of lanes finds their state again: from its snapshot, from the ledger's order, and into a snapshot.
//! Refuses to decide.

use hindcast_domain::lane::Decider;
use hindcast_domain::{Partition, Time, canonical};
use hindcast_engine::LaneEngine;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::queue::{InputQueue, UnwrittenOrder};
use super::world::{LaneWorld, line_of};
use super::{Error, LaneTip, Runner, SNAPSHOT_EVERY, SNAPSHOT_REST};
use crate::snapshot::SnapshotHeader;
use hindcast_ledger::commit::{self, ConsumedThrough, Hash};
use hindcast_ledger::port::{ReadError, Record, Seq};

/// What a snapshot holds.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(bound = "")]
struct Saved<S: serde::Serialize + serde::de::DeserializeOwned> {
    template: S,
    template_cursors: Vec<ConsumedThrough>,
    lanes: Vec<SavedLane<S>>,
    /// Whether parts of the state stand on the shelf as of here.
    #[serde(default)]
    counts_on_shelf: bool,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(bound = "")]
struct SavedLane<S: serde::Serialize + serde::de::DeserializeOwned> {
    partition: Partition,
    state: S,
    seq: Seq,
    hash: Hash,
    counter: u64,
    now: Time,
    cursors: Vec<ConsumedThrough>,
    /// What was decided since the lane's last commit, had nothing to say, and is to stand in its next one.
    #[serde(default)]
    unwritten: UnwrittenOrder,
}

impl<D: Decider> Runner<D> {
    pub(super) async fn load(&self) -> Result<LaneWorld<D>, Error> {
        let name = format!("lane-{}", self.decider.name());
        let mut world = LaneWorld::new(Arc::clone(&self.decider));
        let cursors = |list: Vec<ConsumedThrough>| -> BTreeMap<_, _> {
            list.into_iter().map(|cursor| (cursor.subject.clone(), cursor)).collect()
        };
        let shelves = self.options.snapshots.shelves(&name);
        let saved = self.options.snapshots.read::<Saved<D::State>>(&name, self.options.ledger.as_ref()).await;
        let saved = saved.filter(|(stamp, saved)| {
            let fits = !saved.counts_on_shelf || shelves.as_ref().is_some_and(|it| it.is_marked(stamp.seq));
            if !fits {
                tracing::warn!(name, "a snapshot is not used: what it left on the shelf is not there");
            }
            fits
        });
        world.open_shelves(shelves, saved.as_ref().map(|(stamp, _)| stamp.seq));
        if let Some((stamp, saved)) = saved {
            (world.through, world.snapshot_at, world.hash) = (stamp.seq, stamp.seq, stamp.hash);
            world.template = saved.template;
            world.template_cursors = cursors(saved.template_cursors);
            for saved in saved.lanes {
                let shelf = world.shelves.as_ref().map(|shelves| shelves.of(&saved.partition));
                let lane = world.lane(&saved.partition);
                let decider = Arc::clone(&self.decider);
                lane.engine = LaneEngine::resumed(decider, saved.partition, saved.state, saved.now).with_shelf(shelf);
                lane.tip = LaneTip { seq: saved.seq, hash: saved.hash, counter: saved.counter };
                lane.queue = InputQueue::from(cursors(saved.cursors), line_of(&self.decider));
                lane.queue.unwritten = saved.unwritten;
            }
        }
        // What the lanes consumed by now stands in their last commits: inputs up to there are seen, not decided.
        for (subject, _) in self.patiently(|| self.options.ledger.subjects()).await? {
            if subject.lane_name() == Some(self.decider.name())
                && let Some(record) = self.patiently(|| self.options.ledger.last(&subject)).await?
            {
                let (header, _) = commit::decode_header(&record.payload)
                    .map_err(|source| ReadError::Damaged { seq: record.seq, detail: source.to_string() })?;
                let lane = world.lane(subject.partition());
                for cursor in &header.consumed {
                    lane.queue.consumed_through(cursor);
                }
            }
        }
        Ok(world)
    }

    /// Takes one record of the order: a decision of ours is folded, an input waits or is seen.
    pub(super) fn take(world: &mut LaneWorld<D>, record: &Record) -> Result<(), Error> {
        if let Some(commit) = world.take(record)? {
            world.lane(&commit.partition).fold(&commit);
        }
        world.is_read()
    }

    /// Writes a snapshot where one is due, or `now`. The lane waits for it, so that time spent on snapshots stays a
    /// small part of all however large the state has become.
    ///
    /// # Errors
    /// When whoever wrote it ended early and the state is gone with it.
    pub(super) async fn save(&self, world: &mut LaneWorld<D>, now: bool) -> Result<(), Error> {
        let due = world.through >= world.snapshot_at + if now { 1 } else { SNAPSHOT_EVERY };
        let rested = world.snapshot_spent.is_none_or(|(ended, spent)| ended.elapsed() >= spent * SNAPSHOT_REST);
        if !due || !(rested || now) || !world.is_level() {
            return Ok(());
        }
        let counts_on_shelf = world.mark_shelves();
        if counts_on_shelf.is_err() {
            return Ok(());
        }
        let began = Instant::now();
        let lanes = world.lanes.values_mut().map(|lane| SavedLane {
            partition: lane.engine.partition().clone(),
            state: lane.engine.lend_state(),
            seq: lane.tip.seq,
            hash: lane.tip.hash,
            counter: lane.tip.counter,
            now: lane.engine.now(),
            cursors: lane.queue.cursors().cloned().collect(),
            unwritten: lane.queue.unwritten.clone(),
        });
        let saved = Saved {
            lanes: lanes.collect(),
            template: world.template.clone(),
            template_cursors: world.template_cursors.values().cloned().collect(),
            counts_on_shelf: counts_on_shelf.unwrap_or_default(),
        };
        let stamp = SnapshotHeader {
            ledger_id: self.options.ledger.info().ledger_id.clone(),
            fold_version: canonical::FOLD_VERSION,
            seq: world.through,
            hash: world.hash,
        };
        world.snapshot_at = world.through;
        let name = format!("lane-{}", self.decider.name());
        let store = self.options.snapshots.clone();
        let work = tokio::task::spawn_blocking(move || (store.write(&name, stamp, &saved), saved));
        let (written, saved) = work.await.map_err(|error| ReadError::Unavailable(Box::new(error)))?;
        for (lane, saved) in world.lanes.values_mut().zip(saved.lanes) {
            lane.engine.give_back(saved.state);
        }
        if let Err(error) = written {
            tracing::warn!(%error, "a snapshot was not written; the one before it stands");
        }
        world.snapshot_spent = Some((Instant::now(), began.elapsed()));
        Ok(())
    }
}
