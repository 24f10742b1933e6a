//! `kill -9` around sending, against stand-ins of both vendors, on both ledgers: before a message is taken, after it
//! is taken and before we know, while we are told, and at any moment. In Slack each message stands there once. Teams
//! cannot be asked what it took, so a message stands there twice where a kill fell between its being taken and our
//! knowing; none is lost. With the look-up switched off the same test is seen to turn red. `HINDCAST_TEST_KILLS`
//! sets how many kills each ledger gets (eight where it is not set: each point of a message's way once with each
//! vendor), and each run draws its moments from a fresh seed, which it prints.
//!
//! Several processes of one installation are a second sender; of two, one delivers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

use crate::standin_slack;
use crate::standin_teams;
use crate::support;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use standin_slack::{BOT, SIGNING, Slack, trap as in_slack};
use standin_teams::{APP_ID, PASSWORD, TENANT, Teams, trap as in_teams};
use support::{Ledger, Nats, Server, folder, free_port};

const ROOM: &str = "C0OPS";
const CHANNEL: &str = "19:ops@thread.tacv2";
/// How long a message is waited for at the point where the kill is to fall.
const PATIENCE: Duration = Duration::from_secs(4);

/// The figures of one run.
#[derive(Debug, Default)]
struct Figures {
    kills: usize,
    /// Kills that found a message at the point that was asked for.
    met: usize,
    incidents: usize,
    /// Messages that were asked for, by vendor.
    requested: BTreeMap<String, usize>,
    /// Requested, and no fact of its delivery.
    undelivered: usize,
    /// At the vendor's though nobody asked for it, or not there though it is said to be.
    strays: usize,
    slack_doubles: usize,
    teams_doubles: usize,
    /// Incidents without exactly one card in Slack, or without one in Teams.
    without_card: Vec<String>,
    found: usize,
    slowest_recovery: Duration,
}

fn settings(data: &Path, slack: &Slack, teams: &Teams) -> String {
    std::fs::create_dir_all(data).unwrap();
    let text = format!(
        r#"
[slack]
bot_token_env = "TEST_SLACK_BOT"
signing_secret_env = "TEST_SLACK_SIGNING"
api_url = "{}"

[teams]
app_id = "{APP_ID}"
app_password_env = "TEST_TEAMS_PASSWORD"
tenant = "{TENANT}"
metadata_url = "{}"
token_url = "{}"
service_url = "{}"

[chat]
channels = [{{ vendor = "slack", channel = "{ROOM}" }}, {{ vendor = "teams", channel = "{CHANNEL}" }}]
"#,
        slack.api_url(),
        teams.metadata_url(),
        teams.token_url(),
        teams.service_url(),
    );
    let file = data.join("chat.toml");
    std::fs::write(&file, text).unwrap();
    file.to_string_lossy().into_owned()
}

const ENVIRONMENT: [(&str, &str); 3] =
    [("TEST_SLACK_BOT", BOT), ("TEST_SLACK_SIGNING", SIGNING), ("TEST_TEAMS_PASSWORD", PASSWORD)];

/// A wait for a message to be at a point of its way to one of the vendors; at no point, for a random moment.
async fn sprung(seed: u64, kill: usize, slack: &Slack, teams: &Teams) -> bool {
    let at = match kill / 2 % 4 {
        0 => (in_slack::Point::Arrived, in_teams::Point::Arrived),
        1 => (in_slack::Point::Taken, in_teams::Point::Taken),
        2 => (in_slack::Point::Answered, in_teams::Point::Answered),
        _ => {
            tokio::time::sleep(Duration::from_millis(support::mixed(seed, kill, 400))).await;
            return true;
        }
    };
    let wait = if kill.is_multiple_of(2) { slack.trap().set(at.0) } else { teams.trap().set(at.1) };
    let met = tokio::time::timeout(PATIENCE, wait).await.is_ok();
    // Our knowing and its being written lie within a few milliseconds.
    if at.0 == in_slack::Point::Answered {
        tokio::time::sleep(Duration::from_micros(support::mixed(seed, kill, 12_000))).await;
    }
    met
}

