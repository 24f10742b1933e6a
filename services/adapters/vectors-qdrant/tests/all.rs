//! Every integration test of this crate in one binary, so that its dependencies are linked once.

mod conformance;
mod faults;
#[allow(dead_code)] // each of the tests uses a part of it
mod stand_in;
