//! A stand-in for Slack on this machine: the Web API's methods that a bot needs and socket mode, as the public
//! documentation describes them, with what goes wrong there at the turn of a switch; and people who press, type and
//! mention. It checks blocks against Slack's limits by itself. It knows nothing of our code.

#![allow(dead_code)] // each test file uses its own part
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, missing_docs)] // a test that cannot go on fails

#[path = "slack/limits.rs"]
mod limits;
#[path = "slack/people.rs"]
mod people;
#[allow(clippy::duplicate_mod)] // each stand-in is whole by itself
#[path = "trap.rs"]
pub mod trap;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

pub use limits::faults;

/// The bot's token, the app's token and the signing secret; a test may look for them where they must not be.
pub const BOT: &str = "xoxb-1111-2222-abcdefGHIJ";
pub const APP: &str = "xapp-1-A1-3333-secretsecret";
pub const SIGNING: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// How the API behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    Well,
    /// 503.
    Down,
    /// 429 with so many seconds in `Retry-After`.
    Limited(u64),
    /// Takes the message and breaks off before it has said so.
    CutAfterAccept,
    /// Answers, but later.
    Slow(Duration),
}

/// A message as it stands.
#[derive(Clone, Debug)]
pub struct Kept {
    pub channel: String,
    pub ts: String,
    pub thread: Option<String>,
    pub body: Value,
    /// What stood there, oldest first; the last is `body`.
    pub versions: Vec<Value>,
}

#[derive(Default)]
struct Inner {
    mode: Option<Mode>,
    next: VecDeque<Mode>,
    kept: Vec<Kept>,
    ephemerals: Vec<Value>,
    views: Vec<Value>,
    answers: Vec<Value>,
    cannot_read: bool,
    ids: u64,
    calls: BTreeMap<String, u64>,
    acknowledged: Vec<Value>,
}

pub struct World {
    pub url: String,
    socket_url: String,
    inner: Mutex<Inner>,
    sockets: Mutex<Vec<mpsc::UnboundedSender<Value>>>,
    trap: trap::Trap,
}

/// The stand-in; cheap to clone.
#[derive(Clone)]
pub struct Slack {
    pub url: String,
    world: Arc<World>,
}

impl World {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }
}

impl Inner {
    fn ts(&mut self) -> String {
        self.ids += 1;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        format!("{now}.{:06}", self.ids)
    }
}

impl Slack {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sockets = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let socket_url = format!("ws://{}/link", sockets.local_addr().unwrap());
        let world = Arc::new(World {
            url: url.clone(),
            socket_url,
            inner: Mutex::default(),
            sockets: Mutex::default(),
            trap: trap::Trap::default(),
        });
        let router = Router::new()
            .route("/api/{method}", post(call).get(read))
            .route("/actions/{which}", post(respond))
            .with_state(Arc::clone(&world));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        tokio::spawn(accept(sockets, Arc::clone(&world)));
        Self { url, world }
    }

    pub fn api_url(&self) -> String {
        format!("{}/api", self.url)
    }

    pub fn set(&self, mode: Mode) {
        self.world.lock().mode = Some(mode);
    }

    /// The next call alone.
    pub fn next(&self, mode: Mode) {
        self.world.lock().next.push_back(mode);
    }

    /// Where messages that are posted can be held.
    pub fn trap(&self) -> trap::Trap {
        self.world.trap.clone()
    }

    /// Takes the right to read channels away.
    pub fn cannot_read(&self) {
        self.world.lock().cannot_read = true;
    }

    pub fn messages(&self) -> Vec<Kept> {
        self.world.lock().kept.clone()
    }

    pub fn ephemerals(&self) -> Vec<Value> {
        self.world.lock().ephemerals.clone()
    }

    pub fn answers(&self) -> Vec<Value> {
        self.world.lock().answers.clone()
    }

    pub fn views(&self) -> Vec<Value> {
        self.world.lock().views.clone()
    }

    pub fn acknowledged(&self) -> Vec<Value> {
        self.world.lock().acknowledged.clone()
    }

    pub fn calls(&self, method: &str) -> u64 {
        self.world.lock().calls.get(method).copied().unwrap_or_default()
    }

    /// Messages that stand twice, by their key.
    pub fn doubles(&self) -> Vec<String> {
        let mut seen = BTreeMap::<String, usize>::new();
        for kept in self.messages() {
            if let Some(key) = kept.body["metadata"]["event_payload"]["key"].as_str() {
                *seen.entry(key.to_owned()).or_default() += 1;
            }
        }
        seen.into_iter().filter(|(_, count)| *count > 1).map(|(key, _)| key).collect()
    }
}

/// The button of that text, wherever in a message it stands.
pub fn button(within: &Value, text: &str) -> Option<Value> {
    if within["type"] == "button" && within["text"]["text"] == text {
        return Some(within.clone());
    }
    match within {
        Value::Array(items) => items.iter().find_map(|item| button(item, text)),
        Value::Object(fields) => fields.values().find_map(|item| button(item, text)),
        _ => None,
    }
}

// ── the API ────────────────────────────────────────────────────────────────────────────────────────

fn refused(code: &str) -> Response {
    Json(json!({"ok": false, "error": code})).into_response()
}

fn bearer(headers: &HeaderMap) -> &str {
    headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer ")).unwrap_or_default()
}

