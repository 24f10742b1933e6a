//! Views as simple as can be: incidents by position, folded from the ledger as it grows; and a copilot that
//! answers everything with one sentence.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use hindcast_advice::{Advice, Asker, Copilot};
use hindcast_api::{
    Alert, Answer, AsOf, Ask, Causes, Change, Code, Event, Finding, Incident, Notice, Page, Parked, Postmortem,
    Problem, Progress, Proposal, Receipt, Replay, RunbookSummary, Silence, SimilarPage, State, TimelineEntry,
    Verification, Why,
};
use hindcast_domain::book::Book;
use hindcast_domain::catalog::Catalog;
use hindcast_domain::command::Received;
use hindcast_domain::event::{Event as Fact, Recorded};
use hindcast_domain::{EventId, Partition, Time, incident};
use hindcast_eventlog::feed::Feed;
use hindcast_eventlog::read::{self, Item};
use hindcast_ledger::commit;
use hindcast_ledger::memory::Ledger;
use hindcast_queries::{
    AlertFilter, EventFilter, FindingFilter, IncidentFilter, NoticeFilter, Outcome, Queries, Window,
};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

#[derive(Default)]
struct Inner {
    books: BTreeMap<String, Book>,
    incidents: BTreeMap<String, BTreeMap<u64, (Partition, Incident)>>,
    events: BTreeMap<String, Event>,
    sections: BTreeMap<String, Value>,
}

pub struct Views {
    inner: Mutex<Inner>,
    position: watch::Sender<u64>,
    pub asked: AtomicU64,
    pub askers: Mutex<Vec<(Ask, Asker)>>,
    alerts: Mutex<Vec<Alert>>,
}

impl Views {
    pub fn start(ledger: &Ledger) -> Arc<Self> {
        let views = Arc::new(Self {
            inner: Mutex::default(),
            position: watch::Sender::new(0),
            asked: AtomicU64::new(0),
            askers: Mutex::default(),
            alerts: Mutex::default(),
        });
        let (mut feed, own) = (Feed::start(ledger.share(), 1), Arc::clone(&views));
        tokio::spawn(async move {
            loop {
                for record in feed.next().await.unwrap() {
                    let events = read::events(&record, &read::commit(&record).unwrap()).unwrap();
                    for item in events {
                        let Item::Known(event) = item else { panic!("{item:?}") };
                        own.inner.lock().unwrap().fold(&event);
                    }
                    own.position.send_replace(commit::position(record.seq + 1, 0) - 1);
                }
            }
        });
        views
    }

    /// From now on an alert of an incident is shown.
    pub fn holds_alert(&self, fingerprint: &str, name: &str, incident: &str) {
        let at = crate::harness::START;
        let alert = json!({
            "fingerprint": fingerprint, "source": "s", "name": name, "environment": "production", "status": "firing",
            "severity": "high", "labels": {}, "annotations": {}, "starts_at": at, "first_seen_at": at,
            "last_seen_at": at, "occurrences": 1, "fired": 1, "incident": incident, "revision": 1, "receipt": "",
        });
        self.alerts.lock().unwrap().push(serde_json::from_value(alert).unwrap());
    }

    fn reached(&self, as_of: Option<AsOf>) -> u64 {
        let reached = *self.position.borrow();
        match as_of {
            Some(AsOf::Position(position)) => position.min(reached),
            _ => reached,
        }
    }
}

impl Inner {
    fn fold(&mut self, event: &Recorded) {
        if let Fact::Configured(configured) = &event.event {
            self.sections.insert(configured.section.to_string(), configured.content.clone());
        }
        let wire = serde_json::to_value(&event.event).unwrap();
        let shown = json!({
            "position": event.position, "kind": "decision", "type": wire["type"], "id": event.id,
            "subject": event.subject, "time": event.time, "recorded_at": event.time, "actor": event.actor,
            "tenant": "default", "environment": event.partition.environment, "source": "test", "data": wire["data"],
        });
        self.events.insert(event.id.to_string(), serde_json::from_value(shown).unwrap());
        let book = self.books.entry(event.partition.to_string()).or_default();
        let touched = book.evolve(event);
        for id in touched.incidents {
            let Some(incident) = book.incidents.get(&id) else { continue };
            let version = (event.partition.clone(), shown_as(incident, &event.partition));
            self.incidents.entry(id.to_string()).or_default().insert(event.position, version);
        }
    }

