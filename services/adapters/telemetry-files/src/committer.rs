//! The one thread that writes. It takes all appends that wait, makes frames of them, writes and syncs them as
//! one, and only then answers each: a sync is paid once for all. Owns the active segment; between appends it
//! closes segments and lets the oldest leave.
//!
//! A write or sync that fails is answered with its error to all who waited for it, and its segment is closed at
//! what is known to be durable: the next append begins another one. Telemetry may be sent again; a process that
//! serves the ledger does not end for it.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use hindcast_domain::Partition;
use hindcast_telemetry::{Error, TelemetryBatch};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::disk::FrameDisk;
use crate::frame::{self, FrameHead, Maker};
use crate::index::SegmentSummary;
use crate::segment::{self, Sealed};
use crate::shelf::{Active, StoreCore, locked};

/// Appends that share a sync.
const GROUP_MAX: usize = 1_024;
/// Bytes after which a group takes no more.
const GROUP_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How often it looks for what is to leave while nobody appends.
const IDLE: Duration = Duration::from_secs(1);

/// An append that waits.
pub(crate) struct PendingBatch {
    pub(crate) partition: Partition,
    pub(crate) batch: TelemetryBatch,
    /// What it costs, roughly.
    pub(crate) bytes: usize,
    pub(crate) answer: oneshot::Sender<Result<(), Error>>,
    /// Its part of the queue, given back when it is answered.
    pub(crate) room: OwnedSemaphorePermit,
}

/// The segment that is written to.
pub(crate) struct Writing {
    pub(crate) path: PathBuf,
    pub(crate) file: File,
    /// Where the next frame goes.
    pub(crate) at: u64,
}

pub(crate) struct FrameCommitter {
    pub(crate) core: Arc<StoreCore>,
    pub(crate) disk: FrameDisk,
    pub(crate) maker: Maker,
    pub(crate) writing: Option<Writing>,
    /// The place of the next frame.
    pub(crate) next: u64,
}

/// A group as it is going to be written.
struct FrameGroup {
    bytes: Vec<u8>,
    /// Heads, with offset and length in the block.
    heads: Vec<(FrameHead, usize, usize)>,
}

