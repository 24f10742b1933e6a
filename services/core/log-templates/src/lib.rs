//! Signals: what telemetry says, as pure functions of what was read so far.
//!
//! The one contract of this crate: *the same lines and points in the same order give the same answer*, with one
//! configuration for all inputs, within bounds that do not depend on the input. It knows no clock, no store and
//! no name of any system: time is what the telemetry says.

mod forms;
mod hosts;
mod mask;
mod near;
pub mod plain;
mod rate;
mod settings;
mod shapes;
pub mod templates;
pub mod trace;
mod units;
pub mod watch;

pub use settings::TemplateSettings;
pub use templates::{Learnt, MinedLines, Miner, TemplateHandle, mine};
