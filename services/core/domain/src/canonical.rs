//! The state hash: `fold version : SHA-256` over the canonical form of the named folds.
//!
//! Canonical form of an entity: its JSON with the fields in the order that the type declares them, maps
//! sorted by key. Each entity has a digest; the hash goes over the digests in the order of
//! (fold, partition, id), so that a reader can keep digests and hash anew only what changed.
//! Positions, commit borders and the ledger's own times are no fields of an entity, so they stand outside.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

/// The version of folds and canonical form. A fixture's hash test forces a rise when either changes.
pub const FOLD_VERSION: u32 = 4;

/// SHA-256 over an entity's canonical encoding.
pub type EntityDigest = [u8; 32];

/// Where an entity stands in the hash: (fold, partition, id).
pub type Key = (&'static str, String, String);

/// The names of the folds that the state hash covers.
pub const FOLDS: [&str; 5] = ["alerts", "aliases", "incidents", "labels", "silences"];

/// The digest of one entity's canonical form.
#[must_use]
pub fn digest<T: Serialize>(entity: &T) -> EntityDigest {
    let bytes = serde_json::to_vec(entity).unwrap_or_default();
    assert!(!bytes.is_empty(), "an entity of ours always has a JSON form");
    Sha256::digest(&bytes).into()
}

/// The state hash over all entities' digests.
#[must_use]
pub fn state_hash<'a>(digests: impl IntoIterator<Item = (&'a Key, &'a EntityDigest)>) -> String {
    let sorted: BTreeMap<&Key, &EntityDigest> = digests.into_iter().collect();
    sorted_state_hash(sorted.into_iter().map(|((fold, partition, id), digest)| ((*fold, &**partition, &**id), digest)))
}

/// The same over digests that come in the order of (fold, partition, id).
///
/// # Panics
/// Where they come in another order: their hash would not be the state's.
#[must_use]
pub fn sorted_state_hash<'a>(
    digests: impl IntoIterator<Item = ((&'a str, &'a str, &'a str), &'a EntityDigest)>,
) -> String {
    let mut hasher = Sha256::new();
    let mut last = None;
    for (key @ (fold, partition, id), digest) in digests {
        assert!(last.is_none_or(|last| last < key), "digests come in their order, each once");
        last = Some(key);
        for part in [fold.as_bytes(), partition.as_bytes(), id.as_bytes()] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        hasher.update(digest);
    }
    let hash = hasher.finalize();
    format!("{FOLD_VERSION}:{}", crate::hex::hex(&hash))
}
