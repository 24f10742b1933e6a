//! The views: every question about the ledger, answered as of any position.
//!
//! The one contract of this crate: *an answer as of a position is made of what was recorded up to it, and of
//! nothing else*, and an answer about now takes the same way with the position that was reached.
//!
//! One reader follows the whole ledger and keeps **versioned documents**: each event that touches an entity
//! stores a new version under (kind, id, position). A query as of `p` seeks the last version at or before
//! `p`. Nothing is overwritten, so readers need no locks and no snapshots. Documents, indexes and checkpoint
//! are written in one atomic batch; the folder can be deleted at any time and is built anew.
//!
//! - [`Options`] → [`Views::open`] → [`Views`] (a cheap handle, the [`hindcast_queries::Queries`] of this
//!   process) and [`Views::run`].
//! - `store` owns keys and bytes, `fold` the folds, `project` the one writer, `read` the answers, `words` the
//!   plain words, `replay` the fold from scratch.
//!
//! Deliberately absent: commands, decisions, and any writing to the ledger. The folds of what goes on are held in
//! memory; what was over for long is read from its documents when an event is about it.

#![allow(clippy::result_large_err)] // the read port's own error: an answer is rarely a refusal

mod error;
mod figures;
mod fold;
mod limits;
mod project;
mod queries;
mod read;
mod replay;
mod service;
mod state;
mod store;
mod words;

pub use error::Error;
pub use service::{FailPoint, Options, ProgressFigures, Views};
