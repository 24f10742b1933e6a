//! What the doors for telemetry hold against: bodies that break off, garbage, too much, secrets, a store that
//! fails, and many at once.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use hindcast_domain::Partition;
use hindcast_gateway::Guard;
use hindcast_intake::FailPoint;
use hindcast_telemetry::{
    ArrivalCursor, Arrived, Error, KeptWindow, LogFilter, LogRecord, MemoryTelemetry, MetricSeries, SampleFilter,
    SpanFilter, StoreFigures, Telemetry, TelemetryBatch, TelemetryWindow, TraceSpan,
};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::protobuf::{attribute, double, gzip, logs, message, metrics, record, series, snappy, text};
use crate::support::{World, now};
use crate::telemetry::{NDJSON, PROTOBUF, SNAPPY, nanos};

type Post = (&'static str, Vec<(&'static str, &'static str)>, Vec<u8>);

/// One good request for every door and encoding.
fn posts() -> Vec<Post> {
    let gauge = message(1, &[double(4, 1.0)]);
    let one = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "m"}}]}]}]}).to_string();
    vec![
        ("/ingest/logs", vec![NDJSON], br#"{"message":"m"}"#.to_vec()),
        ("/v1/logs", vec![PROTOBUF], logs("s", &[record(nanos(), 9, "m")])),
        ("/v1/logs", vec![("content-type", "application/json")], one.into_bytes()),
        ("/v1/metrics", vec![PROTOBUF], metrics("s", &[("m", 5, gauge)])),
        ("/api/v1/write", SNAPPY.to_vec(), snappy(&series(&[("__name__", "m")], &[(1.0, now().millis())]))),
    ]
}

#[tokio::test]
async fn a_body_that_breaks_off_is_malformed_wherever_it_does() {
    let world = World::new();
    for (path, headers, body) in posts() {
        for end in 1..body.len() {
            let answer = world.post_with(path, &headers, body[..end].to_vec()).await;
            let expected = if path == "/ingest/logs" { 422 } else { 400 };
            assert_eq!(answer.status, expected, "{path} cut at {end} of {}", body.len());
            answer.code();
        }
    }
    assert_eq!(world.store.head(), ArrivalCursor(0));
}

#[tokio::test]
async fn garbage_is_refused_and_never_a_defect_of_ours() {
    let world = World::new();
    let mut state = 7_u64;
    for (path, headers, body) in posts() {
        for round in 0..400 {
            let mut bytes = if round % 2 == 0 { body.clone() } else { vec![0; 64] };
            for _ in 0..1 + round % 5 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (state >> 40) as usize % bytes.len();
                bytes[at] = (state >> 33) as u8;
            }
            let status = world.post_with(path, &headers, bytes).await.status;
            assert!([200, 202, 204, 400, 413, 422].contains(&status), "{path} {status}");
        }
    }
    let framed = b"\xff\x06\x00\x00sNaPpY".to_vec();
    for body in [framed, vec![0xff; 32], b"{}".to_vec()] {
        let answer = world.post_with("/api/v1/write", &SNAPPY, body).await;
        assert_eq!(answer.code(), "malformed");
        assert!(answer.json()["remedy"].as_str().unwrap().contains("block format"), "{}", answer.text);
    }
}

#[tokio::test]
async fn what_is_too_much_is_refused_before_it_is_unpacked() {
    let world = World::new();
    let huge = vec![b' '; 16 * 1024 * 1024 + 1];
    for (path, headers, _) in posts() {
        assert_eq!(world.post_with(path, &headers, huge.clone()).await.code(), "too_large", "{path}");
        if path != "/api/v1/write" {
            let headers = [headers, vec![("content-encoding", "gzip")]].concat();
            assert_eq!(world.post_with(path, &headers, gzip(&huge)).await.code(), "too_large", "{path} packed");
        }
    }
    // Five bytes that say that they become a gigabyte.
    let bomb = vec![0x80, 0x80, 0x80, 0x80, 0x04, 0x00];
    assert_eq!(world.post_with("/api/v1/write", &SNAPPY, bomb).await.code(), "too_large");
    assert_eq!(world.post_with("/api/v1/write", &SNAPPY, snappy(&huge)).await.code(), "too_large");
    // Empty messages: two bytes each on the wire, hundreds in memory.
    let empty = message(1, &[message(2, &[[18_u8, 0].repeat(1_100_000)])]);
    assert_eq!(world.post_with("/v1/logs", &[PROTOBUF], empty).await.code(), "too_large");
    assert_eq!(world.write(&[10_u8, 0].repeat(1_100_000)).await.code(), "too_large");
    let objects = format!("{{\"resourceLogs\":[{}{{}}]}}", "{},".repeat(600_000));
    let answer = world.post_with("/v1/logs", &[("content-type", "application/json")], objects).await;
    assert_eq!(answer.code(), "too_large");
    // One large label that would stand in every record.
    let large = attribute(1, "large", &"x".repeat(4_096));
    let records: Vec<Vec<u8>> = (0..20_000).map(|_| text(2, record(nanos(), 9, "m"))).collect();
    let body = message(1, &[message(1, &[large]), message(2, &records)]);
    assert!(body.len() < 1024 * 1024);
    assert_eq!(world.post_with("/v1/logs", &[PROTOBUF], body).await.code(), "too_large");
    assert_eq!(world.ndjson(&"{}\n".repeat(200_001)).await.code(), "too_large");
    let deep = format!("{{\"resourceLogs\":{}{}}}", "[".repeat(80), "]".repeat(80));
    let answer = world.post_with("/v1/logs", &[("content-type", "application/json")], deep).await;
    assert_eq!(answer.code(), "over_limit");
    assert_eq!(world.store.head(), ArrivalCursor(0));
}

