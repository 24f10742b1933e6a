//! Questions: their bounds, the answer as JSON, as events and as a page, and that whoever goes away stops it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Method, StatusCode};
use futures::StreamExt;
use hindcast_advice::{Asker, Copilot};
use hindcast_api::{Answer, AnswerProgress, Ask, Code, Problem};
use hindcast_testkit::work::MemoryCopilot;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tower::ServiceExt;

use super::{Bench, request, sample};

const ASK: &str = "/api/v1/ask";
const EVENTS: (&str, &str) = ("accept", "text/event-stream");

/// Name and data of each event of a stream that ended.
fn events(text: &str) -> Vec<(String, Value)> {
    let field = |block: &str, name: &str| {
        block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).unwrap_or_default().to_owned()
    };
    let blocks = text.split("\n\n").filter(|block| block.contains("data:"));
    blocks.map(|block| (field(block, "event:"), serde_json::from_str(&field(block, "data:")).unwrap())).collect()
}

async fn until(what: impl Fn() -> bool) {
    for _ in 0..500 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not happen within 5 s");
}

#[tokio::test]
async fn a_question_is_answered_with_what_was_asked() {
    let bench = Bench::new();
    let body =
        r#"{"question":" what changed? ","incident":"INC-3K","as_of":"2026-11-20T02:43:00Z","conversation":"mine"}"#;
    let answer = bench.post(ASK, &[("x-hindcast-actor", "ada"), ("x-hindcast-channel", "cli")], body).await;
    assert_eq!((answer.status, answer.json()["claims"][0]["verdict"].as_str()), (StatusCode::OK, Some("supported")));
    let (ask, asker) = bench.copilot.asked().pop().unwrap();
    assert_eq!((ask.question.as_str(), ask.incident.as_deref()), ("what changed?", Some("INC-3K")));
    assert_eq!((ask.as_of, ask.conversation.as_deref()), (Some(json!("2026-11-20T02:43:00Z")), Some("mine")));
    assert_eq!((asker.actor.as_str(), asker.channel.as_str()), ("ada", "cli"));
    bench.post(&format!("{ASK}?as_of=8192"), &[("x-hindcast-channel", "odd")], r#"{"question":"x"}"#).await;
    let (ask, asker) = bench.copilot.asked().pop().unwrap();
    assert_eq!((ask.as_of, asker.channel.as_str()), (Some(json!("8192")), "api"), "like every route it takes as_of");
}

#[tokio::test]
async fn what_is_no_question_does_not_reach_the_copilot() {
    let bench = Bench::new();
    let long = format!(r#"{{"question":"{}"}}"#, "é".repeat(2_049));
    let huge = format!(r#"{{"question":"{}"}}"#, "x".repeat(40_000));
    for (body, status) in [
        ("{}", 422),
        (r#"{"question":" \n"}"#, 422),
        (r#"{"question":1}"#, 422),
        (r#"{"question":"x","model":"gpt"}"#, 422),
        (r#"{"question":"x","as_of":"noon"}"#, 400),
        (r#"{"question":"x","as_of":true}"#, 422),
        (r#"{"question":"x","incident":"a\nb"}"#, 422),
        ("[", 400),
        (&long, 422),
    ] {
        for headers in [&[][..], &[EVENTS]] {
            let answer = bench.post(ASK, headers, body).await;
            assert_eq!(answer.status.as_u16(), status, "{body}: {}", answer.text);
            assert!(!answer.json()["remedy"].as_str().unwrap().is_empty());
        }
    }
    let length = huge.len().to_string();
    assert_eq!(bench.post(ASK, &[("content-length", &length)], &huge).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(bench.get(ASK).await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(bench.copilot.asked().is_empty());
}

#[tokio::test]
async fn a_stream_tells_each_step_and_the_answer_once() {
    let bench = Bench::new();
    let answer = bench.post(ASK, &[EVENTS], r#"{"question":"what is going on?"}"#).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "text/event-stream"));
    let events = events(&answer.text);
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["status", "tool", "delta", "answer"], "{}", answer.text);
    assert_eq!(events[0].1, json!({"text": "gathers evidence"}));
    assert_eq!(events[1].1, json!({"name": "get_causes", "arguments": {"incident": sample::OPEN}}));
    assert_eq!(events[2].1, json!({"text": "postgres\nran"}));
    assert_eq!(events[3].1["conversation"], "CNV-7Q2K5M8N3P4R6S9T");
}

#[tokio::test]
async fn a_refusal_is_the_last_event_of_a_stream() {
    let bench = Bench::new();
    bench.copilot.refuse(Problem::new(Code::NotFound, "there is no such incident"));
    let events = events(&bench.post(ASK, &[EVENTS], r#"{"question":"x","incident":"INC-0"}"#).await.text);
    let (name, problem) = events.last().unwrap();
    assert_eq!((name.as_str(), problem["code"].as_str()), ("error", Some("not_found")));
    assert!(bench.metrics.get("hindcast_refused_total", &[("code", "not_found")]) > 0.0, "it is counted");
    assert_eq!(bench.post(ASK, &[], r#"{"question":"x"}"#).await.status, StatusCode::NOT_FOUND);
}

/// Closes a stream whose answer is being made; answers whether that stopped it.
async fn stops_when_closed(bench: &Bench) -> bool {
    bench.copilot.wait();
    let headers = [EVENTS, ("content-type", "application/json")];
    let asked = request(Method::POST, ASK, &headers, r#"{"question":"x"}"#);
    let response = bench.router.clone().oneshot(asked).await.unwrap();
    let mut body = response.into_body().into_data_stream();
    let first = body.next().await.unwrap().unwrap();
    assert!(first.starts_with(b"event: status\n"), "{first:?}");
    assert_eq!(bench.copilot.dropped(), 0, "it is still being made");
    drop(body);
    tokio::time::sleep(Duration::from_millis(50)).await;
    bench.copilot.dropped() == 1
}

#[tokio::test]
async fn closing_the_stream_stops_the_answer() {
    assert!(stops_when_closed(&Bench::new()).await, "nobody listens, so nobody works");
}

/// A copilot that goes on working when nobody waits for it.
struct Detached(Arc<MemoryCopilot>);

#[async_trait]
impl Copilot for Detached {
    async fn ask(&self, ask: Ask, asker: Asker, tell: Option<mpsc::Sender<AnswerProgress>>) -> Result<Answer, Problem> {
        let inner = self.0.clone();
        tokio::spawn(async move { inner.ask(ask, asker, tell).await }).await.unwrap()
    }
}

#[tokio::test]
async fn an_answer_that_is_not_bound_to_its_stream_would_be_seen() {
    let bench = Bench::asking(None, |copilot| Arc::new(Detached(copilot)));
    assert!(!stops_when_closed(&bench).await, "the check above can turn red");
}

#[tokio::test]
async fn a_connection_that_goes_away_stops_the_answer() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let bench = Bench::new();
    bench.copilot.wait();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = bench.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    for accept in ["text/event-stream", "application/json"] {
        let before = bench.copilot.dropped();
        let body = r#"{"question":"x"}"#;
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST {ASK} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: {accept}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        until(|| bench.copilot.asked().len() > before).await;
        if accept == "text/event-stream" {
            let mut read = [0_u8; 64];
            assert!(socket.read(&mut read).await.unwrap() > 0);
        }
        drop(socket);
        until(|| bench.copilot.dropped() == before + 1).await;
    }
}

#[tokio::test]
async fn the_end_of_the_server_ends_answers_that_are_being_made() {
    let bench = Bench::new();
    bench.copilot.wait();
    let streamed = bench.post(ASK, &[EVENTS], r#"{"question":"x"}"#);
    let plain = bench.post(ASK, &[], r#"{"question":"x"}"#);
    let stop = async {
        until(|| bench.copilot.asked().len() == 2).await;
        bench.console.stop();
    };
    let (streamed, plain, ()) = tokio::join!(streamed, plain, stop);
    assert_eq!(events(&streamed.text).last().unwrap().0, "error");
    assert_eq!(plain.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(bench.copilot.dropped(), 2);
}

#[tokio::test]
async fn so_many_questions_are_answered_at_once_and_no_more() {
    let bench = Bench::new();
    bench.copilot.wait();
    let headers = [EVENTS, ("content-type", "application/json")];
    let mut open: Vec<Body> = Vec::new();
    for _ in 0..crate::ask::AT_ONCE_MAX {
        let asked = request(Method::POST, ASK, &headers, r#"{"question":"x"}"#);
        let response = bench.router.clone().oneshot(asked).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        open.push(response.into_body());
    }
    let one_more = bench.post(ASK, &[EVENTS], r#"{"question":"x"}"#).await;
    assert_eq!((one_more.status, one_more.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "1"));
    open.pop();
    let asked = request(Method::POST, ASK, &headers, r#"{"question":"x"}"#);
    let mut body = bench.router.clone().oneshot(asked).await.unwrap().into_body();
    assert!(body.frame().await.unwrap().is_ok(), "a place is free again");
}

#[tokio::test]
async fn the_page_of_an_answer_marks_each_claim_and_links_its_events() {
    let bench = Bench::new();
    let page = bench.form("/INC-3K7Q/ask", &[], "question=what+is+going+on%3F&as_of=36095300&conversation=CNV-1").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    for (mark, count) in [("class=\"supported\"", 2), ("class=\"struck\"", 1), ("class=\"open\"", 1)] {
        assert_eq!(page.text.matches(mark).count(), count, "{mark}");
    }
    let link = format!("href=\"/events/{}?as_of=36095300\"", sample::event_id("36093953"));
    assert!(page.text.contains(&link) && page.text.contains("<s>redis failed first"), "{}", page.text);
    assert!(page.text.contains("no cited event names redis") && page.text.contains("answered from evidence alone"));
    assert!(page.text.contains("name=\"conversation\" value=\"CNV-7Q2K5M8N3P4R6S9T\""), "it can go on");
    assert!(!page.text.contains(sample::EVIL) && !page.text.contains("<script"));
    let (ask, asker) = bench.copilot.asked().pop().unwrap();
    assert_eq!((ask.incident.as_deref(), asker.channel.as_str()), (Some("INC-3K7Q"), "web"));
    assert_eq!((ask.as_of, ask.conversation.as_deref()), (Some(json!("36095300")), Some("CNV-1")));
    let empty = bench.form("/ask", &[], "question=").await;
    assert!(empty.status == StatusCode::UNPROCESSABLE_ENTITY && empty.header("content-type").starts_with("text/html"));
    assert_eq!(bench.form("/favicon/ask", &[], "question=x").await.status, StatusCode::NOT_FOUND);
    let evil = bench.form("/ask", &[("origin", "https://evil.example")], "question=x").await;
    assert_eq!(evil.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn looking_at_a_question_does_not_ask_it() {
    let bench = Bench::new();
    let page = bench.page("/ask?question=%3Cscript%3E&incident=INC-3K&as_of=8192").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(page.text.contains("value=\"&lt;script&gt;\"") && !page.text.contains("<script>"));
    assert!(page.text.contains(&format!("action=\"/{}/ask\"", sample::OPEN)));
    assert!(page.text.contains("name=\"as_of\" value=\"8192\""), "the question stays at the same time");
    let page = bench.page("/INC-3K/ask").await;
    assert!(page.status == StatusCode::OK && page.text.contains(&format!("action=\"/{}/ask\"", sample::OPEN)));
    assert_eq!(bench.page("/nothing/ask").await.status, StatusCode::NOT_FOUND);
    assert!(bench.copilot.asked().is_empty());
}
