//! One file for each group of commands, with its arguments, what it asks, and how the answer is shown.

pub mod alerts;
pub mod catalog;
mod checks;
pub mod declare;
pub mod doctor;
pub mod events;
mod follow;
pub mod incidents;
pub mod lifecycle;
pub mod notices;
pub mod openapi;
mod order;
pub mod parked;
pub mod promised;
pub mod proof;
mod senders;
pub mod show;
pub mod silence;
pub mod source;
pub mod state;
pub mod timeline;
pub mod undo;
pub mod r#where;
pub mod why;
