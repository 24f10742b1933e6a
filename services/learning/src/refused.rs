//! What is answered where something cannot be done. Owns the words; decides nothing.

use hindcast_api::Problem;
use hindcast_api::problem::Code;
use hindcast_facts::SubmitError;
use hindcast_ledger::ReadError;
use hindcast_mlops::registry;

/// The ledger could not be read.
pub(crate) fn unread(error: &ReadError) -> Problem {
    match error {
        ReadError::Unavailable(_) => Problem::new(Code::Unavailable, error.to_string()),
        ReadError::Damaged { .. } => {
            Problem::new(Code::Internal, error.to_string()).remedy("Run `hindcast verify`, and restore a backup.")
        }
    }
}

/// A fact could not be written.
pub(crate) fn unwritten(error: &SubmitError) -> Problem {
    let code = match error {
        SubmitError::Busy => Code::Busy,
        SubmitError::TooLarge(_) => Code::TooLarge,
        SubmitError::Unavailable(_) | SubmitError::Stopped => Code::Unavailable,
    };
    Problem::new(code, error.to_string())
}

/// A version is not there, or its weights do not give its hash.
pub(crate) fn version(error: &registry::Error) -> Problem {
    let code = match error {
        registry::Error::Unknown(_) => Code::NotFound,
        registry::Error::Damaged { .. } => Code::Internal,
        registry::Error::NotPassed { .. } | registry::Error::InForce(_) | registry::Error::NothingToRollBack => {
            Code::Conflict
        }
    };
    Problem::new(code, error.to_string())
}

/// Too few labels to learn from; `detail` says what is missing.
pub(crate) fn too_few(detail: String) -> Problem {
    Problem::new(Code::TooFewLabels, detail)
}

/// A task of ours ended early: it panicked, or the runtime is being shut down.
pub(crate) fn ended(error: &tokio::task::JoinError) -> Problem {
    tracing::error!(%error, "work on the past ended early");
    Problem::new(Code::Internal, "the work ended before it was done")
}
