//! The messaging port: how people are reached. An adapter speaks one vendor's wire; what is said, when, and who may
//! act is decided elsewhere.
//!
//! - [`notify`]: notifications, pages among them. Nothing in it knows that chat exists.
//! - [`chat`]: messages in a chat, and a vendor's deliveries.

pub mod chat;
pub mod notify;
