//! Reads what a page shows. Each function gets one look, asks its snapshot, and hands the answers to a page; the past
//! and now take the same way.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use axum::extract::{OriginalUri, Path};
use hindcast_advice::gather::BEFORE;
use hindcast_api::{Alert, Code, Incident, LIMIT_MAX, Page, Problem, TimelineEntry, Why};
use hindcast_domain::notice;
use hindcast_http::{HttpRefusal, Result};
use hindcast_queries::{AlertFilter, EventFilter, FindingFilter, ListPart, NoticeFilter, Snapshot};
use maud::Markup;

use super::learnt::said;
use crate::look::Look;
use crate::params::{ALERTS_CURSOR, CURSOR};
use crate::{advice, commands, fallback, pages, reads, report};
use pages::{Frame, Tab};

/// Notices that are counted on the first page; more are shown as a plus.
const COUNTED: usize = 100;
/// Findings that an incident's page shows.
const FINDINGS: usize = 20;
/// Alerts that an incident's page shows at once, each with why it is there.
const ALERTS: usize = 50;
/// Lines of a timeline that an incident's page shows at once.
const LINES: usize = 100;
/// How long a page waits for one conclusion before it is shown without it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The list of incidents.
pub(super) async fn incidents(OriginalUri(uri): OriginalUri, look: Look) -> Result<Markup> {
    let seen = look.seen();
    let incidents = seen.incidents(reads::incident_filter(look.asked())?, look.part()?).await?;
    let told = |status, page| NoticeFilter { status: vec![status], page, incident: None };
    let waiting = seen.notices(told(notice::Status::Requested, Some(true)), ListPart::first(COUNTED)).await?;
    let held = seen.notices(told(notice::Status::Held, None), ListPart::first(COUNTED)).await?;
    let counted = seen.counted().await?;
    let has_catalog = !seen.catalog().await?.services.is_empty();
    let frame = look.frame(uri.path(), Tab::Incidents, "Incidents").await?;
    let view = pages::incidents::IncidentsPage { frame, counted, incidents, waiting, held, has_catalog };
    Ok(pages::incidents::page(&view))
}

/// Links between services and teams.
pub(super) async fn topology(OriginalUri(uri): OriginalUri, look: Look) -> Result<Markup> {
    let seen = look.seen();
    let links = commands::topology::page(seen, look.part()?).await?;
    let has_catalog = !seen.catalog().await?.services.is_empty();
    let frame = look.frame(uri.path(), Tab::Topology, "Topology").await?;
    Ok(pages::topology::page(&pages::topology::TopologyPage { frame, links, has_catalog }))
}

pub(super) async fn incident(Path(id): Path<String>, OriginalUri(uri): OriginalUri, look: Look) -> Result<Markup> {
    if !fallback::is_incident(&id) {
        return Err(HttpRefusal::new(Code::NotFound, format!("expected a path of this server, got {:?}", uri.path())));
    }
    let seen = look.seen();
    let incident = seen.incident(Some(&id)).await?;
    let title = format!("{} {}", incident.id.get(..8).unwrap_or(&incident.id), incident.title);
    let mut frame = look.frame(&format!("/{}", incident.id), Tab::Incidents, &title).await?;
    let id = incident.id.as_str();
    let lines = ListPart { limit: Some(LINES), cursor: look.asked().one(CURSOR.name) };
    let timeline = seen.timeline(id, lines).await?;
    steps(seen, &mut frame, &incident, &timeline.items).await?;
    let concluded = concluded(&look, &incident).await;
    let proposals = concluded.proposals.as_deref().unwrap_or_default();
    let judging = pages::incident::judging::Judging {
        said: soon(said(seen, id, &timeline, proposals)).await,
        open: frame.is_now() && incident.merged_into.is_none(),
        incident: id.to_owned(),
    };
    let about = NoticeFilter { incident: Some(id.to_owned()), ..NoticeFilter::default() };
    let (alerts, why) = members(&look, id).await?;
    let view = pages::incident::IncidentPage {
        alerts,
        why,
        changes: seen.changes(id).await?,
        notices: seen.notices(about, ListPart::default()).await?,
        undone: undone(seen, id).await?,
        concluded,
        judging,
        frame,
        timeline,
        incident,
    };
    Ok(pages::incident::page(&view))
}

/// A part of an incident's alerts, and why each of them is in it.
async fn members(look: &Look, id: &str) -> Result<(Page<Alert>, Why)> {
    let filter = AlertFilter { incident: Some(id.to_owned()), ..AlertFilter::default() };
    let part = ListPart { limit: Some(ALERTS), cursor: look.asked().one(ALERTS_CURSOR.name) };
    let alerts = look.seen().alerts(filter, part).await?;
    let shown: Vec<String> = alerts.items.iter().map(|alert| alert.fingerprint.clone()).collect();
    let why = look.seen().why_of(id, &shown).await?;
    Ok((alerts, why))
}

/// The list of alerts.
pub(super) async fn alerts(OriginalUri(uri): OriginalUri, look: Look) -> Result<Markup> {
    let alerts = look.seen().alerts(reads::alert_filter(&look).await?, look.part()?).await?;
    let frame = look.frame(uri.path(), Tab::Alerts, "Alerts").await?;
    Ok(pages::alerts::page(&pages::alerts::AlertsPage { frame, alerts }))
}

