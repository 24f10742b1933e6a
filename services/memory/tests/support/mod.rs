//! Views made by hand: incidents with their versions, events and findings, all as of any position. They answer
//! what the memory asks and refuse the rest; they can be told to fail.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)] // each test uses a part

pub mod store;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use hindcast_api::{
    Alert, AsOf, Change, Code, Event, Finding, Incident, Notice, Page, Parked, Problem, Receipt, Replay, Silence,
    State, TimelineEntry, Verification, Why,
};
use hindcast_domain::catalog::Catalog;
use hindcast_domain::command::Received;
use hindcast_domain::{EventId, IncidentId, Partition, Time, finding, incident};
use hindcast_queries::{
    AlertFilter, EventFilter, FindingFilter, IncidentFilter, NoticeFilter, Outcome, Queries, Window,
};
use serde_json::{Value, json};
use tokio::sync::watch;

/// Everything that was ever recorded.
pub struct Fake {
    position: watch::Sender<u64>,
    inner: Mutex<Inner>,
    /// Questions about incidents that fail before one is answered.
    pub failures: AtomicU32,
    /// Questions about incidents that were asked.
    pub asked: AtomicU32,
}

#[derive(Default)]
struct Inner {
    events: Vec<Event>,
    incidents: BTreeMap<String, BTreeMap<u64, Incident>>,
    alerts: BTreeMap<String, BTreeMap<u64, Vec<Alert>>>,
    findings: Vec<Finding>,
}

pub fn id(name: &str) -> IncidentId {
    IncidentId::derive(&[name.as_bytes()])
}

fn at(position: u64) -> Time {
    Time::from_millis(i64::try_from(position).unwrap() * 1_000)
}

pub fn event(position: u64, event_type: &str, subject: &str, data: Value) -> Event {
    serde_json::from_value(json!({
        "position": position, "kind": "decision", "type": event_type, "id": format!("EVT-{position}"),
        "subject": subject, "time": at(position), "recorded_at": at(position), "actor": "system",
        "tenant": "default", "environment": "production", "source": "incidents", "data": data,
    }))
    .unwrap()
}

impl Fake {
    pub fn new() -> Self {
        Self {
            position: watch::Sender::new(0),
            inner: Mutex::default(),
            failures: AtomicU32::new(0),
            asked: AtomicU32::new(0),
        }
    }

    /// Makes everything up to here visible.
    pub fn reach(&self, position: u64) {
        self.position.send_replace(position);
    }

    fn change(&self, name: &str, position: u64, change: impl FnOnce(&mut Incident)) {
        let mut inner = self.inner.lock().unwrap();
        let versions = inner.incidents.entry(id(name).to_string()).or_default();
        let mut incident = versions.values().next_back().cloned().unwrap_or_else(|| {
            serde_json::from_value(json!({
                "id": id(name).to_string(), "title": name, "status": "open", "severity": "high",
                "peak_severity": "high", "services": [], "teams": [], "environment": "production",
                "started_at": at(position), "opened_at": at(position), "updated_at": at(position),
                "alerts": 0, "firing": 0, "occurrences": 0, "reopened": 0, "merged_from": [], "weights": 1,
                "revision": 1, "url": "",
            }))
            .unwrap()
        });
        change(&mut incident);
        versions.insert(position, incident);
    }

    fn tell(&self, position: u64, event_type: &str, name: &str, data: Value) {
        let mut event = event(position, event_type, &id(name).to_string(), data);
        let events = &mut self.inner.lock().unwrap().events;
        let before = events.iter().filter(|other| other.subject == event.subject).count();
        event.revision = Some(before as u64 + 1);
        events.push(event);
    }

    /// It begins with an alert.
    pub fn open(&self, name: &str, position: u64, alert: &str, service: &str) {
        self.change(name, position, |incident| incident.services.push(service.to_owned()));
        self.alert(name, position, alert, service);
        self.tell(position, "incident.opened", name, json!({"title": name}));
    }

    /// Another alert joins.
    pub fn join(&self, name: &str, position: u64, alert: &str, service: &str) {
        self.change(name, position, |incident| incident.alerts += 1);
        self.alert(name, position, alert, service);
        self.tell(position, "incident.alert_joined", name, json!({}));
    }

    pub fn resolve(&self, name: &str, position: u64, resolution: &str) {
        self.change(name, position, |incident| {
            incident.status = incident::Status::Resolved;
            incident.resolved_at = Some(at(position));
            incident.resolution = Some(resolution.to_owned());
        });
        self.tell(position, "incident.resolved", name, json!({"by": "person"}));
    }

    pub fn merge(&self, into: &str, other: &str, position: u64) {
        self.change(into, position, |incident| incident.merged_from.push(id(other).to_string()));
        self.change(other, position, |incident| incident.merged_into = Some(id(into).to_string()));
        self.tell(position, "incident.merged", into, json!({"incident": id(other).to_string(), "fingerprints": []}));
    }

    /// Something that concerns nobody here.
    pub fn noise(&self, position: u64) {
        self.inner.lock().unwrap().events.push(event(position, "alert.repeated", "f00d", json!({})));
    }

