//! Commands: what a person asks for, from the socket to the ledger and back. Owns the order of rule 7:
//! syntax, rights and `If-Match` on the view, then one `intake.command` event, then the owner's answer.
//! Refuses to know what a command does: its lane decides that.

pub mod asker;
pub mod body;
pub mod catalog;
pub mod duration;
pub mod incident;
pub mod schema;
pub mod silence;
pub mod topology;
pub mod undo;

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hindcast_api::{Code, Problem};
use hindcast_domain::command::{Command, Received};
use hindcast_domain::{EventId, Partition, Span, Time, silence::Terms};
use hindcast_facts::{Appended, SubmitError};
use hindcast_http::{HttpRefusal, Result};
use hindcast_intake::NewCommand;
use hindcast_queries::CommandOutcome;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Console;
pub use asker::RequestActor;

/// How long the owner's answer is awaited before the command's place is the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How far the `now` of the door and of the ledger may lie apart for one and the same relative time.
const SLACK: Span = Span::seconds(5);

/// A command ready to be written.
#[derive(Clone, Debug)]
pub struct Order {
    /// Where it goes.
    pub partition: Partition,
    /// What it is about.
    pub subject: String,
    /// What is asked for.
    pub command: Command,
    /// Which of its times were said relative to now.
    pub relative: Relative,
}

/// Which times of a command were said relative to now: a retry of it computes others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relative {
    /// None of them.
    No,
    /// The end, so long after now.
    End(Span),
    /// The start is now, and the end was named.
    Start,
    /// The start is now, and the end so long after it.
    Both,
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq)]
pub enum CommandResult {
    /// Its owner took it.
    Accepted {
        /// The subjects of the events that it caused.
        subjects: Vec<String>,
        /// The position of the last of them.
        position: u64,
    },
    /// Its owner has not answered yet.
    Pending(Pending),
}

/// A command that stands in the ledger and is not decided yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pending {
    /// Where the command stands.
    pub position: u64,
    /// The command's event.
    pub command: String,
}

/// A command was decided in time, or it is recorded and its outcome is still to come.
#[derive(Clone, Debug)]
pub enum CommandAnswer<T> {
    /// The thing as it stands now.
    Changed(T),
    /// A new thing, and where it is.
    Created(T, String),
    /// Not decided yet.
    Pending(Pending),
}

impl<T: Serialize> IntoResponse for CommandAnswer<T> {
    fn into_response(self) -> Response {
        match self {
            Self::Changed(thing) => Json(thing).into_response(),
            Self::Created(thing, at) => {
                let mut response = (StatusCode::CREATED, Json(thing)).into_response();
                if let Ok(at) = HeaderValue::from_str(&at) {
                    response.headers_mut().insert(header::LOCATION, at);
                }
                response
            }
            Self::Pending(pending) => (StatusCode::ACCEPTED, Json(pending)).into_response(),
        }
    }
}

impl Console {
    /// Writes an order and waits for its owner's answer.
    ///
    /// # Errors
    /// 409 for a key that was used for something else, 429 or 503 where the ledger takes nothing, and
    /// whatever the owner refused it with.
    pub async fn submit(&self, asker: &RequestActor, order: Order) -> Result<CommandResult> {
        let key = match &asker.key {
            Some(key) => key.clone(),
            None => fresh_key()?,
        };
        if asker.key.is_some()
            && let Some((event, earlier)) = self.queries().command_by_key(&key).await
        {
            return self.repeat(&event, &earlier, asker, &order).await;
        }
        let received = Received { key, if_match: asker.if_match, command: cleaned(order.command)? };
        let command = NewCommand {
            subject: order.subject,
            actor: asker.actor.clone(),
            command: received,
            traceparent: asker.traceparent.clone(),
        };
        let receipt = self.inner.options.commands.submit(&order.partition, command).await.map_err(refused)?;
        let Appended { positions, ids } = receipt;
        match (ids.first(), positions.first()) {
            (Some(id), Some(position)) => self.await_outcome(id, *position).await,
            _ => Err(HttpRefusal::new(Code::Internal, "the ledger named no position for the command")),
        }
    }

