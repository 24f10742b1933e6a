//! What we say of a recording ourselves, at positions and with questions that a seed picks, judged by somebody who was there:
//! no line is removed, none is a caption with nothing behind it, and none is false of what is known to have happened.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::questions::{feed, questions};
use crate::support::world::{Dice, Wrong};
use crate::support::{self, Ledger, Server, folder};

/// Pairs of position and question of each recording; `HINDCAST_TEST_PAIRS` asks for more.
const PAIRS: u64 = 10;

/// What is known to have happened.
struct Truth {
    /// Services in which a fault was, and titles of changes that did no harm.
    faulty: BTreeSet<String>,
    innocent: BTreeSet<String>,
}

impl Truth {
    fn read(root: &Path) -> Self {
        let all: Value = serde_json::from_slice(&std::fs::read(root.join("truth.json")).unwrap()).unwrap();
        let of = |list: &str, field: &str| -> Vec<(Value, String)> {
            let items = all[list].as_array().into_iter().flatten();
            items.map(|one| (one.clone(), one[field].as_str().unwrap_or_default().to_owned())).collect()
        };
        Self {
            faulty: of("faults", "service").into_iter().map(|(_, service)| service).collect(),
            innocent: of("changes", "title")
                .into_iter()
                .filter(|(one, _)| one["innocent"] == true)
                .map(|(_, title)| title)
                .collect(),
        }
    }

