//! One function a tool: from arguments to JSON, all of it as of one position.

use hindcast_api::{Code, Problem};
use hindcast_domain::{Partition, Span, Time};
use hindcast_queries::{AlertFilter, EventFilter, FindingFilter, IncidentFilter, ListPart, Snapshot};
use hindcast_telemetry::{LogFilter, TelemetryWindow};
use serde::Serialize;
use serde_json::{Value, json};

use super::specs::unknown;
use super::{Toolbox, args};

/// Lines of a timeline that are read; the middle of a longer one is left off.
const TIMELINE_READ_MAX: usize = 500;
/// The longest stretch of logs that one call looks through.
const LOGS_STRETCH_MAX: Span = Span::hours(6);

/// A call that is being answered.
pub(super) struct ToolCallContext<'a> {
    pub(super) toolbox: &'a Toolbox,
    /// Nothing else is looked at.
    pub(super) seen: &'a Snapshot,
}

/// An answer as JSON.
fn shown(value: &impl Serialize) -> Result<Value, Problem> {
    serde_json::to_value(value).map_err(|error| Problem::new(Code::Internal, error.to_string()))
}

impl ToolCallContext<'_> {
    /// A list in the shape of all lists; what lies on further pages is said, since nobody can count it here.
    fn list<T: Serialize>(&self, items: &[T], more: bool) -> Result<Value, Problem> {
        let mut value = json!({"items": shown(&items)?, "position": self.seen.position()});
        if more && let Some(fields) = value.as_object_mut() {
            fields.insert("more".to_owned(), Value::Bool(true));
        }
        Ok(value)
    }

    pub(super) async fn answer(&self, name: &str, arguments: Value) -> Result<Value, Problem> {
        match name {
            "list_incidents" => self.list_incidents(args::read(name, arguments)?).await,
            "get_incident" => {
                let asked: args::OfIncident = args::read(name, arguments)?;
                shown(&self.seen.incident(asked.incident.as_deref()).await?)
            }
            "get_timeline" => self.timeline(args::read(name, arguments)?).await,
            "get_alerts" => self.alerts(args::read(name, arguments)?).await,
            "get_receipt" => {
                let asked: args::GetReceipt = args::read(name, arguments)?;
                shown(&self.seen.receipt(asked.alert.as_deref()).await?)
            }
            "get_why" => {
                let id = self.incident(args::read::<args::OfIncident>(name, arguments)?.incident.as_deref()).await?;
                shown(&self.seen.why(&id).await?)
            }
            "get_causes" => {
                let asked: args::OfIncident = args::read(name, arguments)?;
                shown(&self.toolbox.advice.causes(self.seen, asked.incident.as_deref()).await?)
            }
            "get_similar" => self.similar(args::read(name, arguments)?).await,
            "get_proposals" => {
                let asked: args::OfIncident = args::read(name, arguments)?;
                let found = self.toolbox.advice.proposals(self.seen, asked.incident.as_deref()).await?;
                self.list(&found, false)
            }
            "get_changes" => {
                let id = self.incident(args::read::<args::OfIncident>(name, arguments)?.incident.as_deref()).await?;
                self.list(&self.seen.changes(&id).await?, false)
            }
            "get_findings" => self.findings(args::read(name, arguments)?).await,
            "search_events" => self.events(args::read(name, arguments)?).await,
            "get_event" => {
                let asked: args::GetEvent = args::read(name, arguments)?;
                shown(&self.seen.event(&asked.event).await?)
            }
            "search_logs" => self.logs(args::read(name, arguments)?).await,
            other => Err(unknown(other)),
        }
    }

    /// The whole id of an incident.
    async fn incident(&self, id: Option<&str>) -> Result<String, Problem> {
        Ok(self.seen.incident(id).await?.id)
    }

    async fn list_incidents(&self, asked: args::ListIncidents) -> Result<Value, Problem> {
        const NAME: &str = "list_incidents";
        let filter = IncidentFilter {
            status: args::statuses(NAME, asked.status.as_deref())?,
            severity: args::severities(NAME, asked.severity.as_deref())?,
            service: asked.service,
            q: asked.q,
            since: args::time(NAME, asked.since.as_deref())?,
            until: args::time(NAME, asked.until.as_deref())?,
            environment: None,
        };
        let limit = args::limit(NAME, asked.limit)?;
        let page = self.seen.incidents(filter, ListPart::first(limit)).await?;
        self.list(&page.items, page.next.is_some())
    }

    /// The first and the last lines: how it began, and how it stands.
    async fn timeline(&self, asked: args::GetTimeline) -> Result<Value, Problem> {
        let limit = args::limit("get_timeline", asked.limit)?;
        let id = self.incident(asked.incident.as_deref()).await?;
        let page = self.seen.timeline(&id, ListPart::first(TIMELINE_READ_MAX)).await?;
        let (more, mut items) = (page.next.is_some(), page.items);
        let left_off = items.len().saturating_sub(limit);
        // At least one line stays at the end, since that is how it stands.
        let first = if left_off == 0 { 0 } else { limit / 3 };
        items.drain(first..first + left_off);
        let mut value = self.list(&items, more)?;
        if left_off > 0
            && let Some(fields) = value.as_object_mut()
        {
            fields.insert("left_off".to_owned(), json!(left_off));
            fields.insert("left_off_after".to_owned(), json!(first));
        }
        Ok(value)
    }

    async fn alerts(&self, asked: args::GetAlerts) -> Result<Value, Problem> {
        const NAME: &str = "get_alerts";
        let incident = match asked.incident {
            Some(id) => Some(self.incident(Some(&id)).await?),
            None => None,
        };
        let filter = AlertFilter {
            name: asked.name,
            status: args::alert_statuses(NAME, asked.status.as_deref())?,
            incident,
            ..AlertFilter::default()
        };
        let limit = args::limit(NAME, asked.limit)?;
        // A service is found by what the alert resolved to, which no label need carry: so it is looked for here.
        let read = if asked.service.is_some() { hindcast_api::LIMIT_MAX } else { limit };
        let page = self.seen.alerts(filter, ListPart::first(read)).await?;
        let wanted = |alert: &hindcast_api::Alert| {
            asked.service.as_deref().is_none_or(|service| alert.service.as_deref() == Some(service))
        };
        let mut items: Vec<_> = page.items.into_iter().filter(wanted).collect();
        let more = page.next.is_some() || items.len() > limit;
        items.truncate(limit);
        self.list(&items, more)
    }

    async fn similar(&self, asked: args::GetSimilar) -> Result<Value, Problem> {
        let limit = args::limit("get_similar", asked.limit)?;
        let mut page = match asked.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => self.toolbox.advice.recall(self.seen, text, limit).await?,
            None => self.toolbox.advice.similar(self.seen, asked.incident.as_deref()).await?,
        };
        page.items.truncate(limit);
        shown(&page)
    }

    async fn findings(&self, asked: args::GetFindings) -> Result<Value, Problem> {
        const NAME: &str = "get_findings";
        let (mut environment, mut since) = (None, args::time(NAME, asked.since.as_deref())?);
        if let Some(id) = asked.incident.as_deref() {
            let incident = self.seen.incident(Some(id)).await?;
            since = since.or(Some(incident.started_at - hindcast_advice::gather::BEFORE));
            environment = Some(incident.environment);
        }
        let filter = FindingFilter {
            service: asked.service,
            environment,
            since,
            until: args::time(NAME, asked.until.as_deref())?,
        };
        let limit = args::limit(NAME, asked.limit)?;
        let page = self.seen.findings(filter, ListPart::first(limit)).await?;
        self.list(&page.items, page.next.is_some())
    }

    async fn events(&self, asked: args::SearchEvents) -> Result<Value, Problem> {
        let limit = args::limit("search_events", asked.limit)?;
        let filter = EventFilter {
            kind: asked.kind,
            from: asked.from,
            to: asked.to,
            subject: asked.subject,
            ..EventFilter::default()
        };
        let page = self.seen.events(filter, ListPart::first(limit)).await?;
        self.list(&page.items, page.next.is_some())
    }

    async fn logs(&self, asked: args::SearchLogs) -> Result<Value, Problem> {
        const NAME: &str = "search_logs";
        if !self.seen.is_now() {
            let said = "expected a question about now: log lines are telemetry, which expires and has no past";
            let remedy = "Use get_findings: what was concluded from the lines is kept for ever.";
            return Err(Problem::new(Code::Invalid, said).remedy(remedy));
        }
        let Some(telemetry) = &self.toolbox.telemetry else {
            let said = "no telemetry is kept by this process";
            return Err(Problem::new(Code::NotFound, said).remedy("Use get_findings."));
        };
        let limit = args::limit(NAME, asked.limit)?;
        let (partition, stretch) = self.place_of_logs(&asked).await?;
        let filter = LogFilter {
            service: asked.service,
            level: args::level(asked.level.as_deref()),
            contains: asked.contains,
            limit: limit + 1,
        };
        let found = telemetry.logs(&partition, stretch, filter).await;
        let mut items = found.map_err(|error| Problem::new(Code::Unavailable, error.to_string()))?;
        let more = items.len() > limit;
        items.truncate(limit);
        let mut value = self.list(&items, more)?;
        if let Some(fields) = value.as_object_mut() {
            fields.insert("from".to_owned(), json!(stretch.from));
            fields.insert("to".to_owned(), json!(stretch.to));
            let note = "telemetry expires: lines are no events and cannot be cited; findings can";
            fields.insert("note".to_owned(), json!(note));
        }
        Ok(value)
    }

    /// Where and when logs are looked for: around the incident, or in the stretch that was named.
    async fn place_of_logs(&self, asked: &args::SearchLogs) -> Result<(Partition, TelemetryWindow), Problem> {
        const NAME: &str = "search_logs";
        let named = (args::time(NAME, asked.from.as_deref())?, args::time(NAME, asked.to.as_deref())?);
        let (partition, usual) = match (asked.incident.as_deref(), asked.environment.as_deref()) {
            (None, Some(environment)) => {
                let now = self.seen.recorded_at();
                (Partition::of_environment(environment), TelemetryWindow { from: now - Span::minutes(30), to: now })
            }
            (id, _) => {
                let incident = self.seen.incident(id).await?;
                let end = incident.resolved_at.unwrap_or(incident.updated_at) + Span::minutes(5);
                let from = incident.started_at - Span::minutes(10);
                (Partition::of_environment(&incident.environment), TelemetryWindow { from, to: end })
            }
        };
        let from = named.0.unwrap_or_else(|| named.1.map_or(usual.from, |to| usual.from.min(to - Span::minutes(30))));
        let to: Time = named.1.unwrap_or_else(|| usual.to.max(from)).clamped(from, from + LOGS_STRETCH_MAX);
        Ok((partition, TelemetryWindow { from, to }))
    }
}
