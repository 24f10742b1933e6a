//! Secrets stop at the door: a dozen kinds of them are sent in every text that a sender or a person can write, and
//! then looked for in every byte that is kept and everything that is shown. What looks for them finds a harmless
//! word that was sent in the same places, so it would find a secret too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

use crate::support;
use std::io::Read;
use std::path::Path;

use serde_json::{Value, json};
use support::world::{World, Wrong, quiet, settings};
use support::{Ledger, Server, folder};

/// (what it is, how it stands in a text, the part that nobody may ever see again)
fn planted() -> Vec<(&'static str, String, String)> {
    let of = |kind: &'static str, text: &str, secret: &str| (kind, text.replace("{}", secret), secret.to_owned());
    // Put together here, so that no scanner takes this file for a leak.
    let aws = ["AKIA", "QX7ZT4MPLW2RVB6N"].concat();
    let slack = ["xoxb", "-731904428815-GhTqzWbnLpRkVmYd"].concat();
    let jwt = ["eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiJxdWlsbCJ9.", "Zk3vQp8Ls1xYt6Nw0aRb4Ec7"].concat();
    let key = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj";
    let block = format!("-----BEGIN {0} KEY-----\n{key}\nq8vD\n-----END {0} KEY-----", "PRIVATE");
    vec![
        of("an AWS key", "denied for {}", &aws),
        of("a bearer token", "sent Authorization: Bearer {}", "t0k9Qz7vLm3xWp5rBn8s"),
        of("a password", "login with password={} failed", "Hx7-quorn-Vp2"),
        of("a quoted password", "config {\"db_password\": \"{}\"}", "zanzi9Bar4Kelp"),
        of("a database address", "dial postgres://pay:{}@ledger-db:5432/ledger failed", "m4rzipan-Oslo7"),
        ("a private key", format!("loaded {block}"), key.to_owned()),
        of("a JWT", "session {}", &jwt),
        of("a Slack token", "posting with {}", &slack),
        of("a card number", "charge of card {} declined", "4539578763621486"),
        of("a cookie", "request with Cookie: session={}; theme=dark", "c00k1e9fGh3Lw7Zq"),
        of("a set cookie", "answered Set-Cookie: sid={}; HttpOnly", "s1dV8nPq2Xb6Tr4"),
        of("basic authentication", "sent Authorization: Basic {}", "cXVpbGw6cHVtcGtpbi05Mzc="),
        of("an API key in JSON", "body {\"api_key\": \"{}\", \"n\": 1}", "k9-Ju4mP2xTq8Wv"),
        of("a token in an address", "GET /hook?token={}&n=1 failed", "hk72LpQwNs91Xc"),
    ]
}

/// Where texts are planted; the harmless word of each place is found again.
const PLACES: [&str; 10] =
    ["label", "annotation", "logs", "otlp", "metriclabel", "change", "question", "note", "resolution", "declared"];

/// A harmless word of a place.
fn marker(place: &str) -> String {
    format!("harmless-{place}-walnut")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_kept_or_shown_on_the_embedded_ledger() {
    on(Ledger::Embedded, 31).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_kept_or_shown_on_nats() {
    on(Ledger::Nats, 32).await;
}

async fn on(ledger: Ledger, seed: u64) {
    let data = folder();
    let config = settings(data.path(), "");
    let mut server = Server::start(data.path(), ledger, &["--config", &config]).await;
    let mut wrong = Wrong::default();
    let mut world = World::begun(seed, &server).await;

    let mut texts: Vec<(String, String)> =
        planted().into_iter().map(|(kind, text, _)| (kind.to_owned(), text)).collect();
    texts.push(("a harmless word".to_owned(), "{marker}".to_owned()));
    let texts: Vec<String> = texts.into_iter().map(|(_, text)| text).collect();
    let incident = plant(&server, &mut world, &texts).await;

    let shown = shown(&server, &incident).await;
    let needles: Vec<(&str, String)> = planted().into_iter().map(|(kind, _, secret)| (kind, secret)).collect();
    seen(&shown, &needles, &mut wrong);
    assert!(server.stop().success(), "{}", server.log());
    support::stop_nats(data.path());
    let kept = kept(data.path());
    seen(&kept, &needles, &mut wrong);

    // The same search finds what is harmless, in what is kept of every place and in what is shown of most.
    for place in PLACES {
        let found: Vec<&str> = find(&kept, &marker(place));
        wrong.unless(!found.is_empty(), || format!("the harmless word of {place} is not found in the folder"));
    }
    for place in ["label", "annotation", "change", "note", "question", "resolution", "declared"] {
        let found: Vec<&str> = find(&shown, &marker(place));
        wrong.unless(!found.is_empty(), || format!("the harmless word of {place} is shown nowhere"));
    }
    wrong.none(&format!("secrets on {ledger:?}"));
}

/// Plants in telemetry of every kind: lines, OTLP's logs, and labels of metrics.
async fn plant_telemetry(server: &Server, time: &str, nanos: &str, at: &dyn Fn(&str) -> Vec<String>) {
    let mut lines = String::new();
    for _ in 0..3 {
        for text in at("logs") {
            let line = json!({"time": time, "service": "payments", "severity": "error", "message": format!("it broke: {text}"),
                "labels": {"detail": text}});
            lines.push_str(&format!("{line}\n"));
        }
    }
    let (status, body) = server.post_raw("/ingest/logs", "application/x-ndjson", lines).await;
    assert!((200..300).contains(&status), "{status} {body}");

    let attribute = |text: &str| json!({"key": "detail", "value": {"stringValue": text}});
    let records: Vec<Value> = at("otlp")
        .iter()
        .map(|text| {
            json!({"timeUnixNano": nanos, "severityText": "ERROR", "severityNumber": 17,
            "body": {"stringValue": format!("it failed: {text}")}, "attributes": [attribute(text)]})
        })
        .collect();
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": "payments"}}]});
    let logs = json!({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": records}]}]});
    let (status, body) = server.post("/v1/logs", &logs).await;
    assert!((200..300).contains(&status), "{status} {body}");

    let points: Vec<Value> = at("metriclabel")
        .iter()
        .map(|text| json!({"timeUnixNano": nanos, "asDouble": 1.5, "attributes": [attribute(text)]}))
        .collect();
    let metrics = json!([{"name": "planted_total", "gauge": {"dataPoints": points}}]);
    let metrics = json!({"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": metrics}]}]});
    let (status, body) = server.post("/v1/metrics", &metrics).await;
    assert!((200..300).contains(&status), "{status} {body}");
}

