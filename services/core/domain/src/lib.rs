//! The words of Hindcast and what they do, without any input or output.
//!
//! The one contract of this crate: *everything that decides or folds takes time, ids and scores as
//! arguments*. No function here reads a clock, draws a random number, opens a file or a socket, or
//! knows that a ledger, a model or a web page exists. Given the same arguments it gives the same
//! answer, on every machine, for ever; replay stands on that.
//!
//! Where to look: [`event::Event`] is everything that can be recorded, [`command::Command`] everything
//! that a person may ask for, [`alert`], [`incident`], [`silence`] and [`notice`] are the aggregates
//! with their folds, [`book::Book`] is a partition's alerts and incidents together,
//! [`canonical`] gives the state hash.

pub mod act;
pub mod alert;
pub mod book;
pub mod canonical;
pub mod catalog;
pub mod chat;
pub mod command;
pub mod conversation;
pub mod entity;
pub mod event;
pub mod fact;
pub mod families;
pub mod finding;
pub mod hex;
pub mod id;
pub mod incident;
pub mod label;
pub mod lane;
pub mod limits;
pub mod links;
pub mod matcher;
pub mod model;
pub mod notice;
pub mod oncall;
pub mod proposal;
pub mod repeats;
pub mod rhythm;
pub mod secret;
pub mod severity;
pub mod shared;
pub mod shelf;
pub mod silence;
pub mod statistics;
pub mod text;
pub mod time;
pub mod topology;
pub mod vocabulary;
pub mod words;
pub mod yaml;

pub use event::Event;
pub use id::{
    ChatId, ConversationId, EventId, FindingId, Fingerprint, IncidentId, LabelId, LinkId, MessageId, NoticeId,
    Partition, ProposalId, SilenceId,
};
pub use secret::{Secret, SecretHash};
pub use severity::Severity;
pub use time::{Span, Time};
