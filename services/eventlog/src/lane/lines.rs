//! Which undecided input is decided next: what can page first, and among sources each in its turn, so that one that
//! floods keeps nobody waiting. Order is kept per source and urgency, and per alert. Owns the choice and nothing
//! else; what was chosen is written down by the queue, so nobody who reads it later has to know this rule.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound::{Excluded, Unbounded};

use hindcast_domain::lane::{Urgency, WaitingLine};

/// Of so many choices one goes to what is not urgent, while both wait: a flood of pages starves nobody either.
const TURNS: u32 = 8;

/// Lines of one urgency, by source.
#[derive(Default)]
struct SourceLines {
    lines: BTreeMap<String, VecDeque<u64>>,
    /// The source that was served last.
    served: String,
}

/// The lines in which inputs wait.
#[derive(Default)]
pub(super) struct WaitingLines {
    urgent: SourceLines,
    rest: SourceLines,
    /// What waits of each alert, in the order of the ledger.
    threads: BTreeMap<String, VecDeque<u64>>,
    /// What was taken out of its turn: it is passed over when its line comes to it.
    gone: BTreeSet<u64>,
    turn: u32,
}

impl WaitingLines {
    /// Adds an input at the end of its line.
    pub(super) fn push(&mut self, position: u64, line: &WaitingLine<'_>) {
        let lines = match line.urgency {
            Urgency::Pages => &mut self.urgent,
            Urgency::Waits => &mut self.rest,
        };
        match lines.lines.get_mut(line.source) {
            Some(waiting) => waiting.push_back(position),
            None => {
                lines.lines.insert(line.source.to_owned(), VecDeque::from([position]));
            }
        }
        if let Some(alert) = line.alert {
            match self.threads.get_mut(alert) {
                Some(waiting) => waiting.push_back(position),
                None => {
                    self.threads.insert(alert.to_owned(), VecDeque::from([position]));
                }
            }
        }
    }

    /// The position of the input whose turn it is; `alert` names the alert of a position. What came before it of the
    /// same alert goes first, whatever its line.
    pub(super) fn choose<'a>(&mut self, alert: impl Fn(u64) -> Option<&'a str>) -> Option<u64> {
        let first = !self.turn.is_multiple_of(TURNS);
        let Self { urgent, rest, gone, .. } = self;
        let position = match first {
            true => urgent.next(gone).or_else(|| rest.next(gone)),
            false => rest.next(gone).or_else(|| urgent.next(gone)),
        }?;
        let thread = alert(position).and_then(|alert| self.threads.get(alert)?.front().copied());
        match thread.filter(|first| *first != position) {
            Some(first) => Some(first),
            None => {
                // Its turn is over when it is decided itself, and not when something of its alert goes before it.
                self.turn = self.turn.wrapping_add(1);
                Some(position)
            }
        }
    }

    /// Takes an input out that is decided.
    pub(super) fn remove(&mut self, position: u64, line: &WaitingLine<'_>) {
        let lines = match line.urgency {
            Urgency::Pages => &mut self.urgent,
            Urgency::Waits => &mut self.rest,
        };
        if !lines.served(position, line.source) {
            self.gone.insert(position);
        }
        let Some(alert) = line.alert else { return };
        if let Some(waiting) = self.threads.get_mut(alert) {
            if waiting.front() == Some(&position) {
                waiting.pop_front();
            } else {
                waiting.retain(|other| *other != position);
            }
            if waiting.is_empty() {
                self.threads.remove(alert);
            }
        }
    }
}

impl SourceLines {
    /// The first input of the source that is next after the one that was served last.
    fn next(&mut self, gone: &mut BTreeSet<u64>) -> Option<u64> {
        loop {
            let behind = self.lines.range_mut::<str, _>((Excluded(self.served.as_str()), Unbounded)).next();
            let (source, line) = match behind {
                Some(found) => found,
                None => self.lines.iter_mut().next()?,
            };
            while line.front().is_some_and(|position| gone.remove(position)) {
                line.pop_front();
            }
            match line.front() {
                Some(position) => return Some(*position),
                None => {
                    let source = source.clone();
                    self.lines.remove(&source);
                }
            }
        }
    }

    /// Whether an input was the first of its line; then that source was served.
    fn served(&mut self, position: u64, source: &str) -> bool {
        let Some(line) = self.lines.get_mut(source).filter(|line| line.front() == Some(&position)) else {
            return false;
        };
        line.pop_front();
        if line.is_empty() {
            self.lines.remove(source);
        }
        source.clone_into(&mut self.served);
        true
    }
}