impl FrameCommitter {
    pub(crate) fn run(mut self, queue: &Receiver<PendingBatch>) {
        loop {
            match queue.recv_timeout(IDLE) {
                Ok(first) => {
                    // After a pause, what comes now does not prolong the life of what came long before.
                    self.roll();
                    self.commit(group(first, queue));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.roll();
            self.let_go();
        }
    }

    fn commit(&mut self, group: Vec<PendingBatch>) {
        let mut answers = Vec::with_capacity(group.len());
        let mut batches = Vec::with_capacity(group.len());
        for PendingBatch { partition, batch, answer, room, .. } in group {
            answers.push((answer, room));
            batches.push((partition, batch));
        }
        let written = self.block(batches).and_then(|block| self.write(&block));
        for (answer, room) in answers {
            let verdict = match &written {
                Ok(()) => Ok(()),
                Err(error) => Err(Error::Io(std::io::Error::new(error.kind(), error.to_string()))),
            };
            if answer.send(verdict).is_err() {
                tracing::debug!("an append's caller went away before its answer");
            }
            drop(room);
        }
        if let Err(error) = &written {
            tracing::warn!(%error, "telemetry cannot be written; its senders get a refusal");
        }
    }

    /// Frames of what came: batches of one partition are merged in the order in which they came, and what is
    /// too large for one frame becomes several.
    fn block(&mut self, batches: Vec<(Partition, TelemetryBatch)>) -> std::io::Result<FrameGroup> {
        let mut block = FrameGroup { bytes: Vec::new(), heads: Vec::new() };
        let mut open: BTreeMap<Partition, (TelemetryBatch, usize)> = BTreeMap::new();
        for (partition, batch) in batches {
            let (mut filling, mut bytes) = open.remove(&partition).unwrap_or_default();
            for record in batch.logs {
                if is_full(&filling, bytes) {
                    self.frame(&mut block, &partition, &std::mem::take(&mut filling))?;
                    bytes = 0;
                }
                bytes += cost_of_record(&record);
                filling.logs.push(record);
            }
            for sample in batch.samples {
                if is_full(&filling, bytes) {
                    self.frame(&mut block, &partition, &std::mem::take(&mut filling))?;
                    bytes = 0;
                }
                bytes += cost_of_sample(&sample);
                filling.samples.push(sample);
            }
            for span in batch.spans {
                if is_full(&filling, bytes) {
                    self.frame(&mut block, &partition, &std::mem::take(&mut filling))?;
                    bytes = 0;
                }
                bytes += cost_of_span(&span);
                filling.spans.push(span);
            }
            open.insert(partition, (filling, bytes));
        }
        for (partition, (batch, _)) in open {
            if !batch.is_empty() {
                self.frame(&mut block, &partition, &batch)?;
            }
        }
        Ok(block)
    }

    fn frame(&mut self, block: &mut FrameGroup, partition: &Partition, batch: &TelemetryBatch) -> std::io::Result<()> {
        let arrived = self.core.options.clock.now();
        // A place is used up even where its frame is not written in the end: no two frames ever share one.
        let seq = self.next;
        self.next += 1;
        let (head, bytes) = self.maker.frame(seq, arrived, partition, batch)?;
        block.heads.push((head, block.bytes.len(), bytes.len()));
        block.bytes.extend_from_slice(&bytes);
        Ok(())
    }

    fn write(&mut self, block: &FrameGroup) -> std::io::Result<()> {
        let first = block.heads.first().map_or(self.next, |(head, ..)| head.seq);
        let mut writing = match self.writing.take() {
            Some(writing) => writing,
            None => self.begin(first)?,
        };
        let synced =
            self.disk.write(&writing.file, writing.at, &block.bytes).and_then(|()| self.disk.sync(&writing.file));
        if let Err(error) = synced {
            self.abandon(&writing);
            return Err(error);
        }
        {
            let mut shelf = self.core.write();
            if let Some(active) = &mut shelf.active {
                for (head, at, length) in &block.heads {
                    let row = active.summary.add(head, writing.at + *at as u64, *length);
                    active.rows.push(row);
                }
            }
        }
        writing.at += block.bytes.len() as u64;
        self.writing = Some(writing);
        if let Some((head, ..)) = block.heads.last() {
            self.core.head.send_replace(head.seq);
        }
        Ok(())
    }

    /// Begins a segment.
    fn begin(&self, first: u64) -> std::io::Result<Writing> {
        let (path, file) = segment::create(&self.core.segments, first)?;
        let at = segment::MAGIC.len() as u64;
        let active = Active { path: path.clone(), summary: SegmentSummary::new(first, at), rows: Vec::new() };
        self.core.write().active = Some(active);
        Ok(Writing { path, file, at })
    }

    /// After a failure nobody knows what lies behind the last durable frame: it is cut off if the disk lets us,
    /// and the segment takes nothing more.
    fn abandon(&self, writing: &Writing) {
        if let Err(error) = writing.file.set_len(writing.at).and_then(|()| writing.file.sync_all()) {
            tracing::warn!(%error, path = %writing.path.display(), "a segment cannot be cut where it is durable");
        }
        if let Err(error) = self.seal() {
            tracing::warn!(%error, "a segment's index cannot be written; it is made at the next start");
        }
    }

    /// Closes the active segment. Its rows go from memory once its index is on disk; one without any frame goes
    /// altogether.
    fn seal(&self) -> std::io::Result<()> {
        let (path, summary, rows) = match &self.core.read().active {
            Some(active) => (active.path.clone(), active.summary.clone(), active.rows.clone()),
            None => return Ok(()),
        };
        if rows.is_empty() {
            self.core.write().active = None;
            return segment::remove(&path);
        }
        // Readers have it as the active one until they have it as a closed one.
        let sealed = segment::seal(&path, &summary, &rows);
        let mut shelf = self.core.write();
        shelf.active = None;
        shelf.sealed.push(Arc::new(Sealed { path, summary }));
        sealed
    }

    /// Closes the active segment where it is large or old enough.
    fn roll(&mut self) {
        let now = self.core.options.clock.now();
        let (bytes, span) = (self.core.options.segment_bytes(), self.core.options.segment_span());
        let full = {
            let shelf = self.core.read();
            let old = |active: &Active| active.summary.opened.is_some_and(|opened| now.since(opened) >= span);
            shelf.active.as_ref().is_some_and(|active| active.summary.bytes >= bytes || old(active))
        };
        if full {
            self.writing = None;
            if let Err(error) = self.seal() {
                tracing::warn!(%error, "a segment's index cannot be written; it is made at the next start");
            }
        }
    }

    /// Lets go what is too much or too old.
    fn let_go(&self) {
        let now = self.core.options.clock.now();
        while let Some(oldest) = self.leaving(now) {
            if let Err(error) = self.expire(&oldest) {
                tracing::warn!(%error, path = %oldest.path.display(), "a segment cannot leave; it is tried again");
                return;
            }
        }
    }

    /// The oldest closed segment, where it has to leave.
    fn leaving(&self, now: hindcast_domain::Time) -> Option<Arc<Sealed>> {
        let options = &self.core.options;
        let shelf = self.core.read();
        let oldest = shelf.sealed.first()?;
        let active = shelf.active.as_ref().map_or(0, |active| active.summary.bytes);
        let bytes = active + shelf.sealed.iter().map(|sealed| sealed.summary.bytes).sum::<u64>();
        let old = oldest.summary.closed.is_some_and(|closed| now.since(closed) > options.retention);
        (old || bytes > options.bytes_max).then(|| Arc::clone(oldest))
    }

    fn expire(&self, oldest: &Sealed) -> std::io::Result<()> {
        let mut memory = locked(&self.core.memory);
        let mut noted = memory.clone();
        noted.note(&oldest.summary);
        noted.save(&self.core.options.folder)?;
        *memory = noted;
        drop(memory);
        let first = oldest.summary.first;
        self.core.write().sealed.retain(|sealed| sealed.summary.first != first);
        self.core.forget(first);
        segment::remove(&oldest.path)
    }
}

/// All that waits, within bounds.
fn group(first: PendingBatch, queue: &Receiver<PendingBatch>) -> Vec<PendingBatch> {
    let mut bytes = first.bytes;
    let mut group = vec![first];
    while group.len() < GROUP_MAX && bytes < GROUP_BYTES_MAX {
        let Ok(next) = queue.try_recv() else { break };
        bytes += next.bytes;
        group.push(next);
    }
    group
}

fn is_full(batch: &TelemetryBatch, bytes: usize) -> bool {
    batch.len() >= frame::RECORDS_MAX || bytes >= frame::CONTENT_BYTES
}

pub(crate) fn cost_of_record(record: &hindcast_telemetry::LogRecord) -> usize {
    let labels = record.labels.iter().flat_map(|(name, value)| [name, value]);
    frame::cost(labels.chain([&record.service, &record.message]))
}

pub(crate) fn cost_of_sample(sample: &hindcast_telemetry::Sample) -> usize {
    let labels = sample.labels.iter().flat_map(|(name, value)| [name, value]);
    frame::cost(labels.chain([&sample.service, &sample.metric]))
}

pub(crate) fn cost_of_span(span: &hindcast_telemetry::TraceSpan) -> usize {
    frame::cost([&span.service, &span.name, &span.peer]) + 32
}