    /// What is false in a claim, if anything is.
    fn against(&self, claim: &Value, events: &[Value]) -> Option<String> {
        let (assertion, roles) = (&claim["assertion"], &claim["assertion"]["roles"]);
        let role = |name: &str| roles[name].as_str().unwrap_or_default();
        let first = role("rank").is_empty() || role("rank") == "1";
        if assertion["kind"] == "cause" && assertion["source"] == "concluded" && first {
            if !self.faulty.contains(role("service")) {
                return Some(format!("the fault was in {:?}, not in {:?}", self.faulty, role("service")));
            }
            let words = role("quote").to_lowercase();
            if let Some(title) = self.innocent.iter().find(|title| words.contains(&title.to_lowercase())) {
                return Some(format!("the change {title:?} did no harm"));
            }
        }
        let cited: Vec<&Value> = claim["citations"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|cite| events.iter().find(|event| event["id"] == cite["event"]))
            .collect();
        let is_of = |kind: &str| cited.iter().find(|event| event["type"] == kind);
        let wanted = match assertion["kind"].as_str().unwrap_or_default() {
            "alert_fired" => ("alert.fired", "alert", "name"),
            "change" => ("intake.change", "version", "version"),
            "incident_resolved" => ("incident.resolved", "quote", "resolution"),
            _ => return None,
        };
        let Some(event) = is_of(wanted.0) else { return Some(format!("it cites no {}", wanted.0)) };
        let known = event["data"][wanted.2].as_str().unwrap_or_default();
        (!role(wanted.1).is_empty()
            && role(wanted.1) != known
            && !known.starts_with(role(wanted.1).trim_end_matches('…')))
        .then(|| format!("{} is {known:?} there", wanted.1))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_line_of_ours_is_removed_or_empty_or_false() {
    for name in ["pg-pool", "shop-day", "calm-day"] {
        of_recording(name, support::seed()).await;
    }
}

#[derive(Debug, Default)]
struct Seen {
    claims: usize,
    supported: usize,
    asserted: usize,
    false_of: usize,
}

async fn of_recording(name: &str, seed: u64) {
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recordings").join(name);
    let truth = Truth::read(&root);
    let data = folder();
    let catalog = root.join("catalog.yaml");
    let server = Server::start(data.path(), Ledger::Embedded, &["--catalog", catalog.to_str().unwrap()]).await;
    feed(&server, &root).await;
    server.settled().await;
    let events = server.all("/api/v1/events").await;
    let pairs = hindcast_testkit::seeds::asked("HINDCAST_TEST_PAIRS").unwrap_or(PAIRS);
    let (mut dice, mut wrong, mut seen) = (Dice::new(seed), Wrong::default(), Seen::default());
    for _ in 0..pairs {
        let position = &events[usize::try_from(dice.below(events.len() as u64)).unwrap()]["position"];
        let all = questions(&mut dice);
        let (intent, question) = &all[usize::try_from(dice.below(all.len() as u64)).unwrap()];
        let place = format!("{name}, seed {seed}, as of {position}, {intent}, {question:?}");
        let (status, answer) = server.post("/api/v1/ask", &json!({"question": question, "as_of": position})).await;
        wrong.unless(status == 200, || format!("{place}: {status} {answer}"));
        for claim in answer["claims"].as_array().into_iter().chain(answer["details"].as_array()).flatten() {
            judge(&place, claim, &truth, &events, &mut seen, &mut wrong);
        }
    }
    println!("{name}: {pairs} pairs, {seen:?}");
    wrong.unless(pairs < 100 || seen.asserted > 0, || format!("{name}, seed {seed}: nothing was asserted"));
    wrong.none(&format!("{name}, seed {seed}"));
}

fn judge(place: &str, claim: &Value, truth: &Truth, events: &[Value], seen: &mut Seen, wrong: &mut Wrong) {
    let text = claim["text"].as_str().unwrap_or_default();
    let kind = claim["assertion"]["kind"].as_str().unwrap_or_default();
    seen.claims += 1;
    seen.supported += usize::from(claim["verdict"] == "supported");
    seen.asserted += usize::from(!kind.is_empty() && kind != "statement");
    let is_typed = !kind.is_empty() && kind != "statement";
    wrong.unless(claim["verdict"] != "unsupported", || format!("{place}: a line of ours is removed: {claim}"));
    wrong.unless(!is_typed || claim["verdict"] == "supported", || format!("{place}: it does not stand: {claim}"));
    wrong.unless(!is_shell(text), || format!("{place}: it says nothing: {text:?}"));
    if let Some(why) = truth.against(claim, events) {
        seen.false_of += 1;
        wrong.unless(false, || format!("{place}: {text:?} is false: {why}"));
    }
}

/// Whether a line says nothing but a caption: a time and the type of an event, or a head with no body.
fn is_shell(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_type = |word: &str| word.contains('.') && word.chars().all(|c| c.is_ascii_lowercase() || "._".contains(c));
    let is_moment = |word: &str| word.starts_with("20") && word.contains('-') && word.contains(':');
    words.iter().all(|word| is_type(word) || is_moment(word)) || text.trim_end().ends_with(':')
}

#[test]
fn the_judge_knows_what_is_false_or_says_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recordings/pg-pool");
    let truth = Truth::read(&root);
    let cause = |service: &str, words: &str| json!({"assertion": {"kind": "cause", "source": "concluded", "roles": {"service": service, "rank": "1", "quote": words}}});
    assert_eq!(truth.against(&cause("postgres", "connections ran out"), &[]), None);
    assert!(truth.against(&cause("nginx", "answers with errors"), &[]).is_some());
    assert!(truth.against(&cause("postgres", "checkout v42: new receipt layout"), &[]).is_some());
    let fired = json!({"id": "EVT-1", "type": "alert.fired", "data": {"name": "PgDown"}});
    let said = |name: &str| json!({"assertion": {"kind": "alert_fired", "roles": {"alert": name}}, "citations": [{"event": "EVT-1"}]});
    assert_eq!(truth.against(&said("PgDown"), std::slice::from_ref(&fired)), None);
    assert!(truth.against(&said("RedisDown"), &[fired]).is_some());
    assert!(is_shell("2026-11-24T17:21:36Z: alert.resolved") && is_shell("What ended it:"));
    assert!(!is_shell("PgDown on postgres fired at 2026-11-24T12:00:00Z"));
}
