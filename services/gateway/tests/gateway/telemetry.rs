//! What the doors for telemetry take, and what their senders are answered.

use crate::protobuf::{attribute, double, fixed, gzip, logs, message, metrics, record, series, snappy, text, whole};
use crate::support::{Answer, World, now};
use hindcast_domain::{Partition, SecretHash, Span};
use hindcast_gateway::Guard;
use hindcast_telemetry::{
    ArrivalCursor, LogFilter, LogLevel, LogRecord, MetricSeries, SampleFilter, Telemetry as _, TelemetryWindow,
};
use serde_json::{Value, json};

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
    for path in ["/ingest/logs", "/v1/logs", "/v1/metrics", "/api/v1/write"] {
        for headers in [vec![PROTOBUF], vec![PROTOBUF, ("authorization", "Bearer wrong")]] {
            assert_eq!(world.post_with(path, &headers, "").await.code(), "unauthorized", "{path}");
        }
    }
    let right = [PROTOBUF, ("authorization", "Bearer server")];
    assert_eq!(world.post_with("/v1/logs", &right, logs("s", &[record(nanos(), 9, "m")])).await.status, 200);
}

fn otlp_logs_json(body: &Value) -> Value {
    json!({"resourceLogs": [{
        "resource": {"attributes": [
            {"key": "service.name", "value": {"stringValue": "cart"}},
            {"key": "telemetry.sdk.language", "value": {"stringValue": "rust"}},
            {"key": "deployment.environment.name", "value": {"stringValue": "production"}},
            {"key": "host.name", "value": {"stringValue": "h-1"}},
        ]},
        "scopeLogs": [{"scope": {"name": "lib"}, "logRecords": [body]}],
    }]})
}

