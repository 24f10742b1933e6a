//! A gateway on a ledger in memory, with views that hold just what a test puts there.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hindcast_api::{
    Alert, AsOf, Change, Code, Event, Incident, Notice, Page, Parked, Problem, Receipt, Replay, Silence, State,
    TimelineEntry, Verification, Why,
};
use hindcast_clock::Stepped;
use hindcast_domain::catalog::Catalog;
use hindcast_domain::event::Recorded;
use hindcast_domain::{EventId, Partition, Time};
use hindcast_eventlog::read;
use hindcast_eventlog::read::Item;
use hindcast_eventlog::writer::{FailPoint, Writer};
use hindcast_gateway::{Gateway, Guard, Options, SourceConfig, TenantKey};
use hindcast_http::Metrics;
use hindcast_ledger::memory::Ledger as Memory;
use hindcast_ledger::{Ledger as _, Progress};
use hindcast_queries::{AlertFilter, EventFilter, IncidentFilter, NoticeFilter, Outcome, Queries, Window};
use hindcast_telemetry::Memory as Store;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::sync::watch;
use tower::ServiceExt as _;

/// What the views show.
#[derive(Default)]
pub(crate) struct Views {
    pub(crate) alerts: Mutex<Vec<Alert>>,
    pub(crate) silences: Mutex<Vec<Silence>>,
    pub(crate) parked: Mutex<Vec<(Parked, String)>>,
    pub(crate) outcome: Mutex<Option<Outcome>>,
    pub(crate) filters: Mutex<Vec<AlertFilter>>,
}

