//! Parked items: what was accepted and could not be handled. Owns how one is looked at, tried again and
//! discarded; refuses to change it: what became of it is a new event.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use hindcast_api::{Code, LIMIT_MAX, Page, Parked, Problem};
use hindcast_domain::words::ParkedStatus;
use hindcast_domain::{EventId, Partition};
use hindcast_http::{HttpRefusal, Result};
use hindcast_queries::Window;
use serde_json::json;

use super::reading::admit;
use crate::Gateway;
use crate::source::Source;
use crate::take::{plan_again, refused, unparked};

/// `GET /api/v1/parked`
pub(super) async fn list(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Json<Page<Parked>>> {
    admit(&gateway, &headers)?;
    let (open, window) = asked(&query)?;
    Ok(Json(gateway.queries()?.parked(open, window).await?))
}

fn asked(query: &[(String, String)]) -> Result<(bool, Window)> {
    let mut window = Window::default();
    let mut open = false;
    for (name, value) in query {
        match (name.as_str(), value.as_str()) {
            (_, "") => {}
            ("limit", text) => {
                let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
                let bad = || HttpRefusal::new(Code::BadLimit, format!("expected a limit of 1 to 500, got {text:.32?}"));
                window.limit = Some(limit.ok_or_else(bad)?);
            }
            ("cursor", text) => window.cursor = Some(text.to_owned()),
            ("as_of", text) => window.as_of = Some(text.parse()?),
            ("status", "parked") => open = true,
            ("status", text) => {
                return Err(HttpRefusal::new(
                    Code::BadParameter,
                    format!("expected the status parked, got {text:.32?}"),
                ));
            }
            (other, _) => {
                let expected = "expected limit, cursor, as_of or status";
                return Err(HttpRefusal::new(Code::BadParameter, format!("{expected}, got {other:.32?}")));
            }
        }
    }
    Ok((open, window))
}

/// `POST /api/v1/parked/{id}/retry`: through the same code as when it came.
pub(super) async fn retry(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response> {
    admit(&gateway, &headers)?;
    let OpenParked { item, id, partition } = open(&gateway, &id).await?;
    let source = source_of(&gateway, &item)?;
    if item.payload.get("too_large_bytes").is_some() && item.payload.get("beginning").is_some() {
        let problem = Problem::new(Code::Invalid, "only the beginning of this item was kept: it was too large");
        return Err(HttpRefusal(problem.remedy("Discard it, and have its sender send it again.")));
    }
    let plan = plan_again(&gateway, &source, item.payload, &id, &partition)?;
    let accepted = gateway.carry_out(&source.name, plan).await?;
    Ok((StatusCode::ACCEPTED, Json(accepted)).into_response())
}

/// The source as it is configured now; its format alone where it is gone.
fn source_of(gateway: &Gateway, item: &Parked) -> Result<Source> {
    if let Some(source) = gateway.inner.sources.get(&item.source) {
        return Ok(Source::clone(source));
    }
    let source = gateway.source(&item.format)?;
    Ok(Source { name: item.source.clone(), ..Source::clone(&source) })
}

/// `POST /api/v1/parked/{id}/discard`
pub(super) async fn discard(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response> {
    admit(&gateway, &headers)?;
    let OpenParked { id, partition, .. } = open(&gateway, &id).await?;
    let receipt =
        gateway.inner.writer.submit(&partition, vec![unparked(&id, ParkedStatus::Discarded)]).await.map_err(refused)?;
    Ok(Json(json!({ "id": id, "status": ParkedStatus::Discarded, "position": receipt.position() })).into_response())
}

/// An item that nobody has dealt with, and where it lies.
struct OpenParked {
    item: Parked,
    id: EventId,
    partition: Partition,
}

async fn open(gateway: &Gateway, id: &str) -> Result<OpenParked> {
    let queries = gateway.queries()?;
    let item = queries.parked_item(id).await?;
    if item.status != ParkedStatus::Parked {
        return Err(HttpRefusal::new(
            Code::Conflict,
            format!("expected a dead letter that is still parked, {} is {}", item.id, item.status),
        ));
    }
    let event = queries.event(&item.id, None).await?;
    let id = item.id.parse().map_err(|_| HttpRefusal::new(Code::Internal, "the views named no event"))?;
    let partition = Partition { tenant: event.tenant, environment: event.environment };
    Ok(OpenParked { item, id, partition })
}
