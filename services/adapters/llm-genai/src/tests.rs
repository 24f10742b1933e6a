//! The adapter against a server of ours that answers by a script, byte for byte: well, slowly, too much, for
//! ever, in the middle of a word, or not at all.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hindcast_llm::{Bounds, Call, Error, Llm, ModelReply, ModelRequest, PromptMessage, Speaker, Tool};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::{Genai, OpenError, Options};

const KEY: &str = "sk-very-secret-key";
const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";

/// What the server does next.
#[derive(Clone)]
enum Do {
    Say(String),
    Wait(Duration),
    /// The same for ever, or until nobody listens.
    Repeat(String),
}

struct Fake {
    url: String,
    /// Each request: its head and body.
    asked: Arc<Mutex<Vec<(String, Value)>>>,
    /// Bytes that were sent to somebody.
    sent: Arc<Mutex<usize>>,
    /// Connections that have ended.
    ended: Arc<Mutex<usize>>,
}

impl Fake {
    async fn serve(script: Vec<Do>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let fake = Self { url, asked: Arc::default(), sent: Arc::default(), ended: Arc::default() };
        let (asked, sent, ended) = (Arc::clone(&fake.asked), Arc::clone(&fake.sent), Arc::clone(&fake.ended));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, asked, sent, ended) =
                    (script.clone(), Arc::clone(&asked), Arc::clone(&sent), Arc::clone(&ended));
                tokio::spawn(async move {
                    answer(stream, script, &asked, &sent).await.ok();
                    *ended.lock().unwrap() += 1;
                });
            }
        });
        fake
    }

    /// A whole stream of these events.
    async fn stream(events: &[Value]) -> Self {
        Self::serve(vec![Do::Say(HEAD.into()), Do::Say(sse(events)), Do::Say("data: [DONE]\n\n".into())]).await
    }

    async fn status(line: &str, body: &str) -> Self {
        let length = body.len();
        let text = format!(
            "HTTP/1.1 {line}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        Self::serve(vec![Do::Say(text)]).await
    }

    fn model(&self) -> Arc<dyn Llm> {
        let idle_timeout = Duration::from_secs(2);
        Genai::open(Options { api_key: Some(KEY.into()), idle_timeout, ..Options::new(&self.url, "shop-model-high") })
            .unwrap()
    }

    async fn ask(&self) -> Result<ModelReply, Error> {
        self.model().chat(request(), bounds(3_000, 4_096), None).await
    }
}

async fn answer(
    mut stream: TcpStream,
    script: Vec<Do>,
    asked: &Mutex<Vec<(String, Value)>>,
    sent: &Mutex<usize>,
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let (head, body) = loop {
        let mut chunk = [0; 8_192];
        let read = stream.read(&mut chunk).await?;
        if read == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .to_lowercase()
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.lines().next()?.trim().parse().ok());
        if body.len() >= length.unwrap_or(0_usize) {
            break (head.to_owned(), serde_json::from_str(body).unwrap_or_default());
        }
    };
    asked.lock().unwrap().push((head, body));
    for step in script {
        match step {
            Do::Say(text) => {
                stream.write_all(text.as_bytes()).await?;
                *sent.lock().unwrap() += text.len();
            }
            Do::Wait(time) => tokio::time::sleep(time).await,
            Do::Repeat(text) => loop {
                stream.write_all(text.as_bytes()).await?;
                *sent.lock().unwrap() += text.len();
            },
        }
    }
    stream.shutdown().await
}

fn sse(events: &[Value]) -> String {
    events.iter().map(|event| format!("data: {event}\n\n")).collect()
}

