//! Socket mode: deliveries over a connection that we open, for installations that no vendor can reach. Owns that a
//! delivery is acknowledged only once it is durable, that a new connection stands before an old one is left, and
//! that a silent one is given up. Source: Slack, "Using Socket Mode".

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use hindcast_messaging::chat::{Error, Inbox, VendorDelivery};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::wire::SlackWebApi;
use hindcast_domain::Secret;
use hindcast_messaging::Misconfigured;

/// The longest frame that is read, in bytes.
const FRAME_MAX: usize = 1024 * 1024;
/// A connection that is silent for so long is given up: Slack pings every few seconds.
const SILENT_MAX: Duration = Duration::from_secs(60);
/// The pause between two attempts to connect, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));
/// How long one attempt to connect may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(15);
/// How long a delivery may take to become durable before the vendor is left to deliver again.
const TAKE_WITHIN: Duration = Duration::from_millis(2_900);

type SocketStream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// How the connection is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Whether it stands.
    pub connected: bool,
    /// How often it was opened.
    pub opened: u64,
    /// Deliveries that were acknowledged.
    pub acknowledged: u64,
    /// Deliveries that were not, so that the vendor delivers again.
    pub refused: u64,
    /// Why it was lost last.
    pub last_error: Option<String>,
}

/// Socket mode.
#[derive(Clone, Debug)]
pub struct Socket {
    wire: SlackWebApi,
    health: Arc<Mutex<Health>>,
}

/// Why a connection ended.
enum ConnectionEnd {
    /// The vendor wants another one.
    Refresh,
    /// It broke, or was given up.
    Lost(String),
    /// We were asked to stop.
    Asked,
}

impl Socket {
    /// Socket mode, by its settings alone: nothing is connected to.
    ///
    /// # Errors
    /// When a setting cannot be worked with.
    pub fn open(api_url: &str, app_token: impl Into<Secret>) -> Result<Self, Misconfigured> {
        let wire = SlackWebApi::new(api_url, app_token.into(), Duration::from_secs(10))?;
        Ok(Self { wire, health: Arc::default() })
    }

    /// How the connection is.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, change: impl FnOnce(&mut Health)) {
        change(&mut self.health.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Hands deliveries to the inbox until `shutdown`.
    pub async fn run(self, inbox: Arc<dyn Inbox>, mut shutdown: watch::Receiver<bool>) {
        let mut pause = PAUSE.0;
        while !*shutdown.borrow() {
            let began = Instant::now();
            let ended = match self.connect().await {
                Ok(stream) => {
                    self.note(|health| {
                        health.connected = true;
                        health.opened += 1;
                    });
                    self.listen(stream, &inbox, &mut shutdown).await
                }
                Err(error) => ConnectionEnd::Lost(error),
            };
            self.note(|health| health.connected = false);
            match ended {
                ConnectionEnd::Asked => return,
                ConnectionEnd::Refresh => {
                    pause = PAUSE.0;
                    continue;
                }
                ConnectionEnd::Lost(why) => {
                    tracing::warn!(why, "the connection to Slack was lost");
                    self.note(|health| health.last_error = Some(why));
                }
            }
            // Whoever was connected for a while begins gently again.
            if began.elapsed() > PAUSE.1 {
                pause = PAUSE.0;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = shutdown.changed() => {}
            }
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    /// Opens a connection at the address that Slack names for it.
    async fn connect(&self) -> Result<SocketStream, String> {
        let opened = self.wire.call("apps.connections.open", &json!({})).await.map_err(|error| match error {
            Error::Again { detail, .. } | Error::Gone(detail) | Error::Never(detail) => detail,
        })?;
        let address = opened["url"].as_str().unwrap_or_default();
        let plain = address.starts_with("ws://127.0.0.1") || address.starts_with("ws://localhost");
        if !(address.starts_with("wss://") || plain && self.wire.is_local()) {
            return Err("Slack named an address that is not wss".to_owned());
        }
        let config = WebSocketConfig::default().max_message_size(Some(FRAME_MAX)).max_frame_size(Some(FRAME_MAX));
        let connect = tokio_tungstenite::connect_async_with_config(address, Some(config), true);
        match tokio::time::timeout(CONNECT_WITHIN, connect).await {
            Ok(Ok((stream, _))) => Ok(stream),
            // What went wrong may name the address, which is a secret for as long as it lives.
            Ok(Err(_)) => Err("the socket could not be opened".to_owned()),
            Err(_) => Err("the socket did not open in time".to_owned()),
        }
    }

    async fn listen(
        &self,
        mut stream: SocketStream,
        inbox: &Arc<dyn Inbox>,
        shutdown: &mut watch::Receiver<bool>,
    ) -> ConnectionEnd {
        loop {
            let frame = tokio::select! {
                _ = shutdown.changed() => {
                    stream.close(None).await.ok();
                    return ConnectionEnd::Asked;
                }
                frame = tokio::time::timeout(SILENT_MAX, stream.next()) => frame,
            };
            let text = match frame {
                Err(_) => return ConnectionEnd::Lost(format!("silent for {} s", SILENT_MAX.as_secs())),
                Ok(None) => return ConnectionEnd::Lost("the vendor closed it".to_owned()),
                Ok(Some(Err(_))) => return ConnectionEnd::Lost("it broke off".to_owned()),
                Ok(Some(Ok(Message::Text(text)))) => text,
                Ok(Some(Ok(Message::Close(_)))) => return ConnectionEnd::Lost("the vendor closed it".to_owned()),
                // Pings are answered by the library, when we next read or write.
                Ok(Some(Ok(_))) => {
                    if stream.flush().await.is_err() {
                        return ConnectionEnd::Lost("it broke off".to_owned());
                    }
                    continue;
                }
            };
            let Ok(envelope) = serde_json::from_str::<Value>(&text) else {
                self.note(|health| health.refused += 1);
                continue;
            };
            match envelope["type"].as_str().unwrap_or_default() {
                "hello" => {}
                "disconnect" => {
                    let why = envelope["reason"].as_str().unwrap_or_default();
                    // The vendor says beforehand that it will close: a warning, or a refresh.
                    return if why == "link_disabled" {
                        ConnectionEnd::Lost("socket mode was switched off for the app".to_owned())
                    } else {
                        ConnectionEnd::Refresh
                    };
                }
                kind => {
                    if let Some(answer) = self.take(inbox, kind, &envelope).await
                        && stream.send(Message::text(answer.to_string())).await.is_err()
                    {
                        return ConnectionEnd::Lost("it broke off".to_owned());
                    }
                }
            }
        }
    }

    /// Makes a delivery durable; the acknowledgement, if it became so.
    async fn take(&self, inbox: &Arc<dyn Inbox>, kind: &str, envelope: &Value) -> Option<Value> {
        let id = envelope["envelope_id"].as_str()?;
        let delivery = VendorDelivery { kind: kind.to_owned(), payload: envelope["payload"].clone() };
        let taken = tokio::time::timeout(TAKE_WITHIN, inbox.take(delivery)).await;
        match taken {
            Ok(Ok(payload)) => {
                self.note(|health| health.acknowledged += 1);
                let mut answer = json!({"envelope_id": id});
                if let Some(payload) = payload.filter(|_| envelope["accepts_response_payload"] == true) {
                    answer["payload"] = payload;
                }
                Some(answer)
            }
            Ok(Err(_)) | Err(_) => {
                self.note(|health| health.refused += 1);
                tracing::warn!("a delivery of Slack's did not become durable; it is left to come again");
                None
            }
        }
    }
}
