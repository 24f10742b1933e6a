//! What is known of an incident as of a position.

use hindcast_api::{Alert, Change, Citation, Finding, Incident, TimelineEntry};
use hindcast_domain::Time;
use serde::{Deserialize, Serialize};

/// Everything that a conclusion may rest on. Whoever gathers it has left out what was recorded later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The incident.
    pub incident: Incident,
    /// Its alerts, by when they began.
    pub symptoms: Vec<Symptom>,
    /// Changes of its environment within the hours before it and while it lasted, newest first.
    pub changes: Vec<Change>,
    /// Findings of its environment from a quarter of an hour before it until its end, by when they began.
    pub findings: Vec<Finding>,
    /// Its timeline, oldest first; cut at the limit.
    pub timeline: Vec<TimelineEntry>,
    /// Services whose telemetry or alerts were seen at all by then: what is silent among them is unharmed.
    pub watched: Vec<String>,
    /// The position: nothing later is in it.
    pub position: u64,
    /// When that position was recorded.
    pub now: Time,
}

/// An alert of the incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Symptom {
    /// The alert as it stands.
    pub alert: Alert,
    /// The event by which it began to fire in this incident: `alert.fired`.
    pub fired: Citation,
    /// The event by which it became a member: `incident.opened` or `incident.alert_joined`.
    pub joined: Option<Citation>,
}

impl Evidence {
    /// The earliest sign: of alerts and incident.
    #[must_use]
    pub fn onset(&self) -> Time {
        let first = self.symptoms.iter().map(|symptom| symptom.alert.starts_at).min();
        first.map_or(self.incident.started_at, |first| first.min(self.incident.started_at))
    }
}
