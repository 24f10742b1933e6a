//! Sources: the lines to paste, the test through the real door, the receipt.

use hindcast_api::Code;
use serde_json::{Value, json};

use super::hindcast;
use super::server::{Server, alert, receipt};
use crate::ExitStatus;

const FINGERPRINT: &str = "9f3c0000000000000000";

fn server() -> Server {
    let receipts = json!([format!("/api/v1/alerts/{FINGERPRINT}/receipt")]);
    Server::default()
        .gives("POST /ingest/alertmanager", 202, json!({"accepted": 1, "position": 1, "receipts": receipts}))
        .gives("POST /ingest/mine", 202, json!({"accepted": 1, "position": 1, "receipts": receipts}))
        .gives(&format!("GET /api/v1/alerts/{FINGERPRINT}/receipt"), 200, receipt(FINGERPRINT, "HindcastTest"))
}

#[tokio::test]
async fn adding_a_source_prints_four_lines_and_the_receipt_of_a_test() {
    let server = server();
    let base = server.start().await;
    let ended = hindcast(&base, "source add alertmanager").await;
    assert_eq!(ended.status, ExitStatus::Done, "{}", ended.err);
    let (lines, receipt) = ended.out.split_once("\n\n").unwrap();
    assert_eq!(lines.lines().count(), 4);
    assert!(lines.contains(&format!("url: {base}/ingest/alertmanager")), "{lines}");
    assert!(receipt.contains("received"), "{receipt}");
    let asked = server.asked();
    let sent = &asked[0].body["alerts"][0];
    assert_eq!(sent["labels"]["severity"], "info", "a test wakes nobody");
    assert_eq!(sent["labels"]["environment"], "hindcast-test");
    let end = &asked.iter().rfind(|request| request.body["alerts"].is_array()).unwrap().body["alerts"][0];
    assert_eq!((&end["status"], &end["labels"]), (&json!("resolved"), &sent["labels"]), "a test that was seen is over");
}

#[tokio::test]
async fn a_configured_source_has_its_own_door() {
    let server = server();
    let base = server.start().await;
    let ended = hindcast(&base, "source add mine --format grafana --json").await;
    let document: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(document["address"], format!("{base}/ingest/mine"));
    assert_eq!(document["paste"].as_array().unwrap().len(), 4);
    assert_eq!(document["receipt"]["accounted"], "incident_paged");
    let ended = hindcast(&base, "source add mine --format grafana --no-test").await;
    assert_eq!((ended.status, ended.out.lines().count()), (ExitStatus::Done, 4));
}

#[tokio::test]
async fn a_door_that_refuses_the_test_is_told() {
    let rejected = json!([{"index": 0, "code": "x", "detail": "expected labels", "remedy": "Send some."}]);
    let base = Server::default()
        .gives("POST /ingest/generic", 202, json!({"accepted": 0, "position": 1, "rejected": rejected}))
        .start()
        .await;
    let ended = hindcast(&base, "source test generic").await;
    assert!(ended.status == ExitStatus::Failed && ended.err.contains("expected labels"), "{}", ended.err);
    let ended = hindcast(&base, "source test github").await;
    assert!(ended.status == ExitStatus::Failed && ended.err.contains("no receipt"), "{}", ended.err);
}

#[tokio::test]
async fn nobody_pastes_what_leads_to_a_door_that_is_not_built() {
    let base = Server::default()
        .refuses("POST /ingest/pagerduty", Code::NotImplemented, "promised")
        .refuses("POST /ingest/cloudwatch-sns", Code::NotImplemented, "promised")
        .refuses("POST /ingest/github", Code::Malformed, "expected JSON")
        .start()
        .await;
    for name in ["pagerduty", "cloudwatch-sns"] {
        let ended = hindcast(&base, &format!("source add {name}")).await;
        assert_eq!((ended.status, ended.out.as_str()), (ExitStatus::Failed, ""), "{name}: {}", ended.err);
    }
    let ended = hindcast(&base, "source add github").await;
    assert_eq!((ended.status, ended.out.lines().count()), (ExitStatus::Done, 4), "{}", ended.err);
}

#[tokio::test]
async fn sources_are_listed_with_what_came_through_them() {
    let mut mine = alert("77aa", "Net");
    mine["source"] = json!("mine");
    let base = Server::default().list("GET /api/v1/alerts", vec![alert("9f3c", "Disk"), mine]).start().await;
    let ended = hindcast(&base, "source list").await;
    assert!(ended.out.contains("POST /ingest/mine") && ended.out.contains("POST /api/v2/alerts"), "{}", ended.out);
    let ended = hindcast(&base, "source list --json").await;
    let document: Value = serde_json::from_str(&ended.out).unwrap();
    let mine = document["items"].as_array().unwrap().iter().find(|it| it["source"] == "mine").unwrap().clone();
    assert_eq!(mine["alerts"], 1);
}