    pub fn find(&self, position: u64, service: &str, template: &str) {
        let raised: finding::Raised = serde_json::from_value(json!({
            "kind": "new_template", "service": service, "title": template, "at": at(position),
            "until": at(position),
            "template": {"id": format!("TPL-{position}"), "version": 1, "text": template, "sample": template},
            "before": 0.0, "after": 9.0, "count": 9, "score": 900, "level": "error", "detector": 1,
        }))
        .unwrap();
        let data = serde_json::to_value(&raised).unwrap();
        let mut inner = self.inner.lock().unwrap();
        inner.events.push(event(position, "finding.raised", &format!("FND-{position}"), data));
        inner.findings.push(Finding {
            id: format!("FND-{position}"),
            event: format!("EVT-{position}"),
            position,
            recorded_at: at(position),
            environment: "production".to_owned(),
            finding: raised,
        });
    }

    fn alert(&self, name: &str, position: u64, alert: &str, service: &str) {
        let alert: Alert = serde_json::from_value(json!({
            "fingerprint": format!("{position:020x}"), "source": "test", "name": alert, "service": service,
            "environment": "production", "status": "firing", "severity": "high", "labels": {}, "annotations": {},
            "starts_at": at(position), "first_seen_at": at(position), "last_seen_at": at(position),
            "occurrences": 1, "fired": 1, "revision": 1, "receipt": "",
        }))
        .unwrap();
        let mut inner = self.inner.lock().unwrap();
        let versions = inner.alerts.entry(id(name).to_string()).or_default();
        let mut alerts = versions.values().next_back().cloned().unwrap_or_default();
        alerts.push(alert);
        versions.insert(position, alerts);
    }

    fn reached(&self, as_of: Option<AsOf>) -> u64 {
        let reached = *self.position.borrow();
        match as_of {
            Some(AsOf::Position(position)) => position.min(reached),
            _ => reached,
        }
    }
}

fn page<T>(items: Vec<T>, position: u64) -> Page<T> {
    Page { items, next: None, position }
}

fn not_here() -> Problem {
    Problem::new(Code::NotFound, "the test does not need this")
}

#[async_trait]
impl Queries for Fake {
    fn position(&self) -> watch::Receiver<u64> {
        self.position.subscribe()
    }

    fn is_ready(&self) -> bool {
        true
    }

    async fn incidents(&self, filter: IncidentFilter, window: Window) -> Result<Page<Incident>, Problem> {
        let reached = self.reached(window.as_of);
        let inner = self.inner.lock().unwrap();
        let as_of = inner.incidents.values().filter_map(|versions| versions.range(..=reached).next_back());
        let wanted = as_of
            .map(|(_, incident)| incident.clone())
            .filter(|incident| filter.status.is_empty() || filter.status.contains(&incident.status));
        Ok(page(wanted.collect(), reached))
    }

