//! Owns the promise of the recorder as a whole: what was answered with 2xx is in the recording, and can be read back.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use hindcast_recorder::format::{RecordedChannel, RecordedRequest, StoredRecording};
use hindcast_recorder::{Error, LogFormat, LogSource, MetricQuery, Options, RecordingSummary, record};
use tokio::sync::oneshot;

fn options(out: &Path, listen: SocketAddr) -> Options {
    Options {
        listen,
        out: out.to_owned(),
        name: "test".to_owned(),
        title: "a test".to_owned(),
        environment: "production".to_owned(),
        software: Vec::new(),
        play: RecordedChannel::Prometheus,
        prometheus: None,
        metrics: Vec::new(),
        step: Duration::from_secs(1),
        logs: Vec::new(),
        catalog: None,
        replace: vec![("db-17".to_owned(), "postgres".to_owned())],
        command: Vec::new(),
        duration: None,
    }
}

/// An address that was free a moment ago.
fn free() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Records while `during` runs.
async fn recorded<F: Future<Output = ()>>(
    options: Options,
    during: impl FnOnce(String) -> F,
) -> Result<RecordingSummary, Error> {
    let url = format!("http://{}", options.listen);
    let (stop, stopped) = oneshot::channel::<()>();
    let recording = tokio::spawn(record(options, async move { stopped.await.unwrap() }));
    for _ in 0..500 {
        if reqwest::get(format!("{url}/status")).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    during(url).await;
    stop.send(()).unwrap();
    recording.await.unwrap()
}

async fn post(url: &str, path: &str, body: &str) -> u16 {
    let request = reqwest::Client::new().post(format!("{url}{path}")).header("content-type", "application/json");
    request.header("authorization", "Bearer abc").body(body.to_owned()).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn what_was_answered_is_in_the_recording_in_order_and_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("r");
    let summary = recorded(options(&out, free()), |url| async move {
        assert_eq!(post(&url, "/api/v2/alerts", r#"[{"labels":{"alertname":"A","host":"db-17"}}]"#).await, 200);
        assert_eq!(post(&url, "/ingest/alertmanager", r#"{"version":"4"}"#).await, 200);
        assert_eq!(post(&url, "/ingest/change?by=ci", r#"{"title":"v2","token":"hunter2"}"#).await, 202);
        assert_eq!(post(&url, "/ingest/elsewhere", "{}").await, 404);
    });
    assert_eq!(summary.await.unwrap().requests.values().sum::<u64>(), 3);

    let recording = StoredRecording::load(&out).unwrap();
    let requests: Vec<RecordedRequest> = recording.requests().unwrap().map(Result::unwrap).collect();
    let seen: Vec<_> = requests.iter().map(|r| (r.channel, r.path.as_str(), r.body.as_str())).collect();
    assert_eq!(
        seen,
        [
            (RecordedChannel::Prometheus, "/api/v2/alerts", r#"[{"labels":{"alertname":"A","host":"postgres"}}]"#),
            (RecordedChannel::Alertmanager, "/ingest/alertmanager", r#"{"version":"4"}"#),
            (RecordedChannel::Change, "/ingest/change?by=ci", r#"{"title":"v2","token":"[redacted]"}"#),
        ]
    );
    assert!(requests.windows(2).all(|pair| pair[0].at <= pair[1].at));
    assert_eq!(requests[0].headers["authorization"], "[redacted]");
    assert!(!requests[0].headers.contains_key("host") && !requests[0].headers.contains_key("content-length"));
    let played: Vec<RecordedChannel> = recording.played(None).unwrap().map(|r| r.unwrap().channel).collect();
    assert_eq!(played, [RecordedChannel::Prometheus, RecordedChannel::Change]);
}

#[tokio::test]
async fn a_connection_that_stays_open_does_not_hold_the_recording_up() {
    let folder = tempfile::tempdir().unwrap();
    let listen = free();
    let mut held = None;
    let summary = recorded(options(&folder.path().join("r"), listen), |_| async {
        held = Some(tokio::net::TcpStream::connect(listen).await.unwrap());
    });
    assert!(tokio::time::timeout(Duration::from_secs(10), summary).await.unwrap().is_ok());
    assert!(held.is_some());
}

#[tokio::test]
async fn the_truth_is_what_was_marked_and_a_contradiction_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("r");
    let fault = r#"{"fault":{"id":"f","kind":"k","service":"db","title":"t","alerts":["A"],"services":["db"]}}"#;
    let summary = recorded(options(&out, free()), |url| async move {
        assert_eq!(post(&url, "/mark", r#"{"healthy":"begin"}"#).await, 200);
        assert_eq!(post(&url, "/mark", r#"{"healthy":"end"}"#).await, 200);
        assert_eq!(post(&url, "/mark", fault).await, 200);
        assert_eq!(post(&url, "/mark", fault).await, 409);
        assert_eq!(post(&url, "/mark", r#"{"fault":{"id":"g"}}"#).await, 422);
        assert_eq!(post(&url, "/mark", r#"{"end":{"id":"f","ended_by":"mended"}}"#).await, 200);
    });
    let summary = summary.await.unwrap();
    assert_eq!((summary.faults, summary.changes), (1, 0));
    let truth = StoredRecording::load(&out).unwrap().truth;
    assert_eq!((truth.faults[0].ended_by.as_deref(), truth.healthy.len()), (Some("mended"), 1));
}

#[tokio::test]
async fn log_lines_are_followed_to_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let (out, path) = (folder.path().join("r"), folder.path().join("db.log"));
    std::fs::write(&path, "2026-11-24 16:00:00.000 UTC [1] LOG:  before\n").unwrap();
    let logs = vec![LogSource { service: "postgres".to_owned(), path: path.clone(), format: LogFormat::Postgres }];
    let summary = recorded(Options { logs, ..options(&out, free()) }, |_| async move {
        let mut all = std::fs::read_to_string(&path).unwrap();
        all.push_str("2026-11-24 16:00:01.000 UTC [1] FATAL:  too many clients, password=x\n\ton db-17");
        std::fs::write(&path, all).unwrap();
    });
    summary.await.unwrap();
    let lines: Vec<_> = StoredRecording::load(&out).unwrap().logs().unwrap().unwrap().map(Result::unwrap).collect();
    let seen: Vec<_> = lines.iter().map(|l| (l.severity.as_str(), l.message.as_str())).collect();
    assert_eq!(seen, [("fatal", "[1] FATAL:  too many clients, password=[redacted]"), ("fatal", "\ton postgres")]);
    assert_eq!(lines[0].time, lines[1].time, "a continued line has the time of the line that it continues");
}

#[tokio::test]
async fn a_log_that_cannot_be_read_ends_the_recording() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("later.log");
    let logs = vec![LogSource { service: "db".to_owned(), path: path.clone(), format: LogFormat::Plain }];
    let recording =
        tokio::spawn(record(Options { logs, ..options(&folder.path().join("r"), free()) }, std::future::pending()));
    tokio::time::sleep(Duration::from_millis(100)).await;
    std::fs::create_dir(&path).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(10), recording).await.unwrap().unwrap();
    assert!(matches!(ended, Err(Error::Read { .. })), "{ended:?}");
}

#[tokio::test]
async fn a_recording_ends_with_its_scenario_and_a_failed_one_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let command = |script: &str| vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()];
    let done =
        Options { command: command("test -n \"$HINDCAST_RECORDER\""), ..options(&folder.path().join("done"), free()) };
    assert!(record(done, std::future::pending()).await.is_ok());
    let failed = Options { command: command("exit 3"), ..options(&folder.path().join("failed"), free()) };
    assert!(matches!(record(failed, std::future::pending()).await, Err(Error::Scenario { .. })));
    assert!(StoredRecording::load(&folder.path().join("failed")).is_ok(), "it is written all the same");
}

#[tokio::test]
async fn metrics_are_exported_by_time_and_a_silent_prometheus_costs_nothing_else() {
    let answer = r#"{"status":"success","data":{"result":[
        {"metric":{"service":"search"},"values":[[2,"0.123456789"],[4,"NaN"]]},
        {"metric":{"service":"checkout"},"values":[[2,"1"],[4,"1e3"]]}]}}"#;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let prometheus = format!("http://{}", listener.local_addr().unwrap());
    let routes = axum::Router::new().route("/api/v1/query_range", axum::routing::get(move || async move { answer }));
    tokio::spawn(axum::serve(listener, routes).into_future());
    let folder = tempfile::tempdir().unwrap();
    let asking = |name: &str, prometheus: String| {
        let metric =
            MetricQuery { metric: "m".into(), query: "q".into(), service_label: "service".into(), service: None };
        Options { metrics: vec![metric], prometheus: Some(prometheus), ..options(&folder.path().join(name), free()) }
    };

    let summary = record(asking("heard", prometheus), std::future::ready(())).await.unwrap();
    let mut csv = String::new();
    StoredRecording::load(&summary.out).unwrap().metrics().unwrap().unwrap().read_to_string(&mut csv).unwrap();
    let rows =
        ["timestamp,service,metric,value", "2.000,checkout,m,1", "2.000,search,m,0.1234568", "4.000,checkout,m,1000"];
    assert_eq!(csv.lines().collect::<Vec<_>>(), rows);

    let silent = record(asking("silent", format!("http://{}", free())), std::future::ready(())).await;
    assert!(matches!(silent, Err(Error::Query { .. })));
    assert!(StoredRecording::load(&folder.path().join("silent")).is_ok());
}

#[tokio::test]
async fn a_folder_that_holds_something_is_never_written_to() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine"), "").unwrap();
    assert!(matches!(record(options(folder.path(), free()), std::future::pending()).await, Err(Error::NotEmpty(_))));
}

#[test]
fn a_recording_of_another_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = r#"{"format":2,"name":"n","title":"t","recorded_at":"2026-11-24T16:00:00Z","duration_s":1,"environment":"p","play":"prometheus","recorder":"r"}"#;
    std::fs::write(folder.path().join("recording.json"), manifest).unwrap();
    std::fs::write(folder.path().join("truth.json"), r#"{"faults":[],"changes":[],"healthy":[]}"#).unwrap();
    std::fs::write(folder.path().join("requests.ndjson.zst"), "").unwrap();
    assert!(matches!(StoredRecording::load(folder.path()), Err(Error::Format { found: 2, .. })));
}
