//! What the doors for telemetry take, and what their senders are answered.

mod carried;
mod odd;
mod otlp;
mod remote_write;
mod traces;

use hindcast_domain::{Partition, SecretHash, Span};
use hindcast_gateway::Guard;
use hindcast_telemetry::Telemetry;
use hindcast_telemetry::{ArrivalCursor, LogFilter, LogLevel, LogRecord, MetricSeries, SampleFilter, TelemetryWindow};
use serde_json::{Value, json};

use crate::protobuf::{gzip, logs, record, snappy};
use crate::support::{Answer, World, now};

pub(crate) const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
pub(crate) const NDJSON: (&str, &str) = ("content-type", "application/x-ndjson");
pub(crate) const SNAPPY: [(&str, &str); 3] =
    [PROTOBUF, ("content-encoding", "snappy"), ("x-prometheus-remote-write-version", "0.1.0")];

/// Nanoseconds of the moment that the clock of these tests shows.
pub(crate) fn nanos() -> u64 {
    u64::try_from(now().nanos()).unwrap()
}

fn around() -> TelemetryWindow {
    TelemetryWindow::around(now(), Span::hours(1), Span::hours(1))
}

impl World {
    pub(crate) async fn lines_of(&self, environment: &str) -> Vec<LogRecord> {
        let partition = Partition::of_environment(environment);
        self.store.logs(&partition, around(), LogFilter { limit: 100_000, ..LogFilter::default() }).await.unwrap()
    }

    pub(crate) async fn lines(&self) -> Vec<LogRecord> {
        self.lines_of("production").await
    }

    pub(crate) async fn series_of(&self, environment: &str) -> Vec<MetricSeries> {
        let partition = Partition::of_environment(environment);
        self.store.series(&partition, around(), SampleFilter::default()).await.unwrap()
    }

    /// Values by `service metric{labels}`.
    async fn values(&self) -> Value {
        let series = self.series_of("production").await;
        let named = series.iter().map(|series| {
            let labels: Vec<String> = series.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let values: Vec<f64> = series.points.iter().map(|(_, value)| *value).collect();
            (format!("{} {}{{{}}}", series.service, series.metric, labels.join(",")), json!(values))
        });
        Value::Object(named.collect())
    }

    pub(crate) async fn ndjson(&self, body: &str) -> Answer {
        self.post_with("/ingest/logs", &[NDJSON], body.to_owned()).await
    }

    pub(crate) async fn write(&self, body: &[u8]) -> Answer {
        self.post_with("/api/v1/write", &SNAPPY, snappy(body)).await
    }

    fn counted(&self, name: &'static str, kind: &str) -> f64 {
        self.metrics.get(name, &[("kind", kind)])
    }
}

