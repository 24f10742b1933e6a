//! What tests of more than one crate share. Each function builds one ordinary document of the API or the domain, and a test states only what
//! matters to it: `Incident { severity: Severity::Low, ..testkit::incident("INC-…") }`. A field that a document gains
//! gets its value here, once for all tests. Only `[dev-dependencies]` may name
//! this crate; the architecture test holds that.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

mod advice;
mod documents;
#[allow(missing_docs)] // the fields of a recording are those of its files
pub mod recording;

pub use advice::{answer, hypothesis, proposal, similar};
pub use documents::{alert, change, event, finding, incident, notice, observation, raised, recorded, start, told};
