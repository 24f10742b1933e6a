//! What the ledger, its committer and its readers share: the index, the last durable sequence, and whether the ledger is
//! closed. Refuses to know who writes and who reads.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use hindcast_ledger::{ReadError, RecentRecords, Seq};
use tokio::sync::watch;

use crate::index::RecordIndex;

/// Error: the ledger was closed and takes no more commits.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the ledger is closed")]
pub struct LedgerClosed;

/// What readers and the committer share.
pub(crate) struct EmbeddedCore {
    /// What became durable lately and is still to be read by somebody.
    pub(crate) recent: Arc<RecentRecords>,
    pub(crate) index: RwLock<RecordIndex>,
    /// The last durable sequence.
    pub(crate) head: watch::Sender<Seq>,
    pub(crate) closed: watch::Sender<bool>,
}

impl EmbeddedCore {
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, RecordIndex> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, RecordIndex> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs what blocks where it may.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
) -> Result<T, ReadError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(ReadError::Unavailable(Box::new(error))),
    }
}
