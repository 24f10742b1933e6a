//! The grouping engine: what turns alerts into incidents, used alike by the services, by replay and by backtests.
//!
//! The one contract of this crate: *the same input gives the same answer*. It knows no clock, no ledger and no sender;
//! scores that decide are integers in thousandths, rounded part by part, so that the parts add up to the score.
//!
//! Follow one alert: [`traits`] reads what it has, [`evidence`] what each of that says in this tenant ([`baseline`]); [`groups`]
//! finds the incidents that share something with it; [`pair`] weighs it against their alerts; [`assign`] chooses;
//! [`second`] asks whether two incidents are one, or one is two. [`parameters`] and [`weights`] hold the numbers.

mod counts;
mod math;
mod memo;
mod tempo;

pub mod assign;
pub mod baseline;
pub mod evidence;
pub mod features;
pub mod grouped;
pub mod groups;
pub mod pair;
pub mod parameters;
pub mod second;
pub mod traits;
pub mod weights;