fn delta(delta: &Value, finish: Option<&str>) -> Value {
    json!({"model": "served-name", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
}

fn text(text: &str) -> Value {
    delta(&json!({ "content": text }), None)
}

fn bounds(millis: u64, bytes_max: usize) -> Bounds {
    Bounds { timeout: Duration::from_millis(millis), bytes_max }
}

fn request() -> ModelRequest {
    let call = Call { id: "c1".into(), name: "get_event".into(), arguments: json!({"event": "EVT-1"}) };
    ModelRequest {
        messages: vec![
            PromptMessage::new(Speaker::System, "be brief"),
            PromptMessage::new(Speaker::User, "why?"),
            PromptMessage { calls: vec![call], ..PromptMessage::new(Speaker::Assistant, "") },
            PromptMessage { answers: Some("c1".into()), ..PromptMessage::new(Speaker::Tool, "{\"a\":1}") },
        ],
        tools: vec![Tool { name: "get_event".into(), about: "one event".into(), schema: json!({"type": "object"}) }],
        schema: Some(("answer".into(), json!({"type": "object", "properties": {}, "additionalProperties": false}))),
        tokens_max: 77,
        seed: Some(5),
    }
}

#[tokio::test]
async fn a_reply_is_streamed_and_counted() {
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}});
    let fake = Fake::stream(&[text("It "), text("broke."), delta(&json!({}), Some("stop")), usage]).await;
    let (deltas, mut heard) = mpsc::channel(8);
    let reply = fake.model().chat(request(), bounds(3_000, 4_096), Some(deltas)).await.unwrap();
    assert_eq!((reply.text.as_str(), reply.cut), ("It broke.", false));
    assert_eq!((reply.tokens_in, reply.tokens_out), (11, 3));
    assert_eq!(reply.model, "served-name");
    assert_eq!((heard.recv().await.unwrap(), heard.recv().await.unwrap()), ("It ".to_owned(), "broke.".to_owned()));
}

#[tokio::test]
async fn what_is_asked_is_what_the_protocol_wants() {
    let fake = Fake::stream(&[text("x"), delta(&json!({}), Some("stop"))]).await;
    fake.ask().await.unwrap();
    let (head, body) = fake.asked.lock().unwrap()[0].clone();
    assert!(head.starts_with("POST /v1/chat/completions "), "{head}");
    assert!(head.to_lowercase().contains(&format!("authorization: bearer {KEY}")), "{head}");
    assert!(!head.to_lowercase().contains("accept-encoding"), "nothing is inflated: {head}");
    assert_eq!(body["model"], "shop-model-high", "the name is sent whole");
    assert_eq!(body.get("reasoning_effort"), None);
    assert_eq!((&body["stream"], &body["max_tokens"], &body["seed"]), (&json!(true), &json!(77), &json!(5)));
    assert_eq!(body["temperature"], json!(0.0));
    assert_eq!(body["stream_options"]["include_usage"], true);
    assert_eq!(body["response_format"]["json_schema"]["name"], "answer");
    assert_eq!(body["tools"][0]["function"]["name"], "get_event");
    let speakers: Vec<_> = body["messages"].as_array().unwrap().iter().map(|message| message["role"].clone()).collect();
    assert_eq!(speakers, ["system", "user", "assistant", "tool"]);
    assert_eq!(body["messages"][2]["tool_calls"][0]["id"], "c1");
    assert_eq!(body["messages"][3]["tool_call_id"], "c1");
}

#[tokio::test]
async fn calls_that_come_in_pieces_are_put_together() {
    let piece = |index: u64, id: Value, name: Value, arguments: &str| {
        let mut call = json!({"index": index, "function": {"arguments": arguments}});
        if id != Value::Null {
            call["id"] = id;
            call["function"]["name"] = name;
        }
        delta(&json!({ "tool_calls": [call] }), None)
    };
    let fake = Fake::stream(&[
        piece(0, json!("a"), json!("get_event"), "{\"ev"),
        piece(0, Value::Null, Value::Null, "ent\":\"EVT-"),
        piece(1, json!("b"), json!("get_why"), ""),
        piece(0, Value::Null, Value::Null, "7\"}"),
        piece(1, Value::Null, Value::Null, "{oops"),
        delta(&json!({}), Some("tool_calls")),
    ])
    .await;
    let reply = fake.ask().await.unwrap();
    assert_eq!(reply.calls.len(), 2);
    assert_eq!(reply.calls[0], Call { id: "a".into(), name: "get_event".into(), arguments: json!({"event": "EVT-7"}) });
    assert_eq!(reply.calls[1].arguments, json!("{oops"), "what is no JSON is kept as it came");
}

