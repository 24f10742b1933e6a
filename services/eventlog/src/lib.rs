//! The event-log runtime: the protocol that is spoken over the ledger port, whichever adapter stores it.
//!
//! The one contract of this crate: *an event that a caller was told is durable is read by everybody, once and in
//! order, and a decision is written by the one owner of its lane.*
//!
//! - [`lane`] runs a pure decider as the one owner of its lanes (decisions).
//! - [`keep`] holds the lease of whoever acts upon the world, so that of several processes one does.
//! - [`read`] decodes commits for readers; [`feed`] follows the ledger; [`verify`] walks the chains.
//! - [`snapshot`] keeps what a reader has folded; [`copy`] carries a ledger into another one.
//!
//! Facts and commands from outside are appended by `hindcast-intake`; the suite that every adapter of the port runs is
//! `hindcast_testkit::conformance`.
//!
//! The rules are numbered in `docs/specs/ledger.md`, each with the test that holds it.

pub mod copy;
pub mod feed;
pub mod keep;
pub mod lane;
pub mod read;
pub(crate) mod shelf;
pub mod snapshot;
pub mod verify;
