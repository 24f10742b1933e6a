//! How chat is: for each vendor whether it can be reached, what waits for it and for how long.

use crate::words::ChatMessageKind;
use hindcast_domain::Time;
use hindcast_domain::words::ChatVendor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One vendor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatStatus {
    /// The vendor of whose chat this is.
    pub vendor: ChatVendor,
    /// Whether the last attempt got through; true where there was none.
    pub reachable: bool,
    /// Whether this process reaches people: its installation is the active one, and of its processes it is the one
    /// that delivers.
    pub active: bool,
    /// Messages and changes of cards that wait.
    pub queued: u64,
    /// The age of the oldest of them, in seconds.
    pub oldest_s: u64,
    /// Attempts that failed one after another.
    pub failures: u32,
    /// Last error of a delivery; absent when there was none since the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Time of the last error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error_at: Option<Time>,
    /// Cards that stand at the vendor's.
    pub cards: u64,
    /// Cards that the vendor knows no more: they are not shown again.
    pub gone: u64,
    /// The first of what waits, with where to read it meanwhile.
    pub waiting: Vec<ChatWaiting>,
}

/// A message that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatWaiting {
    /// `MSG-…`
    pub message: String,
    /// What kind of message it is.
    pub what: ChatMessageKind,
    /// The channel or conversation.
    pub channel: String,
    /// Time since which the message waits.
    pub since: Time,
    /// Attempts that stand in the ledger.
    pub attempts: u32,
    /// The last error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The incident's web page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// All vendors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Chats {
    /// Whether chat is set up in this process; elsewhere another one delivers, and knows how it is.
    pub set_up: bool,
    /// Whether all that stood in the ledger when this process began was read; until then nothing is counted.
    pub caught_up: bool,
    /// By vendor.
    pub items: Vec<ChatStatus>,
}
