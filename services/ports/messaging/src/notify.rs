//! The notifier port: how people are told. An adapter sends one message; when, whether and how often is
//! decided elsewhere.
//!
//! The one contract of this crate: *`Ok` means that the receiver took it*. The key is the same for every
//! attempt of one notice, so that a receiver can drop what it has seen.

use std::time::Duration;

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
    /// Whether somebody tries the receiver, and nothing has happened.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
}

impl Notification {
    /// The key under which a vendor groups what it is told of one incident: the incident, or else the message itself.
    #[must_use]
    pub fn group(&self) -> &str {
        self.incident.as_deref().unwrap_or(&self.key)
    }

    /// Whether it says that its incident is over, so that a vendor may close what it opened for it.
    #[must_use]
    pub fn is_end(&self) -> bool {
        self.status == Some(Status::Resolved) || matches!(self.reason, Reason::Resolved | Reason::Merged)
    }

    /// Where the incident is in its life, in one word for people.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match (self.is_end(), self.reason, self.status) {
            (_, Reason::Merged, _) => "merged",
            (true, ..) => "resolved",
            (false, _, Some(Status::Acknowledged)) => "acknowledged",
            (false, Reason::Storm, _) => "storm",
            (false, Reason::Digest, _) => "digest",
            (false, ..) => self.severity.as_str(),
        }
    }

    /// One line that says what matters most: the state, the incident and the title.
    #[must_use]
    pub fn headline(&self) -> String {
        let test = if self.test { "[test] " } else { "" };
        let incident = self.incident.as_ref().map(|incident| format!("{incident} ")).unwrap_or_default();
        format!("{test}[{}] {incident}{}", self.state(), self.title)
    }
}

/// What is wrong with a receiver that did not take a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReceiverTrouble {
    /// It did not answer, or answered that it cannot work now.
    Unavailable,
    /// It refuses the credential: the token, the password, or an address that is a secret.
    Credential,
    /// It wants fewer messages.
    RateLimit,
    /// It refuses this very message.
    Refused,
}

impl ReceiverTrouble {
    /// Every trouble.
    pub const ALL: [Self; 4] = [Self::Unavailable, Self::Credential, Self::RateLimit, Self::Refused];

    /// The word for it in metrics and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Credential => "credential",
            Self::RateLimit => "rate_limit",
            Self::Refused => "refused",
        }
    }
}

/// Why a receiver did not take it. No text of it holds an address or a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It may work later.
    #[error("{detail}")]
    Again {
        /// What came of it, and what to do.
        detail: String,
        /// How long the receiver wants to be left alone, where it says so.
        after: Option<Duration>,
        /// What is wrong.
        trouble: ReceiverTrouble,
    },
    /// It will never work: the receiver refuses this very message.
    #[error("{0}")]
    Never(String),
}

impl Error {
    /// A receiver that did not answer, or cannot work now.
    #[must_use]
    pub fn again(detail: impl Into<String>) -> Self {
        Self::Again { detail: detail.into(), after: None, trouble: ReceiverTrouble::Unavailable }
    }

    /// What is wrong with the receiver.
    #[must_use]
    pub const fn trouble(&self) -> ReceiverTrouble {
        match self {
            Self::Again { trouble, .. } => *trouble,
            Self::Never(_) => ReceiverTrouble::Refused,
        }
    }

    /// How long the receiver wants to be left alone, where it says so.
    #[must_use]
    pub const fn after(&self) -> Option<Duration> {
        match self {
            Self::Again { after, .. } => *after,
            Self::Never(_) => None,
        }
    }
}

/// Tells people.
#[async_trait]
pub trait Notifier: Send + Sync + 'static {
    /// Sends one message and answers what the receiver said, in short.
    async fn send(&self, message: &Notification) -> Result<String, Error>;

    /// Whether the receiver keeps something of its own open until it is sent the end of it.
    fn keeps_open(&self) -> bool {
        false
    }
}
