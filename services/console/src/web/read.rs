//! Reads what a page shows. Each function asks the read port as of one time and hands the answers to a page.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use axum::extract::{OriginalUri, Path, State};
use hindcast_advice::gather::BEFORE;
use hindcast_api::{AsOf, Code, Incident, LIMIT_MAX, Problem, State as Counts, TimelineEntry};
use hindcast_domain::{Time, notice};
use hindcast_http::{HttpRefusal, Result};
use hindcast_queries::{AlertFilter, EventFilter, FindingFilter, NoticeFilter, Window};
use maud::Markup;

use crate::params::Asked;
use crate::{Console, advice, fallback, pages, reads, report};
use pages::{Frame, Seen, Tab};

/// Notices that are counted on the first page; more are shown as a plus.
const COUNTED: usize = 100;
/// Findings that an incident's page shows.
const FINDINGS: usize = 20;
/// How long a page waits for one conclusion before it is shown without it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The list of incidents.
pub(super) async fn incidents(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    asked: Asked,
) -> Result<Markup> {
    let (frame, state) = console.frame(&asked, uri.path(), Tab::Incidents, "Incidents").await?;
    let incidents = console.queries().incidents(reads::incident_filter(&asked)?, asked.window()?).await?;
    let told = |status, page| NoticeFilter { status: vec![status], page, incident: None };
    let window = || Window {
        as_of: frame.seen.as_ref().map(|seen| AsOf::Position(seen.position)),
        limit: Some(COUNTED),
        cursor: None,
    };
    let waiting = console.queries().notices(told(notice::Status::Requested, Some(true)), window()).await?;
    let held = console.queries().notices(told(notice::Status::Held, None), window()).await?;
    Ok(pages::incidents::page(&pages::incidents::IncidentsPage { frame, state, incidents, waiting, held }))
}

pub(super) async fn incident(
    State(console): State<Console>,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
    asked: Asked,
) -> Result<Markup> {
    if !fallback::is_incident(&id) {
        return Err(HttpRefusal::new(Code::NotFound, format!("expected a path of this server, got {:?}", uri.path())));
    }
    let as_of = asked.as_of()?;
    let incident = console.queries().incident(Some(&id), as_of).await?;
    let title = format!("{} {}", incident.id.get(..8).unwrap_or(&incident.id), incident.title);
    let (mut frame, _) = console.frame(&asked, &format!("/{}", incident.id), Tab::Incidents, &title).await?;
    let whole = || Window { as_of, limit: Some(LIMIT_MAX), cursor: None };
    let id = incident.id.as_str();
    let timeline = console.queries().timeline(id, Window { cursor: asked.one("cursor"), ..whole() }).await?;
    console.steps(&mut frame, &incident, &timeline.items).await?;
    let filter = AlertFilter { incident: Some(id.to_owned()), ..AlertFilter::default() };
    let concluded = console.concluded(&incident, as_of).await;
    let proposals = concluded.proposals.as_deref().unwrap_or_default();
    let judging = pages::incident::judging::Judging {
        said: soon(console.said(id, &timeline, proposals, as_of)).await,
        open: frame.is_now() && incident.merged_into.is_none(),
        incident: id.to_owned(),
    };
    let about = NoticeFilter { incident: Some(id.to_owned()), ..NoticeFilter::default() };
    let view = pages::incident::IncidentPage {
        alerts: console.queries().alerts(filter, whole()).await?,
        why: console.queries().why(id, as_of).await?,
        changes: console.queries().changes(id, as_of).await?,
        notices: console.queries().notices(about, Window { limit: None, ..whole() }).await?,
        undone: console.undone(id, as_of).await?,
        concluded,
        judging,
        frame,
        timeline,
        incident,
    };
    Ok(pages::incident::page(&view))
}

/// The list of alerts.
pub(super) async fn alerts(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    asked: Asked,
) -> Result<Markup> {
    let (frame, _) = console.frame(&asked, uri.path(), Tab::Alerts, "Alerts").await?;
    let filter = reads::alert_filter(&console, &asked).await?;
    let alerts = console.queries().alerts(filter, asked.window()?).await?;
    Ok(pages::alerts::page(&pages::alerts::AlertsPage { frame, alerts }))
}

/// One alert's receipt.
pub(super) async fn receipt(
    State(console): State<Console>,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
    asked: Asked,
) -> Result<Markup> {
    let receipt = console.queries().receipt(Some(&id), asked.as_of()?).await?;
    let (frame, _) = console.frame(&asked, uri.path(), Tab::Alerts, &receipt.alert.name).await?;
    Ok(pages::receipt::page(&pages::receipt::ReceiptPage { frame, receipt }))
}

pub(super) async fn reports(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    asked: Asked,
) -> Result<Markup> {
    let (frame, _) = console.frame(&asked, uri.path(), Tab::Reports, "Reports").await?;
    let report = console.queries().report(report::filter(&asked)?, asked.as_of()?).await?;
    Ok(report::page(&frame, &report))
}

pub(super) async fn silences(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    asked: Asked,
) -> Result<Markup> {
    let (frame, _) = console.frame(&asked, uri.path(), Tab::Silences, "Silences").await?;
    let silences = console.queries().silences(asked.window()?).await?;
    Ok(pages::silences::page(&pages::silences::SilencesPage { frame, silences }))
}

pub(super) async fn notices(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    asked: Asked,
) -> Result<Markup> {
    let (frame, _) = console.frame(&asked, uri.path(), Tab::Notices, "Notices").await?;
    let filter = reads::notice_filter(&console, &asked).await?;
    let notices = console.queries().notices(filter, asked.window()?).await?;
    // What waits is of now, and of no earlier moment.
    let chats = if asked.as_of()?.is_none() { console.chats() } else { hindcast_api::Chats::default() };
    Ok(pages::notices::page(&pages::notices::NoticesPage { frame, notices, chats }))
}

