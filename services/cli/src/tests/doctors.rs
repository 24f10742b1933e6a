//! The doctor: well when all is well, and otherwise with what to do.

use hindcast_api::{BehindService, ChatStatus, Chats, Code, Readiness, ReadyStatus};
use serde_json::{Value, json};

use super::hindcast;
use super::server::{Server, event, state};
use crate::ExitStatus;

fn healthy() -> Server {
    let mut paging = event(4_096);
    paging["data"] = json!({"section": "paging", "hash": "x", "content": {"receivers": [{"name": "oncall"}]}});
    Server::default()
        .gives("GET /healthz", 200, json!({"status": "ok", "version": "0.1.0"}))
        .gives("GET /readyz", 200, json!({"status": "ready", "position": 9_000}))
        .gives("GET /api/v1/state", 200, state())
        .says("GET /metrics", "text/plain", "# TYPE x gauge\nhindcast_effects_held_total 9\nhindcast_effects_held 0\n")
        .list("GET /api/v1/events", vec![paging])
        .list("GET /api/v1/notices", vec![])
        .list("GET /api/v1/alerts", vec![])
        .list("GET /api/v1/heartbeats", vec![])
        .gives("GET /api/v1/catalog", 200, json!({"services": [{"name": "shop"}]}))
        .list("GET /api/v1/topology", vec![])
        .gives("GET /api/v1/chat", 200, chats(true, 0))
}

/// A server that accepts, with a service that is behind.
fn behind() -> Readiness {
    let incidents = BehindService { service: "incidents".to_owned(), lag_s: 125, commits: 1_203 };
    Readiness { status: ReadyStatus::Behind, position: 9_000, behind: vec![incidents], lag_limit_s: 10 }
}

#[tokio::test]
async fn a_service_that_is_behind_is_named_with_its_lag() {
    let (_, found) = verdict(healthy().gives("GET /readyz", 200, behind()), "ready").await;
    let detail = found["detail"].as_str().unwrap();
    assert!(detail.contains("incidents is 2 min 5 s behind (1203 commits)"), "{detail}");
}

/// Slack, reachable or not, with so many messages that wait.
fn chats(reachable: bool, queued: u64) -> Chats {
    let slack = ChatStatus {
        vendor: "slack".into(),
        reachable,
        active: true,
        queued,
        oldest_s: queued * 60,
        last_error: (!reachable).then(|| "503".to_owned()),
        cards: 4,
        ..ChatStatus::default()
    };
    Chats { set_up: true, caught_up: true, items: vec![slack] }
}

async fn verdict(server: Server, check: &str) -> (ExitStatus, Value) {
    let ended = hindcast(&server.start().await, "doctor --json").await;
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    let found = report["checks"].as_array().unwrap().iter().find(|it| it["check"] == check).cloned();
    (ended.status, found.unwrap_or(Value::Null))
}

#[tokio::test]
async fn a_healthy_server_has_no_cross() {
    let ended = hindcast(&healthy().start().await, "doctor").await;
    assert_eq!(ended.status, ExitStatus::Done, "{}", ended.out);
    assert!(!ended.out.contains('✗'), "{}", ended.out);
    for line in [
        "✓ server",
        "✓ clock",
        "✓ ready",
        "✓ settled",
        "✓ ledger",
        "✓ parked",
        "✓ effects",
        "✓ receivers",
        "✓ deliveries",
        "✓ chat",
    ] {
        assert!(ended.out.contains(line), "{line}: {}", ended.out);
    }
    assert!(ended.out.contains("1 receiver: oncall"), "{}", ended.out);
}

