//! The rhythm of senders, as `GET /api/v1/heartbeats` answers it.

use hindcast_domain::{Fingerprint, IncidentId, Time, vocabulary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

vocabulary! {
    /// What the rhythm of a sender says of it.
    pub enum HeartbeatStatus: open {
        /// It repeats what fires at an interval that is known.
        Regular = "regular",
        /// It has a rhythm, and nothing of it fires, so that its silence means nothing.
        Idle = "idle",
        /// It has no rhythm, so that its silence means nothing.
        Irregular = "irregular",
        /// It has a rhythm, and is silent for too long.
        Silent = "silent",
    }
}

/// A sender, or one watchdog alert of a sender, and its rhythm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SenderHeartbeat {
    /// The configured source's name.
    pub source: String,
    /// The name of the watchdog alert, where the rhythm is one's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watchdog: Option<String>,
    /// The fingerprint of the watchdog alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
    /// The environment that it sends alerts of.
    pub environment: String,
    /// What is known of it.
    pub status: HeartbeatStatus,
    /// The interval at which it repeats what fires, in seconds; absent without a rhythm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_s: Option<u64>,
    /// Messages that the interval was learnt from, at most the newest 48.
    pub samples: usize,
    /// Its alerts that fire by its last word.
    pub firing: usize,
    /// When its last message arrived.
    pub last_heard_at: Time,
    /// When its silence opens an incident; absent while it owes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_at: Option<Time>,
    /// The incident about its silence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
}
