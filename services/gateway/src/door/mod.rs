//! The doors: which address does what. Owns what all of them share: who is let in, how a body is read and
//! what is counted; refuses to know formats.

mod alertmanager;
pub(crate) mod counted;
mod filter;
mod ingest;
mod parked;
mod silences;
mod telemetry;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, delete, get, post};
use bytes::Bytes;
use hindcast_api::{Code, Problem};
use hindcast_http::{HttpRefusal, Result};

use crate::Gateway;
use crate::auth::{Unverified, Verified};
use crate::source::Source;
use crate::take::Told;

/// The gateway's routes. Unknown addresses are for whoever merges them.
pub fn router(gateway: Gateway) -> Router {
    Router::new()
        .route("/ingest/{source}", post(ingest::post))
        // Prometheus has one setting for where to send to, `path_prefix`, and appends the rest.
        .route("/ingest/{source}/api/v2/alerts", post(ingest::prefixed))
        .route("/ingest/{source}/api/v1/alerts", post(ingest::prefixed_v1))
        .route("/v1/logs", post(telemetry::otlp::logs))
        .route("/v1/metrics", post(telemetry::otlp::metrics))
        .route("/api/v1/write", post(telemetry::remote_write::write))
        .route("/api/v1/alerts", post(ingest::alerts_v1))
        .route("/api/v2/alerts", post(ingest::alerts).get(alertmanager::alerts))
        .route("/api/v2/alerts/groups", get(alertmanager::groups))
        .route("/api/v2/status", get(alertmanager::status))
        .route("/api/v2/receivers", get(alertmanager::receivers))
        .route("/api/v2/silences", post(silences::create).get(silences::list))
        .route("/api/v2/silence/{id}", delete(silences::expire).get(silences::one))
        .route("/api/v1/parked", get(parked::list))
        .route("/api/v1/parked/{id}/retry", post(parked::retry))
        .route("/api/v1/parked/{id}/discard", post(parked::discard))
        .route_layer(from_fn(same_site))
        .route_layer(from_fn_with_state(gateway.clone(), counted::count))
        .with_state(gateway)
}

/// The doors as the description of the API lists them: (method, path, what it is for).
pub const ROUTES: &[(&str, &str, &str)] = &[
    ("POST", "/ingest/{source}", "Takes what a source sends, in its own format."),
    ("POST", "/ingest/{source}/api/v2/alerts", "The same for Prometheus with a path prefix."),
    ("POST", "/ingest/{source}/api/v1/alerts", "The same for an old Prometheus with a path prefix."),
    ("POST", "/v1/logs", "Takes log records as OTLP over HTTP, protobuf or JSON."),
    ("POST", "/v1/metrics", "Takes metrics as OTLP over HTTP, protobuf or JSON."),
    ("POST", "/api/v1/write", "Takes samples as Prometheus' remote write 1.0."),
    ("POST", "/api/v1/alerts", "Takes alerts as an old Alertmanager does."),
    ("POST", "/api/v2/alerts", "Takes alerts as an Alertmanager does."),
    ("GET", "/api/v2/alerts", "Firing alerts in Alertmanager's shape."),
    ("GET", "/api/v2/alerts/groups", "Firing alerts by name in Alertmanager's shape."),
    ("GET", "/api/v2/status", "What this server is, in Alertmanager's shape."),
    ("GET", "/api/v2/receivers", "The one receiver, in Alertmanager's shape."),
    ("POST", "/api/v2/silences", "Creates or edits a silence as an Alertmanager does."),
    ("GET", "/api/v2/silences", "Silences in Alertmanager's shape."),
    ("GET", "/api/v2/silence/{id}", "One silence in Alertmanager's shape."),
    ("DELETE", "/api/v2/silence/{id}", "Ends a silence."),
    ("GET", "/api/v1/parked", "Dead letters: items that were accepted and could not be processed."),
    ("POST", "/api/v1/parked/{id}/retry", "Retries a dead letter."),
    ("POST", "/api/v1/parked/{id}/discard", "Discards a dead letter."),
];

