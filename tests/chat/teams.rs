//! The whole life of an incident in a channel of Teams.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::{becomes, card_words as words, everything_is_sent, incident_of, replays_without_secrets, until, written};
use crate::standin_teams::{self, APP_ID, At, Kept, PASSWORD, TENANT, Teams, Token, User, action};
use crate::support::{Ledger, Server, folder, free_port};

const CHANNEL: &str = "19:ops@thread.tacv2";
const WEBHOOK: &str = "aGluZGNhc3Qgb3V0Z29pbmcgd2ViaG9vaw==";

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

/// The channel, with the server and the vendor behind it.
struct TeamsRoom<'a> {
    server: &'a Server,
    teams: &'a Teams,
    door: String,
}

impl TeamsRoom<'_> {
    /// Cards in the channel, as they look now.
    fn cards(&self) -> Vec<Kept> {
        // A channel's first message gives its thread the name.
        let root = |kept: &Kept| kept.conversation == format!("{CHANNEL};messageid={}", kept.id);
        self.teams.messages().into_iter().filter(root).collect()
    }

    async fn card(&self, word: &str) -> Kept {
        until(&format!("a card that says {word:?}"), self.server, async || {
            self.cards().into_iter().find(|kept| words(&kept.activity).contains(word))
        })
        .await
    }

    async fn press(&self, user: &User, card: &Kept, title: &str, inputs: &Value) -> (u16, Value) {
        let now = self.teams.messages().into_iter().find(|kept| kept.id == card.id).unwrap();
        let button = action(&now.activity, title).unwrap_or_else(|| panic!("no button {title:?}: {}", now.activity));
        let pressed = self.teams.pressed_on(user, &now, &button, inputs);
        self.teams.deliver(&self.door, &self.teams.authorization(Token::Good), &pressed).await
    }

    async fn incident(&self, id: &str) -> Value {
        self.server.get(&format!("/api/v1/incidents/{id}")).await
    }
}

