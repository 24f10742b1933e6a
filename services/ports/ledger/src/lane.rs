//! Decisions: runs a pure decider as the one owner of its lanes.
//!
//! A runner reads the whole order once and serves every lane of its service. For each lane it finds the
//! state again (snapshot, then fold), decides inputs one by one in the order of their places, fires timers
//! that are due before an input's time first, and appends what one batch decided as one commit with the
//! cursor that seals the batch. The append's expectation is the fence: whoever lost a lane learns it there,
//! drops what it thought and folds again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use hindcast_clock as clock;
use hindcast_domain::event::{Draft, Event, Recorded, SYSTEM};
use hindcast_domain::lane::{Decider, Input, Timer};
use hindcast_domain::limits::COMMIT_EVENTS_MAX;
use hindcast_domain::{EventId, Partition, Time, canonical, command};
use hindcast_events::Envelope;
use tokio::sync::watch;

use crate::commit::{self, Cursor, Hash, Header};
use crate::feed::Feed;
use crate::port::{AppendError, Lease, ReadError, Record, Seq, Shared};
use crate::progress::{Progress, Report};
use crate::read::{self, Item};
use crate::snapshot::{self, Stamp, Store};
use crate::subject::Subject;

/// Events of one batch after which it is appended; one input's decisions always fit on top.
const BATCH_EVENTS: usize = COMMIT_EVENTS_MAX / 4;
/// Bytes of one batch, before compression, after which it is appended.
const BATCH_BYTES: usize = 1024 * 1024;
/// Commits after which a snapshot is written.
const SNAPSHOT_EVERY: u64 = 2_000;
/// The pause after a failed read or append, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));
/// How often a waiting owner asks for its lease.
const LEASE_EVERY: Duration = Duration::from_secs(1);

/// What a runner needs.
#[derive(Clone)]
pub struct Options {
    /// The ledger.
    pub ledger: Shared,
    /// The clock; only timers and stamps ask it.
    pub clock: clock::Shared,
    /// Where it says how far it is.
    pub progress: Progress,
    /// Where snapshots lie.
    pub snapshots: Store,
    /// Who owns lanes on behalf of this process.
    pub owner: String,
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
        /// Where.
        position: u64,
        /// Its type.
        kind: String,
        /// Its version.
        version: u32,
    },
}

/// Runs a decider.
pub struct Runner<D: Decider> {
    decider: Arc<D>,
    options: Options,
}

/// One lane as its owner has it.
struct Lane<D: Decider> {
    partition: Partition,
    subject: Subject,
    state: D::State,
    tip: Tip,
    /// `now` of the last decision.
    now: Time,
    /// How far each input was consumed.
    cursors: BTreeMap<Subject, Cursor>,
    /// Inputs that are not decided yet.
    pending: VecDeque<Arc<Decoded>>,
    /// Decided, and not yet appended.
    batch: Vec<Vec<u8>>,
    batch_bytes: usize,
    /// Whether the batch holds intake that has to be sealed.
    seal: bool,
}

#[derive(Clone, Copy, Default)]
struct Tip {
    seq: Seq,
    hash: Hash,
    counter: u64,
}

/// A commit that was read, shared by the lanes that want it.
struct Decoded {
    seq: Seq,
    subject: Subject,
    hash: Hash,
    stamped_at: Time,
    events: Vec<Recorded>,
}

/// The world as a runner has folded it.
struct World<D: Decider> {
    lanes: BTreeMap<Partition, Lane<D>>,
    /// What a lane that is founded later has to have seen: tenant-wide inputs.
    template: D::State,
    template_cursors: BTreeMap<Subject, Cursor>,
    through: Seq,
    hash: Hash,
    snapshot_at: Seq,
}

/// What a snapshot holds.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(bound = "")]
struct Saved<S: serde::Serialize + serde::de::DeserializeOwned> {
    template: S,
    template_cursors: Vec<Cursor>,
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
    cursors: Vec<Cursor>,
}

enum Turn {
    /// Asked to stop.
    Stop,
    /// Another owner decided: fold again.
    Fenced,
}

