//! The reading routes: parameters in, one question to the read port, its answer out.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use hindcast_api::{Alert, Change, Code, Event, Incident, LIMIT_MAX, Notice, Page, Receipt, Silence, State as Counts};
use hindcast_api::{TimelineEntry, Why};
use hindcast_domain::alert;
use hindcast_domain::oncall::{self, OnCall, OnCallRules};
use hindcast_domain::silence::SilenceState;
use hindcast_http::{HttpRefusal, Result};
use hindcast_queries::{AlertFilter, EventFilter, IncidentFilter, ListPart, NoticeFilter};

use crate::Console;
use crate::look::Look;
use crate::params::QueryParams;

/// Pages of alerts or events that are read to say what silences hold.
const PAGES_MAX: usize = 20;

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
pub async fn incidents(look: Look) -> ReadResponse<Page<Incident>> {
    Ok(Json(look.seen().incidents(incident_filter(look.asked())?, look.part()?).await?))
}

/// The filter of an incident list.
pub(crate) fn incident_filter(asked: &QueryParams) -> Result<IncidentFilter> {
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
pub async fn incident(Path(id): Path<String>, look: Look) -> Result<Response> {
    let incident = look.seen().incident(Some(&id)).await?;
    Ok((etag(incident.revision), Json(incident)).into_response())
}

/// Answers the events of an incident, oldest first.
pub async fn timeline(Path(id): Path<String>, look: Look) -> ReadResponse<Page<TimelineEntry>> {
    let id = look.seen().incident(Some(&id)).await?.id;
    Ok(Json(look.seen().timeline(&id, look.part()?).await?))
}

/// The alerts of an incident, newest first, page by page.
pub async fn members(Path(id): Path<String>, look: Look) -> ReadResponse<Page<Alert>> {
    let id = look.seen().incident(Some(&id)).await?.id;
    let filter = AlertFilter { incident: Some(id), ..AlertFilter::default() };
    Ok(Json(look.seen().alerts(filter, look.part()?).await?))
}

/// What holds it together.
pub async fn why(Path(id): Path<String>, look: Look) -> ReadResponse<Why> {
    let id = look.seen().incident(Some(&id)).await?.id;
    Ok(Json(look.seen().why(&id).await?))
}

/// Changes near it.
pub async fn changes(Path(id): Path<String>, look: Look) -> ReadResponse<Page<Change>> {
    let id = look.seen().incident(Some(&id)).await?.id;
    let items = look.seen().changes(&id).await?;
    Ok(Json(Page { items, next: None, position: look.seen().position() }))
}

/// Alerts, newest first.
pub async fn alerts(look: Look) -> ReadResponse<Page<Alert>> {
    Ok(Json(look.seen().alerts(alert_filter(&look).await?, look.part()?).await?))
}

/// The filter of an alert list.
pub(crate) async fn alert_filter(look: &Look) -> Result<AlertFilter> {
    let asked = look.asked();
    let incident = match asked.one("incident") {
        // A prefix names the whole incident.
        Some(id) => Some(look.seen().incident(Some(&id)).await?.id),
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
pub async fn alert(Path(id): Path<String>, look: Look) -> ReadResponse<Alert> {
    Ok(Json(look.seen().receipt(Some(&id)).await?.alert))
}

/// One alert's whole way.
pub async fn receipt(Path(id): Path<String>, look: Look) -> ReadResponse<Receipt> {
    Ok(Json(look.seen().receipt(Some(&id)).await?))
}

/// Silences, newest first.
pub async fn silences(look: Look) -> ReadResponse<Page<Silence>> {
    Ok(Json(silences_with_alerts(&look).await?))
}

/// A page of silences with what each holds, and whether it ever held anything.
pub(crate) async fn silences_with_alerts(look: &Look) -> Result<Page<Silence>> {
    let mut page = look.seen().silences(look.part()?).await?;
    if page.items.iter().any(|silence| silence.state == SilenceState::Active) {
        let held = held_by_silence(look).await?;
        for silence in page.items.iter_mut().filter(|silence| silence.state == SilenceState::Active) {
            silence.holds = Some(held.get(&silence.id).copied().unwrap_or(0));
            silence.matched = silence.holds.filter(|held| *held > 0).map(|_| true);
        }
    }
    let open: Vec<&mut Silence> = page.items.iter_mut().filter(|silence| silence.holds == Some(0)).collect();
    let Some(from) = begun(look, &open).await? else { return Ok(page) };
    let (ever, whole) = ever_held(look, from).await?;
    for silence in open {
        let matched = ever.contains(&silence.id);
        silence.matched = (matched || whole).then_some(matched);
    }
    Ok(page)
}

/// The position at which the first of these silences was created; none where there are none, or where the ledger has
/// forgotten one of them.
async fn begun(look: &Look, silences: &[&mut Silence]) -> Result<Option<u64>> {
    let mut first = None;
    for silence in silences {
        match look.seen().event(&silence.event).await {
            Ok(event) => first = Some(first.map_or(event.position, |known: u64| known.min(event.position))),
            Err(problem) if problem.code == Code::NotFound => return Ok(None),
            Err(problem) => return Err(problem.into()),
        }
    }
    Ok(first)
}

/// Alerts that fire and that a silence holds, counted by silence.
async fn held_by_silence(look: &Look) -> Result<BTreeMap<String, u64>> {
    let mut held = BTreeMap::new();
    let filter = AlertFilter { suppressed: Some(true), status: vec![alert::Status::Firing], ..AlertFilter::default() };
    let mut part = ListPart::first(LIMIT_MAX);
    for _ in 0..PAGES_MAX {
        let page = look.seen().alerts(filter.clone(), part).await?;
        for by in page.items.iter().filter_map(|alert| alert.suppressed_by.as_ref()) {
            *held.entry(by.clone()).or_default() += 1;
        }
        let Some(next) = page.next else { break };
        part = ListPart { cursor: Some(next), ..ListPart::first(LIMIT_MAX) };
    }
    Ok(held)
}

/// Silences that held an alert since a position, and whether all of that was looked at.
async fn ever_held(look: &Look, from: u64) -> Result<(BTreeSet<String>, bool)> {
    let mut ever = BTreeSet::new();
    let filter = EventFilter { kind: Some("alert.suppressed".to_owned()), from: Some(from), ..EventFilter::default() };
    let mut part = ListPart::first(LIMIT_MAX);
    for _ in 0..PAGES_MAX {
        let page = look.seen().events(filter.clone(), part).await?;
        ever.extend(page.items.iter().filter_map(|event| event.data.get("by")?.as_str().map(str::to_owned)));
        let Some(next) = page.next else { return Ok((ever, true)) };
        part = ListPart { cursor: Some(next), ..ListPart::first(LIMIT_MAX) };
    }
    Ok((ever, false))
}

/// Who is on call at a time, by the schedules that are configured.
pub async fn on_call(look: Look) -> ReadResponse<Page<OnCall>> {
    let at = look.asked().time("at")?.unwrap_or_else(|| look.now());
    let service = look.asked().one("service");
    let section = look.seen().configured(oncall::SECTION).await?;
    let rules: OnCallRules = section.and_then(|(_, content)| serde_json::from_value(content).ok()).unwrap_or_default();
    Ok(Json(Page { items: rules.at(at, service.as_deref()), next: None, position: look.seen().position() }))
}

/// Answers one silence by id or unique prefix.
pub async fn silence(Path(id): Path<String>, look: Look) -> Result<Response> {
    let silence = look.seen().silence(&id).await?;
    Ok((etag(silence.revision), Json(silence)).into_response())
}

/// Notices, newest first.
pub async fn notices(look: Look) -> ReadResponse<Page<Notice>> {
    Ok(Json(look.seen().notices(notice_filter(&look).await?, look.part()?).await?))
}

/// Answers the status of the chat connections.
pub async fn chats(State(console): State<Console>) -> Json<hindcast_api::Chats> {
    Json(console.chats())
}

/// The filter of a notice list.
pub(crate) async fn notice_filter(look: &Look) -> Result<NoticeFilter> {
    let asked = look.asked();
    let incident = match asked.one("incident") {
        Some(id) => Some(look.seen().incident(Some(&id)).await?.id),
        None => None,
    };
    Ok(NoticeFilter { incident, status: asked.words("status")?, page: asked.flag("page")? })
}

/// Events, oldest first.
pub async fn events(look: Look) -> ReadResponse<Page<Event>> {
    Ok(Json(look.seen().events(event_filter(look.asked())?, look.part()?).await?))
}

/// The filter of an event list.
pub(crate) fn event_filter(asked: &QueryParams) -> Result<EventFilter> {
    Ok(EventFilter {
        kind: asked.one("kind"),
        from: asked.number("from")?,
        to: asked.number("to")?,
        subject: asked.one("subject"),
        incident: None,
    })
}

/// Answers one event by its id.
pub async fn event(Path(id): Path<String>, look: Look) -> ReadResponse<Event> {
    Ok(Json(look.seen().event(&id).await?))
}

/// Counts, versions and the state hash.
pub async fn state(State(console): State<Console>, asked: QueryParams) -> ReadResponse<Counts> {
    Ok(Json(console.queries().state(asked.as_of()?).await?))
}