    fn find(&self, id: &str, reached: u64) -> Result<(Partition, Incident), Problem> {
        let mut found = self.incidents.iter().filter(|(known, _)| known.starts_with(id) || known[4..].starts_with(id));
        let missing = || Problem::new(Code::NotFound, format!("expected an incident, got {id:?}"));
        let (_, versions) = found.next().ok_or_else(missing)?;
        if found.next().is_some() {
            return Err(Problem::new(Code::Ambiguous, format!("several incidents begin with {id:?}")));
        }
        versions.range(..=reached).next_back().map(|(_, version)| version.clone()).ok_or_else(missing)
    }
}

fn shown_as(incident: &incident::Incident, partition: &Partition) -> Incident {
    Incident {
        id: incident.id.to_string(),
        title: incident.title.clone(),
        status: incident.status,
        severity: incident.severity,
        peak_severity: incident.peak_severity,
        services: incident.services.iter().cloned().collect(),
        teams: incident.teams.iter().cloned().collect(),
        environment: partition.environment.clone(),
        owner: incident.owner.clone(),
        started_at: incident.started_at,
        opened_at: incident.opened_at,
        updated_at: incident.updated_at,
        acknowledged_at: incident.acknowledged_at,
        acknowledged_by: incident.acknowledged_by.clone(),
        resolved_at: incident.resolved_at,
        resolved_by: incident.resolved_by.clone(),
        cause: incident.cause.clone(),
        resolution: incident.resolution.clone(),
        alerts: incident.members.len() as u64,
        firing: 0,
        occurrences: 0,
        reopened: incident.reopened,
        recurrence_of: None,
        merged_into: incident.merged_into.as_ref().map(ToString::to_string),
        merged_from: Vec::new(),
        split_from: None,
        snoozed_until: incident.snoozed_until,
        weights: incident.weights,
        grouped_by: Vec::new(),
        shadow: None,
        revision: incident.revision,
        url: format!("http://localhost:8080/incidents/{}", incident.id),
    }
}

fn none<T>() -> Result<T, Problem> {
    Err(Problem::new(Code::NotFound, "the test does not need this"))
}

