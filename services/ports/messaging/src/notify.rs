//! The notifier port: how people are told. An adapter sends one message; when, whether and how often is
//! decided elsewhere.
//!
//! The one contract of this crate: *`Ok` means that the receiver took it*. The key is the same for every
//! attempt of one notice, so that a receiver can drop what it has seen.

use async_trait::async_trait;
use hindcast_domain::incident::Status;
use hindcast_domain::notice::{NamedAlert, Reason};
use hindcast_domain::{Severity, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What people are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notification {
    /// The same for every attempt: the requesting event's id.
    pub key: String,
    /// Id of the notice (`NTC-…`).
    pub notice: String,
    /// The incident, and its web page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// The incident's web page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The change of the incident that asks for a notification.
    pub reason: Reason,
    /// Whether it may wake somebody.
    pub page: bool,
    /// How bad it is.
    pub severity: Severity,
    /// In plain words.
    pub title: String,
    /// More words, a line each.
    pub lines: Vec<String>,
    /// Where the incident was in its life when the message was made; absent in a message about none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// The alerts that this message names.
    pub alerts: Vec<NamedAlert>,
    /// When it was asked for.
    pub at: Time,
    /// The position of the request: everything up to it was known.
    pub position: u64,
}

/// Why a receiver did not take it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It may work later.
    #[error("{0}")]
    Again(String),
    /// It will never work: the receiver refuses this very message.
    #[error("{0}")]
    Never(String),
}

/// Tells people.
#[async_trait]
pub trait Notifier: Send + Sync + 'static {
    /// Sends one message and answers what the receiver said, in short.
    async fn send(&self, message: &Notification) -> Result<String, Error>;
}
