//! Reading: records become commits, commits become events with their places. A record is decoded once a process,
//! by whoever reads it first.

use std::sync::Arc;

use hindcast_domain::event::Recorded;
use hindcast_events::{DecodeError, Decoded};
use serde_json::Value;

use hindcast_ledger::commit::{self, Commit, CommitHeader, Hash, Malformed};
use hindcast_ledger::port::{ReadError, Record, Seq};

/// An event of a commit that was read.
#[derive(Clone, Debug, PartialEq)]
pub enum ReadEvent {
    /// An event of a type that this build knows.
    Known(Box<Recorded>),
    /// One that this binary does not know: a decider refuses it, a projector parks it.
    Unknown {
        /// The position of the event.
        position: u64,
        /// The type of the event that this program does not know.
        kind: String,
        /// The schema version that the event names.
        version: u32,
        /// All of it.
        raw: Value,
    },
}

/// An event of a type or version that this binary does not know.
#[derive(Clone, Debug, PartialEq)]
pub struct UnknownEvent {
    /// The position of the event.
    pub position: u64,
    /// The type of the event that this program does not know.
    pub kind: String,
    /// The schema version that the event names.
    pub version: u32,
    /// All of it.
    pub raw: Value,
}

/// A commit with its events, typed. All readers of a process share one.
#[derive(Clone, Debug)]
pub struct DecodedRecord {
    /// Everything but the events.
    pub header: CommitHeader,
    /// The chain hash.
    pub hash: Hash,
    /// The events that this binary knows, in their order.
    pub events: Vec<Recorded>,
    /// Those that it does not know: a decider refuses them, a projector parks them.
    pub unknown: Vec<UnknownEvent>,
}

/// An event that was read only where somebody wanted its type.
#[derive(Clone, Debug, PartialEq)]
pub enum FilteredEvent {
    /// One of a wanted type.
    Known(Box<Recorded>),
    /// One of another type: its payload was not taken apart.
    PassedOver,
    /// One of a wanted type that this binary does not know.
    Unknown,
}

/// Why a record could not be read.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableRecord {
    /// It is no commit.
    #[error("commit {seq} is damaged")]
    Commit {
        /// Sequence number of the commit.
        seq: Seq,
        /// The decoder's error.
        #[source]
        source: Malformed,
    },
    /// An event of it is no event.
    #[error("event {position} cannot be read")]
    Event {
        /// Position of the event.
        position: u64,
        /// The decoder's error.
        #[source]
        source: DecodeError,
    },
}

impl From<UnreadableRecord> for ReadError {
    fn from(unreadable: UnreadableRecord) -> Self {
        let seq = match &unreadable {
            UnreadableRecord::Commit { seq, .. } => *seq,
            UnreadableRecord::Event { position, .. } => commit::seq_of(*position),
        };
        let detail = match std::error::Error::source(&unreadable) {
            Some(source) => format!("{unreadable}: {source}"),
            None => unreadable.to_string(),
        };
        Self::Damaged { seq, detail }
    }
}

/// The events that a commit of this process was written from, without their places: whoever reads the commit finds them
/// typed already.
pub struct WrittenEvents(pub Vec<Recorded>);

/// A record's commit with its events, which is made by whoever asks first: from what its writer left where this process
/// wrote it, and from its bytes otherwise.
///
/// # Errors
/// When it is no commit, or one of its events is no event.
pub fn decoded(record: &Record) -> Result<Arc<DecodedRecord>, UnreadableRecord> {
    record.memo.get_or_make(|written| match written {
        Some(written) => placed(record, written),
        None => unpacked(record),
    })
}

/// A commit from the events that it was written from.
fn placed(record: &Record, WrittenEvents(mut events): WrittenEvents) -> Result<DecodedRecord, UnreadableRecord> {
    let damaged = |source| UnreadableRecord::Commit { seq: record.seq, source };
    let (header, hash) = commit::decode_header(&record.payload).map_err(damaged)?;
    if events.len() != header.events as usize {
        return unpacked(record);
    }
    for (index, event) in events.iter_mut().enumerate() {
        event.position = commit::position(record.seq, index);
    }
    if cfg!(debug_assertions) {
        let read = unpacked(record)?;
        assert_eq!((&read.events, read.unknown.len()), (&events, 0), "an event is read as it was written");
    }
    Ok(DecodedRecord { header, hash, events, unknown: Vec::new() })
}

fn unpacked(record: &Record) -> Result<DecodedRecord, UnreadableRecord> {
    let mut unknown = Vec::new();
    let damaged = |source| UnreadableRecord::Commit { seq: record.seq, source };
    let read = |index, bytes: &[u8]| Ok(event(record, index, bytes));
    let (header, hash, items) = commit::decode_each(&record.payload, read).map_err(damaged)?;
    let mut events = Vec::with_capacity(items.len());
    for item in items {
        match item? {
            ReadEvent::Known(event) => events.push(*event),
            ReadEvent::Unknown { position, kind, version, raw } => {
                unknown.push(UnknownEvent { position, kind, version, raw });
            }
        }
    }
    Ok(DecodedRecord { header, hash, events, unknown })
}

/// Reads a record's commit.
///
/// # Errors
/// When it is no commit.
pub fn commit(record: &Record) -> Result<Commit, UnreadableRecord> {
    commit::decode(&record.payload).map_err(|source| UnreadableRecord::Commit { seq: record.seq, source })
}

/// Reads a commit's events.
///
/// # Errors
/// When one of them is no event.
pub fn events(record: &Record, commit: &Commit) -> Result<Vec<ReadEvent>, UnreadableRecord> {
    commit.events.iter().enumerate().map(|(index, bytes)| event(record, index, bytes)).collect()
}

fn event(record: &Record, index: usize, bytes: &[u8]) -> Result<ReadEvent, UnreadableRecord> {
    let position = commit::position(record.seq, index);
    match hindcast_events::decode(bytes) {
        Ok(Decoded::Known(envelope)) => {
            Ok(ReadEvent::Known(Box::new(envelope.at(position, record.subject.partition()))))
        }
        Ok(Decoded::Unknown { kind, version, raw }) => Ok(ReadEvent::Unknown { position, kind, version, raw }),
        Err(source) => Err(UnreadableRecord::Event { position, source }),
    }
}

/// Reads the event at `index` of a commit if `wants` says so of its type.
///
/// # Errors
/// When it is no event.
pub fn event_if(
    record: &Record,
    index: usize,
    bytes: &[u8],
    wants: impl Fn(&str) -> bool,
) -> Result<FilteredEvent, UnreadableRecord> {
    let position = commit::position(record.seq, index);
    match hindcast_events::decode_if(bytes, wants) {
        Ok(Some(Decoded::Known(envelope))) => {
            Ok(FilteredEvent::Known(Box::new(envelope.at(position, record.subject.partition()))))
        }
        Ok(Some(Decoded::Unknown { .. })) => Ok(FilteredEvent::Unknown),
        Ok(None) => Ok(FilteredEvent::PassedOver),
        Err(source) => Err(UnreadableRecord::Event { position, source }),
    }
}
