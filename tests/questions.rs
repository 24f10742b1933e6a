//! Every kind of question over every recording, as of positions that a seed picks: each is answered, in a few lines, with
//! nothing of what was recorded later.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

use crate::support;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hindcast_clock::{Clock as _, System};
use hindcast_domain::Time;
use serde_json::{Value, json};
use support::world::{Dice, Wrong};
use support::{Ledger, Server, folder};

/// How people ask, by what it asks for; `{x}` and the like stand for names.
const EXAMPLES: &str = include_str!("../services/copilot/src/intent/examples.txt");
/// Questions of each kind at each position.
const OF_EACH: usize = 2;
/// Positions of each recording.
const POSITIONS: usize = 3;
/// Lines of an answer: the one that answers, five more, and one on the language of the question.
const LINES_MAX: usize = 7;

#[tokio::test(flavor = "multi_thread")]
async fn no_question_is_answered_with_what_came_later() {
    for name in ["pg-pool", "shop-day", "calm-day"] {
        let seed = support::seed();
        of_recording(name, seed).await;
    }
}

async fn of_recording(name: &str, seed: u64) {
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recordings").join(name);
    let data = folder();
    let catalog = root.join("catalog.yaml");
    let more = ["--catalog", catalog.to_str().unwrap()];
    let server = Server::start(data.path(), Ledger::Embedded, &more).await;
    feed(&server, &root).await;
    server.settled().await;

    let mut known: BTreeMap<String, u64> = BTreeMap::new();
    let events = server.all("/api/v1/events").await;
    for event in &events {
        let position = event["position"].as_u64().unwrap();
        for id in [event["id"].as_str().unwrap(), event["subject"].as_str().unwrap()] {
            known.entry(id.to_owned()).or_insert(position);
        }
    }
    known.retain(|id, _| id.starts_with("INC-") || id.starts_with("EVT-"));
    assert!(known.keys().any(|id| id.starts_with("INC-")), "{name}: an incident was opened");

    let mut dice = Dice::new(seed);
    let mut wrong = Wrong::default();
    let mut later = 0;
    for number in 0..POSITIONS {
        // One of them is early, so that there is something to keep silent about.
        let among = if number == 0 { events.len().div_ceil(10) } else { events.len() };
        let index = usize::try_from(dice.below(among as u64)).unwrap();
        let position = events[index]["position"].as_u64().unwrap();
        for (intent, question) in questions(&mut dice) {
            let place = format!("{name}, seed {seed}, as of {position}, {intent}, {question:?}");
            let (status, answer) = server.post("/api/v1/ask", &json!({"question": question, "as_of": position})).await;
            wrong.unless(status == 200, || format!("{place}: {status} {answer}"));
            if status == 200 {
                check(&place, &answer, position, &known, &mut wrong);
            }
        }
        // The check can fail: what is answered about now names what came after then.
        let (_, now) = server.post("/api/v1/ask", &json!({"question": "list all incidents"})).await;
        later += known.iter().filter(|(id, at)| **at > position && now.to_string().contains(id.as_str())).count();
    }
    wrong.unless(later > 0, || format!("{name}, seed {seed}: nothing came after any of the positions"));
    wrong.none(&format!("{name}, seed {seed}"));
}

