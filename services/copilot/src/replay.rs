//! A conversation played again from the ledger: recorded replies stand for the model and recorded outputs for
//! the tools, so that it calls nobody and writes nothing. Owns what it is that must come out the same: the claims,
//! their citations and their verdicts. A reply or an output that is missing is an error, never a call.

use hindcast_domain::words::{AnswerMode, ModelOutcome};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use hindcast_api::{Answer, AsOf, Claim, Code, Event, Problem};
use hindcast_domain::conversation::{Answered, Asked, Replied, ToolUsed};
use hindcast_domain::{ConversationId, IncidentId, Time};
use hindcast_llm::{Bounds, Error, Llm, ModelReply, ModelRequest};
use hindcast_queries::Snapshots;
use hindcast_redact::Redactor;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::AnsweringCopilot;
use crate::failure::Failure;
use crate::history::{self, Earlier};
use crate::record::RecordedTurn;
use crate::recorded::{RecordedToolOutputs, stale};
use crate::resolve::{self, IncidentNamed};
use crate::taken::{AnswerContext, TakenQuestion};
use crate::teller::Teller;

/// How one turn fared when it was played again.
#[derive(Clone, Debug, PartialEq)]
pub struct Replayed {
    /// The turn, from 1.
    pub turn: u32,
    /// Who worded it, as it was recorded.
    pub mode: AnswerMode,
    /// Claims that were recorded.
    pub claims: usize,
    /// Replies of a model that were played.
    pub replies: usize,
    /// Whether the same claims came out with the same verdicts.
    pub same: bool,
    /// What did not, in plain words.
    pub differs: Vec<String>,
}

/// What one turn left in the ledger.
#[derive(Default)]
struct TurnRecording {
    asked: Option<Asked>,
    asked_at: Time,
    tools: Vec<ToolUsed>,
    replies: Vec<Replied>,
    answered: Option<Answered>,
}

/// Replies by the hash of their request.
struct RecordedReplies {
    model: String,
    left: Mutex<BTreeMap<String, Vec<Replied>>>,
}

#[async_trait]
impl Llm for RecordedReplies {
    fn model(&self) -> &str {
        &self.model
    }

    async fn chat(
        &self,
        request: ModelRequest,
        bounds: Bounds,
        _: Option<mpsc::Sender<String>>,
    ) -> Result<ModelReply, Error> {
        let hash = request.hash();
        let next = {
            let mut left = self.left.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            left.get_mut(&hash).and_then(|replies| (!replies.is_empty()).then(|| replies.remove(0)))
        };
        let replied = next.ok_or_else(|| Error::Stale(hash.get(..12).unwrap_or(&hash).to_owned()))?;
        match replied.finish {
            ModelOutcome::Done => {
                serde_json::from_value(replied.reply).map_err(|error| Error::Malformed(error.to_string()))
            }
            ModelOutcome::Timeout => Err(Error::Timeout(Duration::from_millis(replied.elapsed_ms))),
            ModelOutcome::Refused => Err(Error::Refused("as it was recorded".to_owned())),
            ModelOutcome::TooLarge => Err(Error::TooLarge(bounds.bytes_max)),
            ModelOutcome::Malformed => Err(Error::Malformed("as it was recorded".to_owned())),
            _ => Err(Error::Unreachable("as it was recorded".to_owned())),
        }
    }
}

impl AnsweringCopilot {
    /// Plays a conversation again, turn by turn, without a model, a tool or a trace.
    ///
    /// # Errors
    /// When there is no such conversation, or a turn asks for a reply or an output that was not recorded: the
    /// prompts, the tools or the conclusions have changed since.
    pub async fn replay(&self, conversation: &str) -> Result<Vec<Replayed>, Problem> {
        let id = conversation.parse::<ConversationId>();
        let id = id.map_err(|error| Problem::new(Code::NotFound, error.to_string()))?;
        let events = history::events(&*self.inner.options.queries, &id).await?;
        let turns = recordings(events);
        if turns.is_empty() {
            return Err(Problem::new(Code::NotFound, format!("expected a conversation, found none for {id}")));
        }
        let mut earlier = Vec::new();
        let mut all = Vec::new();
        for (number, recording) in turns {
            let (Some(asked), Some(answered)) = (&recording.asked, &recording.answered) else { continue };
            if answered.answer.is_null() {
                continue; // it was stopped, so nothing was claimed
            }
            all.push(self.play(&id, number, asked, answered, &recording, &earlier).await?);
            let text = answered.answer.get("answer").and_then(Value::as_str).unwrap_or_default().to_owned();
            earlier.push(Earlier {
                turn: number,
                as_of: asked.as_of,
                question: asked.question.clone(),
                incident: asked.incident.as_ref().map(ToString::to_string),
                answer: text,
            });
        }
        Ok(all)
    }

    async fn play(
        &self,
        id: &ConversationId,
        number: u32,
        asked: &Asked,
        answered: &Answered,
        recording: &TurnRecording,
        earlier: &[Earlier],
    ) -> Result<Replayed, Problem> {
        let recorded: Answer = serde_json::from_value(answered.answer.clone())
            .map_err(|error| Problem::new(Code::Internal, format!("a recorded answer cannot be read: {error}")))?;
        let again = if answered.mode == AnswerMode::Model && recording.replies.is_empty() {
            // It was the answer to an earlier question, given again: its own turn is what can be played.
            recorded.claims.clone()
        } else {
            self.made_again(id, asked, answered, recording, earlier).await?
        };
        let differs = differences(&recorded.claims, &again);
        Ok(Replayed {
            turn: number,
            mode: answered.mode.clone(),
            claims: recorded.claims.len(),
            replies: recording.replies.len(),
            same: differs.is_empty(),
            differs,
        })
    }

