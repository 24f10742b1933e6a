//! The doors from the socket to the ledger: what is answered, and what is written for it.

use std::io::Write as _;

use crate::support::World;
use hindcast_domain::alert::Signal;
use hindcast_domain::{Event, SecretHash};
use hindcast_gateway::Guard;
use hindcast_intake::FailPoint;
use hindcast_ledger::memory::AppendFault;
use serde_json::{Value, json};
use sha2::Sha256;

fn alert(labels: Value) -> Value {
    json!({"labels": labels, "annotations": {"summary": "s"}, "startsAt": "2026-11-24T13:29:00Z",
           "generatorURL": "http://p:9090/graph"})
}

fn group(alerts: Value) -> Value {
    json!({"receiver": "hindcast", "status": "firing", "alerts": alerts, "groupLabels": {}, "commonLabels": {},
           "commonAnnotations": {}, "externalURL": "http://am:9093", "version": "4", "groupKey": "{}:{}",
           "truncatedAlerts": 0})
}

#[tokio::test]
async fn prometheus_is_answered_an_empty_200_once_its_alerts_are_durable() {
    let world = World::new();
    let answer = world.post("/api/v2/alerts", &json!([alert(json!({"alertname": "A"}))])).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert_eq!(world.types().await, ["intake.delivery", "intake.alert"]);
    let events = world.events().await;
    let Event::Observed(observed) = &events[1].event else { panic!("an alert") };
    assert_eq!(events[1].subject, observed.fingerprint.to_string());
    assert_eq!((events[0].subject.as_str(), events[0].partition.environment.as_str()), ("prometheus", "production"));
    let old = world.post("/api/v1/alerts", &json!([alert(json!({"alertname": "A"}))])).await;
    assert_eq!((old.status, old.json()), (200, json!({"status": "success"})));
}

#[tokio::test]
async fn a_ledger_that_takes_nothing_is_never_answered_2xx() {
    for (path, body) in [
        ("/api/v2/alerts", json!([alert(json!({"a": "b"}))])),
        ("/ingest/alertmanager", group(json!([{"status": "firing", "labels": {"a": "b"}}]))),
        ("/ingest/change", json!({"title": "t"})),
    ] {
        let world = World::new();
        world.ledger.inject(AppendFault::Refuse);
        let answer = world.post(path, &body).await;
        assert_eq!((answer.status, answer.code().as_str()), (503, "unavailable"), "{path}");
        assert_eq!(answer.headers["retry-after"], "1");
        assert!(world.events().await.is_empty());
    }
}

#[tokio::test]
async fn a_writer_that_answers_too_early_is_seen() {
    // The guarantee of the test before, broken on purpose: it must turn red.
    let world = World::broken("", Guard::open(), FailPoint::AcknowledgeBeforeAppend);
    world.ledger.inject(AppendFault::Refuse);
    let answer = world.post("/api/v2/alerts", &json!([alert(json!({"a": "b"}))])).await;
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert_eq!((answer.status, world.events().await.len()), (200, 0));
}

#[tokio::test]
async fn every_listed_route_is_there() {
    let world = World::new();
    for (method, path, about) in hindcast_gateway::ROUTES {
        let path = path.replace("{source}", "nobody").replace("{id}", "x");
        let request = axum::http::Request::builder().method(*method).uri(&path).header("sec-fetch-site", "cross-site");
        let answer = world.send(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 403, "{method} {path}: it gets as far as the gateway's own layers");
        assert!(about.ends_with('.'));
    }
}

#[tokio::test]
async fn a_mixed_batch_is_taken_and_the_bad_ones_are_parked() {
    let world = World::new();
    let body = json!([alert(json!({"a": "b"})), alert(json!({})), {"labels": {"a": {"password": "hunter2"}}}]);
    let answer = world.post("/api/v2/alerts", &body).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert_eq!(world.types().await, ["intake.delivery", "intake.alert", "intake.parked", "intake.parked"]);
    let events = world.events().await;
    let Event::Delivery(delivery) = &events[0].event else { panic!("a delivery") };
    assert_eq!((delivery.taken, delivery.rejected.len()), (1, 2));
    let Event::Parked(parked) = &events[3].event else { panic!("a parked item") };
    assert_eq!((parked.item.index, parked.item.code.as_str()), (2, "bad_labels"));
    assert!(!parked.payload.to_string().contains("hunter2"), "parked items are redacted");
    assert_eq!(
        world.metrics.get("hindcast_alerts_rejected_total", &[("source", "prometheus"), ("code", "no_labels")]),
        1.0
    );
}

