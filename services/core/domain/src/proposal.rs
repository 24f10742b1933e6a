//! What is proposed to be done. A proposal runs nothing: it names a runbook, its parameters and its reasons.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{EventId, IncidentId};

/// A runbook was proposed. Subject: the proposal's id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Made {
    /// The incident that the runbook is proposed for.
    pub incident: IncidentId,
    /// The runbook's name.
    pub runbook: String,
    /// The first digits of a hash over the runbook's content.
    pub version: String,
    /// Its parameters, checked against types and bounds.
    pub params: BTreeMap<String, Value>,
    /// Where the value of each parameter comes from.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<String, ParameterSource>,
    /// What it would touch.
    pub targets: Vec<String>,
    /// The events that speak for it.
    pub evidence: Vec<EventId>,
    /// What should be seen afterwards.
    pub effect: String,
    /// `low`, `medium` or `high`, with what can go wrong.
    pub risk: String,
    /// `rules`, or the model that named it.
    pub by: String,
}

/// Something was proposed that may not be. Subject: the proposal's id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rejected {
    /// The incident that the proposal was for; absent when it named none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// The runbook that was named.
    pub runbook: String,
    /// The parameters that were named.
    pub params: Value,
    /// What is wrong with it.
    pub reason: String,
    /// `rules`, or the model that named it.
    pub by: String,
}

/// Where the value of a parameter comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParameterSource {
    /// `default`, `given` by whoever proposed it, or the place in the evidence, such as `alert.label.mountpoint`.
    pub from: String,
    /// The event that says so; absent for a default, and for what was given and no event says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventId>,
}
