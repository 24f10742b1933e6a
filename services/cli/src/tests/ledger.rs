//! The ledger: read whole, followed, walked and folded afresh.

use std::time::Duration;

use serde_json::{Value, json};

use super::hindcast;
use super::server::{Server, event};
use crate::ExitStatus;

#[tokio::test]
async fn events_are_one_json_a_line_through_every_page() {
    let events: Vec<Value> = (1..=1_100).map(|n| event(n * 4_096)).collect();
    let server = Server::default().list("GET /api/v1/events", events);
    let base = server.start().await;
    let ended = hindcast(&base, "events").await;
    assert_eq!(ended.status, ExitStatus::Done);
    let positions: Vec<u64> = ended
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["position"].as_u64().unwrap())
        .collect();
    assert_eq!(positions.len(), 1_100);
    assert!(positions.is_sorted());
    assert_eq!(hindcast(&base, "events --limit 7 --json").await.out.lines().count(), 7);
    let line = "events --kind incident --from 4096 --to 9000 --subject INC-3 --as-of 8192";
    assert_eq!(hindcast(&base, line).await.status, ExitStatus::Done);
    let expect = "GET /api/v1/events?kind=incident&from=4096&to=9000&subject=INC-3&as_of=8192&limit=500";
    assert!(server.lines().iter().any(|line| line == expect), "{:?}", server.lines());
}

#[tokio::test]
async fn following_goes_on_behind_the_head_and_prints_nothing_twice() {
    let message =
        |position: u64| format!(": hello\n\nid: {position}\nevent: incident.opened\ndata: {}\n\n", event(position));
    let stream = message(8_192) + &message(12_288) + &message(16_384);
    let server = Server::default().list("GET /api/v1/events", vec![event(4_096), event(8_192)]).says(
        "GET /api/v1/stream",
        "text/event-stream",
        &stream,
    );
    let base = server.start().await;
    let work = hindcast(&base, "events --follow --to 16384 --kind incident");
    let ended = tokio::time::timeout(Duration::from_secs(20), work).await.unwrap();
    assert_eq!(ended.status, ExitStatus::Done, "{}", ended.err);
    let positions: Vec<Value> =
        ended.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["position"].clone()).collect();
    assert_eq!(positions, [4_096, 8_192, 12_288, 16_384]);
    let asked = server.asked().pop().unwrap();
    assert_eq!(asked.line, "GET /api/v1/stream?kind=incident&as_of=16384");
    assert_eq!(asked.headers["last-event-id"], "8192");
}

#[tokio::test]
async fn a_difference_or_damage_ends_with_one_after_it_was_shown() {
    let replay = |identical: bool| {
        json!({
            "identical": identical, "replayed_hash": "1:7b1e", "live_hash": "1:7b1f", "position": 9_000,
            "events": 9_204, "elapsed_ms": 31,
        })
    };
    let walk = |damage: Value| {
        json!({
            "intact": damage == json!([]), "commits": 2, "events": 9_204, "position": 9_000, "damage": damage,
            "bound": "what was cut since the last head",
        })
    };
    for (wrong, status) in [(false, ExitStatus::Done), (true, ExitStatus::Failed)] {
        let damage =
            if wrong { json!([{"position": 5_000, "subject": "s", "detail": "a flipped bit"}]) } else { json!([]) };
        let server = Server::default().gives("POST /api/v1/replay", 200, replay(!wrong)).gives(
            "POST /api/v1/verify",
            200,
            walk(damage),
        );
        let base = server.start().await;
        let ended = hindcast(&base, "replay --to 9000").await;
        assert_eq!((ended.status, ended.err.as_str()), (status, ""));
        assert!(ended.out.contains("9204 events"), "{}", ended.out);
        assert_eq!(server.asked()[0].body, json!({"to": 9_000}));
        let ended = hindcast(&base, "verify").await;
        assert_eq!(ended.status, status);
        assert_eq!(ended.out.contains("a flipped bit"), wrong, "{}", ended.out);
        assert!(ended.out.contains("not found by this walk"), "{}", ended.out);
        let ended = hindcast(&base, "verify --json").await;
        assert_eq!(ended.status, status);
        assert_eq!(serde_json::from_str::<Value>(&ended.out).unwrap()["intact"], !wrong);
    }
}

#[tokio::test]
async fn a_description_of_the_api_is_passed_on() {
    let base = Server::default().gives("GET /openapi.json", 200, json!({"openapi": "3.1.0"})).start().await;
    assert_eq!(hindcast(&base, "openapi").await.out, "{\"openapi\":\"3.1.0\"}\n");
}