#[tokio::test]
async fn what_is_wrong_has_a_remedy() {
    let mut parked = state();
    parked["parked"] = json!(3);
    let mut lossy = state();
    lossy["versions"]["durability"] = json!("lossy");
    let failed = json!({
        "id": "NTC-1", "status": "expired", "page": true, "reason": "opened", "receiver": "oncall", "severity": "high",
        "title": "x", "until": "2026-11-20T02:50:00Z", "at": "2026-11-20T02:40:00Z", "attempts": 3,
        "error": "connection refused", "event": "EVT-1", "position": 1,
    });
    for (server, check, word) in [
        (healthy().gives("GET /api/v1/state", 200, parked), "parked", "parked retry"),
        (healthy().gives("GET /api/v1/state", 200, lossy), "ledger", "sync_interval"),
        (healthy().says("GET /metrics", "text/plain", "hindcast_effects_held 1\n"), "effects", "activate"),
        (healthy().list("GET /api/v1/notices", vec![failed]), "deliveries", "notices"),
        (healthy().gives("GET /api/v1/chat", 200, chats(false, 7)), "chat", "docs/chat.md"),
        (healthy().refuses("GET /readyz", Code::Unavailable, "not caught up"), "ready", "caught up"),
        (healthy().gives("GET /readyz", 200, behind()), "ready", "hindcast_lag_seconds"),
        (healthy().dated("Fri, 20 Nov 2026 02:49:07 GMT"), "clock", "NTP"),
        (healthy().refuses("GET /healthz", Code::Unauthorized, "no token"), "server", "HINDCAST_TOKEN"),
    ] {
        let (status, found) = verdict(server, check).await;
        assert_eq!((status, &found["verdict"]), (ExitStatus::Failed, &json!("failed")), "{check}");
        assert!(found["remedy"].as_str().unwrap().contains(word), "{found}");
    }
    let unknown = healthy().gives("GET /api/v1/catalog", 200, json!({"services": []}));
    let (_, found) = verdict(unknown, "catalog").await;
    assert!(found["detail"].as_str().unwrap().contains("no service catalogue is known"), "{found}");
    assert_eq!(found["verdict"], "note");
    let (_, found) = verdict(healthy().list("GET /api/v1/events", vec![]), "receivers").await;
    assert_eq!(found["verdict"], "note", "without a receiver nothing is broken");
    let (_, found) = verdict(healthy().gives("GET /api/v1/chat", 200, chats(true, 7)), "chat").await;
    assert_eq!(found["verdict"], "note", "it answers, and something waits for long");
}

#[tokio::test]
async fn a_receiver_in_trouble_is_named_with_what_to_do() {
    for (trouble, words, remedy) in [
        ("credential", "phone refuses the credential", "Put the right one"),
        ("rate_limit", "phone wants fewer messages", "pages_max"),
        ("unavailable", "phone did not answer", "reached"),
        ("refused", "phone refused the last message", "hindcast notices"),
    ] {
        let told = format!(
            "hindcast_effects_held 0\nhindcast_receiver_trouble{{receiver=\"phone\",trouble=\"{trouble}\"}} 1\n\
             hindcast_receiver_trouble{{receiver=\"mail\",trouble=\"{trouble}\"}} 0\n"
        );
        let (status, found) = verdict(healthy().says("GET /metrics", "text/plain", &told), "receiver").await;
        assert_eq!((status, &found["verdict"]), (ExitStatus::Failed, &json!("failed")), "{found}");
        assert_eq!(found["detail"], words);
        let said = found["remedy"].as_str().unwrap();
        assert!(said.contains(remedy) && said.contains("hindcast receiver test phone"), "{said}");
    }
    let (_, found) = verdict(healthy(), "receiver").await;
    assert_eq!(found, Value::Null, "without trouble nothing is said");
}

#[tokio::test]
async fn the_disk_is_told_with_the_day_on_which_it_is_full() {
    for (growth_gib, ends, days) in
        [(0.5, "ok", "full in 80 days"), (4.0, "note", "full in 10 days"), (20.0, "failed", "full in 2 days")]
    {
        let gib = f64::from(1_u32 << 30);
        let told =
            format!("hindcast_disk_free_bytes {}\nhindcast_disk_growth_bytes {}\n", 40.0 * gib, growth_gib * gib);
        let (_, found) = verdict(healthy().says("GET /metrics", "text/plain", &told), "disk").await;
        assert_eq!(found["verdict"], ends, "{found}");
        assert!(found["detail"].as_str().unwrap().contains(days), "{found}");
    }
}

#[tokio::test]
async fn without_a_server_the_doctor_says_so_and_ends() {
    let ended = hindcast("http://127.0.0.1:1", "doctor").await;
    assert_eq!(ended.status, ExitStatus::Failed);
    assert!(ended.out.contains("✗ server") && ended.out.contains("hindcast up"), "{}", ended.out);
}
