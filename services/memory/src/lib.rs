//! The memory: what past incidents were like, kept as vectors beside the ledger, so that "have we seen this?"
//! has an answer as of any position.
//!
//! The one contract of this crate: *a version stored under a position was made of what was known at it*, and
//! everything can be deleted and is made anew from the ledger, in the same order. It follows the views and
//! holds nothing back: who is slow or fails here (a model, a store) is counted, shown and tried again, while
//! alerts go their way.
//!
//! [`Options`] → [`IncidentMemory::new`] → [`IncidentMemory::run`], watched through a cheap [`Handle`].

mod error;
mod follow;
mod make;
mod plan;
mod status;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use hindcast_metrics::MetricRegistry;
use tokio::sync::{Mutex, watch};

pub use error::Error;
pub use status::{Handle, MemoryStatus};

pub use make::KeptTemplate;

/// What it needs.
#[derive(Clone)]
pub struct Options {
    /// Answers every query, as of a position.
    pub queries: hindcast_queries::Shared,
    /// Where vectors are kept.
    pub vectors: hindcast_vectors::Shared,
    /// What makes them.
    pub embedder: hindcast_vectors::embed::Shared,
    /// The ledger's id: vectors of another ledger are dropped.
    pub ledger: String,
    /// Figures of the process.
    pub metrics: MetricRegistry,
    /// How long events are gathered before vectors are made of them; 300 ms by default.
    pub gather: Duration,
}

impl Options {
    /// With the default pause.
    #[must_use]
    pub fn new(
        queries: hindcast_queries::Shared,
        vectors: hindcast_vectors::Shared,
        embedder: hindcast_vectors::embed::Shared,
        ledger: String,
        metrics: MetricRegistry,
    ) -> Self {
        Self { queries, vectors, embedder, ledger, metrics, gather: Duration::from_millis(300) }
    }
}

/// The service; cheap to clone.
#[derive(Clone)]
pub struct IncidentMemory {
    inner: Arc<Inner>,
}

struct Inner {
    options: Options,
    status: watch::Sender<MemoryStatus>,
    /// Everything up to here is remembered.
    reached: watch::Sender<u64>,
    /// Vectors that were made lately, by their text: a change of status needs no new one.
    made: Mutex<HashMap<String, Vec<f32>>>,
}

impl IncidentMemory {
    /// A memory that does nothing until it runs.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let identity = options.embedder.identity();
        let status = MemoryStatus {
            store: options.vectors.kind().to_owned(),
            embedder: identity.model.clone(),
            stand_in: identity.stand_in,
            ..MemoryStatus::default()
        };
        let (status, reached) = (watch::Sender::new(status), watch::Sender::new(0));
        Self { inner: Arc::new(Inner { options, status, reached, made: Mutex::default() }) }
    }

    /// How far it is, and its changes: everything up to there is remembered.
    #[must_use]
    pub fn reached(&self) -> watch::Receiver<u64> {
        self.inner.reached.subscribe()
    }

    /// What can be watched of it.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle::new(self.inner.status.subscribe())
    }
}
