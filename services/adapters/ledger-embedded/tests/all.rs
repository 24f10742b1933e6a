//! Every integration test of this crate in one binary, so that its dependencies are linked once.

mod conformance;
mod crash;
mod folder;
mod trace;
