//! Advice from outside, on both ledgers: what broke, whether it was seen before, what to do, and where to look it
//! up; asked by HTTP, as a stream, over MCP and at the terminal, in a world that knows its own truth.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

use crate::support;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::world::{Fault, Happened, World, Wrong, citations, quiet, settings};
use support::{Ledger, Server, folder};

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

/// Twenty questions: figures are printed; the bound is generous, since tests share the machine.
async fn asked_often(server: &Server, again: &Happened) {
    let mut took = Vec::new();
    for _ in 0..20 {
        let began = Instant::now();
        ask(server, &again.incident, QUESTION).await;
        took.push(began.elapsed());
    }
    took.sort();
    println!("20 questions: median {:?}, worst {:?}", took[10], took[19]);
    assert!(took[10] < Duration::from_secs(1), "an answer takes {:?}", took[10]);
}

/// The events of a stream: (name, data).
fn events(text: &str) -> Vec<(String, Value)> {
    let field = |block: &str, name: &str| -> Option<String> {
        let lines: Vec<&str> = block.lines().filter_map(|line| line.strip_prefix(name)).map(str::trim).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    };
    let of = |block: &str| Some((field(block, "event:")?, serde_json::from_str(&field(block, "data:")?).ok()?));
    text.split("\n\n").filter_map(of).collect()
}

async fn streamed(server: &Server, again: &Happened, wrong: &mut Wrong) {
    let question = json!({"question": QUESTION, "incident": again.incident});
    let request =
        || server.client.post(server.url("/api/v1/ask")).header("accept", "text/event-stream").json(&question);
    let answer = request().send().await.unwrap();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    wrong.unless(kind.starts_with("text/event-stream"), || format!("a stream of type {kind}"));
    let told = events(&answer.text().await.unwrap());
    let names: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
    wrong.unless(names.last() == Some(&"answer"), || format!("the answer is not the last event: {names:?}"));
    wrong.unless(names.iter().filter(|name| **name == "answer").count() == 1, || format!("events {names:?}"));
    let known = ["status", "tool", "delta", "answer"];
    wrong.unless(names.iter().all(|name| known.contains(name)), || format!("events {names:?}"));
    if let Some((_, answer)) = told.last() {
        sound(server, "the stream", answer, wrong).await;
    }
    // More than may be asked at once are closed at their first byte.
    for _ in 0..150 {
        let mut answer = request().send().await.unwrap();
        wrong.unless(answer.status() == 200, || format!("a stream after closed ones: {}", answer.status()));
        answer.chunk().await.unwrap();
    }
    let health = server.client.get(server.url("/healthz")).send().await.unwrap().status();
    wrong.unless(health == 200, || format!("after closed streams: {health}"));
    quiet(server).await;
    sound(server, "after closed streams", &ask(server, &again.incident, QUESTION).await, wrong).await;
}

async fn bad_questions(server: &Server, wrong: &mut Wrong) {
    let before = quiet(server).await;
    let long = "why? ".repeat(2_000);
    let bad: &[(Value, &[u16])] = &[
        (json!({"question": ""}), &[422]),
        (json!({"question": "  \n "}), &[422]),
        (json!({}), &[422]),
        (json!({"question": 7}), &[422]),
        (json!({"question": long}), &[413, 422]),
        (json!({"question": "why?", "colour": "red"}), &[422]),
        (json!({"question": "why?", "as_of": "soon"}), &[400, 422]),
        (json!({"question": "why?", "as_of": {"a": 1}}), &[400, 422]),
        (json!({"question": "why?", "as_of": -3}), &[400, 422]),
        (json!({"question": "why?", "incident": "INC-ZZZZZZZZ"}), &[404]),
        (json!({"question": "why?", "incident": "INC-"}), &[404, 409, 422]),
        (json!({"question": "why?", "conversation": "x".repeat(5_000)}), &[413, 422]),
        (json!(["why?"]), &[422]),
    ];
    for (body, expected) in bad {
        let mut shown = body.to_string();
        shown.truncate(120);
        let answer = server.client.post(server.url("/api/v1/ask")).json(body).send().await.unwrap();
        refusal(&shown, answer, expected, wrong).await;
    }
    for (kind, body, expected) in [("application/json", "{\"question\"", 400_u16), ("text/plain", "why?", 415)] {
        let request = server.client.post(server.url("/api/v1/ask")).header("content-type", kind).body(body);
        refusal(body, request.send().await.unwrap(), &[expected], wrong).await;
    }
    for path in ["causes", "similar", "proposals", "postmortem"] {
        let url = server.url(&format!("/api/v1/incidents/INC-ZZZZZZZZ/{path}"));
        refusal(path, server.client.get(url).send().await.unwrap(), &[404], wrong).await;
    }
    let after = quiet(server).await;
    wrong.unless(before == after, || format!("refused questions left something: {before} then {after}"));
}

