//! The metrics of a running server, from outside: every metric that the rules, the dashboard and the documents name is
//! exposed, a series exists before its first failure, and promtool accepts all of it.
//!
//! promtool comes with the package `prometheus`; `.ci/run` installs it and sets `HINDCAST_TEST_PROMTOOL=required`, with
//! which its absence is a failure.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Server, folder, free_port};

/// What promtool says of names that are older than its rules and stay as they are.
const OLD_NAMES: [&str; 2] =
    ["hindcast_telemetry_retention_hours use base unit \"seconds\" instead of \"hours\"", "hindcast_memory_info"];
/// Prefixes of our metrics, and of those of every process.
const PREFIXES: [&str; 2] = ["hindcast_", "process_"];
/// Endings of the series of a histogram.
const PARTS: [&str; 3] = ["_bucket", "_sum", "_count"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A server on which everything is configured that has metrics of its own. None of the addresses answers.
async fn server(data: &Path) -> Server {
    let text = r#"
[copilot]
base_url = "http://127.0.0.1:9/v1"
model = "none"

[[receivers]]
name = "oncall"
url = "http://127.0.0.1:9/hook"

[slack]
bot_token_env = "TEST_SLACK_TOKEN"
signing_secret_env = "TEST_SLACK_SECRET"
api_url = "http://127.0.0.1:9/api"

[chat]
channels = [{ vendor = "slack", channel = "C012AB3CD" }]
"#;
    fs::create_dir_all(data).unwrap();
    let file = data.join("observed.toml");
    fs::write(&file, text).unwrap();
    let more = ["--ledger", "embedded", "--config", file.to_str().unwrap()];
    let environment = [("TEST_SLACK_TOKEN", "xoxb-test"), ("TEST_SLACK_SECRET", "secret")];
    let mut server = Server::spawn_with(free_port(), data, &more, &environment);
    server.ready().await;
    server
}

async fn metrics(server: &Server, accept: &str) -> String {
    let asked = server.client.get(server.url("/metrics")).header("accept", accept);
    asked.send().await.unwrap().text().await.unwrap()
}

/// The value of one series.
fn value(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

/// The names that an exposition declares.
fn declared(text: &str) -> BTreeSet<String> {
    let names = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    names.map(ToOwned::to_owned).collect()
}

/// Names of metrics in a text, as they are declared.
fn named(text: &str, declared: &BTreeSet<String>) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut names = BTreeSet::new();
    for (at, _) in PREFIXES.iter().flat_map(|prefix| text.match_indices(prefix)) {
        let begins = text[..at].chars().next_back().is_none_or(|c| !is_part(c) && !matches!(c, '/' | '-' | '.'));
        let rest = &text[at..];
        let name = &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())];
        // A path of Rust, and a name that is cut, are none.
        let is_other = rest[name.len()..].starts_with("::") || name.ends_with('_');
        if begins && !is_other {
            let whole = PARTS.iter().find_map(|part| name.strip_suffix(part)).filter(|whole| declared.contains(*whole));
            names.insert(whole.unwrap_or(name).to_owned());
        }
    }
    names
}

/// The files that name metrics: rules, dashboard, and documents that a reader is sent to.
fn files() -> Vec<PathBuf> {
    let of = |folder: &str, endings: &'static [&'static str]| {
        let files = fs::read_dir(root().join(folder)).unwrap().map(|file| file.unwrap().path());
        files.filter(move |path| path.extension().is_some_and(|ending| endings.iter().any(|known| ending == *known)))
    };
    of("observability", &["yaml", "json"]).chain(of("docs", &["md"])).chain([root().join("README.md")]).collect()
}

