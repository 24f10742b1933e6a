//! The one thread that writes. It takes all appends that wait, writes them as one block, syncs once, and
//! only then answers each of them: the sync is paid once for all, and an answer always follows it.
//!
//! A failed write or sync ends the process. What the disk then holds is unknown, a second sync may report
//! success for pages that the kernel has dropped, and only reading everything anew at the next start tells.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use bytes::Bytes;
use hindcast_ledger::heads::HeadsKeeper;
use hindcast_ledger::{AppendError, LedgerFigures, Record, RecordMemo, Seq, Subject};
use tokio::sync::{mpsc, oneshot};

use crate::disk::SegmentDisk;
use crate::frame::BlockBuilder;
use crate::segment::{self, Segment};
use crate::shared::EmbeddedCore;

/// Appends of one block.
const GROUP_RECORDS_MAX: usize = 1_024;
/// Bytes after which a block takes no more.
const GROUP_BYTES_MAX: usize = 8 * 1024 * 1024;

/// An append that waits.
pub(crate) struct PendingAppend {
    pub(crate) subject: Subject,
    pub(crate) expected: Seq,
    pub(crate) payload: Bytes,
    pub(crate) memo: RecordMemo,
    pub(crate) answer: oneshot::Sender<Result<Seq, AppendError>>,
}

pub(crate) struct SegmentCommitter {
    pub(crate) core: Arc<EmbeddedCore>,
    pub(crate) disk: SegmentDisk,
    pub(crate) keeper: Arc<HeadsKeeper>,
    pub(crate) figures: LedgerFigures,
    pub(crate) folder: PathBuf,
    pub(crate) mark: u64,
    pub(crate) segment: Arc<Segment>,
    pub(crate) offset: u32,
    /// Bytes of the smallest and of the largest segment.
    pub(crate) segment_bytes: RangeInclusive<u32>,
    /// The next segment, while its zeroes are being written.
    pub(crate) prepared: Option<PreparedSegment>,
}

/// A segment whose zeroes are written ahead of its need.
pub(crate) struct PreparedSegment {
    bytes: u32,
    thread: JoinHandle<std::io::Result<PathBuf>>,
}

/// What an append is to be told once the block is durable.
type AppendVerdict = (oneshot::Sender<Result<Seq, AppendError>>, Result<Seq, AppendError>);

impl SegmentCommitter {
    /// Writes what comes until nobody is left who could append, or the ledger is dead.
    pub(crate) fn run(mut self, mut queue: mpsc::Receiver<PendingAppend>) {
        self.commit_each(&mut queue);
        // An append that is being handed over while this ends is dropped too, so that its caller learns of it: a
        // receiver that is only dropped could leave it in the queue.
        queue.close();
        while queue.blocking_recv().is_some() {}
        // A thread that outlived the ledger would write into the folder of whoever opens it next.
        if let Some(prepared) = self.prepared.take()
            && prepared.thread.join().is_err()
        {
            tracing::error!("the thread that prepares segments panicked");
        }
    }

    fn commit_each(&mut self, queue: &mut mpsc::Receiver<PendingAppend>) {
        while let Some(first) = queue.blocking_recv() {
            let mut group = vec![first];
            let mut bytes = 0;
            while group.len() < GROUP_RECORDS_MAX && bytes < GROUP_BYTES_MAX {
                let Ok(next) = queue.try_recv() else { break };
                bytes += next.payload.len();
                group.push(next);
            }
            if !self.commit(group) {
                return;
            }
            self.prepare_ahead();
        }
    }

