//! The ledger on NATS JetStream: one stream, many processes.
//!
//! The one contract of this crate: *an append is acknowledged only by a stream that was seen to keep what it
//! acknowledges, or that somebody accepted as lossy; and a reader sees every message in order or is told
//! why not*. It knows subjects, sequences and bytes; what the bytes mean is the port's business.
//!
//! - [`ledger`] is the adapter; [`options`] what it takes and why it may refuse.
//! - `boot` makes the stream and asserts what it must be; `monitor` asks the server what a client cannot see.
//! - `tail` reads in order and watches itself; `lease` is a hint; [`broadcast`] shares progress.
//! - [`server`] runs a server of our own; [`fetch`] finds or fetches its program.
//!
//! TLS: the first line of every `main` must install a process-wide provider of `rustls`, or the client's
//! first handshake panics where two providers are compiled in.

mod boot;
pub mod broadcast;
pub mod fetch;
mod lease;
pub mod ledger;
mod monitor;
pub mod options;
pub mod server;
mod shared;
mod tail;

pub use broadcast::Broadcast;
pub use ledger::NatsLedger;
pub use options::{OpenError, Options};
pub use server::NatsServer;
