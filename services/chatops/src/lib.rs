//! Chat: incidents in Slack and Teams, and what people do there.
//!
//! The one contract of this crate: *one card per incident and channel, and each delivery of a vendor has one
//! effect*. A signature is checked before anything is parsed, what a person did is durable before the vendor
//! is answered, and the rest is done afterwards. Paging never waits for any of it.
//!
//! [`decide`] is pure (the lane of chat); [`deliver`] is the only part that reaches people, and only where this
//! installation is the active one; [`doors`] is the only part that vendors reach. [`rules`] says which channels
//! see what and who may do what, [`status`] how it all is.

#![allow(clippy::result_large_err)] // the refusal that every door answers with: rarely made, never stored

pub mod decide;
pub mod deliver;
pub mod doors;
mod key;
pub mod options;
pub mod replies;
pub mod rules;
pub mod state;
pub mod status;
mod surface;
pub mod taken;

pub use decide::ChatDecider;
pub use deliver::Deliverer;
pub use doors::{ChatEndpoints, DeliveryResult, Say, router};
pub use options::{FailPoint, Options, SlackDoors, TeamsDoors};
pub use replies::ReplyAddresses;
pub use rules::{Channel, ChatRules, Person};
pub use state::ChatState;
pub use status::{ChatStatus, Handle};
pub use taken::TakenDeliveries;

use hindcast_eventlog::lane;
use tokio::sync::watch;

/// Runs the lane of chat over a ledger until `shutdown`.
///
/// # Errors
/// When the ledger is damaged or holds events of a newer binary.
pub async fn run_lane(options: lane::Options, shutdown: watch::Receiver<bool>) -> Result<(), lane::Error> {
    lane::Runner::new(ChatDecider, options).run(shutdown).await
}
