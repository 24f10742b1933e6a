//! Walks every chain of a ledger and says what does not hold. It trusts nothing but the bytes: not the
//! adapter's order, not the sequences, not a cursor's word. It refuses to know what events mean.

use std::collections::BTreeMap;

use hindcast_domain::Time;
use serde::Serialize;

use hindcast_ledger::commit::{self, Commit, CommitHeader, ConsumedThrough, DecidedRun, Hash};
use hindcast_ledger::port::{Ledger, ReadError, Record, Seq};
use hindcast_ledger::subject::Subject;

/// Findings that are kept; the rest are counted.
const DAMAGE_MAX: usize = 1_000;
/// Commits between two calls of the progress callback.
const PROGRESS_EVERY: u64 = 256;

/// What does not hold, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChainDamage {
    /// The sequence number of the damaged commit.
    pub seq: Seq,
    /// Its subject; empty where there is none to name.
    pub subject: String,
    /// What does not hold.
    pub detail: String,
}

/// What a walk found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WalkReport {
    /// Commits that were walked.
    pub commits: u64,
    /// Number of events in the commits that were read.
    pub events: u64,
    /// Chains.
    pub subjects: u64,
    /// The last sequence that was walked.
    pub head: Seq,
    /// What does not hold; the first [`DAMAGE_MAX`] of it.
    pub damage: Vec<ChainDamage>,
    /// Findings beyond those.
    pub more: u64,
    /// What this walk cannot find.
    pub bound: String,
}

impl WalkReport {
    /// Whether everything holds.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.damage.is_empty() && self.more == 0
    }
}

/// Walks the ledger from its first commit to its head now. `progress` is told how far it is, and the head.
///
/// # Errors
/// When the ledger cannot be reached. What it says is damaged becomes a finding.
pub async fn verify(ledger: &dyn Ledger, mut progress: impl FnMut(Seq, Seq) + Send) -> Result<WalkReport, ReadError> {
    let head = ledger.head().await?;
    let mut walk = Walk::new(&ledger.info().ledger_id);
    let mut next = 1;
    let mut tail = ledger.tail(next);
    while next <= head {
        match tail.next().await {
            Ok(records) => {
                for record in records.into_iter().filter(|record| record.seq <= head) {
                    walk.place(&record, next);
                    next = record.seq + 1;
                    walk.record(&record);
                    if next.is_multiple_of(PROGRESS_EVERY) {
                        progress(next - 1, head);
                    }
                }
            }
            Err(ReadError::Damaged { seq, detail }) => {
                walk.find(seq, "", format!("the record cannot be read: {detail}"));
                next = seq.max(next) + 1;
                tail = ledger.tail(next);
            }
            Err(error) => return Err(error),
        }
    }
    for (subject, seq) in ledger.subjects().await? {
        walk.closes(&subject, seq, head);
    }
    progress(head, head);
    Ok(walk.report(head))
}

/// Where a chain stands.
#[derive(Clone, Copy)]
struct ChainTip {
    seq: Seq,
    hash: Hash,
    counter: u64,
}

struct Walk {
    ledger_id: String,
    chains: BTreeMap<Subject, ChainTip>,
    /// Every commit's hash, by sequence; zero for those that could not be read.
    hashes: Vec<Hash>,
    owners: Vec<u32>,
    names: BTreeMap<Subject, u32>,
    cursors: BTreeMap<(Subject, Subject), Seq>,
    commits: u64,
    events: u64,
    damage: Vec<ChainDamage>,
    more: u64,
}

impl Walk {
    fn new(ledger_id: &str) -> Self {
        Self {
            ledger_id: ledger_id.to_owned(),
            chains: BTreeMap::new(),
            hashes: Vec::new(),
            owners: Vec::new(),
            names: BTreeMap::new(),
            cursors: BTreeMap::new(),
            commits: 0,
            events: 0,
            damage: Vec::new(),
            more: 0,
        }
    }

    fn find(&mut self, seq: Seq, subject: &str, detail: String) {
        if self.damage.len() < DAMAGE_MAX {
            self.damage.push(ChainDamage { seq, subject: subject.to_owned(), detail });
        } else {
            self.more += 1;
        }
    }

    fn check(&mut self, holds: bool, record: &Record, detail: impl FnOnce() -> String) {
        if !holds {
            self.find(record.seq, &record.subject.to_string(), detail());
        }
    }

    fn place(&mut self, record: &Record, next: Seq) {
        self.check(record.seq == next, record, || format!("expected sequence {next} in the order"));
    }

