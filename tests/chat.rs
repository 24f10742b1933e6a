//! Chat from outside, on both ledgers, against stand-ins of the vendors: one incident's whole life in a channel
//! (card, thread, acknowledgement, question, merge, resolution with its cause, label), seen alike in the API, the
//! terminal and the replay; and what nobody signed, pressed twice, or may not do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

#[path = "standin/teams.rs"]
mod standin_teams;
mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use standin_teams::{APP_ID, At, PASSWORD, TENANT, Teams, Token, User, action};
use support::{Ledger, Server, folder, free_port};

const CHANNEL: &str = "19:ops@thread.tacv2";
const WEBHOOK: &str = "aGluZGNhc3Qgb3V0Z29pbmcgd2ViaG9vaw==";

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

fn teams_settings(data: &Path, teams: &Teams) -> String {
    std::fs::create_dir_all(data).unwrap();
    let zoe = User::new("zoe");
    let text = format!(
        r#"
[correlation]
reopen_within_s = 0
late_s = 0

[teams]
app_id = "{APP_ID}"
app_password_env = "TEST_TEAMS_PASSWORD"
tenant = "{TENANT}"
outgoing_secret_env = "TEST_TEAMS_OUTGOING"
workflow_url_env = "TEST_TEAMS_WORKFLOW"
metadata_url = "{}"
token_url = "{}"
service_url = "{}"

[chat]
channels = [{{ vendor = "teams", channel = "{CHANNEL}" }}]
people = [{{ name = "zoe", teams = ["{}", "{}"], role = "responder" }}]
"#,
        teams.metadata_url(),
        teams.token_url(),
        teams.service_url(),
        zoe.id,
        zoe.directory_id,
    );
    let file = data.join("chat.toml");
    std::fs::write(&file, text).unwrap();
    file.to_string_lossy().into_owned()
}

async fn started(data: &Path, ledger: Ledger, config: &str, teams: &Teams) -> Server {
    let workflow = teams.workflow_url();
    let environment = [
        ("TEST_TEAMS_PASSWORD", PASSWORD),
        ("TEST_TEAMS_OUTGOING", WEBHOOK),
        ("TEST_TEAMS_WORKFLOW", workflow.as_str()),
    ];
    let more = ["--ledger", ledger.flag(), "--config", config];
    let mut server = Server::spawn_with(free_port(), data, &more, &environment);
    server.ready().await;
    server
}

/// All words of a card or message.
fn words(of: &Value) -> String {
    of.to_string().replace('\\', "")
}

struct Room<'a> {
    server: &'a Server,
    teams: &'a Teams,
    door: String,
}

