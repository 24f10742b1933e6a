//! What operators and machines ask of the server itself: probes, figures, verification and replay.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use hindcast_api::{AsOf, BehindService, Code, Readiness, ReadyStatus, Replay, Verification};
use hindcast_http::{HttpRefusal, Result};
use hindcast_ledger::{LagBoard, ServiceLag};
use hindcast_metrics::{Exposition, MetricRegistry};
use serde_json::{Value, json};

use crate::Console;
use crate::commands::body::{self, Json as Body};
use crate::params::QueryParams;

/// Alive.
pub async fn healthz(State(console): State<Console>) -> Json<Value> {
    Json(json!({"status": "ok", "version": console.inner.options.version}))
}

/// Caught up with the head as it was at start, and accepting. A service that is behind is named: what comes in is
/// stored all the same, so that the status remains 200.
///
/// # Errors
/// 503 until the views have caught up.
pub async fn readyz(State(console): State<Console>) -> Result<Json<Readiness>> {
    let (queries, lags) = (console.queries(), &console.inner.options.lags);
    let position = *queries.position().borrow();
    readiness(position, queries.is_ready(), lags).map(Json)
}

/// The answer of `/readyz`, with the position that the views have reached.
///
/// # Errors
/// 503 until the views have caught up.
pub fn readiness(position: u64, is_ready: bool, lags: &LagBoard) -> Result<Readiness> {
    if !is_ready {
        let detail = format!("the views are at position {position} and have not reached the head as it was at start");
        return Err(HttpRefusal::new(Code::Unavailable, detail));
    }
    let behind: Vec<BehindService> = lags.behind().into_iter().map(shown).collect();
    let status = if behind.is_empty() { ReadyStatus::Ready } else { ReadyStatus::Behind };
    Ok(Readiness { status, position, behind, lag_limit_s: lags.limit().as_secs() })
}

fn shown(lag: ServiceLag) -> BehindService {
    BehindService { service: lag.service, lag_s: lag.age.as_secs(), commits: lag.commits }
}

/// Metrics, in the format that the scraper prefers.
pub async fn metrics(State(console): State<Console>, headers: HeaderMap) -> Response {
    expose(&console.inner.options.metrics, &headers)
}

/// The answer of `/metrics`.
pub fn expose(metrics: &MetricRegistry, headers: &HeaderMap) -> Response {
    let accepted: Vec<&str> = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let format = Exposition::of_accept(Some(&accepted.join(",")));
    let headers = [(header::CONTENT_TYPE, format.content_type()), (header::VARY, "Accept")];
    (headers, metrics.render(format)).into_response()
}

/// The description of the API.
pub async fn openapi(State(console): State<Console>) -> Json<Value> {
    Json(console.inner.description.clone())
}

/// Walks the chains.
///
/// # Errors
/// What the views refuse; damage is an answer, not an error.
pub async fn verify(State(console): State<Console>, Body(body): Body) -> Result<Json<Verification>> {
    let _: body::Nothing = body::read(body)?;
    Ok(Json(console.queries().verify().await?))
}

/// Folds afresh beside the live state.
///
/// # Errors
/// 400 for a `to` that is neither a position nor a time.
pub async fn replay(State(console): State<Console>, asked: QueryParams, Body(body): Body) -> Result<Json<Replay>> {
    let body: body::ReplayBody = body::read(body)?;
    let to = match body.to {
        None | Some(Value::Null) => asked.as_of()?,
        Some(Value::String(text)) => Some(text.parse::<AsOf>()?),
        Some(Value::Number(number)) => Some(number.to_string().parse::<AsOf>()?),
        Some(_) => return Err(body::invalid("expected a position or a time as to")),
    };
    Ok(Json(console.queries().replay(to).await?))
}
