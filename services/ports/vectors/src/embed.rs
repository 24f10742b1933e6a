//! Embedding: text to a vector of fixed length, so that texts that mean alike lie close.
//!
//! The one contract of this crate: *an embedder says who it is* ([`EmbedderIdentity`]), and vectors of two identities
//! are never compared. Where no model is installed, [`Hashing`] stands in, and says so.

pub mod conformance;
mod hashing;

use std::sync::Arc;

use async_trait::async_trait;

pub use hashing::Hashing;

/// A shared embedder.
pub type Shared = Arc<dyn Embedder>;

/// Who made a vector.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct EmbedderIdentity {
    /// `all-MiniLM-L6-v2-int8`, `hashing`, …
    pub model: String,
    /// SHA-256 of the weights in hexadecimal; empty for an algorithm without any.
    pub sha256: String,
    /// The runtime and its version.
    pub runtime: String,
    /// Length of its vectors.
    pub dimension: usize,
    /// Whether it stands in for a model that is not installed.
    pub stand_in: bool,
}

impl EmbedderIdentity {
    /// A short word that changes with anything that changes vectors.
    #[must_use]
    pub fn key(&self) -> String {
        let digits: String = self.sha256.chars().take(12).collect();
        format!("{}-{}-{digits}", self.model, self.dimension)
    }
}

/// Why a text could not be embedded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The model or its runtime cannot be loaded.
    #[error("the embedding model cannot be loaded: {0}")]
    Load(String),
    /// It failed on a text.
    #[error("a text could not be embedded: {0}")]
    Embed(String),
}

/// Makes vectors.
#[async_trait]
pub trait Embedder: Send + Sync + 'static {
    /// Tells vectors of different models apart; vectors of two identities are never compared.
    fn identity(&self) -> &EmbedderIdentity;

    /// One vector of length 1 for each text, each made alone, so that it does not depend on its neighbours.
    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, Error>;
}
