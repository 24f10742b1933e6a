//! One commit: many events of one writer, appended as one message.
//!
//! Layout: `HC1` (`HC2` where an order of decisions is written down, which a reader of `HC1` alone must not pass over) · header length (u32, little endian) · header (JSON) · events (zstd over: length u32 LE,
//! JSON, repeated). The commit's hash goes over magic, length and header; the header holds the Merkle root
//! over the events' hashes, so that a bundle can leave events out and still verify. It also holds the
//! previous hash of its subject and the expected sequence: the chain covers the payload alone, and a
//! payload copied verbatim into another ledger keeps its hash.

use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use hindcast_domain::Time;
use hindcast_domain::lane::Timer;
use hindcast_domain::limits::{COMMIT_BYTES_MAX, COMMIT_EVENTS_MAX};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::body;
pub use crate::body::UnpackedEvents;
use crate::port::Seq;
use crate::subject::Subject;

const MAGIC: &[u8; 3] = b"HC1";
/// Of a commit whose order is not that of the ledger: a binary that does not know of orders would decide a part of it
/// once more, and so must refuse it.
const MAGIC_ORDERED: &[u8; 3] = b"HC2";

/// SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The hash before the first commit of a chain.
    pub const ZERO: Self = Self([0; 32]);

    /// Of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hindcast_domain::hex::hex(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let bad = || serde::de::Error::custom("expected 64 hexadecimal digits");
        hindcast_domain::hex::unhex_array(&text).map(Self).ok_or_else(bad)
    }
}

/// How far an input was consumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumedThrough {
    /// The subject that was consumed.
    pub subject: Subject,
    /// The last commit of it that was consumed.
    pub seq: Seq,
    /// That commit's hash: a cursor seals what it consumed.
    pub hash: Hash,
}

/// Inputs that were decided one after the other: all of the lane that were undecided then and lie between both
/// positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecidedRun(
    /// The first position.
    pub u64,
    /// The last position.
    pub u64,
);

/// Everything about a commit but its events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitHeader {
    /// The ledger that it was written for.
    pub ledger: String,
    /// The partition and item that the commit is about.
    pub subject: Subject,
    /// The writer's own counter, 1 for its first commit on the subject: with the subject, the commit's id.
    pub counter: u64,
    /// The last sequence of the subject that the writer had seen.
    pub expected: Seq,
    /// The hash of the commit before it on the subject.
    pub previous: Hash,
    /// The writer's clock.
    pub stamped_at: Time,
    /// The Merkle root over the events' hashes.
    pub root: Hash,
    /// How many events there are.
    pub events: u32,
    /// How far each input was consumed: everything up to there is decided. On decisions only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consumed: Vec<ConsumedThrough>,
    /// The version of the engine that decided; 0 for commits from before it was written, and on intake.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub engine: u32,
    /// The last timer that fired because its time had come, and not because of an input: it and those before it
    /// fired after the inputs of this commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Timer>,
    /// What was decided in this commit, in that order; empty where it is everything up to the cursors, in the order
    /// of the ledger.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<DecidedRun>,
    /// The newest commit of each input of which something was decided before what stands in front of it. It seals
    /// what the cursors do not reach yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ahead: Vec<ConsumedThrough>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the form that serde asks for
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl CommitHeader {
    /// The header of the next commit of a writer on a subject, which consumed nothing.
    #[must_use]
    pub const fn next(
        ledger: String,
        subject: Subject,
        counter: u64,
        (expected, previous): (Seq, Hash),
        stamped_at: Time,
    ) -> Self {
        Self {
            ledger,
            subject,
            counter,
            expected,
            previous,
            stamped_at,
            root: Hash::ZERO,
            events: 0,
            consumed: Vec::new(),
            engine: 0,
            clock: None,
            order: Vec::new(),
            ahead: Vec::new(),
        }
    }
}

/// A commit that was read: its header, its hash, its events as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Everything but the events.
    pub header: CommitHeader,
    /// The chain hash.
    pub hash: Hash,
    /// The events, each as it was written.
    pub events: Vec<Vec<u8>>,
}

/// Bytes that are no commit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Not our magic, or cut short.
    #[error("expected a commit that begins with HC1 or HC2 and its header")]
    Frame,
    /// The header is not JSON of its form.
    #[error("expected a commit's header, got {0}")]
    Header(String),
    /// The events do not unpack.
    #[error("expected {expected} events, the body does not hold them")]
    Body {
        /// The header's count.
        expected: u32,
    },
    /// The events are not those that the header vouches for.
    #[error("the events do not match the header's root")]
    Root,
}

/// A commit over a limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected at most {COMMIT_EVENTS_MAX} events and {COMMIT_BYTES_MAX} bytes, got {events} and {bytes}")]
pub struct TooLarge {
    /// Number of events in the rejected commit.
    pub events: usize,
    /// Bytes of it, packed.
    pub bytes: usize,
}

/// The Merkle root over leaves: pairs are hashed together, an odd one moves up as it is.
#[must_use]
pub fn merkle_root(leaves: &[Hash]) -> Hash {
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => {
                    let mut hasher = Sha256::new();
                    hasher.update([1]);
                    hasher.update(left.0);
                    hasher.update(right.0);
                    Hash(hasher.finalize().into())
                }
                [odd] => *odd,
                _ => Hash::ZERO,
            })
            .collect();
    }
    level.first().copied().unwrap_or(Hash::ZERO)
}

