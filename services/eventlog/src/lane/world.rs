//! The lanes of one decider, as the order of the ledger makes them: which lane exists, what waits in it, and which
//! commits are its own. The owner of the lanes and whoever decides the past again read through here. Refuses to
//! decide.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hindcast_domain::lane::{Decider, Input, names};
use hindcast_domain::{Partition, Span, Time};
use hindcast_engine::LaneEngine;

use super::batch::DecidedBatch;
use super::queue::{DecodedCommit, InputQueue, LineOf};
use super::{Error, LaneTip};
use crate::read::{self, DecodedRecord};
use crate::shelf::LaneShelves;
use hindcast_domain::event::Recorded;
use hindcast_domain::lane::Timer;
use hindcast_ledger::commit::{self, CommitHeader, ConsumedThrough, Hash};
use hindcast_ledger::port::{ReadError, Record, Seq};
use hindcast_ledger::subject::Subject;

/// One lane: its engine, what waits for it, and what it decided and nobody wrote yet.
pub(super) struct OwnedLane<D: Decider> {
    pub(super) subject: Subject,
    pub(super) engine: LaneEngine<D>,
    pub(super) queue: InputQueue,
    pub(super) tip: LaneTip,
    /// Decided, and not yet appended.
    pub(super) batch: DecidedBatch,
    /// The last timer that the clock fired since the last append.
    pub(super) clock: Option<Timer>,
    /// Whether the batch holds intake that has to be sealed.
    pub(super) seal: bool,
}

/// The lanes as the order has made them.
pub(super) struct LaneWorld<D: Decider> {
    pub(super) decider: Arc<D>,
    pub(super) lanes: BTreeMap<Partition, OwnedLane<D>>,
    /// What a lane that is founded later has to have seen: tenant-wide inputs.
    pub(super) template: D::State,
    pub(super) template_cursors: BTreeMap<Subject, ConsumedThrough>,
    pub(super) through: Seq,
    pub(super) hash: Hash,
    pub(super) snapshot_at: Seq,
    /// When the last snapshot was written, and how long that took.
    pub(super) snapshot_spent: Option<(Instant, Duration)>,
    /// Where what is over stands, where it leaves memory.
    pub(super) shelves: Option<Arc<LaneShelves>>,
    /// When it was looked for last.
    pub(super) tidied_at: Option<Time>,
    /// How long it is looked for again after that.
    pub(super) tidy_every: Span,
}

/// A commit of a lane of ours that is not folded yet.
pub(super) struct LaneCommit {
    pub(super) partition: Partition,
    pub(super) seq: Seq,
    pub(super) hash: Hash,
    pub(super) header: CommitHeader,
    decoded: Arc<DecodedRecord>,
}

impl<D: Decider> LaneWorld<D> {
    /// A world before the first commit.
    pub(super) fn new(decider: Arc<D>) -> Self {
        Self {
            decider,
            lanes: BTreeMap::new(),
            template: D::State::default(),
            template_cursors: BTreeMap::new(),
            through: 0,
            hash: Hash::ZERO,
            snapshot_at: 0,
            snapshot_spent: None,
            shelves: None,
            tidied_at: None,
            tidy_every: Span::minutes(1),
        }
    }

    /// The lane of a partition; it is founded where it does not exist yet.
    pub(super) fn lane(&mut self, partition: &Partition) -> &mut OwnedLane<D> {
        let Self { decider, lanes, template, template_cursors, shelves, .. } = self;
        lanes.entry(partition.clone()).or_insert_with(|| OwnedLane {
            subject: Subject::lane(partition, decider.name()),
            engine: LaneEngine::new(Arc::clone(decider), partition.clone(), template.clone())
                .with_shelf(shelves.as_ref().map(|shelves| shelves.of(partition))),
            queue: InputQueue::from(template_cursors.clone(), line_of(decider)),
            tip: LaneTip::default(),
            batch: DecidedBatch::default(),
            clock: None,
            seal: false,
        })
    }

    /// Inputs that wait in all lanes.
    pub(super) fn undecided(&self) -> usize {
        self.lanes.values().map(|lane| lane.queue.len()).sum()
    }

    /// The last commit up to which everything is decided.
    pub(super) fn decided_through(&self) -> Seq {
        let oldest = self.lanes.values().filter_map(|lane| Some(lane.queue.oldest()?.seq())).min();
        oldest.map_or(self.through, |seq| self.through.min(seq.saturating_sub(1)))
    }

