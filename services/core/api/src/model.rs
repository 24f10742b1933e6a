//! What the routes answer.

mod operations;
mod receipt;
mod timeline;

use std::collections::BTreeMap;

use crate::words::EventKind;
use hindcast_domain::entity::Entity;
use hindcast_domain::words::{HoldReason, ResolvedBy, SilenceEnd};
use hindcast_domain::{Severity, Time, alert, incident, notice, silence};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use operations::{
    AlertCounts, BehindService, DamageFound, IncidentCounts, Parked, Readiness, Redecided, RedecidedOtherwise, Replay,
    ServicePosition, State, Verification,
};
pub use receipt::{Receipt, ReceiptStep};
pub use timeline::{TimelineEntry, Why, WhyKeptOut, WhyMember};

/// An incident: a group of alerts with one status, one severity and one history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Incident {
    /// `INC-…`; any unique prefix is accepted where an id is asked for.
    pub id: String,
    /// In plain words.
    pub title: String,
    /// Where it is in its life.
    pub status: incident::Status,
    /// How bad it is now.
    pub severity: Severity,
    /// The worst it ever was.
    pub peak_severity: Severity,
    /// What its alerts are about.
    pub services: Vec<String>,
    /// The teams that answer for them.
    pub teams: Vec<String>,
    /// Environment of the incident and of its alerts.
    pub environment: String,
    /// The owner: a person or a team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The earliest symptom.
    pub started_at: Time,
    /// Time at which the first alert opened the incident.
    pub opened_at: Time,
    /// When anything about it last changed.
    pub updated_at: Time,
    /// When somebody took care.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Time>,
    /// Who did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<String>,
    /// When it was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Time>,
    /// What ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_by: Option<ResolvedBy>,
    /// The cause that a person recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The resolution that a person recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// How many alerts it has.
    pub alerts: u64,
    /// How many of them fire now.
    pub firing: u64,
    /// How many messages about them came, repeats included.
    pub occurrences: u64,
    /// How often it came back.
    pub reopened: u64,
    /// The earlier incident of which it is a recurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recurrence_of: Option<String>,
    /// The incident that it became a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<String>,
    /// The incidents that became a part of it and were not taken back.
    pub merged_from: Vec<String>,
    /// The incident that it left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split_from: Option<String>,
    /// Until when its pages wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<Time>,
    /// The version of the weights that grouped it; 0 where a person declared it.
    pub weights: u32,
    /// Every version of the weights that put an alert into it.
    #[serde(default)]
    pub grouped_by: Vec<u32>,
    /// What the version that runs as a shadow would have done otherwise; absent in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<crate::learn::ShadowDifference>,
    /// Rises with each decision on it.
    pub revision: u64,
    /// Its web page.
    pub url: String,
}

/// An alert: one fingerprint, with its current status and history in numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Alert {
    /// Ours; any unique prefix is accepted where a fingerprint is asked for.
    pub fingerprint: String,
    /// The sender's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_fingerprint: Option<String>,
    /// The configured source's name.
    pub source: String,
    /// How far that source's clock is ahead of the server's, in seconds; negative: behind, or its messages take so long.
    /// Absent where it is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_ahead_s: Option<i64>,
    /// Who fires it and who ended it, where several senders speak of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub senders: Vec<AlertSender>,
    /// The rule's name.
    pub name: String,
    /// The service that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The thing that is broken; absent where the labels name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<Entity>,
    /// The exporter, prober or controller that observed it; absent where the program reports on itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_by: Option<String>,
    /// The rule that decided what the alert is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_rule: Option<String>,
    /// Environment that the alert belongs to.
    pub environment: String,
    /// Where it is in its life.
    pub status: alert::Status,
    /// How bad it says it is.
    pub severity: Severity,
    /// All labels.
    pub labels: BTreeMap<String, String>,
    /// All annotations.
    pub annotations: BTreeMap<String, String>,
    /// When it began.
    pub starts_at: Time,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Time>,
    /// When it was first received.
    pub first_seen_at: Time,
    /// When the sender last spoke of it.
    pub last_seen_at: Time,
    /// How many messages about it came.
    pub occurrences: u64,
    /// How many stretches of firing it had.
    pub fired: u64,
    /// The incident that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// What holds it back: a silence's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppressed_by: Option<String>,
    /// Until when at the latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppressed_until: Option<Time>,
    /// Until when it counts as flapping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flapping_until: Option<Time>,
    /// Where the sender shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Rises with each decision on it.
    pub revision: u64,
    /// The route of its receipt.
    pub receipt: String,
}