    /// Writes one group; false where the ledger is dead, which only a test's disk can bring about.
    fn commit(&mut self, group: Vec<PendingAppend>) -> bool {
        let first = self.core.read().head() + 1;
        let mut block = BlockBuilder::new(self.mark, first);
        let mut staged: HashMap<Subject, Seq> = HashMap::new();
        let mut verdicts: Vec<AppendVerdict> = Vec::with_capacity(group.len());
        let mut newest = Bytes::new();
        let mut records = Vec::with_capacity(group.len());
        for PendingAppend { subject, expected, payload, memo, answer } in group {
            let last = staged.get(&subject).copied().unwrap_or_else(|| self.core.read().last(&subject));
            if last != expected {
                // Answered with the others: what it lost to may be in this block, and is not durable yet.
                verdicts.push((answer, Err(AppendError::Conflict { subject, expected })));
                continue;
            }
            let seq = block.push(&subject, &payload);
            staged.insert(subject.clone(), seq);
            newest = payload.clone();
            records.push(Record { seq, subject, payload, memo });
            verdicts.push((answer, Ok(seq)));
        }
        if block.is_empty() {
            answer(verdicts);
            return true;
        }
        if let Err(error) = self.make_room(block.len(), first) {
            tracing::error!(%error, "no segment can be made; nothing was written");
            refuse(verdicts, &error);
            return true;
        }
        let (bytes, placed) = block.finish();
        let early = self.disk.acknowledges_before_sync();
        if let Err(error) = self.disk.write(&self.segment, self.offset, &bytes) {
            return self.die("write", &error);
        }
        if early {
            answer(std::mem::take(&mut verdicts));
        }
        let began = Instant::now();
        if let Err(error) = self.disk.sync(&self.segment) {
            return self.die("sync", &error);
        }
        self.figures.synced(began.elapsed());
        let last = first + placed.len() as Seq - 1;
        self.core.write().add_block(self.offset, placed);
        self.offset += u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.core.recent.push(records);
        self.core.head.send_replace(last);
        self.keeper.note(last, newest);
        answer(verdicts);
        true
    }

    /// Rolls to the next segment where this one has no room. A failure here changes nothing.
    fn make_room(&mut self, block: usize, first: Seq) -> std::io::Result<()> {
        if self.offset as usize + block <= self.segment.bytes as usize {
            return Ok(());
        }
        let block = u32::try_from(block).map_err(std::io::Error::other)?;
        let prepared = match self.prepared.take() {
            Some(PreparedSegment { bytes, thread }) => {
                let path = thread.join().map_err(|_| std::io::Error::other("preparing a segment panicked"))??;
                Some(path).filter(|_| block <= bytes)
            }
            None => None,
        };
        let next = match prepared {
            Some(path) => segment::adopt(&self.folder, first, &path)?,
            None => segment::create(&self.folder, first, block.max(self.next_bytes()))?,
        };
        self.segment = Arc::new(next);
        self.offset = 0;
        self.core.write().add_segment(Arc::clone(&self.segment));
        Ok(())
    }

    /// An eighth of what the ledger has, within bounds: what is allocated and not used yet stays a small part of it.
    fn next_bytes(&self) -> u32 {
        let (_, bytes) = self.core.read().extent();
        let (least, most) = (*self.segment_bytes.start(), *self.segment_bytes.end());
        u32::try_from(bytes / 8).unwrap_or(most).clamp(least.min(most), most)
    }

    /// Has the next segment's zeroes written once three quarters of this one are used, so that no append waits for it.
    fn prepare_ahead(&mut self) {
        if self.prepared.is_some() || self.offset < self.segment.bytes / 4 * 3 {
            return;
        }
        let (folder, bytes) = (self.folder.clone(), self.next_bytes());
        let work = move || segment::prepare(&folder, bytes);
        match std::thread::Builder::new().name("ledger-prepare".to_owned()).spawn(work) {
            Ok(thread) => self.prepared = Some(PreparedSegment { bytes, thread }),
            Err(error) => {
                tracing::warn!(%error, "no thread for preparing a segment; it is made when needed")
            }
        }
    }

    fn die(&self, step: &str, error: &std::io::Error) -> bool {
        if self.disk.crashed() {
            return false;
        }
        let path = self.segment.path.display();
        tracing::error!(%error, step, %path, "the ledger's disk failed; the process ends");
        eprintln!(
            "hindcast: the ledger could not {step} {path}: {error}; what the disk holds is unknown, so this process ends. \
             Nothing that was acknowledged is affected; check the disk and start again."
        );
        std::process::abort();
    }
}

fn answer(verdicts: Vec<AppendVerdict>) {
    for (answer, verdict) in verdicts {
        if answer.send(verdict).is_err() {
            tracing::debug!("an append's caller went away before its answer");
        }
    }
}

fn refuse(verdicts: Vec<AppendVerdict>, error: &std::io::Error) {
    let refused = |(answer, verdict): AppendVerdict| {
        let verdict = match verdict {
            Ok(_) => Err(AppendError::Refused(format!("no segment can be made: {error}"))),
            // It may have lost to one that is refused now; the truth is that nobody knows yet.
            Err(AppendError::Conflict { subject, .. }) => {
                Err(AppendError::Unknown { subject, source: error.to_string().into() })
            }
            other => other,
        };
        (answer, verdict)
    };
    answer(verdicts.into_iter().map(refused).collect());
}