impl Room<'_> {
    /// Cards in the channel, as they look now.
    fn cards(&self) -> Vec<standin_teams::Kept> {
        // A channel's first message gives its thread the name.
        let root = |kept: &standin_teams::Kept| kept.conversation == format!("{CHANNEL};messageid={}", kept.id);
        self.teams.messages().into_iter().filter(root).collect()
    }

    async fn card(&self, word: &str) -> standin_teams::Kept {
        until(&format!("a card that says {word:?}"), self.server, async || {
            self.cards().into_iter().find(|kept| words(&kept.activity).contains(word))
        })
        .await
    }

    async fn press(&self, user: &User, card: &standin_teams::Kept, title: &str, inputs: &Value) -> (u16, Value) {
        let now = self.teams.messages().into_iter().find(|kept| kept.id == card.id).unwrap();
        let button = action(&now.activity, title).unwrap_or_else(|| panic!("no button {title:?}: {}", now.activity));
        let pressed = self.teams.pressed_on(user, &now, &button, inputs);
        self.teams.deliver(&self.door, &self.teams.authorization(Token::Good), &pressed).await
    }

    async fn incident(&self, id: &str) -> Value {
        self.server.get(&format!("/api/v1/incidents/{id}")).await
    }

    async fn becomes(&self, id: &str, field: &str, value: &str) -> Value {
        until(&format!("{id} has {field} {value}"), self.server, async || {
            Some(self.incident(id).await).filter(|incident| incident[field] == value)
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incidents_whole_life_in_teams_on_the_embedded_ledger() {
    life_in_teams(Ledger::Embedded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incidents_whole_life_in_teams_on_nats() {
    life_in_teams(Ledger::Nats).await;
}

async fn life_in_teams(ledger: Ledger) {
    let (data, teams) = (folder(), Teams::start().await);
    let config = teams_settings(data.path(), &teams);
    let mut server = started(data.path(), ledger, &config, &teams).await;
    let room = Room { server: &server, teams: &teams, door: server.url("/teams/messages") };
    let (zoe, stranger) = (User::new("zoe"), User::new("mallory"));

    // An incident is a card.
    assert_eq!(server.fire("DatabaseDown", "orders-db", "critical").await.0, 200);
    server.settled().await;
    let incident = server.get("/api/v1/incidents").await["items"][0]["id"].as_str().unwrap().to_owned();
    let card = room.card("orders-db").await;
    assert!(words(&card.activity).contains("CRITICAL"), "{}", card.activity);
    assert!(!teams.notices().is_empty(), "the workflow was told");

    // Who has no right is told so, and nothing happens.
    room.press(&stranger, &card, "Acknowledge", &json!({})).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(room.incident(&incident).await["status"], "open");

    // Acknowledged there: seen in the API, the terminal and on the card.
    let (status, answer) = room.press(&zoe, &card, "Acknowledge", &json!({})).await;
    assert_eq!(status, 200, "{answer}");
    let acknowledged = room.becomes(&incident, "status", "acknowledged").await;
    assert_eq!(acknowledged["acknowledged_by"], "zoe");
    assert!(server.cli(&["show", &incident]).1.contains("zoe"), "the terminal says who takes care");
    until("the card says who takes care", &server, async || {
        room.cards().into_iter().find(|kept| words(&kept.activity).contains("zoe takes care"))
    })
    .await;

    // A question in the thread is answered there.
    let (status, _) = teams.say(&room.door, &zoe, &At::thread(CHANNEL, &card.id), "what is going on?").await;
    assert_eq!(status, 200);
    until("an answer in the thread", &server, async || {
        teams.messages().into_iter().find(|kept| {
            words(&kept.activity).contains("as of position")
                && kept.id != card.id
                && words(&kept.activity).contains("Helpful")
        })
    })
    .await;

    // Another incident is a part of it.
    assert_eq!(server.fire("QueueGrowing", "mail-queue", "high").await.0, 200);
    let other = room.card("mail-queue").await;
    let merged = server.settled().await;
    assert!(merged["settled"] == true);
    let second =
        server.get("/api/v1/incidents?service=mail-queue").await["items"][0]["id"].as_str().unwrap().to_owned();
    room.press(&zoe, &other, "Merge", &json!({"into": incident[4..12]})).await;
    room.becomes(&second, "merged_into", &incident).await;

    // Resolved with its cause, which is a label.
    let over = json!({"cause": "the volume was full", "resolution": "deleted old exports"});
    room.press(&zoe, &card, "Resolve", &over).await;
    let resolved = room.becomes(&incident, "status", "resolved").await;
    assert_eq!((&resolved["cause"], &resolved["resolution"]), (&over["cause"], &over["resolution"]));
    until("the cause on the card", &server, async || {
        room.cards()
            .into_iter()
            .find(|kept| kept.id == card.id && words(&kept.activity).contains("the volume was full"))
    })
    .await;
    let label = until("a label", &server, async || {
        let labels = server.all("/api/v1/labels?kind=cause").await;
        labels.into_iter().find(|label| label["value"] == "the volume was full")
    })
    .await;
    assert_eq!((&label["by"], &label["provenance"]), (&json!("zoe"), &json!("explicit")), "{label}");

    // An old button is answered with the new state, and changes nothing.
    let stale = action(&card.activity, "Acknowledge").expect("the card as it first was");
    let pressed = teams.pressed_on(&zoe, &card, &stale, &json!({}));
    let before = teams.messages().len();
    teams.deliver(&room.door, &teams.authorization(Token::Good), &pressed).await;
    until("a word about the new state", &server, async || {
        teams.messages().into_iter().skip(before).find(|kept| words(&kept.activity).contains("resolved"))
    })
    .await;
    assert_eq!(room.incident(&incident).await["status"], "resolved");

    // The same delivery a hundred times has one effect.
    assert_eq!(server.fire("LinkFlapping", "gateway-eu", "medium").await.0, 200);
    let third = room.card("gateway-eu").await;
    let button = action(&third.activity, "Acknowledge").unwrap();
    let pressed = teams.pressed_on(&zoe, &third, &button, &json!({}));
    let commands = server.all("/api/v1/events?kind=intake.command").await.len();
    for _ in 0..100 {
        let (status, _) = teams.deliver(&room.door, &teams.authorization(Token::Good), &pressed).await;
        assert_eq!(status, 200);
    }
    server.settled().await;
    assert_eq!(server.all("/api/v1/events?kind=intake.command").await.len(), commands + 1);

    // What the vendor did not sign leaves nothing behind.
    let events = server.all("/api/v1/events").await.len();
    let message = teams.message(&zoe, &At::channel(CHANNEL), "list");
    for token in Token::BAD {
        let (status, _) = teams.deliver(&room.door, &teams.authorization(token), &message).await;
        assert!(matches!(status, 401 | 403), "{token:?}: {status}");
    }
    server.settled().await;
    assert_eq!(server.all("/api/v1/events").await.len(), events, "a refused delivery is no event");

    // An outgoing webhook asks, and never acts.
    let outgoing = server.url("/teams/outgoing");
    let question = teams.message(&zoe, &At::channel(CHANNEL), "what is going on?");
    let (status, answer) = teams.deliver_outgoing(&outgoing, WEBHOOK, &question).await;
    assert!(status == 200 && !words(&answer).is_empty(), "{status} {answer}");
    let (status, _) = teams.deliver_outgoing(&outgoing, "YW5vdGhlciBrZXk=", &question).await;
    assert_eq!(status, 401);

    // One card per incident and channel, and the same state when it is folded anew.
    let cards = room.cards();
    assert_eq!(cards.len(), 3, "{cards:#?}");
    let (status, replayed) = server.post("/api/v1/replay", &json!({})).await;
    assert!(status == 200 && replayed["identical"] == true, "{replayed}");
    let chat = server.get("/api/v1/chat").await;
    assert!(chat.to_string().contains("teams"), "{chat}");
    drop(room);

    // No secret of the vendor's in the ledger, and a restart shows nothing twice.
    let events = server.all("/api/v1/events").await;
    let text = serde_json::to_string(&events).unwrap();
    for secret in [PASSWORD, WEBHOOK, standin_teams::WORKFLOW_SIGNATURE, "eyJ"] {
        assert!(!text.contains(secret), "{secret} stands in the ledger");
    }
    assert!(server.stop().success(), "{}", server.log());
    let server = started(data.path(), ledger, &config, &teams).await;
    server.settled().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let room = Room { server: &server, teams: &teams, door: String::new() };
    assert_eq!(room.cards().len(), 3, "after a restart");
}
