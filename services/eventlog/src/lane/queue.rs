//! What a lane has not decided yet, and how what it decides next is written down and found again. Refuses to decide.
//!
//! A commit of the lane says what it decided in one of two ways. In the order of the ledger: everything up to its
//! cursors. Otherwise: runs of positions in the order in which they were decided, while the cursors still say up to
//! where everything is decided.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::lines::WaitingLines;
use crate::read::DecodedRecord;
use hindcast_domain::Time;
use hindcast_domain::event::Recorded;
use hindcast_domain::lane::WaitingLine;
use hindcast_engine::InputTime;
use hindcast_ledger::RecordMemo;
use hindcast_ledger::commit::{self, CommitHeader, ConsumedThrough, DecidedRun, Hash};
use hindcast_ledger::port::{Record, Seq};
use hindcast_ledger::subject::Subject;
use serde::{Deserialize, Serialize};

/// Runs of one commit, at the most: each takes up to 36 bytes of its header.
const RUNS_MAX: usize = 2_048;
/// Inputs that are decided between two appends, at the most, however little they decide.
const INPUTS_MAX: usize = 4_096;

/// A commit that was read, shared by the lanes that want it.
pub struct DecodedCommit {
    pub(super) seq: Seq,
    pub(super) subject: Subject,
    pub(super) hash: Hash,
    pub(super) stamped_at: Time,
    pub(super) decoded: Arc<DecodedRecord>,
    /// Kept, so that who reads the record later finds what was made of it.
    _memo: RecordMemo,
}

impl DecodedCommit {
    /// The events of a record that somebody reads; others may be left out.
    #[must_use]
    pub fn new(record: &Record, header: &CommitHeader, hash: Hash, events: Vec<Recorded>) -> Self {
        let decoded = DecodedRecord { header: header.clone(), hash, events, unknown: Vec::new() };
        Self::shared(record, Arc::new(decoded))
    }

    /// A record as it was decoded.
    pub(super) fn shared(record: &Record, decoded: Arc<DecodedRecord>) -> Self {
        let (hash, stamped_at) = (decoded.hash, decoded.header.stamped_at);
        let (seq, subject, memo) = (record.seq, record.subject.clone(), record.memo.clone());
        Self { seq, subject, hash, stamped_at, decoded, _memo: memo }
    }

    /// What the commit holds, in its order.
    #[must_use]
    pub fn events(&self) -> &[Recorded] {
        &self.decoded.events
    }

    /// The clock of its writer when it was appended.
    #[must_use]
    pub const fn stamped_at(&self) -> Time {
        self.stamped_at
    }
}

/// One input that waits: an event of a commit.
#[derive(Clone)]
pub struct QueuedInput {
    commit: Arc<DecodedCommit>,
    index: usize,
}

impl QueuedInput {
    /// The input as it was recorded.
    #[must_use]
    pub fn event(&self) -> &Recorded {
        &self.commit.events()[self.index]
    }

    /// The stamp of its commit.
    #[must_use]
    pub fn stamped_at(&self) -> Time {
        self.commit.stamped_at
    }

    /// The subject that it was written to.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.commit.subject
    }

    /// The sequence of its commit.
    pub(super) fn seq(&self) -> Seq {
        self.commit.seq
    }

    /// Whether no event of its commit stands behind it.
    pub(super) fn ends_its_commit(&self) -> bool {
        self.index + 1 == self.commit.events().len()
    }
}

/// A commit of which something is undecided.
struct OpenCommit {
    seq: Seq,
    hash: Hash,
    left: usize,
}

/// Says in which line an input waits.
pub(super) type LineOf = Arc<dyn for<'a> Fn(&'a Recorded) -> Option<WaitingLine<'a>> + Send + Sync>;

/// The undecided inputs of one lane.
#[derive(Default)]
pub struct InputQueue {
    /// The lines in which they wait; nobody who only follows what was decided needs them.
    lines: Option<(LineOf, WaitingLines)>,
    /// Up to where everything is decided.
    cursors: BTreeMap<Subject, ConsumedThrough>,
    /// By position.
    undecided: BTreeMap<u64, QueuedInput>,
    open: BTreeMap<Subject, VecDeque<OpenCommit>>,
    /// The newest commit of which something was decided.
    newest: BTreeMap<Subject, ConsumedThrough>,
    /// What was decided since the last append.
    pub(super) unwritten: UnwrittenOrder,
}

