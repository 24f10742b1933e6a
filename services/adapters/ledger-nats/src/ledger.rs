//! The adapter: appends with an expectation and waits for the acknowledgement, reads from the leader. What
//! it cannot tell it answers as unknown; guessing is left to nobody.

use std::sync::Arc;

use async_nats::header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE;
use async_nats::jetstream::context::{ContextBuilder, PublishError, PublishErrorKind};
use async_nats::jetstream::{self, ErrorCode};
use async_nats::{Client, ConnectOptions, HeaderMap};
use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use hindcast_domain::Time;
use hindcast_domain::limits::COMMIT_BYTES_MAX;
use hindcast_ledger::heads::HeadsKeeper;
use hindcast_ledger::port::{Lease, LeaseError};
use hindcast_ledger::{AppendError, Info, Ledger, LedgerProgress, ReadError, Record, Seq, Subject, Tail};

use crate::boot;
use crate::broadcast::Broadcast;
use crate::lease::Leases;
use crate::options::{ClientError, OpenError, Options};
use crate::shared::{StreamCore, found, record_of, unavailable};
use crate::tail::StreamTail;

/// A racing publish in a cluster is refused with this code, which names no sequence.
const WRONG_LAST_SEQUENCE: [ErrorCode; 2] =
    [ErrorCode::STREAM_WRONG_LAST_SEQUENCE, ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT];
/// Subjects whose ends are asked for at once.
const LASTS_AT_ONCE: usize = 16;

/// The ledger. Cheap to clone; all clones are the same connection.
#[derive(Clone)]
pub struct NatsLedger {
    core: Arc<StreamCore>,
}

impl NatsLedger {
    /// Connects, makes the stream where there is none, and asserts that it is one to rely on.
    ///
    /// # Errors
    /// When no server answers, when the stream could lose what it acknowledged and nobody accepted that,
    /// or when it is not the ledger that is known here.
    pub async fn connect(options: Options) -> Result<Self, OpenError> {
        let client = connect(&options).await?;
        let context = ContextBuilder::new().timeout(options.timeout).ack_timeout(options.timeout).build(client.clone());
        let booted = Box::pin(boot::boot(&client, &context, &options)).await?;
        let failed =
            |source: ClientError| OpenError::Stream { step: "looked at", stream: options.stream.clone(), source };
        let stream = context.get_stream(&options.stream).await.map_err(|error| failed(Box::new(error)))?;
        let leases = Leases::open(&context, &options, &booted.ledger_id).await?;
        let info = Info { ledger_id: booted.ledger_id, kind: "nats", durability: booted.durability, shared: true };
        let mut core = StreamCore { client, context, stream, keeper: None, leases, info, recent: Arc::default() };
        if let Some(path) = &options.heads {
            let known = core.check_head(path).await?;
            core.keeper = Some(HeadsKeeper::start(path, &core.info.ledger_id, known)?);
        }
        Ok(Self { core: Arc::new(core) })
    }

    /// Shares this process's progress with all others of this ledger, and theirs with `progress`.
    #[must_use]
    pub fn share_progress(&self, progress: LedgerProgress, process: &str) -> Broadcast {
        Broadcast::start(self.core.client.clone(), &self.core.info.ledger_id, progress, process)
    }

    /// The broker's time: a writer that is ahead of it is not ready.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn broker_time(&self) -> Result<Time, ReadError> {
        let stream = &self.core.stream.cached_info().config.name;
        let subject = format!("$JS.API.STREAM.INFO.{stream}");
        let answer = self.core.client.request(subject, Bytes::new()).await.map_err(unavailable)?;
        let answer: serde_json::Value = serde_json::from_slice(&answer.payload).map_err(unavailable)?;
        let ts = answer.get("ts").and_then(serde_json::Value::as_str).unwrap_or_default();
        ts.parse().map_err(|error: hindcast_domain::time::NotATime| unavailable(error))
    }

    /// Writes the known head, sends what is still to be sent, and ends the connection's use.
    pub async fn close(&self) {
        let core = Arc::clone(&self.core);
        let stopped = tokio::task::spawn_blocking(move || core.keeper.as_ref().map(HeadsKeeper::stop)).await;
        if stopped.is_err() {
            tracing::error!("the keeper of the known heads panicked");
        }
        if let Err(error) = self.core.client.drain().await {
            tracing::debug!(%error, "the connection was gone already");
        }
    }
}

