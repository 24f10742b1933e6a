//! Slack's wire: signatures, what deliveries mean, and blocks within their limits.

pub mod limits;
pub mod read;
pub mod render;
pub mod signature;
