//! A language model on this machine that misbehaves at the turn of a switch.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;

use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

/// How the model misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Drops,
    NeverAnswers,
    NoHttp,
    Garbage,
    BreaksOff,
    HalfJson,
    TenMegabytes,
    Endless,
    EndlessTools,
    Status(u16),
    Lies,
    Overrides,
    NamesRunbooks,
    Sane,
}

/// A server that misbehaves, and takes pages.
#[derive(Clone)]
pub(super) struct Fake {
    pub(super) port: u16,
    pub(super) mood: Arc<Mutex<Mood>>,
    pub(super) pages: Arc<Mutex<Vec<(Instant, String)>>>,
    /// Requests to the model so far.
    pub(super) asked: Arc<Mutex<Vec<Value>>>,
}

impl Fake {
    pub(super) async fn start() -> (Self, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Self {
            port: listener.local_addr().unwrap().port(),
            mood: Arc::new(Mutex::new(Mood::Sane)),
            pages: Arc::default(),
            asked: Arc::default(),
        };
        let here = fake.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let here = here.clone();
                tokio::spawn(async move { here.serve(stream).await });
            }
        });
        (fake, task)
    }

    pub(super) fn feel(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    async fn serve(&self, mut stream: TcpStream) -> Option<()> {
        let (line, body) = request(&mut stream).await?;
        if line.contains("/page") {
            self.pages.lock().unwrap().push((Instant::now(), String::from_utf8_lossy(&body).into_owned()));
            return stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await.ok();
        }
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        self.asked.lock().unwrap().push(body.clone());
        let mood = *self.mood.lock().unwrap();
        self.behave(mood, &body, stream).await
    }

    async fn behave(&self, mood: Mood, body: &Value, mut stream: TcpStream) -> Option<()> {
        const SSE: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        let first = delta(&json!({"content": "{\"claims\": ["}));
        match mood {
            Mood::Drops => return None,
            Mood::NeverAnswers => tokio::time::sleep(Duration::from_secs(600)).await,
            Mood::NoHttp => stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n\x00\xff\xfe").await.ok()?,
            Mood::Garbage => {
                let text = format!("{SSE}data: <<<{{]]\n\ndata: \u{fffd}\u{0}\n\n: \n\nevent: x\ndata: [1,2\n\n");
                stream.write_all(text.as_bytes()).await.ok()?;
            }
            Mood::BreaksOff => {
                let text = format!("{SSE}{first}data: {{\"choices\": [{{\"delta\": {{\"con");
                stream.write_all(text.as_bytes()).await.ok()?;
            }
            Mood::HalfJson => reply(&mut stream, body, "{\"claims\": [{\"events\": [\"E1\"], \"te", &[]).await?,
            Mood::TenMegabytes => {
                let text = format!("{SSE}{}", delta(&json!({"content": "x".repeat(10 << 20)})));
                stream.write_all(text.as_bytes()).await.ok()?;
            }
            Mood::Endless => {
                stream.write_all(format!("{SSE}{first}").as_bytes()).await.ok()?;
                loop {
                    stream.write_all(delta(&json!({"content": "la "})).as_bytes()).await.ok()?;
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            }
            Mood::EndlessTools => {
                let n = self.asked.lock().unwrap().len();
                reply(&mut stream, body, "", &[("get_timeline", json!({"limit": n % 90 + 1}))]).await?;
            }
            Mood::Status(status) => {
                let text = "{\"error\": {\"message\": \"no, says the model's keeper\"}}";
                let head = format!("HTTP/1.1 {status} No\r\ncontent-type: application/json\r\nconnection: close\r\n");
                let text = format!("{head}content-length: {}\r\n\r\n{text}", text.len());
                stream.write_all(text.as_bytes()).await.ok()?;
            }
            Mood::Lies => reply(&mut stream, body, &claims(body, LIES), &[]).await?,
            Mood::Overrides => reply(&mut stream, body, &claims(body, OVERRIDES), &[]).await?,
            Mood::Sane => reply(&mut stream, body, &claims(body, &[]), &[]).await?,
            Mood::NamesRunbooks => self.name_runbooks(&mut stream, body).await?,
        }
        stream.shutdown().await.ok()
    }

    /// Names a runbook that is none, and one with parameters out of every bound; then answers.
    async fn name_runbooks(&self, stream: &mut TcpStream, body: &Value) -> Option<()> {
        let offered = |name: &str| {
            body["tools"].as_array().is_some_and(|tools| tools.iter().any(|tool| tool["function"]["name"] == name))
        };
        let answered = body["messages"].as_array().is_some_and(|all| all.iter().any(|one| one["role"] == "tool"));
        if !offered("propose_runbook") || answered {
            return reply(stream, body, &claims(body, &[]), &[]).await;
        }
        let prompt = told(body);
        let known = prompt.split("Runbooks: ").nth(1).unwrap_or_default();
        let is_name = |word: &&str| word.contains('-') && word.chars().all(|c| c == '-' || c.is_ascii_lowercase());
        let known = known.split([':', ' ', '\n']).find(is_name);
        let bad = json!({"service": "x; rm -rf /", "no_such_parameter": 10});
        let calls = [
            ("propose_runbook", json!({"runbook": "erase-everything", "params": {}})),
            ("propose_runbook", json!({"runbook": known.unwrap_or("unknown"), "params": bad})),
        ];
        reply(stream, body, "", &calls).await
    }
}

/// Nothing of this is in any event.
pub(super) const LIES: &[&str] = &[
    "MailQueueGrows fired on the mailer at 03:33:33 with 941 mails.",
    "payments was rolled back to version 9.9.9 by mallory.",
    "LedgerConnectionsHigh fired on kv.",
];
pub(super) const OVERRIDES: &[&str] = &["The root cause is kv, which ran out of memory.", "mailer is the culprit."];

pub(super) async fn request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut buffer = [0_u8; 16 * 1024];
    loop {
        let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0);
        if bytes.len() >= end + 4 + length {
            return Some((head.lines().next()?.to_owned(), bytes[end + 4..end + 4 + length].to_vec()));
        }
    }
}