/// Somebody declares an incident and somebody takes care of it: two messages in each channel.
async fn work(server: &Server, kill: usize) {
    let declared =
        json!({"title": format!("case {kill:04} is slow"), "severity": "high", "services": [format!("svc-{kill:04}")]});
    // A kill may fall into the request: then it is asked for again by nobody, and both outcomes are good.
    let Ok(answer) = server.client.post(server.url("/api/v1/incidents")).json(&declared).send().await else { return };
    let Ok(incident) = answer.json::<Value>().await else { return };
    if let Some(id) = incident["id"].as_str() {
        server
            .client
            .post(server.url(&format!("/api/v1/incidents/{id}/acknowledge")))
            .json(&json!({}))
            .send()
            .await
            .ok();
    }
}

async fn killed(ledger: Ledger, kills: usize, more: &[&str]) -> Figures {
    let (data, slack, teams) = (folder(), Slack::start().await, Teams::start().await);
    let config = settings(data.path(), &slack, &teams);
    let (port, seed) = (free_port(), support::seed());
    let all = [&["--ledger", ledger.flag(), "--config", &config], more].concat();
    let mut figures = Figures { kills, ..Figures::default() };
    let mut server = Server::spawn_with(port, data.path(), &all, &ENVIRONMENT);
    server.ready().await;
    for kill in 0..kills {
        let (met, ()) = tokio::join!(sprung(seed, kill, &slack, &teams), async {
            tokio::time::timeout(PATIENCE, work(&server, kill)).await.ok();
        });
        figures.met += usize::from(met);
        let killed = Instant::now();
        server.kill();
        server.comes_back(&all, &ENVIRONMENT).await;
        figures.slowest_recovery = figures.slowest_recovery.max(killed.elapsed());
    }
    server.settled().await;
    count(&mut figures, &server, &slack, &teams).await;
    println!("{ledger:?}: {figures:#?}");
    figures
}

