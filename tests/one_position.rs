//! While four hundred alerts join an incident, its page, the answers of the API, the terminal and its card in chat are
//! each of one position: what stands at the head counts what stands below, and both are what was so at the position
//! that is printed. Two questions that each ask for now are seen to be torn by the same check.
//!
//! `HINDCAST_TEST_LOADS` sets how often each is loaded; a few times where it is not set.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

use crate::chat::{card_words, roots, slack_settings, slack_started};
use crate::standin_slack::Slack;
use crate::support;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use support::{Ledger, Server, alert, folder};

/// Alerts that join while it is looked at.
const JOINING: usize = 400;
/// Pairs of questions about now in each round of looks.
const PLANTED: usize = 6;
/// The service whose incident is looked at.
const SERVICE: &str = "orders-db";

/// What one look showed: how many alerts the head counts, and how many are listed, as of the position it printed.
#[derive(Debug)]
struct Shown {
    by: &'static str,
    position: u64,
    head: u64,
    listed: Vec<(&'static str, u64)>,
}

/// One of the alerts of the incident.
fn joining(n: usize) -> Value {
    let mut joins = alert("DiskFull", SERVICE, "critical");
    joins["labels"]["disk"] = json!(format!("disk-{n:03}"));
    joins
}

/// The number behind `before`.
fn number(text: &str, before: &str) -> Option<u64> {
    let rest = text.split(before).nth(1)?;
    let digits: String = rest.chars().filter(|c| *c != ',').take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

async fn html(server: &Server, path: &str) -> String {
    let response = server.client.get(server.url(path)).header("accept", "text/html").send().await.unwrap();
    let (status, text) = (response.status(), response.text().await.unwrap());
    assert_eq!(status, 200, "{path}: {text}");
    text
}

/// The page, turned to the end of its table of alerts.
async fn page(server: &Server, id: &str) -> Shown {
    let first = html(server, &format!("/{id}")).await;
    let (mut text, mut rows, mut reasons) = (first.clone(), 0, 0);
    let position = |text: &str| number(text, "name=\"hindcast-position\" content=\"").expect("a position");
    loop {
        assert_eq!(position(&text), position(&first), "the table stays at the position of its first part");
        let table =
            text.split("<section id=\"alerts\">").nth(1).unwrap().split("</section>").next().unwrap().to_owned();
        rows += table.matches("<a class=\"name\"").count() as u64;
        let why = text.split("Why these alerts are grouped").nth(1).unwrap().split("</section>").next().unwrap();
        let why = why.split("Not grouped").next().unwrap();
        reasons += why.matches("<li>").count() as u64;
        let Some(further) = table.split("class=\"button\" href=\"").nth(1) else { break };
        text = html(server, &further.split(['"', '#']).next().unwrap().replace("&amp;", "&")).await;
    }
    let head = number(&first, "Alerts <span class=\"n\">").expect("the head of the table");
    let notified = first.split("<h2>Notifications</h2>").nth(1).unwrap().split("</section>").next().unwrap();
    let notices = notified.matches("class=\"notice\"").count() as u64;
    let listed = vec![("alerts", rows), ("reasons", reasons), ("notices", notices)];
    Shown { by: "page", position: position(&first), head, listed }
}

/// What a program that wants the same puts together: an answer, and its parts as of the position that it names.
async fn api(server: &Server, id: &str) -> Shown {
    let path = format!("/api/v1/incidents/{id}");
    let response = server.client.get(server.url(&path)).send().await.unwrap();
    let position: u64 = response.headers()["x-hindcast-position"].to_str().unwrap().parse().unwrap();
    let incident: Value = response.json().await.unwrap();
    let then = |word: &str| format!("{path}/{word}?as_of={position}");
    let why = server.get(&then("why")).await;
    let causes = server.get(&then("causes")).await;
    assert_eq!((why["position"].as_u64(), causes["position"].as_u64()), (Some(position), Some(position)));
    let alerts = server.all(&then("alerts")).await.len() as u64;
    let notices = server.all(&format!("/api/v1/notices?incident={id}&as_of={position}")).await.len() as u64;
    let reasons = why["members"].as_array().unwrap().len() as u64;
    let listed = vec![("alerts", alerts), ("reasons", reasons), ("notices", notices)];
    Shown { by: "api", position, head: incident["alerts"].as_u64().unwrap(), listed }
}

/// The terminal's view; a few members are listed and the others counted.
fn terminal(server: &Server, id: &str) -> Shown {
    let (status, out, err) = server.cli(&["show", id]);
    assert_eq!(status, 0, "{err}");
    let position = number(&out, "all of it as of #").unwrap_or_else(|| panic!("a position: {out}"));
    let fact = out.lines().find(|line| line.trim_start().starts_with("alerts ")).unwrap();
    let head = fact.split_whitespace().nth(1).unwrap().replace(',', "").parse().unwrap();
    let more = out.lines().find(|line| line.contains(" more: hindcast why"));
    let more: u64 = more.map_or(0, |line| line.split_whitespace().next().unwrap().parse().unwrap());
    // The members stand behind one label; the next label ends them.
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut members = out.lines().skip_while(|line| !line.trim_start().starts_with("members "));
    let first = members.next().unwrap_or_else(|| panic!("members: {out}"));
    let rest = members.take_while(|line| indent(line) > indent(first));
    let shown = 1 + rest.filter(|line| line.contains("DiskFull on ")).count() as u64;
    Shown { by: "terminal", position, head, listed: vec![("reasons", shown + more)] }
}

/// Its card in chat, as it stands there.
fn card(slack: &Slack) -> Option<Shown> {
    let words = roots(slack).into_iter().map(|kept| card_words(&kept.body)).find(|words| words.contains(SERVICE))?;
    let position = number(&words, "as of position ")?;
    let head = number(&words, "*Alerts*\n").or_else(|| number(&words, "Alerts*n")).or_else(|| alerts_of(&words))?;
    Some(Shown { by: "card", position, head, listed: Vec::new() })
}

/// The number in `N (M firing)`.
fn alerts_of(words: &str) -> Option<u64> {
    let before = words.split(" firing)").next()?.rsplit(" (").nth(1)?;
    let digits: String = before.chars().rev().take_while(char::is_ascii_digit).collect();
    digits.chars().rev().collect::<String>().parse().ok()
}

/// What is torn in a look, beside what was so at its position.
async fn torn(server: &Server, id: &str, shown: &Shown) -> Option<String> {
    let then = server.get(&format!("/api/v1/incidents/{id}?as_of={}", shown.position)).await;
    let notices = server.all(&format!("/api/v1/notices?incident={id}&as_of={}", shown.position)).await.len() as u64;
    let alerts = then["alerts"].as_u64().unwrap();
    let differs = |(what, count): &&(&str, u64)| *count != if *what == "notices" { notices } else { alerts };
    match shown.listed.iter().find(differs) {
        _ if shown.head != alerts => Some(format!("{alerts} alerts at its position: {shown:?}")),
        Some((what, _)) => {
            Some(format!("{what} of another position, of {alerts} alerts and {notices} notices: {shown:?}"))
        }
        None => None,
    }
}

/// Sends the alerts that join, a few at a time, for as long as looks are taken.
fn feed(server: &Server, looking: Arc<std::sync::atomic::AtomicBool>) -> tokio::task::JoinHandle<()> {
    let (client, url) = (server.client.clone(), server.url("/api/v2/alerts"));
    tokio::spawn(async move {
        for n in 1..=JOINING {
            let sent = client.post(&url).json(&json!([joining(n)])).send().await.unwrap();
            assert_eq!(sent.status(), 200);
            // The looks last as long as the alerts come: whoever is done first does not wait for the other.
            if looking.load(std::sync::atomic::Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_joins_meanwhile_each_look_is_of_one_position() {
    let loads = support::loads(4);
    let (data, slack) = (folder(), Slack::start().await);
    let config = slack_settings(data.path(), &slack, false);
    let server = slack_started(data.path(), Ledger::Embedded, &config).await;
    assert_eq!(server.post("/api/v2/alerts", &json!([joining(0)])).await.0, 200);
    server.settled().await;
    let id = server.get("/api/v1/incidents").await["items"][0]["id"].as_str().unwrap().to_owned();

    let looking = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let feeding = feed(&server, Arc::clone(&looking));
    let (mut looks, mut planted) = (Vec::new(), Vec::new());
    for _ in 0..loads {
        looks.push(page(&server, &id).await);
        looks.push(api(&server, &id).await);
        looks.push(terminal(&server, &id));
        looks.extend(card(&slack));
        // Two questions, each about now, often enough that something joins between two of them.
        for _ in 0..PLANTED {
            let head = server.get(&format!("/api/v1/incidents/{id}")).await["alerts"].as_u64().unwrap();
            let list = server.get(&format!("/api/v1/incidents/{id}/alerts?limit=500")).await;
            let listed = vec![("alerts", list["items"].as_array().unwrap().len() as u64)];
            planted.push(Shown { by: "planted", position: list["position"].as_u64().unwrap(), head, listed });
        }
    }
    looking.store(false, std::sync::atomic::Ordering::Relaxed);
    feeding.await.unwrap();
    server.settled().await;

    let counts: std::collections::BTreeSet<u64> = looks.iter().map(|look| look.head).collect();
    assert!(counts.len() > looks.len() / 3, "alerts joined between the looks: {counts:?}");
    let mut wrong = Vec::new();
    for look in &looks {
        wrong.extend(torn(&server, &id, look).await);
    }
    for by in ["page", "api", "terminal", "card"] {
        let of = looks.iter().filter(|look| look.by == by).count();
        eprintln!("{by}: {of} looks, {} torn", wrong.iter().filter(|wrong| wrong.contains(by)).count());
        assert!(of > 0, "no look by {by}");
    }
    assert!(wrong.is_empty(), "{} of {} looks are torn: {wrong:#?}", wrong.len(), looks.len());

    let mut noticed = 0;
    for look in &planted {
        noticed += usize::from(torn(&server, &id, look).await.is_some());
    }
    eprintln!("two questions about now: {} tries, {noticed} torn", planted.len());
    assert!(noticed > 0, "the check notices no second now in {} tries", planted.len());
    let all = server.get(&format!("/api/v1/incidents/{id}")).await;
    assert_eq!(all["alerts"], JOINING as u64 + 1, "all of them joined the one incident");
    assert!(html(&server, &format!("/{id}")).await.len() < 500_000, "a page is bounded");
}
