//! Bad input gets a clear refusal and loses nothing; good alerts of a mixed batch are kept; secrets stop here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

use crate::support;
use serde_json::{Value, json};
use support::{Ledger, Server, alert, folder};

fn refused(answer: &(u16, Value), status: u16, code: &str) {
    let (got, body) = answer;
    assert_eq!((*got, body["code"].as_str()), (status, Some(code)), "{body}");
    for field in ["type", "title", "status", "detail", "remedy"] {
        assert!(!body[field].is_null(), "{field} is missing in {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_refused_in_plain_words_and_leaves_nothing() {
    let data = folder();
    let server = Server::start(data.path(), Ledger::Embedded, &[]).await;
    let before = server.settled().await["position"].clone();
    let json = "application/json";
    refused(&server.post_raw("/api/v2/alerts", json, "{").await, 400, "malformed");
    refused(&server.post_raw("/api/v2/alerts", "text/plain", "[]").await, 415, "unsupported_media_type");
    refused(&server.post_raw("/api/v2/alerts", json, "[".repeat(70)).await, 400, "over_limit");
    refused(&server.post_raw("/api/v2/alerts", json, vec![b' '; 17 << 20]).await, 413, "too_large");
    refused(&server.post_raw("/ingest/nobody", json, "{}").await, 404, "not_found");
    refused(&server.try_get("/api/v1/incidents?limit=501").await, 400, "bad_limit");
    refused(&server.try_get("/api/v1/incidents?nonsense=1").await, 400, "bad_parameter");
    refused(&server.try_get("/api/v1/incidents?as_of=yesterday").await, 400, "bad_as_of");
    refused(&server.try_get("/api/v1/incidents?cursor=*").await, 400, "bad_cursor");
    refused(&server.try_get("/api/v1/incidents/INC-0000").await, 404, "not_found");
    refused(&server.try_get("/nowhere").await, 404, "not_found");
    let answer = server.client.delete(server.url("/api/v1/incidents")).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 405);
    assert_eq!(server.settled().await["position"], before, "a refusal leaves nothing but a counter");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_good_alerts_of_a_mixed_batch_are_kept_and_the_bad_ones_parked() {
    let data = folder();
    let server = Server::start(data.path(), Ledger::Embedded, &[]).await;
    let empty = json!({"labels": {}});
    let backward =
        json!({"labels": {"alertname": "X"}, "startsAt": "2030-01-01T00:00:00Z", "endsAt": "2020-01-01T00:00:00Z"});
    let many: serde_json::Map<String, Value> = (0..300).map(|n| (format!("label{n}"), json!("x"))).collect();
    let batch = json!([alert("Good", "postgres", "critical"), empty, backward, {"labels": many}]);
    assert_eq!(server.post("/api/v2/alerts", &batch).await.0, 200);
    server.settled().await;
    let alerts = server.all("/api/v1/alerts").await;
    assert_eq!(alerts.len(), 1, "{alerts:#?}");
    let parked = server.all("/api/v1/parked").await;
    assert_eq!(parked.len(), 2, "an end before its start is an end: {parked:#?}");
    // Nothing good in it: refused as a whole.
    let (status, body) = server.post("/api/v2/alerts", &json!([{"labels": {}}])).await;
    assert!((400..500).contains(&status), "{status} {body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alertmanager_group_is_taken_by_each_alerts_own_status() {
    let data = folder();
    let server = Server::start(data.path(), Ledger::Embedded, &[]).await;
    let of = |name: &str, status: &str, ends: &str| {
        json!({"status": status, "labels": {"alertname": name, "service": name, "severity": "critical"},
               "annotations": {}, "startsAt": support::now(-60), "endsAt": ends, "fingerprint": "0011223344556677"})
    };
    let group = |alerts: Value, status: &str, truncated: u64| {
        json!({"version": "4", "groupKey": "{}:{}", "truncatedAlerts": truncated, "status": status, "receiver": "hindcast",
               "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://am", "alerts": alerts})
    };
    let zero = "0001-01-01T00:00:00Z";
    let (status, body) = server
        .post("/ingest/alertmanager", &group(json!([of("A", "firing", zero), of("B", "firing", zero)]), "firing", 0))
        .await;
    assert!((200..300).contains(&status) && body["accepted"] == 2, "{status} {body}");
    let mixed = json!([of("A", "resolved", &support::now(-1)), of("B", "firing", zero)]);
    server.post("/ingest/alertmanager", &group(mixed, "firing", 3)).await;
    server.settled().await;
    let alerts = server.all("/api/v1/alerts").await;
    let status = |name: &str| alerts.iter().find(|alert| alert["name"] == name).unwrap()["status"].clone();
    assert_eq!((status("A"), status("B")), (json!("resolved"), json!("firing")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_an_alert_stands_in_no_byte_that_we_keep() {
    let data = folder();
    let secret = "hunter2-correct-horse";
    let mut server = Server::start(data.path(), Ledger::Embedded, &[]).await;
    let mut bad = alert("Leaky", "postgres", "critical");
    bad["annotations"]["description"] = json!(format!("cannot connect: password={secret}"));
    bad["labels"]["token"] = json!(secret);
    assert_eq!(server.post("/api/v2/alerts", &json!([bad])).await.0, 200);
    server.settled().await;
    let page = server.client.get(server.url("/alerts")).send().await.unwrap().text().await.unwrap();
    assert!(!page.contains(secret));
    for event in server.all("/api/v1/events").await {
        assert!(!event.to_string().contains(secret), "{event:#}");
    }
    assert!(server.stop().success());
    // Commits are compressed, so the folder's bytes are searched through the terminal's reading of them.
    let (status, out, err) = support::cli(&["events", "--data", data.path().to_str().unwrap()]);
    assert_eq!(status, 0, "{err}");
    assert!(out.contains("Leaky") && !out.contains(secret));
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_requests_at_once_are_all_taken() {
    let data = folder();
    let server = Server::start(data.path(), Ledger::Embedded, &[]).await;
    let all = (0..64).map(|n| {
        let (client, url) = (server.client.clone(), server.url("/api/v2/alerts"));
        let body = json!([alert(&format!("A{n}"), "postgres", "warning")]);
        tokio::spawn(async move { client.post(url).json(&body).send().await.unwrap().status().as_u16() })
    });
    for one in all.collect::<Vec<_>>() {
        assert_eq!(one.await.unwrap(), 200);
    }
    server.settled().await;
    assert_eq!(server.all("/api/v1/alerts").await.len(), 64);
}
