//! The timeline of an incident, and why its alerts are one incident.

use hindcast_domain::Time;
use hindcast_domain::incident::Grouping;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One line of an incident's timeline, in plain words with its event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TimelineEntry {
    /// When it happened.
    pub time: Time,
    /// In plain words.
    pub text: String,
    /// The event's type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The person or component that caused the event.
    pub actor: String,
    /// Id of the event (`EVT-…`).
    pub event: String,
    /// Position of the event in the ledger.
    pub position: u64,
    /// What it is about: an incident, alert or notice.
    pub subject: String,
}

/// Why the alerts of an incident are grouped, and which alerts were not grouped with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Why {
    /// Id of the incident (`INC-…`).
    pub incident: String,
    /// Each member, in the order in which it joined.
    pub members: Vec<WhyMember>,
    /// Alerts that were compared with it and are in another incident.
    pub kept_out: Vec<WhyKeptOut>,
    /// The position that it shows.
    pub position: u64,
}

/// Why an alert is a member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WhyMember {
    /// The fingerprint of the member.
    pub fingerprint: String,
    /// Name of the alert.
    pub name: String,
    /// Service of the alert; absent when no label names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// How wrong the clock of its sender was when it began to fire, in plain words; absent where it was right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
    /// In plain words.
    pub text: String,
    /// The decision's reasons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grouping: Option<Grouping>,
    /// The event that decided it.
    pub event: String,
    /// Position of the event that grouped the alert.
    pub position: u64,
}

/// Why an alert is no member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WhyKeptOut {
    /// The fingerprint of the alert that was not grouped.
    pub fingerprint: String,
    /// Name of the alert.
    pub name: String,
    /// How well it would have fitted, 0 to 1.
    pub score: f64,
    /// What spoke against it.
    pub text: String,
    /// Where it went instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// The event that decided it.
    pub event: String,
    /// Position of the event that decided it.
    pub position: u64,
}
