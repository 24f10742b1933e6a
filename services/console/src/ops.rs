//! What operators and machines ask of the server itself: probes, figures, verification and replay.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use hindcast_api::{AsOf, Code, Replay, Verification};
use hindcast_http::{HttpRefusal, Result};
use serde_json::{Value, json};

use crate::commands::body::{self, Json as Body};
use crate::params::Asked;
use crate::{Console, openapi};

/// Alive.
pub async fn healthz(State(console): State<Console>) -> Json<Value> {
    Json(json!({"status": "ok", "version": console.inner.options.version}))
}

/// Caught up with the head as it was at start.
///
/// # Errors
/// 503 until then.
pub async fn readyz(State(console): State<Console>) -> Result<Json<Value>> {
    let position = *console.queries().position().borrow();
    if !console.queries().is_ready() {
        let detail = format!("the views are at position {position} and have not reached the head as it was at start");
        return Err(HttpRefusal::new(Code::Unavailable, detail));
    }
    Ok(Json(json!({"status": "ready", "position": position})))
}

/// Figures as Prometheus text.
pub async fn metrics(State(console): State<Console>) -> Response {
    let text = console.inner.options.metrics.render();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// The description of the API.
pub async fn openapi(State(console): State<Console>) -> Json<Value> {
    let options = &console.inner.options;
    Json(openapi::document(options.version, &options.public_url, &options.also))
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
pub async fn replay(State(console): State<Console>, asked: Asked, Body(body): Body) -> Result<Json<Replay>> {
    let body: body::Replay = body::read(body)?;
    let to = match body.to {
        None | Some(Value::Null) => asked.as_of()?,
        Some(Value::String(text)) => Some(text.parse::<AsOf>()?),
        Some(Value::Number(number)) => Some(number.to_string().parse::<AsOf>()?),
        Some(_) => return Err(body::invalid("expected a position or a time as to")),
    };
    Ok(Json(console.queries().replay(to).await?))
}
