//! Slack over its Web API, and its socket mode for installations that no vendor can reach. An adapter of the chat
//! port: how a message gets there, and how deliveries come in; what they say is decided elsewhere.
//!
//! A token goes to the one address that is configured and to none that a delivery names, but for a response address
//! of the vendor's own. Redirects are not followed, replies are bounded, and nothing secret stands in an error.
//! After an attempt whose outcome is unknown the message is looked for by the key in its metadata, so that it does
//! not come twice.

mod api;
mod pace;
mod socket;
mod wire;

pub use api::{EVENTS, Options, SCOPES, Slack};
pub use socket::{Health, Socket};
