//! The newest records of a ledger, kept as long as a reader of this process has not passed them, with what was made
//! of each. Owns when a record is let go; refuses to know what is made of one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::port::{Record, Seq};

/// Bytes of payloads that wait for slow readers at the most: unpacked they take about twenty times as much.
const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Records that are durable and that some reader has not passed yet.
#[derive(Debug, Default)]
pub struct RecentRecords(Mutex<WaitingRecords>);

#[derive(Debug, Default)]
struct WaitingRecords {
    /// In their order, without a gap.
    records: VecDeque<Record>,
    bytes: usize,
    /// What each reader reads next.
    readers: BTreeMap<u64, Seq>,
    readers_ever: u64,
}

/// One reader of recent records. It counts until it is dropped.
#[derive(Debug)]
pub struct RecentReader {
    of: Arc<RecentRecords>,
    id: u64,
}

impl RecentRecords {
    /// A reader whose next record is `next`.
    #[must_use]
    pub fn reader(self: &Arc<Self>, next: Seq) -> RecentReader {
        let mut waiting = lock(&self.0);
        waiting.readers_ever += 1;
        let id = waiting.readers_ever;
        waiting.readers.insert(id, next);
        RecentReader { of: Arc::clone(self), id }
    }

    /// Adds records that have become durable, in the order of the ledger.
    pub fn push(&self, records: impl IntoIterator<Item = Record>) {
        let mut waiting = lock(&self.0);
        for record in records {
            // A gap means that somebody else writes as well: what stands before it is of no use to anybody.
            if waiting.records.back().is_some_and(|last| last.seq + 1 != record.seq) {
                waiting.records.clear();
                waiting.bytes = 0;
            }
            waiting.bytes += record.payload.len();
            waiting.records.push_back(record);
        }
        waiting.let_go();
    }
}

impl RecentReader {
    /// A record that was read from elsewhere, as another reader may have it already.
    #[must_use]
    pub fn share(&self, record: Record) -> Record {
        let mut waiting = lock(&self.of.0);
        let first = waiting.records.front().map(|first| first.seq);
        match first.map(|first| record.seq.checked_sub(first).and_then(|at| usize::try_from(at).ok())) {
            Some(Some(at)) if at < waiting.records.len() => {
                waiting.records.get(at).filter(|known| **known == record).cloned().unwrap_or(record)
            }
            Some(Some(at)) if at > waiting.records.len() => record,
            Some(None) => record,
            _ => {
                waiting.bytes += record.payload.len();
                waiting.records.push_back(record.clone());
                waiting.let_go();
                record
            }
        }
    }

    /// The records from `next` on that are at hand, at most so many and of so many bytes, but one where there is one.
    #[must_use]
    pub fn take(&self, next: Seq, records_max: usize, bytes_max: usize) -> Vec<Record> {
        let waiting = lock(&self.of.0);
        let Some(skip) = waiting.records.front().and_then(|first| next.checked_sub(first.seq)) else {
            return Vec::new();
        };
        let mut bytes = 0;
        let behind = waiting.records.iter().skip(usize::try_from(skip).unwrap_or(usize::MAX)).take(records_max);
        let fits = behind.take_while(|record| {
            let first = bytes == 0;
            bytes += record.payload.len();
            first || bytes <= bytes_max
        });
        fits.cloned().collect()
    }

    /// Notes that everything before `next` was taken.
    pub fn passed(&self, next: Seq) {
        let mut waiting = lock(&self.of.0);
        waiting.readers.insert(self.id, next);
        waiting.let_go();
    }
}

impl Drop for RecentReader {
    fn drop(&mut self) {
        let mut waiting = lock(&self.of.0);
        waiting.readers.remove(&self.id);
        waiting.let_go();
    }
}

impl WaitingRecords {
    /// Lets go of what every reader has passed, and of the oldest where too much waits: that is read again.
    fn let_go(&mut self) {
        let needed = self.readers.values().min().copied().unwrap_or(Seq::MAX);
        while let Some(oldest) = self.records.front()
            && (oldest.seq < needed || self.bytes > WAITING_BYTES_MAX)
        {
            self.bytes -= oldest.payload.len();
            self.records.pop_front();
        }
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memo::RecordMemo;

    fn record(seq: Seq, bytes: usize) -> Record {
        let subject = "hc.default.production.incidents".parse().unwrap();
        Record { seq, subject, payload: vec![0; bytes].into(), memo: RecordMemo::default() }
    }

    fn seqs(records: &[Record]) -> Vec<Seq> {
        records.iter().map(|record| record.seq).collect()
    }

    #[test]
    fn a_record_stays_until_the_slowest_reader_has_passed_it() {
        let recent = Arc::new(RecentRecords::default());
        let (fast, slow) = (recent.reader(1), recent.reader(1));
        recent.push((1..=3).map(|seq| record(seq, 10)));
        assert_eq!(seqs(&fast.take(1, 9, 999)), [1, 2, 3]);
        fast.passed(4);
        assert_eq!(seqs(&slow.take(2, 1, 999)), [2]);
        slow.passed(3);
        assert_eq!(seqs(&slow.take(1, 9, 999)), [0; 0], "what all have passed is gone");
        assert_eq!(seqs(&slow.take(3, 9, 999)), [3]);
        drop(slow);
        assert!(fast.take(3, 9, 999).is_empty(), "a reader that is gone holds nothing");
    }

    #[test]
    fn a_reader_that_stands_still_holds_no_more_than_the_bound() {
        let recent = Arc::new(RecentRecords::default());
        let still = recent.reader(1);
        recent.push((1..=5).map(|seq| record(seq, WAITING_BYTES_MAX / 2)));
        assert!(still.take(1, 9, usize::MAX).is_empty());
        assert_eq!(seqs(&still.take(4, 9, usize::MAX)), [4, 5]);
    }
}
