//! Slack over its Web API, and its socket mode for installations that no vendor can reach. An adapter of the chat
//! port: how a message gets there, and how deliveries come in; what they say is decided elsewhere.
//!
//! A token goes to the one address that is configured and to none that a delivery names, but for a response address
//! of the vendor's own. Redirects are not followed, replies are bounded, and nothing secret stands in an error.
//! After an attempt whose outcome is unknown the message is looked for by the key in its metadata, so that it does
//! not come twice.

mod api;
mod pace;
mod socket;
mod wire;

pub use api::{EVENTS, Options, SCOPES, Slack};
pub use socket::{Health, Socket};

use std::fmt;

/// A word that must not be shown. Its `Debug` form says only that it is there.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(word: String) -> Self {
        Self(word)
    }
}

impl From<&str> for Secret {
    fn from(word: &str) -> Self {
        Self(word.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// A setting that cannot be worked with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: expected {expected}, got {got}")]
pub struct Misconfigured {
    /// The setting that is missing or malformed.
    pub what: &'static str,
    /// What a good one looks like.
    pub expected: &'static str,
    /// What is there, without secrets.
    pub got: String,
}