/// What one of several senders says of an alert. Replicas of one another are one sender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertSender {
    /// The configured source's name.
    pub name: String,
    /// Whether the alert fires there. The alert is over when it fires nowhere.
    pub status: alert::Status,
    /// When the sender's silence counts as an end there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_at: Option<Time>,
}

impl Alert {
    /// How wrong the clock of its source is, in words; `None` where it is right.
    #[must_use]
    pub fn clock_in_words(&self) -> Option<String> {
        self.clock_ahead_s.map(|seconds| clock_in_words(&self.source, seconds))
    }
}

/// How wrong the clock of a source is, in words: so many seconds ahead, or behind where negative.
#[must_use]
pub fn clock_in_words(source: &str, ahead_s: i64) -> String {
    let amount = match ahead_s.unsigned_abs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    };
    let side = if ahead_s > 0 { "ahead" } else { "behind, or its messages take so long" };
    format!("the clock of {source} is {amount} {side}")
}

/// One event of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// `commit × 4096 + index`.
    pub position: u64,
    /// A fact from outside, or a decision.
    pub kind: EventKind,
    /// What happened, such as `incident.opened`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Id of the event (`EVT-…`).
    pub id: String,
    /// The aggregate's id.
    pub subject: String,
    /// `now` of the decision, or when the fact was written.
    pub time: Time,
    /// When it was known: the greatest stamp of all commits up to it.
    pub recorded_at: Time,
    /// The aggregate's revision after the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// The person or component that caused the event.
    pub actor: String,
    /// The event that it follows from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<String>,
    /// Tenant of the event's partition.
    pub tenant: String,
    /// Its environment; `_` for what concerns the whole tenant.
    pub environment: String,
    /// Which subject of the ledger carries it.
    pub source: String,
    /// The payload of the event, by its type; see the schemas of events.
    pub data: Value,
}

/// A silence or maintenance window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Silence {
    /// `SIL-…`
    pub id: String,
    /// Where it is in its life.
    pub state: silence::SilenceState,
    /// What it says.
    #[serde(flatten)]
    pub terms: silence::Terms,
    /// Time at which the silence was created.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// How it ended: elapsed, expired or undone by a person, or replaced; absent before its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<SilenceEnd>,
    /// The event that created it: undo this one.
    pub event: String,
    /// Rises with each decision on it.
    pub revision: u64,
    /// Alerts that it holds and that fire, in lists; absent where they were not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<u64>,
    /// Whether it ever held an alert, in lists; absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<bool>,
}

/// A notification that was sent, delayed or suppressed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// `NTC-…`
    pub id: String,
    /// Where it is in its life.
    pub status: notice::Status,
    /// Whether it may wake somebody.
    pub page: bool,
    /// The change of the incident that asks for a notification.
    pub reason: notice::Reason,
    /// Name of the configured receiver; absent when the notice has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receiver: Option<String>,
    /// The incident that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// The alert that it is about, where it has no incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// In plain words.
    pub title: String,
    /// Why it is delayed or suppressed, or how that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<HoldReason>,
    /// The end of the delay, or of the delivery attempts.
    pub until: Time,
    /// When it was requested or delayed.
    pub at: Time,
    /// When a receiver took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Time>,
    /// Attempts so far.
    pub attempts: u32,
    /// The last error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The event that decided it.
    pub event: String,
    /// Position of the event that decided the notification.
    pub position: u64,
}

/// What a door of ours answers for what it took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Accepted {
    /// How many items were taken.
    pub accepted: u64,
    /// The position of the last of them.
    pub position: u64,
    /// The bad ones.
    #[serde(default)]
    pub rejected: Vec<hindcast_domain::event::RejectedItem>,
    /// Fields that no table mapped.
    #[serde(default)]
    pub unmapped: Vec<String>,
    /// Where each alert's receipt is.
    #[serde(default)]
    pub receipts: Vec<String>,
}

/// A change near an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Id of the event (`EVT-…`) that records the change.
    pub event: String,
    /// Position of that event in the ledger.
    pub position: u64,
    /// Environment that was changed.
    pub environment: String,
    /// What it says.
    #[serde(flatten)]
    pub change: hindcast_domain::event::Change,
}
