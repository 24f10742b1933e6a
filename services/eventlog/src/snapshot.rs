//! Snapshots: a state with the place that it belongs to. A snapshot is a short-cut and never truth: one
//! that does not fit the ledger, or this binary's folds, is refused and the ledger is folded instead.

use std::path::{Path, PathBuf};

use hindcast_domain::canonical::FOLD_VERSION;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use hindcast_ledger::commit::{self, Hash};
use hindcast_ledger::port::{Ledger, Seq};

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
}

impl SnapshotStore {
    /// Snapshots under `folder`.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()) }
    }

    /// No snapshots at all.
    #[must_use]
    pub const fn none() -> Self {
        Self { folder: None }
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
        let io = |source| WriteError::Io { path: path.clone(), source };
        let json = serde_json::to_vec(&SnapshotFile { stamp, state }).map_err(WriteError::Encode)?;
        let packed = zstd::bulk::compress(&json, 1).map_err(io)?;
        let digest = Hash::of(&packed);
        let mut bytes = digest.0.to_vec();
        bytes.extend_from_slice(&packed);
        replace(&path, &bytes).map_err(io)
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

fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let fresh = path.with_extension("fresh");
    let mut file = std::fs::File::create(&fresh)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    std::fs::rename(&fresh, path)
}
