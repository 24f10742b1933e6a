//! Stand-ins that speak the protocols of those who are sent notifications, over real sockets of this machine, and the
//! suite that every notifier runs. Owns how a stand-in behaves; what each vendor takes stands in a file of its own.

mod mail;
mod protocol;
mod suite;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;

pub use mail::{MailStandIn, TakenMail};
pub use suite::{NotifierUnderTest, SECRET, hostile, message, notifier_suite};

/// Whose protocol a stand-in speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VendorKind {
    /// Our own webhook: any 2xx.
    Webhook,
    /// Events API v2.
    PagerDuty,
    /// Opsgenie's alert API.
    Opsgenie,
    /// What takes an Alertmanager's webhook.
    Alertmanager,
    /// An incoming webhook of Slack.
    Slack,
    /// A webhook of Discord.
    Discord,
    /// An incoming webhook of Mattermost.
    Mattermost,
    /// The Bot API.
    Telegram,
    /// ntfy's publishing as JSON.
    Ntfy,
    /// An API that takes JSON with a `text`.
    Http,
}

/// What becomes of a request whose form and credential are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VendorMode {
    /// It is taken, and answered.
    Take,
    /// It is taken, and never answered.
    LoseReply,
    /// The vendor wants to be left alone for so many seconds.
    Limit(u64),
    /// The vendor cannot work now.
    Down,
    /// The vendor refuses the message.
    Refuse,
}

/// A request that a stand-in got.
#[derive(Clone, Debug)]
pub struct VendorRequest {
    /// `GET` or `POST`, as it came.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in small letters, with what they hold.
    pub headers: HeaderMap,
    /// All bytes behind the headers.
    pub body: Vec<u8>,
}

impl VendorRequest {
    /// A header; empty where there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON; null where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A message as a vendor understood it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenMessage {
    /// What the vendor tells repeats by; empty where it cannot.
    pub key: String,
    /// `open`, `acknowledge` or `close`, where the vendor keeps something open; otherwise `open`.
    pub action: &'static str,
    /// What people read, with the vendor's markup.
    pub text: String,
}

/// A refusal: a status, and the vendor's body.
pub(crate) type VendorRefusal = (u16, Value);

#[derive(Default)]
struct VendorRecord {
    requests: Vec<VendorRequest>,
    taken: Vec<TakenMessage>,
}

struct VendorDesk {
    kind: VendorKind,
    secret: String,
    mode: Mutex<VendorMode>,
    record: Mutex<VendorRecord>,
}

/// A stand-in of a vendor that listens on this machine. It ends with the value.
pub struct VendorStandIn {
    base: String,
    desk: Arc<VendorDesk>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for VendorStandIn {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl VendorStandIn {
    /// A stand-in that takes everything that carries this secret as its protocol carries it.
    pub async fn start(kind: VendorKind, secret: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let desk = Arc::new(VendorDesk {
            kind,
            secret: secret.to_owned(),
            mode: Mutex::new(VendorMode::Take),
            record: Mutex::default(),
        });
        let router = Router::new().fallback(take).with_state(Arc::clone(&desk));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, desk, serving }
    }

    /// The address that a receiver is configured with, with this secret where the address carries it.
    #[must_use]
    pub fn url(&self, secret: &str) -> String {
        let path = match self.desk.kind {
            VendorKind::PagerDuty => "/v2/enqueue".to_owned(),
            VendorKind::Opsgenie => "/v2/alerts".to_owned(),
            VendorKind::Slack => format!("/services/T00000000/B00000000/{secret}"),
            VendorKind::Discord => format!("/api/webhooks/1234567890/{secret}"),
            VendorKind::Mattermost | VendorKind::Webhook => format!("/hooks/{secret}"),
            VendorKind::Alertmanager | VendorKind::Http => "/hook".to_owned(),
            VendorKind::Telegram | VendorKind::Ntfy => String::new(),
        };
        format!("{}{path}", self.base)
    }

    /// What becomes of requests from now on.
    pub fn mode(&self, mode: VendorMode) {
        *self.desk.mode.lock().unwrap() = mode;
    }

    /// Every request so far, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<VendorRequest> {
        self.desk.record.lock().unwrap().requests.clone()
    }

    /// Every message that was taken, oldest first, repeats included.
    #[must_use]
    pub fn taken(&self) -> Vec<TakenMessage> {
        self.desk.record.lock().unwrap().taken.clone()
    }
}

async fn take(
    State(desk): State<Arc<VendorDesk>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let target = uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let request = VendorRequest { method: method.to_string(), target, headers, body: body.to_vec() };
    desk.record.lock().unwrap().requests.push(request.clone());
    let mode = *desk.mode.lock().unwrap();
    let vendor = protocol::of(desk.kind);
    if let Some(status) = vendor.status(&request) {
        return answer(200, &status, None);
    }
    let judged = (vendor.judge)(&request, &desk.secret);
    let taken = match (judged, mode) {
        (Err((status, body)), _) => return answer(status, &body, None),
        (Ok(_), VendorMode::Limit(seconds)) => return answer(429, &(vendor.limited)(seconds), Some(seconds)),
        (Ok(_), VendorMode::Down) => return answer(503, &Value::String("upstream connect error".to_owned()), None),
        (Ok(_), VendorMode::Refuse) => return answer(400, &(vendor.invalid)("a field is wrong"), None),
        (Ok(taken), VendorMode::Take | VendorMode::LoseReply) => taken,
    };
    let number = {
        let mut record = desk.record.lock().unwrap();
        record.taken.push(taken.clone());
        record.taken.len()
    };
    if mode == VendorMode::LoseReply {
        // Longer than any client waits.
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    let (status, body) = (vendor.took)(&taken, number);
    answer(status, &body, None)
}

/// A string is sent as text, everything else as JSON.
fn answer(status: u16, body: &Value, retry_after: Option<u64>) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
    match retry_after {
        Some(seconds) => (status, [("retry-after", seconds.to_string())], text).into_response(),
        None => (status, text).into_response(),
    }
}