/// What is named and not exposed, with where.
fn missing(text: &str) -> Vec<String> {
    let declared = declared(text);
    let of = |path: &PathBuf| -> Vec<String> {
        let content = fs::read_to_string(path).unwrap();
        let names = named(&content, &declared).into_iter().filter(|name| !declared.contains(name));
        names.map(|name| format!("{}: {name}", path.display())).collect()
    };
    files().iter().flat_map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_that_is_named_somewhere_is_exposed() {
    let data = folder();
    let server = server(data.path()).await;
    let began = Instant::now();
    let text = loop {
        let text = metrics(&server, "").await;
        let missing = missing(&text);
        if missing.is_empty() {
            break text;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "named and not exposed: {missing:#?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    // The look sees a name that is none.
    let planted = named("see `hindcast_nothing_total` and hindcast_page_seconds_bucket", &declared(&text));
    assert_eq!(planted, ["hindcast_nothing_total", "hindcast_page_seconds"].map(ToOwned::to_owned).into());
    let helped = text.lines().filter(|line| line.starts_with("# HELP ")).count();
    assert_eq!((helped, declared(&text).len() > 80), (declared(&text).len(), true));
    assert_eq!(value(&text, "hindcast_metrics_left_out_total"), Some(0.0));
    let open = metrics(&server, "application/openmetrics-text;version=1.0.0").await;
    assert!(open.ends_with("# EOF\n"));

    if let Some(checked) = promtool(&["check", "metrics"], &text) {
        let said = String::from_utf8_lossy(&checked.stderr).into_owned() + &String::from_utf8_lossy(&checked.stdout);
        let wrong: Vec<&str> = said
            .lines()
            .filter(|line| !line.is_empty() && !OLD_NAMES.iter().any(|old| line.starts_with(old)))
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_failure_of_a_kind_is_an_increase_from_zero() {
    let data = folder();
    let server = server(data.path()).await;
    let refused = "hindcast_intake_refused_total{code=\"malformed\"}";
    let answered = "hindcast_requests_total{door=\"/ingest/{source}\",code=\"400\"}";
    let parked = "hindcast_alerts_parked_total{source=\"prometheus\"}";
    let failed = "hindcast_notices_failed_total{receiver=\"oncall\"}";
    let series = [refused, answered, parked, failed];
    let before = metrics(&server, "").await;
    assert_eq!(series.map(|series| value(&before, series)), [Some(0.0); 4]);

    let client = &server.client;
    let broken = client.post(server.url("/ingest/prometheus")).header("content-type", "application/json").body("{");
    assert_eq!(broken.send().await.unwrap().status(), 400);
    let labels = json!({"alertname": "Down", "severity": "critical", "service": "api"});
    let mixed = json!([{"labels": labels}, {"labels": {}}]);
    assert_eq!(server.post("/api/v2/alerts", &mixed).await.0, 200);
    // Nobody listens at the receiver.
    let began = Instant::now();
    let after = loop {
        let after = metrics(&server, "").await;
        if value(&after, failed).is_some_and(|failed| failed > 0.0) {
            break after;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "no delivery failed\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!([refused, answered, parked].map(|series| value(&after, series)), [Some(1.0); 3]);
    for series in [
        "hindcast_intake_seconds_count{kind=\"alerts\"}",
        "hindcast_decision_seconds_count{service=\"incidents\"}",
        "hindcast_ledger_append_seconds_count{writer=\"intake\"}",
        "hindcast_ledger_sync_seconds_count",
        "hindcast_ledger_appended_events_total{writer=\"lane\"}",
    ] {
        assert!(value(&after, series).is_some_and(|count| count > 0.0), "{series}: {:?}", value(&after, series));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_a_stranger_makes_up_make_no_series() {
    let data = folder();
    let server = server(data.path()).await;
    let lines = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
    let began = Instant::now();
    let before = loop {
        let text = metrics(&server, "").await;
        // The last gauges that appear by themselves.
        if text.contains("hindcast_learning_labels") && text.contains("hindcast_chat_queued") {
            break lines(&text);
        }
        assert!(began.elapsed() < Duration::from_secs(30), "what was learnt is not shown");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    for n in 0..150 {
        let name = format!("%22%7D%201%0A{n}-{}", "x".repeat(n));
        let alert =
            json!({"labels": {"alertname": format!("A{n}"), "source": name, "severity": name, "service": name}});
        let (status, _) = server.post(&format!("/ingest/{name}"), &json!([alert])).await;
        assert_eq!(status, 404);
        assert_eq!(server.post("/api/v2/alerts", &json!([alert])).await.0, 200);
        assert_eq!(server.try_get(&format!("/api/v1/incidents/{name}?{name}=1")).await.0, 400);
        assert_eq!(server.try_get(&format!("/nowhere/{name}")).await.0, 404);
    }
    let text = metrics(&server, "").await;
    // A few gauges of states that came about meanwhile, and nothing that follows from a name.
    assert!(lines(&text) <= before + 20, "{} series became {}", before, lines(&text));
    assert!(!text.contains("xxxxxxxx") && text.lines().all(|line| line.starts_with(['#', 'h', 'p'])));
}

#[test]
fn promtool_accepts_the_rules_and_their_tests() {
    let path = |name: &str| root().join("observability").join(name).to_str().unwrap().to_owned();
    for arguments in [["check", "rules", &path("alerts.yaml")], ["test", "rules", &path("alerts_test.yaml")]] {
        let Some(output) = promtool(&arguments, "") else { continue };
        let said = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
        assert!(output.status.success(), "promtool {arguments:?}: {}", String::from_utf8_lossy(&said));
    }
    // Expressions of the dashboard, as rules.
    let dashboard: Value = serde_json::from_str(&fs::read_to_string(path("dashboard.json")).unwrap()).unwrap();
    let targets = dashboard["panels"].as_array().unwrap().iter().filter_map(|panel| panel["targets"].as_array());
    let expressions: Vec<&str> = targets.flatten().map(|target| target["expr"].as_str().unwrap()).collect();
    assert!(expressions.len() > 40, "{}", expressions.len());
    let rule = |(n, expression): (usize, &&str)| {
        let expression = expression.replace("$__rate_interval", "5m").replace("$instance", ".+");
        json!({"record": format!("panel:{n}"), "expr": expression})
    };
    let rules: Vec<Value> = expressions.iter().enumerate().map(rule).collect();
    let file = folder();
    let file = file.path().join("dashboard.yaml");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, json!({"groups": [{"name": "dashboard", "rules": rules}]}).to_string()).unwrap();
    if let Some(output) = promtool(&["check", "rules", file.to_str().unwrap()], "") {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn each_rule_has_a_test_that_fires_it_and_one_that_does_not() {
    let read = |name: &str| fs::read_to_string(root().join("observability").join(name)).unwrap();
    let (rules, tests) = (read("alerts.yaml"), read("alerts_test.yaml"));
    let alerts: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 20, "{}", alerts.len());
    let lines: Vec<&str> = tests.lines().map(str::trim).collect();
    for alert in alerts {
        let name = format!("alertname: {alert}");
        let after = lines.iter().zip(lines.iter().skip(1)).filter(|(line, _)| **line == name).map(|(_, next)| *next);
        let expectations: BTreeSet<&str> = after.collect();
        assert_eq!(expectations, ["exp_alerts:", "exp_alerts: []"].into(), "{alert}");
    }
    let install = fs::read_to_string(root().join("docs/install.md")).unwrap();
    let unknown = install.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| {
        word.starts_with("Hindcast") && word.len() > "Hindcast".len() && !rules.contains(&format!("alert: {word}\n"))
    });
    assert_eq!(unknown.collect::<Vec<_>>(), Vec::<&str>::new(), "docs/install.md names rules that do not exist");
}

/// Runs promtool with something on its standard input; `None` where it is not there and nobody requires it.
fn promtool(arguments: &[&str], input: &str) -> Option<Output> {
    let mut command = Command::new("promtool");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            let required = std::env::var("HINDCAST_TEST_PROMTOOL").is_ok_and(|set| set == "required");
            assert!(!required, "promtool is required and cannot be run: {error}");
            println!("promtool is not installed, so its checks are left out here; .ci/run installs it");
            return None;
        }
    };
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().ok();
    Some(output)
}
