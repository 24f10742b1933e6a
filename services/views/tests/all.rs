//! Every integration test of this crate in one binary, so that its dependencies are linked once.

mod answers;
mod as_of;
mod common;
mod figures;
mod labels;
