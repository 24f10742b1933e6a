//! A language model that is down, slow, mad or false: every question is answered in time and from evidence, says so
//! in plain words and is recorded; alerts go their way meanwhile; and nothing that a model says changes a ranking,
//! proposes what may not be, or stands unchecked. The model is a stand-in of this file that misbehaves as told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, clippy::large_futures)] // a test that cannot go on fails

mod fake;

use std::time::{Duration, Instant};

use crate::support;
use serde_json::{Value, json};
use support::world::{Fault, World, Wrong, quiet, settings};
use support::{Ledger, Server, folder};

use fake::{Fake, LIES, Mood, OVERRIDES};

const QUESTION: &str = "what is going on, have we seen this, what do I do?";
/// What the settings allow, in seconds.
const SECONDS: u64 = 6;
/// What is allowed on top on a machine that does other things too.
const SLACK: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_misbehaves_costs_nothing_but_its_answer() {
    let (fake, task) = Fake::start().await;
    let data = folder();
    let receiver = format!("[[receivers]]\nname = \"test\"\nurl = \"http://127.0.0.1:{}/page\"\n", fake.port);
    let more = format!("{receiver}[copilot]\nseconds_per_answer = {SECONDS}\ncalls_per_incident = 500\n");
    let config = settings(data.path(), &more);
    let url = format!("http://127.0.0.1:{}/v1", fake.port);
    let flags = ["--config", config.as_str(), "--model-url", url.as_str(), "--model", "fake"];
    let server = Server::start(data.path(), Ledger::Embedded, &flags).await;
    let mut wrong = Wrong::default();
    let mut world = World::begun(41, &server).await;
    let struck = world.strike(&server, Fault::Connections).await;
    let asked = fake.asked.lock().unwrap().len();
    wrong.unless(asked == 0, || format!("a model was called {asked} times and nobody had asked"));
    let id = struck.incident.as_str();

    let fails: &[(Mood, &[&str])] = &[
        (Mood::Drops, &["unreachable", "malformed"]),
        (Mood::NeverAnswers, &["timeout"]),
        (Mood::NoHttp, &["unreachable", "malformed"]),
        (Mood::Garbage, &["malformed"]),
        (Mood::BreaksOff, &["malformed", "unreachable"]),
        (Mood::HalfJson, &["done"]),
        (Mood::TenMegabytes, &["too_large"]),
        (Mood::Endless, &["timeout", "too_large"]),
        (Mood::EndlessTools, &["done"]),
        (Mood::Status(500), &["refused", "unreachable"]),
        (Mood::Status(401), &["refused"]),
        (Mood::Status(429), &["refused"]),
    ];
    for (mood, finishes) in fails {
        fake.feel(*mood);
        fails_well(&server, id, *mood, finishes, &mut wrong).await;
    }
    stopped_by_whoever_asked(&server, &fake, id, &mut wrong).await;
    says_what_is_true(&server, &fake, id, &mut wrong).await;
    lies(&server, &fake, id, &mut wrong).await;
    overrides(&server, &fake, id, &mut wrong).await;
    names_runbooks(&server, &fake, id, &mut wrong).await;
    pages_meanwhile(&server, &fake, id, &mut wrong).await;
    task.abort();
    task.await.ok();
    fails_well(&server, id, Mood::Drops, &["unreachable"], &mut wrong).await;
    let (status, replay) = server.post("/api/v1/replay", &json!({})).await;
    wrong.unless(status == 200 && replay["identical"] == true, || format!("replay: {replay}"));
    wrong.none("models that misbehave");
}

/// A fresh revision, so that no earlier answer is given again.
async fn touch(server: &Server, id: &str) {
    let (status, body) =
        server.post(&format!("/api/v1/incidents/{id}/note"), &json!({"text": "somebody looks at it"})).await;
    assert_eq!(status, 200, "{body}");
    quiet(server).await;
}

/// An answer, how long it took, and the events that it left.
async fn asked(server: &Server, id: &str) -> (Value, Duration, Vec<Value>) {
    touch(server, id).await;
    let began = Instant::now();
    let request = server.client.post(server.url("/api/v1/ask")).timeout(Duration::from_secs(180));
    let answer = request.json(&json!({"question": QUESTION, "incident": id})).send().await.unwrap();
    let (status, answer): (_, Value) = (answer.status().as_u16(), answer.json().await.unwrap());
    let took = began.elapsed();
    assert_eq!(status, 200, "{answer}");
    quiet(server).await;
    let kept = server.all("/api/v1/events?kind=conversation").await;
    let mine = |event: &Value| event["subject"] == answer["conversation"];
    let kept = kept.into_iter().filter(mine).collect();
    (answer, took, kept)
}

