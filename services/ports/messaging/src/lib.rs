//! The messaging port: how people are reached. An adapter speaks one vendor's wire; what is said, when, and who may
//! act is decided elsewhere.
//!
//! - [`notify`]: notifications, pages among them. Nothing in it knows that chat exists.
//! - [`chat`]: messages in a chat, and a vendor's deliveries.

pub mod chat;
pub mod notify;

/// A setting that an adapter cannot work with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: expected {expected}, got {got}")]
pub struct Misconfigured {
    /// The setting, such as `teams.app_id`.
    pub what: &'static str,
    /// The form of a value that works.
    pub expected: &'static str,
    /// The value that was given, without secrets.
    pub got: String,
}
