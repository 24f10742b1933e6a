//! What came of a test of a receiver of notifications.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A test message to one receiver, which nothing but the receiver keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiverTest {
    /// The receiver's name in the settings.
    pub receiver: String,
    /// Whether it took the message.
    pub taken: bool,
    /// What it answered, in short; absent where it did not take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// What is wrong: `unavailable`, `credential`, `rate_limit` or `refused`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// What came of it, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
