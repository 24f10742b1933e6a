//! Teams over the Bot Framework: its connector, a workflow's webhook, and every check of the tokens that the
//! connector sends.
//!
//! The one contract of this crate: *our token goes to hosts of the allow-list alone, and nothing of a delivery
//! is believed whose token does not pass every check*. No check can be switched off. What a card looks like
//! and what a delivery means is decided elsewhere.
//!
//! Where to look: [`BotAuthority`] checks what comes in, [`Teams`] brings out, [`Workflow`] brings notices to a
//! webhook. `hosts` says whom we speak to, `keys` keeps the vendor's keys, `token` ours, `wire` bounds replies
//! and turns refusals into errors with a remedy.

mod activity;
mod authority;
mod connector;
mod hosts;
mod keys;
mod token;
mod wire;
mod workflow;

use std::fmt;
use std::sync::Arc;

pub use authority::{AuthorityOptions, BotAuthority};
pub use connector::{Options, Teams};
pub use hosts::{HOSTS, Hosts};
pub use workflow::Workflow;

/// Tells the time in whole seconds since 1970 (UTC). Handed in, so that tests decide what time it is.
pub type UnixClock = Arc<dyn Fn() -> i64 + Send + Sync>;

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
