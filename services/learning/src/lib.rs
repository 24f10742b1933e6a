//! Learning: labels become versions of the pair scorer, and versions are judged against the past.
//!
//! The one contract of this crate: *no version replaces another on faith*. It reads the ledger, decides the past
//! again in isolation, and writes facts; what is in force it never touches.
//!
//! [`service`] trains and backtests, [`shadow`] lets a version run beside the one in force, [`read`] is how both
//! read the ledger.

pub mod read;
pub mod service;
pub mod shadow;

use std::sync::Arc;

use hindcast_clock as clock;
use hindcast_learn::train::Trainer;
use hindcast_ledger::Shared;
use hindcast_ledger::writer::Writer;

pub use service::Service;
pub use shadow::Shadow;

/// What learning is made of. Cheap to clone.
#[derive(Clone)]
pub struct Options {
    /// The ledger.
    pub ledger: Shared,
    /// Writes facts.
    pub writer: Writer,
    /// The views.
    pub queries: hindcast_queries::Shared,
    /// The clock.
    pub clock: clock::Shared,
    /// Who fits.
    pub trainer: Arc<dyn Trainer + Send + Sync>,
    /// The version of the binary, which a version's lineage names.
    pub code: String,
}
