//! Where every record lies, in memory: 16 bytes a commit, and 8 more for its subject's list. It is found
//! again by reading the segments at open, and holds only what is durable.

use std::collections::HashMap;
use std::sync::Arc;

use hindcast_ledger::{ReadError, Record, Seq, Subject};

use crate::frame::{self, RecordSpan};
use crate::segment::Segment;

/// Records that one read takes at most.
pub(crate) const RUN_RECORDS_MAX: usize = 256;
/// Bytes that one read takes at most, unless one record alone has more.
pub(crate) const RUN_BYTES_MAX: u32 = 1024 * 1024;

#[derive(Clone, Copy, Debug)]
struct IndexEntry {
    segment: u32,
    offset: u32,
    length: u32,
}

#[derive(Debug, Default)]
pub(crate) struct RecordIndex {
    segments: Vec<Arc<Segment>>,
    entries: Vec<IndexEntry>,
    subjects: HashMap<Subject, Vec<Seq>>,
}

/// Records that lie behind one another in one segment.
pub(crate) struct RecordRun {
    segment: Arc<Segment>,
    first: Seq,
    places: Vec<(u32, u32)>,
}

impl RecordIndex {
    pub(crate) fn head(&self) -> Seq {
        self.entries.len() as Seq
    }

    pub(crate) fn add_segment(&mut self, segment: Arc<Segment>) {
        self.segments.push(segment);
    }

    /// How many segments there are, and their bytes.
    pub(crate) fn extent(&self) -> (usize, u64) {
        (self.segments.len(), self.segments.iter().map(|segment| u64::from(segment.bytes)).sum())
    }

    /// Adds the records of a block that begins at `start` of the last segment.
    pub(crate) fn add_block(&mut self, start: u32, placed: Vec<RecordSpan>) {
        let segment = u32::try_from(self.segments.len().saturating_sub(1)).unwrap_or(u32::MAX);
        for RecordSpan { seq, subject, offset, length } in placed {
            assert_eq!(seq, self.head() + 1, "sequences are dense");
            self.entries.push(IndexEntry { segment, offset: start + offset, length });
            self.subjects.entry(subject).or_default().push(seq);
        }
    }

    pub(crate) fn last(&self, subject: &Subject) -> Seq {
        self.subjects.get(subject).and_then(|seqs| seqs.last()).copied().unwrap_or(0)
    }

    pub(crate) fn first_after(&self, subject: &Subject, after: Seq) -> Option<Seq> {
        let seqs = self.subjects.get(subject)?;
        seqs.get(seqs.partition_point(|seq| *seq <= after)).copied()
    }

    pub(crate) fn subjects(&self) -> Vec<(Subject, Seq)> {
        let last = |(subject, seqs): (&Subject, &Vec<Seq>)| (subject.clone(), seqs.last().copied().unwrap_or(0));
        let mut all: Vec<_> = self.subjects.iter().map(last).collect();
        all.sort();
        all
    }

    /// The records from `first` on that one read may take; `None` past the head.
    pub(crate) fn run(&self, first: Seq, records_max: usize) -> Option<RecordRun> {
        let from = usize::try_from(first.checked_sub(1)?).ok()?;
        let entries = self.entries.get(from..)?;
        let head = *entries.first()?;
        let fits = |entry: &&IndexEntry| {
            entry.segment == head.segment && entry.offset + entry.length - head.offset <= RUN_BYTES_MAX.max(head.length)
        };
        let places = entries.iter().take(records_max.min(RUN_RECORDS_MAX)).take_while(fits);
        let places = places.map(|entry| (entry.offset, entry.length)).collect();
        Some(RecordRun { segment: Arc::clone(self.segments.get(head.segment as usize)?), first, places })
    }
}

impl RecordRun {
    /// Reads them from the disk. Blocks.
    pub(crate) fn read(&self) -> Result<Vec<Record>, ReadError> {
        let (Some((start, _)), Some((last, length))) = (self.places.first(), self.places.last()) else {
            return Ok(Vec::new());
        };
        let bytes = self
            .segment
            .read(*start, (last + length - start) as usize)
            .map_err(|source| ReadError::Unavailable(Box::new(source)))?;
        let record = |(seq, (offset, length)): (Seq, &(u32, u32))| {
            let at = (offset - start) as usize;
            let frame = bytes.get(at..at + *length as usize).unwrap_or_default();
            frame::read_record(frame, seq).map_err(|detail| ReadError::Damaged {
                seq,
                detail: format!("{detail} ({} at byte {offset})", self.segment.path.display()),
            })
        };
        let mut records = Vec::with_capacity(self.places.len());
        for place in (self.first..).zip(&self.places) {
            match record(place) {
                Ok(found) => records.push(found),
                // What stands before the damage is still good; the next read begins with it.
                Err(_) if !records.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(records)
    }
}
