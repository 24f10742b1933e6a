//! Chat without any vendor's wire: what a card says, how it is rendered for Slack and Teams within their
//! limits, what a delivery of theirs means, and whether its signature holds.
//!
//! The one contract of this crate: *a card is a function of an incident's state at a position*, and nothing of
//! a delivery is looked at before its signature holds. Nothing here opens a socket or reads a clock.
//!
//! Where to look: [`view`] is what a card is made of, [`interaction`] what a person did, [`slack`] and
//! [`teams`] render the one and read the other.

pub mod buttons;
pub mod card;
mod faults;
pub mod interaction;
pub mod slack;
pub mod teams;
mod text;
pub mod view;

use serde_json::Value;
use sha2::{Digest, Sha256};

pub use interaction::{ChatVerb, Interaction, Vendor};
pub use view::IncidentView;

/// The hash of what is shown: SHA-256 over the form with sorted keys, in hexadecimal.
#[must_use]
pub fn hash(body: &Value) -> String {
    let mut hasher = Sha256::new();
    feed(&mut hasher, body);
    hindcast_domain::hex::hex(&hasher.finalize())
}

fn feed(hasher: &mut Sha256, value: &Value) {
    match value {
        Value::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_by_key(|(name, _)| *name);
            hasher.update(b"{");
            for (name, value) in sorted {
                hasher.update((name.len() as u64).to_be_bytes());
                hasher.update(name.as_bytes());
                feed(hasher, value);
            }
            hasher.update(b"}");
        }
        Value::Array(items) => {
            hasher.update(b"[");
            items.iter().for_each(|item| feed(hasher, item));
            hasher.update(b"]");
        }
        plain => {
            let text = plain.to_string();
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text.as_bytes());
        }
    }
}
