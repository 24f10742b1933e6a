//! Owns every bound of the recorder.

use std::time::Duration;

/// Largest body taken, as at Hindcast's own door.
pub(crate) const BODY_BYTES_MAX: usize = 16 << 20;
/// Longest line read back from a recording: a body, escaped, with room for its headers.
pub(crate) const LINE_BYTES_MAX: u64 = 64 << 20;
/// Longest log line kept; what is longer is cut there.
pub(crate) const LOG_LINE_BYTES_MAX: usize = 64 << 10;
/// What may wait for the disk; past it senders wait too.
pub(crate) const QUEUE_ITEMS_MAX: usize = 1024;
/// Points that one range query asks for; Prometheus refuses more than 11,000 a series.
pub(crate) const QUERY_POINTS_MAX: u64 = 10_000;
/// Samples of one recording, all metrics together.
pub(crate) const SAMPLES_MAX: usize = 5_000_000;
/// How often a log file is looked at.
pub(crate) const TAIL_INTERVAL: Duration = Duration::from_millis(200);
/// How long Prometheus may take to answer one query.
pub(crate) const QUERY_TIMEOUT: Duration = Duration::from_secs(30);
/// How long requests that are being answered may take when the recording ends.
pub(crate) const SERVE_GRACE: Duration = Duration::from_secs(3);
