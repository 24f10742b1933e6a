//! A small world: a telemetry store and a ledger in memory, views that know incidents and findings, a clock
//! that is moved by hand.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use hindcast_api::{
    Alert, AsOf, Change, Event, Finding, Incident, Notice, Page, Parked, Problem, Receipt, Replay, Silence, State,
    TimelineEntry, Verification, Why,
};
use hindcast_clock::Stepped;
use hindcast_detector::{Detector, FailPoint, Handle, Options};
use hindcast_domain::catalog::{Catalog, Service};
use hindcast_domain::event::{Event as Kind, Recorded};
use hindcast_domain::finding::Raised;
use hindcast_domain::{EventId, IncidentId, Partition, Severity, Span, Time, incident};
use hindcast_eventlog::read::{self, Item};
use hindcast_eventlog::writer::Writer;
use hindcast_http::Metrics;
use hindcast_ledger::{Ledger as _, Progress};
use hindcast_queries::{
    AlertFilter, EventFilter, FindingFilter, IncidentFilter, NoticeFilter, Outcome, Queries, Window,
};
use hindcast_telemetry::{Batch, Level, LogRecord, Memory, Sample, Telemetry as _};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(crate) fn start() -> Time {
    "2026-11-20T03:00:00Z".parse().unwrap()
}

fn partition() -> Partition {
    Partition::of_environment("production")
}

pub(crate) struct World {
    pub(crate) clock: Stepped,
    pub(crate) metrics: Metrics,
    telemetry: Arc<Memory>,
    views: Arc<Views>,
    writer: Writer,
}

