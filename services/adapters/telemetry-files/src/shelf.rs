//! What is in the store now: closed segments by their summaries, the active one with its rows, and figures.
//! Shared by the thread that writes and by whoever reads; refuses to write.

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use hindcast_domain::Partition;
use hindcast_telemetry::Error;
use tokio::sync::watch;

use crate::index::{self, FrameRow, RowQuery, SegmentSummary};
use crate::options::Options;
use crate::segment::{self, Sealed};
use crate::{recovery, retention};

/// Frames that one query may look at.
const FRAMES_MAX: usize = 1_000_000;
/// Rows of closed segments that are kept in memory for the next query.
const CACHED_ROWS_MAX: usize = 200_000;

/// All that is there.
#[derive(Default)]
pub(crate) struct SegmentShelf {
    /// Oldest first.
    pub(crate) sealed: Vec<Arc<Sealed>>,
    pub(crate) active: Option<Active>,
}

/// The segment that is being written, up to what is durable.
pub(crate) struct Active {
    pub(crate) path: PathBuf,
    pub(crate) summary: SegmentSummary,
    pub(crate) rows: Vec<FrameRow>,
}

/// Rows of one segment, in the order of arrival.
pub(crate) struct SegmentRows {
    pub(crate) path: PathBuf,
    pub(crate) rows: Vec<FrameRow>,
    /// The segment's partitions, by the number of their share; only where whole frames are asked for.
    pub(crate) partitions: Vec<Partition>,
}

type Cached = VecDeque<(u64, Arc<Vec<FrameRow>>)>;

