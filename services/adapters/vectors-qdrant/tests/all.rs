//! Every integration test of this crate in one binary, so that its dependencies are linked once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

mod conformance;
mod faults;
#[allow(dead_code)] // each of the tests uses a part of it
mod stand_in;
