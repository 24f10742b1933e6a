//! Questions to the copilot: a JSON answer, or server-sent events while it is made. Owns the bounds of a
//! question and what a stream looks like; refuses to know how an answer is found. Whoever closes the
//! connection stops the answer: its future is dropped with the response.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use hindcast_advice as advising;
use hindcast_api::{Answer, AnswerProgress, AsOf, Ask, Code, Problem};
use hindcast_http::{HttpRefusal, Result};
use hindcast_metrics::MetricRegistry;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};

use crate::Console;
use crate::commands::RequestActor;
use crate::commands::body;
use crate::params::QueryParams;

/// Questions that are answered at the same time; one more is told to come again.
pub const AT_ONCE_MAX: usize = 128;
/// Longest question that is accepted.
pub const QUESTION_BYTES_MAX: usize = 4_096;
/// Bytes of the body that holds it.
const BODY_BYTES_MAX: usize = 32 * 1_024;
/// Bytes of a conversation's or an incident's name.
const NAME_BYTES_MAX: usize = 128;
/// Steps of progress that wait for a slow reader; the copilot waits for it then.
const AHEAD: usize = 64;
/// How often a comment keeps an idle connection open, and finds out that nobody listens any more.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// The header in which a client of ours says where the question was asked.
const CHANNEL: &str = "x-hindcast-channel";
/// What it may say.
const CHANNELS: [&str; 4] = ["cli", "chat", "web", "mcp"];

/// Answers a question.
///
/// # Errors
/// 422 for a question that is none, 413 for a body that is too large, 429 when too many are asked at once.
pub async fn ask(State(console): State<Console>, request: Asking) -> Result<Response> {
    let Asking { ask, asker, streamed } = request;
    let permit = console.may_ask()?;
    if streamed {
        return Ok(stream(&console, ask, asker, permit));
    }
    Ok(Json(console.answer(ask, asker, permit).await?).into_response())
}

/// A question as it came, checked.
pub struct Asking {
    /// What is asked.
    pub ask: Ask,
    /// The person and channel that the answer is recorded for.
    pub asker: advising::Asker,
    /// Whether events are wanted.
    pub streamed: bool,
}

impl FromRequest<Console> for Asking {
    type Rejection = HttpRefusal;
    async fn from_request(request: Request, console: &Console) -> Result<Self> {
        let headers = request.headers().clone();
        small(&headers)?;
        let asked = QueryParams::of(request.uri())?;
        let (mut parts, body) = request.into_parts();
        let who =
            <RequestActor as axum::extract::FromRequestParts<Console>>::from_request_parts(&mut parts, console).await?;
        let body::Json(value) = body::Json::from_request(Request::from_parts(parts, body), console).await?;
        let mut ask: Ask = body::read(value)?;
        if ask.as_of.as_ref().is_none_or(Value::is_null) {
            ask.as_of = asked.one("as_of").map(Value::String);
        }
        let asker = advising::Asker { actor: who.actor, channel: channel(&headers).into() };
        Ok(Self { ask: checked(ask)?, asker, streamed: wants_events(&headers) })
    }
}

/// Refuses a body that announces more than a question needs, before it is read.
fn small(headers: &HeaderMap) -> Result<()> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    match announced {
        Some(bytes) if bytes > BODY_BYTES_MAX => {
            let mut refusal = HttpRefusal::new(Code::TooLarge, format!("expected at most {BODY_BYTES_MAX} bytes"));
            refusal.0.remedy = format!("Send a question of at most {QUESTION_BYTES_MAX} bytes.");
            Err(refusal)
        }
        _ => Ok(()),
    }
}

fn channel(headers: &HeaderMap) -> &'static str {
    let said = headers.get(CHANNEL).and_then(|value| value.to_str().ok()).unwrap_or_default();
    CHANNELS.iter().find(|known| **known == said).copied().unwrap_or("api")
}

fn wants_events(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.contains("text/event-stream")
}

/// A question within its bounds.
///
/// # Errors
/// 422 for an empty or too long one, 400 for an `as_of` that is none.
pub(crate) fn checked(mut ask: Ask) -> Result<Ask> {
    ask.question = ask.question.trim().to_owned();
    if ask.question.is_empty() {
        return Err(body::invalid("expected a question, it is empty"));
    }
    if ask.question.len() > QUESTION_BYTES_MAX {
        let length = ask.question.len();
        return Err(body::invalid(format!("expected a question of at most {QUESTION_BYTES_MAX} bytes, got {length}")));
    }
    ask.incident = name("incident", ask.incident)?;
    ask.conversation = name("conversation", ask.conversation)?;
    ask.as_of = match ask.as_of {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.trim().is_empty() => None,
        Some(Value::String(text)) => text.parse::<AsOf>().map(|_| Some(Value::String(text.trim().to_owned())))?,
        Some(Value::Number(number)) => number.to_string().parse::<AsOf>().map(|_| Some(Value::Number(number)))?,
        Some(_) => return Err(body::invalid("expected a position or a time as as_of")),
    };
    Ok(ask)
}

