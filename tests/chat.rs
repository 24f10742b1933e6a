//! Chat from outside, on both ledgers, against stand-ins of the vendors: one incident's whole life in a channel
//! (card, thread, acknowledgement, question, merge, resolution with its cause, label), seen alike in the API, the
//! terminal and the replay; and what nobody signed, pressed twice, or may not do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

mod slack;
mod teams;

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::Server;

pub use slack::{roots, slack_settings, slack_started};

/// Waits until something is so.
async fn until<T>(what: &str, server: &Server, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{what}: not within 30 s\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until each vendor has what is meant for it.
async fn everything_is_sent(server: &Server) {
    until("an empty queue", server, async || {
        let chat = server.get("/api/v1/chat").await;
        let is_empty = chat["items"].as_array().unwrap().iter().all(|item| item["queued"] == 0);
        (chat["caught_up"] == true && is_empty).then_some(())
    })
    .await;
}

/// All words of a card or message.
pub fn card_words(of: &Value) -> String {
    of.to_string().replace('\\', "")
}

/// How many events there are that whatever comes in begins with. Others come meanwhile: cards and messages that are due
/// are delivered, and incidents are reviewed.
fn written(events: &[Value]) -> usize {
    let begins = |kind: &str| ["intake.", "command.", "conversation."].iter().any(|family| kind.starts_with(family));
    let is_from_outside = |kind: &str| begins(kind) || kind == "chat.received";
    events.iter().filter(|event| event["type"].as_str().is_some_and(is_from_outside)).count()
}

/// The id of the one incident of a service, or of the newest where none is named.
async fn incident_of(server: &Server, service: Option<&str>) -> String {
    let query = service.map(|service| format!("?service={service}")).unwrap_or_default();
    server.get(&format!("/api/v1/incidents{query}")).await["items"][0]["id"].as_str().unwrap().to_owned()
}

/// Waits until a field of an incident has a value; the incident.
async fn becomes(server: &Server, id: &str, field: &str, value: &str) -> Value {
    until(&format!("{id} has {field} {value}"), server, async || {
        Some(server.get(&format!("/api/v1/incidents/{id}")).await).filter(|incident| incident[field] == value)
    })
    .await
}

/// A replay gives the same state, and no secret of a vendor is in the ledger.
async fn replays_without_secrets(server: &Server, secrets: &[&str]) {
    let (status, replayed) = server.post("/api/v1/replay", &serde_json::json!({})).await;
    assert!(status == 200 && replayed["identical"] == true, "{replayed}");
    let text = serde_json::to_string(&server.all("/api/v1/events").await).unwrap();
    for secret in secrets {
        assert!(!text.contains(secret), "{secret} stands in the ledger");
    }
}
