//! One alert's whole way, from a real socket to a page, and back by replay; on both ledgers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

use crate::support;
use std::time::{Duration, Instant};

use serde_json::json;
use support::{Ledger, Server, alert, folder, resolved};

async fn one_alerts_whole_way(ledger: Ledger) {
    let data = folder();
    let mut server = Server::start(data.path(), ledger, &[]).await;

    // It is visible within two seconds of the 2xx.
    let sent = Instant::now();
    assert_eq!(server.fire("PgDown", "postgres", "critical").await.0, 200);
    let incident = loop {
        let page = server.get("/api/v1/incidents").await;
        if let Some(incident) = page["items"].get(0) {
            break incident.clone();
        }
        assert!(sent.elapsed() < Duration::from_secs(2), "no incident after two seconds");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    let id = incident["id"].as_str().unwrap().to_owned();
    assert_eq!((&incident["status"], &incident["severity"]), (&json!("open"), &json!("critical")));
    assert_eq!(incident["title"], "PgDown on postgres");

    // A person sees it, and its receipt tells the whole way.
    server.settled().await;
    let page = server.client.get(server.url(&format!("/{id}"))).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("PgDown on postgres"), "{page}");
    let alerts = server.get("/api/v1/alerts").await;
    let way = alerts["items"][0]["receipt"].as_str().unwrap();
    let mut receipt = server.get(way).await;
    // What begins is watched for two seconds before it pages.
    while receipt["accounted"] != "paged" && sent.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(50)).await;
        receipt = server.get(way).await;
    }
    let stages: Vec<_> = receipt["steps"].as_array().unwrap().iter().map(|step| step["stage"].clone()).collect();
    assert!(stages.contains(&json!("received")) && stages.contains(&json!("grouped")), "{stages:?}");
    assert_eq!(receipt["accounted"], "paged", "{receipt:#}");

    // It is acknowledged, resolved, and the terminal agrees.
    let (status, body) = server.post(&format!("/api/v1/incidents/{id}/acknowledge"), &json!({})).await;
    assert_eq!((status, &body["status"]), (200, &json!("acknowledged")), "{body}");
    let (status, body) =
        server.post("/api/v2/alerts", &json!([resolved(alert("PgDown", "postgres", "critical"))])).await;
    assert_eq!(status, 200, "{body}");
    server.settled().await;
    assert_eq!(server.get(&format!("/api/v1/incidents/{id}")).await["status"], "resolved");
    let (status, out, err) = server.cli(&["show", &id]);
    assert_eq!(status, 0, "{err}");
    assert!(out.contains("PgDown on postgres"), "{out}");

    // Replayed, it is the same state; after a restart too; and the chains hold.
    let before = server.settled().await;
    let (status, replay) = server.post("/api/v1/replay", &json!({})).await;
    assert_eq!((status, &replay["identical"]), (200, &json!(true)), "{replay}");
    let (status, verified) = server.post("/api/v1/verify", &json!({})).await;
    assert_eq!((status, &verified["intact"]), (200, &json!(true)), "{verified}");
    assert!(server.stop().success(), "{}", server.log());
    let server = Server::start(data.path(), ledger, &[]).await;
    let after = server.settled().await;
    assert_eq!(before["state_hash"], after["state_hash"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_alerts_whole_way_on_the_embedded_ledger() {
    one_alerts_whole_way(Ledger::Embedded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_alerts_whole_way_on_nats() {
    one_alerts_whole_way(Ledger::Nats).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_ledger_does_not_grow() {
    let data = folder();
    let server = Server::start(data.path(), Ledger::Embedded, &[]).await;
    server.fire("PgDown", "postgres", "critical").await;
    server.settled().await;
    // The message about it settles first, and is shown on the screen.
    while server.get("/api/v1/notices?status=delivered").await["items"].as_array().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let before = server.settled().await["position"].clone();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(server.settled().await["position"], before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_folder_names_the_holder() {
    let data = folder();
    let server = Server::start(data.path(), Ledger::Embedded, &[]).await;
    let listen = format!("127.0.0.1:{}", support::free_port());
    let (status, _, err) = support::cli(&["up", "--data", data.path().to_str().unwrap(), "--listen", &listen]);
    assert_eq!(status, 1);
    assert!(err.contains(&server.child.id().to_string()) && err.contains("--server"), "{err}");
}
