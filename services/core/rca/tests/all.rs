//! Every integration test of this crate in one binary, so that its dependencies are linked once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

mod causes;
mod citations;
mod hypotheses;
mod telemetry;
