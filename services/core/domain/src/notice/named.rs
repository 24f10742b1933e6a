//! What a message says of alerts and of its incident: the part that an audit and a receiver's own program read. Owns
//! its shape; refuses to know why a message is sent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Reason;
use crate::alert::Signal;
use crate::entity::Entity;
use crate::id::{Fingerprint, IncidentId};
use crate::incident::Status;
use crate::severity::Severity;
use crate::time::Time;

/// An alert that a message names, or several of one kind that it counts under the name of one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NamedAlert {
    /// The alert, or one of those that are counted.
    pub fingerprint: Fingerprint,
    /// The rule's name: the kind of what is counted.
    pub name: String,
    /// Whether it fires or is over, as read when the message was made.
    pub status: Signal,
    /// What it is about; absent where the labels name nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<Entity>,
    /// The service that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// How bad it says it is.
    pub severity: Severity,
    /// When it began, as its sender says.
    pub since: Time,
    /// The incident that it belongs to, where the message is about several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// How many alerts of this kind are counted here; absent where it is this one alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Where its sender shows it, by what it is: `dashboard`, `panel`, `image`, `silence`, `runbook`, `source`.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub links: std::collections::BTreeMap<String, String>,
}

/// A message as a receiver took it. It is recorded with the delivery, so that what people were told can be compared
/// with what was true without asking whoever decided to tell them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveredMessage {
    /// Name of the receiver in the settings.
    pub receiver: String,
    /// The incident that it is about; absent where it is about several, or about none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// The incidents that it tells of, where it tells of several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incidents: Vec<IncidentId>,
    /// Why it was sent.
    pub reason: Reason,
    /// Whether it may wake somebody.
    pub page: bool,
    /// How bad it says that it is.
    pub severity: Severity,
    /// Where the incident was in its life when the message was made; absent in a message about none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// The alerts that it names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<NamedAlert>,
    /// When it was made, from the state of that time.
    pub at: Time,
}
