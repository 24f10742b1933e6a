//! A log line on its way in: what its sender and its own text say of it, before it is bounded and cleaned.

use crate::door::telemetry::RecordLabels;
use hindcast_domain::Time;
use hindcast_telemetry::LogLevel;

/// Labels that stand for a text that is missing.
const SAID_MAX: usize = 8;

/// What labels say in place of a text.
pub(super) fn said(labels: &RecordLabels) -> Option<String> {
    let said: Vec<String> = labels.iter().take(SAID_MAX).map(|(name, value)| format!("{name}={value}")).collect();
    (!said.is_empty()).then(|| said.join(" "))
}

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

impl Line {
    /// A line of which nothing but its text is known.
    pub(super) fn of_text(message: String) -> Self {
        Self {
            environment: None,
            time: None,
            service: None,
            level: None,
            message,
            labels: RecordLabels::new(),
            time_unread: false,
        }
    }
}
