//! Intake: what is appended from outside, facts and commands, by a slot of this process.
//!
//! The one contract of this crate: *an answer follows durability.* Requests that arrive while a commit is being made
//! durable share the next one, so that a sync is paid once for all of them; a request is answered when the commit
//! that holds its last event is durable.
//!
//! - [`IntakeWriter`] owns the slot. The binary makes it, and stops it.
//! - [`FactsWriter`](hindcast_facts::FactsWriter) is the lesser handle on it, for whoever observes: [`IntakeWriter::facts`].
//! - [`CommandWriter`] is the greater one, for whoever carries a person's command: [`IntakeWriter::commands`].
//!
//! A writer that gathers repeats ([`IntakeWriter::gathering`]) keeps what senders say again without a change as a count
//! in a batch; `repeats` says when a message is one.
//!
//! The two handles are types of two crates, because a crate that names this one can append a command. The architecture
//! test lists those crates, and holds that none of them talks to a model.

mod chain;
mod command;
mod gather;
mod repeats;
mod slot;
mod submission;
mod writer;

pub use command::{CommandWriter, NewCommand};
pub use slot::{FailPoint, event_id};
pub use writer::IntakeWriter;
