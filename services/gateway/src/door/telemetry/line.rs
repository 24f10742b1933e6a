//! A log line on its way in: what its sender and its own text say of it, before it is bounded and cleaned.

use crate::door::telemetry::RecordLabels;
use hindcast_domain::Time;
use hindcast_telemetry::LogLevel;

/// A log line as it came.
pub(super) struct Line {
    pub(super) environment: Option<String>,
    pub(super) time: Option<Time>,
    pub(super) service: Option<String>,
    /// Where its sender says one.
    pub(super) level: Option<LogLevel>,
    pub(super) message: String,
    pub(super) labels: RecordLabels,
    /// Whether there is a time that cannot be read.
    pub(super) time_unread: bool,
}