#[tokio::test]
async fn a_call_with_an_absurd_number_does_no_harm() {
    let call = json!({"index": 4_294_967_295_u32, "id": "a", "function": {"name": "get_event", "arguments": "{}"}});
    let fake = Fake::stream(&[delta(&json!({ "tool_calls": [call] }), Some("tool_calls"))]).await;
    assert_eq!(fake.ask().await.unwrap().calls.len(), 1);
}

#[tokio::test]
async fn a_reply_that_was_cut_says_so() {
    let fake = Fake::stream(&[text("{\"claims\":[{\"te"), delta(&json!({}), Some("length"))]).await;
    assert!(fake.ask().await.unwrap().cut);
}

#[tokio::test]
async fn refusals_are_told_without_the_key() {
    for (line, body, expect) in [
        (
            "400 Bad Request",
            json!({"error": {"message": "exceed_context_size_error"}}).to_string(),
            "400 exceed_context",
        ),
        (
            "401 Unauthorized",
            json!({"error": {"message": format!("Incorrect API key provided: {KEY}")}}).to_string(),
            "401 Incorrect",
        ),
        ("429 Too Many Requests", json!({"error": "slow down"}).to_string(), "429 slow down"),
        ("500 Internal Server Error", "<html>oops</html>".to_owned(), "500 <html>"),
    ] {
        let fake = Fake::status(line, &body).await;
        let Err(Error::Refused(said)) = fake.ask().await else { panic!("{line} is a refusal") };
        assert!(said.starts_with(expect), "{said}");
        assert!(!said.contains(KEY), "{said}");
    }
}

#[tokio::test]
async fn an_error_in_the_stream_is_a_refusal() {
    let fake = Fake::stream(&[text("It "), json!({"error": {"message": "out of memory", "code": 500}})]).await;
    assert!(matches!(fake.ask().await, Err(Error::Refused(said)) if said.contains("out of memory")));
}

#[tokio::test]
async fn what_is_no_reply_is_malformed() {
    let broken = vec![
        vec![Do::Say(HEAD.into()), Do::Say("data: {\"choices\": oops\n\n".into())],
        // It breaks off: in the middle of an event, and between two.
        vec![Do::Say(HEAD.into()), Do::Say(sse(&[text("It ")])), Do::Say("data: {\"choices\":[{\"del".into())],
        vec![Do::Say(HEAD.into()), Do::Say(sse(&[text("It ")]))],
        // A whole JSON where a stream was asked for, and nothing at all.
        vec![Do::Say(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
                .into(),
        )],
        vec![Do::Say(HEAD.into()), Do::Say("data: [DONE]\n\n".into())],
        vec![Do::Say(HEAD.into())],
    ];
    for script in broken {
        let said = Fake::serve(script).await.ask().await;
        assert!(matches!(said, Err(Error::Malformed(_))), "{said:?}");
    }
}

#[tokio::test]
async fn a_stream_that_has_said_its_end_needs_no_last_mark() {
    let fake =
        Fake::serve(vec![Do::Say(HEAD.into()), Do::Say(sse(&[text("It broke."), delta(&json!({}), Some("stop"))]))])
            .await;
    assert_eq!(fake.ask().await.unwrap().text, "It broke.");
}

#[tokio::test]
async fn a_server_that_is_not_there_or_hangs_up_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let model = Genai::open(Options::new(url, "m")).unwrap();
    let said = model.chat(request(), bounds(3_000, 100), None).await;
    assert!(matches!(said, Err(Error::Unreachable(_))), "{said:?}");
    let said = Fake::serve(vec![]).await.ask().await;
    assert!(matches!(said, Err(Error::Unreachable(_))), "{said:?}");
}

