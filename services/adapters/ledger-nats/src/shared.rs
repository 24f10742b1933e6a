//! What the adapter and its readers share: the connection, the stream, and how its messages become records.

use std::sync::Arc;

use async_nats::Client;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::Context;
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{LastRawMessageErrorKind, RawMessageError, Stream};
use bytes::Bytes;
use hindcast_ledger::heads::{self, HeadsKeeper};
use hindcast_ledger::{Info, ReadError, RecentRecords, Record, RecordMemo, Seq, Subject};

use crate::lease::Leases;
use crate::options::OpenError;

/// What the adapter and its readers share.
pub(crate) struct StreamCore {
    pub(crate) client: Client,
    pub(crate) context: Context,
    pub(crate) stream: Stream,
    pub(crate) keeper: Option<HeadsKeeper>,
    pub(crate) leases: Leases,
    pub(crate) info: Info,
    /// What some tail of this process has read and others have not.
    pub(crate) recent: Arc<RecentRecords>,
}

impl StreamCore {
    pub(crate) async fn check_head(&self, path: &std::path::Path) -> Result<Seq, OpenError> {
        let Some(known) = heads::read(path)? else {
            return Ok(0);
        };
        let last = self.head().await?;
        // A record that cannot be read is not the one that was durable there.
        let at = self.get(known.seq).await.ok().flatten();
        heads::check(&known, &self.info.ledger_id, last, at.as_ref())?;
        Ok(known.seq)
    }

    pub(crate) async fn head(&self) -> Result<Seq, ReadError> {
        Ok(self.stream.get_info().await.map_err(unavailable)?.state.last_sequence)
    }

    pub(crate) async fn get(&self, seq: Seq) -> Result<Option<Record>, ReadError> {
        if seq == 0 {
            return Ok(None);
        }
        found(self.stream.get_raw_message(seq).await)
    }
}

pub(crate) fn unavailable(source: impl std::error::Error + Send + Sync + 'static) -> ReadError {
    ReadError::Unavailable(Box::new(source))
}

/// A message of the stream as a record; a subject that is none of ours is damage.
pub(crate) fn record_of(seq: Seq, subject: &str, payload: Bytes) -> Result<Record, ReadError> {
    let subject: Subject = subject.parse().map_err(|error: hindcast_ledger::subject::NotASubject| {
        ReadError::Damaged { seq, detail: error.to_string() }
    })?;
    Ok(Record { seq, subject, payload, memo: RecordMemo::default() })
}

pub(crate) fn found(answer: Result<StreamMessage, RawMessageError>) -> Result<Option<Record>, ReadError> {
    match answer {
        Ok(message) => record_of(message.sequence, &message.subject, message.payload).map(Some),
        Err(error) => match error.kind() {
            LastRawMessageErrorKind::NoMessageFound => Ok(None),
            LastRawMessageErrorKind::JetStream(said) if said.error_code() == ErrorCode::NO_MESSAGE_FOUND => Ok(None),
            _ => Err(unavailable(error)),
        },
    }
}