/// Plants in what people write: notes, questions, parameters, an incident that somebody declares, a resolution.
async fn plant_words(server: &Server, incident: &str, at: &dyn Fn(&str) -> Vec<String>) {
    for text in at("note") {
        let (status, body) = server.post(&format!("/api/v1/incidents/{incident}/note"), &json!({"text": text})).await;
        assert_eq!(status, 200, "{body}");
    }
    for text in at("question") {
        let body = json!({"question": format!("why {text}?"), "incident": incident, "conversation": text});
        let (status, body) = server.post("/api/v1/ask", &body).await;
        assert!(status == 200 || status == 422, "{status} {body}");
        let body = json!({"runbook": text, "params": {"service": text}});
        server.post(&format!("/api/v1/incidents/{incident}/proposals"), &body).await;
    }
    let declared =
        json!({"title": at("declared").join(" "), "severity": "low", "description": at("declared").join(" ")});
    let (status, body) = server.post("/api/v1/incidents", &declared).await;
    assert_eq!(status, 201, "{body}");
    let words = json!({"cause": at("resolution").join(" "), "resolution": at("resolution").join(" ")});
    let (status, body) = server.post(&format!("/api/v1/incidents/{incident}/resolve"), &words).await;
    assert_eq!(status, 200, "{body}");
}

/// Sends every text in every place; the incident that came of it.
async fn plant(server: &Server, world: &mut World, texts: &[String]) -> String {
    let at =
        |place: &str| -> Vec<String> { texts.iter().map(|text| text.replace("{marker}", &marker(place))).collect() };
    world.live(server, 60).await;
    let time = world.time();
    let nanos = world.at.to_string();
    let label = |index: usize, text: &str| (format!("detail_{index}"), json!(text));
    let labels: serde_json::Map<String, Value> = at("label").iter().enumerate().map(|(i, t)| label(i, t)).collect();
    let annotations: serde_json::Map<String, Value> =
        at("annotation").iter().enumerate().map(|(i, t)| label(i, t)).collect();

    plant_telemetry(server, &time, &nanos, &at).await;
    for text in at("change") {
        let change = json!({"title": format!("deploy {text}"), "service": "payments", "at": time, "author": text});
        let (status, body) = server.post("/ingest/change", &change).await;
        assert_eq!(status, 202, "{body}");
    }

    let mut alert = support::alert("PaymentsErrorRate", "payments", "critical");
    alert["startsAt"] = json!(time);
    alert["labels"].as_object_mut().unwrap().extend(labels);
    alert["annotations"].as_object_mut().unwrap().extend(annotations);
    let (status, body) = server.post("/api/v2/alerts", &json!([alert])).await;
    assert_eq!(status, 200, "{body}");
    // Bad deliveries are parked, with what came.
    let bad = json!([{"labels": {}, "annotations": {"summary": at("annotation").join(" ")}}, alert]);
    server.post("/ingest/prometheus", &bad).await;
    world.live(server, 180).await;
    quiet(server).await;
    let open = server.all("/api/v1/incidents?status=open").await;
    let incident = open[0]["id"].as_str().unwrap().to_owned();

    plant_words(server, &incident, &at).await;
    world.live(server, 60).await;
    quiet(server).await;
    incident
}

