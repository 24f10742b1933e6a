//! Every integration test of this crate in one binary, so that its dependencies are linked once.

mod bitemporal;
mod common;
mod compare;
mod labeller;
mod learning;
mod lift;
mod recorded;
mod recordings;
mod transfer;
