//! The pager: who is told what, and when; and who is not, why, and until when.
//!
//! The rule that this crate works by: *for every alert that fires at a paging severity its incident paged, or a
//! named suppression with an end covers it.* The rule is too weak as a promise: a page from before the alert
//! fired, or about something else in its incident, satisfies it, and the code that counts knows the same rule.
//! Pages are at least once and fail open: a requested page is delivered again after a crash, and one that was
//! given up is requested anew.
//!
//! [`decide`] is pure (the notices lane); [`deliver`] is the only part that reaches people, and only where
//! this installation is the active one.

pub mod decide;
pub mod deliver;
mod ending;
mod question;
pub mod rules;
pub mod state;
mod storm;
mod tell;

pub use decide::Pager;
pub use deliver::NoticeDeliverer;
pub use rules::{PagingRules, ReceiverRules};
pub use state::NoticesState;

use hindcast_eventlog::lane;
use tokio::sync::watch;

/// Runs the notices lane over a ledger until `shutdown`.
///
/// # Errors
/// When the ledger is damaged or holds events of a newer binary.
pub async fn run(options: lane::Options, shutdown: watch::Receiver<bool>) -> Result<(), lane::Error> {
    lane::Runner::new(Pager, options).run(shutdown).await
}