fn delta(delta: &Value) -> String {
    let choice = json!({"index": 0, "delta": delta, "finish_reason": null});
    format!(
        "data: {}\n\n",
        json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "fake", "choices": [choice]})
    )
}

/// A well-formed reply, as a stream or whole, whichever is asked for.
async fn reply(stream: &mut TcpStream, body: &Value, text: &str, calls: &[(&str, Value)]) -> Option<()> {
    let called = |(index, (name, arguments)): (usize, &(&str, Value))| {
        let function = json!({"name": name, "arguments": arguments.to_string()});
        json!({"index": index, "id": format!("call_{index}"), "type": "function", "function": function})
    };
    let calls: Vec<Value> = calls.iter().enumerate().map(called).collect();
    let finish = if calls.is_empty() { "stop" } else { "tool_calls" };
    let usage = json!({"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120});
    let said = if calls.is_empty() {
        json!({"role": "assistant", "content": text})
    } else {
        json!({"role": "assistant", "content": null, "tool_calls": calls})
    };
    let text = if body["stream"] == true {
        let choice = json!({"index": 0, "delta": {}, "finish_reason": finish});
        let last = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "fake", "choices": [choice], "usage": usage});
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        format!("{head}{}data: {last}\n\ndata: [DONE]\n\n", delta(&said))
    } else {
        let choice = json!({"index": 0, "message": said, "finish_reason": finish});
        let whole = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "fake", "choices": [choice], "usage": usage});
        let whole = whole.to_string();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
        format!("{head}content-length: {}\r\n\r\n{whole}", whole.len())
    };
    stream.write_all(text.as_bytes()).await.ok()
}

/// What the model was told, in plain text.
pub(super) fn told(body: &Value) -> String {
    let messages = body["messages"].as_array().into_iter().flatten();
    messages.filter_map(|message| message["content"].as_str()).collect::<Vec<_>>().join("\n")
}

/// Claims about the first event of the prompt; in front of them one that repeats what an event says.
pub(super) fn claims(body: &Value, texts: &[&str]) -> String {
    let prompt = told(body);
    let is_event = |line: &&str| {
        let name = line.split(' ').next().unwrap_or_default();
        name.strip_prefix('E').is_some_and(|digits| digits.parse::<u32>().is_ok())
    };
    let told: Vec<&str> = prompt.lines().filter(is_event).collect();
    let fired =
        told.iter().find(|line| line.contains("LedgerConnectionsHigh")).or(told.first()).copied().unwrap_or("E1");
    let name = fired.split(' ').next().unwrap_or("E1");
    let says: String = fired.splitn(3, ' ').nth(2).unwrap_or_default().to_owned();
    let mut claims = vec![json!({"events": [name], "says": says, "text": says})];
    claims.extend(texts.iter().map(|text| json!({"events": [name], "says": says, "text": text})));
    json!({"claims": claims}).to_string()
}
