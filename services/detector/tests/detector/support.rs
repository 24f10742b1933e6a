//! A small world: a telemetry store and a ledger in memory, views that know incidents and findings, a clock
//! that is moved by hand.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use hindcast_api::{Event, Incident};
use hindcast_clock::Stepped;
use hindcast_detector::{Detector, FailPoint, Handle, Options};
use hindcast_domain::catalog::{Catalog, Service};
use hindcast_domain::event::{Event as Kind, Recorded};
use hindcast_domain::finding::Raised;
use hindcast_domain::links::LinkObserved;
use hindcast_domain::{IncidentId, Partition, Severity, Span, Time, incident};
use hindcast_eventlog::read::{self, ReadEvent};
use hindcast_facts::FactsWriter;
use hindcast_intake::IntakeWriter;
use hindcast_ledger::{Ledger as _, LedgerProgress};
use hindcast_metrics::MetricRegistry;
use hindcast_queries::Queries as _;
use hindcast_queries::memory::{EventSource, MemoryViews};
use hindcast_telemetry::{LogLevel, LogRecord, MemoryTelemetry, Sample, Telemetry as _, TelemetryBatch};
use hindcast_testkit as testkit;
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
    pub(crate) metrics: MetricRegistry,
    telemetry: Arc<MemoryTelemetry>,
    views: Arc<MemoryViews>,
    written: Arc<Written>,
    services: Mutex<Catalog>,
    writer: FactsWriter,
}

pub(crate) struct Running {
    pub(crate) handle: Handle,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = Stepped::new(start());
        let ledger = hindcast_ledger::memory::MemoryLedger::new("a-ledger");
        let shared: hindcast_clock::Shared = Arc::new(clock.clone());
        let writer = IntakeWriter::new(Arc::new(ledger.clone()), shared, LedgerProgress::default(), "detector").facts();
        let written = Arc::new(Written(ledger));
        let views = Arc::new(MemoryViews::default().over(written.clone()));
        let (metrics, telemetry, services) = (MetricRegistry::default(), Arc::default(), Mutex::default());
        Self { clock, metrics, telemetry, views, written, services, writer }
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

    pub(crate) async fn append(&self, batch: TelemetryBatch) {
        self.telemetry.append(&partition(), batch).await.unwrap();
    }

    pub(crate) fn catalog(&self, name: &str, aliases: &[&str]) {
        let aliases = aliases.iter().map(ToString::to_string).collect();
        let service = Service { name: name.into(), aliases, owner: None, tier: None, depends_on: Vec::new() };
        let mut catalog = self.services.lock().unwrap();
        catalog.services.push(service);
        self.views.catalogue(0, &catalog);
    }

    pub(crate) fn open(&self, name: &str, at: Time) -> String {
        let id = IncidentId::derive(&[name.as_bytes()]).to_string();
        let shown = Incident { resolved_at: None, ..Incident::opened(&id, name, Severity::High, "production", at) };
        self.views.put(0, shown);
        self.tell("incident.opened", &id, at);
        id
    }

    pub(crate) fn resolve(&self, id: &str, at: Time) {
        self.views.change(0, id, |shown: &mut Incident| {
            shown.resolved_at = Some(at);
            shown.status = incident::Status::Resolved;
        });
        self.tell("incident.resolved", id, at);
    }

    fn tell(&self, event_type: &str, subject: &str, at: Time) {
        let position = *self.views.position().borrow() + 1;
        let event = testkit::event(position, event_type, subject);
        self.views.record(Event { time: at, recorded_at: at, data: json!({}), ..event });
        self.views.reach(position);
    }

    /// An alert began to fire.
    pub(crate) fn fired(&self, service: &str, name: &str, at: Time, labels: &[(&str, &str)]) {
        let position = *self.views.position().borrow() + 1;
        let labels: std::collections::BTreeMap<_, _> = labels.iter().copied().collect();
        let data = json!({
            "observed": "EVT-0123456789ABCDEF", "occurrence": 1, "source": "prometheus", "name": name,
            "service": service, "severity": "critical", "labels": labels, "starts_at": at, "stale_at": at,
        });
        let event = testkit::event(position, "alert.fired", "alert");
        self.views.record(Event { time: at, recorded_at: at, data, ..event });
        self.views.reach(position);
    }

    /// Evidence for links that was written, for the whole tenant.
    pub(crate) async fn links(&self) -> Vec<LinkObserved> {
        let seen = |recorded: Recorded| match recorded.event {
            Kind::LinkObserved(seen) => {
                assert!(recorded.partition.is_whole());
                Some(seen)
            }
            _ => None,
        };
        self.events().await.into_iter().filter_map(seen).collect()
    }

    pub(crate) async fn events(&self) -> Vec<Recorded> {
        self.written.recorded().await
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
    batches: BTreeMap<i64, TelemetryBatch>,
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
    let mut batches: BTreeMap<i64, TelemetryBatch> = BTreeMap::new();
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
        let level = LogLevel::of_word(line["severity"].as_str().unwrap());
        let (service, message, labels) = (text(&line["service"]), text(&line["message"]), BTreeMap::new());
        batches.entry(second(time)).or_default().logs.push(LogRecord { time, service, level, message, labels });
    }
    Recording { faults: faults.collect(), batches }
}

/// What was written to the ledger, for the views.
struct Written(hindcast_ledger::memory::MemoryLedger);

impl Written {
    async fn recorded(&self) -> Vec<Recorded> {
        let mut written = Vec::new();
        for seq in 1..=self.0.head().await.unwrap() {
            let record = self.0.get(seq).await.unwrap().unwrap();
            for item in read::events(&record, &read::commit(&record).unwrap()).unwrap() {
                let ReadEvent::Known(recorded) = item else { panic!("an event of ours is known") };
                written.push(*recorded);
            }
        }
        written
    }
}

#[async_trait]
impl EventSource for Written {
    async fn events(&self) -> Vec<Event> {
        self.recorded().await.iter().map(testkit::recorded).collect()
    }
}