/// One alert's receipt.
pub(super) async fn receipt(Path(id): Path<String>, OriginalUri(uri): OriginalUri, look: Look) -> Result<Markup> {
    let receipt = look.seen().receipt(Some(&id)).await?;
    let frame = look.frame(uri.path(), Tab::Alerts, &receipt.alert.name).await?;
    Ok(pages::receipt::page(&pages::receipt::ReceiptPage { frame, receipt }))
}

pub(super) async fn reports(OriginalUri(uri): OriginalUri, look: Look) -> Result<Markup> {
    let report = look.seen().report(report::filter(look.asked())?).await?;
    let frame = look.frame(uri.path(), Tab::Reports, "Reports").await?;
    Ok(report::page(&frame, &report))
}

pub(super) async fn silences(OriginalUri(uri): OriginalUri, look: Look) -> Result<Markup> {
    let silences = reads::silences_with_alerts(&look).await?;
    let frame = look.frame(uri.path(), Tab::Silences, "Silences").await?;
    Ok(pages::silences::page(&pages::silences::SilencesPage { frame, silences }))
}

pub(super) async fn notices(OriginalUri(uri): OriginalUri, look: Look) -> Result<Markup> {
    let notices = look.seen().notices(reads::notice_filter(&look).await?, look.part()?).await?;
    let frame = look.frame(uri.path(), Tab::Notices, "Notices").await?;
    Ok(pages::notices::page(&pages::notices::NoticesPage { frame, notices, chats: look.chats() }))
}

pub(super) async fn findings(OriginalUri(uri): OriginalUri, look: Look) -> Result<Markup> {
    let findings = look.seen().findings(advice::finding_filter(look.asked())?, look.part()?).await?;
    let frame = look.frame(uri.path(), Tab::Findings, "Findings").await?;
    Ok(pages::findings::page(&pages::findings::FindingsPage { frame, findings }))
}

/// A drafted postmortem.
pub(super) async fn postmortem(Path(id): Path<String>, look: Look) -> Result<Markup> {
    let incident = look.seen().incident(Some(&id)).await?;
    let drafted = look.advice().postmortem(look.seen(), Some(&incident.id)).await?;
    let frame = look.frame(&format!("/{}/postmortem", incident.id), Tab::Incidents, "Postmortem").await?;
    Ok(pages::postmortem::page(&pages::postmortem::PostmortemPage { frame, incident, drafted }))
}

pub(super) async fn event(Path(id): Path<String>, OriginalUri(uri): OriginalUri, look: Look) -> Result<Markup> {
    let event = look.seen().event(&id).await?;
    let frame = look.frame(uri.path(), Tab::Other, &event.event_type).await?;
    Ok(pages::event::page(&pages::event::EventPage { frame, event }))
}

/// A conclusion, unless it takes too long.
async fn soon<T>(conclusion: impl Future<Output = std::result::Result<T, Problem>>) -> std::result::Result<T, Problem> {
    let late = |_| Problem::new(Code::Unavailable, format!("it took longer than {} s", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, conclusion).await.map_err(late)?
}

/// What is concluded of an incident, all at once.
async fn concluded(look: &Look, incident: &Incident) -> pages::incident::Concluded {
    let (id, seen, advice) = (Some(incident.id.as_str()), look.seen(), look.advice());
    let (causes, similar, proposals, findings) = tokio::join!(
        soon(advice.causes(seen, id)),
        soon(advice.similar(seen, id)),
        soon(advice.proposals(seen, id)),
        soon(found(seen, incident)),
    );
    pages::incident::Concluded { causes, similar, proposals, findings }
}

/// Findings near an incident, by when they began.
async fn found(
    seen: &Snapshot,
    incident: &Incident,
) -> std::result::Result<hindcast_api::Page<hindcast_api::Finding>, Problem> {
    let filter = FindingFilter {
        service: None,
        environment: Some(incident.environment.clone()),
        since: Some(incident.started_at - BEFORE),
        until: incident.resolved_at,
    };
    let mut page = seen.findings(filter, ListPart::first(FINDINGS)).await?;
    page.items.sort_by_key(|finding| (finding.finding.at, finding.position));
    Ok(page)
}

/// The last step of the timeline before what is shown, and the first one after it.
async fn steps(seen: &Snapshot, frame: &mut Frame, incident: &Incident, shown: &[TimelineEntry]) -> Result<()> {
    let Some(past) = &mut frame.seen else {
        return Ok(());
    };
    // The entries up to here are shown: the one before the last is a step back.
    let mut places: Vec<u64> = shown.iter().map(|entry| entry.position).collect();
    places.dedup();
    places.pop();
    past.steps = Some((places.pop(), seen.next_event_of(&incident.id).await?));
    Ok(())
}

/// Merges and splits of an incident that were taken back.
async fn undone(seen: &Snapshot, id: &str) -> Result<BTreeSet<String>> {
    let (kind, subject) = (Some("incident.undone".to_owned()), Some(id.to_owned()));
    let filter = EventFilter { kind, subject, ..EventFilter::default() };
    let events = seen.events(filter, ListPart::first(LIMIT_MAX)).await?.items;
    Ok(events.iter().filter_map(|event| Some(event.data.get("event")?.as_str()?.to_owned())).collect())
}
