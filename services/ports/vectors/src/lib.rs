//! Vectors beside the ledger: a point is a vector with the position at which it became known.
//!
//! The one contract of this crate: *a search as of a position sees no point that became known after it*, and
//! of several versions of one item only the last one that it may see. The filter is the store's own business,
//! never the caller's. A store is a projection: it says how far it is, and can be deleted and built anew.

pub mod conformance;
pub mod embed;
pub mod memory;

use std::sync::Arc;

use async_trait::async_trait;
use hindcast_domain::vocabulary;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use memory::MemoryVectors;

/// A shared store.
pub type Shared = Arc<dyn Vectors>;

vocabulary! {
    /// The sorts of things that have vectors.
    pub enum PointKind: open {
        /// An incident that is remembered.
        Incident = "incident",
        /// A log template of a finding.
        Template = "template",
    }
}

/// One version of one item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The item: an incident's id, a template's id.
    pub item: String,
    /// What sort of thing the item is.
    pub kind: PointKind,
    /// `tenant/environment`.
    pub partition: String,
    /// The position at which this version became known.
    pub position: u64,
    /// Whether the item is taken away from here on; it is found no more as of then.
    #[serde(default)]
    pub gone: bool,
    /// The vector, of length 1.
    pub vector: Vec<f32>,
    /// What the caller wants back; redacted, no more than a few kilobytes.
    pub payload: Value,
}

/// A search.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Only items of this sort.
    pub kind: PointKind,
    /// Only of this partition.
    pub partition: String,
    /// Nothing that became known after it.
    pub as_of: u64,
    /// The vector, of length 1.
    pub vector: Vec<f32>,
    /// The best so many.
    pub limit: usize,
    /// Not these items.
    pub without: Vec<String>,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbour {
    /// Key of the stored item.
    pub item: String,
    /// The position of the version.
    pub position: u64,
    /// The cosine of the angle between the two vectors, by the store's own arithmetic.
    pub score: f32,
    /// What was stored with it.
    pub payload: Value,
}

/// How far a store is; kept with its data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The ledger that it is a projection of.
    pub ledger: String,
    /// Who made the vectors: [`Identity::key`](../hindcast_embed/struct.Identity.html).
    pub embedder: String,
    /// The version of the texts that were embedded.
    pub texts: u32,
    /// Everything up to here is in it.
    pub position: u64,
}

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be reached, written or read now.
    #[error("the vector store cannot be reached: {0}")]
    Unavailable(String),
    /// A vector of another length.
    #[error("expected vectors of length {expected}, got one of {got}")]
    Dimension {
        /// The store's.
        expected: usize,
        /// What came.
        got: usize,
    },
    /// A vector with something in it that is no finite number.
    #[error("expected numbers in a vector, got one that is none")]
    NotANumber,
    /// More than it takes at once, or in one payload.
    #[error("expected at most {bytes_max} bytes for the vector store, got {bytes}")]
    TooLarge {
        /// What came.
        bytes: usize,
        /// What it takes.
        bytes_max: usize,
    },
    /// What is there is not what was written.
    #[error("the vector store is damaged: {0}; it is built anew when its folder or collection is deleted")]
    Damaged(String),
}

/// Checks that a payload is no longer than a store takes.
///
/// # Errors
/// [`Error::TooLarge`] when it is.
pub fn check_payload(point: &Point, bytes_max: usize) -> Result<(), Error> {
    let bytes = point.payload.to_string().len();
    if bytes <= bytes_max { Ok(()) } else { Err(Error::TooLarge { bytes, bytes_max }) }
}

/// Checks that a vector is of a length and holds numbers alone.
///
/// # Errors
/// [`Error::Dimension`] or [`Error::NotANumber`] when it is not.
pub fn check_vector(vector: &[f32], expected: usize) -> Result<(), Error> {
    let got = vector.len();
    if got != expected {
        return Err(Error::Dimension { expected, got });
    }
    if vector.iter().all(|x| x.is_finite()) { Ok(()) } else { Err(Error::NotANumber) }
}

/// A store of vectors.
#[async_trait]
pub trait Vectors: Send + Sync + 'static {
    /// `flat`, `qdrant` or `memory`.
    fn kind(&self) -> &'static str;

    /// How far it is; `None` for an empty store.
    async fn checkpoint(&self) -> Result<Option<Checkpoint>, Error>;

    /// Stores versions and says how far it is; durable and together when answered. Storing the same version
    /// of the same item again changes nothing.
    async fn store(&self, points: Vec<Point>, checkpoint: Checkpoint) -> Result<(), Error>;

    /// The items nearest to a vector as of a position, best first; ties by the item's id. Exact.
    async fn search(&self, query: Query) -> Result<Vec<Neighbour>, Error>;

    /// Versions that are stored.
    async fn count(&self) -> Result<u64, Error>;

    /// Forgets everything, checkpoint included.
    async fn clear(&self) -> Result<(), Error>;
}