#[tokio::test]
async fn secrets_are_taken_out_before_anything_is_kept_or_answered() {
    let (key, password, token) = ("AKIAIOSFODNN7EXAMPLE", "hunter2hunter2", "ghp_0123456789abcdefABCDEF0123456789abcd");
    let line = format!("login with password={password} and {key}");
    let hidden =
        |field| [attribute(field, "api_token", token), attribute(field, "note", key), attribute(field, key, "v")];
    let world = World::new();
    let lines = [
        json!({"message": line, "api_token": token, "note": {"inner": key}, "service": key, "environment": token}),
        json!({"message": "m", "time": format!("no time but {key}")}),
    ];
    let answer = world.ndjson(&format!("{}\n{}", lines[0], lines[1])).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let mut said = answer.text;
    let body = message(
        1,
        &[
            message(1, &[attribute(1, "service.name", key), hidden(1).concat()]),
            message(2, &[text(2, [record(nanos(), 9, &line), hidden(6).concat()].concat())]),
        ],
    );
    let answer = world.post_with("/v1/logs", &[PROTOBUF], body).await;
    assert_eq!(answer.status, 200);
    said.push_str(&answer.text);
    let point = message(1, &[hidden(7).concat(), double(4, 1.0)]);
    assert_eq!(world.post_with("/v1/metrics", &[PROTOBUF], metrics(key, &[(key, 5, point)])).await.status, 200);
    let body = [
        series(&[("__name__", token), ("api_token", password), ("job", key), ("note", key)], &[(1.0, now().millis())]),
        series(&[("__name__", "m"), ("a", key), ("a", "x")], &[(1.0, now().millis())]),
    ];
    let answer = world.write(&body.concat()).await;
    assert_eq!(answer.status, 400);
    said.push_str(&answer.text);
    let arrived = world.store.arrived(ArrivalCursor(0)).await.unwrap();
    assert_eq!(arrived.iter().map(|arrived| arrived.batch.len()).sum::<usize>(), 5);
    let stored: String = arrived
        .iter()
        .map(|arrived| format!("{} {}", arrived.partition, serde_json::to_string(&arrived.batch).unwrap()))
        .collect();
    for secret in [key, password, token] {
        assert!(!stored.contains(secret) && !stored.contains(&secret.to_lowercase()), "{stored}");
        assert!(!said.contains(secret), "{said}");
        assert!(!world.metrics.render(hindcast_metrics::Exposition::Text).contains(secret));
    }
    assert!(stored.contains("login with password=[redacted:secret] and [redacted:aws_key]"), "{stored}");
    assert!(world.metrics.get("hindcast_redacted_total", &[("kind", "aws_key")]) >= 8.0);
}

#[tokio::test]
async fn without_a_store_the_doors_say_where_to_go() {
    let world = World::on("", Guard::open(), FailPoint::None, None);
    for (path, headers, body) in posts() {
        let answer = world.post_with(path, &headers, body).await;
        assert_eq!((answer.status, answer.code().as_str()), (503, "unavailable"), "{path}");
        assert!(answer.json()["remedy"].as_str().unwrap().contains("hindcast up"));
        assert_eq!(answer.headers["retry-after"], "1");
    }
}

/// A store that appends only while its gate is open, or answers without appending.
struct Gated {
    gate: Semaphore,
    kept: MemoryTelemetry,
    broken: bool,
}

