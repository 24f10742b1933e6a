//! Every integration test of this crate in one binary, so that its dependencies are linked once.

mod boot;
mod common;
mod conformance;
mod tls;
