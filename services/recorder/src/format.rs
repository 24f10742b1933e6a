//! Owns the shapes of a recording on disk, and how it is read back.
//!
//! | file | holds |
//! |---|---|
//! | `recording.json` | a [`RecordingManifest`] |
//! | `truth.json` | the [`GroundTruth`]: what was really wrong, changed and well |
//! | `requests.ndjson.zst` | every [`RecordedRequest`] in the order of its arrival |
//! | `logs.ndjson.zst` | every [`LogLine`] |
//! | `metrics.csv.zst` | `timestamp,service,metric,value`, by time; timestamps in unix seconds |
//! | `catalog.yaml` | the service catalogue, as `PUT /api/v1/catalog` takes it |
//!
//! All times are RFC 3339 in UTC. A field that a later version adds is ignored by an earlier one; another meaning is another [`FORMAT`].

mod load;
mod types;

pub use load::{Embedded, LogLines, NdjsonLines, Requests, StoredRecording};
pub use types::{
    GroundTruth, Healthy, InjectedFault, LogLine, RecordedChange, RecordedChannel, RecordedRequest, RecordingManifest,
    Software,
};

/// The format that this version writes and reads.
pub const FORMAT: u32 = 1;

pub(crate) const MANIFEST: &str = "recording.json";
pub(crate) const TRUTH: &str = "truth.json";
pub(crate) const REQUESTS: &str = "requests.ndjson.zst";
pub(crate) const LOGS: &str = "logs.ndjson.zst";
pub(crate) const METRICS: &str = "metrics.csv.zst";
pub(crate) const CATALOG: &str = "catalog.yaml";
