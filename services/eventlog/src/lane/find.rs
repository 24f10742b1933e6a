//! How a lane finds its state again: from its snapshot, from the ledger's order, and into a snapshot. Refuses to
//! decide.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use hindcast_domain::lane::{Decider, Input};
use hindcast_domain::{Partition, Time, canonical};

use super::{DecodedCommit, Error, LaneTip, OwnedLane, Runner, RunnerState, SNAPSHOT_EVERY};
use crate::read::{self, ReadEvent};
use crate::snapshot::SnapshotHeader;
use hindcast_ledger::commit::{self, CommitHeader, ConsumedThrough, Hash};
use hindcast_ledger::port::{ReadError, Record, Seq};
use hindcast_ledger::subject::Subject;

/// What a snapshot holds.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(bound = "")]
struct Saved<S: serde::Serialize + serde::de::DeserializeOwned> {
    template: S,
    template_cursors: Vec<ConsumedThrough>,
    lanes: Vec<SavedLane<S>>,
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
}

impl<D: Decider> Runner<D> {
    pub(super) async fn load(&self) -> Result<RunnerState<D>, Error> {
        let name = format!("lane-{}", self.decider.name());
        let saved = self.options.snapshots.read::<Saved<D::State>>(&name, self.options.ledger.as_ref()).await;
        let (through, hash, saved) = match saved {
            Some((stamp, saved)) => (stamp.seq, stamp.hash, Some(saved)),
            None => (0, Hash::ZERO, None),
        };
        let mut world = RunnerState {
            lanes: BTreeMap::new(),
            template: D::State::default(),
            template_cursors: BTreeMap::new(),
            through,
            hash,
            snapshot_at: through,
        };
        let cursors = |list: Vec<ConsumedThrough>| list.into_iter().map(|c| (c.subject.clone(), c)).collect();
        if let Some(saved) = saved {
            world.template = saved.template;
            world.template_cursors = cursors(saved.template_cursors);
            for lane in saved.lanes {
                let mut found = self.found(&world, lane.partition);
                found.state = lane.state;
                found.tip = LaneTip { seq: lane.seq, hash: lane.hash, counter: lane.counter };
                found.now = lane.now;
                found.cursors = cursors(lane.cursors);
                world.lanes.insert(found.partition.clone(), found);
            }
        }
        // What the lanes consumed by now stands in their last commits: inputs up to there are seen, not decided.
        for (subject, _) in self.patiently(|| self.options.ledger.subjects()).await? {
            if subject.lane_name() == Some(self.decider.name())
                && let Some(record) = self.patiently(|| self.options.ledger.last(&subject)).await?
            {
                let (header, _) = commit::decode_header(&record.payload)
                    .map_err(|source| ReadError::Damaged { seq: record.seq, detail: source.to_string() })?;
                let partition = subject.partition().clone();
                let mut lane = match world.lanes.remove(&partition) {
                    Some(lane) => lane,
                    None => self.found(&world, partition.clone()),
                };
                for cursor in header.consumed {
                    lane.cursors.insert(cursor.subject.clone(), cursor);
                }
                world.lanes.insert(partition, lane);
            }
        }
        Ok(world)
    }

    pub(super) fn found(&self, world: &RunnerState<D>, partition: Partition) -> OwnedLane<D> {
        OwnedLane {
            subject: Subject::lane(&partition, self.decider.name()),
            partition,
            state: world.template.clone(),
            tip: LaneTip::default(),
            now: Time::ZERO,
            cursors: world.template_cursors.clone(),
            pending: VecDeque::new(),
            batch: Vec::new(),
            batch_bytes: 0,
            seal: false,
        }
    }

