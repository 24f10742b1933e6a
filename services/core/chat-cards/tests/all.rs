//! Every integration test of this crate in one binary, so that its dependencies are linked once.

mod cards;
mod slack;
mod teams;
