//! The store as its callers have it: opening, appending, and the port's questions handed to whoever answers
//! them. Owns the lock and the writing thread's life.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use async_trait::async_trait;
use bytes::Bytes;
use hindcast_domain::Partition;
use hindcast_telemetry::{
    ArrivalCursor, Arrived, Error, KeptWindow, LogFilter, LogRecord, MetricSeries, SampleFilter, SpanFilter,
    StoreFigures, Telemetry, TelemetryBatch, TelemetryWindow, TraceSpan,
};
use tokio::sync::{Semaphore, oneshot};

use crate::committer::{FrameCommitter, PendingBatch, Writing, cost_of_record, cost_of_sample, cost_of_span};
use crate::disk::FrameDisk;
use crate::frame::{self, Maker};
use crate::index::{self, SegmentSummary};
use crate::options::{OpenError, Options, io};
use crate::segment::{self, Sealed};
use crate::shelf::{Active, SegmentShelf, StoreCore, locked, pins_of, segments_of};
use crate::{pin, query, recovery, retention};

/// Telemetry in a folder.
pub struct Files {
    core: Arc<StoreCore>,
    queue: Mutex<Option<Sender<PendingBatch>>>,
    room: Arc<Semaphore>,
    thread: Mutex<Option<JoinHandle<()>>>,
    _lock: File,
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Files({})", self.core.options.folder.display())
    }
}

impl Files {
    /// Opens the store of a folder, or makes one: cuts what a crash tore, and begins to write and to let go.
    ///
    /// # Errors
    /// When the folder is held by another, cannot be read or written, or was written by a newer version.
    pub fn open(options: Options) -> Result<Arc<Self>, OpenError> {
        let folder = options.folder.clone();
        for folder in [segments_of(&folder), pins_of(&folder)] {
            std::fs::create_dir_all(&folder).map_err(io("make", &folder))?;
        }
        let lock = lock(&folder)?;
        let memory = retention::RetentionRecord::load(&folder).map_err(io("read", &folder))?;
        let (shelf, writing) = shelf(&segments_of(&folder), &memory)?;
        let last = shelf.sealed.iter().map(|sealed| sealed.summary.last).max().unwrap_or(0);
        let last = last.max(shelf.active.as_ref().map_or(0, |active| active.summary.last)).max(memory.last);
        let pinned = pin::bytes(&pins_of(&folder)).map_err(io("read", &folder))?;
        let disk = options.faults.clone().map_or(FrameDisk::Real, FrameDisk::Faulty);
        let room = Arc::new(Semaphore::new(options.queue_bytes_max.max(1) as usize));
        let core = Arc::new(StoreCore::new(options, shelf, memory, last, pinned));
        let maker = Maker::new().map_err(io("compress for", &folder))?;
        let committer = FrameCommitter { core: Arc::clone(&core), disk, maker, writing, next: last + 1 };
        let (queue, requests) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("telemetry-files".to_owned())
            .spawn(move || committer.run(&requests))
            .map_err(io("start a thread for", &folder))?;
        let (queue, thread) = (Mutex::new(Some(queue)), Mutex::new(Some(thread)));
        Ok(Arc::new(Self { core, queue, room, thread, _lock: lock }))
    }

    /// Takes no more, writes what waits, and ends the writing thread. What reads goes on.
    pub fn close(&self) {
        drop(locked(&self.queue).take());
        if let Some(thread) = locked(&self.thread).take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes telemetry panicked");
        }
    }

    /// Runs what reads files where it may block.
    async fn reading<T: Send + 'static>(
        &self,
        work: impl FnOnce(&StoreCore) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let core = Arc::clone(&self.core);
        let done = tokio::task::spawn_blocking(move || work(&core)).await;
        done.unwrap_or_else(|error| Err(Error::Io(std::io::Error::other(error))))
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.close();
    }
}

#[async_trait]
impl Telemetry for Files {
    async fn append(&self, partition: &Partition, batch: TelemetryBatch) -> Result<(), Error> {
        if batch.is_empty() {
            return Ok(());
        }
        let bytes = weigh(&batch)?;
        let share = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.core.options.queue_bytes_max).max(1);
        let shut = || Error::Refused("the store is shut".to_owned());
        let room = Arc::clone(&self.room).acquire_many_owned(share).await.map_err(|_| shut())?;
        let (answer, answered) = oneshot::channel();
        let request = PendingBatch { partition: partition.clone(), batch, bytes, answer, room };
        locked(&self.queue).as_ref().ok_or_else(shut)?.send(request).map_err(|_| shut())?;
        answered.await.map_err(|_| shut())?
    }

    async fn logs(
        &self,
        partition: &Partition,
        stretch: TelemetryWindow,
        filter: LogFilter,
    ) -> Result<Vec<LogRecord>, Error> {
        let partition = partition.clone();
        self.reading(move |core| query::logs(core, &partition, stretch, &filter)).await
    }

    async fn series(
        &self,
        partition: &Partition,
        stretch: TelemetryWindow,
        filter: SampleFilter,
    ) -> Result<Vec<MetricSeries>, Error> {
        let partition = partition.clone();
        self.reading(move |core| query::series(core, &partition, stretch, &filter)).await
    }

    async fn spans(
        &self,
        partition: &Partition,
        stretch: TelemetryWindow,
        filter: SpanFilter,
    ) -> Result<Vec<TraceSpan>, Error> {
        let partition = partition.clone();
        self.reading(move |core| query::spans(core, &partition, stretch, &filter)).await
    }

    async fn arrived(&self, cursor: ArrivalCursor) -> Result<Vec<Arrived>, Error> {
        let mut head = self.core.head.subscribe();
        // A place that was never given out belongs to another store: go on with what comes next.
        let mut place = cursor.0.min(*head.borrow());
        loop {
            let now = *head.borrow_and_update();
            while now > place {
                let (found, looked_at) = self.reading(move |core| query::arrived(core, place)).await?;
                if !found.is_empty() {
                    return Ok(found);
                }
                place = looked_at.unwrap_or(now);
            }
            head.changed().await.map_err(|_| Error::Refused("the store is shut".to_owned()))?;
        }
    }

    fn head(&self) -> ArrivalCursor {
        ArrivalCursor(*self.core.head.borrow())
    }

    async fn pin(&self, partition: &Partition, stretch: TelemetryWindow, bytes_max: u64) -> Result<KeptWindow, Error> {
        let partition = partition.clone();
        self.reading(move |core| pin::pin(core, &partition, stretch, bytes_max)).await
    }

    async fn pinned(&self, hash: &str) -> Result<Option<Bytes>, Error> {
        let hash = hash.to_owned();
        self.reading(move |core| pin::read(&core.pins, &hash)).await
    }

    fn figures(&self) -> StoreFigures {
        let shelf = self.core.read();
        let summaries = || shelf.sealed.iter().map(|sealed| &sealed.summary).chain(active_summary(&shelf));
        let pinned_bytes = *locked(&self.core.pinned_bytes);
        StoreFigures {
            records: summaries().map(SegmentSummary::records).sum(),
            bytes: summaries().map(|summary| summary.bytes).sum::<u64>() + pinned_bytes,
            expired: locked(&self.core.memory).expired,
            oldest: summaries().flat_map(|summary| summary.shares.iter().map(|share| share.from)).min(),
            pinned_bytes,
            damaged: self.core.damaged.load(Ordering::Relaxed),
        }
    }
}