pub(crate) struct Running {
    pub(crate) handle: Handle,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = Stepped::new(start());
        let ledger = hindcast_ledger::memory::Ledger::new("a-ledger");
        let shared: hindcast_clock::Shared = Arc::new(clock.clone());
        let writer = Writer::new(Arc::new(ledger.clone()), shared, Progress::default(), "detector");
        let views = Arc::new(Views {
            ledger,
            position: watch::Sender::new(0),
            incidents: Mutex::default(),
            events: Mutex::default(),
            catalog: Mutex::default(),
        });
        Self { clock, metrics: Metrics::default(), telemetry: Arc::default(), views, writer }
    }

    pub(crate) fn detect(&self, folder: Option<&Path>, fail: FailPoint) -> Running {
        let detector = Detector::new(Options {
            telemetry: self.telemetry.clone(),
            queries: self.views.clone(),
            writer: self.writer.clone(),
            clock: Arc::new(self.clock.clone()),
            metrics: self.metrics.clone(),
            folder: folder.map(Path::to_owned),
            fail,
        });
        let (stop, shutdown) = watch::channel(false);
        let handle = detector.handle();
        let task = tokio::spawn(async move { detector.run(shutdown).await });
        Running { handle, stop, task }
    }

    pub(crate) async fn append(&self, batch: Batch) {
        self.telemetry.append(&partition(), batch).await.unwrap();
    }

    pub(crate) fn catalog(&self, name: &str, aliases: &[&str]) {
        let aliases = aliases.iter().map(ToString::to_string).collect();
        let service = Service { name: name.into(), aliases, owner: None, tier: None, depends_on: Vec::new() };
        self.views.catalog.lock().unwrap().services.push(service);
    }

    pub(crate) fn open(&self, name: &str, at: Time) -> String {
        let id = IncidentId::derive(&[name.as_bytes()]).to_string();
        let shown = Incident {
            id: id.clone(),
            title: name.into(),
            status: incident::Status::Open,
            severity: Severity::High,
            peak_severity: Severity::High,
            services: Vec::new(),
            teams: Vec::new(),
            environment: "production".into(),
            owner: None,
            started_at: at,
            opened_at: at,
            updated_at: at,
            acknowledged_at: None,
            acknowledged_by: None,
            resolved_at: None,
            resolved_by: None,
            cause: None,
            resolution: None,
            alerts: 1,
            firing: 1,
            occurrences: 1,
            reopened: 0,
            recurrence_of: None,
            merged_into: None,
            merged_from: Vec::new(),
            split_from: None,
            snoozed_until: None,
            weights: 1,
            grouped_by: Vec::new(),
            shadow: None,
            revision: 1,
            url: String::new(),
        };
        self.views.incidents.lock().unwrap().insert(id.clone(), shown);
        self.views.tell("incident.opened", &id, at);
        id
    }

    pub(crate) fn resolve(&self, id: &str, at: Time) {
        {
            let mut incidents = self.views.incidents.lock().unwrap();
            let shown = incidents.get_mut(id).unwrap();
            shown.resolved_at = Some(at);
            shown.status = incident::Status::Resolved;
        }
        self.views.tell("incident.resolved", id, at);
    }

    pub(crate) async fn events(&self) -> Vec<Recorded> {
        self.views.written().await
    }

    pub(crate) async fn findings(&self) -> Vec<(String, Raised)> {
        let written = self.events().await.into_iter();
        let findings = written.filter_map(|recorded| match recorded.event {
            Kind::FindingRaised(raised) => {
                assert_eq!(recorded.actor, hindcast_detector::ACTOR);
                Some((recorded.subject, raised))
            }
            _ => None,
        });
        findings.collect()
    }

    pub(crate) async fn pinned(&self) -> Vec<String> {
        let pinned = |recorded: Recorded| matches!(recorded.event, Kind::EvidencePinned(_)).then_some(recorded.subject);
        self.events().await.into_iter().filter_map(pinned).collect()
    }

    pub(crate) async fn play(&self, recording: &Recording, handle: &Handle, until: Time) {
        self.play_from(recording, handle, Time::ZERO, until).await;
    }

    /// Seconds of a recording, each once the one before was read, with an incident for each fault.
    pub(crate) async fn play_from(&self, recording: &Recording, handle: &Handle, from: Time, until: Time) {
        for (second, batch) in recording.batches.range(from.nanos()..until.nanos()) {
            let now = Time::from_nanos(*second);
            self.clock.set(now + Span::seconds(1));
            self.append(batch.clone()).await;
            for fault in &recording.faults {
                let (opened, ended) = (fault.at + Span::seconds(20), fault.ended + Span::seconds(10));
                if now.distance(opened) == opened.since(now) && opened.since(now) < Span::seconds(1) {
                    self.open(&fault.id, opened);
                }
                if ended >= now && ended.since(now) < Span::seconds(1) {
                    self.resolve(&fault.incident(), ended);
                }
            }
            idle(handle, self).await;
        }
        if until == Time::MAX {
            // The clock goes on after the recording's end, so that what is due after it is done.
            let last = recording.batches.keys().next_back().copied().unwrap();
            for minutes in 1..15 {
                self.clock.set(Time::from_nanos(last) + Span::minutes(minutes));
                tokio::time::sleep(Duration::from_millis(5)).await;
                idle(handle, self).await;
            }
        }
    }
}

async fn idle(handle: &Handle, world: &World) {
    let mut handle = handle.clone();
    let head = world.telemetry.head();
    tokio::time::timeout(Duration::from_secs(20), async {
        while !handle.idle(head) {
            handle.changed().await;
        }
    })
    .await
    .expect("the detector reads all that arrived");
}