#[tokio::test]
async fn a_request_without_anything_good_leaves_a_counter_alone() {
    let many: serde_json::Map<String, Value> = (0..257).map(|n| (format!("l{n}"), json!("x"))).collect();
    for (path, body, status, code) in [
        ("/api/v2/alerts", json!([alert(json!({}))]), 400, "invalid"),
        ("/api/v2/alerts", json!([alert(Value::Object(many.clone()))]), 400, "over_limit"),
        ("/api/v2/alerts", json!({"labels": {"a": "b"}}), 400, "malformed"),
        ("/ingest/alertmanager", group(json!([{"labels": {}}])), 422, "invalid"),
        ("/ingest/alertmanager", json!([]), 422, "invalid"),
        ("/ingest/generic", json!({"severity": "high"}), 422, "invalid"),
        ("/ingest/pagerduty", json!({}), 501, "not_implemented"),
        ("/ingest/nobody", json!({}), 404, "not_found"),
        ("/ingest/alertmanager/api/v2/alerts", json!([]), 404, "not_found"),
    ] {
        let world = World::new();
        let answer = world.post(path, &body).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{path} {body}");
        assert!(world.events().await.is_empty(), "{path}");
    }
    let world = World::new();
    world.post("/ingest/nobody", &json!({})).await;
    let labels = [("door", "/ingest/{source}"), ("code", "404")];
    assert_eq!(world.metrics.get("hindcast_requests_total", &labels), 1.0);
}

#[tokio::test]
async fn an_empty_list_is_nothing_and_no_mistake() {
    let world = World::new();
    assert_eq!(world.post("/api/v2/alerts", &json!([])).await.status, 200);
    let answer = world.post("/ingest/prometheus", &json!([])).await;
    assert_eq!((answer.status, answer.json()["position"].clone()), (202, json!(42)));
    assert!(world.events().await.is_empty());
}

#[tokio::test]
async fn media_type_encoding_and_syntax_are_checked() {
    let world = World::new();
    let json = [("content-type", "application/json")];
    for (headers, body, status, code) in [
        (vec![("content-type", "text/plain")], "[]", 415, "unsupported_media_type"),
        (vec![json[0], ("content-encoding", "br")], "[]", 415, "unsupported_media_type"),
        (vec![json[0], ("content-encoding", "gzip")], "[]", 400, "malformed"),
        (vec![json[0]], "[", 400, "malformed"),
        (vec![json[0]], &"[".repeat(65), 400, "over_limit"),
        (vec![json[0], ("sec-fetch-site", "cross-site")], "[]", 403, "forbidden"),
    ] {
        let answer = world.post_with("/api/v2/alerts", &headers, body.to_owned()).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{headers:?} {body}");
    }
    assert_eq!(world.post_with("/api/v2/alerts", &[], "[]").await.status, 200, "a missing type is JSON");
    let typed = [("content-type", "application/vnd.x+json; charset=utf-8")];
    assert_eq!(world.post_with("/api/v2/alerts", &typed, "[]").await.status, 200);
    let large = "[".to_owned() + &" ".repeat(16 * 1024 * 1024) + "]";
    let answer = world.post_with("/api/v2/alerts", &json, large).await;
    assert_eq!((answer.status, answer.code().as_str()), (413, "too_large"));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(json!([alert(json!({"a": "b"}))]).to_string().as_bytes()).unwrap();
    let packed = [json[0], ("content-encoding", "gzip")];
    assert_eq!(world.post_with("/api/v2/alerts", &packed, gzip.finish().unwrap()).await.status, 200);
    assert_eq!(world.types().await, ["intake.delivery", "intake.alert"]);
}