#[tokio::test]
async fn time_is_bounded_whatever_the_server_does() {
    let comment = Do::Repeat(": still here\n\n".into());
    let slow = vec![
        vec![Do::Wait(Duration::from_secs(60))],
        vec![Do::Say(HEAD.into()), Do::Say(sse(&[text("It ")])), Do::Wait(Duration::from_secs(60))],
        vec![Do::Say(HEAD.into()), Do::Wait(Duration::from_millis(50)), comment],
    ];
    for script in slow {
        let fake = Fake::serve(script).await;
        let began = Instant::now();
        let said = fake.model().chat(request(), bounds(400, 1_000_000), None).await;
        assert!(matches!(said, Err(Error::Timeout(_) | Error::TooLarge(_))), "{said:?}");
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn bytes_are_bounded_whatever_the_server_does() {
    let ten = "x".repeat(10 * 1024 * 1024);
    let much = [
        // 10 MB in one event; in one event without an end; as the body of an error; for ever, in small events.
        vec![Do::Say(HEAD.into()), Do::Say(sse(&[text(&ten)]))],
        vec![Do::Say(HEAD.into()), Do::Say("data: ".into()), Do::Repeat("y".repeat(64 * 1024))],
        vec![Do::Say("HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\n".into()), Do::Repeat("z".repeat(64 * 1024))],
        vec![Do::Say("HTTP/1.1 200 OK\r\nX: ".into()), Do::Repeat("z".repeat(64 * 1024))],
        vec![Do::Say(HEAD.into()), Do::Repeat(sse(&[text("la ")]))],
    ];
    for (number, script) in much.into_iter().enumerate() {
        let fake = Fake::serve(script).await;
        let began = Instant::now();
        let said = fake.model().chat(request(), bounds(20_000, 4_096), None).await;
        assert!(matches!(said, Err(Error::TooLarge(4_096) | Error::Unreachable(_))), "case {number}: {said:?}");
        assert!(began.elapsed() < Duration::from_secs(15), "case {number}: {:?}", began.elapsed());
        // What the operating system holds on the way comes on top of the bound.
        let sent = *fake.sent.lock().unwrap();
        assert!(sent < 16 * 1024 * 1024, "case {number}: {sent} bytes were taken");
    }
}

#[tokio::test]
async fn dropping_the_call_ends_it_at_the_server() {
    let fake = Fake::serve(vec![Do::Say(HEAD.into()), Do::Repeat(": still here\n\n".repeat(10))]).await;
    let model = fake.model();
    // Room enough that it is the drop which ends it.
    let long = ModelRequest { tokens_max: 1_000_000, ..request() };
    let call = model.chat(long, bounds(600_000, 1 << 30), None);
    let is_sending = async {
        while *fake.sent.lock().unwrap() <= HEAD.len() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        said = call => panic!("the call ended by itself: {said:?}"),
        () = is_sending => {}
    }
    let has_ended = async {
        while *fake.ended.lock().unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), has_ended).await.expect("the server stops once the call is dropped");
}

#[test]
fn settings_that_cannot_be_right_are_refused_without_their_secrets() {
    let open = |url: &str| Genai::open(Options::new(url, "m")).map(|_| ());
    assert!(open("http://127.0.0.1:8080").is_ok());
    assert!(open("https://api.example.com/v1/").is_ok());
    for wrong in ["", "127.0.0.1:8080", "ftp://a/", "http://a/?q=1"] {
        assert!(matches!(open(wrong), Err(OpenError::Address(_))), "{wrong}");
    }
    let said = open("http://user:hunter2@a/v1").unwrap_err().to_string();
    assert!(!said.contains("hunter2"), "{said}");
    assert!(matches!(Genai::open(Options::new("http://a", " ")).map(|_| ()), Err(OpenError::Model)));
    let key = Options { api_key: Some("two words".into()), ..Options::new("http://a", "m") };
    assert!(!format!("{key:?}").contains("two words"));
    assert!(matches!(Genai::open(key).map(|_| ()), Err(OpenError::Key)));
}

#[tokio::test]
async fn without_the_pipe_an_event_without_an_end_is_bounded_by_nothing_but_time() {
    let fake =
        Fake::serve(vec![Do::Say(HEAD.into()), Do::Say("data: ".into()), Do::Repeat("y".repeat(64 * 1024))]).await;
    let model = Genai::prepare(Options::new(&fake.url, "m")).unwrap();
    let client = model.client(|builder| builder).unwrap();
    let call = model.stream(client, request(), bounds(60_000, 4_096), None);
    let said = tokio::time::timeout(Duration::from_secs(2), call).await;
    assert!(said.is_err(), "the guarantee is the pipe's: {said:?}");
}
