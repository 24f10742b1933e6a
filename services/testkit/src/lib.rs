//! What tests of more than one crate share. Nothing of it is ever linked into the product: only
//! `[dev-dependencies]` may name this crate, and the architecture test holds that.
//!
//! - [`recording`]: recordings of real incidents as evidence, as of any moment.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

pub mod recording;
