//! What tests of more than one crate share. Nothing of it is ever linked into the product: only
//! `[dev-dependencies]` may name this crate, and the architecture test holds that.
//!
//! - Builders such as [`incident`] or [`alert`] make one ordinary document of the API or the domain, and a test states
//!   only what matters to it: `Incident { severity: Severity::Low, ..testkit::incident("INC-…") }`. A field that a
//!   document gains gets its value here, once for all tests.
//! - [`conformance`]: the suite that every adapter of the ledger port runs.
//! - [`messaging`]: the stand-ins for the ports of messaging, which need a ledger and a runtime.
//! - [`work`]: the stand-ins for what takes its time: the copilot, and learning.
//! - [`vendors`]: stand-ins that speak the protocols of those who are sent notifications, and the suite that every
//!   notifier runs against them.
//! - [`append`]: one event of any kind into a ledger, past the types that hold product code back.
//! - [`seeds`]: the seeds of what is tested at random.
//! - [`recording`]: recordings of real incidents as evidence, as of any moment.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

mod advice;
pub mod append;
pub mod conformance;
mod documents;
pub mod messaging;
#[allow(missing_docs)] // the fields of a recording are those of its files
pub mod recording;
pub mod seeds;
pub mod vendors;
pub mod work;

pub use advice::{answer, hypothesis, proposal, similar};
pub use documents::{
    alert, change, event, finding, incident, notice, observation, raised, reception, recorded, start, told,
};
