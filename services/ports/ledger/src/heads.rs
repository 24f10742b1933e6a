//! Known heads: a file outside the ledger that says how far the ledger once durably was. It catches a ledger
//! that was cut, which no chain inside can. It is written after the commit is durable, at most every
//! [`EVERY`]; what was cut since the last time is the bound of what can be found, and [`BOUND`] says so.
//! It knows bytes and places, and refuses to know what stands in a commit.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::commit::Hash;
use crate::port::{Record, Seq};

/// The pause between two writes of the file.
pub const EVERY: Duration = Duration::from_millis(200);

/// What known heads cannot find.
pub const BOUND: &str =
    "commits that were cut from the end after the last head was written outside the ledger cannot be found";

/// A place that the ledger durably reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownHead {
    /// Id of the ledger that the head belongs to.
    pub ledger_id: String,
    /// The last sequence.
    pub seq: Seq,
    /// The hash of that record's payload.
    pub payload: Hash,
}

/// Why the ledger does not fit its known head, or the head cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum HeadsError {
    /// The file is there and cannot be read.
    #[error("the known heads {path} cannot be read")]
    Read {
        /// Which file.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },
    /// The file is there and is no head. It is replaced whole or not at all, so this is damage.
    #[error("the known heads {path} are damaged")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// The parser's error.
        #[source]
        source: serde_json::Error,
    },
    /// The file cannot be written, so that a later loss could not be found.
    #[error("the known heads {path} cannot be written")]
    Write {
        /// Which file.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },
    /// It is the head of another ledger.
    #[error(
        "expected a ledger {known}, whose head is known here, got {got}; move the known heads away if that is meant"
    )]
    OtherLedger {
        /// Id of the ledger that the file of heads names.
        known: String,
        /// The one that was opened.
        got: String,
    },
    /// The ledger lost its end.
    #[error("the ledger ends at {got} and is known to have reached {known}: its end is lost; restore it from a backup")]
    Shorter {
        /// How far it was.
        known: Seq,
        /// How far it is.
        got: Seq,
    },
    /// Another commit stands where the known head was.
    #[error("commit {0} is not the one that was durable there: the ledger was replaced or rewritten")]
    Differs(Seq),
}

/// Reads the known head; `None` where none was ever written.
///
/// # Errors
/// When the file is there and is no head.
pub fn read(path: &Path) -> Result<Option<KnownHead>, HeadsError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(HeadsError::Read { path: path.to_owned(), source });
        }
    };
    let malformed = |source| HeadsError::Malformed { path: path.to_owned(), source };
    serde_json::from_slice(&bytes).map(Some).map_err(malformed)
}

/// Compares a ledger with its known head. `at` is the record at `known.seq`, where there is one.
///
/// # Errors
/// When the ledger is shorter, another one, or holds another commit there.
pub fn check(known: &KnownHead, ledger_id: &str, last: Seq, at: Option<&Record>) -> Result<(), HeadsError> {
    if known.ledger_id != ledger_id {
        return Err(HeadsError::OtherLedger { known: known.ledger_id.clone(), got: ledger_id.to_owned() });
    }
    match at {
        _ if known.seq == 0 => Ok(()),
        _ if last < known.seq => Err(HeadsError::Shorter { known: known.seq, got: last }),
        Some(record) if Hash::of(&record.payload) == known.payload => Ok(()),
        _ => Err(HeadsError::Differs(known.seq)),
    }
}

#[derive(Default)]
struct HeadsState {
    noted: Option<(Seq, Bytes)>,
    written: Seq,
    closing: bool,
}

struct Shared {
    path: PathBuf,
    ledger_id: String,
    state: Mutex<HeadsState>,
    changed: Condvar,
}

/// Writes the file, lazily, on a thread of its own.
pub struct HeadsKeeper {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl HeadsKeeper {
    /// Keeps the head of `ledger_id` at `path`, of which `written` is already known there.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(path: &Path, ledger_id: &str, written: Seq) -> Result<Self, HeadsError> {
        let shared = Arc::new(Shared {
            path: path.to_owned(),
            ledger_id: ledger_id.to_owned(),
            state: Mutex::new(HeadsState { written, ..HeadsState::default() }),
            changed: Condvar::new(),
        });
        let worker = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("ledger-heads".to_owned())
            .spawn(move || worker.run())
            .map_err(|source| HeadsError::Write { path: path.to_owned(), source })?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Notes that `payload` is durable at `seq`. Returns at once.
    pub fn note(&self, seq: Seq, payload: Bytes) {
        let mut state = self.shared.lock();
        if seq > state.written && state.noted.as_ref().is_none_or(|(noted, _)| *noted < seq) {
            state.noted = Some((seq, payload));
            self.shared.changed.notify_one();
        }
    }

    /// Writes what was noted last, and ends. Blocks.
    pub fn stop(&self) {
        self.shared.lock().closing = true;
        self.shared.changed.notify_one();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the keeper of the known heads panicked");
        }
    }
}

impl Drop for HeadsKeeper {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, HeadsState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        loop {
            let waiting = |state: &mut HeadsState| state.noted.is_none() && !state.closing;
            let mut state = self.changed.wait_while(self.lock(), waiting).unwrap_or_else(PoisonError::into_inner);
            let Some((seq, payload)) = state.noted.take() else {
                return;
            };
            drop(state);
            if let Err(error) = self.write(seq, &payload) {
                tracing::error!(error = %error, "a known head was not written; a cut since the last one would go unseen");
            }
            state = self.lock();
            state.written = state.written.max(seq);
            let pausing = |state: &mut HeadsState| !state.closing;
            drop(self.changed.wait_timeout_while(state, EVERY, pausing));
        }
    }

    fn write(&self, seq: Seq, payload: &[u8]) -> Result<(), HeadsError> {
        let head = KnownHead { ledger_id: self.ledger_id.clone(), seq, payload: Hash::of(payload) };
        let malformed = |source| HeadsError::Malformed { path: self.path.clone(), source };
        let bytes = serde_json::to_vec(&head).map_err(malformed)?;
        replace(&self.path, &bytes).map_err(|source| HeadsError::Write { path: self.path.clone(), source })
    }
}

/// Replaces a file whole or not at all, durably.
///
/// # Errors
/// When the disk does not take it; what was there before still stands.
pub fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let fresh = path.with_extension("fresh");
    let mut file = File::create(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => sync_folder(folder),
        _ => Ok(()),
    }
}

/// Makes a folder's entries durable; a file's sync does not make its name so.
///
/// # Errors
/// When the disk does not take it.
pub fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(windows) {
        return Ok(()); // a folder cannot be opened there, and its entries need no sync of their own
    }
    File::open(folder)?.sync_all()
}