impl<D: Decider> Runner<D> {
    /// A runner of `decider`.
    pub fn new(decider: D, options: Options) -> Self {
        Self { decider: Arc::new(decider), options }
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
                Turn::Stop => break,
                Turn::Fenced => tracing::warn!(lane = name, "another owner decided; folding again"),
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
    async fn own(&self, lease: &dyn Lease, shutdown: &mut watch::Receiver<bool>) -> Result<Turn, Error> {
        let head = self.patiently(|| self.options.ledger.head()).await?;
        let mut world = self.load().await?;
        let mut feed = Feed::start(Arc::clone(&self.options.ledger), world.through + 1);
        let mut caught_up = world.through >= head;
        if caught_up && !self.take_over(&mut world).await? {
            return Ok(Turn::Fenced);
        }
        let mut renew = tokio::time::interval(LEASE_EVERY);
        loop {
            if caught_up {
                if !self.decide_all(&mut world, shutdown).await? {
                    return Ok(Turn::Fenced);
                }
                self.report(&world);
            }
            let due = if caught_up { self.next_due(&world) } else { None };
            let due_at = due.as_ref().map_or(Time::MAX, |(_, timer)| timer.due);
            tokio::select! {
                biased;
                _ = shutdown.changed() => {
                    if *shutdown.borrow() {
                        self.save(&mut world, true).await;
                        return Ok(Turn::Stop);
                    }
                }
                records = feed.next() => {
                    for record in records? {
                        self.take(&mut world, &record)?;
                    }
                    if !caught_up && world.through >= head {
                        caught_up = true;
                        if !self.take_over(&mut world).await? {
                            return Ok(Turn::Fenced);
                        }
                    }
                    self.save(&mut world, false).await;
                }
                () = self.options.clock.sleep_until(due_at), if due.is_some() => {
                    if let Some((partition, timer)) = due
                        && !self.fire(&mut world, &partition, &timer).await?
                    {
                        return Ok(Turn::Fenced);
                    }
                }
                _ = renew.tick(), if self.options.ledger.info().shared => {
                    if !lease.renew().await {
                        return Ok(Turn::Fenced);
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

    // ── finding the state again ────────────────────────────────────────────────────────────────────

    async fn load(&self) -> Result<World<D>, Error> {
        let name = format!("lane-{}", self.decider.name());
        let saved = self.options.snapshots.read::<Saved<D::State>>(&name, self.options.ledger.as_ref()).await;
        let (through, hash, saved) = match saved {
            Some((stamp, saved)) => (stamp.seq, stamp.hash, Some(saved)),
            None => (0, Hash::ZERO, None),
        };
        let mut world = World {
            lanes: BTreeMap::new(),
            template: D::State::default(),
            template_cursors: BTreeMap::new(),
            through,
            hash,
            snapshot_at: through,
        };
        let cursors = |list: Vec<Cursor>| list.into_iter().map(|c| (c.subject.clone(), c)).collect();
        if let Some(saved) = saved {
            world.template = saved.template;
            world.template_cursors = cursors(saved.template_cursors);
            for lane in saved.lanes {
                let mut found = self.found(&world, lane.partition);
                found.state = lane.state;
                found.tip = Tip { seq: lane.seq, hash: lane.hash, counter: lane.counter };
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

    fn found(&self, world: &World<D>, partition: Partition) -> Lane<D> {
        Lane {
            subject: Subject::lane(&partition, self.decider.name()),
            partition,
            state: world.template.clone(),
            tip: Tip::default(),
            now: Time::ZERO,
            cursors: world.template_cursors.clone(),
            pending: VecDeque::new(),
            batch: Vec::new(),
            batch_bytes: 0,
            seal: false,
        }
    }

    /// Takes one record of the order: a decision of ours is folded, an input waits or is seen.
    fn take(&self, world: &mut World<D>, record: &Record) -> Result<(), Error> {
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
            let cursor = Cursor { subject: decoded.subject.clone(), seq: decoded.seq, hash: decoded.hash };
            world.template_cursors.insert(decoded.subject.clone(), cursor);
        }
        Ok(())
    }

    fn take_own(&self, world: &mut World<D>, record: &Record, header: &Header, hash: Hash) -> Result<(), Error> {
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
            lane.tip = Tip { seq: record.seq, hash, counter: header.counter };
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

    fn decode(&self, record: &Record, hash: Hash, stamped_at: Time) -> Result<Decoded, Error> {
        let commit = read::commit(record).map_err(ReadError::from)?;
        let mut events = Vec::with_capacity(commit.events.len());
        for item in read::events(record, &commit).map_err(ReadError::from)? {
            match item {
                Item::Known(event) => events.push(*event),
                Item::Unknown { position, kind, version, .. } => {
                    return Err(Error::Unknown { position, kind, version });
                }
            }
        }
        Ok(Decoded { seq: record.seq, subject: record.subject.clone(), hash, stamped_at, events })
    }

    /// On a ledger that others can write to, the first append of an owner says so, and is its fence.
    async fn take_over(&self, world: &mut World<D>) -> Result<bool, Error> {
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

    // ── deciding ───────────────────────────────────────────────────────────────────────────────────

    async fn decide_all(&self, world: &mut World<D>, shutdown: &watch::Receiver<bool>) -> Result<bool, Error> {
        for lane in world.lanes.values_mut() {
            // What is left waits in the ledger for whoever owns the lane next.
            while !*shutdown.borrow()
                && let Some(input) = lane.pending.pop_front()
            {
                for event in &input.events {
                    self.decide(lane, event, input.stamped_at);
                }
                let cursor = Cursor { subject: input.subject.clone(), seq: input.seq, hash: input.hash };
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

    fn decide(&self, lane: &mut Lane<D>, input: &Recorded, stamped_at: Time) {
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
    fn fire_one(&self, lane: &mut Lane<D>, timer: &Timer) -> bool {
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
    fn adopt(&self, lane: &mut Lane<D>, drafts: Vec<Draft>, input: Option<&Recorded>, seed: &[u8], now: Time) {
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
    async fn append(&self, lane: &mut Lane<D>) -> Result<bool, Error> {
        if lane.batch.is_empty() && !lane.seal {
            return Ok(true);
        }
        let header = Header {
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
        lane.tip = Tip { seq, hash, counter: lane.tip.counter + 1 };
        lane.batch.clear();
        lane.batch_bytes = 0;
        lane.seal = false;
        Ok(true)
    }

    /// Appends until the outcome is known; `None` when another's commit stands there.
    async fn settle(&self, lane: &Lane<D>, payload: bytes::Bytes) -> Result<Option<Seq>, Error> {
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

    fn next_due(&self, world: &World<D>) -> Option<(Partition, Timer)> {
        let of = |lane: &Lane<D>| self.decider.due(&lane.state).map(|timer| (lane.partition.clone(), timer));
        world.lanes.values().filter_map(of).min_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)))
    }

    async fn fire(&self, world: &mut World<D>, partition: &Partition, timer: &Timer) -> Result<bool, Error> {
        let Some(lane) = world.lanes.get_mut(partition) else {
            return Ok(true);
        };
        if !self.fire_one(lane, timer) {
            tokio::time::sleep(PAUSE.1).await;
            return Ok(true);
        }
        self.append(lane).await
    }

    fn report(&self, world: &World<D>) {
        let due = self.next_due(world).map(|(_, timer)| timer.due);
        self.options.progress.report(self.decider.name(), Report { through: world.through, due, appending: 0 });
    }

    // ── snapshots ──────────────────────────────────────────────────────────────────────────────────

    async fn save(&self, world: &mut World<D>, now: bool) {
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
        let stamp = Stamp {
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

/// Whether a snapshot's place is still in the ledger; readers that keep their own place ask the same.
pub async fn fits(ledger: &Shared, seq: Seq, hash: Hash) -> bool {
    snapshot::hash_at(ledger.as_ref(), seq).await == Some(hash)
}
