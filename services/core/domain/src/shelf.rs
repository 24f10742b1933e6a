//! What is over need not be in memory: a lane puts it on a shelf and takes it back when somebody asks. Owns what a shelf
//! must do and when a lane asks it; refuses to know where it stands. Nothing is decided otherwise for it: whatever an
//! input, a decision or a timer reads is back before it is read.

pub mod read;

/// A part of a lane's state by its id, as it stands on the shelf.
pub type ShelvedPart = (String, Vec<u8>);

/// Why a shelf does not answer. A lane must not guess what it cannot read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what is over cannot be read back: {0}")]
pub struct ShelfError(pub String);

/// Where parts of a lane's state stand that were over for long.
pub trait Shelf: Send + Sync {
    /// Whether nothing stands there, so that nothing need be asked.
    fn is_empty(&self) -> bool;

    /// A part as it was put there last; `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    fn get(&self, id: &str) -> Result<Option<Vec<u8>>, ShelfError>;

    /// Puts parts there, all or none.
    ///
    /// # Errors
    /// When they cannot be written; they stay in memory then.
    fn put(&self, parts: &[ShelvedPart]) -> Result<(), ShelfError>;
}
