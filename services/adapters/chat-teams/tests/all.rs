//! Every integration test of this crate in one binary, so that its dependencies are linked once.

mod authority;
mod connector;
mod manifest;
#[path = "../../../../tests/standin/teams.rs"]
mod teams;