fn active_summary(shelf: &SegmentShelf) -> Option<&SegmentSummary> {
    shelf.active.as_ref().map(|active| &active.summary)
}

/// What a batch costs; what could not be read again is refused here.
fn weigh(batch: &TelemetryBatch) -> Result<usize, Error> {
    let most = frame::CONTENT_BYTES_MAX / 2;
    let costs = batch.logs.iter().map(cost_of_record).chain(batch.samples.iter().map(cost_of_sample));
    let costs = costs.chain(batch.spans.iter().map(cost_of_span));
    let (mut bytes, mut largest) = (0, 0);
    for cost in costs {
        bytes += cost;
        largest = largest.max(cost);
    }
    if largest > most {
        return Err(Error::Refused(format!("expected records of at most {most} bytes, got one of {largest}")));
    }
    if batch.samples.iter().any(|sample| !sample.value.is_finite()) {
        return Err(Error::Refused("expected finite values, got a sample that is none".to_owned()));
    }
    Ok(bytes)
}

fn lock(folder: &Path) -> Result<File, OpenError> {
    let path = folder.join("lock");
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let file = open.map_err(io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Held(folder.to_owned())),
        Err(TryLockError::Error(source)) => Err(io("lock", &path)(source)),
    }
}

/// Reads what is there. The last segment is the one that goes on, unless it was closed.
fn shelf(folder: &Path, memory: &retention::RetentionRecord) -> Result<(SegmentShelf, Option<Writing>), OpenError> {
    let mut shelf = SegmentShelf::default();
    let mut writing = None;
    let segments = segment::list(folder).map_err(io("list", folder))?;
    let newest = segments.last().map_or(0, |(first, _)| *first);
    for (first, path) in segments {
        if first <= memory.through {
            // It was counted as gone, and the process ended before it was.
            segment::remove(&path).map_err(io("remove", &path))?;
            continue;
        }
        if let Some(summary) = sealed(&path, first)? {
            shelf.sealed.push(Arc::new(Sealed { path, summary }));
            continue;
        }
        let scan = recovery::scan(&path, first).map_err(io("read", &path))?;
        if !scan.ours {
            return Err(OpenError::Newer(path));
        }
        if scan.summary.damaged > 0 {
            tracing::warn!(path = %path.display(), places = scan.summary.damaged, "telemetry is damaged and passed over");
        }
        if scan.rows.is_empty() {
            segment::remove(&path).map_err(io("remove", &path))?;
        } else if first == newest {
            let file = OpenOptions::new().read(true).write(true).open(&path).map_err(io("open", &path))?;
            let at = scan.summary.bytes;
            let torn = file.metadata().map_err(io("read", &path))?.len().saturating_sub(at);
            if torn > 0 {
                tracing::info!(path = %path.display(), torn, "a tail that was never answered is cut off");
                file.set_len(at).and_then(|()| file.sync_all()).map_err(io("cut", &path))?;
            }
            shelf.active = Some(Active { path: path.clone(), summary: scan.summary, rows: scan.rows });
            writing = Some(Writing { path, file, at });
        } else {
            segment::seal(&path, &scan.summary, &scan.rows).map_err(io("index", &path))?;
            shelf.sealed.push(Arc::new(Sealed { path, summary: scan.summary }));
        }
    }
    Ok((shelf, writing))
}

/// The summary of a closed segment; `None` where it has no index that fits it.
fn sealed(path: &Path, first: u64) -> Result<Option<SegmentSummary>, OpenError> {
    let index = segment::index_of(path);
    let summary = match index::summary(&index) {
        Ok(summary) => summary,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io("read", &index)(error)),
    };
    if summary.as_ref().is_some_and(|summary| summary.format > index::FORMAT) {
        return Err(OpenError::Newer(index));
    }
    let length = std::fs::metadata(path).map_err(io("read", path))?.len();
    Ok(summary.filter(|summary| summary.first == first && summary.bytes == length))
}
