//! The engines: what turns alerts into incidents, used alike by the services, by replay and by backtests.
//!
//! The one contract of this crate: *the same input gives the same answer*. No engine knows a clock, a
//! ledger or a sender; scores that decide are rounded to thousandths before anything compares them.

pub mod cluster;
pub mod nearby;
