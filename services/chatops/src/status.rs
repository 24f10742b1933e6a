//! How chat is: for each vendor whether it can be reached, what waits for it and for how long. Owns the shape and
//! the route; refuses to know how it is found.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use hindcast_domain::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Messages that wait and are shown.
pub(crate) const WAITING_MAX: usize = 20;

/// One vendor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatStatus {
    /// `slack` or `teams`.
    pub vendor: String,
    /// Whether the last attempt got through; true where there was none.
    pub reachable: bool,
    /// Whether this installation may reach people.
    pub active: bool,
    /// Messages and changes of cards that wait.
    pub queued: u64,
    /// The age of the oldest of them, in seconds.
    pub oldest_s: u64,
    /// Attempts that failed one after another.
    pub failures: u32,
    /// The last error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error_at: Option<Time>,
    /// Cards that stand at the vendor's.
    pub cards: u64,
    /// Cards that the vendor knows no more: they are not shown again.
    pub gone: u64,
    /// The first of what waits, with where to read it meanwhile.
    pub waiting: Vec<Waiting>,
}

/// A message that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Waiting {
    /// `MSG-…`
    pub message: String,
    /// `card`, `note` or `answer`.
    pub what: String,
    /// The channel or conversation.
    pub channel: String,
    /// Since when.
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
    /// Whether all that stood in the ledger when this process began was read; until then nothing is counted.
    pub caught_up: bool,
    /// By vendor.
    pub items: Vec<ChatStatus>,
}

/// Where the deliverer says how it is. Cheap to clone; all clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Handle {
    inner: Arc<Mutex<Chats>>,
}

impl Handle {
    /// How it is.
    #[must_use]
    pub fn status(&self) -> Chats {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn tell(&self, chats: Chats) {
        *self.inner.lock().unwrap_or_else(PoisonError::into_inner) = chats;
    }
}

/// The route `GET /api/v1/chat`. It is behind no guard of its own: whoever merges it puts it behind theirs.
pub fn router(handle: Handle) -> Router {
    let show = |State(handle): State<Handle>| async move { Json(handle.status()) };
    Router::new().route("/api/v1/chat", get(show)).with_state(handle)
}