pub(crate) struct World {
    pub(crate) ledger: Memory,
    pub(crate) metrics: Metrics,
    pub(crate) views: Arc<Views>,
    /// The telemetry.
    pub(crate) store: Arc<Store>,
    router: Router,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) text: String,
    pub(crate) bytes: axum::body::Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("JSON, got {:?}", self.text))
    }

    pub(crate) fn code(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.text);
        assert!(!self.json()["remedy"].as_str().unwrap().is_empty());
        self.json()["code"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn now() -> Time {
    "2026-11-24T13:30:00Z".parse().unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with("", Guard::open())
    }

    /// With the sources of a `hindcast.toml`.
    pub(crate) fn with(sources: &str, default_auth: Guard) -> Self {
        Self::broken(sources, default_auth, FailPoint::None)
    }

    /// With a guarantee of the writer broken on purpose.
    pub(crate) fn broken(sources: &str, default_auth: Guard, fail: FailPoint) -> Self {
        let store = Arc::new(Store::default());
        let telemetry = Some(Arc::clone(&store) as hindcast_telemetry::Shared);
        Self { store, ..Self::on(sources, default_auth, fail, telemetry) }
    }

    /// On another store of telemetry, or on none.
    pub(crate) fn on(
        sources: &str,
        default_auth: Guard,
        fail: FailPoint,
        telemetry: Option<hindcast_telemetry::Shared>,
    ) -> Self {
        #[derive(serde::Deserialize)]
        struct File {
            #[serde(default)]
            sources: Vec<SourceConfig>,
        }
        let File { sources } = toml::from_str(sources).unwrap();
        let ledger = Memory::new("test");
        let clock: hindcast_clock::Shared = Arc::new(Stepped::new(now()));
        let writer = Writer::with_fail_point(ledger.share(), Arc::clone(&clock), Progress::default(), "door", fail);
        let (metrics, views) = (Metrics::default(), Arc::new(Views::default()));
        let gateway = Gateway::new(Options {
            writer,
            queries: Some(Arc::clone(&views) as hindcast_queries::Shared),
            telemetry,
            clock,
            metrics: metrics.clone(),
            key: TenantKey::new([7; 32]),
            sources,
            default_auth,
            env: Arc::new(|name| (name == "SECRET").then(|| "It's a Secret to Everybody".to_owned())),
        })
        .unwrap();
        Self { ledger, metrics, views, store: Arc::default(), router: hindcast_gateway::router(gateway) }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            // An answer in protobuf is no text.
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bytes,
        }
    }

    pub(crate) async fn post(&self, path: &str, json: &Value) -> Answer {
        self.post_with(path, &[("content-type", "application/json")], json.to_string()).await
    }

    pub(crate) async fn post_with(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let request = headers.iter().fold(Request::post(path), |request, (name, value)| request.header(*name, *value));
        self.send(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Everything that was written, in order.
    pub(crate) async fn events(&self) -> Vec<Recorded> {
        let mut events = Vec::new();
        for seq in 1..=self.ledger.head().await.unwrap() {
            let record = self.ledger.get(seq).await.unwrap().unwrap();
            for item in read::events(&record, &read::commit(&record).unwrap()).unwrap() {
                match item {
                    Item::Known(recorded) => events.push(*recorded),
                    Item::Unknown { kind, .. } => panic!("an event of ours is known, got {kind}"),
                }
            }
        }
        events
    }

    pub(crate) async fn types(&self) -> Vec<String> {
        let name =
            |recorded: &Recorded| serde_json::to_value(&recorded.event).unwrap()["type"].as_str().unwrap().to_owned();
        self.events().await.iter().map(name).collect()
    }
}

fn none<T>() -> Result<T, Problem> {
    Err(Problem::new(Code::NotImplemented, "not in these views"))
}

fn page<T>(items: Vec<T>) -> Result<Page<T>, Problem> {
    Ok(Page { items, next: None, position: 0 })
}

#[async_trait]
impl Queries for Views {
    fn position(&self) -> watch::Receiver<u64> {
        watch::Sender::new(42).subscribe()
    }
    fn is_ready(&self) -> bool {
        true
    }
    async fn incidents(&self, _: IncidentFilter, _: Window) -> Result<Page<Incident>, Problem> {
        none()
    }
    async fn incident(&self, _: Option<&str>, _: Option<AsOf>) -> Result<Incident, Problem> {
        none()
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
    async fn alerts(&self, filter: AlertFilter, _: Window) -> Result<Page<Alert>, Problem> {
        self.filters.lock().unwrap().push(filter);
        page(self.alerts.lock().unwrap().clone())
    }
    async fn receipt(&self, _: Option<&str>, _: Option<AsOf>) -> Result<Receipt, Problem> {
        none()
    }
    async fn silences(&self, _: Window) -> Result<Page<Silence>, Problem> {
        page(self.silences.lock().unwrap().clone())
    }
    async fn silence(&self, id: &str, _: Option<AsOf>) -> Result<Silence, Problem> {
        let silences = self.silences.lock().unwrap();
        let found = silences.iter().find(|silence| silence.id == id).cloned();
        found.ok_or_else(|| Problem::new(Code::NotFound, "no such silence"))
    }
    async fn notices(&self, _: NoticeFilter, _: Window) -> Result<Page<Notice>, Problem> {
        none()
    }
    async fn parked(&self, open: bool, _: Window) -> Result<Page<Parked>, Problem> {
        let parked = self.parked.lock().unwrap();
        page(parked.iter().map(|(item, _)| item.clone()).filter(|item| !open || item.status == "parked").collect())
    }
    async fn parked_item(&self, id: &str) -> Result<Parked, Problem> {
        let parked = self.parked.lock().unwrap();
        let found = parked.iter().map(|(item, _)| item).find(|item| item.id == id).cloned();
        found.ok_or_else(|| Problem::new(Code::NotFound, "no such item"))
    }
    async fn events(&self, _: EventFilter, _: Window) -> Result<Page<Event>, Problem> {
        none()
    }
    async fn event(&self, id: &str, _: Option<AsOf>) -> Result<Event, Problem> {
        let parked = self.parked.lock().unwrap();
        let (item, environment) = parked.iter().find(|(item, _)| item.id == id).cloned().unwrap();
        Ok(Event {
            position: item.position,
            kind: "intake".into(),
            event_type: "intake.parked".into(),
            id: item.id,
            subject: item.source.clone(),
            time: item.at,
            recorded_at: item.at,
            revision: None,
            actor: item.source,
            causation_id: None,
            tenant: "default".into(),
            environment,
            source: String::new(),
            data: Value::Null,
        })
    }
    async fn catalog(&self, _: Option<AsOf>) -> Result<Catalog, Problem> {
        none()
    }
    async fn configured(&self, _: &str, _: Option<AsOf>) -> Result<Option<(String, Value)>, Problem> {
        none()
    }
    async fn findings(
        &self,
        _: hindcast_queries::FindingFilter,
        _: Window,
    ) -> Result<Page<hindcast_api::Finding>, Problem> {
        none()
    }
    async fn watched(&self, _: &str, _: Option<AsOf>) -> Result<Vec<String>, Problem> {
        none()
    }
    async fn moment(&self, _: Option<AsOf>) -> Result<(u64, Time), Problem> {
        none()
    }
    async fn state(&self, _: Option<AsOf>) -> Result<State, Problem> {
        none()
    }
    async fn partition_of(&self, _: &str) -> Result<Partition, Problem> {
        none()
    }
    async fn outcome(&self, _: &EventId, _: Duration) -> Outcome {
        self.outcome.lock().unwrap().clone().unwrap_or(Outcome::Pending)
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
}