fn name(what: &str, value: Option<String>) -> Result<Option<String>> {
    let value = value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    match &value {
        Some(text) if text.len() > NAME_BYTES_MAX || text.chars().any(char::is_control) => {
            Err(body::invalid(format!("expected at most {NAME_BYTES_MAX} bytes on one line as {what}")))
        }
        _ => Ok(value),
    }
}

impl Console {
    /// A place among those who ask.
    pub(crate) fn may_ask(&self) -> Result<OwnedSemaphorePermit> {
        let full = |_| HttpRefusal::new(Code::Busy, format!("{AT_ONCE_MAX} questions are being answered already"));
        Arc::clone(&self.inner.asking).try_acquire_owned().map_err(full)
    }

    /// Answers, unless the server stops before.
    pub(crate) async fn answer(
        &self,
        ask: Ask,
        asker: advising::Asker,
        _permit: OwnedSemaphorePermit,
    ) -> Result<Answer> {
        let mut stopping = self.stopping();
        tokio::select! {
            answer = self.copilot().ask(ask, asker, None) => Ok(answer?),
            () = stopped(&mut stopping) => Err(HttpRefusal(stops())),
        }
    }
}

fn stops() -> Problem {
    Problem::new(Code::Unavailable, "this server stops")
}

/// Ends when the server does.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    while !*stopping.borrow_and_update() {
        if stopping.changed().await.is_err() {
            return;
        }
    }
}

type Making = Pin<Box<dyn Future<Output = std::result::Result<Answer, Problem>> + Send>>;

/// An answer that is being made, and who listens to it.
struct LiveAnswer {
    /// Gone when the answer is there.
    making: Option<Making>,
    told: mpsc::Receiver<AnswerProgress>,
    stopping: watch::Receiver<bool>,
    metrics: MetricRegistry,
    /// What is told last.
    last: Option<sse::Event>,
    _permit: OwnedSemaphorePermit,
}

fn stream(console: &Console, ask: Ask, asker: advising::Asker, permit: OwnedSemaphorePermit) -> Response {
    let (tell, told) = mpsc::channel(AHEAD);
    let (console, stopping, metrics) = (console.clone(), console.stopping(), console.inner.options.metrics.clone());
    let making: Making = Box::pin(async move { console.copilot().ask(ask, asker, Some(tell)).await });
    let live = LiveAnswer { making: Some(making), told, stopping, metrics, last: None, _permit: permit };
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE).text("still here");
    Sse::new(live.into_stream()).keep_alive(keep_alive).into_response()
}

impl LiveAnswer {
    fn into_stream(self) -> impl Stream<Item = std::result::Result<sse::Event, Infallible>> {
        futures::stream::unfold(self, |mut live| async move {
            let event = live.next().await?;
            Some((Ok(event), live))
        })
    }

    /// The next event: what is told while the answer is made, then the answer or what went wrong.
    async fn next(&mut self) -> Option<sse::Event> {
        loop {
            let Some(making) = &mut self.making else {
                // What was told before the end comes before it.
                while let Ok(progress) = self.told.try_recv() {
                    if let Some(event) = event(&progress) {
                        return Some(event);
                    }
                }
                return self.last.take();
            };
            tokio::select! {
                biased;
                Some(progress) = self.told.recv() => {
                    if let Some(event) = event(&progress) {
                        return Some(event);
                    }
                }
                done = making => {
                    self.making = None;
                    self.last = Some(match done {
                        Ok(answer) => named("answer", &answer),
                        Err(problem) => self.refused(&problem),
                    });
                }
                () = stopped(&mut self.stopping) => {
                    self.making = None;
                    self.last = Some(self.refused(&stops()));
                }
            }
        }
    }
}

impl LiveAnswer {
    /// A refusal after the stream began; it is counted like any other.
    fn refused(&self, problem: &Problem) -> sse::Event {
        self.metrics.count("hindcast_refused_total", &[("code", problem.code.as_str())], 1.0);
        named("error", problem)
    }
}

/// A step as an event; the answer comes from the copilot's own hand, once.
fn event(progress: &AnswerProgress) -> Option<sse::Event> {
    Some(match progress {
        AnswerProgress::Status(text) => named("status", &json!({"text": text})),
        AnswerProgress::Tool { name, arguments } => named("tool", &json!({"name": name, "arguments": arguments})),
        AnswerProgress::Delta(text) => named("delta", &json!({"text": text})),
        AnswerProgress::Answer(_) => return None,
    })
}

fn named(name: &str, data: &impl serde::Serialize) -> sse::Event {
    sse::Event::default().event(name).data(serde_json::to_string(data).unwrap_or_default())
}