    /// Takes one record of the order: a decision of ours is folded, an input waits or is seen.
    pub(super) fn take(&self, world: &mut RunnerState<D>, record: &Record) -> Result<(), Error> {
        if record.seq <= world.through {
            return Ok(());
        }
        let (header, hash) = commit::decode_header(&record.payload)
            .map_err(|source| ReadError::Damaged { seq: record.seq, detail: source.to_string() })?;
        world.through = record.seq;
        world.hash = hash;
        let own = record.subject.lane_name() == Some(self.decider.name());
        let of = record.subject.partition();
        if own {
            return self.take_own(world, record, &header, hash);
        }
        let input = match record.subject.lane_name() {
            None => Input::Intake,
            Some(name) => match [
                hindcast_domain::lane::names::CONTROL,
                hindcast_domain::lane::names::INCIDENTS,
                hindcast_domain::lane::names::NOTICES,
            ]
            .into_iter()
            .find(|known| *known == name)
            {
                Some(name) => Input::Lane(name),
                None => return Ok(()),
            },
        };
        // A cursor-only commit is never an input.
        if header.events == 0 {
            return Ok(());
        }
        let founded = self.decider.founds(input, of);
        let wanted = founded.is_some() || of.is_whole() || world.lanes.keys().any(|l| self.decider.reads(l, input, of));
        if !wanted {
            return Ok(());
        }
        let decoded = Arc::new(self.decode(record, hash, header.stamped_at)?);
        if let Some(partition) = founded
            && !world.lanes.contains_key(&partition)
        {
            let lane = self.found(world, partition.clone());
            world.lanes.insert(partition, lane);
        }
        for lane in world.lanes.values_mut() {
            if !self.decider.reads(&lane.partition, input, of) {
                continue;
            }
            if lane.cursors.get(&decoded.subject).is_some_and(|cursor| cursor.seq >= decoded.seq) {
                decoded.events.iter().for_each(|event| self.decider.seen(&mut lane.state, event));
            } else {
                lane.pending.push_back(Arc::clone(&decoded));
            }
        }
        if of.is_whole() {
            decoded.events.iter().for_each(|event| self.decider.seen(&mut world.template, event));
            let cursor = ConsumedThrough { subject: decoded.subject.clone(), seq: decoded.seq, hash: decoded.hash };
            world.template_cursors.insert(decoded.subject.clone(), cursor);
        }
        Ok(())
    }

    pub(super) fn take_own(
        &self,
        world: &mut RunnerState<D>,
        record: &Record,
        header: &CommitHeader,
        hash: Hash,
    ) -> Result<(), Error> {
        let partition = record.subject.partition().clone();
        let mut lane = match world.lanes.remove(&partition) {
            Some(lane) => lane,
            None => self.found(world, partition.clone()),
        };
        // Our own append comes back to us: it is folded already.
        if lane.tip.seq < record.seq {
            let decoded = self.decode(record, hash, header.stamped_at)?;
            for event in &decoded.events {
                lane.now = lane.now.max(event.time);
                self.decider.evolve(&mut lane.state, event);
            }
            lane.tip = LaneTip { seq: record.seq, hash, counter: header.counter };
            // Another owner's commit (or ours of an earlier life) consumed these: they are seen, not decided.
            for cursor in &header.consumed {
                if lane.cursors.get(&cursor.subject).is_none_or(|known| known.seq < cursor.seq) {
                    lane.cursors.insert(cursor.subject.clone(), cursor.clone());
                }
            }
            let (cursors, state, decider) = (&lane.cursors, &mut lane.state, &self.decider);
            lane.pending.retain(|input| {
                let waits = cursors.get(&input.subject).is_none_or(|cursor| cursor.seq < input.seq);
                if !waits {
                    input.events.iter().for_each(|event| decider.seen(state, event));
                }
                waits
            });
        }
        world.lanes.insert(partition, lane);
        Ok(())
    }

    pub(super) fn decode(&self, record: &Record, hash: Hash, stamped_at: Time) -> Result<DecodedCommit, Error> {
        let commit = read::commit(record).map_err(ReadError::from)?;
        let mut events = Vec::with_capacity(commit.events.len());
        for item in read::events(record, &commit).map_err(ReadError::from)? {
            match item {
                ReadEvent::Known(event) => events.push(*event),
                ReadEvent::Unknown { position, kind, version, .. } => {
                    return Err(Error::Unknown { position, kind, version });
                }
            }
        }
        Ok(DecodedCommit { seq: record.seq, subject: record.subject.clone(), hash, stamped_at, events })
    }

    pub(super) async fn save(&self, world: &mut RunnerState<D>, now: bool) {
        let due = world.through >= world.snapshot_at + if now { 1 } else { SNAPSHOT_EVERY };
        let quiet = world.lanes.values().all(|lane| lane.pending.is_empty() && lane.batch.is_empty());
        // Our own appends may lie beyond what came back to us: the state is then ahead of its place.
        let level = world.lanes.values().all(|lane| lane.tip.seq <= world.through);
        if !due || !quiet || !level {
            return;
        }
        let lanes = world.lanes.values().map(|lane| SavedLane {
            partition: lane.partition.clone(),
            state: lane.state.clone(),
            seq: lane.tip.seq,
            hash: lane.tip.hash,
            counter: lane.tip.counter,
            now: lane.now,
            cursors: lane.cursors.values().cloned().collect(),
        });
        let saved = Saved {
            template: world.template.clone(),
            template_cursors: world.template_cursors.values().cloned().collect(),
            lanes: lanes.collect(),
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
        match tokio::task::spawn_blocking(move || store.write(&name, stamp, &saved)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "a snapshot was not written; the one before it stands")
            }
            Err(error) => tracing::error!(%error, "a snapshot's writer ended early"),
        }
    }
}
