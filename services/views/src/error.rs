//! What can go wrong here. Owns the errors and how they look outside; an internal cause is logged, never shown.

use std::path::PathBuf;

use hindcast_api::{Code, Problem};
use hindcast_ledger::ReadError;

/// Why the views cannot be kept or asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store on disk does not do what it is asked.
    #[error("the views' store failed")]
    Store(#[from] fjall::Error),
    /// The folder cannot be emptied.
    #[error("the views' folder {path} cannot be removed; remove it by hand and start again")]
    Folder {
        /// The folder of the failed operation.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },
    /// A document or index of ours has another form than this binary writes.
    #[error("expected {expected} in the views, got something else; delete the views' folder, they are rebuilt")]
    Form {
        /// What stood to be read.
        expected: &'static str,
    },
    /// A document is not the JSON of its fold.
    #[error("expected the JSON of {expected} in the views; delete the views' folder, they are rebuilt")]
    Json {
        /// What stood to be read.
        expected: &'static str,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// The ledger cannot be read, or is damaged.
    #[error("the ledger cannot be read")]
    Ledger(#[from] ReadError),
    /// Work on a thread of its own did not come back.
    #[error("a task of the views ended early")]
    Task(#[from] tokio::task::JoinError),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::Ledger(ReadError::Unavailable(_)) => Code::Unavailable,
            _ => Code::Internal,
        };
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        tracing::error!(%error, cause, "a question to the views failed");
        Self::new(code, "the views could not answer")
    }
}