#[tokio::test]
async fn the_webhook_is_told_what_was_taken_and_where_its_receipts_are() {
    let world = World::new();
    let alerts = json!([
        {"status": "firing", "labels": {"alertname": "A", "severity": "critical"}, "fingerprint": "f1"},
        {"status": "resolved", "labels": {"alertname": "B", "severity": "odd"}, "endsAt": "2026-11-24T13:29:30Z"},
        {"status": "firing", "labels": {}}
    ]);
    let mut body = group(alerts);
    body["truncatedAlerts"] = json!(2);
    body["strange"] = json!(1);
    let answer = world.post("/ingest/alertmanager", &body).await;
    let told = answer.json();
    assert_eq!((answer.status, &told["accepted"]), (202, &json!(2)));
    assert_eq!(told["rejected"][0]["index"], 2);
    assert_eq!(told["unmapped"], json!(["/labels/severity", "/strange"]));
    let events = world.events().await;
    assert_eq!(told["position"], json!(events.last().unwrap().position));
    let fingerprints: Vec<String> = events[1..3].iter().map(|recorded| recorded.subject.clone()).collect();
    for fingerprint in &fingerprints {
        assert!(told["receipts"].to_string().contains(&format!("/api/v1/alerts/{fingerprint}/receipt")));
    }
    let Event::Delivery(delivery) = &events[0].event else { panic!("a delivery") };
    assert_eq!((delivery.truncated, delivery.verified.scheme.as_str()), (2, "open"));
    assert_eq!(delivery.envelope["receiver"], "hindcast");
    let Event::Observed(over) = &events[2].event else { panic!("an alert") };
    assert_eq!(over.signal, Signal::Resolved);
}

#[tokio::test]
async fn environments_are_one_submit_each_and_the_answer_names_the_last() {
    let world = World::new();
    let body = json!([
        {"name": "A", "environment": "staging"}, {"name": "B"}, {"name": "C", "environment": "EU west"}
    ]);
    let answer = world.post("/ingest/generic", &body).await;
    let events = world.events().await;
    let last = events.iter().map(|recorded| recorded.position).max().unwrap();
    assert_eq!((answer.status, answer.json()["position"].clone()), (202, json!(last)));
    let environments: std::collections::BTreeSet<&str> =
        events.iter().map(|recorded| recorded.partition.environment.as_str()).collect();
    assert_eq!(Vec::from_iter(environments), ["eu-west", "production", "staging"]);
    assert_eq!(events.iter().filter(|recorded| matches!(recorded.event, Event::Delivery(_))).count(), 3);
}

#[tokio::test]
async fn no_secret_reaches_the_ledger_and_the_fingerprint_does_not_change_by_it() {
    let world = World::new();
    let secret = "hunter2-horse-battery";
    let labels = json!({"alertname": "A", "dsn": format!("postgres://u:{secret}@db/x"), "password": secret,
                        format!("token={secret}"): "x"});
    let mut body = group(json!([
        {"status": "firing", "labels": labels, "annotations": {"description": format!("login with password={secret} failed")},
         "generatorURL": format!("http://p/graph?access_token={secret}"), format!("secret: {secret}"): 1,
         "fingerprint": format!("token={secret}")},
        {"status": "firing", "labels": {}, "annotations": {"api_key": secret}},
        {"labels": {format!("password={secret}"): [1]}}
    ]));
    body["externalURL"] = json!(format!("https://u:{secret}@am"));
    body["commonLabels"] = json!({"password": secret});
    let answer = world.post("/ingest/alertmanager", &body).await;
    assert_eq!(answer.status, 202);
    assert!(!answer.text.contains(secret), "{}", answer.text);
    let change = json!({"title": format!("rotate token={secret}"), "url": format!("https://x/?sig={secret}"),
                        "author": format!("Bearer {secret}")});
    assert_eq!(world.post("/ingest/change", &change).await.status, 202);
    for recorded in world.events().await {
        let text = format!("{} {}", recorded.subject, serde_json::to_string(&recorded.event).unwrap());
        assert!(!text.contains(secret), "{text}");
    }
    let events = world.events().await;
    let Event::Delivery(delivery) = &events[0].event else { panic!("a delivery") };
    assert!(delivery.redacted >= 8, "{}", delivery.redacted);
    // Two values that are redacted to the same text are two alerts all the same.
    for value in ["a-secret", "b-secret"] {
        world.post("/api/v2/alerts", &json!([alert(json!({"alertname": "A", "password": value}))])).await;
    }
    let events = world.events().await;
    let subjects: Vec<&str> =
        events.iter().rev().step_by(2).take(2).map(|recorded| recorded.subject.as_str()).collect();
    assert_ne!(subjects[0], subjects[1]);
}

