//! Merge, split and their undo keep identity and lineage in the API, the timeline and the replay.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

use crate::support;
use serde_json::{Value, json};
use support::{Ledger, Server, folder};

async fn two_incidents(server: &Server) -> (String, String) {
    let catalog = json!({"services": [{"name": "postgres"}, {"name": "checkout", "depends_on": ["postgres"]}, {"name": "backup"}]});
    let put = server.client.put(server.url("/api/v1/catalog")).json(&catalog).send().await.unwrap();
    assert!(put.status().is_success());
    server.fire("PgDown", "postgres", "critical").await;
    server.fire("CheckoutErrors", "checkout", "high").await;
    server.fire("BackupTooOld", "backup", "high").await;
    server.settled().await;
    let incidents = server.get("/api/v1/incidents").await;
    let items = incidents["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{incidents:#}");
    let of = |service: &str| {
        let found = items.iter().find(|incident| incident["services"].as_array().unwrap().contains(&json!(service)));
        found.unwrap()["id"].as_str().unwrap().to_owned()
    };
    (of("postgres"), of("backup"))
}

fn event_of(timeline: &Value, kind: &str) -> String {
    let entries = timeline["items"].as_array().unwrap();
    let found = entries.iter().find(|entry| entry["type"] == kind);
    found.unwrap_or_else(|| panic!("no {kind} in {timeline:#}"))["event"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn merge_split_and_undo_keep_identity_and_lineage() {
    let data = folder();
    let server = Server::start(data.path(), Ledger::Embedded, &[]).await;
    let (main, other) = two_incidents(&server).await;
    let before = server.settled().await;

    // Merge: the other one stays as a pointer.
    let (status, merged) = server.post(&format!("/api/v1/incidents/{other}/merge"), &json!({"into": main})).await;
    assert_eq!((status, &merged["id"], &merged["alerts"]), (200, &json!(main), &json!(3)), "{merged:#}");
    let pointer = server.get(&format!("/api/v1/incidents/{other}")).await;
    assert_eq!((&pointer["merged_into"], &pointer["status"]), (&json!(main), &json!("resolved")));
    let timeline = server.get(&format!("/api/v1/incidents/{main}/timeline")).await;
    let event = event_of(&timeline, "incident.merged");
    event_of(&server.get(&format!("/api/v1/incidents/{other}/timeline")).await, "incident.merged");

    // Undo: both live again, with their own members.
    let (status, body) = server.post("/api/v1/undo", &json!({"event": event})).await;
    assert_eq!(status, 200, "{body:#}");
    server.settled().await;
    let back = server.get(&format!("/api/v1/incidents/{other}")).await;
    assert_eq!((&back["status"], &back["alerts"]), (&json!("open"), &json!(1)), "{back:#}");
    assert!(back["merged_into"].is_null());
    assert_eq!(server.get(&format!("/api/v1/incidents/{main}")).await["alerts"], 2);
    let (status, body) = server.post("/api/v1/undo", &json!({"event": event})).await;
    assert_eq!((status, &body["code"]), (409, &json!("already_undone")), "{body:#}");

    // Split: a new identity that knows where it comes from.
    let alerts = server.get(&format!("/api/v1/incidents/{main}/alerts")).await;
    let checkout = alerts["items"].as_array().unwrap().iter().find(|alert| alert["name"] == "CheckoutErrors").unwrap();
    let fingerprints = json!({"fingerprints": [checkout["fingerprint"]]});
    let (status, split) = server.post(&format!("/api/v1/incidents/{main}/split"), &fingerprints).await;
    assert!((200..300).contains(&status), "{split:#}");
    server.settled().await;
    let born = server.all("/api/v1/incidents").await.into_iter().find(|incident| incident["split_from"] == json!(main));
    let born = born.expect("the split gave birth to an incident");
    assert_eq!(born["alerts"], 1);
    let timeline = server.get(&format!("/api/v1/incidents/{main}/timeline")).await;
    let (status, _) = server.post("/api/v1/undo", &json!({"event": event_of(&timeline, "incident.split")})).await;
    assert_eq!(status, 200);
    server.settled().await;
    assert_eq!(server.get(&format!("/api/v1/incidents/{main}")).await["alerts"], 2);

    // The past is as it was, and the replay agrees.
    let as_of = server.get(&format!("/api/v1/state?as_of={}", before["position"])).await;
    assert_eq!(as_of["state_hash"], before["state_hash"]);
    let (_, replay) = server.post("/api/v1/replay", &json!({})).await;
    assert_eq!(replay["identical"], true, "{replay}");
}

#[tokio::test(flavor = "multi_thread")]
async fn environments_are_never_mixed() {
    let data = folder();
    let server = Server::start(data.path(), Ledger::Embedded, &[]).await;
    let of = |environment: &str| {
        let mut alert = support::alert("PgDown", "postgres", "critical");
        alert["labels"]["environment"] = json!(environment);
        alert
    };
    let (status, _) = server.post("/api/v2/alerts", &json!([of("production"), of("staging")])).await;
    assert_eq!(status, 200);
    server.settled().await;
    let incidents = server.all("/api/v1/incidents").await;
    assert_eq!(incidents.len(), 2, "{incidents:#?}");
    let id = |index: usize| incidents[index]["id"].as_str().unwrap();
    let (status, body) = server.post(&format!("/api/v1/incidents/{}/merge", id(0)), &json!({"into": id(1)})).await;
    assert_eq!((status, &body["code"]), (422, &json!("cross_partition")), "{body}");
}
