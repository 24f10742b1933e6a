//! One turn of a conversation, as facts in the ledger: asked, what tools said, what a model replied, answered.
//!
//! Owns what is written and when: the question before anything else, the rest as it happens, so that a replay
//! finds all of it. A turn that is dropped in the middle says so by itself. Text is redacted before it is written.

use hindcast_domain::words::{AnswerMode, ModelOutcome};
use std::time::Duration;

use hindcast_api::{Citation, Code, Problem};
use hindcast_domain::conversation::{Answered, Asked, Replied, ToolUsed};
use hindcast_domain::fact::Fact;
use hindcast_domain::{ConversationId, Partition};
use hindcast_facts::{FactsWriter, NewFact, SubmitError};
use hindcast_redact::Redactor;
use serde_json::Value;
use tokio::time::Instant;

/// How long an answer waits for its facts to be durable.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where a turn's facts go.
#[derive(Clone)]
pub(crate) struct TurnPlace {
    pub(crate) writer: FactsWriter,
    pub(crate) partition: Partition,
    pub(crate) conversation: ConversationId,
    pub(crate) turn: u32,
    pub(crate) actor: String,
}

impl TurnPlace {
    async fn write(&self, fact: impl Into<Fact>) -> Result<Citation, Problem> {
        let new = NewFact::new(self.conversation.to_string(), self.actor.clone(), fact);
        let written = tokio::time::timeout(PATIENCE, self.writer.submit(&self.partition, vec![new])).await;
        let receipt = written.unwrap_or(Err(SubmitError::Busy)).map_err(|error| unavailable(&error))?;
        let event = receipt.ids.first().map(ToString::to_string).unwrap_or_default();
        Ok(Citation { event, position: receipt.position() })
    }
}

fn unavailable(error: &SubmitError) -> Problem {
    let said = format!("the question cannot be recorded now, and nothing is answered unrecorded: {error}");
    Problem::new(Code::Unavailable, said)
}

/// A call of the model that has not come back.
#[derive(Clone, Debug)]
pub(crate) struct Flight {
    pub(crate) step: u32,
    pub(crate) model: String,
    pub(crate) prompt_version: String,
    pub(crate) request: String,
    pub(crate) began: Instant,
}

/// A turn that is being answered.
pub(crate) struct RecordedTurn {
    place: Option<TurnPlace>,
    recorded: Vec<Citation>,
    flight: Option<Flight>,
    began: Instant,
    ended: bool,
}

impl RecordedTurn {
    /// Records the question; returns once it is durable.
    pub(crate) async fn open(place: TurnPlace, asked: Asked, began: Instant) -> Result<Self, Problem> {
        let first = place.write(asked).await?;
        Ok(Self { place: Some(place), recorded: vec![first], flight: None, began, ended: false })
    }

    /// A turn that leaves nothing: for a replay, and where nothing may be written.
    pub(crate) fn unrecorded(began: Instant) -> Self {
        Self { place: None, recorded: Vec::new(), flight: None, began, ended: true }
    }

    /// The turn's number, from 1.
    pub(crate) fn number(&self) -> u32 {
        self.place.as_ref().map_or(1, |place| place.turn)
    }

    /// The events that were written so far.
    pub(crate) fn recorded(&self) -> &[Citation] {
        &self.recorded
    }

    /// When it was begun.
    pub(crate) const fn began(&self) -> Instant {
        self.began
    }

    async fn write(&mut self, fact: impl Into<Fact>) -> Result<Option<Citation>, Problem> {
        let Some(place) = &self.place else { return Ok(None) };
        let citation = place.write(fact).await?;
        self.recorded.push(citation.clone());
        Ok(Some(citation))
    }

    /// Records what a tool said.
    pub(crate) async fn tool_used(
        &mut self,
        step: u32,
        tool: &str,
        arguments: &Value,
        output: &Result<Value, String>,
    ) -> Result<(), Problem> {
        let mut redactor = Redactor::default();
        let used = ToolUsed {
            turn: self.number(),
            step,
            tool: redactor.text(tool),
            arguments: redactor.value(arguments.clone()),
            output: output.clone().unwrap_or(Value::Null),
            error: output.as_ref().err().map(|error| redactor.text(error)),
        };
        self.write(used).await?;
        Ok(())
    }

    /// A call of the model begins: dropped before it ends, it is recorded as stopped.
    pub(crate) fn calls(&mut self, flight: Flight) {
        self.flight = Some(flight);
    }

    /// Records what came of it.
    pub(crate) async fn replied(&mut self, replied: Replied) -> Result<Option<Citation>, Problem> {
        let written = self.write(replied).await;
        self.flight = None;
        written
    }

    /// Records the answer.
    pub(crate) async fn answered(&mut self, answered: Answered) -> Result<(), Problem> {
        self.ended = true;
        self.write(answered).await?;
        Ok(())
    }

    /// The turn ends without an answer, by an error that is told to whoever asked.
    pub(crate) const fn fail(&mut self) {
        self.ended = true;
    }
}

impl Drop for RecordedTurn {
    fn drop(&mut self) {
        let (false, Some(place)) = (self.ended, self.place.take()) else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            tracing::warn!("an answer was stopped while the process ends; that is not recorded");
            return;
        };
        let (flight, began) = (self.flight.take(), self.began);
        runtime.spawn(async move {
            for fact in stopped(place.turn, flight, began) {
                if let Err(problem) = place.write(fact).await {
                    tracing::warn!(%problem, "that an answer was stopped could not be recorded");
                    return;
                }
            }
        });
    }
}

/// What is recorded of an answer that nobody waited for.
fn stopped(turn: u32, flight: Option<Flight>, began: Instant) -> Vec<Fact> {
    let replied = flight.map(|flight| {
        Fact::from(Replied {
            turn,
            step: flight.step,
            model: flight.model,
            prompt_version: flight.prompt_version,
            request: flight.request,
            reply: Value::Null,
            finish: ModelOutcome::Stopped,
            tokens_in: 0,
            tokens_out: 0,
            cost_micros: 0,
            elapsed_ms: millis(flight.began),
        })
    });
    let answered = Fact::from(Answered {
        turn,
        mode: AnswerMode::Evidence,
        claims: 0,
        struck: 0,
        fell_back: Some(ModelOutcome::Stopped),
        elapsed_ms: millis(began),
        answer: Value::Null,
    });
    replied.into_iter().chain([answered]).collect()
}

/// Milliseconds since an instant.
pub(crate) fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
