//! The pager: who is told what, and when; and who is not, why, and until when.
//!
//! The rule that this crate works by: *what each receiver heard agrees with what is so, alert by alert and incident by
//! incident; where it does not, a word is owed by a time.* `owed` says what is owed and `message` in which words.
//! Pages are at least once and fail open: a requested page is delivered again after a crash, and one that was
//! given up is owed again. Whether the rule holds is judged by `hindcast-paging-audit`, which knows nothing of this crate.
//!
//! [`decide`] is pure (the notices lane); [`deliver`] is the only part that reaches people, and only where
//! this installation is the active one.

pub mod decide;
pub mod deliver;
mod ending;
mod escalation;
mod fold;
mod known;
mod leaning;
mod message;
mod owed;
mod question;
mod reach;
mod retry;
pub mod rules;
mod shelf;
pub mod state;
mod storm;
mod tell;
mod warning;

pub use decide::Pager;
pub use deliver::NoticeDeliverer;
pub use retry::show as show_trouble;
pub use rules::{EscalationRules, EscalationStep, PagingRules, ReceiverRules};
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
