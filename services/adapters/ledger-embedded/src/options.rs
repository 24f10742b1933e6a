//! What opening takes, and every reason why a ledger does not open. A refusal never changes a byte.

use std::path::{Path, PathBuf};

use hindcast_ledger::LedgerFigures;
use hindcast_ledger::heads::HeadsError;

use crate::disk::DiskFaults;
use crate::holder::Holder;

/// What a ledger is opened with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data folder; segments lie in `ledger/` under it, the known heads beside.
    pub dir: PathBuf,
    /// The identity of a new ledger; drawn at random where it is `None`. An existing ledger must have it.
    pub ledger_id: Option<String>,
    /// Bytes of a segment of a large ledger, allocated before they are needed.
    pub segment_bytes: u32,
    /// Bytes of the first segment, and of the smallest later one: a small ledger shall not cost much.
    pub first_segment_bytes: u32,
    /// Appends that may wait for the committer; more wait before they are queued.
    pub queue_max: usize,
    /// Where syncs are counted.
    pub figures: LedgerFigures,
    /// Where tests let the disk fail.
    #[doc(hidden)]
    pub faults: Option<DiskFaults>,
}

impl Options {
    /// The usual ones, in `dir`.
    #[must_use]
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            ledger_id: None,
            segment_bytes: 16 * 1024 * 1024,
            first_segment_bytes: 1024 * 1024,
            queue_max: 1_024,
            figures: LedgerFigures::default(),
            faults: None,
        }
    }

    /// The same, with an identity.
    #[must_use]
    pub fn with_id(mut self, ledger_id: &str) -> Self {
        self.ledger_id = Some(ledger_id.to_owned());
        self
    }

    /// Where the segments lie.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        folder_of(&self.dir)
    }

    /// Where the known heads lie.
    #[must_use]
    pub fn heads(&self) -> PathBuf {
        self.dir.join("heads.json")
    }
}

pub(crate) fn folder_of(dir: &Path) -> PathBuf {
    dir.join("ledger")
}

/// Why a ledger does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{folder} is held by {holder}; use --server to speak to it")]
    Held {
        /// The ledger's folder.
        folder: PathBuf,
        /// The process that has locked the folder.
        holder: Holder,
    },
    /// A step on the disk failed.
    #[error("the ledger cannot {step} {path}")]
    Io {
        /// What was tried.
        step: &'static str,
        /// The file or folder of the failed operation.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },
    /// The identity is no identity.
    #[error("{path} is not a ledger's identity")]
    Identity {
        /// The file that could not be read or written.
        path: PathBuf,
        /// The parser's error.
        #[source]
        source: serde_json::Error,
    },
    /// Segments without an identity.
    #[error("{0} is missing although there are segments; restore it from a backup")]
    IdentityMissing(PathBuf),
    /// A newer binary wrote it.
    #[error("expected a ledger of format {expected}, got {got}; upgrade this binary")]
    Format {
        /// The format version that this build reads.
        expected: u32,
        /// The format version found on disk.
        got: u32,
    },
    /// Another ledger lies there.
    #[error("expected ledger {expected} in this folder, found {got}")]
    OtherLedger {
        /// Asked for.
        expected: String,
        /// There.
        got: String,
    },
    /// A text that is no identity.
    #[error("expected a ledger id of 1 to 64 letters, digits, - or _, got {0:?}")]
    NotAnId(String),
    /// The system gave no randomness for a new identity.
    #[error("the system gives no random bytes for a new ledger's id: {0}")]
    Random(getrandom::Error),
    /// What lies there is not what was written. Nothing was changed.
    #[error("the ledger is damaged in {segment} at byte {offset}: {detail}; restore it from a backup")]
    Corrupt {
        /// The segment's file.
        segment: PathBuf,
        /// Bytes from the start of the segment.
        offset: u64,
        /// The check that failed.
        detail: String,
    },
    /// It is not the ledger that was once here, or a part of it is lost.
    #[error("the ledger does not fit what is known of it")]
    Heads(#[from] HeadsError),
}

pub(crate) fn io(step: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> OpenError + use<> {
    let path = path.to_owned();
    move |source| OpenError::Io { step, path, source }
}
