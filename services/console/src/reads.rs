//! The reading routes: parameters in, one question to the read port, its answer out.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use hindcast_api::{Alert, Change, Code, Event, Incident, Notice, Page, Receipt, Silence, State as Counts};
use hindcast_api::{TimelineEntry, Why};
use hindcast_http::{HttpRefusal, Result};
use hindcast_queries::{AlertFilter, EventFilter, IncidentFilter, NoticeFilter};

use crate::Console;
use crate::params::Asked;

type ReadResponse<T> = Result<Json<T>>;

/// The revision as an entity tag.
#[must_use]
pub fn etag(revision: u64) -> HeaderMap {
    let value = HeaderValue::from_str(&format!("\"{revision}\"")).ok();
    value
        .map(|value| (header::ETAG, value))
        .into_iter()
        .collect::<Vec<(HeaderName, HeaderValue)>>()
        .into_iter()
        .collect()
}

/// Incidents, newest first.
pub async fn incidents(State(console): State<Console>, asked: Asked) -> ReadResponse<Page<Incident>> {
    Ok(Json(console.queries().incidents(incident_filter(&asked)?, asked.window()?).await?))
}

/// The filter of an incident list.
pub(crate) fn incident_filter(asked: &Asked) -> Result<IncidentFilter> {
    Ok(IncidentFilter {
        status: asked.words("status")?,
        severity: asked.words("severity")?,
        service: asked.one("service"),
        q: asked.one("q"),
        since: asked.time("since")?,
        until: asked.time("until")?,
        environment: asked.one("environment"),
    })
}

/// Answers one incident by id or unique prefix.
pub async fn incident(State(console): State<Console>, Path(id): Path<String>, asked: Asked) -> Result<Response> {
    let incident = console.queries().incident(Some(&id), asked.as_of()?).await?;
    Ok((etag(incident.revision), Json(incident)).into_response())
}

/// Answers the events of an incident, oldest first.
pub async fn timeline(
    State(console): State<Console>,
    Path(id): Path<String>,
    asked: Asked,
) -> ReadResponse<Page<TimelineEntry>> {
    let window = asked.window()?;
    let id = console.queries().incident(Some(&id), window.as_of).await?.id;
    Ok(Json(console.queries().timeline(&id, window).await?))
}

/// The alerts of an incident, newest first, page by page.
pub async fn members(
    State(console): State<Console>,
    Path(id): Path<String>,
    asked: Asked,
) -> ReadResponse<Page<Alert>> {
    let window = asked.window()?;
    let id = console.queries().incident(Some(&id), window.as_of).await?.id;
    let filter = AlertFilter { incident: Some(id), ..AlertFilter::default() };
    Ok(Json(console.queries().alerts(filter, window).await?))
}

/// What holds it together.
pub async fn why(State(console): State<Console>, Path(id): Path<String>, asked: Asked) -> ReadResponse<Why> {
    let as_of = asked.as_of()?;
    let id = console.queries().incident(Some(&id), as_of).await?.id;
    Ok(Json(console.queries().why(&id, as_of).await?))
}

/// Changes near it.
pub async fn changes(
    State(console): State<Console>,
    Path(id): Path<String>,
    asked: Asked,
) -> ReadResponse<Page<Change>> {
    let as_of = asked.as_of()?;
    let id = console.queries().incident(Some(&id), as_of).await?.id;
    let items = console.queries().changes(&id, as_of).await?;
    let position = match as_of {
        Some(hindcast_api::AsOf::Position(position)) => position,
        _ => *console.queries().position().borrow(),
    };
    Ok(Json(Page { items, next: None, position }))
}

/// Alerts, newest first.
pub async fn alerts(State(console): State<Console>, asked: Asked) -> ReadResponse<Page<Alert>> {
    Ok(Json(console.queries().alerts(alert_filter(&console, &asked).await?, asked.window()?).await?))
}

/// The filter of an alert list.
pub(crate) async fn alert_filter(console: &Console, asked: &Asked) -> Result<AlertFilter> {
    let incident = match asked.one("incident") {
        // A prefix names the whole incident.
        Some(id) => Some(console.queries().incident(Some(&id), asked.as_of()?).await?.id),
        None => None,
    };
    Ok(AlertFilter {
        fingerprint: asked.one("fingerprint"),
        name: asked.one("name"),
        status: asked.words("status")?,
        labels: asked.all("label").iter().map(|pair| label(pair)).collect::<Result<_>>()?,
        incident,
        suppressed: asked.flag("suppressed")?,
    })
}

fn label(pair: &str) -> Result<(String, String)> {
    match pair.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err(HttpRefusal::new(Code::BadParameter, format!("expected label=NAME=VALUE, got {pair:?}"))),
    }
}

/// Answers one alert by fingerprint or unique prefix.
pub async fn alert(State(console): State<Console>, Path(id): Path<String>, asked: Asked) -> ReadResponse<Alert> {
    Ok(Json(console.queries().receipt(Some(&id), asked.as_of()?).await?.alert))
}

/// One alert's whole way.
pub async fn receipt(State(console): State<Console>, Path(id): Path<String>, asked: Asked) -> ReadResponse<Receipt> {
    Ok(Json(console.queries().receipt(Some(&id), asked.as_of()?).await?))
}

/// Silences, newest first.
pub async fn silences(State(console): State<Console>, asked: Asked) -> ReadResponse<Page<Silence>> {
    Ok(Json(console.queries().silences(asked.window()?).await?))
}

/// Answers one silence by id or unique prefix.
pub async fn silence(State(console): State<Console>, Path(id): Path<String>, asked: Asked) -> Result<Response> {
    let silence = console.queries().silence(&id, asked.as_of()?).await?;
    Ok((etag(silence.revision), Json(silence)).into_response())
}

/// Notices, newest first.
pub async fn notices(State(console): State<Console>, asked: Asked) -> ReadResponse<Page<Notice>> {
    Ok(Json(console.queries().notices(notice_filter(&console, &asked).await?, asked.window()?).await?))
}

/// Answers the status of the chat connections.
pub async fn chats(State(console): State<Console>) -> Json<hindcast_api::Chats> {
    Json(console.chats())
}

/// The filter of a notice list.
pub(crate) async fn notice_filter(console: &Console, asked: &Asked) -> Result<NoticeFilter> {
    let incident = match asked.one("incident") {
        Some(id) => Some(console.queries().incident(Some(&id), asked.as_of()?).await?.id),
        None => None,
    };
    Ok(NoticeFilter { incident, status: asked.words("status")?, page: asked.flag("page")? })
}

/// Events, oldest first.
pub async fn events(State(console): State<Console>, asked: Asked) -> ReadResponse<Page<Event>> {
    Ok(Json(console.queries().events(event_filter(&asked)?, asked.window()?).await?))
}

/// The filter of an event list.
pub(crate) fn event_filter(asked: &Asked) -> Result<EventFilter> {
    Ok(EventFilter {
        kind: asked.one("kind"),
        from: asked.number("from")?,
        to: asked.number("to")?,
        subject: asked.one("subject"),
    })
}

/// Answers one event by its id.
pub async fn event(State(console): State<Console>, Path(id): Path<String>, asked: Asked) -> ReadResponse<Event> {
    Ok(Json(console.queries().event(&id, asked.as_of()?).await?))
}

/// Counts, versions and the state hash.
pub async fn state(State(console): State<Console>, asked: Asked) -> ReadResponse<Counts> {
    Ok(Json(console.queries().state(asked.as_of()?).await?))
}
