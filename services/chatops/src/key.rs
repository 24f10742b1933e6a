//! How a delivery is known again: its key, hashed, and the idempotency key of the command that it carries.

use sha2::{Digest, Sha256};

/// What stands in the ledger instead of a vendor's own key: a hash of it, in hexadecimal.
#[must_use]
pub fn hashed(vendor: &str, key: &str) -> String {
    let mut hasher = Sha256::new();
    for part in [vendor, key] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hindcast_domain::hex::hex(&hasher.finalize()[..16])
}

/// The idempotency key of the command that a delivery with that hashed key carries.
#[must_use]
pub fn of_command(vendor: &str, hashed: &str) -> String {
    format!("chat/{vendor}/{hashed}")
}
