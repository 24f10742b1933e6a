//! What a claim asserts, typed: what happened, with which values in which roles, by whose word. Owns the vocabulary
//! and its form in JSON; the sentence that it makes is in [`render`]. Whether it is true is the verifier's business.

mod render;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use render::{render, sentence};

/// What is asserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssertionKind {
    /// An alert began to fire.
    AlertFired,
    /// A sender's alert reached us.
    AlertReceived,
    /// A sender ended its alert.
    AlertResolved,
    /// A silence or a maintenance window holds its notifications.
    AlertSuppressed,
    /// An incident was opened by an alert.
    IncidentOpened,
    /// A person declared an incident.
    IncidentDeclared,
    /// A person acknowledged an incident.
    IncidentAcknowledged,
    /// A person withdrew an acknowledgement.
    IncidentUnacknowledged,
    /// It is over: by a person, or because all its alerts are.
    IncidentResolved,
    /// It is not over after all.
    IncidentReopened,
    /// Another incident became a part of this one.
    IncidentMerged,
    /// Some alerts became an incident of their own.
    IncidentSplit,
    /// Somebody or a team has it.
    IncidentAssigned,
    /// No reminders until a time.
    IncidentSnoozed,
    /// A person set an incident's severity.
    IncidentSeveritySet,
    /// From opening to resolution.
    IncidentLasted,
    /// An incident's id goes back to an earlier one.
    IncidentRecurred,
    /// An alert was grouped with an incident.
    AlertJoined,
    /// A deploy, flag or configuration change was recorded.
    Change,
    /// A metric went from one level to another.
    MetricMoved,
    /// A log line appeared that was not there before.
    LogLine,
    /// A log line came more often.
    LogBurst,
    /// A service wrote a log line, new or not.
    LogWritten,
    /// An alert or a finding is recorded of a service.
    Sign,
    /// A service belongs to a team.
    Owned,
    /// A page was sent to a receiver.
    Page,
    /// So many of the cited things are there.
    Count,
    /// The first of two came before the second, by a length of time if one is named.
    Order,
    /// A sentence of ours that has no kind of its own yet: its numbers, times, names and quotations are checked.
    Statement,
    /// Somebody says, in these words.
    Said,
    /// One service depends on another one.
    Depends,
    /// A cause, at its rank.
    Cause,
    /// A sentence of the ranking's reasons, as it was concluded.
    Reason,
    /// A service that an incident affects.
    Affected,
    /// An earlier incident is the same problem.
    SameProblem,
    /// An earlier incident has similar symptoms and another cause.
    LooksLike,
    /// Nothing of a kind is recorded of an incident.
    NotRecorded,
}

impl AssertionKind {
    /// Whether it is about an incident's own life: when it began and ended, and what people did with it.
    #[must_use]
    pub const fn is_of_incident(self) -> bool {
        matches!(
            self,
            Self::IncidentOpened
                | Self::IncidentDeclared
                | Self::IncidentAcknowledged
                | Self::IncidentUnacknowledged
                | Self::IncidentResolved
                | Self::IncidentReopened
                | Self::IncidentMerged
                | Self::IncidentSplit
                | Self::IncidentAssigned
                | Self::IncidentSnoozed
                | Self::IncidentSeveritySet
                | Self::IncidentLasted
                | Self::IncidentRecurred
        )
    }
}

/// By whose word it is so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssertionSource {
    /// Recorded by us.
    #[default]
    Observed,
    /// A sender's own words.
    Sender,
    /// A person's own words.
    Person,
    /// Concluded by us: ranked, compared, counted.
    Concluded,
}

/// What a value is to what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssertionRole {
    /// The service that it is about.
    Service,
    /// The name of the alert.
    Alert,
    /// The id of the incident.
    Incident,
    /// The id of another incident.
    Other,
    /// The id or position of the event itself.
    Event,
    /// `critical`, `high`, `medium`, `low` or `info`.
    Severity,
    /// When it happened.
    Time,
    /// The end of a stretch of time.
    Until,
    /// How long before now.
    Ago,
    /// How long it took.
    Length,
    /// Who did it.
    Person,
    /// To whom it was assigned.
    To,
    /// Who was paged.
    Receiver,
    /// The sort of the change: `deploy`, `flag`, `config`.
    Change,
    /// The version that a change brought.
    Version,
    /// The name of the metric.
    Metric,
    /// The level before, with its unit.
    Before,
    /// The level after, with its unit.
    After,
    /// `up` or `down`.
    Direction,
    /// How often.
    Count,
    /// Which time it was that it fired.
    Occurrence,
    /// What is counted.
    Noun,
    /// The score of a comparison.
    Score,
    /// The level of a log line.
    Level,
    /// Words as they were written or said.
    Quote,
    /// A place in a ranking, from 1.
    Rank,
    /// The service on which another one depends.
    On,
}

/// What a claim asserts. Values are as people write them, with their units: a value says no more than it writes, so
/// that `38 %` is true of 0.3811 and `03:11` of 03:11:34.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Assertion {
    /// What is asserted.
    pub kind: AssertionKind,
    /// True where it is said not to be so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub denied: bool,
    /// By whose word it is so.
    #[serde(default)]
    pub source: AssertionSource,
    /// The values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<AssertionRole, String>,
    /// Of an order: the first and the second.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Assertion>,
}

impl Assertion {
    /// A sentence of ours that has no kind of its own yet.
    #[must_use]
    pub fn statement(text: &str) -> Self {
        Self::new(AssertionKind::Statement).with(AssertionRole::Quote, text).by(AssertionSource::Concluded)
    }

    /// Something that happened, by our own record.
    #[must_use]
    pub const fn new(kind: AssertionKind) -> Self {
        Self { kind, denied: false, source: AssertionSource::Observed, roles: BTreeMap::new(), parts: Vec::new() }
    }

    /// The same with a value; an empty one is none.
    #[must_use]
    pub fn with(mut self, role: AssertionRole, value: impl Into<String>) -> Self {
        let value = value.into();
        if !value.trim().is_empty() {
            self.roles.insert(role, value);
        }
        self
    }

    /// The same with a value, where there is one.
    #[must_use]
    pub fn with_some(self, role: AssertionRole, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(role, value),
            None => self,
        }
    }

    /// The same by another's word.
    #[must_use]
    pub const fn by(mut self, source: AssertionSource) -> Self {
        self.source = source;
        self
    }

    /// The value of a role.
    #[must_use]
    pub fn role(&self, role: AssertionRole) -> Option<&str> {
        self.roles.get(&role).map(String::as_str)
    }
}
