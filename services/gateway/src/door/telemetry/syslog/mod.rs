//! Syslog over TCP and UDP on one address. Owns the sockets: who may send, how much waits, and that a sender over TCP is
//! held up while the store takes nothing; what a message says stands in `message`.
//!
//! Syslog answers nothing: what is in memory when the process is killed is lost, and what a full queue of datagrams has no
//! room for is counted. It carries no credential either, so that networks are let in by name.

mod frames;
mod message;
mod network;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hindcast_http::HttpRefusal;
use hindcast_telemetry::Shared;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{Semaphore, mpsc, watch};

pub use self::network::{AddressRange, NoNetwork};

use self::frames::{MESSAGE_BYTES_MAX, SyslogStream};
use super::intake::{Intake, RecordKind};
use super::reading::off;
use crate::Gateway;

/// The service of messages that name no program.
const SERVICE: &str = "syslog";
/// Connections at once; further ones are closed.
const CONNECTIONS_MAX: usize = 512;
/// Datagrams that wait.
const QUEUE_MAX: usize = 10_000;
/// Messages that are written together.
const BATCH_MAX: usize = 1_000;
/// Bytes that are read at once.
const READ_BYTES: usize = 64 * 1024;
/// How long messages are gathered before they are written.
const GATHER: Duration = Duration::from_millis(100);
/// The pause before what the store refused is offered again.
const AGAIN: Duration = Duration::from_secs(1);

/// The table `[syslog]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SyslogOptions {
    /// The address for TCP and UDP; none where absent.
    pub listen: Option<SocketAddr>,
    /// The environment of all messages; `production` where absent.
    pub environment: Option<String>,
    /// The networks that may send, beside this machine.
    pub allow: Vec<AddressRange>,
}

/// Why syslog cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum SyslogError {
    /// Anybody could send.
    #[error(
        "expected the networks that may send in `allow` of [syslog], since {0} is no loopback address and syslog has no credential"
    )]
    Open(SocketAddr),
    /// The address cannot be had.
    #[error("the syslog address {0}: {1}")]
    Address(SocketAddr, #[source] std::io::Error),
}

impl SyslogOptions {
    /// Whether the address is not open to everybody.
    ///
    /// # Errors
    /// When it is, and no network is named.
    pub fn check(&self) -> Result<(), SyslogError> {
        match self.listen {
            Some(listen) if !listen.ip().is_loopback() && self.allow.is_empty() => Err(SyslogError::Open(listen)),
            _ => Ok(()),
        }
    }

    fn lets_in(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_loopback() || self.allow.iter().any(|range| range.holds(address))
    }
}

/// Sockets that are bound and not read yet.
#[derive(Debug)]
pub struct SyslogListener {
    tcp: TcpListener,
    udp: UdpSocket,
    options: SyslogOptions,
}

impl SyslogListener {
    /// Listens on the address of the options, if one is there.
    ///
    /// # Errors
    /// When anybody could send, or the address cannot be had.
    pub async fn bind(options: SyslogOptions) -> Result<Option<Self>, SyslogError> {
        options.check()?;
        let Some(listen) = options.listen else { return Ok(None) };
        let wrong = |error| SyslogError::Address(listen, error);
        let tcp = TcpListener::bind(listen).await.map_err(wrong)?;
        let udp = UdpSocket::bind(tcp.local_addr().map_err(wrong)?).await.map_err(wrong)?;
        Ok(Some(Self { tcp, udp, options }))
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Takes messages until `closing`; what came whole by then is written.
    pub async fn run(self, gateway: Gateway, closing: watch::Receiver<bool>) {
        let Some(store) = gateway.inner.telemetry.clone() else {
            tracing::warn!("syslog is not read: this process keeps no telemetry");
            return;
        };
        let environment = self.options.environment.clone();
        let writer = Arc::new(SyslogWriter { gateway, store, environment, closing });
        let (tcp, udp, options) = (self.tcp, self.udp, Arc::new(self.options));
        let (queue, datagrams) = mpsc::channel(QUEUE_MAX);
        tokio::join!(
            accept(tcp, Arc::clone(&options), Arc::clone(&writer)),
            receive(udp, options, Arc::clone(&writer), queue),
            write_datagrams(datagrams, writer),
        );
    }
}

/// Writes messages into the store of telemetry.
struct SyslogWriter {
    gateway: Gateway,
    store: Shared,
    environment: Option<String>,
    closing: watch::Receiver<bool>,
}

impl SyslogWriter {
    async fn closed(&self) {
        let mut closing = self.closing.clone();
        // A sender that is gone closes too.
        drop(closing.wait_for(|closing| *closing).await);
    }

    fn dropped(&self, why: &'static str) {
        self.gateway.inner.metrics.count("hindcast_syslog_dropped_total", &[("why", why)], 1.0);
    }

