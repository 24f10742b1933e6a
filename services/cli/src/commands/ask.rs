//! `ask` and `chat`: questions to the copilot, and its answers. Owns the stream of what it does meanwhile and the
//! loop over lines; how an answer reads stands in [`super::answer`].

use std::time::Duration;

use clap::Args;
use futures::StreamExt as _;
use hindcast_api::{Answer, Problem};
use reqwest::{Method, RequestBuilder, header};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::answer::told;
use crate::client::{Path, typed};
use crate::context::{AsOfArgs, CliContext};
use crate::error::{Error, Result};
use crate::parse::id::id;
use crate::sse::{EventParser, ServerSentEvent};
use crate::text::clean;
use crate::text::ink::Ink;

/// How long an answer may take: longer than any bound of the server.
const PATIENCE: Duration = Duration::from_secs(900);

/// A question.
#[derive(Args, Debug)]
pub struct AskArgs {
    /// The question, in plain words.
    #[arg(value_name = "QUESTION", required = true, num_args = 1..)]
    pub question: Vec<String>,
    /// What it is about, and how it is answered.
    #[command(flatten)]
    pub about: AboutArgs,
}

/// What questions are about.
#[derive(Args, Clone, Debug)]
pub struct AboutArgs {
    /// The incident: its id or a unique prefix. Without it: the incident that the question names, the most severe
    /// open one, or the newest.
    #[arg(long, value_name = "ID", value_parser = id)]
    pub incident: Option<String>,
    /// Continue this conversation.
    #[arg(long, value_name = "ID", value_parser = id)]
    pub conversation: Option<String>,
    /// Print no progress.
    #[arg(long)]
    pub no_stream: bool,
    /// A point in the past to look at instead of the present.
    #[command(flatten)]
    pub as_of: AsOfArgs,
}

/// Asks once.
///
/// # Errors
/// When there is no answer.
pub async fn run(args: AskArgs, context: &mut CliContext<'_>) -> Result<()> {
    let question = args.question.join(" ");
    let document = ask(&question, &args.about, "cli", context).await?;
    tell(&document, &args.about, context).map(|_| ())
}

/// Talks: one question a line, until the end of the input.
///
/// # Errors
/// When a question of a file or a pipe had no answer, or nothing can be written.
pub async fn chat(mut about: AboutArgs, context: &mut CliContext<'_>) -> Result<()> {
    let mut lines = context.terminal.lines();
    let asks = context.terminal.asks();
    let mut failed = false;
    if asks {
        context.terminal.say("one question a line; Ctrl-C stops an answer, Ctrl-D ends");
    }
    loop {
        if asks {
            context.terminal.say_piece("› ");
        }
        let line = tokio::select! {
            line = lines.recv() => line,
            _ = tokio::signal::ctrl_c() => {
                context.terminal.say("\nCtrl-D ends");
                continue;
            }
        };
        let Some(line) = line.transpose()? else { break };
        let question = line.trim();
        if question.is_empty() {
            continue;
        }
        if matches!(question, "exit" | "quit") {
            break;
        }
        let asked = tokio::select! {
            asked = ask(question, &about, "chat", context) => Some(asked),
            _ = tokio::signal::ctrl_c() => None,
        };
        match asked {
            None => context.terminal.say("\nstopped"),
            Some(Ok(document)) => about.conversation = Some(tell(&document, &about, context)?),
            Some(Err(error)) => {
                failed = true;
                complain(&error, context);
            }
        }
        context.terminal.flush()?;
    }
    if failed && !asks { Err(Error::NotInOrder) } else { Ok(()) }
}

fn complain(error: &Error, context: &mut CliContext<'_>) {
    context.terminal.say(&format!("error: {}", clean(&error.to_string())));
    if let Some(remedy) = error.remedy() {
        context.terminal.say(&format!("remedy: {}", clean(&remedy)));
    }
}