/// Doors that are promised and answer 501 until they are built. Whoever builds one takes it out here.
pub fn promised() -> Router {
    let paths = ["/v2/enqueue", "/opsgenie/v2/alerts", "/opsgenie/v2/alerts/{*rest}", "/v1/traces"];
    let answer = || async { HttpRefusal::new(Code::NotImplemented, "this endpoint is promised and not built yet") };
    paths.iter().fold(Router::new(), |router, path| router.route(path, any(answer)))
}

/// Turns away what another site's page makes a browser send: an open door would take it.
async fn same_site(request: Request, next: Next) -> Response {
    let site = request.headers().get("sec-fetch-site").and_then(|site| site.to_str().ok());
    match site {
        Some(site) if !matches!(site, "same-origin" | "none") => {
            let problem = Problem::new(Code::Forbidden, format!("expected no other site's page, got {site:.32?}"));
            HttpRefusal(problem.remedy("Send it from a program, not from a page.")).into_response()
        }
        _ => next.run(request).await,
    }
}

/// Lets somebody in who asks for what is guarded by the server's own credential.
fn admit(gateway: &Gateway, headers: &HeaderMap) -> Result<hindcast_domain::event::Verdict> {
    gateway.inner.default_auth.admit(headers)
}

/// Reads a body of JSON: the credential first, then the bytes as they came, then what is packed in them.
async fn arrive(gateway: &Gateway, source: &Source, headers: &HeaderMap, body: Body) -> Result<Verified<Bytes>> {
    arrive_as(gateway, source, headers, body, is_json).await
}

/// Reads a body whose media type `is_right`, in the same order.
async fn arrive_as(
    gateway: &Gateway,
    source: &Source,
    headers: &HeaderMap,
    body: Body,
    is_right: fn(&HeaderMap) -> Result<()>,
) -> Result<Verified<Bytes>> {
    let guard = gateway.guard_of(source);
    if guard.reads_headers_alone() {
        guard.admit(headers)?;
    }
    is_right(headers)?;
    let packed = read(headers, body).await?;
    let verified = Unverified::new(packed).verify(guard, headers)?;
    if !headers.contains_key(header::CONTENT_ENCODING) {
        return Ok(verified);
    }
    let plain = hindcast_http::read(&encoding_of(headers), Body::from(verified.get().clone())).await?;
    verified.try_map(|_| Ok(plain))
}

/// The bytes as they came.
async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes> {
    let mut bare = HeaderMap::new();
    if let Some(length) = headers.get(header::CONTENT_LENGTH) {
        bare.insert(header::CONTENT_LENGTH, length.clone());
    }
    hindcast_http::read(&bare, body).await
}

fn encoding_of(headers: &HeaderMap) -> HeaderMap {
    let encoding = headers.get(header::CONTENT_ENCODING).cloned();
    encoding.into_iter().map(|encoding| (header::CONTENT_ENCODING, encoding)).collect()
}

/// JSON by its media type; a missing one is taken for it.
fn is_json(headers: &HeaderMap) -> Result<()> {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else {
        return Ok(());
    };
    let kind = kind.to_str().unwrap_or_default();
    let plain = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if plain.is_empty() || plain == "application/json" || plain.ends_with("+json") {
        return Ok(());
    }
    Err(HttpRefusal::new(Code::UnsupportedMediaType, format!("expected application/json, got {plain:.64?}")))
}

/// What of the headers goes on with the body.
fn told(headers: &HeaderMap) -> Told {
    let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.trim().to_owned());
    let short = |text: &String| (1..=128).contains(&text.len());
    let traced = |text: &String| {
        text.len() == 55 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b) || b == b'-')
    };
    Told {
        event: text("x-github-event").filter(short),
        delivery: text("x-github-delivery").filter(short),
        traceparent: text("traceparent").filter(traced),
    }
}