const SOURCES: &str = r#"
[[sources]]
name = "prom-eu"
format = "prometheus"
environment = "eu"
auth = { scheme = "bearer", keys = [{ id = "k1", token_sha256 = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b" }] }

[[sources]]
name = "hooks"
format = "github"
auth = { scheme = "hmac", keys = [{ id = "g", token_env = "SECRET" }] }

[[sources]]
name = "am"
format = "alertmanager"
stale_after = "1h"
auth = { scheme = "open" }
"#;

#[tokio::test]
async fn doors_without_a_credential_of_their_own_ask_for_the_servers() {
    let world = World::with(SOURCES, Guard::token("api", SecretHash::of("server")));
    let body = json!([alert(json!({"a": "b"}))]).to_string();
    let json = ("content-type", "application/json");
    let with = |token: &'static str| vec![json, ("authorization", token)];
    for (path, headers, status) in [
        ("/api/v2/alerts", vec![json], 401),
        ("/api/v2/alerts", with("Bearer wrong"), 401),
        ("/api/v2/alerts", with("Bearer server"), 200),
        ("/api/v2/alerts", with("Bearer secret"), 200),
        ("/ingest/prom-eu/api/v2/alerts", with("Bearer secret"), 200),
        ("/ingest/prom-eu/api/v2/alerts", with("Bearer server"), 401),
    ] {
        let answer = world.post_with(path, &headers, body.clone()).await;
        assert_eq!(answer.status, status, "{path} {headers:?} {}", answer.text);
        if status == 401 {
            assert_eq!(answer.code(), "unauthorized");
        }
    }
    let environments: Vec<String> =
        world.events().await.iter().step_by(2).map(|recorded| recorded.partition.environment.clone()).collect();
    assert_eq!(environments, ["production", "eu", "eu"], "the credential tells the source");
    let open = world.post("/ingest/am", &group(json!([{"status": "firing", "labels": {"a": "b"}}]))).await;
    assert_eq!(open.status, 202);
    for path in ["/api/v2/alerts", "/api/v2/status", "/api/v2/silences", "/api/v1/parked"] {
        assert_eq!(world.get(path).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn github_is_recognised_by_its_signature() {
    use hmac::{KeyInit as _, Mac as _};
    let world = World::with(SOURCES, Guard::open());
    let body =
        json!({"deployment": {"id": 1, "ref": "v1", "environment": "production"}, "repository": {"name": "shop"}});
    let body = body.to_string();
    let mut mac = hmac::Hmac::<Sha256>::new_from_slice(b"It's a Secret to Everybody").unwrap();
    mac.update(body.as_bytes());
    let signature = hindcast_domain::hex::hex(&mac.finalize().into_bytes());
    let signature = format!("sha256={signature}");
    let headers = |event: &'static str, signature: &str| {
        vec![("x-github-event".to_owned(), event.to_owned()), ("x-hub-signature-256".to_owned(), signature.to_owned())]
    };
    for (headers, body, status) in [
        (headers("deployment", &signature), body.clone(), 202),
        (headers("star", &signature), body.clone(), 202),
        (headers("ping", &signature), body.clone(), 200),
        (headers("ping", "sha256=00"), body.clone(), 401),
        (headers("deployment", &signature), body.clone() + " ", 401),
        (Vec::new(), body.clone(), 401),
    ] {
        let borrowed: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let answer = world.post_with("/ingest/hooks", &borrowed, body).await;
        assert_eq!(answer.status, status, "{headers:?} {}", answer.text);
    }
    assert_eq!(world.types().await, ["intake.delivery", "intake.change"]);
    let events = world.events().await;
    let Event::Delivery(delivery) = &events[0].event else { panic!("a delivery") };
    assert_eq!(delivery.verified.key_id.as_deref(), Some("g"));
}

#[tokio::test]
async fn a_batch_of_any_size_is_taken_whole() {
    let world = World::new();
    let alerts: Vec<Value> = (0..5_000).map(|n| alert(json!({"alertname": "A", "n": n}))).collect();
    assert_eq!(world.post("/api/v2/alerts", &Value::Array(alerts)).await.status, 200);
    assert_eq!(world.events().await.len(), 5_001);
}
