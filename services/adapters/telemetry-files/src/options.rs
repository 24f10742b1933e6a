//! What a store is opened with, and why it does not open. Owns the defaults and the bounds.

use std::path::{Path, PathBuf};

use hindcast_clock as clock;
use hindcast_domain::Span;

use crate::disk::FrameFaults;

/// Bytes that pins of one call can take, whatever the caller allows.
pub(crate) const PIN_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The smallest segment: a tiny budget still has a few.
const SEGMENT_BYTES_MIN: u64 = 1024;
/// Segments that a budget is divided into at least, so that what leaves is a small part.
const SEGMENTS_MIN: u64 = 8;
/// Parts that the retention is divided into, for the same reason.
const PARTS: i64 = 24;

/// What a store is opened with.
#[derive(Clone)]
pub struct Options {
    /// The store's own folder; it is made where it is missing.
    pub folder: PathBuf,
    /// Tells when something arrived: age is counted from there, and never from what a record says of itself.
    pub clock: clock::Shared,
    /// How long telemetry is kept after it arrived.
    pub retention: Span,
    /// Bytes of all segments; the oldest leave first. Pins do not count.
    pub bytes_max: u64,
    /// Size at which a segment is closed and the next one begins, in bytes.
    pub segment_bytes: u64,
    /// Bytes of all pinned blocks; what would go beyond is refused.
    pub pins_bytes_max: u64,
    /// Bytes of appends that may wait for the disk; more wait before they are queued.
    pub queue_bytes_max: u32,
    /// Where tests let the disk fail.
    #[doc(hidden)]
    pub faults: Option<FrameFaults>,
}

impl Options {
    /// The usual ones: 24 hours, 4 GiB, 16 GiB of pins.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>, clock: clock::Shared) -> Self {
        Self {
            folder: folder.into(),
            clock,
            retention: Span::hours(24),
            bytes_max: 4 * 1024 * 1024 * 1024,
            segment_bytes: 32 * 1024 * 1024,
            pins_bytes_max: 16 * 1024 * 1024 * 1024,
            queue_bytes_max: 64 * 1024 * 1024,
            faults: None,
        }
    }

    /// Bytes after which a segment is closed.
    pub(crate) fn segment_bytes(&self) -> u64 {
        self.segment_bytes.min(self.bytes_max / SEGMENTS_MIN).max(SEGMENT_BYTES_MIN)
    }

    /// The time after which a segment is closed, however small it is.
    pub(crate) fn segment_span(&self) -> Span {
        Span::millis((self.retention.as_millis() / PARTS).clamp(1, Span::hours(1).as_millis()))
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("folder", &self.folder)
            .field("retention", &self.retention)
            .field("bytes_max", &self.bytes_max)
            .finish_non_exhaustive()
    }
}

/// Why a store does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another handle of this one, has it.
    #[error("{0} is held by another process; stop it, or choose another folder")]
    Held(PathBuf),
    /// A step on the disk failed.
    #[error("the telemetry store cannot {step} {path}: {source}; check the folder's rights and room")]
    Io {
        /// What was tried.
        step: &'static str,
        /// The file or folder of the failed operation.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },
    /// A newer binary wrote it.
    #[error("{0} was written by a newer version; upgrade this binary, or move the file away")]
    Newer(PathBuf),
}

pub(crate) fn io(step: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> OpenError + use<> {
    let path = path.to_owned();
    move |source| OpenError::Io { step, path, source }
}
