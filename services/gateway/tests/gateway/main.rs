//! The gateway from the socket to the ledger, over a ledger in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::result_large_err)] // all of this is test code

mod api;
mod doors;
mod protobuf;
mod support;
mod telemetry;
mod telemetry_bounds;