    /// Writes messages that came at once. It ends when the store has them, or when the process ends.
    async fn write(&self, messages: Vec<Vec<u8>>) {
        if messages.is_empty() {
            return;
        }
        let (now, environment) = (self.gateway.now(), self.environment.clone());
        let bytes = messages.iter().map(Vec::len).sum();
        let gathered = off(bytes, move || Ok(gather(&messages, environment.as_ref(), now))).await;
        let mut intake = match gathered {
            Ok(intake) => intake,
            Err(HttpRefusal(problem)) => {
                tracing::error!(detail = problem.detail, "syslog messages could not be read");
                return;
            }
        };
        intake.count_bad(&self.gateway.inner.metrics);
        for (partition, batch) in intake.take_batches() {
            while let Err(error) = self.store.append(&partition, batch.clone()).await {
                tracing::warn!(%error, "the telemetry store takes nothing; syslog waits");
                tokio::select! {
                    () = tokio::time::sleep(AGAIN) => {}
                    () = self.closed() => return,
                }
            }
        }
        intake.count_good(&self.gateway.inner.metrics);
    }
}

fn gather(messages: &[Vec<u8>], environment: Option<&String>, now: hindcast_domain::Time) -> Intake {
    let mut intake = Intake::new(RecordKind::Log, now, SERVICE);
    for (index, message) in messages.iter().enumerate() {
        let mut line = message::line(message, now);
        line.environment = environment.cloned();
        if line.message.is_empty() {
            intake.mend("text", 1);
            line.message = line.labels.get("msgid").cloned().unwrap_or_else(|| NO_TEXT.to_owned());
        }
        if let Err(bad) = intake.line(line) {
            intake.reject(index, 1, &bad);
        }
    }
    intake
}

/// What stands for a message that says nothing.
const NO_TEXT: &str = "(no text)";

async fn accept(listener: TcpListener, options: Arc<SyslogOptions>, writer: Arc<SyslogWriter>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut open = tokio::task::JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = writer.closed() => break,
        };
        match accepted {
            Ok((_, from)) if !options.lets_in(from.ip()) => writer.dropped("address"),
            Ok((stream, _)) => match Arc::clone(&room).try_acquire_owned() {
                Ok(place) => {
                    let writer = Arc::clone(&writer);
                    open.spawn(async move {
                        read(stream, &writer).await;
                        drop(place);
                    });
                }
                Err(_) => writer.dropped("connections"),
            },
            Err(error) => {
                tracing::warn!(%error, "a connection for syslog was not made");
                tokio::time::sleep(AGAIN).await;
            }
        }
        while open.try_join_next().is_some() {}
    }
    while open.join_next().await.is_some() {}
}

/// Reads a connection to its end. Nothing is read while what came is written, which holds up the sender.
async fn read(mut stream: TcpStream, writer: &SyslogWriter) {
    let mut frames = SyslogStream::default();
    let mut buffer = vec![0; READ_BYTES];
    let mut is_open = true;
    while is_open {
        let mut messages = Vec::new();
        let gathering = tokio::time::sleep(GATHER);
        tokio::pin!(gathering);
        let mut waits = true;
        while is_open && messages.len() < BATCH_MAX {
            let read = tokio::select! {
                read = stream.read(&mut buffer) => read,
                () = &mut gathering, if !waits => break,
                () = writer.closed() => Ok(0),
            };
            let count = read.unwrap_or(0);
            is_open = count > 0;
            frames.push(buffer.get(..count).unwrap_or_default(), |message| messages.push(message.to_vec()));
            if waits {
                waits = false;
                gathering.as_mut().reset(tokio::time::Instant::now() + GATHER);
            }
        }
        writer.write(messages).await;
    }
    let mut last = Vec::new();
    frames.finish(|message| last.push(message.to_vec()));
    writer.write(last).await;
}

/// Takes datagrams off the socket, each one message, while there is room.
async fn receive(
    socket: UdpSocket,
    options: Arc<SyslogOptions>,
    writer: Arc<SyslogWriter>,
    queue: mpsc::Sender<Vec<u8>>,
) {
    let mut buffer = vec![0; MESSAGE_BYTES_MAX];
    loop {
        let received = tokio::select! {
            received = socket.recv_from(&mut buffer) => received,
            () = writer.closed() => return,
        };
        match received {
            Ok((_, from)) if !options.lets_in(from.ip()) => writer.dropped("address"),
            Ok((count, _)) => {
                let message = buffer.get(..count).unwrap_or_default().to_vec();
                if queue.try_send(message).is_err() {
                    writer.dropped("queue");
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a datagram of syslog was not read");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

async fn write_datagrams(mut queue: mpsc::Receiver<Vec<u8>>, writer: Arc<SyslogWriter>) {
    let mut messages = Vec::new();
    while queue.recv_many(&mut messages, BATCH_MAX).await > 0 {
        tokio::time::sleep(GATHER).await;
        while messages.len() < BATCH_MAX
            && let Ok(message) = queue.try_recv()
        {
            messages.push(message);
        }
        writer.write(std::mem::take(&mut messages)).await;
    }
}
