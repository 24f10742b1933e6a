//! Reading: records become commits, commits become events with their places.

use hindcast_domain::event::Recorded;
use hindcast_events::{DecodeError, Decoded};
use serde_json::Value;

use hindcast_ledger::commit::{self, Commit, Malformed};
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
    let partition = record.subject.partition();
    let read = |(index, bytes): (usize, &Vec<u8>)| {
        let position = commit::position(record.seq, index);
        match hindcast_events::decode(bytes) {
            Ok(Decoded::Known(envelope)) => Ok(ReadEvent::Known(Box::new(envelope.at(position, partition)))),
            Ok(Decoded::Unknown { kind, version, raw }) => Ok(ReadEvent::Unknown { position, kind, version, raw }),
            Err(source) => Err(UnreadableRecord::Event { position, source }),
        }
    };
    commit.events.iter().enumerate().map(read).collect()
}