/// What holds whatever a model does.
async fn sound(server: &Server, id: &str, place: &str, answer: &Value, took: Duration, wrong: &mut Wrong) {
    println!("{place}: {took:?}, mode {}, missing {}", answer["mode"], answer["missing"]);
    wrong.unless(took < Duration::from_secs(SECONDS) + SLACK, || format!("{place}: it took {took:?}"));
    let position = answer["position"].as_u64().unwrap();
    let ranked: [(&str, &str, &[&str]); 3] = [
        ("hypotheses", "causes", &["cause", "service", "kind", "score"]),
        ("similar", "similar", &["incident", "same", "score"]),
        ("proposals", "proposals", &["runbook", "params", "targets"]),
    ];
    for (name, list, fields) in ranked {
        let (_, ours) = server.try_get(&format!("/api/v1/incidents/{id}/{list}?as_of={position}")).await;
        let of = |all: &Value| -> Vec<Vec<Value>> {
            let all = all.as_array().cloned().unwrap_or_default();
            all.iter().map(|one| fields.iter().map(|field| one[*field].clone()).collect()).collect()
        };
        let (theirs, ours) = (of(&answer[name]), of(&ours["items"]));
        wrong.unless(theirs == ours, || format!("{place}: its {name} are {theirs:?}, ours {ours:?}"));
    }
    wrong.resolve(server, place, answer, position).await;
    let text = answer["answer"].as_str().unwrap_or_default();
    for claim in answer["claims"].as_array().cloned().unwrap_or_default() {
        let struck = claim["verdict"] == "unsupported";
        wrong.unless(!struck || claim["reason"].is_string(), || format!("{place}: struck without a reason: {claim}"));
        let said = text.contains(claim["text"].as_str().unwrap_or_default());
        wrong.unless(!struck || !said, || format!("{place}: struck, and in the answer: {claim}"));
    }
}

async fn fails_well(server: &Server, id: &str, mood: Mood, finishes: &[&str], wrong: &mut Wrong) {
    let (answer, took, kept) = asked(server, id).await;
    let place = format!("{mood:?}");
    sound(server, id, &place, &answer, took, wrong).await;
    wrong.unless(answer["mode"] == "evidence", || format!("{place}: mode {}", answer["mode"]));
    let claims = answer["claims"].as_array().cloned().unwrap_or_default();
    let names = claims.iter().any(|claim| claim["text"].as_str().is_some_and(|text| text.contains("ledger-db")));
    wrong.unless(names, || format!("{place}: from evidence nothing is said of ledger-db: {claims:?}"));
    let why = answer["missing"].as_array().cloned().unwrap_or_default();
    let why: Vec<&str> = why.iter().filter_map(Value::as_str).filter(|said| said.contains("model")).collect();
    wrong.unless(!why.is_empty(), || {
        format!("{place}: missing does not say what is with the model: {}", answer["missing"])
    });
    for said in why {
        let plain =
            !["::", "Error(", "Err(", "reqwest", "hyper", "{\"", "os error"].iter().any(|sign| said.contains(sign));
        wrong.unless(plain && said.len() < 400, || format!("{place}: no plain words: {said}"));
    }
    let of = |kind: &str| -> Vec<&Value> { kept.iter().filter(|event| event["type"] == kind).collect() };
    let replied: Vec<&str> =
        of("conversation.replied").iter().map(|event| event["data"]["finish"].as_str().unwrap()).collect();
    wrong.unless(replied.last().is_some_and(|finish| finishes.contains(finish)), || {
        format!("{place}: expected the finish {finishes:?}, got {replied:?}")
    });
    wrong.unless(replied.len() <= 6, || format!("{place}: {} calls for one answer", replied.len()));
    let answered = of("conversation.answered");
    wrong.unless(
        answered
            .last()
            .is_some_and(|event| event["data"]["mode"] == "evidence" && event["data"]["fell_back"].is_string()),
        || format!("{place}: recorded as {answered:?}"),
    );
}