    /// Takes one record of the order: an input waits in the lanes that read it, or is seen where it was decided
    /// before. A commit of a lane of ours is handed back where it is not folded yet.
    pub(super) fn take(&mut self, record: &Record) -> Result<Option<LaneCommit>, Error> {
        if record.seq <= self.through {
            return Ok(None);
        }
        let (header, hash) = commit::decode_header(&record.payload)
            .map_err(|source| ReadError::Damaged { seq: record.seq, detail: source.to_string() })?;
        self.through = record.seq;
        self.hash = hash;
        if record.subject.lane_name() == Some(self.decider.name()) {
            let partition = record.subject.partition().clone();
            // Our own append comes back to us: it is folded already.
            if self.lane(&partition).tip.seq >= record.seq {
                return Ok(None);
            }
            let decoded = decoded(record)?;
            return Ok(Some(LaneCommit { partition, seq: record.seq, hash, header, decoded }));
        }
        // A cursor-only commit is never an input.
        if header.events > 0
            && let Some(input) = input_of(&record.subject)
        {
            self.input(record, input)?;
        }
        Ok(None)
    }

    fn input(&mut self, record: &Record, input: Input) -> Result<(), Error> {
        let of = record.subject.partition();
        let founded = self.decider.founds(input, of);
        let later = self.founded_later_reads(input, of);
        if founded.is_none() && !later && !self.lanes.keys().any(|lane| self.decider.reads(lane, input, of)) {
            return Ok(());
        }
        let decoded = Arc::new(DecodedCommit::shared(record, decoded(record)?));
        if let Some(partition) = &founded {
            self.lane(partition);
        }
        for (partition, lane) in &mut self.lanes {
            if !self.decider.reads(partition, input, of) {
                continue;
            }
            if lane.queue.is_consumed(&decoded.subject, decoded.seq) {
                decoded.events().iter().for_each(|event| lane.engine.see(event));
            } else {
                lane.queue.push(&decoded);
            }
        }
        if later {
            decoded.events().iter().for_each(|event| self.decider.seen(&mut self.template, event));
            let cursor = ConsumedThrough { subject: decoded.subject.clone(), seq: decoded.seq, hash: decoded.hash };
            self.template_cursors.insert(decoded.subject.clone(), cursor);
        }
        Ok(())
    }

    /// Whether a lane that is founded later has to have seen an input: one of the tenant's own partition that lanes
    /// of its environments read.
    fn founded_later_reads(&self, input: Input, of: &Partition) -> bool {
        let environment = Partition { tenant: of.tenant.clone(), environment: Partition::ENVIRONMENT.to_owned() };
        of.is_whole() && self.decider.reads(&environment, input, of)
    }
}

impl<D: Decider> OwnedLane<D> {
    /// Folds a commit that another owner, or we in an earlier life, decided: its inputs are seen and not decided.
    pub(super) fn fold(&mut self, commit: &LaneCommit) {
        for event in commit.events() {
            self.engine.fold(event);
        }
        self.tip = commit.tip();
        for recorded in self.queue.consume(&commit.header) {
            self.engine.see(recorded.input.event());
        }
    }
}

impl LaneCommit {
    /// What it holds, in its order.
    pub(super) fn events(&self) -> &[Recorded] {
        &self.decoded.events
    }

    pub(super) const fn tip(&self) -> LaneTip {
        LaneTip { seq: self.seq, hash: self.hash, counter: self.header.counter }
    }
}

/// In which line an input waits, as a decider says.
pub(super) fn line_of<D: Decider>(decider: &Arc<D>) -> LineOf {
    let decider = Arc::clone(decider);
    Arc::new(move |input: &Recorded| decider.line(input))
}

/// Whose events a subject holds; `None` for lanes that no lane reads.
fn input_of(subject: &Subject) -> Option<Input> {
    const READ: [&str; 3] = [names::CONTROL, names::INCIDENTS, names::NOTICES];
    match subject.lane_name() {
        None => Some(Input::Intake),
        Some(name) => READ.into_iter().find(|known| *known == name).map(Input::Lane),
    }
}

/// A record's commit as all of this process share it; a decider must not guess what it does not know.
fn decoded(record: &Record) -> Result<Arc<DecodedRecord>, Error> {
    let decoded = read::decoded(record).map_err(ReadError::from)?;
    match decoded.unknown.first() {
        Some(unknown) => {
            let (kind, version) = (unknown.kind.clone(), unknown.version);
            Err(Error::Unknown { position: unknown.position, kind, version })
        }
        None => Ok(decoded),
    }
}
