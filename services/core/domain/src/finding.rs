//! What a detector concluded from telemetry, and what was kept of the telemetry itself.
//!
//! Telemetry lies outside the ledger and expires; a finding is what stays of it. So a finding is a fact
//! that says everything a later reader needs: what, where, since when, how much, and how sure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::IncidentId;
use crate::time::Time;
use crate::words::LogLevel;

/// What sort of thing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A log template that this service never wrote before.
    NewTemplate,
    /// A known log template that is written far more often than before.
    BurstingTemplate,
    /// A metric whose level after an onset differs from its level before, upwards or downwards.
    MetricShift,
    /// Requests of an operation that fail more often after an onset, charged to where they fail.
    FailingRequests,
    /// Requests of an operation that take longer after an onset, without what they wait for.
    SlowRequests,
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NewTemplate => "new_template",
            Self::BurstingTemplate => "bursting_template",
            Self::MetricShift => "metric_shift",
            Self::FailingRequests => "failing_requests",
            Self::SlowRequests => "slow_requests",
        }
    }
}

/// A detector found something. Subject: the finding's id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Raised {
    /// What sort of thing.
    pub kind: Kind,
    /// The service that the telemetry is about, by the catalogue's name where known.
    pub service: String,
    /// In plain words.
    pub title: String,
    /// When it began, by the telemetry's own time.
    pub at: Time,
    /// How far the telemetry was looked at.
    pub until: Time,
    /// The log template, for the kinds that are about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Template>,
    /// The metric's name, with the labels that tell it from others, for a shift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// What was asked, for the kinds that are about requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestWork>,
    /// Level before: a metric's median, a template's lines a minute, the share of requests that failed, or the
    /// milliseconds that they took.
    pub before: f64,
    /// Level after, in the same unit.
    pub after: f64,
    /// Lines or samples that it rests on.
    pub count: u64,
    /// How sure, in thousandths: 500 is the least that is raised.
    pub score: i32,
    /// The worst severity among the lines; absent for a metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<LogLevel>,
    /// The incident whose onset made us look, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// The version of the detector.
    pub detector: u32,
}

/// An operation that spans are about.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct RequestWork {
    /// The name of its spans.
    pub operation: String,
    /// The service whose view it is, where the service itself sends no spans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
}

/// Spans around an incident showed who calls whom. Subject: the incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallsSeen {
    /// From when spans were looked at, by their own time.
    pub from: Time,
    /// Until when.
    pub to: Time,
    /// The calls that no earlier event of this incident names, the most frequent first.
    pub calls: Vec<SeenCall>,
}

/// A service that calls another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct SeenCall {
    /// The service that calls, by the catalogue's name where known.
    pub caller: String,
    /// The service that is called, likewise.
    pub callee: String,
    /// Spans that show it.
    pub count: u64,
}

/// A log template: what is constant in lines that one statement of a program wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Template {
    /// A hash of service and first text; stays the same while the text is generalised.
    pub id: String,
    /// Rises when the text is generalised.
    pub version: u32,
    /// The text with `<*>` for what varies, redacted.
    pub text: String,
    /// One line, redacted.
    pub sample: String,
}

/// The telemetry around an incident was kept from expiring. Subject: the incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pinned {
    /// From when, by the telemetry's own time.
    pub from: Time,
    /// Until when.
    pub to: Time,
    /// SHA-256 of each kept block, in hexadecimal, oldest first.
    pub hashes: Vec<String>,
    /// Log lines and samples in them.
    pub records: u64,
    /// Their bytes, compressed.
    pub bytes: u64,
    /// Records of the window that had expired already, or did not fit.
    pub missing: u64,
}
