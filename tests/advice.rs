//! Advice from outside, on both ledgers: what broke, whether it was seen before, what to do, and where to look it
//! up; asked by HTTP, as a stream, over MCP and at the terminal, in a world that knows its own truth.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

mod asking;
mod mcp;
mod terminal;

use std::time::Duration;

use crate::support;
use serde_json::{Value, json};
use support::world::{Fault, Happened, World, Wrong, citations, quiet, settings};
use support::{Ledger, Server, folder};

use asking::{asked_often, bad_questions, conversation, refusal, streamed};
use mcp::{mcp_over_http, mcp_over_stdio};
use terminal::{at_the_terminal, over_the_folder};

const QUESTION: &str = "what is going on, have we seen this, what do I do?";

#[tokio::test(flavor = "multi_thread")]
async fn advice_holds_on_the_embedded_ledger() {
    advice_holds(Ledger::Embedded, 11).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn advice_holds_on_nats() {
    advice_holds(Ledger::Nats, 12).await;
}

async fn advice_holds(ledger: Ledger, seed: u64) {
    let data = folder();
    let config = settings(data.path(), "");
    let mut server = Server::start(data.path(), ledger, &["--config", &config]).await;
    let mut wrong = Wrong::default();
    let mut world = World::begun(seed, &server).await;

    nothing_is_wrong(&server, &world, &mut wrong).await;
    let first = world.strike(&server, Fault::Connections).await;
    never_seen(&server, &first, &mut wrong).await;
    world.mend(&server, &first).await;

    let disk = world.strike(&server, Fault::Disk).await;
    look_alike(&server, &disk, &first, &mut wrong).await;
    world.mend(&server, &disk).await;

    let innocent = [world.deploy(&server, "basket", "2.7.1").await, world.deploy(&server, "mailer", "0.9.4").await];
    let again = world.strike(&server, Fault::Connections).await;
    seen_again(&server, &again, &first, &mut wrong).await;
    innocent_changes(&server, &again, &innocent, &mut wrong).await;
    asked_often(&server, &again).await;
    streamed(&server, &again, &mut wrong).await;
    bad_questions(&server, &mut wrong).await;
    conversation(&server, &again, &mut wrong).await;
    proposing(&server, &again, &mut wrong).await;
    mcp_over_http(&server, &again, &mut wrong).await;
    mcp_over_stdio(&server, &again, &mut wrong);
    world.mend(&server, &again).await;
    postmortem(&server, &again, &mut wrong).await;

    let guilty = world.deploy(&server, "payments", "4.2.0").await;
    let release = world.strike(&server, Fault::Release).await;
    guilty_change(&server, &release, &guilty, &mut wrong).await;
    world.mend(&server, &release).await;

    let queue = world.strike(&server, Fault::Queue).await;
    never_seen(&server, &queue, &mut wrong).await;
    world.mend(&server, &queue).await;

    all_in_all(&server, &[first, disk, again.clone(), release, queue], &mut wrong).await;
    let kept = at_the_terminal(&server, &again, &mut wrong).await;
    assert!(server.stop().success(), "{}", server.log());
    if ledger == Ledger::Embedded {
        over_the_folder(&server, &again, &kept, &mut wrong);
    }
    wrong.none(&format!("on {ledger:?}, seed {seed}"));
}

fn part(happened: &Happened, name: &str) -> String {
    format!("/api/v1/incidents/{}/{name}", happened.incident)
}

async fn ask(server: &Server, incident: &str, question: &str) -> Value {
    let (status, answer) = server.post("/api/v1/ask", &json!({"question": question, "incident": incident})).await;
    assert_eq!(status, 200, "{question}: {answer}");
    answer
}

fn missing(answer: &Value, words: &str) -> bool {
    let said = answer["missing"].as_array().cloned().unwrap_or_default();
    said.iter().filter_map(Value::as_str).any(|said| said.to_lowercase().contains(words))
}

fn items(page: &Value) -> Vec<Value> {
    page["items"].as_array().cloned().unwrap_or_default()
}

/// What every answer keeps to.
async fn sound(server: &Server, place: &str, answer: &Value, wrong: &mut Wrong) {
    let position = answer["position"].as_u64().unwrap_or_default();
    wrong.unless(answer["mode"] == "evidence", || format!("{place}: mode {}", answer["mode"]));
    wrong.resolve(server, place, answer, position).await;
    for claim in answer["claims"].as_array().cloned().unwrap_or_default() {
        wrong.unless(claim["verdict"] == "supported", || {
            format!("{place}: {}: {} ({})", claim["verdict"], claim["text"], claim["reason"])
        });
        let cites = claim["citations"].as_array().is_some_and(|cited| !cited.is_empty());
        wrong.unless(cites, || format!("{place}: a claim cites nothing: {claim}"));
    }
    let without = |word: &str| missing(answer, word);
    wrong.unless(without("model"), || {
        format!("{place}: missing does not say that no model is used: {}", answer["missing"])
    });
}

async fn nothing_is_wrong(server: &Server, world: &World, wrong: &mut Wrong) {
    let (status, answer) = server.post("/api/v1/ask", &json!({"question": QUESTION})).await;
    wrong.unless(status == 200, || format!("asked with no incident at all: {status} {answer}"));
    let named = ["hypotheses", "proposals", "similar"].iter().any(|name| answer[*name] != json!([]));
    wrong.unless(!named, || format!("something is named where nothing is wrong: {answer:#}"));

    let declared = json!({"title": "is anything wrong?", "severity": "low", "started_at": world.time()});
    let (status, incident) = server.post("/api/v1/incidents", &declared).await;
    assert_eq!(status, 201, "{incident}");
    let id = incident["id"].as_str().unwrap();
    quiet(server).await;
    let causes = server.get(&format!("/api/v1/incidents/{id}/causes")).await;
    wrong.unless(causes["unresolved"] == true && causes["items"] == json!([]), || format!("healthy, but: {causes:#}"));
    wrong.unless(causes["why_unresolved"].is_string(), || "unresolved without saying why".to_owned());
    let answer = ask(server, id, "what is the cause?").await;
    sound(server, "a healthy stretch", &answer, wrong).await;
    wrong.unless(missing(&answer, "unresolved"), || format!("missing does not say unresolved: {}", answer["missing"]));
    wrong.unless(answer["hypotheses"] == json!([]), || format!("a cause of nothing: {}", answer["hypotheses"]));
    let (status, body) =
        server.post(&format!("/api/v1/incidents/{id}/resolve"), &json!({"resolution": "nothing was wrong"})).await;
    assert_eq!(status, 200, "{body}");
    tokio::time::sleep(Duration::from_millis(1_300)).await;
}

async fn never_seen(server: &Server, happened: &Happened, wrong: &mut Wrong) {
    let place = format!("{:?} for the first time", happened.fault);
    let similar = server.get(&part(happened, "similar")).await;
    wrong.unless(similar["never_seen"] == true, || format!("{place}: it was seen? {similar:#}"));
    wrong.unless(items(&similar).iter().all(|item| item["same"] == false), || format!("{place}: {similar:#}"));
    let causes = server.get(&part(happened, "causes")).await;
    let root = happened.fault.script().root;
    wrong.unless(causes["items"][0]["service"] == root, || format!("{place}: expected {root}, got {causes:#}"));
    wrong.resolve(server, &place, &causes, causes["position"].as_u64().unwrap_or_default()).await;
    let answer = ask(server, &happened.incident, QUESTION).await;
    sound(server, &place, &answer, wrong).await;
    wrong
        .unless(missing(&answer, "no matching past incident"), || format!("{place}: missing is {}", answer["missing"]));
}

async fn look_alike(server: &Server, disk: &Happened, first: &Happened, wrong: &mut Wrong) {
    let similar = server.get(&part(disk, "similar")).await;
    let other = items(&similar).into_iter().find(|item| item["incident"] == first.incident.as_str());
    wrong.unless(similar["never_seen"] == true, || format!("the look-alike counts as seen: {similar:#}"));
    if let Some(other) = other {
        let differs = other["differs"].as_array().is_some_and(|differs| !differs.is_empty());
        wrong.unless(other["same"] == false && differs, || format!("the look-alike: {other:#}"));
    }
    let causes = server.get(&part(disk, "causes")).await;
    wrong.unless(causes["items"][0]["service"] == "ledger-db", || format!("the disk's root: {causes:#}"));
    let answer = ask(server, &disk.incident, "have we seen this before?").await;
    sound(server, "the look-alike", &answer, wrong).await;
    wrong.unless(missing(&answer, "no matching past incident"), || format!("the look-alike: {}", answer["missing"]));
}

async fn seen_again(server: &Server, again: &Happened, first: &Happened, wrong: &mut Wrong) {
    let script = again.fault.script();
    let similar = server.get(&part(again, "similar")).await;
    let same: Vec<Value> = items(&similar).into_iter().filter(|item| item["same"] == true).collect();
    wrong.unless(same.len() == 1 && same[0]["incident"] == first.incident.as_str(), || {
        format!("expected {} alone as the same, got {similar:#}", first.incident)
    });
    let told = same.first().cloned().unwrap_or_default();
    wrong.unless(told["resolution"] == script.resolution && told["cause"] == script.cause, || {
        format!("the past one without its cause and resolution: {told:#}")
    });
    wrong.unless(similar["never_seen"] == false, || "seen, and never_seen".to_owned());
    wrong.resolve(server, "similar", &similar, similar["position"].as_u64().unwrap_or_default()).await;

    let answer = ask(server, &again.incident, QUESTION).await;
    sound(server, "seen again", &answer, wrong).await;
    let claims = answer["claims"].as_array().cloned().unwrap_or_default();
    let runbook = answer["proposals"][0]["runbook"].as_str().unwrap_or("(no proposal)").to_owned();
    for word in ["ledger-db", first.incident.as_str(), script.resolution, runbook.as_str()] {
        let cited = claims.iter().any(|claim| {
            claim["text"].as_str().is_some_and(|text| text.contains(word)) && claim["citations"] != json!([])
        });
        let cited = cited || word == runbook && answer["proposals"][0]["citations"][0].is_object();
        wrong.unless(cited, || format!("nothing with a citation names {word:?}"));
        let said = answer["answer"].as_str().is_some_and(|text| text.contains(word));
        wrong.unless(said, || format!("the answer does not name {word:?}: {}", answer["answer"]));
    }
    let causes = server.get(&part(again, "causes")).await;
    wrong.unless(answer["hypotheses"][0]["cause"] == causes["items"][0]["cause"], || {
        format!("the answer's first cause is not that of the causes: {}", answer["hypotheses"][0])
    });
    let path = causes["items"][0]["path"].as_array().cloned().unwrap_or_default();
    wrong.unless(path.first().is_some_and(|step| step["service"] == "ledger-db"), || format!("the path: {path:#?}"));
    let times: Vec<&str> = path.iter().filter_map(|step| step["time"].as_str()).collect();
    wrong.unless(times.is_sorted(), || format!("the path runs backwards: {path:#?}"));
    wrong
        .unless(answer["proposals"].as_array().is_some_and(|all| !all.is_empty()), || "nothing is proposed".to_owned());
}

async fn innocent_changes(server: &Server, again: &Happened, titles: &[String], wrong: &mut Wrong) {
    let causes = server.get(&part(again, "causes")).await;
    let named = |list: &str, title: &str| {
        causes[list].as_array().is_some_and(|all| all.iter().any(|one| one["cause"].to_string().contains(title)))
    };
    for title in titles {
        wrong.unless(!named("items", title), || format!("an innocent change is blamed: {title}"));
        wrong.unless(named("refuted", title), || format!("{title:?} is not among the refuted: {}", causes["refuted"]));
    }
    for refuted in causes["refuted"].as_array().cloned().unwrap_or_default() {
        let against = refuted["refutes"].as_array().is_some_and(|all| !all.is_empty());
        wrong.unless(against, || format!("refuted without a word against it: {refuted:#}"));
    }
}

async fn guilty_change(server: &Server, release: &Happened, title: &str, wrong: &mut Wrong) {
    let causes = server.get(&part(release, "causes")).await;
    let first = &causes["items"][0];
    wrong.unless(first["service"] == "payments", || format!("the release's service: {causes:#}"));
    wrong.unless(first["kind"] == "change" && first.to_string().contains(title), || {
        format!("the guilty change is not named first: {first:#}")
    });
    let answer = ask(server, &release.incident, "what changed?").await;
    sound(server, "the release", &answer, wrong).await;
    let said = answer["answer"].as_str().is_some_and(|text| text.contains("4.2.0"));
    wrong.unless(said, || format!("asked what changed: {}", answer["answer"]));
}

/// Once everything is over and in people's words: nothing of another fault is the same, and what came back knows
/// what it was. Whether an incident knows those after it is left open.
async fn all_in_all(server: &Server, happened: &[Happened], wrong: &mut Wrong) {
    for (index, one) in happened.iter().enumerate() {
        let similar = server.get(&part(one, "similar")).await;
        let same: Vec<Value> = items(&similar).into_iter().filter(|item| item["same"] == true).collect();
        let fault = |item: &Value| happened.iter().find(|other| item["incident"] == other.incident.as_str());
        for item in &same {
            let other = fault(item).map(|other| other.fault);
            wrong.unless(other == Some(one.fault), || {
                format!("in the end {:?} is the same as {other:?}: {item}", one.fault)
            });
        }
        for earlier in happened[..index].iter().filter(|earlier| earlier.fault == one.fault) {
            let known = same.iter().any(|item| item["incident"] == earlier.incident.as_str());
            wrong.unless(known, || format!("in the end {:?} does not know {}", one.fault, earlier.incident));
        }
    }
}

async fn proposing(server: &Server, again: &Happened, wrong: &mut Wrong) {
    let before = quiet(server).await;
    let proposals = items(&server.get(&part(again, "proposals")).await);
    let Some(first) = proposals.first() else { return wrong.unless(false, || "no runbook is proposed".to_owned()) };
    let runbook = &first["runbook"];
    let known = items(&server.get("/api/v1/runbooks").await);
    wrong.unless(known.iter().any(|one| one["name"] == *runbook), || format!("{runbook} is no runbook in force"));
    let mut params = vec![json!({"no_such_parameter": 1})];
    for (name, value) in first["params"].as_object().cloned().unwrap_or_default() {
        let mut bad = first["params"].clone();
        bad[&name] = if value.is_number() { json!(1e12) } else { json!("x; rm -rf / #") };
        params.push(bad);
    }
    for bad in &params {
        let body = json!({"runbook": runbook, "params": bad});
        let answer = server.client.post(server.url(&part(again, "proposals"))).json(&body).send().await.unwrap();
        refusal(&format!("proposing {body}"), answer, &[422], wrong).await;
    }
    let body = json!({"runbook": "erase-everything", "params": {}});
    let answer = server.client.post(server.url(&part(again, "proposals"))).json(&body).send().await.unwrap();
    refusal("an unknown runbook", answer, &[404, 422], wrong).await;
    quiet(server).await;
    let rejected = since(server, before).await;
    wrong.unless(rejected.len() == params.len() + 1 && rejected.iter().all(|kind| kind == "proposal.rejected"), || {
        format!("expected {} of proposal.rejected and nothing else, got {rejected:?}", params.len() + 1)
    });

    let before = quiet(server).await;
    let body = json!({"runbook": runbook, "params": first["params"]});
    let (status, made) = server.post(&part(again, "proposals"), &body).await;
    wrong.unless(status == 201 && made["status"] == "proposed", || format!("a valid proposal: {status} {made}"));
    wrong.unless(made["id"].as_str().is_some_and(|id| id.starts_with("PRP-")), || format!("its id: {made}"));
    quiet(server).await;
    let made = since(server, before).await;
    wrong.unless(made == ["proposal.made"], || format!("expected proposal.made alone, got {made:?}"));
    let state = server.get(&format!("/api/v1/incidents/{}", again.incident)).await;
    wrong.unless(state["status"] == "open", || format!("a proposal changed the incident: {state}"));
}

/// The types of the events after a position, without the reviews that incidents have by the clock alone.
async fn since(server: &Server, position: u64) -> Vec<String> {
    let events = server.all(&format!("/api/v1/events?from={}", position + 1)).await;
    let types = events.iter().map(|event| event["type"].as_str().unwrap().to_owned());
    types.filter(|kind| kind != "incident.reviewed").collect()
}

async fn postmortem(server: &Server, again: &Happened, wrong: &mut Wrong) {
    let script = again.fault.script();
    let (status, whole) = server.try_get(&part(again, "postmortem")).await;
    if status != 200 {
        return wrong.unless(false, || format!("the postmortem: {status} {whole}"));
    }
    let text = whole["markdown"].as_str().unwrap_or_default().to_owned();
    let headings: String =
        text.lines().filter(|line| line.starts_with('#')).collect::<Vec<_>>().join("\n").to_lowercase();
    for section in ["summary", "impact", "timeline", "detect", "cause", "resol", "follow"] {
        wrong.unless(headings.contains(section), || format!("the postmortem has no section on {section}: {headings}"));
    }
    // Markdown's own signs are escaped in it.
    let read = text.replace('\\', "");
    for words in [script.cause, script.resolution, "ledger-db", again.incident.as_str()] {
        wrong.unless(read.contains(words), || format!("the postmortem does not say {words:?}"));
    }
    wrong.resolve(server, "the postmortem", &whole, whole["position"].as_u64().unwrap_or_default()).await;
    wrong.unless(!citations(&whole).is_empty(), || "the postmortem cites nothing".to_owned());
    for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter(|link| !link.starts_with('#'))
    {
        let status = server.client.get(server.url(link)).send().await.map(|answer| answer.status().as_u16());
        wrong.unless(status.as_ref().is_ok_and(|status| *status == 200), || format!("the link {link}: {status:?}"));
    }
    let cited = citations(&whole);
    for id in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter(|word| word.starts_with("EVT-")) {
        wrong.unless(cited.iter().any(|(event, _)| event.starts_with(id)), || format!("{id} is not in citations"));
    }
    let then = server.get(&format!("{}?as_of={}", part(again, "postmortem"), again.midst)).await;
    let early = then["markdown"].as_str().unwrap_or_default();
    wrong.unless(then["position"] == again.midst && !early.is_empty(), || format!("as of then: {then}"));
    wrong.resolve(server, "the early postmortem", &then, again.midst).await;
    // The first incident's cure is known by then, this one's cause is in nobody's words yet.
    wrong.unless(early.matches(script.cause).count() < text.matches(script.cause).count(), || {
        "as of the midst, the postmortem knows the last words already".to_owned()
    });
    let request = server.client.get(server.url(&part(again, "postmortem"))).header("accept", "text/markdown");
    let plain = request.send().await.unwrap().text().await.unwrap();
    wrong.unless(plain == text, || "as Markdown it is another text".to_owned());
}
