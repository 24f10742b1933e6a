//! The whole life of an incident in a channel of Slack.

use std::path::Path;

use serde_json::{Value, json};

use super::{becomes, card_words as words, everything_is_sent, incident_of, replays_without_secrets, until, written};
use crate::standin_slack::{self, APP, BOT, Kept, SIGNING, Slack};
use crate::support::{Ledger, Server, folder, free_port};

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

/// The channel, with the server and the vendor behind it.
struct SlackRoom<'a> {
    server: &'a Server,
    slack: &'a Slack,
    base: String,
}

/// What happens there, step by step.
impl SlackRoom<'_> {
    /// The card that says a word, as soon as it does.
    async fn card(&self, word: &str) -> Kept {
        until(&format!("a card that says {word:?}"), self.server, async || {
            roots(self.slack).into_iter().find(|kept| words(&kept.body).contains(word))
        })
        .await
    }

    /// How chat with Slack is.
    async fn queue(&self) -> Value {
        let chat = self.server.get("/api/v1/chat").await;
        let vendors =
            chat["items"].as_array().or(chat["vendors"].as_array()).or(chat.as_array()).cloned().unwrap_or_default();
        vendors.into_iter().find(|one| one["vendor"] == "slack").unwrap_or_else(|| panic!("no word of slack: {chat}"))
    }

    /// A message as it stands now.
    fn card_now(&self, card: &Kept) -> Kept {
        self.slack.messages().into_iter().find(|kept| kept.ts == card.ts).unwrap()
    }

    /// An incident is a card; the incident and its card.
    async fn begins(&self) -> (String, Kept) {
        assert_eq!(self.server.fire("DatabaseDown", "orders-db", "critical").await.0, 200);
        self.server.settled().await;
        let incident = incident_of(self.server, None).await;
        let card = self.card("orders-db").await;
        (incident, card)
    }

    /// Who has no right is told so, and nothing happens.
    async fn refuses_a_stranger(&self, card: &Kept, incident: &str) {
        let (status, _) = self.slack.interact(&self.base, &self.slack.pressed("UMALLORY", card, "Acknowledge")).await;
        assert_eq!(status, 200);
        until("a refusal", self.server, async || {
            (self.slack.answers().len() + self.slack.ephemerals().len() > 0).then_some(())
        })
        .await;
        assert_eq!(self.server.get(&format!("/api/v1/incidents/{incident}")).await["status"], "open");
    }

    /// Acknowledged there: seen in the API, the terminal and on the card. The same press a hundred times is one.
    async fn acknowledges(&self, card: &Kept, incident: &str) {
        let press = self.slack.pressed("UZOE", card, "Acknowledge");
        let commands = self.server.all("/api/v1/events?kind=intake.command").await.len();
        for _ in 0..100 {
            assert_eq!(self.slack.interact(&self.base, &press).await.0, 200);
        }
        assert_eq!(becomes(self.server, incident, "status", "acknowledged").await["acknowledged_by"], "zoe");
        assert_eq!(self.server.all("/api/v1/events?kind=intake.command").await.len(), commands + 1);
        assert!(self.server.cli(&["show", incident]).1.contains("zoe"));
        self.card("acknowledged by zoe").await;
    }

    /// A question in the thread is answered there, once, however often it is delivered.
    async fn answers_in_the_thread(&self, card: &Kept) {
        let question = self.slack.mentioned("UZOE", ROOM, &card.ts, "what is going on?");
        for _ in 0..5 {
            assert_eq!(self.slack.event(&self.base, &question).await.0, 200);
        }
        let asked = || {
            self.slack.messages().into_iter().filter(|kept| words(&kept.body).contains("Helpful")).collect::<Vec<_>>()
        };
        let answer = until("an answer in the thread", self.server, async || asked().pop()).await;
        assert_eq!(answer.thread.as_deref(), Some(card.ts.as_str()));
        self.slack.interact(&self.base, &self.slack.pressed("UZOE", &answer, "Helpful")).await;
    }

    /// A typed command is answered at once.
    async fn answers_what_is_typed(&self, incident: &str) {
        let (status, listed) = self.slack.command(&self.base, "UZOE", ROOM, "list").await;
        assert_eq!(status, 200);
        let told = || {
            listed.to_string() + &json!(self.slack.answers()).to_string() + &json!(self.slack.ephemerals()).to_string()
        };
        until("a list", self.server, async || told().contains("orders").then_some(())).await;
        self.slack.command(&self.base, "UZOE", ROOM, &format!("show {}", &incident[..9])).await;
        until("a card for one person", self.server, async || {
            let shown: Vec<Value> = self.slack.answers().into_iter().chain(self.slack.ephemerals()).collect();
            shown.iter().find_map(|shown| standin_slack::button(shown, "Resolve…"))
        })
        .await;
    }

    /// Another incident is merged into it, in a dialog.
    async fn merges(&self, incident: &str) {
        assert_eq!(self.server.fire("QueueGrowing", "mail-queue", "high").await.0, 200);
        let other = self.card("mail-queue").await;
        let second = incident_of(self.server, Some("mail-queue")).await;
        self.slack.interact(&self.base, &self.slack.pressed("UZOE", &other, "Merge…")).await;
        until("a dialog", self.server, async || self.slack.views().pop()).await;
        self.slack.interact(&self.base, &self.slack.submitted("UZOE", &[("into", incident)])).await;
        becomes(self.server, &second, "merged_into", incident).await;
    }

    /// Resolved with its cause, which is a label, and the thread asks what fixed it.
    async fn resolves(&self, card: &Kept, incident: &str) {
        self.slack.interact(&self.base, &self.slack.pressed("UZOE", &self.card_now(card), "Resolve…")).await;
        until("a second dialog", self.server, async || (self.slack.views().len() == 2).then_some(())).await;
        self.slack
            .interact(
                &self.base,
                &self
                    .slack
                    .submitted("UZOE", &[("cause", "the volume was full"), ("resolution", "deleted old exports")]),
            )
            .await;
        let resolved = becomes(self.server, incident, "status", "resolved").await;
        assert_eq!(
            (&resolved["cause"], &resolved["resolution"]),
            (&json!("the volume was full"), &json!("deleted old exports"))
        );
        self.card("the volume was full").await;
        until("labels", self.server, async || {
            let labels = self.server.all("/api/v1/labels").await;
            let has = |kind: &str, value: &str| {
                labels.iter().any(|one| one["kind"] == kind && one["value"] == value && one["by"] == "zoe")
            };
            (has("cause", "the volume was full") && has("answer", "helpful")).then_some(())
        })
        .await;
    }

    /// An old button is answered with the new state.
    async fn answers_an_old_button(&self, card: &Kept) {
        let before = self.slack.answers().len() + self.slack.ephemerals().len();
        self.slack.interact(&self.base, &self.slack.pressed("UZOE", card, "Acknowledge")).await;
        until("a word about the new state", self.server, async || {
            let said: Vec<Value> = self.slack.answers().into_iter().chain(self.slack.ephemerals()).collect();
            (said.len() > before && said.iter().any(|said| said.to_string().contains("resolved"))).then_some(())
        })
        .await;
    }

    /// What the vendor did not sign leaves nothing behind.
    async fn refuses_what_is_not_signed(&self, card: &Kept) {
        self.server.settled().await;
        let events = written(&self.server.all("/api/v1/events").await);
        let body = self.slack.mentioned("UZOE", ROOM, &card.ts, "who signed this?").to_string();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let (at, late, early) = (now.to_string(), (now - 302).to_string(), (now + 302).to_string());
        let good = Slack::signature(SIGNING, &at, &body);
        let (stamp, sign) = ("x-self.slack-request-timestamp", "x-self.slack-signature");
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
            let (status, _) =
                self.slack.send_with(&format!("{}/slack/events", self.base), "application/json", &body, &headers).await;
            assert_eq!(status, 401, "{headers:?}");
        }
        self.server.settled().await;
        assert_eq!(written(&self.server.all("/api/v1/events").await), events, "a refused delivery is no event");
        let (status, shown) =
            self.slack.event(&self.base, &json!({"type": "url_verification", "challenge": "c-1"})).await;
        assert!(status == 200 && shown.to_string().contains("c-1"), "{status} {shown}");
    }

    /// The vendor is away: nothing else waits, the queue is seen, and all of it comes when the vendor does.
    async fn waits_for_a_vendor_that_is_away(&self) {
        self.slack.set(standin_slack::Mode::Down);
        assert_eq!(self.server.fire("LinkFlapping", "gateway-eu", "critical").await.0, 200);
        self.server.settled().await;
        let third = incident_of(self.server, Some("gateway-eu")).await;
        until("a page, which does not wait for chat", self.server, async || {
            let notices = self.server.get(&format!("/api/v1/notices?incident={third}")).await;
            (notices["items"][0]["status"] == "delivered").then_some(())
        })
        .await;
        until("a queue that is seen", self.server, async || {
            let chat = self.queue().await;
            (chat["queued"].as_u64() > Some(0) && chat["reachable"] == false && chat["last_error"].is_string())
                .then_some(())
        })
        .await;
        self.slack.set(standin_slack::Mode::Well);
        self.card("gateway-eu").await;
    }

    /// A reply that is lost makes no second card: it is looked for by its key.
    async fn makes_no_second_card(&self) {
        self.slack.next(standin_slack::Mode::CutAfterAccept);
        assert_eq!(self.server.fire("CertificateExpires", "vault", "high").await.0, 200);
        self.card("vault").await;
        self.server.settled().await;
        until("everything shown", self.server, async || (self.queue().await["queued"] == 0).then_some(())).await;
        assert_eq!(self.slack.doubles(), Vec::<String>::new());
        assert_eq!(roots(self.slack).len(), 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incidents_whole_life_in_slack_on_the_embedded_ledger() {
    life_in_slack(Ledger::Embedded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incidents_whole_life_in_slack_on_nats() {
    life_in_slack(Ledger::Nats).await;
}

async fn life_in_slack(ledger: Ledger) {
    let (data, slack) = (folder(), Slack::start().await);
    let config = slack_settings(data.path(), &slack, false);
    let mut server = slack_started(data.path(), ledger, &config).await;
    let room = SlackRoom { server: &server, slack: &slack, base: server.url("") };
    let (incident, card) = room.begins().await;
    room.refuses_a_stranger(&card, &incident).await;
    room.acknowledges(&card, &incident).await;
    room.answers_in_the_thread(&card).await;
    room.answers_what_is_typed(&incident).await;
    room.merges(&incident).await;
    room.resolves(&card, &incident).await;
    room.answers_an_old_button(&card).await;
    room.refuses_what_is_not_signed(&card).await;
    room.waits_for_a_vendor_that_is_away().await;
    room.makes_no_second_card().await;
    replays_without_secrets(&server, &[BOT, APP, SIGNING, "/actions/", "trigger."]).await;

    assert!(server.stop().success(), "{}", server.log());
    let server = slack_started(data.path(), ledger, &config).await;
    server.settled().await;
    everything_is_sent(&server).await;
    assert_eq!((roots(&slack).len(), slack.doubles().len()), (4, 0), "after a restart");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_public_address_deliveries_come_over_a_connection_of_ours() {
    let (data, slack) = (folder(), Slack::start().await);
    let config = slack_settings(data.path(), &slack, true);
    let server = slack_started(data.path(), Ledger::Embedded, &config).await;
    let room = SlackRoom { server: &server, slack: &slack, base: server.url("") };
    assert_eq!(server.fire("DatabaseDown", "orders-db", "critical").await.0, 200);
    let card = room.card("orders-db").await;
    let incident = incident_of(&server, None).await;
    until("a connection", &server, async || (slack.connections() > 0).then_some(())).await;
    let press = slack.pressed("UZOE", &card, "Acknowledge");
    let id = slack.push("interactive", &press).unwrap();
    becomes(&server, &incident, "status", "acknowledged").await;
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
    let (status, _) = slack.event(&room.base, &question).await;
    assert_eq!(status, 501);
}
