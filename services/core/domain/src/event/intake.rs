//! What arrives at the door: deliveries, changes, and what was parked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::EventId;
use crate::time::Time;
use crate::words::{AuthScheme, ChangeKind, ItemFault, ParkedStatus};

/// A request as it was taken in. Its alerts follow as events of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    /// The configured source's name.
    pub source: String,
    /// The format's name in the table of formats.
    pub format: String,
    /// How the sender was recognised.
    pub verified: Verdict,
    /// Version of the redaction rules that ran.
    pub redaction: u32,
    /// How many values were redacted.
    pub redacted: u32,
    /// Version of the normalisation table.
    pub normaliser: u32,
    /// Alerts or changes taken from it.
    pub taken: u32,
    /// Items that were bad, by their index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<RejectedItem>,
    /// Fields that no table mapped, as JSON pointers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmapped: Vec<String>,
    /// Alerts that the sender says it left out, if it says so.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub truncated: u64,
    /// What the request says besides its items, redacted.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub envelope: serde_json::Value,
}

/// The door opened. What was silent while it was shut is not stale for that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DoorOpened {
    /// The version of the binary that opened it.
    pub version: String,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the form that serde asks for
const fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// How a sender was recognised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The authentication scheme.
    pub scheme: AuthScheme,
    /// Which key, never the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
}

/// One bad item of a request that had good ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RejectedItem {
    /// Its index in the request, from 0.
    pub index: u32,
    /// What is wrong, as a stable code.
    pub code: ItemFault,
    /// What was expected and what came.
    pub detail: String,
    /// What to do.
    pub remedy: String,
}

/// A deploy, flag or configuration change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The configured source's name.
    pub source: String,
    /// What kind of change.
    pub kind: ChangeKind,
    /// In plain words.
    pub title: String,
    /// What was changed, by its name in the catalogue where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The version that it went to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `started`, `succeeded`, `failed` or whatever the sender says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// When it happened, as the sender says; as received where it does not.
    pub at: Time,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The sender's own id, by which a resend is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
}

/// Something that was accepted and could not be handled, kept to be looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Parked {
    /// The configured source's name.
    pub source: String,
    /// The format's name.
    pub format: String,
    /// Where in its request it stood.
    pub item: RejectedItem,
    /// The item, redacted.
    pub payload: serde_json::Value,
}

/// What became of a parked item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unparked {
    /// The `intake.parked` event.
    pub parked: EventId,
    /// Whether it was retried or discarded.
    pub how: ParkedStatus,
}
