//! What the routes answer.

use std::collections::BTreeMap;

use crate::words::{EventKind, PageAccount, ReceiptStage};
use hindcast_domain::incident::Grouping;
use hindcast_domain::words::{HoldReason, ParkedStatus, ResolvedBy, SilenceEnd};
use hindcast_domain::{Severity, Time, alert, incident, notice, silence};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    /// The rule's name.
    pub name: String,
    /// The service that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
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
    /// The payload.
    pub data: Value,
}

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
    /// The alert.
    pub fingerprint: String,
    /// Name of the alert.
    pub name: String,
    /// Service of the alert; absent when no label names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
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
    /// The alert.
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

/// An alert's whole way from the socket to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Receipt {
    /// The current alert.
    pub alert: Alert,
    /// Each step, oldest first.
    pub steps: Vec<ReceiptStep>,
    /// What accounts for an alert that fires at a paging severity; `not_required` for every other one.
    pub accounted: PageAccount,
    /// Until when, where it is suppressed or held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Steps that were left out in the middle because there are too many.
    pub omitted: u64,
    /// The position that it shows.
    pub position: u64,
}

/// One step of an alert's history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiptStep {
    /// Time of the step.
    pub time: Time,
    /// What happened to it.
    pub stage: ReceiptStage,
    /// In plain words.
    pub text: String,
    /// Id of the event (`EVT-…`) that records the step.
    pub event: String,
    /// Position of that event in the ledger.
    pub position: u64,
    /// What a machine wants to know.
    #[serde(skip_serializing_if = "Value::is_null", default)]
    pub detail: Value,
}

impl ReceiptStep {
    /// The stage as people read it.
    #[must_use]
    pub fn stage_in_words(&self) -> &str {
        match self.stage.as_str() {
            "kept_out" => "not grouped",
            "held" => "delayed",
            "released" => "delay ended",
            "settled" => "not flapping",
            "asked" => "requested",
            "stale" => "no longer sent",
            "expired" => "not delivered",
            other => other,
        }
    }
}

/// A silence or maintenance window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Silence {
    /// `SIL-…`
    pub id: String,
    /// Where it is in its life.
    pub state: silence::State,
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

/// A dead letter: an item that was accepted and could not be processed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Parked {
    /// The `intake.parked` event's id.
    pub id: String,
    /// What became of it.
    pub status: ParkedStatus,
    /// Name of the source that sent the item.
    pub source: String,
    /// Format in which the item was received, such as `alertmanager`.
    pub format: String,
    /// A stable code.
    pub code: String,
    /// What was expected and what came.
    pub detail: String,
    /// What to do.
    pub remedy: String,
    /// Time at which the item became a dead letter.
    pub at: Time,
    /// The item, redacted.
    pub payload: Value,
    /// Position of the event that records it.
    pub position: u64,
}

/// The state as of a position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct State {
    /// The ledger's head, or `as_of`.
    pub position: u64,
    /// Whether every service has consumed all up to it and nothing that follows is outstanding.
    pub settled: bool,
    /// Whether a later commit may still fall under the time that was asked for.
    pub provisional: bool,
    /// `fold version : SHA-256`.
    pub state_hash: String,
    /// How many incidents there are.
    pub incidents: IncidentCounts,
    /// How many alerts there are.
    pub alerts: AlertCounts,
    /// Dead letters that are not retried or discarded.
    pub parked: u64,
    /// The current versions: `fold`, `weights`, `catalog`, …
    pub versions: BTreeMap<String, String>,
    /// The ledger's identity.
    pub ledger: String,
    /// How far each service is, and when its next timer is due.
    #[serde(default)]
    pub services: BTreeMap<String, ServicePosition>,
}

/// Incidents by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentCounts {
    /// Not acknowledged.
    pub open: u64,
    /// Somebody does.
    pub acknowledged: u64,
    /// Over.
    pub resolved: u64,
}

/// Alerts by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertCounts {
    /// Wrong now.
    pub firing: u64,
    /// Over.
    pub resolved: u64,
    /// The sender fell silent.
    pub stale: u64,
    /// Suppressed, of the firing ones.
    pub suppressed: u64,
}

/// How far a service is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServicePosition {
    /// The position through which it has processed all.
    pub position: u64,
    /// When its next timer is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Time>,
}

/// What a replay found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Replay {
    /// Whether the fresh fold equals the live state.
    pub identical: bool,
    /// The fresh fold's hash.
    pub replayed_hash: String,
    /// The live state's hash at the same position.
    pub live_hash: String,
    /// Position up to which the state was rebuilt.
    pub position: u64,
    /// How many events were folded.
    pub events: u64,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// What a walk of the chains found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verification {
    /// Whether nothing is wrong.
    pub intact: bool,
    /// Commits walked.
    pub commits: u64,
    /// Events walked.
    pub events: u64,
    /// The head's position.
    pub position: u64,
    /// What is wrong.
    pub damage: Vec<DamageFound>,
    /// What this walk cannot find.
    pub bound: String,
}

/// One thing that is wrong with the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DamageFound {
    /// Position of the damaged commit.
    pub position: u64,
    /// Subject of the damaged commit.
    pub subject: String,
    /// The check that failed.
    pub detail: String,
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