/// Waits until nothing is queued any more, and compares what was asked for with what stands there.
async fn count(figures: &mut Figures, server: &Server, slack: &Slack, teams: &Teams) {
    let began = Instant::now();
    loop {
        let chat = server.get("/api/v1/chat").await;
        let queued: u64 = chat["items"].as_array().unwrap().iter().map(|item| item["queued"].as_u64().unwrap()).sum();
        if chat["caught_up"] == true && queued == 0 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(180), "still queued: {chat}\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let events = server.all("/api/v1/events").await;
    let of = |kind: &str| events.iter().filter(|event| event["type"] == kind).collect::<Vec<_>>();
    let (requested, delivered) = (of("chat.requested"), of("chat.delivered"));
    for request in &requested {
        *figures.requested.entry(request["data"]["vendor"].as_str().unwrap().to_owned()).or_default() += 1;
        let id = &request["subject"];
        figures.undelivered += usize::from(!delivered.iter().any(|fact| fact["subject"] == *id));
    }
    figures.found = delivered.iter().filter(|fact| fact["data"]["found"] == true).count();
    figures.slack_doubles = slack.doubles().len();
    let mut keys = BTreeMap::<String, usize>::new();
    for kept in slack.messages() {
        *keys.entry(kept.body["metadata"]["event_payload"]["key"].as_str().unwrap_or("?").to_owned()).or_default() += 1;
    }
    let is_asked = |key: &String| requested.iter().any(|request| request["subject"] == json!(key));
    let in_slack: Vec<_> = requested.iter().filter(|request| request["data"]["vendor"] == "slack").collect();
    figures.strays = keys.keys().filter(|key| !is_asked(key)).count()
        + in_slack.iter().filter(|request| !keys.contains_key(request["subject"].as_str().unwrap())).count();
    let in_teams = teams.messages().len();
    figures.teams_doubles = in_teams.saturating_sub(figures.requested["teams"]);
    for incident in server.all("/api/v1/incidents").await {
        figures.incidents += 1;
        let title = incident["title"].as_str().unwrap();
        let roots = slack.messages().into_iter().filter(|kept| kept.thread.is_none());
        let in_slack = roots.filter(|kept| kept.body.to_string().contains(title)).count();
        let is_root = |kept: &standin_teams::Kept| kept.conversation == format!("{CHANNEL};messageid={}", kept.id);
        let roots = teams.messages().into_iter().filter(is_root);
        let in_teams = roots.filter(|kept| kept.activity.to_string().contains(title)).count();
        if in_slack != 1 || in_teams == 0 {
            figures.without_card.push(format!("{title}: {in_slack} in Slack, {in_teams} in Teams"));
        }
    }
}

fn assert_kept(figures: &Figures) {
    assert!(figures.incidents >= figures.kills * 9 / 10, "{figures:#?}");
    assert_eq!(figures.without_card, Vec::<String>::new(), "one card per incident and channel");
    assert_eq!((figures.undelivered, figures.strays, figures.slack_doubles), (0, 0, 0), "{figures:#?}");
    assert!(figures.met * 10 >= figures.kills * 9, "kills fell where they should: {figures:#?}");
    assert!(figures.teams_doubles <= figures.kills, "no more than the kills explain: {figures:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn through_kills_around_sending_each_message_stands_there_once_on_the_embedded_ledger() {
    assert_kept(&killed(Ledger::Embedded, support::kills(8), &[]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn through_kills_around_sending_each_message_stands_there_once_on_nats() {
    assert_kept(&killed(Ledger::Nats, support::kills(8), &[]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn sending_again_without_asking_is_found() {
    let figures = killed(Ledger::Embedded, support::kills(16).min(16), &["--fail-point-send-blindly"]).await;
    assert!(figures.slack_doubles > 0, "nothing stands there twice although nobody asked: {figures:#?}");
}

// ── several processes ──────────────────────────────────────────────────────────────────────────────

/// Everything but chat in one process, and chat in two more of the same installation, of which one or the other is
/// killed while incidents come.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_that_could_deliver_one_does_and_the_other_takes_over() {
    let (store, slack, teams) = (folder(), Slack::start().await, Teams::start().await);
    let nats = Nats::start(store.path(), free_port());
    nats.ready().await;
    let url = nats.url();
    let folders = [folder(), folder(), folder()];
    let config = settings(folders[0].path(), &slack, &teams);
    let more = ["--ledger", &url, "--accept-lossy-ledger", "--install", "one", "--config", &config];
    let rest = ["serve", "gateway", "control", "correlator", "pager", "learning", "console"];
    let mut server = Server::spawn_as(&rest, free_port(), folders[0].path(), &more, &ENVIRONMENT);
    server.ready().await;
    let start = |n: usize| Server::spawn_as(&["serve", "chat"], free_port(), folders[n].path(), &more, &ENVIRONMENT);
    let mut chats = [start(1), start(2)];
    for chat in &mut chats {
        chat.ready().await;
    }
    let cards = || slack.messages().into_iter().filter(|kept| kept.thread.is_none()).count();
    for round in 0..4_usize {
        for n in 0..3 {
            work(&server, round * 3 + n).await;
        }
        let began = Instant::now();
        while cards() < round * 4 + 3 {
            let log = || format!("{}\n{}", chats[0].log(), chats[1].log());
            assert!(began.elapsed() < Duration::from_secs(30), "round {round}: {} cards\n{}", cards(), log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // One of the two goes, which one delivers or not, and comes back.
        let gone = round % 2;
        chats[gone].kill();
        work(&server, 100 + round).await;
        // Every third time the other one has to take over before it is back.
        let began = Instant::now();
        while round % 3 == 0 && cards() < round * 4 + 4 {
            assert!(began.elapsed() < Duration::from_secs(30), "round {round}: nobody took over: {} cards", cards());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        chats[gone] = start(1 + gone);
        chats[gone].ready().await;
    }
    let began = Instant::now();
    while cards() < 16 && began.elapsed() < Duration::from_secs(30) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((cards(), slack.doubles()), (16, Vec::<String>::new()));
}
