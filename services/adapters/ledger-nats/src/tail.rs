//! A reader of the whole order. It keeps its own position, takes messages of a consumer that is recreated
//! from there, and trusts the consumer with nothing: a jump in the sequence reopens it, and a watchdog
//! compares with the stream's end whenever nothing comes. Consumers have been seen to hang and to skip.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::pull;
use async_trait::async_trait;
use futures::{FutureExt, StreamExt};
use hindcast_ledger::{ReadError, RecentReader, Record, Seq, Tail};

use crate::boot::reader_config;
use crate::options::ClientError;
use crate::shared::{StreamCore, record_of};

/// Silence after which the stream's end is looked at.
const WATCH: Duration = Duration::from_secs(1);
/// Messages that one pull asks for, so that 32 MiB may be under way.
const PULL_MESSAGES: usize = 64;
/// Records that one read answers at most.
const BATCH_RECORDS_MAX: usize = 256;
/// The pause after a failure, at first and at most; they are told after so many in a row.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
const FAILURES_MAX: u32 = 10;

pub(crate) struct StreamTail {
    core: Arc<StreamCore>,
    recent: RecentReader,
    next: Seq,
    /// What was read at last, where anything was: the stream can never end before it again.
    seen: Seq,
    messages: Option<pull::Stream>,
    ready: Vec<Record>,
    /// How often in a row this place did not come by the consumer.
    stalls: u32,
    failures: u32,
    pause: Duration,
}

/// What one look at the consumer brought.
enum Looked {
    Records,
    /// A place is missing or nothing came although there is something.
    Stalled,
    Nothing,
    Failed(ClientError),
}

impl StreamTail {
    pub(crate) fn new(core: Arc<StreamCore>, from: Seq) -> Self {
        let next = from.max(1);
        Self {
            recent: core.recent.reader(next),
            core,
            next,
            seen: 0,
            messages: None,
            ready: Vec::new(),
            stalls: 0,
            failures: 0,
            pause: PAUSE.0,
        }
    }

    async fn look(&mut self) -> Result<Looked, ReadError> {
        if self.messages.is_none() {
            match self.open().await {
                Ok(messages) => self.messages = Some(messages),
                Err(source) => return Ok(Looked::Failed(source)),
            }
        }
        let Some(messages) = self.messages.as_mut() else {
            return Ok(Looked::Nothing);
        };
        let mut arrived = match tokio::time::timeout(WATCH, messages.next()).await {
            Err(_) => return self.watch().await,
            Ok(None) => return Ok(Looked::Failed("the consumer ended".into())),
            Ok(Some(message)) => message,
        };
        // From here to the end nothing waits, so a dropped future has lost nothing.
        loop {
            let message = match arrived {
                Ok(message) => message,
                Err(error) => return Ok(self.unless_ready(Looked::Failed(Box::new(error)))),
            };
            let seq = match message.info() {
                Ok(info) => info.stream_sequence,
                Err(source) => return Ok(self.unless_ready(Looked::Failed(source))),
            };
            if seq > self.next {
                return Ok(self.unless_ready(Looked::Stalled));
            }
            if seq == self.next {
                let message = message.message;
                match record_of(seq, &message.subject, message.payload) {
                    Ok(record) => self.take(record),
                    Err(error) if self.ready.is_empty() => return Err(error),
                    Err(_) => return Ok(Looked::Records),
                }
            }
            if self.ready.len() >= BATCH_RECORDS_MAX {
                return Ok(Looked::Records);
            }
            let more = self.messages.as_mut().and_then(|messages| messages.next().now_or_never());
            match more.flatten() {
                Some(more) => arrived = more,
                None => {
                    return Ok(if self.ready.is_empty() { Looked::Nothing } else { Looked::Records });
                }
            }
        }
    }

    fn take(&mut self, record: Record) {
        assert_eq!(record.seq, self.next, "a tail reads in order");
        self.seen = record.seq;
        self.next += 1;
        self.stalls = 0;
        self.ready.push(self.recent.share(record));
        self.recent.passed(self.next);
    }

    /// What was read comes first; what is wrong shows again with the next look.
    fn unless_ready(&mut self, otherwise: Looked) -> Looked {
        if self.ready.is_empty() {
            return otherwise;
        }
        self.messages = None;
        Looked::Records
    }

    async fn open(&self) -> Result<pull::Stream, ClientError> {
        let consumer = self.core.stream.create_consumer(reader_config(self.next)).await?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(PULL_MESSAGES)
            .expires(Duration::from_secs(10))
            .heartbeat(Duration::from_secs(3))
            .messages()
            .await?;
        Ok(messages)
    }

    /// Nothing came for a while: is there nothing?
    async fn watch(&mut self) -> Result<Looked, ReadError> {
        let head = match self.core.head().await {
            Ok(head) => head,
            Err(error) => return Ok(Looked::Failed(Box::new(error))),
        };
        if head < self.seen {
            let detail = format!("the stream ends at {head}, {} was read already", self.seen);
            return Err(ReadError::Damaged { seq: head + 1, detail });
        }
        Ok(if head >= self.next { Looked::Stalled } else { Looked::Nothing })
    }

    /// The consumer does not bring this place: reopen it, and then ask the leader for it.
    async fn stalled(&mut self) -> Result<(), ReadError> {
        self.messages = None;
        self.stalls += 1;
        if self.stalls < 2 {
            return Ok(());
        }
        tracing::warn!(seq = self.next, "a consumer does not bring a message that is there; reading it directly");
        match self.core.get(self.next).await? {
            Some(record) => {
                self.take(record);
                Ok(())
            }
            None => {
                let detail = "the stream goes on behind this place and has nothing in it".to_owned();
                Err(ReadError::Damaged { seq: self.next, detail })
            }
        }
    }

    async fn failed(&mut self, source: ClientError) -> Result<(), ReadError> {
        self.messages = None;
        self.failures += 1;
        if self.failures >= FAILURES_MAX {
            self.failures = 0;
            return Err(ReadError::Unavailable(source));
        }
        tracing::debug!(error = %source, seq = self.next, "a reader lost its consumer; trying again");
        let pause = self.pause;
        self.pause = (pause * 2).min(PAUSE.1);
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

#[async_trait]
impl Tail for StreamTail {
    async fn next(&mut self) -> Result<Vec<Record>, ReadError> {
        loop {
            if !self.ready.is_empty() {
                self.failures = 0;
                self.pause = PAUSE.0;
                return Ok(std::mem::take(&mut self.ready));
            }
            match self.look().await? {
                Looked::Records => {}
                Looked::Nothing => self.failures = 0,
                Looked::Stalled => self.stalled().await?,
                Looked::Failed(source) => self.failed(source).await?,
            }
        }
    }
}
