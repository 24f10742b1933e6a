//! Chat from outside, on both ledgers, against stand-ins of the vendors: one incident's whole life in a channel
//! (card, thread, acknowledgement, question, merge, resolution with its cause, label), seen alike in the API, the
//! terminal and the replay; and what nobody signed, pressed twice, or may not do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

use crate::standin_slack;
use crate::standin_teams;
use crate::support;
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

/// Waits until each vendor has what is meant for it.
async fn everything_is_sent(server: &Server) {
    until("an empty queue", server, async || {
        let chat = server.get("/api/v1/chat").await;
        let is_empty = chat["items"].as_array().unwrap().iter().all(|item| item["queued"] == 0);
        (chat["caught_up"] == true && is_empty).then_some(())
    })
    .await;
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

/// The same, for other tests.
pub fn card_words(of: &Value) -> String {
    words(of)
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
    // The first message settles for two seconds.
    let began = std::time::Instant::now();
    while teams.notices().is_empty() {
        assert!(began.elapsed() < std::time::Duration::from_secs(10), "the workflow was told");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }

    // Who has no right is told so, and nothing happens.
    room.press(&stranger, &card, "Acknowledge", &json!({})).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(room.incident(&incident).await["status"], "open");

    // Acknowledged there: seen in the API, the terminal and on the card.
    let (status, answer) = room.press(&zoe, &card, "Acknowledge", &json!({})).await;
    assert_eq!(status, 200, "{answer}");
    let acknowledged = room.becomes(&incident, "status", "acknowledged").await;
    assert_eq!(acknowledged["acknowledged_by"], "zoe");
    assert!(server.cli(&["show", &incident]).1.contains("zoe"), "the terminal says who acknowledged it");
    until("the card says who acknowledged it", &server, async || {
        room.cards().into_iter().find(|kept| words(&kept.activity).contains("acknowledged by zoe"))
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
    room.press(&zoe, &other, "Merge…", &json!({})).await;
    let asked = until("a list to choose from", &server, async || {
        teams.messages().into_iter().find(|kept| words(&kept.activity).contains("Input.ChoiceSet"))
    })
    .await;
    assert_eq!(asked.only_for.as_deref(), Some(zoe.directory_id.as_str()), "it is for whoever pressed");
    room.press(&zoe, &asked, "Merge", &json!({"into": incident})).await;
    room.becomes(&second, "merged_into", &incident).await;

    // What is shown to one person looks as it does elsewhere.
    let before = teams.messages().len();
    teams.say(&room.door, &zoe, &At::channel(CHANNEL), &format!("show {}", &incident[..9])).await;
    until("a card for one person", &server, async || {
        let shown = teams.messages().into_iter().skip(before).find(|kept| kept.only_for.is_some())?;
        action(&shown.activity, "Resolve").map(|_| ())
    })
    .await;

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
    let events = written(&server.all("/api/v1/events").await);
    let message = teams.message(&zoe, &At::channel(CHANNEL), "list");
    for token in Token::BAD {
        let (status, _) = teams.deliver(&room.door, &teams.authorization(token), &message).await;
        assert!(matches!(status, 401 | 403), "{token:?}: {status}");
    }
    server.settled().await;
    assert_eq!(written(&server.all("/api/v1/events").await), events, "a refused delivery is no event");

    // Nor do people of another directory, though the vendor signed for them: anybody can install a bot.
    let mut foreign = message.clone();
    foreign["conversation"]["tenantId"] = json!("ffffffff-0000-4000-8000-000000000000");
    foreign["channelData"]["tenant"]["id"] = json!("ffffffff-0000-4000-8000-000000000000");
    let said = teams.messages().len();
    let (status, _) = teams.deliver(&room.door, &teams.authorization(Token::Good), &foreign).await;
    assert_eq!(status, 401);
    foreign["channelData"]["tenant"]["id"] = json!(TENANT);
    let (status, _) = teams.deliver(&room.door, &teams.authorization(Token::Good), &foreign).await;
    assert_eq!(status, 400, "it names two directories");
    assert_eq!(written(&server.all("/api/v1/events").await), events, "a refused delivery is no event");
    assert_eq!(teams.messages().len(), said, "and is not answered");

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
    everything_is_sent(&server).await;
    let room = Room { server: &server, teams: &teams, door: String::new() };
    assert_eq!(room.cards().len(), 3, "after a restart");
}

// ── Slack ──────────────────────────────────────────────────────────────────────────────────────────

use standin_slack::{APP, BOT, Kept, SIGNING, Slack};

const ROOM: &str = "C0OPS";

pub fn slack_settings(data: &Path, slack: &Slack, socket: bool) -> String {
    std::fs::create_dir_all(data).unwrap();
    let inbound =
        if socket { "app_token_env = \"TEST_SLACK_APP\"" } else { "signing_secret_env = \"TEST_SLACK_SIGNING\"" };
    let text = format!(
        r#"
[correlation]
reopen_within_s = 0
late_s = 0

[slack]
bot_token_env = "TEST_SLACK_BOT"
{inbound}
api_url = "{}"

[chat]
channels = [{{ vendor = "slack", channel = "{ROOM}" }}]
people = [{{ name = "zoe", slack = ["UZOE"], role = "responder" }}]
"#,
        slack.api_url(),
    );
    let file = data.join("chat.toml");
    std::fs::write(&file, text).unwrap();
    file.to_string_lossy().into_owned()
}

pub async fn slack_started(data: &Path, ledger: Ledger, config: &str) -> Server {
    let environment = [("TEST_SLACK_BOT", BOT), ("TEST_SLACK_APP", APP), ("TEST_SLACK_SIGNING", SIGNING)];
    let more = ["--ledger", ledger.flag(), "--config", config];
    let mut server = Server::spawn_with(free_port(), data, &more, &environment);
    server.ready().await;
    server
}

pub fn roots(slack: &Slack) -> Vec<Kept> {
    slack.messages().into_iter().filter(|kept| kept.thread.is_none()).collect()
}

async fn slack_card(slack: &Slack, server: &Server, word: &str) -> Kept {
    until(&format!("a card that says {word:?}"), server, async || {
        roots(slack).into_iter().find(|kept| words(&kept.body).contains(word))
    })
    .await
}

async fn has(server: &Server, id: &str, field: &str, value: &str) -> Value {
    until(&format!("{id} has {field} {value}"), server, async || {
        Some(server.get(&format!("/api/v1/incidents/{id}")).await).filter(|incident| incident[field] == value)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incidents_whole_life_in_slack_on_the_embedded_ledger() {
    life_in_slack(Ledger::Embedded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incidents_whole_life_in_slack_on_nats() {
    life_in_slack(Ledger::Nats).await;
}

/// How many events there are, but for what vendors took meanwhile: a card that is behind is delivered when it is.
fn written(events: &[Value]) -> usize {
    events.iter().filter(|event| event["type"] != "chat.delivered" && event["type"] != "chat.updated").count()
}

async fn life_in_slack(ledger: Ledger) {
    let (data, slack) = (folder(), Slack::start().await);
    let config = slack_settings(data.path(), &slack, false);
    let mut server = slack_started(data.path(), ledger, &config).await;
    let base = server.url("");

    assert_eq!(server.fire("DatabaseDown", "orders-db", "critical").await.0, 200);
    server.settled().await;
    let incident = server.get("/api/v1/incidents").await["items"][0]["id"].as_str().unwrap().to_owned();
    let card = slack_card(&slack, &server, "orders-db").await;

    // Who has no right is told so, and nothing happens.
    let (status, _) = slack.interact(&base, &slack.pressed("UMALLORY", &card, "Acknowledge")).await;
    assert_eq!(status, 200);
    until("a refusal", &server, async || (slack.answers().len() + slack.ephemerals().len() > 0).then_some(())).await;
    assert_eq!(server.get(&format!("/api/v1/incidents/{incident}")).await["status"], "open");

    // Acknowledged there: seen in the API, the terminal and on the card. The same press a hundred times is one.
    let press = slack.pressed("UZOE", &card, "Acknowledge");
    let commands = server.all("/api/v1/events?kind=intake.command").await.len();
    for _ in 0..100 {
        assert_eq!(slack.interact(&base, &press).await.0, 200);
    }
    assert_eq!(has(&server, &incident, "status", "acknowledged").await["acknowledged_by"], "zoe");
    assert_eq!(server.all("/api/v1/events?kind=intake.command").await.len(), commands + 1);
    assert!(server.cli(&["show", &incident]).1.contains("zoe"));
    slack_card(&slack, &server, "acknowledged by zoe").await;

    // A question in the thread is answered there, once, however often it is delivered.
    let question = slack.mentioned("UZOE", ROOM, &card.ts, "what is going on?");
    for _ in 0..5 {
        assert_eq!(slack.event(&base, &question).await.0, 200);
    }
    let asked =
        || slack.messages().into_iter().filter(|kept| words(&kept.body).contains("Helpful")).collect::<Vec<_>>();
    let answer = until("an answer in the thread", &server, async || asked().pop()).await;
    assert_eq!(answer.thread.as_deref(), Some(card.ts.as_str()));
    slack.interact(&base, &slack.pressed("UZOE", &answer, "Helpful")).await;

    // A typed command is answered at once.
    let (status, listed) = slack.command(&base, "UZOE", ROOM, "list").await;
    assert_eq!(status, 200);
    let told = || listed.to_string() + &json!(slack.answers()).to_string() + &json!(slack.ephemerals()).to_string();
    until("a list", &server, async || told().contains("orders").then_some(())).await;
    slack.command(&base, "UZOE", ROOM, &format!("show {}", &incident[..9])).await;
    until("a card for one person", &server, async || {
        let shown: Vec<Value> = slack.answers().into_iter().chain(slack.ephemerals()).collect();
        shown.iter().find_map(|shown| standin_slack::button(shown, "Resolve…"))
    })
    .await;

    // Another incident is merged into it, in a dialog.
    assert_eq!(server.fire("QueueGrowing", "mail-queue", "high").await.0, 200);
    let other = slack_card(&slack, &server, "mail-queue").await;
    let second =
        server.get("/api/v1/incidents?service=mail-queue").await["items"][0]["id"].as_str().unwrap().to_owned();
    slack.interact(&base, &slack.pressed("UZOE", &other, "Merge…")).await;
    until("a dialog", &server, async || slack.views().pop()).await;
    slack.interact(&base, &slack.submitted("UZOE", &[("into", &incident)])).await;
    has(&server, &second, "merged_into", &incident).await;

    // Resolved with its cause, which is a label, and the thread asks what fixed it.
    slack.interact(&base, &slack.pressed("UZOE", &card_now(&slack, &card), "Resolve…")).await;
    until("a second dialog", &server, async || (slack.views().len() == 2).then_some(())).await;
    slack
        .interact(
            &base,
            &slack.submitted("UZOE", &[("cause", "the volume was full"), ("resolution", "deleted old exports")]),
        )
        .await;
    let resolved = has(&server, &incident, "status", "resolved").await;
    assert_eq!(
        (&resolved["cause"], &resolved["resolution"]),
        (&json!("the volume was full"), &json!("deleted old exports"))
    );
    slack_card(&slack, &server, "the volume was full").await;
    until("labels", &server, async || {
        let labels = server.all("/api/v1/labels").await;
        let has = |kind: &str, value: &str| {
            labels.iter().any(|one| one["kind"] == kind && one["value"] == value && one["by"] == "zoe")
        };
        (has("cause", "the volume was full") && has("answer", "helpful")).then_some(())
    })
    .await;

    // An old button is answered with the new state.
    let before = slack.answers().len() + slack.ephemerals().len();
    slack.interact(&base, &slack.pressed("UZOE", &card, "Acknowledge")).await;
    until("a word about the new state", &server, async || {
        let said: Vec<Value> = slack.answers().into_iter().chain(slack.ephemerals()).collect();
        (said.len() > before && said.iter().any(|said| said.to_string().contains("resolved"))).then_some(())
    })
    .await;

    // What the vendor did not sign leaves nothing behind.
    server.settled().await;
    let events = written(&server.all("/api/v1/events").await);
    let body = slack.mentioned("UZOE", ROOM, &card.ts, "who signed this?").to_string();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let (at, late, early) = (now.to_string(), (now - 302).to_string(), (now + 302).to_string());
    let good = Slack::signature(SIGNING, &at, &body);
    let (stamp, sign) = ("x-slack-request-timestamp", "x-slack-signature");
    let vectors: Vec<Vec<(&str, String)>> = vec![
        vec![],
        vec![(stamp, at.clone())],
        vec![(sign, good.clone())],
        vec![(stamp, at.clone()), (sign, Slack::signature("another secret", &at, &body))],
        vec![(stamp, at.clone()), (sign, Slack::signature(SIGNING, &at, &format!("{body} ")))],
        vec![(stamp, at.clone()), (stamp, at.clone()), (sign, good.clone())],
        vec![(stamp, at.clone()), (sign, good.clone()), (sign, good.clone())],
        vec![(stamp, late.clone()), (sign, Slack::signature(SIGNING, &late, &body))],
        vec![(stamp, early.clone()), (sign, Slack::signature(SIGNING, &early, &body))],
        vec![(stamp, at.clone()), (sign, good.to_uppercase())],
    ];
    for vector in &vectors {
        let headers: Vec<(&str, &str)> = vector.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (status, _) = slack.send_with(&format!("{base}/slack/events"), "application/json", &body, &headers).await;
        assert_eq!(status, 401, "{headers:?}");
    }
    server.settled().await;
    assert_eq!(written(&server.all("/api/v1/events").await), events, "a refused delivery is no event");
    let (status, shown) = slack.event(&base, &json!({"type": "url_verification", "challenge": "c-1"})).await;
    assert!(status == 200 && shown.to_string().contains("c-1"), "{status} {shown}");

    // The vendor is away: nothing else waits, the queue is seen, and all of it comes when the vendor does.
    slack.set(standin_slack::Mode::Down);
    assert_eq!(server.fire("LinkFlapping", "gateway-eu", "critical").await.0, 200);
    server.settled().await;
    let third = server.get("/api/v1/incidents?service=gateway-eu").await["items"][0]["id"].as_str().unwrap().to_owned();
    until("a page, which does not wait for chat", &server, async || {
        let notices = server.get(&format!("/api/v1/notices?incident={third}")).await;
        (notices["items"][0]["status"] == "delivered").then_some(())
    })
    .await;
    until("a queue that is seen", &server, async || {
        let chat = queue(&server).await;
        (chat["queued"].as_u64() > Some(0) && chat["reachable"] == false && chat["last_error"].is_string())
            .then_some(())
    })
    .await;
    slack.set(standin_slack::Mode::Well);
    slack_card(&slack, &server, "gateway-eu").await;

    // A reply that is lost makes no second card: it is looked for by its key.
    slack.next(standin_slack::Mode::CutAfterAccept);
    assert_eq!(server.fire("CertificateExpires", "vault", "high").await.0, 200);
    slack_card(&slack, &server, "vault").await;
    server.settled().await;
    until("everything shown", &server, async || (queue(&server).await["queued"] == 0).then_some(())).await;
    assert_eq!(slack.doubles(), Vec::<String>::new());
    assert_eq!(roots(&slack).len(), 4);

    let (status, replayed) = server.post("/api/v1/replay", &json!({})).await;
    assert!(status == 200 && replayed["identical"] == true, "{replayed}");
    let text = serde_json::to_string(&server.all("/api/v1/events").await).unwrap();
    for secret in [BOT, APP, SIGNING, "/actions/", "trigger."] {
        assert!(!text.contains(secret), "{secret} stands in the ledger");
    }
    assert!(server.stop().success(), "{}", server.log());
    let server = slack_started(data.path(), ledger, &config).await;
    server.settled().await;
    everything_is_sent(&server).await;
    assert_eq!((roots(&slack).len(), slack.doubles().len()), (4, 0), "after a restart");
    drop(server);
}

/// How chat with Slack is.
async fn queue(server: &Server) -> Value {
    let chat = server.get("/api/v1/chat").await;
    let vendors =
        chat["items"].as_array().or(chat["vendors"].as_array()).or(chat.as_array()).cloned().unwrap_or_default();
    vendors.into_iter().find(|one| one["vendor"] == "slack").unwrap_or_else(|| panic!("no word of slack: {chat}"))
}

/// A message as it stands now.
fn card_now(slack: &Slack, card: &Kept) -> Kept {
    slack.messages().into_iter().find(|kept| kept.ts == card.ts).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_public_address_deliveries_come_over_a_connection_of_ours() {
    let (data, slack) = (folder(), Slack::start().await);
    let config = slack_settings(data.path(), &slack, true);
    let server = slack_started(data.path(), Ledger::Embedded, &config).await;
    assert_eq!(server.fire("DatabaseDown", "orders-db", "critical").await.0, 200);
    let card = slack_card(&slack, &server, "orders-db").await;
    let incident = server.get("/api/v1/incidents").await["items"][0]["id"].as_str().unwrap().to_owned();
    until("a connection", &server, async || (slack.connections() > 0).then_some(())).await;
    let press = slack.pressed("UZOE", &card, "Acknowledge");
    let id = slack.push("interactive", &press).unwrap();
    has(&server, &incident, "status", "acknowledged").await;
    until("an acknowledgement", &server, async || {
        slack.acknowledged().into_iter().find(|one| one["envelope_id"] == id.as_str())
    })
    .await;
    // The vendor renews the connection, and nothing is missed.
    let opened = slack.calls("apps.connections.open");
    slack.refresh();
    until("another connection", &server, async || (slack.calls("apps.connections.open") > opened).then_some(())).await;
    let question = slack.mentioned("UZOE", ROOM, &card.ts, "what is going on?");
    until("a delivery over it", &server, async || slack.push("events_api", &question)).await;
    until("an answer", &server, async || {
        slack.messages().into_iter().find(|kept| words(&kept.body).contains("Helpful"))
    })
    .await;
    // Signed doors are shut where no secret is set.
    let (status, _) = slack.event(&server.url(""), &question).await;
    assert_eq!(status, 501);
}
