//! Every integration test of this crate in one binary, so that its dependencies are linked once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

mod generator;
mod paths;
mod planted;
mod rules;
mod samples;
mod sentences;