/// What happens there, step by step.
impl TeamsRoom<'_> {
    /// An incident is a card, and the workflow is notified; the incident and its card.
    async fn begins(&self) -> (String, Kept) {
        assert_eq!(self.server.fire("DatabaseDown", "orders-db", "critical").await.0, 200);
        self.server.settled().await;
        let incident = incident_of(self.server, None).await;
        let card = self.card("orders-db").await;
        assert!(words(&card.activity).contains("CRITICAL"), "{}", card.activity);
        // The first message settles for two seconds.
        let began = std::time::Instant::now();
        while self.teams.notices().is_empty() {
            assert!(began.elapsed() < std::time::Duration::from_secs(10), "the workflow was told");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        (incident, card)
    }

    /// Who has no right is told so, and nothing happens.
    async fn refuses_a_stranger(&self, stranger: &User, card: &Kept, incident: &str) {
        self.press(stranger, card, "Acknowledge", &json!({})).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(self.incident(incident).await["status"], "open");
    }

    /// Acknowledged there: seen in the API, the terminal and on the card.
    async fn acknowledges(&self, zoe: &User, card: &Kept, incident: &str) {
        let (status, answer) = self.press(zoe, card, "Acknowledge", &json!({})).await;
        assert_eq!(status, 200, "{answer}");
        let acknowledged = becomes(self.server, incident, "status", "acknowledged").await;
        assert_eq!(acknowledged["acknowledged_by"], "zoe");
        assert!(self.server.cli(&["show", incident]).1.contains("zoe"), "the terminal says who acknowledged it");
        until("the card says who acknowledged it", self.server, async || {
            self.cards().into_iter().find(|kept| words(&kept.activity).contains("acknowledged by zoe"))
        })
        .await;
    }

    /// A question in the thread is answered there.
    async fn answers_in_the_thread(&self, zoe: &User, card: &Kept) {
        let (status, _) = self.teams.say(&self.door, zoe, &At::thread(CHANNEL, &card.id), "what is going on?").await;
        assert_eq!(status, 200);
        until("an answer in the thread", self.server, async || {
            self.teams.messages().into_iter().find(|kept| {
                words(&kept.activity).contains("as of position")
                    && kept.id != card.id
                    && words(&kept.activity).contains("Helpful")
            })
        })
        .await;
    }

    /// Another incident is merged into it.
    async fn merges(&self, zoe: &User, incident: &str) {
        assert_eq!(self.server.fire("QueueGrowing", "mail-queue", "high").await.0, 200);
        let other = self.card("mail-queue").await;
        let merged = self.server.settled().await;
        assert!(merged["settled"] == true);
        let second = incident_of(self.server, Some("mail-queue")).await;
        self.press(zoe, &other, "Merge…", &json!({})).await;
        let asked = until("a list to choose from", self.server, async || {
            self.teams.messages().into_iter().find(|kept| words(&kept.activity).contains("Input.ChoiceSet"))
        })
        .await;
        assert_eq!(asked.only_for.as_deref(), Some(zoe.directory_id.as_str()), "it is for whoever pressed");
        self.press(zoe, &asked, "Merge", &json!({"into": incident})).await;
        becomes(self.server, &second, "merged_into", incident).await;
    }

    /// What is shown to one person looks as it does elsewhere.
    async fn shows_to_one_person(&self, zoe: &User, incident: &str) {
        let before = self.teams.messages().len();
        self.teams.say(&self.door, zoe, &At::channel(CHANNEL), &format!("show {}", &incident[..9])).await;
        until("a card for one person", self.server, async || {
            let shown = self.teams.messages().into_iter().skip(before).find(|kept| kept.only_for.is_some())?;
            action(&shown.activity, "Resolve").map(|_| ())
        })
        .await;
    }

    /// Resolved with its cause, which is a label.
    async fn resolves(&self, zoe: &User, card: &Kept, incident: &str) {
        let over = json!({"cause": "the volume was full", "resolution": "deleted old exports"});
        self.press(zoe, card, "Resolve", &over).await;
        let resolved = becomes(self.server, incident, "status", "resolved").await;
        assert_eq!((&resolved["cause"], &resolved["resolution"]), (&over["cause"], &over["resolution"]));
        until("the cause on the card", self.server, async || {
            self.cards()
                .into_iter()
                .find(|kept| kept.id == card.id && words(&kept.activity).contains("the volume was full"))
        })
        .await;
        let label = until("a label", self.server, async || {
            let labels = self.server.all("/api/v1/labels?kind=cause").await;
            labels.into_iter().find(|label| label["value"] == "the volume was full")
        })
        .await;
        assert_eq!((&label["by"], &label["provenance"]), (&json!("zoe"), &json!("explicit")), "{label}");
    }

    /// An old button is answered with the new state, and changes nothing.
    async fn answers_an_old_button(&self, zoe: &User, card: &Kept, incident: &str) {
        let stale = action(&card.activity, "Acknowledge").expect("the card as it first was");
        let pressed = self.teams.pressed_on(zoe, card, &stale, &json!({}));
        let before = self.teams.messages().len();
        self.teams.deliver(&self.door, &self.teams.authorization(Token::Good), &pressed).await;
        until("a word about the new state", self.server, async || {
            self.teams.messages().into_iter().skip(before).find(|kept| words(&kept.activity).contains("resolved"))
        })
        .await;
        assert_eq!(self.incident(incident).await["status"], "resolved");
    }

    /// The same delivery a hundred times has one effect.
    async fn acts_once(&self, zoe: &User) {
        assert_eq!(self.server.fire("LinkFlapping", "gateway-eu", "medium").await.0, 200);
        let third = self.card("gateway-eu").await;
        let button = action(&third.activity, "Acknowledge").unwrap();
        let pressed = self.teams.pressed_on(zoe, &third, &button, &json!({}));
        let commands = self.server.all("/api/v1/events?kind=intake.command").await.len();
        for _ in 0..100 {
            let (status, _) = self.teams.deliver(&self.door, &self.teams.authorization(Token::Good), &pressed).await;
            assert_eq!(status, 200);
        }
        self.server.settled().await;
        assert_eq!(self.server.all("/api/v1/events?kind=intake.command").await.len(), commands + 1);
    }

    /// What the vendor did not sign leaves nothing behind. Nor do people of another directory, though the vendor signed
    /// for them: anybody can install a bot.
    async fn refuses_what_is_not_ours(&self, zoe: &User) {
        let events = written(&self.server.all("/api/v1/events").await);
        let message = self.teams.message(zoe, &At::channel(CHANNEL), "list");
        for token in Token::BAD {
            let (status, _) = self.teams.deliver(&self.door, &self.teams.authorization(token), &message).await;
            assert!(matches!(status, 401 | 403), "{token:?}: {status}");
        }
        self.server.settled().await;
        assert_eq!(written(&self.server.all("/api/v1/events").await), events, "a refused delivery is no event");

        // Nor do people of another directory, though the vendor signed for them: anybody can install a bot.
        let mut foreign = message.clone();
        foreign["conversation"]["tenantId"] = json!("ffffffff-0000-4000-8000-000000000000");
        foreign["channelData"]["tenant"]["id"] = json!("ffffffff-0000-4000-8000-000000000000");
        let said = self.teams.messages().len();
        let (status, _) = self.teams.deliver(&self.door, &self.teams.authorization(Token::Good), &foreign).await;
        assert_eq!(status, 401);
        foreign["channelData"]["tenant"]["id"] = json!(TENANT);
        let (status, _) = self.teams.deliver(&self.door, &self.teams.authorization(Token::Good), &foreign).await;
        assert_eq!(status, 400, "it names two directories");
        assert_eq!(written(&self.server.all("/api/v1/events").await), events, "a refused delivery is no event");
        assert_eq!(self.teams.messages().len(), said, "and is not answered");
    }

    /// An outgoing webhook asks, and never acts.
    async fn answers_an_outgoing_webhook(&self, zoe: &User) {
        let outgoing = self.server.url("/teams/outgoing");
        let question = self.teams.message(zoe, &At::channel(CHANNEL), "what is going on?");
        let (status, answer) = self.teams.deliver_outgoing(&outgoing, WEBHOOK, &question).await;
        assert!(status == 200 && !words(&answer).is_empty(), "{status} {answer}");
        let (status, _) = self.teams.deliver_outgoing(&outgoing, "YW5vdGhlciBrZXk=", &question).await;
        assert_eq!(status, 401);
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
    let room = TeamsRoom { server: &server, teams: &teams, door: server.url("/teams/messages") };
    let (zoe, stranger) = (User::new("zoe"), User::new("mallory"));
    let (incident, card) = room.begins().await;
    room.refuses_a_stranger(&stranger, &card, &incident).await;
    room.acknowledges(&zoe, &card, &incident).await;
    room.answers_in_the_thread(&zoe, &card).await;
    room.merges(&zoe, &incident).await;
    room.shows_to_one_person(&zoe, &incident).await;
    room.resolves(&zoe, &card, &incident).await;
    room.answers_an_old_button(&zoe, &card, &incident).await;
    room.acts_once(&zoe).await;
    room.refuses_what_is_not_ours(&zoe).await;
    room.answers_an_outgoing_webhook(&zoe).await;

    // One card per incident and channel, the same state when it is folded anew, and no secret in the ledger.
    assert_eq!(room.cards().len(), 3, "{:#?}", room.cards());
    let chat = server.get("/api/v1/chat").await;
    assert!(chat.to_string().contains("teams"), "{chat}");
    replays_without_secrets(&server, &[PASSWORD, WEBHOOK, standin_teams::WORKFLOW_SIGNATURE, "eyJ"]).await;

    // A restart shows nothing twice.
    assert!(server.stop().success(), "{}", server.log());
    let server = started(data.path(), ledger, &config, &teams).await;
    server.settled().await;
    everything_is_sent(&server).await;
    let room = TeamsRoom { server: &server, teams: &teams, door: String::new() };
    assert_eq!(room.cards().len(), 3, "after a restart");
}
