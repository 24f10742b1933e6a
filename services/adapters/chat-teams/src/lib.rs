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

use std::sync::Arc;

pub use authority::{AuthorityOptions, BotAuthority};
pub use connector::{Options, Teams};
pub use hosts::{HOSTS, Hosts};
pub use workflow::Workflow;

/// Tells the time in whole seconds since 1970 (UTC). Handed in, so that tests decide what time it is.
pub type UnixClock = Arc<dyn Fn() -> i64 + Send + Sync>;