/// What was decided since the last append, in its order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct UnwrittenOrder {
    runs: Vec<DecidedRun>,
    /// How many inputs that were.
    taken: usize,
    /// Whether something of that was not the oldest that was undecided.
    overtook: bool,
}

/// What a commit says of the inputs that it decided.
pub(super) struct Decided {
    pub(super) consumed: Vec<ConsumedThrough>,
    pub(super) order: Vec<DecidedRun>,
    pub(super) ahead: Vec<ConsumedThrough>,
}

impl InputQueue {
    /// A queue of an owner, that has consumed so much.
    pub(super) fn from(cursors: BTreeMap<Subject, ConsumedThrough>, line_of: LineOf) -> Self {
        Self { cursors, lines: Some((line_of, WaitingLines::default())), ..Self::default() }
    }

    /// How many inputs wait.
    pub(super) fn len(&self) -> usize {
        self.undecided.len()
    }

    /// Whether so many inputs were decided since the last append that a header has no room for more.
    pub(super) fn is_long(&self) -> bool {
        self.unwritten.runs.len() >= RUNS_MAX || self.unwritten.taken >= INPUTS_MAX
    }

    /// The position of the input to decide next: the oldest, or the one whose turn it is where more than `backlog`
    /// wait.
    pub(super) fn choose(&mut self, backlog: usize) -> Option<u64> {
        let Self { lines, undecided, .. } = self;
        let oldest = *undecided.keys().next()?;
        let Some((line_of, lines)) = lines.as_mut().filter(|_| undecided.len() > backlog) else {
            return Some(oldest);
        };
        let alert = |position| line_of(undecided.get(&position)?.event())?.alert;
        Some(lines.choose(alert).unwrap_or(oldest))
    }

    pub(super) fn cursors(&self) -> impl Iterator<Item = &ConsumedThrough> {
        self.cursors.values()
    }

    /// Notes that everything up to there is decided.
    pub(super) fn consumed_through(&mut self, cursor: &ConsumedThrough) {
        if self.cursors.get(&cursor.subject).is_none_or(|known| known.seq < cursor.seq) {
            self.cursors.insert(cursor.subject.clone(), cursor.clone());
        }
    }

    /// Whether all of a commit is decided already.
    pub(super) fn is_consumed(&self, subject: &Subject, seq: Seq) -> bool {
        self.cursors.get(subject).is_some_and(|cursor| cursor.seq >= seq)
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.undecided.is_empty()
    }

    /// Adds the events of a commit.
    pub(super) fn push(&mut self, commit: &Arc<DecodedCommit>) {
        let open = OpenCommit { seq: commit.seq, hash: commit.hash, left: commit.events().len() };
        self.open.entry(commit.subject.clone()).or_default().push_back(open);
        for (index, event) in commit.events().iter().enumerate() {
            self.undecided.insert(event.position, QueuedInput { commit: Arc::clone(commit), index });
            if let Some((line_of, lines)) = &mut self.lines
                && let Some(line) = line_of(event)
            {
                lines.push(event.position, &line);
            }
        }
    }

    /// The oldest input that waits.
    pub(super) fn oldest(&self) -> Option<&QueuedInput> {
        self.undecided.values().next()
    }

    /// Takes an input out, as the one that is decided next.
    pub(super) fn take(&mut self, position: u64) -> Option<QueuedInput> {
        let oldest = self.undecided.keys().next().copied();
        let input = self.undecided.remove(&position)?;
        if let Some((line_of, lines)) = &mut self.lines
            && let Some(line) = line_of(input.event())
        {
            lines.remove(position, &line);
        }
        self.unwritten.overtook |= oldest != Some(position);
        self.unwritten.taken += 1;
        match self.unwritten.runs.last_mut() {
            Some(run) if position > run.1 && self.undecided.range(run.1..position).next().is_none() => run.1 = position,
            _ => self.unwritten.runs.push(DecidedRun(position, position)),
        }
        self.close(&input);
        Some(input)
    }

