//! The copilot as a whole, over a small world: from evidence, with a model that behaves and with models that do
//! not, with caps, and played again.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)] // a test says so by panicking

mod evidence;
mod failures;
mod model;
mod replay;
mod transcript;
mod world;