    async fn incident(&self, id: Option<&str>, as_of: Option<AsOf>) -> Result<Incident, Problem> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.failures.load(Ordering::Relaxed) > 0 {
            self.failures.fetch_sub(1, Ordering::Relaxed);
            return Err(Problem::new(Code::Internal, "the views are busy"));
        }
        let reached = self.reached(as_of);
        let inner = self.inner.lock().unwrap();
        let versions = id.and_then(|id| inner.incidents.get(id));
        let known = versions.and_then(|versions| versions.range(..=reached).next_back());
        known.map(|(_, incident)| incident.clone()).ok_or_else(not_here)
    }

    async fn timeline(&self, id: &str, window: Window) -> Result<Page<TimelineEntry>, Problem> {
        let reached = self.reached(window.as_of);
        let inner = self.inner.lock().unwrap();
        let own = inner.events.iter().filter(|event| event.subject == id && event.position <= reached);
        let entries = own.map(|event| TimelineEntry {
            time: event.time,
            text: event.event_type.clone(),
            event_type: event.event_type.clone(),
            actor: event.actor.clone(),
            event: event.id.clone(),
            position: event.position,
            subject: event.subject.clone(),
        });
        Ok(page(entries.collect(), reached))
    }

    async fn why(&self, id: &str, as_of: Option<AsOf>) -> Result<Why, Problem> {
        let reached = self.reached(as_of);
        let inner = self.inner.lock().unwrap();
        let alerts = inner.alerts.get(id).and_then(|versions| versions.range(..=reached).next_back());
        let members = alerts.into_iter().flat_map(|(_, alerts)| alerts).map(|alert| {
            json!({"fingerprint": alert.fingerprint, "name": alert.name, "text": "", "event": "EVT-1", "position": 1})
        });
        let why = json!({"incident": id, "members": members.collect::<Vec<_>>(), "kept_out": [], "position": reached});
        Ok(serde_json::from_value(why).unwrap())
    }

    async fn changes(&self, _: &str, _: Option<AsOf>) -> Result<Vec<Change>, Problem> {
        Ok(Vec::new())
    }

    async fn alerts(&self, filter: AlertFilter, window: Window) -> Result<Page<Alert>, Problem> {
        let reached = self.reached(window.as_of);
        let inner = self.inner.lock().unwrap();
        let versions = filter.incident.as_deref().and_then(|id| inner.alerts.get(id));
        let alerts = versions.and_then(|versions| versions.range(..=reached).next_back());
        Ok(page(alerts.map(|(_, alerts)| alerts.clone()).unwrap_or_default(), reached))
    }

    async fn receipt(&self, _: Option<&str>, _: Option<AsOf>) -> Result<Receipt, Problem> {
        Err(not_here())
    }

    async fn findings(&self, filter: FindingFilter, window: Window) -> Result<Page<Finding>, Problem> {
        let reached = self.reached(window.as_of);
        let inner = self.inner.lock().unwrap();
        let wanted = inner.findings.iter().filter(|finding| {
            finding.position <= reached
                && filter.since.is_none_or(|since| finding.finding.at >= since)
                && filter.until.is_none_or(|until| finding.finding.at < until)
        });
        Ok(page(wanted.cloned().collect(), reached))
    }

    async fn watched(&self, _: &str, _: Option<AsOf>) -> Result<Vec<String>, Problem> {
        Ok(Vec::new())
    }

    async fn moment(&self, as_of: Option<AsOf>) -> Result<(u64, Time), Problem> {
        let reached = self.reached(as_of);
        Ok((reached, at(reached)))
    }

    async fn silences(&self, _: Window) -> Result<Page<Silence>, Problem> {
        Err(not_here())
    }

    async fn silence(&self, _: &str, _: Option<AsOf>) -> Result<Silence, Problem> {
        Err(not_here())
    }

    async fn notices(&self, _: NoticeFilter, _: Window) -> Result<Page<Notice>, Problem> {
        Err(not_here())
    }

    async fn parked(&self, _: bool, _: Window) -> Result<Page<Parked>, Problem> {
        Err(not_here())
    }

    async fn parked_item(&self, _: &str) -> Result<Parked, Problem> {
        Err(not_here())
    }

    async fn events(&self, filter: EventFilter, window: Window) -> Result<Page<Event>, Problem> {
        let reached = self.reached(window.as_of);
        let after: u64 = window.cursor.as_deref().map_or(0, |cursor| cursor.parse().unwrap());
        let inner = self.inner.lock().unwrap();
        let kind = filter.kind.unwrap_or_default();
        let mut wanted: Vec<Event> = inner
            .events
            .iter()
            .filter(|event| {
                let first = event.event_type.split('.').next().unwrap_or_default();
                (event.event_type == kind || first == kind)
                    && event.position <= filter.to.unwrap_or(u64::MAX).min(reached)
                    && event.position >= filter.from.unwrap_or(0).max(after + 1)
            })
            .cloned()
            .collect();
        wanted.sort_by_key(|event| event.position);
        let limit = window.limit.unwrap_or(50);
        let more = wanted.len() > limit;
        wanted.truncate(limit);
        let next = wanted.last().filter(|_| more).map(|last| last.position.to_string());
        Ok(Page { items: wanted, next, position: reached })
    }

    async fn event(&self, id: &str, _: Option<AsOf>) -> Result<Event, Problem> {
        let inner = self.inner.lock().unwrap();
        let known = inner.events.iter().find(|event| event.id == id).cloned();
        Ok(known.unwrap_or_else(|| event(1, "incident.alert_joined", "INC-1", json!({}))))
    }

    async fn catalog(&self, _: Option<AsOf>) -> Result<Catalog, Problem> {
        Ok(Catalog::default())
    }

    async fn configured(&self, _: &str, _: Option<AsOf>) -> Result<Option<(String, Value)>, Problem> {
        Ok(None)
    }

    async fn state(&self, _: Option<AsOf>) -> Result<State, Problem> {
        Err(not_here())
    }

    async fn partition_of(&self, _: &str) -> Result<Partition, Problem> {
        Ok(Partition::of_environment("production"))
    }

    async fn outcome(&self, _: &EventId, _: Duration) -> Outcome {
        Outcome::Pending
    }

    async fn command_by_key(&self, _: &str) -> Option<(EventId, Received)> {
        None
    }

    async fn verify(&self) -> Result<Verification, Problem> {
        Err(not_here())
    }

    async fn replay(&self, _: Option<AsOf>) -> Result<Replay, Problem> {
        Err(not_here())
    }

    async fn labels(&self, _: hindcast_queries::LabelFilter, _: Window) -> Result<Page<hindcast_api::Label>, Problem> {
        Err(not_here())
    }

    async fn label_coverage(&self, _: Option<AsOf>) -> Result<hindcast_api::LabelCoverage, Problem> {
        Err(not_here())
    }

    async fn models(&self, _: Window) -> Result<Page<hindcast_api::ModelVersion>, Problem> {
        Err(not_here())
    }

    async fn model(&self, _: &str, _: Option<u32>, _: Option<AsOf>) -> Result<hindcast_api::ModelVersion, Problem> {
        Err(not_here())
    }
}
