//! A gateway on a ledger in memory, with views that hold just what a test puts there.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hindcast_clock::Stepped;
use hindcast_domain::Time;
use hindcast_domain::event::Recorded;
use hindcast_eventlog::read;
use hindcast_eventlog::read::ReadEvent;
use hindcast_gateway::{Gateway, Guard, Options, SourceConfig, TenantKey};
use hindcast_intake::{FailPoint, IntakeWriter};
use hindcast_ledger::memory::MemoryLedger as Memory;
use hindcast_ledger::{Ledger as _, LedgerProgress};
use hindcast_metrics::MetricRegistry;
use hindcast_queries::memory::MemoryViews;
use hindcast_telemetry::MemoryTelemetry as Store;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

pub(crate) struct World {
    pub(crate) ledger: Memory,
    pub(crate) metrics: MetricRegistry,
    pub(crate) views: Arc<MemoryViews>,
    /// Telemetry that was taken in, kept in memory.
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

    /// What a refusal of an Alertmanager's routes says.
    pub(crate) fn alertmanagers(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/json", "{}", self.text);
        self.json().as_str().unwrap_or_else(|| panic!("a string, got {}", self.text)).to_owned()
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
        let writer =
            IntakeWriter::with_fail_point(ledger.share(), Arc::clone(&clock), LedgerProgress::default(), "door", fail);
        let (metrics, views) = (MetricRegistry::default(), Arc::new(MemoryViews::at(42)));
        let gateway = Gateway::new(Options {
            writer: writer.facts(),
            commands: writer.commands(),
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

    /// The answer, and the status of gRPC behind its body.
    pub(crate) async fn send_for_trailers(&self, request: Request<Body>) -> (Answer, Option<String>) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let collected = body.collect().await.unwrap();
        let status = collected.trailers().and_then(|trailers| trailers.get("grpc-status")).cloned();
        let bytes = collected.to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let answer = Answer { status: parts.status.as_u16(), headers: parts.headers, text, bytes };
        (answer, status.map(|status| status.to_str().unwrap().to_owned()))
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
                    ReadEvent::Known(recorded) => events.push(*recorded),
                    ReadEvent::Unknown { kind, .. } => panic!("an event of ours is known, got {kind}"),
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
