//! How far the memory is, as others see it. Owns the words; refuses to know how it gets there.

use serde::Serialize;
use tokio::sync::watch;

/// How far it is, and what holds it up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MemoryStatus {
    /// Everything up to here is remembered.
    pub position: u64,
    /// Versions that were made since the start.
    pub versions: u64,
    /// Steps that failed in a row; 0 while all is well.
    pub failing: u32,
    /// Why the last one failed, in plain words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// The store: `flat`, `qdrant` or `memory`.
    pub store: String,
    /// The model's name.
    pub embedder: String,
    /// Whether a stand-in takes the place of a model that is not installed.
    pub stand_in: bool,
}

/// A view of a running memory; cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    status: watch::Receiver<MemoryStatus>,
}

impl Handle {
    pub(crate) const fn new(status: watch::Receiver<MemoryStatus>) -> Self {
        Self { status }
    }

    /// Everything up to here is remembered.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.status.borrow().position
    }

    /// How far it is, and what holds it up.
    #[must_use]
    pub fn status(&self) -> MemoryStatus {
        self.status.borrow().clone()
    }

    /// Waits until everything up to a position is remembered. The caller bounds the time; it ends early, with
    /// `false`, where the memory is gone.
    pub async fn wait_for(&self, position: u64) -> bool {
        let mut status = self.status.clone();
        status.wait_for(|status| status.position >= position).await.is_ok()
    }
}
