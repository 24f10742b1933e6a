//! Writing: a batch that becomes visible with its checkpoint or not at all. Refuses to read.

use std::collections::BTreeMap;

use fjall::Keyspace;
use serde::{Deserialize, Serialize};

use hindcast_domain::limits::COMMIT_EVENTS_MAX;
use hindcast_ledger::Seq;
use hindcast_ledger::commit::seq_of;

use super::keys::{self, DocumentKind, PackedIndex};
use super::notes::PackedNotes;
use crate::error::Error;

/// How far the views are, written with the data that they are about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ViewCheckpoint {
    /// The form of keys and values.
    pub(crate) layout: u32,
    pub(crate) ledger_id: String,
    /// The folds that made it.
    pub(crate) fold_version: u32,
    /// All commits up to here are in it.
    pub(crate) seq: u64,
    /// That commit's hash.
    pub(crate) hash: hindcast_ledger::Hash,
    /// That commit's last position.
    pub(crate) position: u64,
    /// The last commit that holds events.
    pub(crate) last_events_seq: u64,
    /// The greatest stamp so far, in nanoseconds.
    pub(crate) recorded_at: i64,
    /// Events so far.
    pub(crate) events: u64,
    /// Those of a type that this binary does not know.
    pub(crate) unknown: u64,
}

/// The form of keys and values that this binary writes; another one is dropped and built anew.
pub(crate) const LAYOUT: u32 = 8;

/// Writes that become visible and durable together.
pub(crate) struct Batch {
    pub(super) batch: fjall::OwnedWriteBatch,
    pub(super) documents: Keyspace,
    pub(super) index: Keyspace,
    pub(super) bytes: usize,
    /// Events of the commit that is being written, by what they have to do with: one entry for all of them.
    pub(super) packed: BTreeMap<(PackedIndex, String), (u64, PackedNotes)>,
    /// That commit.
    pub(super) packing: Seq,
}

impl Batch {
    /// Whether it is large enough to be written.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// A version of a document.
    pub(crate) fn document(&mut self, kind: DocumentKind, id: &str, position: u64, value: Vec<u8>) {
        let key = keys::document(kind, id, position);
        self.bytes += key.len() + value.len();
        self.batch.insert(&self.documents, key, value);
    }

    /// An entry of an index.
    pub(crate) fn index(&mut self, key: Vec<u8>, value: impl Into<Vec<u8>>) {
        let value = value.into();
        self.bytes += key.len() + value.len();
        self.batch.insert(&self.index, key, value);
    }

    /// An entry whose value is a position.
    pub(crate) fn place(&mut self, key: Vec<u8>, position: u64) {
        self.index(key, position.to_be_bytes());
    }

    /// An event that has to do with an id, with what is noted there. Events come in the order of their positions.
    pub(crate) fn pack(&mut self, index: PackedIndex, id: &str, position: u64, note: &[u8]) {
        let seq = seq_of(position);
        if self.packing != seq {
            self.write_packed();
            self.packing = seq;
        }
        let at = u16::try_from(position % COMMIT_EVENTS_MAX as u64).unwrap_or(u16::MAX);
        let of = self.packed.entry((index, id.to_owned())).or_insert_with(|| (position, PackedNotes::default()));
        of.1.push(at, note);
    }

    fn write_packed(&mut self) {
        for ((index, id), (first, notes)) in std::mem::take(&mut self.packed) {
            self.index(keys::packed(index, &id, first), notes.into_bytes());
        }
    }

    /// Writes all of it, with how far that is: both or neither.
    pub(crate) fn commit(mut self, checkpoint: &ViewCheckpoint) -> Result<(), Error> {
        self.write_packed();
        let value =
            serde_json::to_vec(checkpoint).map_err(|source| Error::Json { expected: "a checkpoint", source })?;
        self.batch.insert(&self.index, keys::CHECKPOINT, value);
        Ok(self.batch.commit()?)
    }
}

/// A document's bytes: its partition, then its fold in canonical form.
pub(crate) fn framed<T: Serialize>(partition: &str, fold: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    bytes.extend_from_slice(partition.as_bytes());
    bytes.push(0);
    let json = serde_json::to_vec(fold).unwrap_or_default();
    assert!(!json.is_empty(), "a fold of ours always has a JSON form");
    bytes.extend_from_slice(&json);
    bytes
}
