//! `hindcast record`: keeps what a real environment says about itself while something goes wrong in it, and what was really wrong.
//!
//! The contract: a request that was answered with 2xx is on disk, in the order of its arrival and as it was sent, but for secrets;
//! whatever cannot be kept ends the recording with an error, never in silence.
//! A recording is a folder of six files whose shapes stand in [`format`]; the demo and the tests read it through that module alone.
//!
//! What it does not know: what an alert means. It reads no body but that of `POST /mark`, by which a scenario tells the truth.

mod clock;
mod compress;
mod door;
mod error;
pub mod format;
mod keep;
mod limits;
mod logline;
mod mark;
mod metrics;
mod options;
mod redact;
mod run;
mod tail;

pub use error::Error;
pub use logline::LogFormat;
pub use options::{ArgsError, LogSource, MetricQuery, Options, RecordArgs};
pub use redact::RecordingRedactor;
pub use run::{RecordingSummary, record};
