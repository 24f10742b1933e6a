//! Why a step of the memory failed. Each is tried again; none stops anything else.

/// What failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The views did not answer.
    #[error("the views cannot be read: {0}")]
    Views(#[from] hindcast_api::Problem),
    /// The embedder did not.
    #[error(transparent)]
    Embed(#[from] hindcast_vectors::embed::Error),
    /// The store did not.
    #[error(transparent)]
    Store(#[from] hindcast_vectors::Error),
    /// What is remembered could not be written down.
    #[error("what is remembered cannot be written: {0}")]
    Payload(#[from] serde_json::Error),
}

impl Error {
    /// The step, for a counter.
    #[must_use]
    pub const fn step(&self) -> &'static str {
        match self {
            Self::Views(_) => "views",
            Self::Embed(_) => "embed",
            Self::Store(_) => "store",
            Self::Payload(_) => "payload",
        }
    }
}
