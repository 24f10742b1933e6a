//! What stands before the protocol: the size of a body, JSON or not, how much is asked at once, and what is
//! accepted as an answer. Refusals are JSON-RPC errors, so that any client can read them.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::PATH;
use crate::server::McpServer;

/// Bytes of a request.
pub const BODY_BYTES_MAX: usize = 256 * 1_024;
/// Requests that are answered at the same time.
pub const AT_ONCE_MAX: usize = 128;
/// What the protocol's own check wants to read.
const BOTH: &str = "application/json, text/event-stream";

const PARSE: i32 = -32_700;
const INVALID: i32 = -32_600;
const BUSY: i32 = -32_000;

type McpService = StreamableHttpService<McpServer, NeverSessionManager>;

#[derive(Clone)]
struct McpEndpoint {
    service: McpService,
    asking: Arc<Semaphore>,
}

/// The router of the door.
pub(crate) fn router(server: McpServer) -> Router {
    // Host names are checked by the guards of the whole server, which know the public one.
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(BODY_BYTES_MAX)
        .disable_allowed_hosts();
    let service = McpService::new(move || Ok(server.clone()), Arc::default(), config);
    let door = McpEndpoint { service, asking: Arc::new(Semaphore::new(AT_ONCE_MAX)) };
    Router::new().route(PATH, any(take)).with_state(door)
}

async fn take(State(door): State<McpEndpoint>, request: Request) -> Response {
    if request.method() != Method::POST {
        let allow = [(header::ALLOW, HeaderValue::from_static("POST"))];
        let said =
            error(StatusCode::METHOD_NOT_ALLOWED, INVALID, "expected POST: there are no sessions and no streams");
        return (allow, said).into_response();
    }
    let Ok(_permit) = door.asking.try_acquire() else {
        let wait = [(header::RETRY_AFTER, HeaderValue::from_static("1"))];
        let said = format!("{AT_ONCE_MAX} requests are being answered already; try again after a second");
        return (wait, error(StatusCode::TOO_MANY_REQUESTS, BUSY, &said)).into_response();
    };
    let request = match read(request).await {
        Ok(request) => request,
        Err(refusal) => return refusal,
    };
    door.service.handle(request).await.map(Body::new).into_response()
}

/// The request with its body read and looked at.
async fn read(request: Request) -> Result<Request, Response> {
    let (mut parts, body) = request.into_parts();
    let bytes = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| {
        let said = format!("expected a request of at most {BODY_BYTES_MAX} bytes");
        error(StatusCode::PAYLOAD_TOO_LARGE, INVALID, &said)
    })?;
    let message: Value = hindcast_http::json(&bytes).map_err(|refusal| {
        error(StatusCode::BAD_REQUEST, PARSE, &format!("{}; {}", refusal.0.title, refusal.0.detail))
    })?;
    if let Some(said) = wrong(&message) {
        return Err(error(StatusCode::BAD_REQUEST, INVALID, said));
    }
    // A client that reads JSON alone gets JSON: nothing here streams.
    parts.headers.insert(header::ACCEPT, HeaderValue::from_static(BOTH));
    parts.headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    parts.headers.remove(header::CONTENT_LENGTH);
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// What keeps a document from being a message.
fn wrong(message: &Value) -> Option<&'static str> {
    let Some(object) = message.as_object() else {
        return Some("expected one JSON-RPC message as an object; batches are not taken");
    };
    if object.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Some("expected \"jsonrpc\": \"2.0\"");
    }
    let has = |name: &str| object.contains_key(name);
    let is_call = object.get("method").is_some_and(Value::is_string);
    let is_id = object.get("id").is_none_or(|id| id.is_string() || id.is_i64() || id.is_u64());
    if !is_call && !has("result") && !has("error") {
        return Some("expected a method by its name");
    }
    (!is_id).then_some("expected a text or a whole number as id")
}

fn error(status: StatusCode, code: i32, message: &str) -> Response {
    let body = json!({"jsonrpc": "2.0", "id": null, "error": {"code": code, "message": message}});
    (status, axum::Json(body)).into_response()
}
