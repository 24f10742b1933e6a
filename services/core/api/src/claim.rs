//! What an answer says, sentence by sentence: the text, what it asserts, the events that it rests on, and the verdict.

use hindcast_domain::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::assertion::Assertion;

/// An event that is cited as evidence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Citation {
    /// The event's id.
    pub event: String,
    /// Position of the cited event in the ledger.
    pub position: u64,
}

/// What the verifier says of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClaimVerdict {
    /// Its events exist, could be seen, and say all of it.
    Supported,
    /// The evidence contradicts it. Such a claim is removed from the answer.
    Unsupported,
    /// Not checked: something in it is nothing that an event could say. It is shown so.
    Unverifiable,
}

/// One thing that an answer says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Claim {
    /// In plain words.
    pub text: String,
    /// What it asserts, typed; its text is then made from it. Absent of a text that somebody wrote freely.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assertion: Option<Assertion>,
    /// The events that it rests on.
    pub citations: Vec<Citation>,
    /// What the verifier says of it.
    pub verdict: ClaimVerdict,
    /// What the verifier missed or found to differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The steps, where it claims that one thing led to another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<PathStep>,
}

/// What a step of a cause's path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepRole {
    /// The root cause.
    Broke,
    /// What that did.
    Then,
    /// What rang the bell.
    Alarmed,
}

/// One step of a cause's path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PathStep {
    /// What it is in the path.
    pub role: StepRole,
    /// Time of the sign that the step is read from.
    pub time: Time,
    /// Name of the service, as the catalogue spells it.
    pub service: String,
    /// In plain words.
    pub text: String,
    /// The events that say so.
    pub citations: Vec<Citation>,
}
