//! What can happen to an incident. Scores are integers in thousandths, so that they are the same everywhere.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{EventId, Fingerprint, IncidentId};
use crate::severity::Severity;
use crate::time::Time;
use crate::words::{GroupingRule, LineageKind, ResolvedBy, UserVerdict};

/// Why an alert went where it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Grouping {
    /// The rule that decided.
    pub rule: GroupingRule,
    /// The version of the weights.
    pub weights: u32,
    /// How well it fits the chosen incident, in thousandths of a probability.
    pub score: i32,
    /// The score that was needed, in thousandths.
    pub threshold: i32,
    /// What the score is made of, in thousandths of log-odds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<String, i32>,
    /// The member that it is most like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<Fingerprint>,
    /// Incidents that it was kept out of, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub considered: Vec<Considered>,
}

/// An incident that was considered and not chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Considered {
    /// The open incident that the alert was compared with.
    pub incident: IncidentId,
    /// How well it would have fitted, in thousandths.
    pub score: i32,
    /// What spoke against it, in plain words.
    pub why: String,
}

/// It began with an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Opened {
    /// In plain words.
    pub title: String,
    /// The first alert.
    pub fingerprint: Fingerprint,
    /// The first alert's severity.
    pub severity: Severity,
    /// The first alert's service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The team that answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The earliest symptom.
    pub started_at: Time,
    /// Why it stands alone.
    pub grouping: Grouping,
    /// The earlier incident with the same alerts, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence_of: Option<IncidentId>,
}

/// A person declared it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Declared {
    /// In plain words.
    pub title: String,
    /// As the person says.
    pub severity: Severity,
    /// As the person says.
    #[serde(default)]
    pub services: Vec<String>,
    /// More words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it began.
    pub started_at: Time,
}

/// An alert was grouped with an open incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertJoined {
    /// The fingerprint of the alert that joined.
    pub fingerprint: Fingerprint,
    /// Severity of the alert.
    pub severity: Severity,
    /// Service of the alert; absent when no label names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The team that answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// When it began.
    pub starts_at: Time,
    /// Why it belongs here; absent where it was a member before and changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grouping: Option<Grouping>,
    /// The incident's title from now on: an alert that is worse than all before says what the incident is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// Somebody takes care.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Acknowledged {}

/// Nobody takes care any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unacknowledged {}

/// It is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Resolved {
    /// What ended it.
    pub by: ResolvedBy,
    /// The cause in the person's words; absent when none was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
}

/// It is back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reopened {
    /// How often by now.
    pub count: u64,
    /// The alert that fired again; absent where a person reopened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
    /// That alert's severity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Whether it is worse than it ever was, so that it pages again.
    pub worse: bool,
    /// Whether the acknowledgement of before its end stays: it was over for a moment only, as where one delivery ends
    /// one instance of an alert and begins another.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps_acknowledgement: bool,
}

/// What the alerts of two sides say together of whether these are one problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinkEvidence {
    /// Mean over all pairs, in thousandths of log-odds.
    pub mean: i32,
    /// The mean from which on they are one.
    pub needed: i32,
    /// The pair that speaks most for one problem.
    pub best: LinkedPair,
    /// The pair that speaks most against it.
    pub worst: LinkedPair,
}

/// Two alerts and what they say together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinkedPair {
    /// An alert of the one side.
    pub one: Fingerprint,
    /// An alert of the other.
    pub other: Fingerprint,
    /// In thousandths, within the bounds that one pair may say.
    pub log_odds: i32,
}

/// Another incident became a part of this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Merged {
    /// The other incident.
    pub incident: IncidentId,
    /// The alerts that moved.
    pub fingerprints: Vec<Fingerprint>,
    /// Why, where the engine decided it and no person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<LinkEvidence>,
    /// The incident's title from now on, where the alerts of both say more than it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// Whether the incident is one with another, or two, was asked again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reviewed {
    /// The incidents that it was compared with and not merged with, in the order in which they were asked about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<ReviewedPair>,
}

/// An incident that another one was compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewedPair {
    /// The other incident.
    pub incident: IncidentId,
    /// What spoke for and against one problem.
    pub evidence: LinkEvidence,
}

/// Some alerts became an incident of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Split {
    /// The incident that was born.
    pub incident: IncidentId,
    /// Title of the new incident.
    pub title: String,
    /// The worst severity among its alerts.
    pub severity: Severity,
    /// The alerts that moved.
    pub fingerprints: Vec<Fingerprint>,
    /// Services of the alerts that were moved.
    pub services: Vec<String>,
    /// The services of those that stayed.
    pub services_left: Vec<String>,
    /// When the earliest of them began.
    pub started_at: Time,
    /// Whether one of them fires.
    pub firing: bool,
    /// Why, where the engine decided it and no person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<LinkEvidence>,
}

/// A merge or split was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Undone {
    /// The event that is undone.
    pub event: EventId,
    /// Whether that was a merge or a split.
    pub how: LineageKind,
    /// The other incident.
    pub other: IncidentId,
    /// The alerts that moved back: those that had not moved elsewhere since.
    pub fingerprints: Vec<Fingerprint>,
    /// The services of the subject afterwards.
    pub services: Vec<String>,
    /// Whether an alert of the other one fires.
    pub other_firing: bool,
}

/// It has another owner, or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Assigned {
    /// A person or a team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// A person wrote something down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Noted {
    /// The note, as plain text.
    pub text: String,
}

/// A person set the severity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SeveritySet {
    /// The new severity.
    pub severity: Severity,
}

/// Pages wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Snoozed {
    /// End of the pause.
    pub until: Time,
}

/// The snooze ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Awoken {}

/// A person said whether it helped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Feedback {
    /// The person's verdict, such as helpful or noise.
    pub verdict: UserVerdict,
    /// More words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}