pub(super) async fn findings(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    asked: Asked,
) -> Result<Markup> {
    let (frame, _) = console.frame(&asked, uri.path(), Tab::Findings, "Findings").await?;
    let findings = console.queries().findings(advice::finding_filter(&asked)?, asked.window()?).await?;
    Ok(pages::findings::page(&pages::findings::FindingsPage { frame, findings }))
}

/// A drafted postmortem.
pub(super) async fn postmortem(State(console): State<Console>, Path(id): Path<String>, asked: Asked) -> Result<Markup> {
    let as_of = asked.as_of()?;
    let incident = console.queries().incident(Some(&id), as_of).await?;
    let path = format!("/{}/postmortem", incident.id);
    let (frame, _) = console.frame(&asked, &path, Tab::Incidents, "Postmortem").await?;
    let drafted = console.advice().postmortem(Some(&incident.id), as_of).await?;
    Ok(pages::postmortem::page(&pages::postmortem::PostmortemPage { frame, incident, drafted }))
}

pub(super) async fn event(
    State(console): State<Console>,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
    asked: Asked,
) -> Result<Markup> {
    let event = console.queries().event(&id, asked.as_of()?).await?;
    let (frame, _) = console.frame(&asked, uri.path(), Tab::Other, &event.event_type).await?;
    Ok(pages::event::page(&pages::event::EventPage { frame, event }))
}

/// A conclusion, unless it takes too long.
async fn soon<T>(conclusion: impl Future<Output = std::result::Result<T, Problem>>) -> std::result::Result<T, Problem> {
    let late = |_| Problem::new(Code::Unavailable, format!("it took longer than {} s", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, conclusion).await.map_err(late)?
}

impl Console {
    /// What is concluded of an incident, all at once.
    async fn concluded(&self, incident: &Incident, as_of: Option<AsOf>) -> pages::incident::Concluded {
        let (id, advice) = (Some(incident.id.as_str()), self.advice());
        let (causes, similar, proposals, findings) = tokio::join!(
            soon(advice.causes(id, as_of)),
            soon(advice.similar(id, as_of)),
            soon(advice.proposals(id, as_of)),
            soon(self.found(incident, as_of)),
        );
        pages::incident::Concluded { causes, similar, proposals, findings }
    }

    /// Findings near an incident, by when they began.
    async fn found(
        &self,
        incident: &Incident,
        as_of: Option<AsOf>,
    ) -> std::result::Result<hindcast_api::Page<hindcast_api::Finding>, Problem> {
        let filter = FindingFilter {
            service: None,
            environment: Some(incident.environment.clone()),
            since: Some(incident.started_at - BEFORE),
            until: incident.resolved_at,
        };
        let window = Window { as_of, limit: Some(FINDINGS), cursor: None };
        let mut page = self.queries().findings(filter, window).await?;
        page.items.sort_by_key(|finding| (finding.finding.at, finding.position));
        Ok(page)
    }

    pub(super) async fn frame(&self, asked: &Asked, path: &str, tab: Tab, title: &str) -> Result<(Frame, Counts)> {
        let as_of = asked.as_of()?;
        let state = self.queries().state(as_of).await?;
        let time = match as_of {
            None => None,
            Some(AsOf::Time(time)) => Some(time),
            Some(AsOf::Position(position)) => self.time_of(position).await?,
        };
        let seen = as_of.map(|_| Seen {
            asked: asked.one("as_of").unwrap_or_default(),
            position: state.position,
            time,
            provisional: state.provisional,
            steps: None,
        });
        let frame = Frame {
            title: title.to_owned(),
            tab,
            path: path.to_owned(),
            query: asked.rest(&["as_of", "cursor"]),
            now: time.unwrap_or_else(|| self.now()),
            seen,
            position: state.position,
            settled: state.settled,
            version: self.inner.options.version,
        };
        Ok((frame, state))
    }

    /// When a position was known: the record of its commit.
    async fn time_of(&self, position: u64) -> Result<Option<Time>> {
        let filter = EventFilter { from: Some(position & !4_095), to: Some(position), ..EventFilter::default() };
        let window = Window { limit: Some(LIMIT_MAX), ..Window::default() };
        let events = self.queries().events(filter, window).await?.items;
        Ok(events.last().map(|event| event.recorded_at))
    }

    /// The last step of the timeline before what is shown, and the first one after it.
    async fn steps(&self, frame: &mut Frame, incident: &Incident, shown: &[TimelineEntry]) -> Result<()> {
        let Some(seen) = &mut frame.seen else {
            return Ok(());
        };
        // The entries up to here are shown: the one before the last is a step back.
        let mut places: Vec<u64> = shown.iter().map(|entry| entry.position).collect();
        places.dedup();
        places.pop();
        let before = places.pop();
        let filter =
            EventFilter { from: Some(seen.position + 1), subject: Some(incident.id.clone()), ..EventFilter::default() };
        let later = self.queries().events(filter, Window { limit: Some(1), ..Window::default() }).await?.items;
        seen.steps = Some((before, later.first().map(|event| event.position)));
        Ok(())
    }

    /// Merges and splits of an incident that were taken back.
    async fn undone(&self, id: &str, as_of: Option<AsOf>) -> Result<BTreeSet<String>> {
        let filter = EventFilter {
            kind: Some("incident.undone".to_owned()),
            subject: Some(id.to_owned()),
            ..EventFilter::default()
        };
        let window = Window { as_of, limit: Some(LIMIT_MAX), cursor: None };
        let events = self.queries().events(filter, window).await?.items;
        Ok(events.iter().filter_map(|event| Some(event.data.get("event")?.as_str()?.to_owned())).collect())
    }
}