async fn connect(options: &Options) -> Result<Client, OpenError> {
    let mut connect = match &options.credentials {
        Some(credentials) => ConnectOptions::with_credentials(credentials).map_err(OpenError::Credentials)?,
        None => ConnectOptions::new(),
    };
    if let Some(path) = &options.root_certificates {
        connect = connect.add_root_certificates(path.clone());
    }
    connect
        .name("hindcast")
        .request_timeout(Some(options.timeout))
        .connection_timeout(options.timeout)
        .connect(options.url.as_str())
        .await
        .map_err(|source| OpenError::Connect { url: options.url.clone(), source: Box::new(source) })
}

/// What a failed publish means: only what the stream itself refused is known not to be written.
fn outcome(error: PublishError, subject: &Subject, expected: Seq) -> AppendError {
    let said = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<jetstream::Error>());
    let code = said.map(jetstream::Error::error_code);
    let full = code == Some(ErrorCode::STREAM_STORE_FAILED) && error.to_string().contains("maximum");
    match error.kind() {
        PublishErrorKind::WrongLastSequence => AppendError::Conflict { subject: subject.clone(), expected },
        _ if code.is_some_and(|code| WRONG_LAST_SEQUENCE.contains(&code)) => {
            AppendError::Conflict { subject: subject.clone(), expected }
        }
        PublishErrorKind::MaxAckPending | PublishErrorKind::MaxPayloadExceeded => {
            AppendError::Refused(error.to_string())
        }
        _ if full => AppendError::Refused(error.to_string()),
        _ => AppendError::Unknown { subject: subject.clone(), source: Box::new(error) },
    }
}

#[async_trait]
impl Ledger for NatsLedger {
    fn info(&self) -> &Info {
        &self.core.info
    }

    async fn append(&self, subject: &Subject, expected: Seq, payload: Bytes) -> Result<Seq, AppendError> {
        if payload.len() > COMMIT_BYTES_MAX {
            return Err(AppendError::TooLarge { max: COMMIT_BYTES_MAX, got: payload.len() });
        }
        let mut headers = HeaderMap::new();
        // No message id: its window is no promise, and the expectation alone tells our retry from a rival.
        headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, expected.to_string().as_str());
        let sent = self.core.context.publish_with_headers(subject.to_string(), headers, payload.clone()).await;
        let acknowledged = match sent {
            Ok(acknowledgement) => acknowledgement.await,
            Err(error) => Err(error),
        };
        let ack = acknowledged.map_err(|error| outcome(error, subject, expected))?;
        assert!(ack.sequence > expected, "a place lies behind what it follows");
        if let Some(keeper) = &self.core.keeper {
            keeper.note(ack.sequence, payload);
        }
        Ok(ack.sequence)
    }

    async fn first_after(&self, subject: &Subject, after: Seq) -> Result<Option<Record>, ReadError> {
        found(self.core.stream.get_first_raw_message_by_subject(subject.to_string(), after + 1).await)
    }

    async fn last(&self, subject: &Subject) -> Result<Option<Record>, ReadError> {
        found(self.core.stream.get_last_raw_message_by_subject(&subject.to_string()).await)
    }

    async fn get(&self, seq: Seq) -> Result<Option<Record>, ReadError> {
        self.core.get(seq).await
    }

    async fn head(&self) -> Result<Seq, ReadError> {
        self.core.head().await
    }

    async fn subjects(&self) -> Result<Vec<(Subject, Seq)>, ReadError> {
        let mut named = self.core.stream.info_with_subjects(">").await.map_err(unavailable)?;
        let mut subjects = Vec::new();
        while let Some(subject) = named.next().await {
            let (subject, _) = subject.map_err(unavailable)?;
            subjects.push(record_of(0, &subject, Bytes::new())?.subject);
        }
        let lasts = subjects.into_iter().map(|subject| async move {
            let last = self.last(&subject).await?;
            Ok((subject, last.map_or(0, |record| record.seq)))
        });
        let lasts: Vec<Result<_, ReadError>> = futures::stream::iter(lasts).buffered(LASTS_AT_ONCE).collect().await;
        lasts.into_iter().collect()
    }

    fn tail(&self, from: Seq) -> Box<dyn Tail> {
        Box::new(StreamTail::new(Arc::clone(&self.core), from))
    }

    async fn lease(&self, name: &str, holder: &str) -> Result<Box<dyn Lease>, LeaseError> {
        self.core.leases.take(name, holder).await
    }
}
