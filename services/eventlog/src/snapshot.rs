//! Snapshots: a state with the place that it belongs to. A snapshot is a short-cut and never truth: one
//! that does not fit the ledger, or this binary's folds, is refused and the ledger is folded instead.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hindcast_domain::Span;
use hindcast_domain::canonical::FOLD_VERSION;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use hindcast_ledger::commit::{self, Hash};
use hindcast_ledger::port::{Ledger, Seq};

use crate::shelf::{LaneShelves, ShelfFolder};

/// Packing is to cost little beside making the text.
const ZSTD_LEVEL: i32 = 1;
/// Bytes of text that are packed at once.
const TEXT_BYTES: usize = 64 * 1024;

/// What stands before the state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotHeader {
    /// Id of the ledger that the snapshot was taken from.
    pub ledger_id: String,
    /// The folds that made it.
    pub fold_version: u32,
    /// All commits up to here are in it.
    pub seq: Seq,
    /// That commit's hash.
    pub hash: Hash,
}

#[derive(Serialize, Deserialize)]
struct SnapshotFile<T> {
    stamp: SnapshotHeader,
    state: T,
}

/// Why a snapshot could not be written. That one could not be *read* is no error: it is not used.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The state has no JSON form.
    #[error("a snapshot's state has no JSON form")]
    Encode(#[source] serde_json::Error),
    /// The disk did not take it.
    #[error("the snapshot {path} cannot be written")]
    Io {
        /// The snapshot's file.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },
}

/// Where snapshots lie; `None` keeps none.
#[derive(Clone, Debug, Default)]
pub struct SnapshotStore {
    folder: Option<PathBuf>,
    shelves: ShelfFolder,
    /// How long something was over before it leaves memory; `None` for never.
    over_kept: Option<Span>,
}

impl SnapshotStore {
    /// Snapshots under `folder`.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()), ..Self::none() }
    }

    /// No snapshots at all.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The same, and what was over for so long leaves memory for a shelf beside the snapshots.
    #[must_use]
    pub fn shelving_after(self, kept: Option<Span>) -> Self {
        Self { over_kept: kept, ..self }
    }

    /// How long something was over before it leaves memory; `None` for never.
    pub(crate) const fn over_kept(&self) -> Option<Span> {
        self.over_kept
    }

    /// The shelf of a service's lanes; `None` where nothing leaves memory. One that cannot be opened is none.
    pub(crate) fn shelves(&self, name: &str) -> Option<Arc<LaneShelves>> {
        let folder = self.folder.as_ref().filter(|_| self.over_kept.is_some())?;
        match self.shelves.open(folder, name) {
            Ok(shelves) => Some(shelves),
            Err(error) => {
                tracing::error!(name, %error, "what is over stays in memory: its shelf cannot be opened");
                None
            }
        }
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(format!("{name}.snapshot")))
    }

    /// Writes a snapshot in place of the one before it: whole, or not at all.
    ///
    /// # Errors
    /// When it cannot be written; the one before it then still stands.
    pub fn write<T: Serialize>(&self, name: &str, stamp: SnapshotHeader, state: &T) -> Result<(), WriteError> {
        let Some(path) = self.path(name) else {
            return Ok(());
        };
        replace(&path, &SnapshotFile { stamp, state }).map_err(|error| match error {
            NotWritten::Encode(source) => WriteError::Encode(source),
            NotWritten::Io(source) => WriteError::Io { path, source },
        })
    }

    /// Reads a snapshot that fits this ledger and this binary; `None` where there is none that does.
    pub async fn read<T: DeserializeOwned>(&self, name: &str, ledger: &dyn Ledger) -> Option<(SnapshotHeader, T)> {
        let bytes = std::fs::read(self.path(name)?).ok()?;
        let (digest, packed) = bytes.split_at_checked(32)?;
        if Hash::of(packed).0 != digest {
            tracing::warn!(name, "a snapshot is damaged and is not used");
            return None;
        }
        let json = zstd::stream::decode_all(packed).ok()?;
        let file: SnapshotFile<T> = serde_json::from_slice(&json).ok()?;
        let fits = file.stamp.ledger_id == ledger.info().ledger_id
            && file.stamp.fold_version == FOLD_VERSION
            && hash_at(ledger, file.stamp.seq).await == Some(file.stamp.hash);
        if !fits {
            tracing::info!(name, "a snapshot does not fit this ledger and is not used");
        }
        fits.then_some((file.stamp, file.state))
    }
}

/// The hash of the commit at `seq`; that before the first is zero.
pub async fn hash_at(ledger: &dyn Ledger, seq: Seq) -> Option<Hash> {
    if seq == 0 {
        return Some(Hash::ZERO);
    }
    let record = ledger.get(seq).await.ok()??;
    commit::decode_header(&record.payload).ok().map(|(_, hash)| hash)
}

/// Why a file was not written.
enum NotWritten {
    Encode(serde_json::Error),
    Io(std::io::Error),
}

impl From<std::io::Error> for NotWritten {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

/// Hashes what passes through to the file.
struct HashedFile {
    file: BufWriter<File>,
    hasher: Sha256,
}

impl Write for HashedFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// Writes a file beside the one at `path` and puts it in its place. The text of a large state is many times the state,
/// so it goes to the file as it is made; the digest in front of it is written last.
fn replace<T: Serialize>(path: &Path, content: &T) -> Result<(), NotWritten> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let fresh = path.with_extension("fresh");
    let mut file = BufWriter::new(File::create(&fresh)?);
    file.write_all(&Hash::ZERO.0)?;
    let mut packer = zstd::stream::Encoder::new(HashedFile { file, hasher: Sha256::new() }, ZSTD_LEVEL)?;
    let mut text = BufWriter::with_capacity(TEXT_BYTES, &mut packer);
    serde_json::to_writer(&mut text, content).map_err(|error| match error.io_error_kind() {
        Some(_) => NotWritten::Io(error.into()),
        None => NotWritten::Encode(error),
    })?;
    text.flush()?;
    drop(text);
    let HashedFile { file, hasher } = packer.finish()?;
    let mut file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&hasher.finalize())?;
    file.sync_data()?;
    Ok(std::fs::rename(&fresh, path)?)
}