#[async_trait]
impl Telemetry for Gated {
    async fn append(&self, partition: &Partition, batch: TelemetryBatch) -> Result<(), Error> {
        if self.broken {
            return Ok(());
        }
        let pass = self.gate.acquire().await.map_err(|_| Error::Refused("the disk is full".to_owned()))?;
        pass.forget();
        self.kept.append(partition, batch).await
    }
    async fn logs(&self, _: &Partition, _: TelemetryWindow, _: LogFilter) -> Result<Vec<LogRecord>, Error> {
        Ok(Vec::new())
    }
    async fn series(&self, _: &Partition, _: TelemetryWindow, _: SampleFilter) -> Result<Vec<MetricSeries>, Error> {
        Ok(Vec::new())
    }
    async fn spans(&self, _: &Partition, _: TelemetryWindow, _: SpanFilter) -> Result<Vec<TraceSpan>, Error> {
        Ok(Vec::new())
    }
    async fn arrived(&self, _: ArrivalCursor) -> Result<Vec<Arrived>, Error> {
        Ok(Vec::new())
    }
    fn head(&self) -> ArrivalCursor {
        self.kept.head()
    }
    async fn pin(&self, _: &Partition, _: TelemetryWindow, _: u64) -> Result<KeptWindow, Error> {
        Ok(KeptWindow::default())
    }
    async fn pinned(&self, _: &str) -> Result<Option<Bytes>, Error> {
        Ok(None)
    }
    fn figures(&self) -> StoreFigures {
        self.kept.figures()
    }
}

/// Posts everything to a store that is shut; how many were answered while it was, and how many records it had.
async fn answered_while_shut(broken: bool) -> (usize, u64) {
    let store = Arc::new(Gated { gate: Semaphore::new(0), kept: MemoryTelemetry::default(), broken });
    let telemetry = Some(Arc::clone(&store) as hindcast_telemetry::Shared);
    let world = Arc::new(World::on("", Guard::open(), FailPoint::None, telemetry));
    let mut posted = Vec::new();
    for (path, headers, body) in posts() {
        let world = Arc::clone(&world);
        posted.push(tokio::spawn(async move { world.post_with(path, &headers, body).await.status }));
    }
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    let (answered, kept) = (posted.iter().filter(|post| post.is_finished()).count(), store.figures().records);
    store.gate.add_permits(posted.len());
    for post in posted {
        assert!((200..300).contains(&post.await.unwrap()));
    }
    (answered, kept)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_answered_before_the_store_has_it() {
    assert_eq!(answered_while_shut(false).await, (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_does_not_wait_is_seen() {
    // The guarantee of the test before, broken on purpose: it must turn red.
    assert_eq!(answered_while_shut(true).await, (posts().len(), 0));
}

#[tokio::test]
async fn a_store_that_fails_is_never_answered_2xx() {
    let store = Arc::new(Gated { gate: Semaphore::new(0), kept: MemoryTelemetry::default(), broken: false });
    store.gate.close();
    let world = World::on("", Guard::open(), FailPoint::None, Some(store));
    for (path, headers, body) in posts() {
        let answer = world.post_with(path, &headers, body).await;
        assert_eq!((answer.status, answer.code().as_str()), (503, "unavailable"), "{path}");
        assert!(!answer.text.contains("disk is full"), "no inner cause is shown");
    }
    assert_eq!(world.metrics.get("hindcast_telemetry_records_total", &[("kind", "log")]), 0.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_at_once_are_all_taken() {
    let world = Arc::new(World::new());
    let mut posted = Vec::new();
    for n in 0..64_u64 {
        let world = Arc::clone(&world);
        posted.push(tokio::spawn(async move {
            let at = now().millis() + i64::try_from(n).unwrap();
            let lines: String = (0..50).map(|k| format!("{{\"message\":\"{n}/{k}\",\"pod\":\"p-{k}\"}}\n")).collect();
            let records: Vec<Vec<u8>> = (0..50).map(|k| record(nanos(), 9, &format!("{n}/{k}"))).collect();
            let metric = metrics("s", &[("m", 5, message(1, &[double(4, 1.0)]))]);
            let written = series(&[("__name__", "w"), ("n", &n.to_string())], &[(1.0, at)]);
            [
                world.ndjson(&lines).await.status,
                world.post_with("/v1/logs", &[PROTOBUF], logs("s", &records)).await.status,
                world.post_with("/v1/metrics", &[PROTOBUF], metric).await.status,
                world.write(&written).await.status,
            ]
        }));
    }
    for post in posted {
        assert_eq!(post.await.unwrap(), [202, 200, 200, 204]);
    }
    assert_eq!(world.lines().await.len(), 2 * 64 * 50);
    assert_eq!(world.store.figures().records, 2 * 64 * 50 + 2 * 64);
    assert_eq!(world.metrics.get("hindcast_telemetry_records_total", &[("kind", "sample")]), 128.0);
    assert!(world.events().await.is_empty());
}
