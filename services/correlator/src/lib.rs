//! The correlator: alerts become incidents.
//!
//! The one contract of this crate: *[`Correlator`] is pure*. It decides one input at a time from what the
//! ledger said before it, and the shell around it (the lane's runner, in the ledger port) does the rest.
//! It never waits to group: an alert that fires opens or joins an incident in the decision that saw it.
//!
//! Follow one alert: [`decide`] hands an observation to `domain::alert::decide` (transition or repeat?),
//! then to [`grouping`] (held back? which incident?); [`state`] is what both read; [`timers`] is what
//! happens when nobody speaks; [`people`] is what happens when somebody commands.

pub mod decide;
mod ending;
pub mod grouping;
mod heartbeats;
pub mod people;
mod provisional;
pub mod repeats;
pub mod roster;
pub mod rules;
pub mod second;
mod shelf;
pub mod state;
pub mod timers;
mod title;

pub use decide::Correlator;
pub use rules::CorrelationRules;
pub use state::CorrelatorState;

use hindcast_eventlog::lane;
use tokio::sync::watch;

/// Runs the correlator over a ledger until `shutdown`.
///
/// # Errors
/// When the ledger is damaged or holds events of a newer binary.
pub async fn run(options: lane::Options, shutdown: watch::Receiver<bool>) -> Result<(), lane::Error> {
    lane::Runner::new(Correlator, options).run(shutdown).await
}