impl Running {
    pub(crate) async fn idle(&self, world: &World) {
        // What the clock woke has to run first.
        tokio::time::sleep(Duration::from_millis(5)).await;
        idle(&self.handle, world).await;
    }

    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        self.task.await.unwrap();
    }

    pub(crate) async fn crash(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

pub(crate) struct Recording {
    pub(crate) faults: Vec<Fault>,
    batches: BTreeMap<i64, Batch>,
}

pub(crate) struct Fault {
    pub(crate) id: String,
    pub(crate) service: String,
    pub(crate) at: Time,
    pub(crate) ended: Time,
}

impl Fault {
    pub(crate) fn incident(&self) -> String {
        IncidentId::derive(&[self.id.as_bytes()]).to_string()
    }
}

impl Recording {
    /// Its first part, with the faults that lie in it.
    pub(crate) fn first(mut self, part: Span) -> Self {
        let begin = Time::from_nanos(*self.batches.keys().next().unwrap());
        self.batches.retain(|second, _| *second < (begin + part).nanos());
        self.faults.retain(|fault| fault.ended < begin + part);
        self
    }
}

/// A recording in batches of a second.
pub(crate) fn recording(name: &str) -> Recording {
    let folder = format!("{}/../../tests/recordings/{name}", env!("CARGO_MANIFEST_DIR"));
    let file = |name: &str| std::fs::read(format!("{folder}/{name}")).unwrap();
    let unpacked = |name: &str| String::from_utf8(zstd::stream::decode_all(&file(name)[..]).unwrap()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let truth: Value = serde_json::from_slice(&file("truth.json")).unwrap();
    let faults = truth["faults"].as_array().unwrap().iter().map(|fault| Fault {
        id: text(&fault["id"]),
        service: text(&fault["service"]),
        at: text(&fault["injected_at"]).parse().unwrap(),
        ended: text(&fault["ended_at"]).parse().unwrap(),
    });
    let mut batches: BTreeMap<i64, Batch> = BTreeMap::new();
    let second = |time: Time| time.nanos() / 1_000_000_000 * 1_000_000_000;
    for row in unpacked("metrics.csv.zst").lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        #[allow(clippy::cast_possible_truncation)]
        let time = Time::from_millis((cells[0].parse::<f64>().unwrap() * 1e3) as i64);
        let (service, metric, labels) = (cells[1].into(), cells[2].into(), BTreeMap::new());
        let sample = Sample { time, service, metric, labels, value: cells[3].parse().unwrap() };
        batches.entry(second(time)).or_default().samples.push(sample);
    }
    for line in unpacked("logs.ndjson.zst").lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let time = text(&line["time"]).parse().unwrap();
        let level = Level::of_word(line["severity"].as_str().unwrap());
        let (service, message, labels) = (text(&line["service"]), text(&line["message"]), BTreeMap::new());
        batches.entry(second(time)).or_default().logs.push(LogRecord { time, service, level, message, labels });
    }
    Recording { faults: faults.collect(), batches }
}

/// Views that know incidents, and the findings that are written.
struct Views {
    ledger: hindcast_ledger::memory::Ledger,
    position: watch::Sender<u64>,
    incidents: Mutex<BTreeMap<String, Incident>>,
    events: Mutex<Vec<Event>>,
    catalog: Mutex<Catalog>,
}

impl Views {
    fn tell(&self, event_type: &str, subject: &str, at: Time) {
        let position = *self.position.borrow() + 1;
        let event = shown(position, event_type, subject, at, json!({}));
        self.events.lock().unwrap().push(event);
        self.position.send_replace(position);
    }

    async fn written(&self) -> Vec<Recorded> {
        let mut written = Vec::new();
        for seq in 1..=self.ledger.head().await.unwrap() {
            let record = self.ledger.get(seq).await.unwrap().unwrap();
            for item in read::events(&record, &read::commit(&record).unwrap()).unwrap() {
                let Item::Known(recorded) = item else { panic!("an event of ours is known") };
                written.push(*recorded);
            }
        }
        written
    }
}

fn shown(position: u64, event_type: &str, subject: &str, at: Time, data: Value) -> Event {
    Event {
        position,
        kind: "decision".into(),
        event_type: event_type.into(),
        id: EventId::derive(&[&position.to_be_bytes()]).to_string(),
        subject: subject.into(),
        time: at,
        recorded_at: at,
        revision: None,
        actor: "system".into(),
        causation_id: None,
        tenant: "default".into(),
        environment: "production".into(),
        source: String::new(),
        data,
    }
}

fn none<T>() -> Result<T, Problem> {
    Err(Problem::new(hindcast_api::Code::NotImplemented, "not in these views"))
}

