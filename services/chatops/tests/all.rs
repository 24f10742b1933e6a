//! Every integration test of this crate in one binary, so that its dependencies are linked once.

mod crashes;
mod delivery;
mod doors;
mod harness;
mod lane;
