//! A server for tests. It answers with what it was given, pages as the contract says, and notes every request.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hindcast_api::{Code, Cursor, Problem};
use serde_json::{Value, json};

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) line: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

#[derive(Clone)]
enum Reply {
    List(Vec<Value>),
    Body(u16, Value),
    Text(&'static str, String),
}

#[derive(Clone, Default)]
pub(super) struct Server {
    replies: Arc<Mutex<BTreeMap<String, Reply>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    date: Option<&'static str>,
}

/// The time at which tests look, as a header tells it.
const DATE: &str = "Fri, 20 Nov 2026 02:47:07 GMT";

impl Server {
    /// Answers a method and path with a list, in pages.
    pub(super) fn list(self, on: &str, items: Vec<Value>) -> Self {
        self.replies.lock().unwrap().insert(on.to_owned(), Reply::List(items));
        self
    }

    /// Answers with a status and a document.
    pub(super) fn gives(self, on: &str, status: u16, body: impl serde::Serialize) -> Self {
        let body = serde_json::to_value(body).unwrap();
        self.replies.lock().unwrap().insert(on.to_owned(), Reply::Body(status, body));
        self
    }

    /// Answers with a text of a media type.
    pub(super) fn says(self, on: &str, media: &'static str, text: &str) -> Self {
        self.replies.lock().unwrap().insert(on.to_owned(), Reply::Text(media, text.to_owned()));
        self
    }

    /// Has a clock of its own.
    pub(super) fn dated(mut self, date: &'static str) -> Self {
        self.date = Some(date);
        self
    }

    pub(super) fn refuses(self, on: &str, code: Code, detail: &str) -> Self {
        let problem = Problem::new(code, detail);
        self.gives(on, problem.status, problem)
    }

    /// Starts it, and answers with its address.
    pub(super) async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        format!("http://{address}")
    }

    /// Every request so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The lines of every request so far.
    pub(super) fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }
}

async fn answer(State(server): State<Server>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let line = format!("{} {}", parts.method, parts.uri);
    let on = format!("{} {}", parts.method, parts.uri.path());
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    server.asked.lock().unwrap().push(Asked { line, headers: parts.headers, body });
    let reply = server.replies.lock().unwrap().get(&on).cloned();
    let mut response = response(reply, &on, parts.uri.query().unwrap_or_default());
    response.headers_mut().insert(header::DATE, HeaderValue::from_static(server.date.unwrap_or(DATE)));
    response
}

fn response(reply: Option<Reply>, on: &str, query: &str) -> Response {
    match reply {
        Some(Reply::List(items)) => page(&items, query),
        Some(Reply::Body(status, body)) => (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response(),
        Some(Reply::Text(media, text)) => ([(header::CONTENT_TYPE, media)], text).into_response(),
        None => {
            let problem = Problem::new(Code::NotFound, format!("there is no {on}"));
            (StatusCode::NOT_FOUND, axum::Json(problem)).into_response()
        }
    }
}

fn page(items: &[Value], query: &str) -> Response {
    let param = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let limit: usize = param("limit").map_or(50, |limit| limit.parse().unwrap());
    assert!((1..=500).contains(&limit), "limit={limit}");
    let start = param("cursor").map_or(0, |cursor| Cursor::decode(cursor).unwrap().after.parse().unwrap());
    let end = (start + limit).min(items.len());
    let next = (end < items.len()).then(|| Cursor { position: 8_192, after: end.to_string() }.encode());
    axum::Json(json!({"items": &items[start..end], "next": next, "position": 8_192})).into_response()
}

pub(super) fn incident(id: &str, title: &str) -> Value {
    json!({
        "id": id, "title": title, "status": "open", "severity": "critical", "peak_severity": "critical",
        "services": ["checkout", "postgres"], "teams": ["shop"], "environment": "production",
        "started_at": "2026-11-20T02:41:07Z", "opened_at": "2026-11-20T02:41:44Z",
        "updated_at": "2026-11-20T02:45:00Z", "alerts": 3, "firing": 2, "occurrences": 412, "reopened": 0,
        "merged_from": [], "weights": 1, "revision": 7, "url": "http://h/INC-3K7Q", "of_tomorrow": true,
    })
}

pub(super) fn alert(fingerprint: &str, name: &str) -> Value {
    json!({
        "fingerprint": fingerprint, "source": "alertmanager", "name": name, "service": "nginx",
        "environment": "production", "status": "firing", "severity": "high", "labels": {"alertname": name},
        "annotations": {}, "starts_at": "2026-11-20T02:41:44Z", "first_seen_at": "2026-11-20T02:41:45Z",
        "last_seen_at": "2026-11-20T02:46:45Z", "occurrences": 6, "fired": 1, "incident": "INC-3K7Q000000000000",
        "revision": 2, "receipt": "/api/v1/alerts/x/receipt",
    })
}

/// An alert's receipt.
pub(super) fn receipt(fingerprint: &str, name: &str) -> Value {
    let step = |second: u32, stage: &str, text: &str, position: u64| {
        json!({
            "time": format!("2026-11-20T02:41:{second}Z"), "stage": stage, "text": text,
            "event": "EVT-0123456789ABCDEF", "position": position,
        })
    };
    json!({
        "alert": alert(fingerprint, name),
        "steps": [
            step(45, "received", "from alertmanager in a batch of 3", 8_903),
            step(45, "kept_out", "of INC-1F2M: no path between the services", 8_904),
            step(46, "notified", "screen took the page", 8_911),
        ],
        "accounted": "incident_paged", "omitted": 0, "position": 9_000,
    })
}

pub(super) fn event(position: u64) -> Value {
    json!({
        "position": position, "kind": "decision", "type": "incident.opened", "id": format!("EVT-{position:016}"),
        "subject": "INC-3K7Q000000000000", "time": "2026-11-20T02:41:44Z", "recorded_at": "2026-11-20T02:41:44Z",
        "revision": 1, "actor": "system", "tenant": "default", "environment": "production", "source": "x", "data": {},
    })
}

pub(super) fn state() -> Value {
    json!({
        "position": 9_000, "settled": true, "provisional": false, "state_hash": "1:7b1e",
        "incidents": {"open": 1, "acknowledged": 0, "resolved": 2},
        "alerts": {"firing": 2, "resolved": 1, "stale": 0, "suppressed": 0}, "parked": 0,
        "versions": {"durability": "synced", "fold": "1", "ledger": "embedded"}, "ledger": "L1", "services": {},
    })
}
