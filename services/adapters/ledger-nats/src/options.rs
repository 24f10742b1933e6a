//! What connecting takes, and every reason why a ledger on JetStream is refused.

use std::path::PathBuf;
use std::time::Duration;

use hindcast_ledger::ReadError;
use hindcast_ledger::heads::HeadsError;

/// What a ledger is connected with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Servers, such as `nats://127.0.0.1:4222`; several separated by commas. May hold a user and password.
    pub url: String,
    /// A credentials file's content.
    pub credentials: Option<String>,
    /// Certificates to trust beside the system's.
    pub root_certificates: Option<PathBuf>,
    /// The server's monitoring address, such as `http://127.0.0.1:8222`: only there does it say whether it
    /// syncs before it acknowledges.
    pub monitoring: Option<String>,
    /// Somebody accepts that acknowledged commits may be lost with a machine.
    pub accept_lossy: bool,
    /// The identity of a new ledger; drawn at random where it is `None`. An existing one must have it.
    pub ledger_id: Option<String>,
    /// The stream's name.
    pub stream: String,
    /// Copies of a new stream.
    pub replicas: usize,
    /// Where the known heads lie; `None` keeps none, and a stream that was cut is then not found.
    pub heads: Option<PathBuf>,
    /// The server's own window for message ids. We send none; it is set so that nobody relies on it.
    pub duplicate_window: Duration,
    /// How long an acknowledgement or answer is waited for.
    pub timeout: Duration,
    /// How long a lease lives that nobody renews.
    pub lease: Duration,
}

impl Options {
    /// The usual ones, at `url`.
    #[must_use]
    pub fn at(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            credentials: None,
            root_certificates: None,
            monitoring: None,
            accept_lossy: false,
            ledger_id: None,
            stream: "HINDCAST".to_owned(),
            replicas: 1,
            heads: None,
            duplicate_window: Duration::from_secs(120),
            timeout: Duration::from_secs(5),
            lease: Duration::from_secs(5),
        }
    }

    /// The same, with an identity.
    #[must_use]
    pub fn with_id(mut self, ledger_id: &str) -> Self {
        self.ledger_id = Some(ledger_id.to_owned());
        self
    }
}

/// An error of the client library, whichever it was.
pub type ClientError = Box<dyn std::error::Error + Send + Sync>;

/// Why a ledger on JetStream is refused.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The credentials are none.
    #[error("the NATS credentials cannot be read")]
    Credentials(#[source] std::io::Error),
    /// No server answers.
    #[error("no NATS server answers at {url}")]
    Connect {
        /// The server's URL, without credentials.
        url: String,
        /// The NATS client's error.
        #[source]
        source: ClientError,
    },
    /// A server of a version that has known losses.
    #[error("expected nats-server {least} or newer, got {got:?}; upgrade it")]
    Version {
        /// The least version.
        least: &'static str,
        /// What it says.
        got: String,
    },
    /// The stream cannot be made or looked at.
    #[error("the stream {stream} cannot be {step}")]
    Stream {
        /// What was tried.
        step: &'static str,
        /// The JetStream stream's name.
        stream: String,
        /// The NATS client's error.
        #[source]
        source: ClientError,
    },
    /// The stream could lose or change what it holds.
    #[error("the stream {stream} must not be used: expected {}", .wrong.join("; expected "))]
    Unfit {
        /// The JetStream stream's name.
        stream: String,
        /// Each setting that is wrong: what was expected, what came, what to do.
        wrong: Vec<String>,
    },
    /// It was not seen that the server syncs before it acknowledges.
    #[error(
        "{why}; an acknowledged commit could be lost with the machine. Set `sync_interval: always` and name the \
             monitoring address, or accept it with --accept-lossy-ledger"
    )]
    Lossy {
        /// What was not seen.
        why: String,
    },
    /// Another ledger lies there.
    #[error("expected ledger {expected} in this stream, found {got}")]
    OtherLedger {
        /// Asked for.
        expected: String,
        /// There.
        got: String,
    },
    /// A stream that nobody of ours made.
    #[error("the stream {0} has no ledger's identity; it is not one of ours")]
    NoIdentity(String),
    /// The system gave no randomness for a new identity.
    #[error("the system gives no random bytes for a new ledger's id: {0}")]
    Random(getrandom::Error),
    /// It is not the ledger that is known here, or a part of it is lost.
    #[error("the ledger does not fit what is known of it")]
    Heads(#[from] HeadsError),
    /// The known head cannot be compared.
    #[error("the ledger cannot be read")]
    Read(#[from] ReadError),
}