fn root_of(events: &[Vec<u8>]) -> Hash {
    merkle_root(&events.iter().map(|event| Hash::of(event)).collect::<Vec<_>>())
}

/// Packs a commit. `header.root` and `header.events` are filled in.
///
/// # Errors
/// When it is over the limits.
///
/// # Panics
/// Never: a header of ours has a JSON form, and memory takes what is compressed.
pub fn encode(mut header: CommitHeader, events: &[Vec<u8>]) -> Result<(Bytes, Hash), TooLarge> {
    if events.len() > COMMIT_EVENTS_MAX {
        return Err(TooLarge { events: events.len(), bytes: 0 });
    }
    header.root = root_of(events);
    header.events = u32::try_from(events.len()).unwrap_or(u32::MAX);
    let head = serde_json::to_vec(&header).unwrap_or_default();
    assert!(!head.is_empty(), "a header of ours always has a JSON form");
    let mut framed = Vec::with_capacity(head.len() + 7);
    let in_order = header.order.is_empty() && header.ahead.is_empty();
    framed.extend_from_slice(if in_order { MAGIC } else { MAGIC_ORDERED });
    framed.extend_from_slice(&u32::try_from(head.len()).unwrap_or(u32::MAX).to_le_bytes());
    framed.extend_from_slice(&head);
    let hash = Hash::of(&framed);
    if !events.is_empty() {
        let packed = body::pack(events, &mut framed);
        assert!(packed, "memory takes what is compressed");
    }
    if framed.len() > COMMIT_BYTES_MAX {
        return Err(TooLarge { events: events.len(), bytes: framed.len() });
    }
    Ok((Bytes::from(framed), hash))
}

/// Reads the header and its hash, and leaves the events packed.
///
/// # Errors
/// When the bytes are no commit.
pub fn decode_header(payload: &[u8]) -> Result<(CommitHeader, Hash), Malformed> {
    let (framed, _) = split(payload)?;
    let header = serde_json::from_slice(&framed[7..]).map_err(|error| Malformed::Header(error.to_string()))?;
    Ok((header, Hash::of(framed)))
}

fn split(payload: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let length = payload.get(3..7).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
    if !payload.starts_with(MAGIC) && !payload.starts_with(MAGIC_ORDERED) {
        return Err(Malformed::Frame);
    }
    let end = length.and_then(|length| (length as usize).checked_add(7)).ok_or(Malformed::Frame)?;
    payload.split_at_checked(end).ok_or(Malformed::Frame)
}

/// Unpacks a commit's events and does not compare them with the header's root: for those who read once more what was
/// compared before.
///
/// # Errors
/// When the bytes are no commit.
pub fn unpack(payload: &[u8]) -> Result<UnpackedEvents, Malformed> {
    let (framed, body) = split(payload)?;
    let header: CommitHeader =
        serde_json::from_slice(&framed[7..]).map_err(|error| Malformed::Header(error.to_string()))?;
    UnpackedEvents::of(header.events, body).ok_or(Malformed::Body { expected: header.events })
}

/// Reads a commit, checks that its events are those that the header vouches for, and hands the bytes of each with its
/// index to `read`.
///
/// # Errors
/// When the bytes are no commit, or not the one that was written; and those of `read`.
pub fn decode_each<T, E: From<Malformed>>(
    payload: &[u8],
    mut read: impl FnMut(usize, &[u8]) -> Result<T, E>,
) -> Result<(CommitHeader, Hash, Vec<T>), E> {
    let (header, hash) = decode_header(payload)?;
    let (_, body) = split(payload)?;
    let events = body::unpacked(header.events, body, |bytes, places| {
        let event = |place: &Range<usize>| bytes.get(place.clone()).unwrap_or_default();
        let leaves: Vec<Hash> = places.iter().map(|place| Hash::of(event(place))).collect();
        if merkle_root(&leaves) != header.root {
            return Err(Malformed::Root.into());
        }
        places.iter().enumerate().map(|(index, place)| read(index, event(place))).collect()
    });
    let events: Result<Vec<T>, E> = events.ok_or(Malformed::Body { expected: header.events })?;
    Ok((header, hash, events?))
}

/// Reads a commit and checks that its events are those that the header vouches for.
///
/// # Errors
/// When the bytes are no commit, or not the one that was written.
pub fn decode(payload: &[u8]) -> Result<Commit, Malformed> {
    let (header, hash, events) = decode_each(payload, |_, event| Ok::<_, Malformed>(event.to_vec()))?;
    Ok(Commit { header, hash, events })
}

/// `commit × 4096 + index`.
#[must_use]
pub const fn position(seq: Seq, index: usize) -> u64 {
    seq * COMMIT_EVENTS_MAX as u64 + index as u64
}

/// The commit of a position.
#[must_use]
pub const fn seq_of(position: u64) -> Seq {
    position / COMMIT_EVENTS_MAX as u64
}

#[cfg(test)]
mod tests;
