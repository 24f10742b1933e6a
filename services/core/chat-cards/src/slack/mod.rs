//! Slack's wire: signatures, what deliveries mean, and blocks within their limits.

pub mod dialogs;
pub mod limits;
pub mod read;
pub mod render;
pub mod signature;