    /// The same key again: the same command has the earlier outcome, another one is refused.
    async fn repeat(
        &self,
        event: &EventId,
        earlier: &Received,
        asker: &RequestActor,
        order: &Order,
    ) -> Result<CommandResult> {
        let recorded = self.queries().now().await?.event(event.as_str()).await?;
        if !is_same(&earlier.command, recorded.time, order) || earlier.if_match != asker.if_match {
            let detail = format!("expected a fresh Idempotency-Key, {:?} came with another command", earlier.key);
            return Err(HttpRefusal::new(Code::KeyReused, detail));
        }
        self.await_outcome(event, recorded.position).await
    }

    async fn await_outcome(&self, command: &EventId, position: u64) -> Result<CommandResult> {
        let outcome = self.queries().outcome(command, PATIENCE).await;
        let word = match &outcome {
            CommandOutcome::Accepted { .. } => "accepted",
            CommandOutcome::Rejected(_) => "rejected",
            CommandOutcome::Pending => "pending",
        };
        self.inner.options.metrics.count("hindcast_commands_total", &[("outcome", word)], 1.0);
        match outcome {
            CommandOutcome::Accepted { subjects, position } => Ok(CommandResult::Accepted { subjects, position }),
            CommandOutcome::Rejected(rejected) => Err(HttpRefusal(Problem::of_rejection(&rejected))),
            CommandOutcome::Pending => Ok(CommandResult::Pending(Pending { position, command: command.to_string() })),
        }
    }
}

fn refused(error: SubmitError) -> HttpRefusal {
    let code = match &error {
        SubmitError::Busy => Code::Busy,
        SubmitError::TooLarge(_) => Code::TooLarge,
        SubmitError::Unavailable(_) | SubmitError::Stopped => Code::Unavailable,
    };
    tracing::warn!(%error, "a command was not written");
    // What went wrong inside is for the log.
    let detail = match error {
        SubmitError::Busy => "too many requests wait for the ledger",
        SubmitError::TooLarge(_) => "expected a command that fits one commit of 512 KiB",
        SubmitError::Unavailable(_) => "the ledger takes nothing now",
        SubmitError::Stopped => "this server stops",
    };
    HttpRefusal::new(code, detail)
}

fn fresh_key() -> Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!(%error, "no random numbers for a command's key");
        HttpRefusal::new(Code::Unavailable, "no random numbers can be had now")
    })?;
    Ok(hindcast_domain::hex::hex(&bytes))
}

/// Whether an order is what an earlier command asked for, relative times read against its own time.
fn is_same(earlier: &Command, at: Time, order: &Order) -> bool {
    if let (
        Relative::End(span),
        Command::SnoozeIncident { incident: a, until },
        Command::SnoozeIncident { incident: b, .. },
    ) = (order.relative, earlier, &order.command)
    {
        return a == b && until.distance(at + span) <= SLACK;
    }
    if let (
        relative @ (Relative::Start | Relative::Both),
        Command::CreateSilence { terms: a, replaces: x },
        Command::CreateSilence { terms: b, replaces: y },
    ) = (order.relative, earlier, &order.command)
    {
        return x == y && is_same_terms(a, b, relative);
    }
    *earlier == order.command
}

fn is_same_terms(a: &Terms, b: &Terms, relative: Relative) -> bool {
    let ends = match relative {
        Relative::Both => a.ends_at.since(a.starts_at) == b.ends_at.since(b.starts_at),
        _ => a.ends_at == b.ends_at,
    };
    let masked = Terms { starts_at: a.starts_at, ends_at: a.ends_at, ..b.clone() };
    ends && *a == masked
}

/// A command without the secrets that a person wrote into it. Configuration holds references, never secrets.
fn cleaned(command: Command) -> Result<Command> {
    if matches!(command, Command::Configure(_) | Command::Activate(_) | Command::Restore(_)) {
        return Ok(command);
    }
    let broken =
        |error: serde_json::Error| HttpRefusal::new(Code::Internal, format!("a command could not be cleaned: {error}"));
    let written = serde_json::to_value(&command).map_err(broken)?;
    let mut redactor = hindcast_redact::Redactor::default();
    let clean = redactor.value(written);
    if redactor.counts().is_empty() { Ok(command) } else { serde_json::from_value(clean).map_err(broken) }
}
