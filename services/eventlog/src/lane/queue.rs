//! What a lane has not decided yet, and how what it decides next is written down and found again. Refuses to decide.
//!
//! A commit of the lane says what it decided in one of two ways. In the order of the ledger: everything up to its
//! cursors. Otherwise: runs of positions in the order in which they were decided, while the cursors still say up to
//! where everything is decided.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use hindcast_domain::Time;
use hindcast_domain::event::Recorded;
use hindcast_engine::InputTime;
use hindcast_ledger::commit::{self, CommitHeader, ConsumedThrough, DecidedRun, Hash};
use hindcast_ledger::port::{Record, Seq};
use hindcast_ledger::subject::Subject;

/// A commit that was read, shared by the lanes that want it.
pub struct DecodedCommit {
    pub(super) seq: Seq,
    pub(super) subject: Subject,
    pub(super) hash: Hash,
    pub(super) stamped_at: Time,
    pub(super) events: Vec<Recorded>,
}

impl DecodedCommit {
    /// The events of a record that somebody reads; others may be left out.
    #[must_use]
    pub fn new(record: &Record, header: &CommitHeader, hash: Hash, events: Vec<Recorded>) -> Self {
        Self { seq: record.seq, subject: record.subject.clone(), hash, stamped_at: header.stamped_at, events }
    }

    /// The events.
    #[must_use]
    pub fn events(&self) -> &[Recorded] {
        &self.events
    }

    /// The stamp.
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
    /// The event.
    #[must_use]
    pub fn event(&self) -> &Recorded {
        &self.commit.events[self.index]
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

    /// Whether no event of its commit stands behind it.
    pub(super) fn ends_its_commit(&self) -> bool {
        self.index + 1 == self.commit.events.len()
    }
}

/// A commit of which something is undecided.
struct OpenCommit {
    seq: Seq,
    hash: Hash,
    left: usize,
}

/// The undecided inputs of one lane.
#[derive(Default)]
pub struct InputQueue {
    /// Up to where everything is decided.
    cursors: BTreeMap<Subject, ConsumedThrough>,
    /// By position.
    undecided: BTreeMap<u64, QueuedInput>,
    open: BTreeMap<Subject, VecDeque<OpenCommit>>,
    /// The newest commit of which something was decided.
    newest: BTreeMap<Subject, ConsumedThrough>,
    /// What was decided since the last append.
    order: Vec<DecidedRun>,
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
    /// A queue that has consumed so much.
    pub(super) fn from(cursors: BTreeMap<Subject, ConsumedThrough>) -> Self {
        Self { cursors, ..Self::default() }
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
        let open = OpenCommit { seq: commit.seq, hash: commit.hash, left: commit.events.len() };
        self.open.entry(commit.subject.clone()).or_default().push_back(open);
        for (index, event) in commit.events.iter().enumerate() {
            self.undecided.insert(event.position, QueuedInput { commit: Arc::clone(commit), index });
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
        self.overtook |= oldest != Some(position);
        match self.order.last_mut() {
            Some(run) if position > run.1 && self.undecided.range(run.1..position).next().is_none() => run.1 = position,
            _ => self.order.push(DecidedRun(position, position)),
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
        let runs = std::mem::take(&mut self.order);
        let in_order = !std::mem::take(&mut self.overtook) && ahead.is_empty();
        Decided {
            consumed: self.cursors.values().cloned().collect(),
            order: if in_order { Vec::new() } else { runs },
            ahead,
        }
    }

    /// Takes out what a commit of the lane decided, in the order in which it did.
    pub(super) fn consume(&mut self, header: &CommitHeader) -> Vec<RecordedInput> {
        let mut taken = Vec::new();
        if header.order.is_empty() {
            let consumed: BTreeMap<&Subject, Seq> =
                header.consumed.iter().map(|cursor| (&cursor.subject, cursor.seq)).collect();
            let last = consumed.values().max().map_or(0, |seq| commit::position(seq + 1, 0));
            let covered = |(position, input): (&u64, &QueuedInput)| {
                let seq = consumed.get(input.subject()).copied().unwrap_or(0);
                (input.commit.seq <= seq).then_some(*position)
            };
            let positions: Vec<u64> = self.undecided.range(..last).filter_map(covered).collect();
            self.take_recorded(positions, &mut taken);
        }
        for DecidedRun(first, last) in &header.order {
            let positions: Vec<u64> = self.undecided.range(first..=last).map(|(position, _)| *position).collect();
            self.take_recorded(positions, &mut taken);
        }
        // What is recorded is no choice of ours that is still to be written.
        self.order.clear();
        self.overtook = false;
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
    /// The input.
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
