//! The wire form of events: the envelope as it stands in the ledger, its versions and their upcasters.
//!
//! The one contract of this crate: *every version that was ever written can be read for ever*. The current
//! version of a payload is the domain's own type; when one changes shape, the old shape moves to
//! [`upcast`] with a pure and total function to the next, keeps its fixture under `fixtures/`, and the
//! type's version rises. What no version of ours wrote is [`Decoded::Unknown`]: a decider refuses it, a
//! projector parks it and raises an alarm.

pub mod envelope;
mod payload;
pub mod schema;
pub mod upcast;

pub use envelope::{DecodeError, Decoded, Envelope, NewEvent, decode, decode_if, encode, encode_decision, encode_new};
