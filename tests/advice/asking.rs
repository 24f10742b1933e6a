//! Questions: streamed, refused, and one after the other in a conversation.

use std::time::{Duration, Instant};

use crate::support::Server;
use crate::support::world::{Happened, Wrong, quiet};
use serde_json::{Value, json};

use super::{QUESTION, ask, sound};

/// Twenty questions: figures are printed; the bound is generous, since tests share the machine.
pub(super) async fn asked_often(server: &Server, again: &Happened) {
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
pub(super) fn events(text: &str) -> Vec<(String, Value)> {
    let field = |block: &str, name: &str| -> Option<String> {
        let lines: Vec<&str> = block.lines().filter_map(|line| line.strip_prefix(name)).map(str::trim).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    };
    let of = |block: &str| Some((field(block, "event:")?, serde_json::from_str(&field(block, "data:")?).ok()?));
    text.split("\n\n").filter_map(of).collect()
}

pub(super) async fn streamed(server: &Server, again: &Happened, wrong: &mut Wrong) {
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

pub(super) async fn bad_questions(server: &Server, wrong: &mut Wrong) {
    quiet(server).await;
    let before = recorded(server).await;
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
    quiet(server).await;
    let after = recorded(server).await;
    wrong.unless(before == after, || format!("refused questions left something: {before:?} then {after:?}"));
}

/// How many events of each kind there are that a question can leave. Others come meanwhile: incidents are reviewed.
async fn recorded(server: &Server) -> Vec<usize> {
    let mut counts = Vec::new();
    for kind in ["intake.command", "conversation.asked", "conversation.answered", "conversation.tool_used"] {
        counts.push(server.all(&format!("/api/v1/events?kind={kind}")).await.len());
    }
    counts
}

pub(super) async fn refusal(place: &str, answer: reqwest::Response, expected: &[u16], wrong: &mut Wrong) {
    let status = answer.status().as_u16();
    let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default();
    wrong.unless(expected.contains(&status), || format!("{place}: expected {expected:?}, got {status} {body}"));
    let whole = ["type", "title", "detail", "code", "remedy"].iter().all(|field| body[*field].is_string());
    wrong.unless(whole && body["status"] == status && kind.starts_with("application/problem+json"), || {
        format!("{place}: no whole problem: {status} {kind} {body}")
    });
}

pub(super) async fn conversation(server: &Server, again: &Happened, wrong: &mut Wrong) {
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
    // An incident may be reviewed, or a sender fall silent, meanwhile: only what asking did is of interest.
    let since: Vec<Value> = server.all(&format!("/api/v1/events?from={}", before["position"])).await;
    let types: Vec<&str> = since.iter().filter_map(|event| event["type"].as_str()).collect();
    let others = types.iter().any(|kind| !kind.starts_with("conversation."));
    wrong.unless(others || before["state_hash"] == after["state_hash"], || {
        format!("asking changes the state's hash; since then: {types:?}")
    });
    let (status, replay) = server.post("/api/v1/replay", &json!({})).await;
    wrong.unless(status == 200 && replay["identical"] == true, || format!("replay after asking: {replay}"));
}
