//! Telemetry: log records, metric samples and spans of requests, kept in blocks beside the ledger for a bounded time.
//!
//! The one contract of this crate: *what [`Telemetry::append`] answered is on disk, and what expires is
//! counted*. Telemetry is not truth: it can be lost without a change of state, and whatever is concluded from
//! it is written to the ledger. Who stores does not know what is looked for.

pub mod conformance;
pub mod memory;
mod model;
mod span;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use hindcast_domain::{Partition, Time};

pub use memory::MemoryTelemetry;
pub use model::{LogFilter, LogLevel, LogRecord, MetricSeries, Sample, SampleFilter, TelemetryBatch, TelemetryWindow};
pub use span::{SpanFilter, SpanKind, TraceSpan};

/// Shared telemetry.
pub type Shared = Arc<dyn Telemetry>;

/// Why telemetry could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be written or read now.
    #[error("telemetry cannot be kept or read: {0}")]
    Io(#[from] std::io::Error),
    /// What is there is not what was written.
    #[error("a telemetry block is damaged: {0}")]
    Damaged(String),
    /// The store is full, or shuts down.
    #[error("telemetry is not taken now: {0}")]
    Refused(String),
}

/// A place in the order in which telemetry of all partitions arrived. Ordered; survives a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct ArrivalCursor(pub u64);

/// What arrived, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrived {
    /// The place behind it: go on from here.
    pub next: ArrivalCursor,
    /// The tenant and environment that the batch belongs to.
    pub partition: Partition,
    /// The log lines and samples that arrived together.
    pub batch: TelemetryBatch,
}

/// A window that was kept from expiring.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptWindow {
    /// SHA-256 of each block in hexadecimal, oldest first.
    pub hashes: Vec<String>,
    /// Log lines and samples in the window.
    pub records: u64,
    /// Bytes, compressed.
    pub bytes: u64,
    /// Records of the window that did not fit, or had expired as far as that is known.
    pub missing: u64,
}

/// What a store says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct StoreFigures {
    /// Records kept now.
    pub records: u64,
    /// Bytes on disk, pins included.
    pub bytes: u64,
    /// Records that expired since the store was made.
    pub expired: u64,
    /// The oldest record that is kept.
    pub oldest: Option<Time>,
    /// Bytes in pinned blocks.
    pub pinned_bytes: u64,
    /// Blocks that were found damaged and passed over since the store was opened.
    pub damaged: u64,
}

/// A store of telemetry.
#[async_trait]
pub trait Telemetry: Send + Sync + 'static {
    /// Keeps a batch; answers once it is durable.
    async fn append(&self, partition: &Partition, batch: TelemetryBatch) -> Result<(), Error>;

    /// Log records of a stretch of their own time, oldest first, at most `filter.limit`.
    async fn logs(
        &self,
        partition: &Partition,
        stretch: TelemetryWindow,
        filter: LogFilter,
    ) -> Result<Vec<LogRecord>, Error>;

    /// Metric series of a stretch of their own time; points oldest first.
    async fn series(
        &self,
        partition: &Partition,
        stretch: TelemetryWindow,
        filter: SampleFilter,
    ) -> Result<Vec<MetricSeries>, Error>;

    /// Spans that began in a stretch of their own time, oldest first; of more than `filter.limit` the newest.
    async fn spans(
        &self,
        partition: &Partition,
        stretch: TelemetryWindow,
        filter: SpanFilter,
    ) -> Result<Vec<TraceSpan>, Error>;

    /// What arrived after `cursor`, in the order of arrival, at most about a thousand records; waits for some.
    /// A cursor older than what is kept goes on with the oldest that is.
    async fn arrived(&self, cursor: ArrivalCursor) -> Result<Vec<Arrived>, Error>;

    /// The place behind what arrived last: how far [`Telemetry::arrived`] can be read now.
    fn head(&self) -> ArrivalCursor;

    /// Keeps a stretch from expiring, in blocks named by their content, at most `bytes_max`; durable when answered.
    async fn pin(&self, partition: &Partition, stretch: TelemetryWindow, bytes_max: u64) -> Result<KeptWindow, Error>;

    /// A pinned block, by its hash; decompressed, as newline-delimited JSON of records, samples and spans.
    async fn pinned(&self, hash: &str) -> Result<Option<Bytes>, Error>;

    /// Figures for operators.
    fn figures(&self) -> StoreFigures;
}