#[tokio::test]
async fn otlp_logs_say_the_same_in_protobuf_and_in_json() {
    let id: Vec<u8> = (1..=16).collect();
    let attributes = [attribute(6, "attempt", "3"), message(6, &[text(1, "ok"), message(2, &[whole(2, 1)])])];
    let one = [record(nanos(), 17, "it broke"), attributes.concat(), text(9, &id)].concat();
    let resource = [
        attribute(1, "service.name", "cart"),
        attribute(1, "deployment.environment.name", "production"),
        attribute(1, "host.name", "h-1"),
    ];
    let protobuf = message(1, &[message(1, &resource), message(2, &[message(1, &[text(1, "lib")]), text(2, &one)])]);
    let body = json!({
        "timeUnixNano": nanos().to_string(), "severityNumber": 17, "body": {"stringValue": "it broke"},
        "traceId": "0102030405060708090A0B0C0D0E0F10", "spanId": null,
        "attributes": [{"key": "attempt", "value": {"intValue": "3"}}, {"key": "ok", "value": {"boolValue": true}}],
        "somethingNew": {"a": [1]},
    });
    let json = otlp_logs_json(&body).to_string();
    let as_json = ("content-type", "application/json; charset=utf-8");
    for (headers, body) in [
        (vec![PROTOBUF], protobuf.clone()),
        (vec![PROTOBUF, ("content-encoding", "gzip")], gzip(&protobuf)),
        (vec![as_json], json.clone().into_bytes()),
        (vec![as_json, ("content-encoding", "gzip")], gzip(json.as_bytes())),
    ] {
        let world = World::new();
        let answer = world.post_with("/v1/logs", &headers, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let kind = answer.headers["content-type"].to_str().unwrap().to_owned();
        assert!(headers[0].1.starts_with(&kind), "answered in the encoding of the request: {kind}");
        assert_eq!(answer.text, if kind == "application/json" { "{}" } else { "" });
        let line = world.lines().await.remove(0);
        assert_eq!((line.time, line.service.as_str(), line.level), (now(), "cart", LogLevel::Error));
        assert_eq!(line.message, "it broke");
        let labels = json!({"host.name": "h-1", "attempt": "3", "ok": "true",
                            "trace_id": "0102030405060708090a0b0c0d0e0f10"});
        assert_eq!(json!(line.labels), labels);
        assert!(world.events().await.is_empty());
    }
}

#[tokio::test]
async fn an_otlp_line_is_whatever_says_most() {
    for (body, message, level) in [
        (
            json!({"body": {"kvlistValue": {"values": [{"key": "a", "value": {"intValue": 1}}]}}}),
            "{\"a\":1}",
            LogLevel::Info,
        ),
        (
            json!({"body": {"arrayValue": {"values": [{"stringValue": "x"}, {"doubleValue": 1.5}]}}}),
            "[\"x\",1.5]",
            LogLevel::Info,
        ),
        (json!({"body": {"arrayValue": {}}}), "[]", LogLevel::Info),
        (json!({"eventName": "order.failed", "severityText": "WARN"}), "order.failed", LogLevel::Warning),
        (
            json!({"severityNumber": 21, "attributes": [{"key": "exception.message", "value": {"stringValue": "boom"}}]}),
            "boom",
            LogLevel::Fatal,
        ),
        (
            json!({"body": {"stringValue": "m"}, "observedTimeUnixNano": 1, "timeUnixNano": nanos()}),
            "m",
            LogLevel::Info,
        ),
    ] {
        let world = World::new();
        assert_eq!(world.post("/v1/logs", &otlp_logs_json(&body)).await.status, 200, "{body}");
        let line = world.lines().await.remove(0);
        assert_eq!((line.message.as_str(), line.level, line.time), (message, level, now()), "{body}");
    }
}

#[tokio::test]
async fn otlp_names_what_it_did_not_take() {
    let good = message(1, &[fixed(3, nanos()), double(4, 1.0)]);
    let world = World::new();
    let answer =
        world.post_with("/v1/metrics", &[PROTOBUF], metrics("s", &[("m", 5, good.clone()), ("", 5, good.clone())]));
    let answer = answer.await;
    assert_eq!(answer.status, 200);
    // partial_success { rejected_data_points: 1, error_message: … }
    assert_eq!(&answer.bytes[..1], [10]);
    assert_eq!(&answer.bytes[2..4], [8, 1]);
    assert!(answer.text.contains("record 1: expected a metric's name"), "{:?}", answer.text);
    let none = world.post_with("/v1/metrics", &[PROTOBUF], metrics("s", &[("", 5, good)])).await;
    assert_eq!((none.status, none.code().as_str()), (400, "malformed"));
    let both = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [null, {"body": {"stringValue": "m"}}, {}]}]}]});
    let partial = world.post("/v1/logs", &both).await.json();
    assert_eq!(partial["partialSuccess"]["rejectedLogRecords"], json!("1"));
    let lines = world.lines().await;
    assert_eq!(lines[0].service, "otlp", "the service of a resource that names none");
    assert_eq!(lines[1].message, "(no text)");
    let points = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [
        {"name": "", "gauge": {"dataPoints": [{"asDouble": 1.0}]}},
        {"name": "m", "gauge": {"dataPoints": [{"asInt": "7"}]}},
    ]}]}]});
    let partial = world.post("/v1/metrics", &points).await.json();
    assert_eq!(partial["partialSuccess"]["rejectedDataPoints"], json!("1"));
    for (kind, body) in [("application/x-protobuf", ""), ("application/json", "{}")] {
        let empty = world.post_with("/v1/logs", &[("content-type", kind)], body).await;
        assert_eq!(empty.status, 200, "nothing to take is taken");
    }
    for (kind, body, status) in
        [("text/plain", "{}", 415), ("application/json", "[", 400), ("application/json", r#"{"resourceLogs":5}"#, 400)]
    {
        let refused = world.post_with("/v1/logs", &[("content-type", kind)], body).await;
        assert_eq!(refused.status, status, "{body}");
        refused.code();
    }
}

/// A data point: attributes in `field`, the moment, and what else.
fn point(field: u64, rest: &[Vec<u8>]) -> Vec<u8> {
    message(1, &[attribute(field, "pod", "p"), fixed(3, nanos()), rest.concat()])
}

#[tokio::test]
async fn every_kind_of_otlp_metric_becomes_series() {
    let quantile = message(6, &[double(1, 0.99), double(2, 8.0)]);
    let body = metrics(
        "cart",
        &[
            ("gauge", 5, [point(7, &[double(4, 1.5)]), message(1, &[fixed(3, nanos()), double(4, f64::NAN)])].concat()),
            ("sum", 7, [point(7, &[fixed(6, 3)]), whole(2, 2), whole(3, 1)].concat()),
            ("gone", 5, point(7, &[double(4, 9.0), whole(8, 1)])),
            ("histogram", 9, point(9, &[fixed(4, 4), double(5, 10.0)])),
            ("bare", 9, point(9, &[fixed(4, 4)])),
            ("exponential", 10, point(1, &[fixed(4, 5), double(5, 11.0)])),
            ("summary", 11, point(7, &[fixed(4, 6), double(5, 12.0), quantile])),
        ],
    );
    let world = World::new();
    let answer = world.post_with("/v1/metrics", &[PROTOBUF], body).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert_eq!(
        world.values().await,
        json!({
            "cart gauge{pod=p}": [1.5], "cart sum{pod=p}": [3.0],
            "cart histogram_count{pod=p}": [4.0], "cart histogram_sum{pod=p}": [10.0], "cart bare_count{pod=p}": [4.0],
            "cart exponential_count{pod=p}": [5.0], "cart exponential_sum{pod=p}": [11.0],
            "cart summary_count{pod=p}": [6.0], "cart summary_sum{pod=p}": [12.0],
            "cart summary{pod=p,quantile=0.99}": [8.0],
        })
    );
    assert_eq!(world.counted("hindcast_telemetry_records_total", "sample"), 10.0);
    assert_eq!(world.counted("hindcast_telemetry_skipped_total", "sample"), 2.0);
    let spelt = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [
        {"name": "j", "sum": {"dataPoints": [{"timeUnixNano": nanos().to_string(), "asDouble": 2}], "isMonotonic": true,
                              "aggregationTemporality": 2}},
        {"name": "n", "gauge": {"dataPoints": [{"asDouble": "NaN"}, {"asDouble": "-Infinity"}]}},
        {"name": "s", "summary": {"dataPoints": [{"count": "2", "sum": 3.5, "quantileValues": [{"quantile": 0.5, "value": 1}]}]}},
    ]}]}]});
    let world = World::new();
    assert_eq!(world.post("/v1/metrics", &spelt).await.json(), json!({}));
    assert_eq!(
        world.values().await,
        json!({"otlp j{}": [2.0], "otlp s_count{}": [2.0], "otlp s_sum{}": [3.5], "otlp s{quantile=0.5}": [1.0]})
    );
}