    /// Counts an input as decided, and moves the cursor of its subject over what is decided as a whole.
    fn close(&mut self, input: &QueuedInput) {
        let DecodedCommit { seq, subject, hash, .. } = input.commit.as_ref();
        let touched = ConsumedThrough { subject: subject.clone(), seq: *seq, hash: *hash };
        if self.newest.get(subject).is_none_or(|newest| newest.seq < *seq) {
            self.newest.insert(subject.clone(), touched);
        }
        let Some(open) = self.open.get_mut(subject) else { return };
        if let Ok(at) = open.binary_search_by_key(seq, |commit| commit.seq) {
            open[at].left = open[at].left.saturating_sub(1);
        }
        let mut through = None;
        while let Some(whole) = open.pop_front_if(|commit| commit.left == 0) {
            through = Some(whole);
        }
        if let Some(OpenCommit { seq, hash, .. }) = through {
            self.consumed_through(&ConsumedThrough { subject: subject.clone(), seq, hash });
        }
    }

    /// What the next commit says; afterwards nothing was decided since.
    pub(super) fn decided(&mut self) -> Decided {
        let cursors = &self.cursors;
        let beyond =
            |newest: &&ConsumedThrough| cursors.get(&newest.subject).is_none_or(|cursor| cursor.seq < newest.seq);
        let ahead: Vec<_> = self.newest.values().filter(beyond).cloned().collect();
        let UnwrittenOrder { runs, overtook, .. } = std::mem::take(&mut self.unwritten);
        let in_order = !overtook && ahead.is_empty();
        Decided {
            consumed: self.cursors.values().cloned().collect(),
            order: if in_order { Vec::new() } else { runs },
            ahead,
        }
    }

    /// Takes out what a commit of the lane decided, in the order in which it did.
    pub(super) fn consume(&mut self, header: &CommitHeader) -> Vec<RecordedInput> {
        let mut taken = Vec::new();
        // What the cursors cover and no run names comes first. Where the commit names an order, an earlier life of its
        // owner decided that and had nothing to say; where it names none, it is everything.
        let consumed: BTreeMap<&Subject, Seq> =
            header.consumed.iter().map(|cursor| (&cursor.subject, cursor.seq)).collect();
        let last = consumed.values().max().map_or(0, |seq| commit::position(seq + 1, 0));
        let mut runs: Vec<DecidedRun> = header.order.clone();
        runs.sort_unstable_by_key(|run| run.0);
        let named = |position: u64| {
            let after = runs.partition_point(|run| run.0 <= position);
            // Runs may lie within each other: one that was decided earlier left out what came back later.
            runs[..after].iter().rev().any(|run| position <= run.1)
        };
        let covered = |(position, input): (&u64, &QueuedInput)| {
            let seq = consumed.get(input.subject()).copied().unwrap_or(0);
            (input.commit.seq <= seq && !named(*position)).then_some(*position)
        };
        let positions: Vec<u64> = self.undecided.range(..last).filter_map(covered).collect();
        self.take_recorded(positions, &mut taken);
        for DecidedRun(first, last) in &header.order {
            let positions: Vec<u64> = self.undecided.range(first..=last).map(|(position, _)| *position).collect();
            self.take_recorded(positions, &mut taken);
        }
        // What is recorded is no choice of ours that is still to be written.
        self.unwritten = UnwrittenOrder::default();
        for cursor in &header.consumed {
            self.consumed_through(cursor);
        }
        taken
    }

    /// Takes out everything, in the order of the ledger.
    pub(super) fn take_rest(&mut self) -> Vec<RecordedInput> {
        let mut taken = Vec::new();
        self.take_recorded(self.undecided.keys().copied().collect(), &mut taken);
        taken
    }

    fn take_recorded(&mut self, positions: Vec<u64>, taken: &mut Vec<RecordedInput>) {
        for position in positions {
            let timers_by = self.oldest().map(QueuedInput::stamped_at);
            if let Some(input) = self.take(position) {
                let timers_by = timers_by.unwrap_or(input.stamped_at());
                taken.push(RecordedInput { input, timers_by });
            }
        }
    }
}

/// An input as a lane took it.
pub struct RecordedInput {
    /// What was decided.
    pub input: QueuedInput,
    /// The stamp of the oldest input that was undecided then.
    pub timers_by: Time,
}

impl RecordedInput {
    /// When it came, as far as deciding goes.
    #[must_use]
    pub fn time(&self) -> InputTime {
        InputTime { stamped_at: self.input.stamped_at(), timers_by: self.timers_by }
    }
}
