//! What playing a recording took, and how its times and ids are written. Owns no step of the demo.

use std::collections::BTreeMap;

use hindcast_domain::Time;
use serde::Serialize;

/// What playing took.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// Requests sent.
    pub requests: u64,
    /// Answers that were no 2xx.
    pub refused: u64,
    /// From the request to its 2xx, in microseconds, sorted.
    pub durable_us: Vec<u64>,
    /// From the request to the page that it led to, in microseconds, sorted.
    pub page_us: Vec<u64>,
    /// Log lines and samples sent.
    pub telemetry: u64,
    /// Incidents that people wrote their last words on.
    pub told: u64,
    /// The last position before each fault was ended, by its id: when the question mattered.
    pub midst: BTreeMap<String, u64>,
    /// What was said about healthy stretches.
    pub probed: Vec<Probed>,
}

/// What was said about a stretch in which nothing was wrong.
#[derive(Clone, Debug, Serialize)]
pub struct Probed {
    /// The stretch's end.
    pub at: Time,
    /// Whether nothing was named.
    pub unresolved: bool,
    /// What was named first, if something was.
    pub named: Option<String>,
}

/// A recorded time as ours.
pub fn time(at: impl std::fmt::Display) -> Time {
    at.to_string().parse().unwrap_or(Time::ZERO)
}

/// The first digits of an id, with its prefix.
pub fn short(id: &str) -> String {
    match id.split_once('-') {
        Some((prefix, digits)) => format!("{prefix}-{}", digits.get(..4).unwrap_or(digits)),
        None => id.get(..8).unwrap_or(id).to_owned(),
    }
}

/// The time of day of a moment, in UTC.
pub fn clock(at: Time) -> String {
    at.to_string().get(11..19).unwrap_or_default().to_owned()
}
