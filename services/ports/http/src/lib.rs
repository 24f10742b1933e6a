//! The edge that every HTTP door shares: how a body is read within its bounds, and how a refusal is sent.
//!
//! The one contract of this crate: *a refusal is always `application/problem+json`* with a stable code and
//! a remedy, whichever door it comes from, and nothing is read beyond the bounds of `limits`.

pub mod body;
pub mod refusal;

pub use body::{json, mended, read};
pub use refusal::{HttpRefusal, Result};
