//! Learning: labels become versions of the pair scorer, and versions are judged against the past.
//!
//! The one contract of this crate: *no version replaces another on faith*. It reads the ledger, decides the past
//! again in isolation, and writes facts; what is in force it never touches.
//!
//! Follow one question: [`service`] is what the port asks; [`training`] reads labels and fits; [`backtest`]
//! runs two lanes side by side over one reading of the inputs ([`lanes`]) and has them compared and judged;
//! [`shadow`] lets a version run beside the one in force. [`history`] is how the ledger is read, [`known`] what
//! it says of versions, [`place`] which position a request means.

pub mod backtest;
pub mod history;
pub mod known;
pub mod lanes;
pub mod place;
pub mod service;
pub mod shadow;
pub mod training;

mod refused;

use hindcast_clock as clock;
use hindcast_facts::FactsWriter;
use hindcast_ledger::Shared;
use hindcast_training::SharedTrainer;

pub use service::LearningService;
pub use shadow::ShadowService;

/// What learning needs of the rest of the node.
#[derive(Clone)]
pub struct Options {
    /// The ledger that is read.
    pub ledger: Shared,
    /// Writes facts: versions, judgements, what a shadow would have done.
    pub writer: FactsWriter,
    /// Says which position a time means.
    pub queries: hindcast_queries::Shared,
    /// The clock; only pauses ask it.
    pub clock: clock::Shared,
    /// What fits a regression.
    pub trainer: SharedTrainer,
    /// The version of the binary, as it stands in lineages.
    pub code: String,
    /// Who runs shadows on behalf of this process; the same after a restart.
    pub holder: String,
}
