//! Where an incident is in its life, as its state, a message and the API say it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where an incident is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody takes care yet.
    Open,
    /// Somebody does.
    Acknowledged,
    /// It is over.
    Resolved,
}
