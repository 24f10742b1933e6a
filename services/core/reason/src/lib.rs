//! Reasoning about an incident: what broke, what it was like before, and what may be done. Pure.
//!
//! The one contract of this crate: *given the same [`Evidence`] it concludes the same*, with a citation behind
//! each word and with nothing in the evidence that was not known at its position. It knows no model, no clock
//! and no store; "unresolved" and "never seen" are conclusions like any other.
//!
//! - [`evidence`]: what is known of an incident as of a position; everything else starts from it.
//! - [`cause`]: ranks what may have broken, with the path from there to the alarm.
//! - [`recall`]: what is kept of an incident, and how two are compared.
//! - [`runbook`]: what may be done, with typed parameters.
//! - [`postmortem`]: the draft.
//! - [`report`]: figures over a stretch of time.
//! - [`words`]: how times, figures and foreign text are spelt.

pub mod cause;
pub mod evidence;
pub mod postmortem;
pub mod recall;
pub mod report;
pub mod runbook;
pub mod words;

pub use evidence::{Evidence, Symptom};