/// Writes an answer and says which conversation it belongs to.
fn tell(document: &RawValue, about: &AboutArgs, context: &mut CliContext<'_>) -> Result<String> {
    let answer: Answer = typed("an answer", document)?;
    if context.json {
        context.print_json(&document)?;
    } else {
        let text = told(&answer, context.times(&about.as_of), context);
        context.terminal.write(&text)?;
    }
    Ok(answer.conversation)
}

async fn ask(question: &str, about: &AboutArgs, channel: &str, context: &mut CliContext<'_>) -> Result<Box<RawValue>> {
    let body = hindcast_api::Ask {
        question: question.to_owned(),
        incident: about.incident.clone(),
        as_of: context.as_of(&about.as_of).map(Value::String),
        conversation: about.conversation.clone(),
    };
    let request = context.client.request(Method::POST, &Path::new("/api/v1/ask")).json(&body);
    let request = request.header("x-hindcast-channel", channel).timeout(PATIENCE);
    if about.no_stream || !context.terminal.is_watched() {
        let request = request.header(header::ACCEPT, "application/json");
        let response = context.client.send_and_wait(request).await?;
        return context.client.json(response).await;
    }
    streamed(request, context).await
}

/// Asks for events, tells them on standard error, and gives the last one: the answer.
async fn streamed(request: RequestBuilder, context: &mut CliContext<'_>) -> Result<Box<RawValue>> {
    let request = request.header(header::ACCEPT, "text/event-stream");
    let response = context.client.send_and_wait(request).await?;
    let base = context.client.base().to_owned();
    let mut chunks = response.bytes_stream();
    let mut messages = EventParser::default();
    let mut meanwhile = Meanwhile::default();
    while let Some(chunk) = chunks.next().await {
        let broke = |source| Error::Unreachable {
            url: base.clone(),
            detail: "the connection closed before the answer".to_owned(),
            source,
        };
        for message in messages.feed(&chunk.map_err(broke)?)? {
            if let Some(document) = meanwhile.tell(&message, context)? {
                return Ok(document);
            }
        }
    }
    meanwhile.end(context);
    Err(Error::failed("expected an answer, the stream ended before it", "Look at the log of the server, or ask again."))
}

/// What is told while an answer is made.
#[derive(Default)]
struct Meanwhile {
    /// Whether text of the model stands on an open line.
    open: bool,
}

#[derive(Deserialize)]
struct AskProgress {
    #[serde(default)]
    text: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    arguments: Value,
}

impl Meanwhile {
    /// Tells a message; the answer is given back.
    fn tell(&mut self, message: &ServerSentEvent, context: &mut CliContext<'_>) -> Result<Option<Box<RawValue>>> {
        let strange = |error: serde_json::Error| {
            Error::failed(format!("expected JSON on the stream, {error}"), "Use the server's own version.")
        };
        match message.event.as_str() {
            "answer" => {
                self.end(context);
                return serde_json::from_str(&message.data).map(Some).map_err(strange);
            }
            "error" => {
                self.end(context);
                let problem: Problem = serde_json::from_str(&message.data).map_err(strange)?;
                return Err(Error::Refused(Box::new(problem)));
            }
            "status" | "tool" | "delta" => {
                let told: AskProgress = serde_json::from_str(&message.data).map_err(strange)?;
                self.step(&message.event, &told, context);
            }
            // A newer server may tell more.
            _ => {}
        }
        Ok(None)
    }

    fn step(&mut self, event: &str, told: &AskProgress, context: &mut CliContext<'_>) {
        let colour = context.terminal.colour();
        if event == "delta" {
            let harmless: String = told.text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            context.terminal.say_piece(&Ink::Faint.on(&harmless, colour));
            self.open = true;
            return;
        }
        self.end(context);
        let text = match event {
            "tool" => format!("· {} {}", told.name, told.arguments),
            _ => format!("· {}", told.text),
        };
        let text: String = clean(&text).chars().take(context.terminal.width().unwrap_or(200)).collect();
        context.terminal.say(&Ink::Faint.on(&text, colour));
    }

    fn end(&mut self, context: &mut CliContext<'_>) {
        if std::mem::take(&mut self.open) {
            context.terminal.say("");
        }
    }
}