async fn stopped_by_whoever_asked(server: &Server, fake: &Fake, id: &str, wrong: &mut Wrong) {
    fake.feel(Mood::NeverAnswers);
    touch(server, id).await;
    let calls = fake.asked.lock().unwrap().len();
    let question = json!({"question": QUESTION, "incident": id, "conversation": "given-up"});
    let request = server.client.post(server.url("/api/v1/ask")).header("accept", "text/event-stream").json(&question);
    let mut stream = request.send().await.unwrap();
    let (sent, mut read) = (Instant::now(), 0);
    while fake.asked.lock().unwrap().len() == calls && sent.elapsed() < Duration::from_secs(SECONDS) {
        // A chunk may be long in coming.
        let chunk = tokio::time::timeout(Duration::from_millis(10), stream.chunk()).await;
        read += usize::from(chunk.is_ok());
    }
    println!("the model was called after {:?} and {read} chunks", sent.elapsed());
    drop(stream);
    let began = Instant::now();
    loop {
        let kept = server.all("/api/v1/events?kind=conversation.replied").await;
        if kept.last().is_some_and(|event| event["data"]["finish"] == "stopped") {
            break;
        }
        if began.elapsed() > Duration::from_secs(SECONDS) {
            return wrong.unless(false, || format!("a closed stream leaves no `stopped`: {:?}", kept.last()));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("stopped after {:?}", began.elapsed());
}

/// The stand-in can be right too: then a model writes the answer, and its claim stands.
async fn says_what_is_true(server: &Server, fake: &Fake, id: &str, wrong: &mut Wrong) {
    fake.feel(Mood::Sane);
    let (answer, took, kept) = asked(server, id).await;
    sound(server, id, "Sane", &answer, took, wrong).await;
    wrong.unless(answer["mode"] == "model" && answer["model"] == "fake", || format!("a sane model: {answer:#}"));
    wrong.unless(answer["claims"][0]["verdict"] == "supported", || format!("what an event says: {}", answer["claims"]));
    wrong.unless(answer["tokens"]["input"].as_u64().is_some_and(|n| n >= 100), || format!("{}", answer["tokens"]));
    let finish = kept
        .iter()
        .filter(|event| event["type"] == "conversation.replied")
        .all(|event| event["data"]["finish"] == "done");
    wrong.unless(finish, || format!("a sane model's finish: {kept:?}"));
}

async fn lies(server: &Server, fake: &Fake, id: &str, wrong: &mut Wrong) {
    fake.feel(Mood::Lies);
    let (answer, took, kept) = asked(server, id).await;
    sound(server, id, "Lies", &answer, took, wrong).await;
    unsaid(&answer, LIES, wrong);
    let ticked = |lie: &&&str| {
        let all = answer["claims"].as_array().into_iter().flatten();
        all.filter(|claim| claim["verdict"] == "supported").any(|claim| claim["text"].as_str() == Some(**lie))
    };
    let ticked: Vec<&&str> = LIES.iter().filter(ticked).collect();
    wrong.unless(ticked.is_empty(), || format!("ticked although no event says it: {ticked:?}"));
    let answered = kept.iter().rfind(|event| event["type"] == "conversation.answered").cloned().unwrap_or_default();
    wrong.unless(answered["data"]["struck"].as_u64() > Some(0), || format!("no lie is struck: {answered:#}"));
}

async fn overrides(server: &Server, fake: &Fake, id: &str, wrong: &mut Wrong) {
    fake.feel(Mood::Overrides);
    let (answer, took, _) = asked(server, id).await;
    sound(server, id, "Overrides", &answer, took, wrong).await;
    unsaid(&answer, OVERRIDES, wrong);
    wrong.unless(answer["hypotheses"][0]["service"] == "ledger-db", || format!("{}", answer["hypotheses"]));
}

fn unsaid(answer: &Value, lies: &[&str], wrong: &mut Wrong) {
    let text = answer["answer"].as_str().unwrap_or_default();
    for lie in lies {
        let stem = lie.trim_end_matches('.');
        // What is not contradicted is shown as what it is.
        let shown = text.match_indices(stem).all(|(at, _)| text[at + stem.len()..].starts_with(" (not checked)"));
        wrong.unless(shown, || format!("the answer says {lie:?}"));
        for claim in answer["claims"].as_array().cloned().unwrap_or_default() {
            let is_it = claim["text"].as_str().is_some_and(|text| text.contains(stem));
            wrong.unless(!is_it || claim["verdict"] != "supported", || format!("supported: {claim}"));
        }
    }
}

async fn names_runbooks(server: &Server, fake: &Fake, id: &str, wrong: &mut Wrong) {
    fake.feel(Mood::NamesRunbooks);
    let before = server.all("/api/v1/events?kind=proposal").await.len();
    let (answer, took, _) = asked(server, id).await;
    sound(server, id, "NamesRunbooks", &answer, took, wrong).await;
    let events = server.all("/api/v1/events?kind=proposal").await;
    let fresh: Vec<&Value> = events[before..].iter().collect();
    wrong.unless(fresh.len() == 2 && fresh.iter().all(|event| event["type"] == "proposal.rejected"), || {
        format!("expected two of proposal.rejected, got {fresh:#?}")
    });
    let by = fresh.iter().all(|event| event["data"]["by"] == "fake" && event["data"]["reason"].is_string());
    wrong.unless(by, || format!("rejected, but by whom and why? {fresh:#?}"));
    let told =
        answer["missing"].as_array().is_some_and(|all| all.iter().any(|said| said.to_string().contains("refused")));
    wrong.unless(told, || format!("missing does not tell of refused runbooks: {}", answer["missing"]));
    let known = fresh.iter().filter(|event| event["data"]["runbook"] == answer["proposals"][0]["runbook"]).count();
    wrong.unless(known == 1, || format!("none of them is a known runbook out of its bounds: {fresh:#?}"));
}

/// While eight questions hang on a model that never answers, alerts are acknowledged and paged as without them:
/// the median of five.
async fn pages_meanwhile(server: &Server, fake: &Fake, id: &str, wrong: &mut Wrong) {
    let (calm_ack, calm_page) = paged_often(server, fake, "Calm").await;
    fake.feel(Mood::NeverAnswers);
    touch(server, id).await;
    let calls = fake.asked.lock().unwrap().len();
    let ask = |n: usize| {
        let request = server.client.post(server.url("/api/v1/ask"));
        request.json(&json!({"question": format!("{QUESTION} {n}"), "incident": id})).send()
    };
    let hanging: Vec<_> = (0..8).map(|n| tokio::spawn(ask(n))).collect();
    let began = Instant::now();
    while fake.asked.lock().unwrap().len() < calls + 8 && began.elapsed() < Duration::from_secs(2) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let hang = fake.asked.lock().unwrap().len() - calls;
    let (ack, page) = paged_often(server, fake, "Busy").await;
    println!("acknowledged and paged: calm {calm_ack:?} {calm_page:?}, while {hang} questions hang {ack:?} {page:?}");
    wrong.unless(hang >= 4, || format!("only {hang} of eight questions hang on the model"));
    wrong.unless(ack < calm_ack * 5 + Duration::from_millis(100), || {
        format!("acknowledged after {ack:?}, else {calm_ack:?}")
    });
    wrong.unless(page < calm_page * 5 + Duration::from_millis(250), || {
        format!("paged after {page:?}, else {calm_page:?}")
    });
    for hung in hanging {
        let answer = hung.await.unwrap().unwrap();
        wrong.unless(answer.status() == 200, || format!("a question that hung: {}", answer.status()));
    }
}

async fn paged_often(server: &Server, fake: &Fake, name: &str) -> (Duration, Duration) {
    let (mut acks, mut pages) = (Vec::new(), Vec::new());
    for n in 0..5 {
        // Each about a service of its own, so that each opens an incident.
        let service = format!("{}-{n}-{}", name.to_lowercase(), "abcde".chars().nth(n).unwrap());
        let (ack, page) = paged(server, fake, &format!("{name}Page{n}"), &service).await;
        acks.push(ack);
        pages.push(page);
    }
    acks.sort();
    pages.sort();
    (acks[2], pages[2])
}

/// How long an alert takes to its 2xx, and to its page.
async fn paged(server: &Server, fake: &Fake, name: &str, service: &str) -> (Duration, Duration) {
    let began = Instant::now();
    let (status, body) = server.fire(name, service, "critical").await;
    assert_eq!(status, 200, "{body}");
    let ack = began.elapsed();
    loop {
        let page = fake.pages.lock().unwrap().iter().find(|(_, page)| page.contains(name)).map(|(at, _)| *at);
        if let Some(at) = page {
            return (ack, at.duration_since(began));
        }
        assert!(began.elapsed() < Duration::from_secs(20), "no page for {name}:\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
