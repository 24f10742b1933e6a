//! Views and advice that answer with as much as they are told to, and remember as of when they were asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use hindcast_api::{
    Alert, AsOf, Causes, Change, Code, Event, Finding, Incident, Notice, Page, Parked, Postmortem, Problem, Proposal,
    Receipt, Replay, RunbookSummary, Silence, SimilarPage, State, TimelineEntry, Verification, Why,
};
use hindcast_domain::catalog::Catalog;
use hindcast_domain::command::Received;
use hindcast_domain::{EventId, Partition, Time, finding, incident};
use hindcast_queries::{
    AlertFilter, CommandOutcome, EventFilter, FindingFilter, IncidentFilter, NoticeFilter, Queries, Window,
};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::Advice;
use crate::tools::Toolbox;

/// The position that is now.
pub(super) const NOW: u64 = 9_000;
pub(super) const ID: &str = "INC-7Q2K5M8N3P4R6S9T";

/// As of when each question was asked.
pub(super) type Asked = Arc<Mutex<Vec<(&'static str, Option<AsOf>)>>>;

/// Views with `many` things of each kind.
pub(super) struct Fake {
    pub(super) many: usize,
    pub(super) asked: Asked,
}

pub(super) fn toolbox(many: usize, telemetry: Option<hindcast_telemetry::Shared>) -> (Toolbox, Asked) {
    let asked = Asked::default();
    let fake = Arc::new(Fake { many, asked: Arc::clone(&asked) });
    (Toolbox { queries: fake.clone(), advice: fake, telemetry }, asked)
}

pub(super) fn start() -> Time {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn incident() -> Incident {
    read(json!({
        "id": ID, "title": "PgDown on postgres", "status": incident::Status::Open, "severity": "critical",
        "peak_severity": "critical", "services": ["postgres"], "teams": [], "environment": "production",
        "started_at": start(), "opened_at": start(), "updated_at": start(), "alerts": 1, "firing": 1, "occurrences": 1,
        "reopened": 0, "merged_from": [], "weights": 1, "revision": 1, "url": "/INC",
    }))
}

fn none<T>(what: &str) -> Result<T, Problem> {
    Err(Problem::new(Code::NotFound, format!("expected a thing of ours, got {what:?}")))
}

impl Fake {
    fn note(&self, what: &'static str, as_of: Option<AsOf>) {
        self.asked.lock().unwrap().push((what, as_of));
    }

    fn page<T>(&self, window: &Window, one: impl Fn(usize) -> T) -> Page<T> {
        let limit = window.limit.unwrap_or(50);
        let items = (0..self.many.min(limit)).map(one).collect();
        Page { items, next: (self.many > limit).then(|| "more".to_owned()), position: NOW }
    }
}

#[async_trait]
impl Queries for Fake {
    fn position(&self) -> watch::Receiver<u64> {
        watch::Sender::new(NOW).subscribe()
    }
    fn is_ready(&self) -> bool {
        true
    }
    async fn incidents(&self, _: IncidentFilter, window: Window) -> Result<Page<Incident>, Problem> {
        self.note("incidents", window.as_of);
        Ok(self.page(&window, |_| incident()))
    }
    async fn incident(&self, id: Option<&str>, as_of: Option<AsOf>) -> Result<Incident, Problem> {
        self.note("incident", as_of);
        if id.is_none_or(|id| ID.starts_with(id)) { Ok(incident()) } else { none(id.unwrap_or_default()) }
    }
    async fn timeline(&self, _: &str, window: Window) -> Result<Page<TimelineEntry>, Problem> {
        self.note("timeline", window.as_of);
        let line = |n: usize| TimelineEntry {
            time: start(),
            text: format!("line {n} {}", "x".repeat(200)),
            event_type: "incident.noted".into(),
            actor: "ada".into(),
            event: format!("EVT-{n}"),
            position: n as u64,
            subject: ID.into(),
        };
        Ok(self.page(&window, line))
    }
    async fn why(&self, id: &str, as_of: Option<AsOf>) -> Result<Why, Problem> {
        self.note("why", as_of);
        Ok(Why { incident: id.into(), members: vec![], kept_out: vec![], position: NOW })
    }
    async fn changes(&self, _: &str, as_of: Option<AsOf>) -> Result<Vec<Change>, Problem> {
        self.note("changes", as_of);
        let change = |n: usize| {
            read(json!({
                "event": format!("EVT-{n}"), "position": n, "environment": "production", "source": "ci", "kind": "deploy",
                "title": "x", "at": start(),
            }))
        };
        Ok((0..self.many).map(change).collect())
    }
    async fn alerts(&self, _: AlertFilter, window: Window) -> Result<Page<Alert>, Problem> {
        self.note("alerts", window.as_of);
        let alert = |n: usize| {
            read(json!({
                "fingerprint": format!("{n:020x}"), "source": "prometheus", "name": "PgDown",
                "service": if n.is_multiple_of(2) { "postgres" } else { "nginx" }, "environment": "production", "status": "firing",
                "severity": "critical", "labels": {}, "annotations": {}, "starts_at": start(), "first_seen_at": start(),
                "last_seen_at": start(), "occurrences": 1, "fired": 1, "revision": 1, "receipt": "",
            }))
        };
        Ok(self.page(&window, alert))
    }
    async fn receipt(&self, alert: Option<&str>, as_of: Option<AsOf>) -> Result<Receipt, Problem> {
        self.note("receipt", as_of);
        none(alert.unwrap_or_default())
    }
    async fn findings(&self, _: FindingFilter, window: Window) -> Result<Page<Finding>, Problem> {
        self.note("findings", window.as_of);
        let finding = |n: usize| {
            read(json!({
                "id": "FND-1", "event": format!("EVT-{n}"), "position": n, "recorded_at": start(), "environment": "production",
                "kind": finding::Kind::NewTemplate, "service": "postgres", "title": "x", "at": start(), "until": start(),
                "before": 0.0, "after": 1.0, "count": 1, "score": 500, "detector": 1,
            }))
        };
        Ok(self.page(&window, finding))
    }
    async fn watched(&self, _: &str, _: Option<AsOf>) -> Result<Vec<String>, Problem> {
        Ok(vec![])
    }
    async fn moment(&self, as_of: Option<AsOf>) -> Result<(u64, Time), Problem> {
        Ok((if let Some(AsOf::Position(position)) = as_of { position } else { NOW }, start()))
    }
    async fn silences(&self, window: Window) -> Result<Page<Silence>, Problem> {
        Ok(Page { items: vec![], next: None, position: window.limit.unwrap_or(0) as u64 })
    }
    async fn silence(&self, id: &str, _: Option<AsOf>) -> Result<Silence, Problem> {
        none(id)
    }
    async fn notices(&self, _: NoticeFilter, _: Window) -> Result<Page<Notice>, Problem> {
        none("notices")
    }
    async fn parked(&self, _: bool, _: Window) -> Result<Page<Parked>, Problem> {
        none("parked")
    }
    async fn parked_item(&self, id: &str) -> Result<Parked, Problem> {
        none(id)
    }
    async fn events(&self, _: EventFilter, window: Window) -> Result<Page<Event>, Problem> {
        self.note("events", window.as_of);
        let event = |n: usize| {
            read(json!({
                "position": n, "kind": "intake", "type": "intake.alert", "id": format!("EVT-{n}"), "subject": "s",
                "time": start(), "recorded_at": start(), "actor": "a", "tenant": "default", "environment": "production",
                "source": "door", "data": {"text": "y".repeat(5_000)},
            }))
        };
        Ok(self.page(&window, event))
    }
    async fn event(&self, id: &str, as_of: Option<AsOf>) -> Result<Event, Problem> {
        self.note("event", as_of);
        none(id)
    }
    async fn catalog(&self, _: Option<AsOf>) -> Result<Catalog, Problem> {
        Ok(Catalog::default())
    }
    async fn configured(&self, _: &str, _: Option<AsOf>) -> Result<Option<(String, Value)>, Problem> {
        Ok(None)
    }
    async fn state(&self, _: Option<AsOf>) -> Result<State, Problem> {
        none("state")
    }
    async fn partition_of(&self, _: &str) -> Result<Partition, Problem> {
        Ok(Partition::of_environment("production"))
    }
    async fn outcome(&self, _: &EventId, _: Duration) -> CommandOutcome {
        CommandOutcome::Pending
    }
    async fn command_by_key(&self, _: &str) -> Option<(EventId, Received)> {
        None
    }
    async fn verify(&self) -> Result<Verification, Problem> {
        none("verify")
    }
    async fn replay(&self, _: Option<AsOf>) -> Result<Replay, Problem> {
        none("replay")
    }
}

#[async_trait]
impl Advice for Fake {
    async fn causes(&self, _: Option<&str>, as_of: Option<AsOf>) -> Result<Causes, Problem> {
        self.note("causes", as_of);
        Ok(read(json!({
            "items": [], "next": null, "position": NOW, "incident": ID, "unresolved": true, "refuted": [],
            "blast_radius": {"hit": [], "at_risk": [], "unharmed": []}, "ranker": 1,
        })))
    }
    async fn similar(&self, _: Option<&str>, as_of: Option<AsOf>) -> Result<SimilarPage, Problem> {
        self.note("similar", as_of);
        Ok(read(json!({
            "items": [], "next": null, "position": NOW, "incident": ID, "never_seen": true, "embedder": "hashing",
            "stand_in": true,
        })))
    }
    async fn proposals(&self, _: Option<&str>, as_of: Option<AsOf>) -> Result<Vec<Proposal>, Problem> {
        self.note("proposals", as_of);
        Ok(vec![])
    }
    async fn propose(&self, _: &str, runbook: &str, _: Value, _: &str) -> Result<Proposal, Problem> {
        none(runbook)
    }
    async fn postmortem(&self, _: Option<&str>, _: Option<AsOf>) -> Result<Postmortem, Problem> {
        none("postmortem")
    }
    async fn recall(&self, _: &str, as_of: Option<AsOf>, _: usize) -> Result<SimilarPage, Problem> {
        self.note("recall", as_of);
        self.similar(None, as_of).await
    }
    async fn runbooks(&self, _: Option<AsOf>) -> Result<Vec<RunbookSummary>, Problem> {
        Ok(vec![])
    }
}
