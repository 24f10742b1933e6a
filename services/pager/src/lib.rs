//! The pager: who is told what, and when; and who is not, why, and until when.
//!
//! The one contract of this crate, the paging invariant: *for every alert that fires at a paging severity
//! one holds: its incident paged, or a named hold with an end does.* Pages are at least once and fail open:
//! what is requested is delivered again after a crash, and what was given up is requested anew.
//!
//! [`decide`] is pure (the notices lane); [`deliver`] is the only part that reaches people, and only where
//! this installation is the active one.

pub mod decide;
pub mod deliver;
pub mod rules;
pub mod state;
pub(crate) mod storm;

pub use decide::Pager;
pub use deliver::Deliverer;
pub use rules::{Receiver, Rules};
pub use state::State;

use hindcast_eventlog::lane;
use tokio::sync::watch;

/// Runs the notices lane over a ledger until `shutdown`.
///
/// # Errors
/// When the ledger is damaged or holds events of a newer binary.
pub async fn run(options: lane::Options, shutdown: watch::Receiver<bool>) -> Result<(), lane::Error> {
    lane::Runner::new(Pager, options).run(shutdown).await
}