async fn call(
    State(world): State<Arc<World>>,
    Path(method): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mode = {
        let mut inner = world.lock();
        *inner.calls.entry(method.clone()).or_default() += 1;
        inner.next.pop_front().or(inner.mode).unwrap_or(Mode::Well)
    };
    match mode {
        Mode::Down => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Mode::Limited(seconds) => {
            return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", seconds.to_string())]).into_response();
        }
        Mode::Slow(pause) => tokio::time::sleep(pause).await,
        Mode::Well | Mode::CutAfterAccept => {}
    }
    let token = if method == "apps.connections.open" { APP } else { BOT };
    if bearer(&headers) != token {
        return refused("invalid_auth");
    }
    let Ok(body) = serde_json::from_slice::<Value>(&body) else { return refused("invalid_json") };
    let posts = method == "chat.postMessage";
    if posts && world.trap.arrived().await {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let answer = answered(&world, &method, &body);
    if posts {
        world.trap.taken().await;
    }
    if mode == Mode::CutAfterAccept {
        // A body that breaks off: the caller cannot know what became of it.
        let broken = futures::stream::iter([Ok(Bytes::from_static(b"{\"ok\":tr")), Err(std::io::Error::other("cut"))]);
        return axum::body::Body::from_stream(broken).into_response();
    }
    answer
}

fn answered(world: &World, method: &str, body: &Value) -> Response {
    let mut inner = world.lock();
    let word = |name: &str| body[name].as_str().map(str::to_owned);
    match method {
        "auth.test" => Json(json!({"ok": true, "user": "hindcast", "team": "acme"})).into_response(),
        "apps.connections.open" => Json(json!({"ok": true, "url": world.socket_url})).into_response(),
        "chat.postMessage" => {
            let wrong = faults(body);
            if !wrong.is_empty() {
                return Json(json!({"ok": false, "error": "invalid_blocks", "faults": wrong})).into_response();
            }
            let (ts, channel) = (inner.ts(), word("channel").unwrap());
            let versions = vec![body.clone()];
            let kept = Kept {
                channel: channel.clone(),
                ts: ts.clone(),
                thread: word("thread_ts"),
                body: body.clone(),
                versions,
            };
            inner.kept.push(kept);
            Json(json!({"ok": true, "channel": channel, "ts": ts})).into_response()
        }
        "chat.update" => {
            let wrong = faults(body);
            if !wrong.is_empty() {
                return Json(json!({"ok": false, "error": "invalid_blocks", "faults": wrong})).into_response();
            }
            let ts = word("ts").unwrap();
            let Some(kept) = inner.kept.iter_mut().find(|kept| kept.ts == ts) else {
                return refused("message_not_found");
            };
            // What is not named is kept: the metadata, for one.
            let mut shown = kept.body.clone();
            shown.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
            kept.body = shown.clone();
            kept.versions.push(shown);
            Json(json!({"ok": true, "channel": body["channel"], "ts": ts})).into_response()
        }
        "chat.postEphemeral" => {
            inner.ephemerals.push(body.clone());
            Json(json!({"ok": true, "message_ts": "1"})).into_response()
        }
        "views.open" => {
            let wrong = faults(&body["view"]);
            if !wrong.is_empty() {
                return Json(json!({"ok": false, "error": "invalid_arguments", "faults": wrong})).into_response();
            }
            inner.views.push(body["view"].clone());
            Json(json!({"ok": true, "view": {"id": "V1"}})).into_response()
        }
        _ => refused("unknown_method"),
    }
}

async fn read(
    State(world): State<Arc<World>>,
    Path(method): Path<String>,
    Query(asked): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if bearer(&headers) != BOT {
        return refused("invalid_auth");
    }
    let mut inner = world.lock();
    *inner.calls.entry(method.clone()).or_default() += 1;
    if inner.cannot_read {
        return refused("missing_scope");
    }
    let (channel, thread) = (asked["channel"].clone(), asked.get("ts").cloned());
    let oldest: f64 = asked.get("oldest").and_then(|oldest| oldest.parse().ok()).unwrap_or_default();
    let wanted = |kept: &&Kept| {
        kept.channel == channel
            && kept.ts.parse::<f64>().unwrap_or_default() >= oldest
            && if method == "conversations.replies" { kept.thread == thread } else { kept.thread.is_none() }
    };
    // Two a page, so that paging is needed.
    let all: Vec<Value> = inner
        .kept
        .iter()
        .filter(wanted)
        .map(|kept| json!({"ts": kept.ts, "metadata": kept.body["metadata"]}))
        .collect();
    let from: usize = asked.get("cursor").and_then(|cursor| cursor.parse().ok()).unwrap_or_default();
    let page: Vec<Value> = all.iter().skip(from).take(50).cloned().collect();
    let next = if from + 50 < all.len() { (from + 50).to_string() } else { String::new() };
    Json(json!({"ok": true, "messages": page, "response_metadata": {"next_cursor": next}})).into_response()
}

async fn respond(State(world): State<Arc<World>>, Json(body): Json<Value>) -> Response {
    world.lock().answers.push(body);
    StatusCode::OK.into_response()
}

async fn accept(listener: TcpListener, world: Arc<World>) {
    while let Ok((stream, _)) = listener.accept().await {
        let Ok(socket) = tokio_tungstenite::accept_async(stream).await else { continue };
        let (sender, mut outgoing) = mpsc::unbounded_channel::<Value>();
        world.sockets.lock().unwrap().push(sender);
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let (mut sink, mut source) = socket.split();
            let hello = json!({"type": "hello", "num_connections": 1});
            sink.send(Message::text(hello.to_string())).await.ok();
            loop {
                tokio::select! {
                    envelope = outgoing.recv() => match envelope {
                        Some(envelope) => if sink.send(Message::text(envelope.to_string())).await.is_err() { return },
                        None => return,
                    },
                    frame = source.next() => match frame {
                        Some(Ok(Message::Text(text))) => {
                            world.lock().acknowledged.push(serde_json::from_str(&text).unwrap());
                        }
                        Some(Ok(_)) => {}
                        _ => return,
                    },
                }
            }
        });
    }
}