#[tokio::test]
async fn good_lines_are_taken_and_bad_ones_named() {
    let world = World::new();
    let body = [
        r#"{"time":"2026-11-24T13:29:00Z","service":"cart","severity":"error","message":"it broke","pod":"p-1"}"#,
        "",
        "not json",
        r#"{"msg":"no time, no service"}"#,
        r#"{"time":"yesterday","message":"x"}"#,
        r#"{"level":"info"}"#,
        r#"{"ts":1795527000,"app":"cart","lvl":"warn","log":"elsewhere","environment":"Staging"}"#,
    ];
    let answer = world.ndjson(&body.join("\n")).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let told = answer.json();
    assert_eq!((told["accepted"].clone(), told["position"].clone()), (json!(4), json!(42)));
    let rejected: Vec<(u64, &str)> = told["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["index"].as_u64().unwrap(), item["code"].as_str().unwrap()))
        .collect();
    assert_eq!(rejected, [(1, "malformed"), (4, "no_message")]);
    assert!(told["rejected"].as_array().unwrap().iter().all(|item| !item["remedy"].as_str().unwrap().is_empty()));
    let lines = world.lines().await;
    let shown: Vec<(&str, LogLevel, &str)> =
        lines.iter().map(|line| (line.service.as_str(), line.level, line.message.as_str())).collect();
    let expected = [
        ("cart", LogLevel::Error, "it broke"),
        ("logs", LogLevel::Info, "no time, no service"),
        ("logs", LogLevel::Info, "x"),
    ];
    assert_eq!(shown, expected);
    assert_eq!(lines[2].time, now(), "a time that cannot be read is that of arrival");
    assert_eq!((lines[1].time, lines[0].labels["pod"].as_str()), (now(), "p-1"));
    assert_eq!(world.lines_of("staging").await[0].message, "elsewhere");
    assert_eq!(world.counted("hindcast_telemetry_records_total", "log"), 4.0);
    let mended = [("kind", "log"), ("what", "time")];
    assert_eq!(world.metrics.get("hindcast_telemetry_mended_total", &mended), 1.0);
    let missing = [("kind", "log"), ("what", "no_time")];
    assert_eq!(world.metrics.get("hindcast_telemetry_mended_total", &missing), 1.0);
    assert!(world.events().await.is_empty(), "telemetry goes beside the ledger");
}

#[tokio::test]
async fn lines_may_be_a_list_or_one_object() {
    for body in [
        r#"[{"msg":"a"},{"msg":"b"}]"#,
        "{\"msg\":\"a\"}\r\n{\"msg\":\"b\"}\r\n",
        "\u{feff}  [\n{\"msg\":\"a\"},\n{\"msg\":\"b\"}]",
    ] {
        let world = World::new();
        for kind in ["application/json", "application/x-ndjson; charset=utf-8", "text/plain"] {
            let answer = world.post_with("/ingest/logs", &[("content-type", kind)], body).await;
            assert_eq!((answer.status, answer.json()["accepted"].clone()), (202, json!(2)), "{kind} {body}");
        }
        let packed = world.post_with("/ingest/logs", &[NDJSON, ("content-encoding", "gzip")], gzip(body.as_bytes()));
        assert_eq!(packed.await.status, 202);
    }
    let world = World::new();
    assert_eq!(world.ndjson("{\n  \"message\": \"one\",\n  \"service\": \"s\"\n}").await.json()["accepted"], json!(1));
    assert_eq!(world.lines().await[0].service, "s");
}

#[tokio::test]
async fn lines_of_which_none_is_good_are_refused() {
    for (body, status, code) in [
        ("", 422, "invalid"),
        ("\n \n", 422, "invalid"),
        ("[]", 422, "invalid"),
        ("nonsense\nmore", 422, "invalid"),
        (r#"{"level":"info"}"#, 422, "invalid"),
        ("[{\"msg\":1", 400, "malformed"),
    ] {
        let world = World::new();
        let answer = world.ndjson(body).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{body:?} {}", answer.text);
        assert_eq!(world.store.head(), ArrivalCursor(0));
    }
    let world = World::new();
    let form = world.post_with("/ingest/logs", &[("content-type", "application/x-www-form-urlencoded")], "{}").await;
    assert_eq!((form.status, form.code().as_str()), (415, "unsupported_media_type"));
    let many = world.ndjson(&"x\n".repeat(500)).await;
    assert!(many.json()["detail"].as_str().unwrap().contains("none of 500 lines"), "{}", many.text);
    let mixed = world.ndjson(&format!("{}{{\"msg\":\"good\"}}", "x\n".repeat(500))).await;
    let rejected = mixed.json()["rejected"].clone();
    assert_eq!(rejected.as_array().unwrap().len(), 101);
    assert!(rejected[100]["detail"].as_str().unwrap().starts_with("400 more"), "{}", rejected[100]);
}

#[tokio::test]
async fn a_source_of_lines_has_its_own_credential_environment_and_service() {
    let digest = SecretHash::of("ours").hex();
    let sources = format!(
        "[[sources]]\nname='shop-logs'\nformat='logs'\nenvironment='staging'\nservice='shop'\n\
         auth={{scheme='bearer',keys=[{{id='k',token_sha256='{digest}'}}]}}"
    );
    let world = World::with(&sources, Guard::token("api", SecretHash::of("server")));
    let post = |path: &'static str, token: &'static str| {
        let world = &world;
        async move {
            let body = r#"{"msg":"m","environment":"production"}"#;
            world.post_with(path, &[NDJSON, ("authorization", token)], body).await.status
        }
    };
    assert_eq!(post("/ingest/shop-logs", "Bearer ours").await, 202);
    assert_eq!(post("/ingest/shop-logs", "Bearer server").await, 401);
    assert_eq!(post("/ingest/logs", "Bearer ours").await, 401);
    assert_eq!(post("/ingest/logs", "Bearer server").await, 202);
    let staging = world.lines_of("staging").await;
    assert_eq!((staging.len(), staging[0].service.as_str()), (1, "shop"));
    assert_eq!(world.lines().await.len(), 1);
}

#[tokio::test]
async fn every_door_wants_the_servers_credential() {
    let world = World::with("", Guard::token("api", SecretHash::of("server")));
    for path in ["/ingest/logs", "/v1/logs", "/v1/metrics", "/v1/traces", "/api/v1/write"] {
        for headers in [vec![PROTOBUF], vec![PROTOBUF, ("authorization", "Bearer wrong")]] {
            assert_eq!(world.post_with(path, &headers, "").await.code(), "unauthorized", "{path}");
        }
    }
    let right = [PROTOBUF, ("authorization", "Bearer server")];
    assert_eq!(world.post_with("/v1/logs", &right, logs("s", &[record(nanos(), 9, "m")])).await.status, 200);
}

/// One alert's broken text costs that text, and the alerts beside it are taken.
#[tokio::test]
async fn a_broken_text_costs_no_alert() {
    let one = r#"{"name":"A","severity":"critical"}"#;
    for bad in [
        &b"{\"name\":\"B \\ud83d\",\"severity\":\"critical\"}"[..],
        b"{\"name\":\"B caf\xe9\",\"severity\":\"critical\"}",
    ] {
        for mark in [&b""[..], "\u{feff}".as_bytes()] {
            let world = World::new();
            let body = [mark, b"[", one.as_bytes(), b",", bad, b",", one.replace('A', "C").as_bytes(), b"]"].concat();
            let answer = world.post_with("/ingest/generic", &[("content-type", "application/json")], body).await;
            assert_eq!((answer.status, answer.json()["accepted"].clone()), (202, json!(3)), "{}", answer.text);
        }
    }
}
