//! Why a step of the detector failed. Each is counted, shown and tried again.

use hindcast_api::Problem;
use hindcast_facts::SubmitError;

/// What failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Telemetry cannot be read or pinned.
    #[error("telemetry cannot be read")]
    Telemetry(#[from] hindcast_telemetry::Error),
    /// The views did not answer.
    #[error("the views do not answer: {}", .0.detail)]
    Views(Box<Problem>),
    /// The ledger did not take a finding.
    #[error("a finding cannot be written")]
    Write(#[from] SubmitError),
    /// The snapshot cannot be written; the one before it still stands.
    #[error("the detector's snapshot cannot be written")]
    Snapshot(#[source] std::io::Error),
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Views(Box::new(problem))
    }
}

/// An error with its causes.
pub(crate) struct ErrorChain<'a>(pub(crate) &'a dyn std::error::Error);

impl std::fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
