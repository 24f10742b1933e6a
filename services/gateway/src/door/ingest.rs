//! The doors that take something in. Owns what each sender is answered; refuses to answer before it is
//! durable.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use hindcast_api::{Accepted, Code};
use hindcast_http::{HttpRefusal, Result};
use serde_json::json;

use super::reading::{arrive, arrive_as, told};
use super::telemetry;
use crate::Gateway;
use crate::format;
use crate::source::Source;

/// `POST /ingest/{source}`
pub(super) async fn post(
    State(gateway): State<Gateway>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    let source = gateway.source(&name)?;
    if source.format.name == "github" && headers.get("x-github-event").is_some_and(|event| event == "ping") {
        // GitHub asks whether anybody is there. Its signature counts all the same.
        arrive(&gateway, &source, &headers, body).await?;
        return Ok((StatusCode::OK, Json(json!({ "accepted": 0 }))).into_response());
    }
    if source.format.is_telemetry() {
        let body = arrive_as(&gateway, &source, &headers, body, telemetry::lines::is_lines).await?;
        return telemetry::lines::take(&gateway, source, body).await;
    }
    let accepted = take(&gateway, source, &headers, body).await?;
    Ok((StatusCode::ACCEPTED, Json(accepted)).into_response())
}

/// `POST /ingest/{source}/api/v2/alerts`: what Prometheus makes of a `path_prefix`.
pub(super) async fn prefixed(
    State(gateway): State<Gateway>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode> {
    let source = direct(&gateway, &name)?;
    take_direct(&gateway, source, &headers, body).await?;
    Ok(StatusCode::OK)
}

/// `POST /ingest/{source}/api/v1/alerts`
pub(super) async fn prefixed_v1(
    State(gateway): State<Gateway>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    let source = direct(&gateway, &name)?;
    take_direct(&gateway, source, &headers, body).await?;
    Ok(Json(json!({ "status": "success" })).into_response())
}

/// `POST /api/v2/alerts`: an empty 200, as an Alertmanager answers.
pub(super) async fn alerts(State(gateway): State<Gateway>, headers: HeaderMap, body: Body) -> Result<StatusCode> {
    let source = by_credential(&gateway, &headers)?;
    take_direct(&gateway, source, &headers, body).await?;
    Ok(StatusCode::OK)
}

/// `POST /api/v1/alerts`: the same for old senders.
pub(super) async fn alerts_v1(State(gateway): State<Gateway>, headers: HeaderMap, body: Body) -> Result<Response> {
    let source = by_credential(&gateway, &headers)?;
    take_direct(&gateway, source, &headers, body).await?;
    Ok(Json(json!({ "status": "success" })).into_response())
}

async fn take(gateway: &Gateway, source: Arc<Source>, headers: &HeaderMap, body: Body) -> Result<Accepted> {
    let body = arrive(gateway, &source, headers, body).await?;
    gateway.take(source, body, told(headers)).await
}

/// An Alertmanager says 400 to whatever it does not take.
async fn take_direct(gateway: &Gateway, source: Arc<Source>, headers: &HeaderMap, body: Body) -> Result<Accepted> {
    take(gateway, source, headers, body).await.map_err(|mut refusal: HttpRefusal| {
        if refusal.0.status == 422 {
            refusal.0.status = 400;
        }
        refusal
    })
}

fn direct(gateway: &Gateway, name: &str) -> Result<Arc<Source>> {
    let source = gateway.source(name)?;
    if source.format.name != "prometheus" {
        let detail =
            format!("expected a source of the format prometheus, {name:.64?} is one of {}", source.format.name);
        return Err(HttpRefusal::new(Code::NotFound, detail));
    }
    Ok(source)
}

/// The configured source whose credential came with the request, else the one named `prometheus`.
fn by_credential(gateway: &Gateway, headers: &HeaderMap) -> Result<Arc<Source>> {
    let knows = |source: &&Arc<Source>| {
        source.format.name == "prometheus"
            && source
                .guard
                .as_ref()
                .is_some_and(|guard| guard.reads_headers_alone() && !guard.is_open() && guard.admit(headers).is_ok())
    };
    if let Some(source) = gateway.inner.sources.values().find(knows) {
        return Ok(Arc::clone(source));
    }
    debug_assert!(format::find("prometheus").is_some(), "the table of formats has it");
    gateway.source("prometheus")
}