#[async_trait]
impl Queries for Views {
    fn position(&self) -> watch::Receiver<u64> {
        self.position.subscribe()
    }
    fn is_ready(&self) -> bool {
        true
    }
    async fn incidents(&self, filter: IncidentFilter, window: Window) -> Result<Page<Incident>, Problem> {
        let reached = self.reached(window.as_of);
        let inner = self.inner.lock().unwrap();
        let newest = inner.incidents.values().filter_map(|versions| versions.range(..=reached).next_back());
        let wanted = newest.map(|(_, (_, incident))| incident.clone());
        let items = wanted.filter(|incident| filter.status.is_empty() || filter.status.contains(&incident.status));
        Ok(Page { items: items.collect(), next: None, position: reached })
    }
    async fn incident(&self, id: Option<&str>, as_of: Option<AsOf>) -> Result<Incident, Problem> {
        let reached = self.reached(as_of);
        Ok(self.inner.lock().unwrap().find(id.unwrap_or_default(), reached)?.1)
    }
    async fn timeline(&self, _: &str, window: Window) -> Result<Page<TimelineEntry>, Problem> {
        Ok(Page { items: Vec::new(), next: None, position: self.reached(window.as_of) })
    }
    async fn why(&self, _: &str, _: Option<AsOf>) -> Result<Why, Problem> {
        none()
    }
    async fn changes(&self, _: &str, _: Option<AsOf>) -> Result<Vec<Change>, Problem> {
        none()
    }
    async fn alerts(&self, filter: AlertFilter, _: Window) -> Result<Page<Alert>, Problem> {
        let named = filter.fingerprint.unwrap_or_default();
        let is_asked_for = |alert: &&Alert| alert.fingerprint.starts_with(&named) && alert.incident == filter.incident;
        let items = self.alerts.lock().unwrap().iter().filter(is_asked_for).cloned().collect();
        Ok(Page { items, next: None, position: self.reached(None) })
    }
    async fn receipt(&self, _: Option<&str>, _: Option<AsOf>) -> Result<Receipt, Problem> {
        none()
    }
    async fn findings(&self, _: FindingFilter, _: Window) -> Result<Page<Finding>, Problem> {
        none()
    }
    async fn watched(&self, _: &str, _: Option<AsOf>) -> Result<Vec<String>, Problem> {
        none()
    }
    async fn moment(&self, as_of: Option<AsOf>) -> Result<(u64, Time), Problem> {
        Ok((self.reached(as_of), super::START))
    }
    async fn silences(&self, _: Window) -> Result<Page<Silence>, Problem> {
        none()
    }
    async fn silence(&self, _: &str, _: Option<AsOf>) -> Result<Silence, Problem> {
        none()
    }
    async fn notices(&self, _: NoticeFilter, _: Window) -> Result<Page<Notice>, Problem> {
        none()
    }
    async fn parked(&self, _: bool, _: Window) -> Result<Page<Parked>, Problem> {
        none()
    }
    async fn parked_item(&self, _: &str) -> Result<Parked, Problem> {
        none()
    }
    async fn events(&self, _: EventFilter, _: Window) -> Result<Page<Event>, Problem> {
        none()
    }
    async fn event(&self, id: &str, _: Option<AsOf>) -> Result<Event, Problem> {
        self.inner.lock().unwrap().events.get(id).cloned().map_or_else(none, Ok)
    }
    async fn catalog(&self, _: Option<AsOf>) -> Result<Catalog, Problem> {
        none()
    }
    async fn configured(&self, section: &str, _: Option<AsOf>) -> Result<Option<(String, Value)>, Problem> {
        Ok(self.inner.lock().unwrap().sections.get(section).map(|content| ("h".to_owned(), content.clone())))
    }
    async fn state(&self, _: Option<AsOf>) -> Result<State, Problem> {
        none()
    }
    async fn partition_of(&self, incident: &str) -> Result<Partition, Problem> {
        Ok(self.inner.lock().unwrap().find(incident, u64::MAX)?.0)
    }
    async fn outcome(&self, _: &EventId, _: Duration) -> Outcome {
        Outcome::Pending
    }
    async fn command_by_key(&self, _: &str) -> Option<(EventId, Received)> {
        None
    }
    async fn verify(&self) -> Result<Verification, Problem> {
        none()
    }
    async fn replay(&self, _: Option<AsOf>) -> Result<Replay, Problem> {
        none()
    }
}

#[async_trait]
impl Copilot for Views {
    async fn ask(&self, ask: Ask, asker: Asker, _: Option<mpsc::Sender<Progress>>) -> Result<Answer, Problem> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.askers.lock().unwrap().push((ask, asker));
        let answer = json!({
            "answer": "It was the deploy.", "mode": "evidence", "claims": [], "hypotheses": [], "similar": [],
            "proposals": [], "missing": [], "prompt_version": "1", "position": self.reached(None), "elapsed_ms": 1,
            "conversation": "CNV-0123456789ABCDEF", "recorded": [],
        });
        Ok(serde_json::from_value(answer).unwrap())
    }
}

/// Nothing is concluded.
pub struct Nothing;

#[async_trait]
impl Advice for Nothing {
    async fn causes(&self, _: Option<&str>, _: Option<AsOf>) -> Result<Causes, Problem> {
        none()
    }
    async fn similar(&self, _: Option<&str>, _: Option<AsOf>) -> Result<SimilarPage, Problem> {
        none()
    }
    async fn proposals(&self, _: Option<&str>, _: Option<AsOf>) -> Result<Vec<Proposal>, Problem> {
        none()
    }
    async fn propose(&self, _: &str, _: &str, _: Value, _: &str) -> Result<Proposal, Problem> {
        none()
    }
    async fn postmortem(&self, _: Option<&str>, _: Option<AsOf>) -> Result<Postmortem, Problem> {
        none()
    }
    async fn recall(&self, _: &str, _: Option<AsOf>, _: usize) -> Result<SimilarPage, Problem> {
        none()
    }
    async fn runbooks(&self, _: Option<AsOf>) -> Result<Vec<RunbookSummary>, Problem> {
        none()
    }
}
