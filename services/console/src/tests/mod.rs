//! The console's tests, against views that hold what a test puts into them and a ledger in memory.

mod acts;
mod advice;
mod advised;
mod api;
mod ask;
mod commands;
mod labels;
mod learnt;
mod models;
mod pages;
mod position;
mod sample;
mod stream;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use hindcast_advice::SharedCopilot;
use hindcast_advice::memory::MemoryAdvice;
use hindcast_clock::Stepped;
use hindcast_intake::IntakeWriter;
use hindcast_ledger::memory;
use hindcast_metrics::MetricRegistry;
use hindcast_queries::memory::MemoryViews;
use hindcast_testkit::work::{MemoryCopilot, MemoryLearning};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::{Console, Options, fallback};
use hindcast_domain::SecretHash;

/// A console with its views and its ledger.
struct Bench {
    views: Arc<MemoryViews>,
    advice: Arc<MemoryAdvice>,
    copilot: Arc<MemoryCopilot>,
    ledger: hindcast_ledger::Shared,
    metrics: MetricRegistry,
    lags: hindcast_ledger::LagBoard,
    console: Console,
    router: Router,
}

/// An answer, read whole.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Bench {
    fn new() -> Self {
        Self::with(None)
    }

    fn with(token: Option<SecretHash>) -> Self {
        Self::asking(token, |copilot| copilot)
    }

    /// The same with a copilot made of the sample's.
    fn asking(token: Option<SecretHash>, copilot: fn(Arc<MemoryCopilot>) -> SharedCopilot) -> Self {
        Self::made(token, copilot, None)
    }

    /// A process that learns.
    fn learning(learns: &Arc<MemoryLearning>) -> Self {
        Self::made(None, |copilot| copilot, Some(learns.clone()))
    }

    fn made(
        token: Option<SecretHash>,
        copilot: fn(Arc<MemoryCopilot>) -> SharedCopilot,
        learning: Option<hindcast_training::Shared>,
    ) -> Self {
        Self::over(views::evening(), token, copilot, learning)
    }

    /// The same over other views.
    fn over(
        views: MemoryViews,
        token: Option<SecretHash>,
        copilot: fn(Arc<MemoryCopilot>) -> SharedCopilot,
        learning: Option<hindcast_training::Shared>,
    ) -> Self {
        let views = Arc::new(views);
        let advice = Arc::new(advised::advice());
        let answers = Arc::new(advised::copilot());
        let clock: hindcast_clock::Shared = Arc::new(Stepped::new(sample::now()));
        let ledger = memory::MemoryLedger::new("test").share();
        let writer =
            IntakeWriter::new(ledger.clone(), clock.clone(), hindcast_ledger::LedgerProgress::default(), "console");
        let metrics = MetricRegistry::default();
        let lags = hindcast_ledger::LagBoard::new(std::time::Duration::from_secs(10));
        let console = Console::new(Options {
            queries: (views.clone() as hindcast_queries::Shared).into(),
            advice: advice.clone(),
            copilot: copilot(answers.clone()),
            chats: Arc::new(sample::chats),
            lags: lags.clone(),
            learning,
            writer: writer.facts(),
            commands: writer.commands(),
            clock,
            metrics: metrics.clone(),
            token,
            version: "0.0.0-test",
            public_url: "http://127.0.0.1:7171".to_owned(),
            redaction: hindcast_redact::RedactionKey::derive(&[7; 32]),
            also: Vec::new(),
        });
        let router = crate::router(console.clone()).fallback(fallback::not_found);
        Self { views, advice, copilot: answers, ledger, metrics, lags, console, router }
    }

    async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(request(Method::GET, path, &[], "")).await
    }

    async fn page(&self, path: &str) -> Answer {
        self.ask(request(Method::GET, path, &[("accept", "text/html")], "")).await
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        self.ask(request(Method::POST, path, &all, body)).await
    }

    async fn form(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut all = vec![("content-type", "application/x-www-form-urlencoded"), ("accept", "text/html")];
        all.extend_from_slice(headers);
        self.ask(request(Method::POST, path, &all, body)).await
    }

    /// The commands that stand in the ledger, with their actor and partition.
    async fn written(&self) -> Vec<(hindcast_domain::command::Received, String, String)> {
        let recorded = self.recorded().await.into_iter();
        let commands = recorded.filter_map(|recorded| match recorded.event {
            hindcast_domain::Event::Command(received) => {
                Some((received, recorded.actor, recorded.partition.to_string()))
            }
            _ => None,
        });
        commands.collect()
    }

    /// All events that stand in the ledger.
    async fn recorded(&self) -> Vec<hindcast_domain::event::Recorded> {
        let mut found = Vec::new();
        for seq in 1..=self.ledger.head().await.unwrap() {
            let record = self.ledger.get(seq).await.unwrap().unwrap();
            let commit = hindcast_eventlog::read::commit(&record).unwrap();
            for item in hindcast_eventlog::read::events(&record, &commit).unwrap() {
                if let hindcast_eventlog::read::ReadEvent::Known(recorded) = item {
                    found.push(*recorded);
                }
            }
        }
        found
    }
}

fn request(method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:7171");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body.to_owned())).unwrap()
}