fn check(place: &str, answer: &Value, position: u64, known: &BTreeMap<String, u64>, wrong: &mut Wrong) {
    let text = answer["answer"].as_str().unwrap_or_default();
    let lines = text.lines().count();
    wrong.unless(!text.trim().is_empty(), || format!("{place}: the answer is empty"));
    wrong.unless(lines <= LINES_MAX, || format!("{place}: {lines} lines:\n{text}"));
    wrong.unless(answer["lead"].as_str() == text.lines().next(), || {
        format!("{place}: what answers comes first:\n{text}")
    });
    wrong.unless(answer["position"].as_u64().is_some_and(|at| at <= position), || {
        format!("{place}: answered as of {}", answer["position"])
    });
    let mut said = answer.clone();
    // The events that keep this turn are recorded now.
    said["recorded"] = Value::Null;
    let said = said.to_string();
    for (id, at) in known.iter().filter(|(_, at)| **at > position) {
        wrong.unless(!said.contains(id.as_str()), || format!("{place}: {id} of {at} is told:\n{text}"));
    }
    for claim in answer["claims"].as_array().into_iter().chain(answer["details"].as_array()).flatten() {
        wrong.unless(claim["verdict"] != "unsupported", || format!("{place}: a line of ours is removed: {claim}"));
    }
}

/// Questions of each kind, with names in them.
pub fn questions(dice: &mut Dice) -> Vec<(String, String)> {
    let mut by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut intent = "";
    for line in EXAMPLES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(name) => intent = name,
            None => by.entry(intent).or_default().push(line),
        }
    }
    let mut all = Vec::new();
    for (intent, examples) in by {
        for _ in 0..OF_EACH {
            let example = examples[usize::try_from(dice.below(examples.len() as u64)).unwrap()];
            all.push((intent.to_owned(), named(example, dice)));
        }
    }
    all
}

fn named(example: &str, dice: &mut Dice) -> String {
    let mut question = example.to_owned();
    let names: [(&str, &[&str]); 6] = [
        ("{x}", &["postgres", "checkout", "redis", "backup", "lichen"]),
        ("{alert}", &["NginxHigh5xxRate", "ServiceHighErrorRate", "BackupTooOld"]),
        ("{ver}", &["v42", "v18", "v99"]),
        ("{who}", &["data", "ada"]),
        ("{con}", &["disk", "memory", "error rate"]),
        ("{time}", &["ten minutes ago", "before the deploy", "at 17:21", "yesterday evening"]),
    ];
    for (place, names) in names {
        while let Some(at) = question.find(place) {
            let name = names[usize::try_from(dice.below(names.len() as u64)).unwrap()];
            question.replace_range(at..at + place.len(), name);
        }
    }
    question.replace("{inc}", "the incident")
}

/// Sends what was recorded: alerts of one channel, and changes.
pub async fn feed(server: &Server, root: &Path) {
    let facts: Value = serde_json::from_slice(&std::fs::read(root.join("recording.json")).unwrap()).unwrap();
    let play = facts["play"].as_str().unwrap();
    let packed = std::fs::File::open(root.join("requests.ndjson.zst")).unwrap();
    let requests = String::from_utf8(zstd::decode_all(packed).unwrap()).unwrap();
    for request in requests.lines() {
        let request: Value = serde_json::from_str(request).unwrap();
        let channel = request["channel"].as_str().unwrap();
        if ![play, "change", "github"].contains(&channel) {
            continue;
        }
        let mut sent = reqwest::Client::new().post(server.url(request["path"].as_str().unwrap()));
        for (name, value) in request["headers"].as_object().unwrap() {
            sent = sent.header(name, value.as_str().unwrap());
        }
        let mut body = request["body"].as_str().unwrap().to_owned();
        if channel == play {
            body = moved(&body, request["at"].as_str().unwrap().parse().unwrap());
        }
        let answer = sent.body(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{channel}: {}", answer.status());
    }
}

/// Alerts as if they were sent now: what fired then fires, and what had ended has.
fn moved(body: &str, at: Time) -> String {
    let ahead = System.now().since(at);
    let mut alerts: Value = serde_json::from_str(body).unwrap();
    for alert in alerts.as_array_mut().unwrap() {
        for name in ["startsAt", "endsAt"] {
            let moved = alert[name].as_str().and_then(|time| time.parse::<Time>().ok()).map(|time| time + ahead);
            if let Some(moved) = moved {
                alert[name] = moved.to_string().into();
            }
        }
    }
    alerts.to_string()
}
