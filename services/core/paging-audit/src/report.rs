//! What an audit says. Owns the shape of a report; refuses to know how a violation was found.

use hindcast_domain::{Fingerprint, IncidentId, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A rule of the paging contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditRule {
    /// A stretch of firing was named in no message.
    ByName,
    /// The last message that a receiver took is false.
    LastWord,
    /// A message said what was not so.
    FalseState,
    /// An acknowledgement was lost, or what is new after it paged nobody.
    Acknowledgement,
    /// Many services fail and nobody was paged.
    Breadth,
}

impl AuditRule {
    /// Every rule, in the order in which the contract names them.
    pub const ALL: [Self; 5] = [Self::ByName, Self::LastWord, Self::FalseState, Self::Acknowledgement, Self::Breadth];

    /// Its name in a report and as a label of a metric.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ByName => "by_name",
            Self::LastWord => "last_word",
            Self::FalseState => "false_state",
            Self::Acknowledgement => "acknowledgement",
            Self::Breadth => "breadth",
        }
    }
}

/// One breach of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PagingViolation {
    /// The broken rule.
    pub rule: AuditRule,
    /// When it was broken: the end of the bound, or the time of the message.
    pub at: Time,
    /// The alert that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
    /// The incident that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// The receiver that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver: Option<String>,
    /// What is wrong, as a sentence.
    pub detail: String,
}

/// What an audit found between two times.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PageAuditReport {
    /// Stretches of firing at a paging severity, and rises to a higher one.
    pub episodes: u64,
    /// Of these, those that a delivered message names or counts.
    pub named: u64,
    /// Of these, those that a named suppression with an end holds, or held until they were over.
    pub suppressed: u64,
    /// Of these, those whose bound is not over yet, or that fell below a paging severity before it was.
    pub pending: u64,
    /// Messages that receivers took.
    pub deliveries: u64,
    /// Deliveries of before it was recorded what was taken: nothing is said about them.
    pub unrecorded: u64,
    /// Breaches, oldest first.
    pub violations: Vec<PagingViolation>,
}