async fn refusal(place: &str, answer: reqwest::Response, expected: &[u16], wrong: &mut Wrong) {
    let status = answer.status().as_u16();
    let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default();
    wrong.unless(expected.contains(&status), || format!("{place}: expected {expected:?}, got {status} {body}"));
    let whole = ["type", "title", "detail", "code", "remedy"].iter().all(|field| body[*field].is_string());
    wrong.unless(whole && body["status"] == status && kind.starts_with("application/problem+json"), || {
        format!("{place}: no whole problem: {status} {kind} {body}")
    });
}

async fn conversation(server: &Server, again: &Happened, wrong: &mut Wrong) {
    quiet(server).await;
    let before = server.settled().await;
    let first = ask(server, &again.incident, "what is going on?").await;
    let name = first["conversation"].as_str().unwrap_or_default().to_owned();
    let (status, second) =
        server.post("/api/v1/ask", &json!({"question": "and what do I do?", "conversation": name})).await;
    wrong.unless(status == 200 && second["conversation"] == name.as_str(), || format!("it does not go on: {second}"));
    wrong.unless(second["incident"] == again.incident.as_str(), || {
        format!("the second question is about {}, the first about {}", second["incident"], again.incident)
    });
    quiet(server).await;
    let kept: Vec<Value> = server.all("/api/v1/events?kind=conversation").await;
    let kept: Vec<&Value> = kept.iter().filter(|event| event["subject"] == name.as_str()).collect();
    let turns: Vec<(&str, u64)> = kept
        .iter()
        .map(|event| (event["type"].as_str().unwrap(), event["data"]["turn"].as_u64().unwrap_or_default()))
        .filter(|(kind, _)| *kind != "conversation.tool_used")
        .collect();
    let expected = [
        ("conversation.asked", 1),
        ("conversation.answered", 1),
        ("conversation.asked", 2),
        ("conversation.answered", 2),
    ];
    wrong.unless(turns == expected, || format!("the conversation {name} in the ledger: {turns:?}"));
    for answer in [&first, &second] {
        let recorded = answer["recorded"].as_array().cloned().unwrap_or_default();
        let there = |cited: &Value| kept.iter().any(|event| event["id"] == cited["event"]);
        wrong.unless(!recorded.is_empty() && recorded.iter().all(there), || format!("recorded: {recorded:?}"));
    }
    let after = server.settled().await;
    wrong.unless(before["state_hash"] == after["state_hash"], || "asking changes the state's hash".to_owned());
    let (status, replay) = server.post("/api/v1/replay", &json!({})).await;
    wrong.unless(status == 200 && replay["identical"] == true, || format!("replay after asking: {replay}"));
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

/// The types of the events after a position.
async fn since(server: &Server, position: u64) -> Vec<String> {
    let events = server.all(&format!("/api/v1/events?from={}", position + 1)).await;
    events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
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

const COMMANDS: [&str; 4] = ["causes", "similar", "postmortem", "proposals"];

/// What the terminal says, which is what the API says; and what it said, to be compared once the server is gone.
async fn at_the_terminal(server: &Server, again: &Happened, wrong: &mut Wrong) -> Vec<(Vec<String>, Value)> {
    let (position, id) = (quiet(server).await.to_string(), again.incident.as_str());
    let mut kept = Vec::new();
    for name in COMMANDS {
        let line = [name, id, "--as-of", &position, "--json"];
        let (status, out, err) = server.cli(&line);
        wrong.unless(status == 0, || format!("{line:?}: {status} {err}"));
        let said: Value = serde_json::from_str(&out).unwrap_or_default();
        let (_, api) = server.try_get(&format!("{}?as_of={position}", part(again, name))).await;
        wrong.unless(said == api, || format!("{line:?} says something else than the API: {said:#}\n{api:#}"));
        kept.push((line.map(ToOwned::to_owned).to_vec(), said));
        let (status, text, err) = server.cli(&[name, id]);
        wrong.unless(status == 0 && !(text + &err).trim().is_empty(), || format!("{name} in words: {status} {err}"));
        let (status, out, err) = server.cli(&[name, "INC-ZZZZZZZZ", "--json"]);
        wrong.unless(status == 3, || format!("{name} of an unknown incident ends with {status}: {out}{err}"));
    }
    let line = ["findings", "--as-of", &position, "--json"];
    let (status, out, err) = server.cli(&line);
    let said: Value = serde_json::from_str(&out).unwrap_or_default();
    wrong.unless(status == 0 && !items(&said).is_empty(), || format!("findings: {status} {out}{err}"));
    kept.push((line.map(ToOwned::to_owned).to_vec(), said));
    let (status, out, err) = server.cli(&["ask", QUESTION, "--incident", id, "--json"]);
    let answer: Value = serde_json::from_str(&out).unwrap_or_default();
    wrong.unless(status == 0 && answer["incident"] == id, || format!("ask: {status} {out}{err}"));
    sound(server, "ask at the terminal", &answer, wrong).await;
    let (status, out, err) = server.cli(&["ask", "why?", "--incident", "INC-ZZZZZZZZ", "--json"]);
    wrong.unless(status == 3, || format!("ask about an unknown incident ends with {status}: {out}{err}"));
    kept
}

/// The terminal over a folder: it reads no settings file, so the environment names the server's embedding model.
fn folder_cli(server: &Server, line: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(support::binary());
    command.args(line).env("NO_COLOR", "1").env("HINDCAST_MODEL_DIR", support::world::model_dir(&server.data));
    let done = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (done.status.code().unwrap_or(-1), text(&done.stdout), text(&done.stderr))
}

/// The same of the folder alone, as of the same position.
fn over_the_folder(server: &Server, again: &Happened, kept: &[(Vec<String>, Value)], wrong: &mut Wrong) {
    let data = server.data.to_string_lossy().into_owned();
    for (line, before) in kept {
        let mut line: Vec<&str> = line.iter().map(String::as_str).collect();
        line.extend(["--data", &data]);
        let (status, out, err) = folder_cli(server, &line);
        let said: Value = serde_json::from_str(&out).unwrap_or_default();
        let strip = |value: &Value| value.to_string().replace(&server.url(""), "");
        let alike = strip(&without_urls(said.clone())) == strip(&without_urls(before.clone()));
        wrong.unless(status == 0 && alike, || format!("{line:?}: {status} {err}\nbefore {before:#}\nnow {said:#}"));
    }
    let (status, out, err) =
        folder_cli(server, &["ask", QUESTION, "--incident", &again.incident, "--json", "--data", &data]);
    let answer: Value = serde_json::from_str(&out).unwrap_or_default();
    wrong.unless(status == 0 && answer["incident"] == again.incident.as_str(), || {
        format!("ask --data: {status} {out}{err}")
    });
    let (status, out, err) = folder_cli(server, &["causes", "INC-ZZZZZZZZ", "--json", "--data", &data]);
    wrong.unless(status == 3, || format!("unknown in the folder: {status} {out}{err}"));
}

/// A folder is served on a port of its own, so links differ.
fn without_urls(mut value: Value) -> Value {
    match &mut value {
        Value::Array(items) => items.iter_mut().for_each(|item| *item = without_urls(item.take())),
        Value::Object(fields) => fields.values_mut().for_each(|field| *field = without_urls(field.take())),
        Value::String(text) => {
            while let Some(at) = text.find("http://127.0.0.1:") {
                let rest = text[at + 17..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |end| at + 17 + end);
                text.replace_range(at..rest, "");
            }
        }
        _ => {}
    }
    value
}

fn call(id: u64, method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

fn hello() -> Value {
    let client = json!({"name": "a-test", "version": "1"});
    call(1, "initialize", &json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client}))
}

fn uses(again: &Happened) -> Vec<(&'static str, Value)> {
    let id = &again.incident;
    vec![
        ("list_incidents", json!({})),
        ("get_incident", json!({"incident": id})),
        ("get_causes", json!({"incident": id})),
        ("get_similar", json!({"incident": id})),
        ("get_timeline", json!({"incident": id})),
        ("get_findings", json!({"incident": id})),
        ("ask", json!({"question": QUESTION, "incident": id})),
    ]
}

/// What an answer to a call says; an error in it is wrong.
fn said(place: &str, answer: &Value, wrong: &mut Wrong) -> Value {
    let result = &answer["result"];
    wrong.unless(result.is_object() && result["isError"] != true, || format!("{place}: {answer}"));
    let text = result["content"][0]["text"].as_str().unwrap_or_default();
    if result["structuredContent"].is_object() {
        return result["structuredContent"].clone();
    }
    serde_json::from_str(text).unwrap_or_default()
}

async fn mcp_over_http(server: &Server, again: &Happened, wrong: &mut Wrong) {
    let (status, answer) = server.post("/mcp", &hello()).await;
    wrong.unless(status == 200 && answer["result"]["serverInfo"]["name"] == "hindcast", || {
        format!("initialize: {status} {answer}")
    });
    let (_, listed) = server.post("/mcp", &call(2, "tools/list", &json!({}))).await;
    let tools = listed["result"]["tools"].as_array().cloned().unwrap_or_default();
    wrong.unless(tools.iter().all(|tool| tool["inputSchema"]["type"] == "object"), || format!("{listed}"));
    for (name, arguments) in uses(again) {
        wrong.unless(tools.iter().any(|tool| tool["name"] == name), || format!("no tool {name}"));
        let (_, answer) =
            server.post("/mcp", &call(3, "tools/call", &json!({"name": name, "arguments": arguments}))).await;
        let document = said(name, &answer, wrong);
        wrong.unless(document.to_string().contains(&again.incident), || format!("{name} over MCP: {document}"));
        wrong.resolve(server, name, &document, u64::MAX).await;
    }
    let bad = [
        ("tools/call", json!({"name": "erase", "arguments": {}})),
        ("tools/call", json!({"name": "get_causes", "arguments": {"incident": "INC-ZZZZZZZZ"}})),
        ("tools/call", json!({"name": "get_causes", "arguments": {"colour": "red"}})),
        ("no/such/method", json!({})),
    ];
    for (method, params) in bad {
        let (_, answer) = server.post("/mcp", &call(4, method, &params)).await;
        let refused = answer["error"].is_object() || answer["result"]["isError"] == true;
        wrong.unless(refused, || format!("{method} {params} over MCP: {answer}"));
    }
    let (status, _) = server.post_raw("/mcp", "application/json", "{\"jsonrpc\"").await;
    wrong.unless((400..500).contains(&status), || format!("garbage over MCP: {status}"));
}

fn mcp_over_stdio(server: &Server, again: &Happened, wrong: &mut Wrong) {
    let mut command = Command::new(support::binary());
    command
        .args(["mcp", "--server", &server.url("")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut bridge = command.spawn().unwrap();
    let mut input = bridge.stdin.take().unwrap();
    let mut output = BufReader::new(bridge.stdout.take().unwrap()).lines();
    let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let causes = json!({"name": "get_causes", "arguments": {"incident": again.incident}});
    writeln!(input, "{}", hello()).unwrap();
    let answer: Value = serde_json::from_str(&output.next().unwrap().unwrap()).unwrap_or_default();
    wrong.unless(answer["id"] == 1 && answer["result"]["serverInfo"].is_object(), || format!("stdio: {answer}"));
    writeln!(input, "{note}\n{}", call(2, "tools/list", &json!({}))).unwrap();
    let answer: Value = serde_json::from_str(&output.next().unwrap().unwrap()).unwrap_or_default();
    wrong.unless(answer["result"]["tools"].as_array().is_some_and(|all| all.len() > 5), || format!("stdio: {answer}"));
    writeln!(input, "{}", call(3, "tools/call", &causes)).unwrap();
    let answer: Value = serde_json::from_str(&output.next().unwrap().unwrap()).unwrap_or_default();
    let document = said("stdio", &answer, wrong);
    wrong.unless(document.to_string().contains("ledger-db"), || format!("get_causes over stdio: {document}"));
    drop(input);
    let status = bridge.wait().unwrap();
    wrong.unless(status.success(), || format!("the bridge ends with {status}"));
}