    fn record(&mut self, record: &Record) {
        self.commits += 1;
        let known = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let name = *self.names.entry(record.subject.clone()).or_insert(known);
        let at = usize::try_from(record.seq).unwrap_or(usize::MAX);
        self.hashes.resize(at.min(usize::MAX - 1), Hash::ZERO);
        self.owners.resize(at.min(usize::MAX - 1), u32::MAX);
        match commit::decode(&record.payload) {
            Ok(commit) => {
                self.events += u64::from(commit.header.events);
                self.hashes.push(commit.hash);
                self.owners.push(name);
                self.header(record, &commit);
                self.consumed(record, &commit.header.consumed);
                self.ordered(record, &commit.header);
                let Commit { header, hash, .. } = commit;
                self.chains.insert(record.subject.clone(), ChainTip { seq: record.seq, hash, counter: header.counter });
            }
            Err(error) => {
                self.hashes.push(Hash::ZERO);
                self.owners.push(name);
                self.find(record.seq, &record.subject.to_string(), format!("the commit cannot be read: {error}"));
            }
        }
    }

    fn header(&mut self, record: &Record, commit: &Commit) {
        let header = &commit.header;
        let tip = self.chains.get(&record.subject).copied();
        let tip = tip.unwrap_or(ChainTip { seq: 0, hash: Hash::ZERO, counter: 0 });
        let ledger_id = self.ledger_id.clone();
        self.check(header.ledger == ledger_id, record, || {
            format!("expected a commit of ledger {ledger_id}, got one of {}", header.ledger)
        });
        self.check(header.subject == record.subject, record, || format!("its header says {}", header.subject));
        self.check(header.expected == tip.seq, record, || {
            format!("expected to follow {} on its subject, says {}", tip.seq, header.expected)
        });
        self.check(header.previous == tip.hash, record, || {
            format!("expected the previous hash {}, says {}", tip.hash, header.previous)
        });
        self.check(header.counter == tip.counter + 1, record, || {
            format!("expected counter {}, says {}", tip.counter + 1, header.counter)
        });
        self.check(header.stamped_at > Time::ZERO, record, || "it carries no stamp".to_owned());
        self.check(header.consumed.is_empty() || record.subject.lane_name().is_some(), record, || {
            "a fact from outside consumed something".to_owned()
        });
    }

    /// An order names inputs that stand before the commit, and what it took ahead of the cursors is sealed like they
    /// are.
    fn ordered(&mut self, record: &Record, header: &CommitHeader) {
        let before = commit::position(record.seq, 0);
        for DecidedRun(first, last) in &header.order {
            self.check(first <= last && *last < before, record, || {
                format!("its order names the inputs {first} to {last}, which do not stand before it")
            });
        }
        self.check(header.order.is_empty() || record.subject.lane_name().is_some(), record, || {
            "a fact from outside decided something".to_owned()
        });
        for ConsumedThrough { subject, seq, hash } in &header.ahead {
            let at = usize::try_from(*seq).unwrap_or(usize::MAX);
            let there = self.hashes.get(at).copied().filter(|_| *seq < record.seq);
            self.check(there == Some(*hash), record, || {
                format!("it took something of {subject} at {seq} with {hash}, and there stands another commit")
            });
        }
    }

    /// A cursor seals what was consumed: it names a commit that stands before, with its hash, and never
    /// goes back.
    fn consumed(&mut self, record: &Record, cursors: &[ConsumedThrough]) {
        for ConsumedThrough { subject, seq, hash } in cursors {
            if *seq >= record.seq {
                let detail = format!("its cursor on {subject} runs ahead of it, to {seq}");
                self.find(record.seq, &record.subject.to_string(), detail);
                continue;
            }
            let at = usize::try_from(*seq).unwrap_or(usize::MAX);
            let there = self.hashes.get(at).copied().unwrap_or(Hash::ZERO);
            self.check(there == *hash, record, || {
                format!("its cursor on {subject} names {hash} at {seq}, there stands {there}")
            });
            let owner = self.owners.get(at).copied().unwrap_or(u32::MAX);
            let named = self.names.get(subject).copied();
            self.check(named == Some(owner), record, || {
                format!("its cursor on {subject} names {seq}, which is not a commit of that subject")
            });
            let before = self.cursors.insert((record.subject.clone(), subject.clone()), *seq).unwrap_or(0);
            self.check(before <= *seq, record, || format!("its cursor on {subject} goes back from {before} to {seq}"));
        }
    }

    fn closes(&mut self, subject: &Subject, seq: Seq, head: Seq) {
        let walked = self.chains.get(subject).map_or(0, |tip| tip.seq);
        if seq <= head && walked != seq {
            let detail = format!("the ledger says that it ends at {seq}, its chain ends at {walked}");
            self.find(seq, &subject.to_string(), detail);
        }
    }

    fn report(self, head: Seq) -> WalkReport {
        WalkReport {
            commits: self.commits,
            events: self.events,
            subjects: self.names.len() as u64,
            head,
            damage: self.damage,
            more: self.more,
            bound: hindcast_ledger::heads::BOUND.to_owned(),
        }
    }
}