    /// The claims of a turn, made again. Whether it was asked about now is not recorded, and decides which tools
    /// were offered: the recording fits one of the two.
    async fn made_again(
        &self,
        id: &ConversationId,
        asked: &Asked,
        answered: &Answered,
        recording: &TurnRecording,
        earlier: &[Earlier],
    ) -> Result<Vec<Claim>, Problem> {
        let then = Some(AsOf::Position(asked.as_of));
        let seen = Snapshots::from(Arc::clone(&self.inner.options.queries)).open(then).await?;
        let named = IncidentNamed::Recorded(asked.incident.as_ref().map(IncidentId::as_str));
        let mut last = None;
        for asked_for in [None, then] {
            let seen = seen.regarded(asked_for);
            let resolved =
                resolve::resolve(&seen, &asked.question, earlier, named, recording.asked_at, &self.inner.examples)
                    .await?;
            let taken = TakenQuestion {
                question: asked.question.clone(),
                moment: resolved.moment.clone(),
                conversation: id.clone(),
                earlier: earlier.to_vec(),
                incident: resolved.incident.clone(),
                resolved,
            };
            let mut turn = RecordedTurn::unrecorded(Instant::now());
            match self.make(&taken, &world(answered, recording), &mut turn, &Teller::new(None)).await {
                Ok(made) => return Ok(redacted(made.answer.claims)),
                Err(problem) => last = Some(problem),
            }
        }
        Err(last.unwrap_or_else(|| stale("nothing was made")))
    }
}

/// What a turn was made with.
fn world(answered: &Answered, recording: &TurnRecording) -> AnswerContext {
    let tools = recording.tools.iter().map(|used| (used.step, used.clone())).collect();
    let mut left: BTreeMap<String, Vec<Replied>> = BTreeMap::new();
    for replied in &recording.replies {
        left.entry(replied.request.clone()).or_default().push(replied.clone());
    }
    let model = recording.replies.first().map(|replied| replied.model.clone()).unwrap_or_default();
    let asked_one = !recording.replies.is_empty();
    let falls = answered.fell_back.as_ref().filter(|_| !asked_one);
    AnswerContext {
        llm: asked_one.then(|| Arc::new(RecordedReplies { model, left: Mutex::new(left) }) as hindcast_llm::Shared),
        capped: false,
        played: Some(RecordedToolOutputs {
            tools,
            calls: u32::try_from(recording.replies.len()).unwrap_or(u32::MAX),
            fell_back: answered.fell_back.clone(),
        }),
        falls: falls.map(|word| Failure::new(ModelOutcome::Recorded, word.to_string())),
    }
}

/// The turns of a conversation, in order.
fn recordings(events: Vec<Event>) -> BTreeMap<u32, TurnRecording> {
    let mut turns: BTreeMap<u32, TurnRecording> = BTreeMap::new();
    for event in events {
        match event.event_type.as_str() {
            "conversation.asked" => {
                let at = event.time;
                if let Some(asked) = read::<Asked>(event.data) {
                    let turn = turns.entry(asked.turn).or_default();
                    (turn.asked, turn.asked_at) = (Some(asked), at);
                }
            }
            "conversation.tool_used" => {
                if let Some(used) = read::<ToolUsed>(event.data) {
                    turns.entry(used.turn).or_default().tools.push(used);
                }
            }
            "conversation.replied" => {
                if let Some(replied) = read::<Replied>(event.data) {
                    turns.entry(replied.turn).or_default().replies.push(replied);
                }
            }
            "conversation.answered" => {
                if let Some(answered) = read::<Answered>(event.data) {
                    let turn = turns.entry(answered.turn).or_default();
                    turn.answered = Some(answered);
                }
            }
            _ => {}
        }
    }
    turns
}

fn read<T: DeserializeOwned>(data: Value) -> Option<T> {
    serde_json::from_value(data)
        .inspect_err(|error| tracing::warn!(%error, "an event of a conversation cannot be read"))
        .ok()
}

/// Claims as the ledger would keep them.
fn redacted(claims: Vec<Claim>) -> Vec<Claim> {
    let mut redactor = Redactor::default();
    let clean = |mut claim: Claim| {
        claim.text = redactor.text(&claim.text);
        claim
    };
    claims.into_iter().map(clean).collect()
}

/// Where two lists of claims differ, in plain words.
fn differences(recorded: &[Claim], again: &[Claim]) -> Vec<String> {
    let mut differs = Vec::new();
    for claim in recorded {
        match again.iter().find(|other| other.text == claim.text && other.citations == claim.citations) {
            None => differs.push(format!("is not said again: {}", claim.text)),
            Some(other) if other.verdict != claim.verdict => {
                differs.push(format!("was {:?} and is {:?} now: {}", claim.verdict, other.verdict, claim.text));
            }
            Some(_) => {}
        }
    }
    let is_new = |claim: &&Claim| !recorded.iter().any(|known| known.text == claim.text);
    differs.extend(again.iter().filter(is_new).map(|claim| format!("was not said: {}", claim.text)));
    differs
}
