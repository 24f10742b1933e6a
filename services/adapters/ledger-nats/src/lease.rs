//! Leases: a second, tiny stream in memory, whose messages live for seconds. It is a hint about who is
//! alive, polled, and lost with the server; safety is the fence of an append.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE;
use async_nats::jetstream::context::Context;
use async_nats::jetstream::stream::{Config, LastRawMessageErrorKind, StorageType, Stream};
use async_trait::async_trait;
use hindcast_ledger::port::{Lease, LeaseError};
use tokio::sync::Mutex;

use crate::options::{ClientError, OpenError, Options};

/// What stands in place of a holder once a lease was given back.
const FREE: &[u8] = b"";

/// Where the leases of one ledger lie.
#[derive(Clone)]
pub(crate) struct Leases {
    context: Context,
    stream: Stream,
    config: Config,
    root: String,
}

impl Leases {
    pub(crate) async fn open(context: &Context, options: &Options, ledger_id: &str) -> Result<Self, OpenError> {
        let name = format!("{}_LEASES", options.stream);
        let root = format!("hclease.{ledger_id}");
        let config = Config {
            name: name.clone(),
            subjects: vec![format!("{root}.>")],
            storage: StorageType::Memory,
            max_messages_per_subject: 1,
            max_age: options.lease,
            duplicate_window: options.lease.min(Duration::from_secs(1)),
            allow_direct: false,
            ..Config::default()
        };
        let failed = |source| OpenError::Stream { step: "made", stream: name, source: Box::new(source) };
        let stream = context.get_or_create_stream(config.clone()).await.map_err(failed)?;
        Ok(Self { context: context.clone(), stream, config, root })
    }

    pub(crate) async fn take(&self, name: &str, holder: &str) -> Result<Box<dyn Lease>, LeaseError> {
        let unavailable = |source: ClientError| LeaseError::Unavailable(name.to_owned(), source);
        let subject = format!("{}.{}", self.root, token(name));
        let expected = match self.stream.get_last_raw_message_by_subject(&subject).await {
            Ok(last) if last.payload == FREE || last.payload == holder.as_bytes() => last.sequence,
            Ok(last) => {
                let holder = String::from_utf8_lossy(&last.payload).into_owned();
                return Err(LeaseError::Held { name: name.to_owned(), holder });
            }
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => 0,
            Err(error) => {
                // A stream in memory is gone with its server: it is made anew, and the next ask finds it.
                if let Err(error) = self.context.get_or_create_stream(self.config.clone()).await {
                    tracing::debug!(%error, "the stream of leases cannot be made");
                }
                return Err(unavailable(Box::new(error)));
            }
        };
        let held = LeaseRecord { leases: self.clone(), subject, holder: holder.to_owned(), seq: Mutex::new(expected) };
        if held.say(held.holder.as_bytes().to_vec()).await {
            return Ok(Box::new(held));
        }
        // Somebody was faster, or the server went away in between: only in the first case it is somebody's.
        match self.stream.get_last_raw_message_by_subject(&held.subject).await {
            Ok(last) if last.sequence != expected && last.payload != FREE && last.payload != holder.as_bytes() => {
                let holder = String::from_utf8_lossy(&last.payload).into_owned();
                Err(LeaseError::Held { name: name.to_owned(), holder })
            }
            Ok(_) => Err(unavailable("it was not taken".into())),
            Err(error) => Err(unavailable(Box::new(error))),
        }
    }
}

struct LeaseRecord {
    leases: Leases,
    subject: String,
    holder: String,
    seq: Mutex<u64>,
}

impl LeaseRecord {
    /// Says it again; false where it is no longer ours to say.
    async fn say(&self, what: Vec<u8>) -> bool {
        let mut seq = self.seq.lock().await;
        let mut headers = HeaderMap::new();
        headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, seq.to_string().as_str());
        let sent = self.leases.context.publish_with_headers(self.subject.clone(), headers, what.into()).await;
        match sent {
            Ok(acknowledged) => match acknowledged.await {
                Ok(ack) => {
                    *seq = ack.sequence;
                    true
                }
                Err(_) => false,
            },
            Err(_) => false,
        }
    }
}

#[async_trait]
impl Lease for LeaseRecord {
    async fn renew(&self) -> bool {
        self.say(self.holder.as_bytes().to_vec()).await
    }

    async fn release(&self) {
        if !self.say(FREE.to_vec()).await {
            tracing::debug!(subject = self.subject, "a lease could not be given back; it expires by itself");
        }
    }
}

/// A name as one word of a subject.
fn token(name: &str) -> String {
    let word = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => char::from(byte).to_string(),
        _ => format!("_{byte:02x}"),
    };
    name.bytes().map(word).collect()
}