#[tokio::test]
async fn remote_write_is_kept_and_answered_without_a_body() {
    let at = now().millis();
    let stale = f64::from_bits(0x7ff0_0000_0000_0002);
    let body = [
        series(&[("__name__", "up"), ("instance", "i:1"), ("job", "node")], &[(1.0, at), (0.0, at + 15_000)]),
        series(
            &[("__name__", "q"), ("app", "cart"), ("env", "production"), ("job", "k8s")],
            &[(2.0, at), (stale, at + 1)],
        ),
        series(&[("__name__", "r"), ("service", "shop"), ("app", "a")], &[(f64::INFINITY, at), (3.0, at + 2)]),
        series(&[("__name__", "nobody")], &[(4.0, at)]),
        series(&[("__name__", "elsewhere"), ("environment", "staging")], &[(5.0, at)]),
        // A native histogram, and metadata, which comes in requests of its own.
        message(
            1,
            &[
                message(1, &[text(1, "__name__"), text(2, "h")]),
                message(4, &[whole(1, 6), double(3, 7.0), whole(15, at as u64)]),
            ],
        ),
        message(3, &[whole(1, 1), text(2, "up"), text(4, "help")]),
    ];
    let world = World::new();
    let answer = world.write(&body.concat()).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    assert_eq!(
        world.values().await,
        json!({
            "node up{instance=i:1}": [1.0, 0.0], "cart q{job=k8s}": [2.0], "shop r{app=a}": [3.0],
            "prometheus nobody{}": [4.0], "prometheus h_count{}": [6.0], "prometheus h_sum{}": [7.0],
        })
    );
    assert_eq!(world.series_of("staging").await[0].metric, "elsewhere");
    assert_eq!(world.counted("hindcast_telemetry_skipped_total", "sample"), 2.0);
    assert_eq!(world.write(b"").await.status, 204, "an empty request says that somebody is there");
    assert!(world.events().await.is_empty());
}