#[async_trait]
impl Queries for Views {
    fn position(&self) -> watch::Receiver<u64> {
        self.position.subscribe()
    }
    fn is_ready(&self) -> bool {
        true
    }
    async fn incidents(&self, _: IncidentFilter, _: Window) -> Result<Page<Incident>, Problem> {
        let mut items: Vec<Incident> = self.incidents.lock().unwrap().values().cloned().collect();
        items.retain(|incident| incident.resolved_at.is_none());
        Ok(Page { items, next: None, position: *self.position.borrow() })
    }
    async fn incident(&self, id: Option<&str>, _: Option<AsOf>) -> Result<Incident, Problem> {
        Ok(self.incidents.lock().unwrap()[id.unwrap()].clone())
    }
    async fn events(&self, filter: EventFilter, window: Window) -> Result<Page<Event>, Problem> {
        let known = self.events.lock().unwrap().clone();
        let mut items: Vec<Event> = known.into_iter().filter(|event| takes(&filter, event)).collect();
        if filter.subject.is_some() {
            for recorded in self.written().await {
                let wire = serde_json::to_value(&recorded.event).unwrap();
                let kind = wire["type"].as_str().unwrap();
                let event = shown(recorded.position, kind, &recorded.subject, recorded.time, wire["data"].clone());
                items.extend(Some(event).filter(|event| takes(&filter, event)));
            }
        }
        items.truncate(window.limit.unwrap());
        Ok(Page { items, next: None, position: *self.position.borrow() })
    }
    async fn catalog(&self, _: Option<AsOf>) -> Result<Catalog, Problem> {
        Ok(self.catalog.lock().unwrap().clone())
    }
    async fn partition_of(&self, _: &str) -> Result<Partition, Problem> {
        Ok(partition())
    }

    async fn timeline(&self, _: &str, _: Window) -> Result<Page<TimelineEntry>, Problem> {
        none()
    }
    async fn why(&self, _: &str, _: Option<AsOf>) -> Result<Why, Problem> {
        none()
    }
    async fn changes(&self, _: &str, _: Option<AsOf>) -> Result<Vec<Change>, Problem> {
        none()
    }
    async fn alerts(&self, _: AlertFilter, _: Window) -> Result<Page<Alert>, Problem> {
        none()
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
    async fn moment(&self, _: Option<AsOf>) -> Result<(u64, Time), Problem> {
        none()
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
    async fn event(&self, _: &str, _: Option<AsOf>) -> Result<Event, Problem> {
        none()
    }
    async fn configured(&self, _: &str, _: Option<AsOf>) -> Result<Option<(String, Value)>, Problem> {
        none()
    }
    async fn state(&self, _: Option<AsOf>) -> Result<State, Problem> {
        none()
    }
    async fn outcome(&self, _: &EventId, _: Duration) -> Outcome {
        Outcome::Pending
    }
    async fn command_by_key(&self, _: &str) -> Option<(EventId, hindcast_domain::command::Received)> {
        None
    }
    async fn verify(&self) -> Result<Verification, Problem> {
        none()
    }
    async fn replay(&self, _: Option<AsOf>) -> Result<Replay, Problem> {
        none()
    }
    async fn labels(&self, _: hindcast_queries::LabelFilter, _: Window) -> Result<Page<hindcast_api::Label>, Problem> {
        none()
    }
    async fn label_coverage(&self, _: Option<AsOf>) -> Result<hindcast_api::LabelCoverage, Problem> {
        none()
    }
    async fn models(&self, _: Window) -> Result<Page<hindcast_api::ModelVersion>, Problem> {
        none()
    }
    async fn model(&self, _: &str, _: Option<u32>, _: Option<AsOf>) -> Result<hindcast_api::ModelVersion, Problem> {
        none()
    }
}

fn takes(filter: &EventFilter, event: &Event) -> bool {
    let kind = filter.kind.as_deref().is_none_or(|kind| event.event_type.starts_with(kind));
    let subject = filter.subject.as_deref().is_none_or(|subject| event.subject == subject);
    let from = filter.subject.is_some() || filter.from.is_none_or(|from| event.position >= from);
    kind && subject && from && filter.to.is_none_or(|to| event.position <= to)
}