/// Everything that is shown: (where, bytes).
async fn shown(server: &Server, incident: &str) -> Vec<(String, String)> {
    let mut paths: Vec<String> =
        ["incidents", "alerts", "findings", "silences", "notices", "events", "parked", "memory?q=payments"]
            .iter()
            .map(|name| format!("/api/v1/{name}{}limit=50", if name.contains('?') { '&' } else { '?' }))
            .collect();
    for part in ["", "/timeline", "/alerts", "/why", "/changes", "/causes", "/similar", "/proposals", "/postmortem"] {
        paths.push(format!("/api/v1/incidents/{incident}{part}"));
    }
    for page in [
        "/api/v1/runbooks",
        "/api/v1/state",
        "/api/v1/catalog",
        "/",
        "/ask",
        "/metrics",
        &format!("/{incident}"),
        &format!("/{incident}/postmortem"),
    ] {
        paths.push(page.to_owned());
    }
    for alert in server.all("/api/v1/alerts").await {
        paths.push(alert["receipt"].as_str().unwrap().to_owned());
    }
    let mut all = Vec::new();
    for path in paths {
        let answer = server.client.get(server.url(&path)).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        // What is refused is shown too.
        assert!(status.is_success() || status.is_server_error(), "{path}: {status} {text}");
        all.push((path, text));
    }
    for command in [&["events"][..], &["incidents", "--json"], &["findings", "--json"], &["show", incident, "--json"]] {
        let (status, out, err) = server.cli(command);
        assert_eq!(status, 0, "{command:?}: {err}");
        all.push((format!("hindcast {}", command.join(" ")), out));
    }
    for (tool, arguments) in [
        ("search_events", json!({"limit": 100})),
        ("search_logs", json!({"incident": incident, "limit": 100})),
        ("get_timeline", json!({"incident": incident})),
        ("get_alerts", json!({})),
        ("ask", json!({"question": "what is going on?", "incident": incident})),
    ] {
        let params = json!({"name": tool, "arguments": arguments});
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        let (status, body) = server.post("/mcp", &call).await;
        assert_eq!(status, 200, "{tool}: {body}");
        all.push((format!("MCP {tool}"), body.to_string()));
    }
    all
}

/// Every byte under a folder, as it lies and with what is compressed unpacked: (where, bytes).
fn kept(folder: &Path) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.append(&mut kept(&path));
        } else if let Ok(bytes) = std::fs::read(&path) {
            for (at, unpacked) in frames(&bytes) {
                all.push((format!("{} unpacked at {at}", path.display()), lossy(&unpacked)));
            }
            all.push((path.display().to_string(), lossy(&bytes)));
        }
    }
    all
}

/// What can be unpacked of bytes, wherever a frame begins.
fn frames(bytes: &[u8]) -> Vec<(usize, Vec<u8>)> {
    const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
    let starts = bytes.windows(4).enumerate().filter(|(_, window)| *window == MAGIC);
    let unpack = |at: usize| {
        let mut unpacked = Vec::new();
        let decoder = zstd::stream::Decoder::new(&bytes[at..]).ok()?.single_frame();
        // What came before an error counts too.
        decoder.take(256 << 20).read_to_end(&mut unpacked).ok();
        (!unpacked.is_empty()).then_some((at, unpacked))
    };
    starts.filter_map(|(at, _)| unpack(at)).collect()
}

/// Bytes as a text that can be searched: what is planted is ASCII and stays.
fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn find<'a>(places: &'a [(String, String)], needle: &str) -> Vec<&'a str> {
    places.iter().filter(|(_, text)| text.contains(needle)).map(|(name, _)| name.as_str()).collect()
}

fn seen(places: &[(String, String)], needles: &[(&str, String)], wrong: &mut Wrong) {
    for (kind, secret) in needles {
        let found = find(places, secret);
        let first: Vec<&&str> = found.iter().take(4).collect();
        wrong.unless(found.is_empty(), || format!("{kind} ({secret}) stands in {} places: {first:?}", found.len()));
    }
}

#[test]
fn what_is_compressed_is_looked_into() {
    let mut bytes = b"before".to_vec();
    bytes.extend(zstd::encode_all(&b"a walnut inside"[..], 3).unwrap());
    let places: Vec<(String, String)> =
        frames(&bytes).into_iter().map(|(at, unpacked)| (at.to_string(), lossy(&unpacked))).collect();
    assert_eq!(find(&places, "walnut"), ["6"]);
    let mut wrong = Wrong::default();
    seen(&places, &[("a nut", "walnut".to_owned())], &mut wrong);
    assert!(std::panic::catch_unwind(|| wrong.none("a nut")).is_err(), "the search cannot turn red");
}