#[tokio::test]
async fn remote_write_keeps_the_good_and_names_the_bad() {
    let at = now().millis();
    let good = series(&[("__name__", "good")], &[(1.0, at)]);
    for (bad, says) in [
        (series(&[("__name__", "late")], &[(1.0, at), (2.0, at - 1)]), "order of their time"),
        (series(&[("job", "j")], &[(1.0, at)]), "metric's name"),
        (series(&[("__name__", "twice"), ("a", "1"), ("a", "2")], &[(1.0, at)]), "every label once"),
    ] {
        let world = World::new();
        let answer = world.write(&[good.clone(), bad].concat()).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "malformed"), "{says}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(says) && detail.contains("series 1"), "{detail}");
        let kept: Vec<String> = world.series_of("production").await.into_iter().map(|series| series.metric).collect();
        assert_eq!(kept[0], "good");
    }
    let world = World::new();
    let version_2 = ("content-type", "application/x-protobuf;proto=io.prometheus.write.v2.Request");
    let version_1 = ("content-type", "application/x-protobuf;proto=prometheus.WriteRequest");
    for (headers, status) in [
        (vec![version_2, SNAPPY[1]], 415),
        (vec![("content-type", "application/json"), SNAPPY[1]], 415),
        (vec![PROTOBUF, ("content-encoding", "gzip")], 415),
        (vec![version_1, SNAPPY[1]], 204),
        (vec![PROTOBUF], 204),
    ] {
        let answer = world.post_with("/api/v1/write", &headers, snappy(&good)).await;
        assert_eq!(answer.status, status, "{headers:?} {}", answer.text);
        if headers[0] == version_2 {
            assert!(answer.json()["remedy"].as_str().unwrap().contains("protobuf_message"), "{}", answer.text);
        }
    }
}

/// Nothing that one record holds costs another, in either spelling of names.
#[tokio::test]
async fn an_odd_record_of_otlp_costs_itself() {
    let odd = [
        json!({"attributes": [{"key": "n", "value": {"intValue": 9_223_372_036_854_775_808_u64}}]}),
        json!({"attributes": [{"key": "n", "value": {"intValue": 3.0}}]}),
        json!({"attributes": [{"key": "n", "value": {"arrayValue": {"values": [1, null, 3]}}}]}),
        json!({"attributes": {"a": "b"}}),
        json!({"attributes": [null]}),
        json!({"traceId": "neither hexadecimal nor base64!"}),
        json!({"severityNumber": "SEVERITY_NUMBER_ERROR"}),
        json!({"timeUnixNano": ""}),
        json!({"timeUnixNano": 1.795527e18}),
        json!({"timeUnixNano": -5}),
        json!({"body": null, "attributes": [{"key": "http.response.status_code", "value": {"intValue": 502}}]}),
        json!({"body": {"bytesValue": "aGVsbG8="}}),
        json!({"body": {"stringValue": ""}}),
        json!(null),
        json!("a text"),
    ];
    for odd in odd {
        for (resources, scopes, records) in
            [("resourceLogs", "scopeLogs", "logRecords"), ("resource_logs", "scope_logs", "log_records")]
        {
            let good = |text: &str| json!({"body": {"stringValue": text}});
            let body = json!({resources: [{scopes: [{records: [good("one"), odd, good("two")]}]}]});
            let world = World::new();
            let answer = world.post("/v1/logs", &body).await;
            assert_eq!(answer.status, 200, "{odd}: {}", answer.text);
            let texts: Vec<String> = world.lines().await.into_iter().map(|line| line.message).collect();
            let kept = [texts.first().map(String::as_str), texts.last().map(String::as_str)];
            assert_eq!(kept, [Some("one"), Some("two")], "{odd}");
            assert_eq!(texts.len(), if odd.is_object() { 3 } else { 2 }, "{odd}: {texts:?}");
        }
    }
    let world = World::new();
    for nothing in [json!([]), json!({"logs": []}), json!("x")] {
        assert_eq!(world.post("/v1/logs", &nothing).await.code(), "malformed", "{nothing}");
    }
    let broken =
        br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"cut \ud83d"}}]}]}]}"#.to_vec();
    assert_eq!(world.post_with("/v1/logs", &[("content-type", "application/json")], broken).await.status, 200);
    assert_eq!(world.lines().await[0].message, "cut \u{fffd}");
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