/// What the parts of a store share.
pub(crate) struct StoreCore {
    pub(crate) options: Options,
    pub(crate) segments: PathBuf,
    pub(crate) pins: PathBuf,
    pub(crate) head: watch::Sender<u64>,
    /// Places that were found damaged, at the start and by readers.
    pub(crate) damaged: AtomicU64,
    /// Bytes of pinned blocks; whoever pins holds it.
    pub(crate) pinned_bytes: Mutex<u64>,
    pub(crate) memory: Mutex<retention::RetentionRecord>,
    shelf: RwLock<SegmentShelf>,
    cached: Mutex<Cached>,
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StoreCore {
    pub(crate) fn new(
        options: Options,
        shelf: SegmentShelf,
        memory: retention::RetentionRecord,
        head: u64,
        pinned: u64,
    ) -> Self {
        let damaged = shelf.sealed.iter().map(|sealed| sealed.summary.damaged).sum::<u64>()
            + shelf.active.as_ref().map_or(0, |active| active.summary.damaged);
        Self {
            segments: segments_of(&options.folder),
            pins: pins_of(&options.folder),
            options,
            head: watch::Sender::new(head),
            damaged: AtomicU64::new(damaged),
            pinned_bytes: Mutex::new(pinned),
            memory: Mutex::new(memory),
            shelf: RwLock::new(shelf),
            cached: Mutex::default(),
        }
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, SegmentShelf> {
        self.shelf.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, SegmentShelf> {
        self.shelf.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The frames that may hold something that is wanted, in the order of arrival.
    ///
    /// # Errors
    /// When an index cannot be read, or there are too many frames.
    pub(crate) fn find(&self, want: &RowQuery<'_>) -> Result<Vec<SegmentRows>, Error> {
        let (sealed, active) = {
            let shelf = self.read();
            let wanted = |sealed: &Arc<Sealed>| Some((Arc::clone(sealed), sealed.summary.share(want)?));
            let sealed: Vec<(Arc<Sealed>, u32)> = shelf.sealed.iter().filter_map(wanted).collect();
            let active = shelf.active.as_ref().and_then(|active| {
                let share = active.summary.share(want)?;
                let rows = active.rows.iter().filter(|row| row.may_hold(want, share)).copied().collect();
                Some(SegmentRows { path: active.path.clone(), rows, partitions: Vec::new() })
            });
            (sealed, active)
        };
        let mut found = Vec::new();
        let mut frames = active.as_ref().map_or(0, |active| active.rows.len());
        for (sealed, share) in sealed {
            let rows = self.rows(&sealed)?;
            let rows: Vec<FrameRow> = rows.iter().filter(|row| row.may_hold(want, share)).copied().collect();
            frames += rows.len();
            if frames > FRAMES_MAX {
                return Err(Error::Refused(format!("expected at most {FRAMES_MAX} blocks in a stretch; narrow it")));
            }
            found.push(SegmentRows { path: sealed.path.clone(), rows, partitions: Vec::new() });
        }
        found.extend(active);
        found.retain(|found| !found.rows.is_empty());
        Ok(found)
    }

    /// The frames behind a place, of the first segment that has some, in order.
    pub(crate) fn behind(&self, place: u64) -> Result<Option<SegmentRows>, Error> {
        let sealed = {
            let shelf = self.read();
            match shelf.sealed.iter().find(|sealed| sealed.summary.last > place) {
                Some(sealed) => Arc::clone(sealed),
                None => {
                    let active = shelf.active.as_ref().map(|active| SegmentRows {
                        path: active.path.clone(),
                        rows: active.rows.get(beyond(&active.rows, place)..).unwrap_or_default().to_vec(),
                        partitions: partitions(&active.summary),
                    });
                    return Ok(active.filter(|found| !found.rows.is_empty()));
                }
            }
        };
        let rows = self.rows(&sealed)?;
        let rows = rows.get(beyond(&rows, place)..).unwrap_or_default().to_vec();
        Ok(Some(SegmentRows { path: sealed.path.clone(), rows, partitions: partitions(&sealed.summary) }))
    }

    /// The rows of a closed segment; none where it left meanwhile.
    fn rows(&self, sealed: &Sealed) -> Result<Arc<Vec<FrameRow>>, Error> {
        let first = sealed.summary.first;
        if let Some((_, rows)) = locked(&self.cached).iter().find(|(of, _)| *of == first) {
            return Ok(Arc::clone(rows));
        }
        let rows = match index::rows(&segment::index_of(&sealed.path)) {
            Ok(Some(rows)) => rows,
            Ok(None) => {
                tracing::warn!(path = %sealed.path.display(), "an index is damaged; its segment is read instead");
                recovery::scan(&sealed.path, first)?.rows
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => match recovery::scan(&sealed.path, first) {
                Ok(scan) => scan.rows,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
                Err(error) => return Err(error.into()),
            },
            Err(error) => return Err(error.into()),
        };
        let rows = Arc::new(rows);
        let mut cached = locked(&self.cached);
        cached.push_back((first, Arc::clone(&rows)));
        while cached.iter().map(|(_, rows)| rows.len()).sum::<usize>() > CACHED_ROWS_MAX && cached.len() > 1 {
            cached.pop_front();
        }
        Ok(rows)
    }

    /// Opens a segment for reading; `None` where it left meanwhile.
    pub(crate) fn open(&self, path: &Path) -> Result<Option<File>, Error> {
        match File::open(path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The content of a frame; `None` where it is damaged, which is counted and said.
    pub(crate) fn content(&self, file: &File, path: &Path, row: &FrameRow) -> Result<Option<Vec<u8>>, Error> {
        let content = segment::content(file, row)?;
        if content.is_none() {
            self.note_damage(path, row);
        }
        Ok(content)
    }

    pub(crate) fn note_damage(&self, path: &Path, row: &FrameRow) {
        self.damaged.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(path = %path.display(), at = row.at, "a telemetry block is damaged and passed over");
    }

    /// A segment left: nothing of it is remembered here.
    pub(crate) fn forget(&self, first: u64) {
        locked(&self.cached).retain(|(of, _)| *of != first);
    }
}

fn partitions(summary: &SegmentSummary) -> Vec<Partition> {
    summary.shares.iter().map(|share| share.partition.clone()).collect()
}

/// The number of the first row behind a place; rows lie in order.
fn beyond(rows: &[FrameRow], place: u64) -> usize {
    rows.partition_point(|row| row.seq <= place)
}

pub(crate) fn segments_of(folder: &Path) -> PathBuf {
    folder.join("segments")
}

pub(crate) fn pins_of(folder: &Path) -> PathBuf {
    folder.join("pins")
}
