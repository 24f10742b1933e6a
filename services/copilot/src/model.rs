//! The answer that a model writes: a bounded loop with tools, then a last turn without them and with a schema.
//!
//! Owns the loop and every way in which it ends early. Refuses to judge what the model says: that is the
//! verifier's, afterwards. Nothing that a model does can fail an answer; it only falls back to evidence.

pub(crate) mod aliases;
mod budget;
pub(crate) mod claims;
mod prompt;
pub(crate) mod tools;

use hindcast_domain::words::ModelOutcome;
use std::time::Duration;

use hindcast_api::{AnswerProgress, Problem, Tokens};
use hindcast_domain::conversation::Replied;
use hindcast_llm::{Bounds, Call, Error, ModelReply, ModelRequest, PromptMessage, Speaker};
use hindcast_redact::Redactor;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use self::aliases::CitationAliases;
use self::tools::AnswerTools;
use crate::deltas::Texts;
use crate::failure::{AskFailure, Failure};
use crate::limits::{CALLS_PER_STEP_MAX, MODEL_CLAIMS_MAX};
use crate::links::Links;
use crate::record::{Flight, RecordedTurn, millis};
use crate::situation::Situation;
use crate::taken::{AnswerContext, TakenQuestion};
use crate::teller::Teller;
use crate::{Options, fence};

/// The seed of every call, for servers that take one.
const SEED: u64 = 1;
/// What a call may take beyond its own bound before it is given up on from outside.
const GRACE: Duration = Duration::from_secs(2);
/// Pieces of text that wait to be told.
const DELTAS_MAX: usize = 256;

/// What a model wrote.
#[derive(Debug)]
pub(crate) struct WordedAnswer {
    /// Its claims, unjudged.
    pub(crate) claims: Vec<hindcast_api::Claim>,
    /// The model, as its server names it.
    pub(crate) model: String,
    /// What could not be done, in plain words.
    pub(crate) missing: Vec<String>,
}

/// What the calls of one answer used, whether it was written in the end or not.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    pub(crate) calls: u32,
    pub(crate) tokens: Tokens,
    pub(crate) cost_micros: u64,
}

/// One answer in the making.
pub(crate) struct ModelSession<'a> {
    pub(crate) options: &'a Options,
    pub(crate) world: &'a AnswerContext,
    pub(crate) spend: &'a crate::spend::SpendLedger,
    pub(crate) taken: &'a TakenQuestion,
    pub(crate) situation: &'a Situation,
    pub(crate) teller: &'a Teller,
    pub(crate) aliases: CitationAliases,
    pub(crate) links: Links,
    pub(crate) used: Used,
    /// The step within the turn, of tools and replies alike.
    pub(crate) step: u32,
    pub(crate) deadline: Instant,
}

impl ModelSession<'_> {
    /// Lets the model write. Tokens that were used stand in `used` afterwards, however it ended.
    pub(crate) async fn write(&mut self, turn: &mut RecordedTurn) -> Result<WordedAnswer, AskFailure> {
        let mut tools = AnswerTools::new(self.options, self.taken, self.situation);
        let mut messages = self.first_messages(!tools.offered().is_empty())?;
        // What tools may use of the time: the rest belongs to the answer.
        let half = Instant::now() + self.deadline.saturating_duration_since(Instant::now()) / 2;
        for _ in 0..self.options.caps.steps_max {
            let done = budget::tools_are_done(&self.options.caps, &self.used);
            if tools.offered().is_empty() || Instant::now() >= half || done {
                break;
            }
            self.teller.status("asking the model").await;
            let request = self.request(messages.clone(), tools.offered().to_vec(), None);
            let reply = self.call(turn, request, false).await?;
            if reply.calls.is_empty() {
                break;
            }
            messages.push(PromptMessage {
                calls: reply.calls.clone(),
                ..PromptMessage::new(Speaker::Assistant, reply.text)
            });
            let before = tools.answered();
            for (index, call) in reply.calls.iter().enumerate() {
                let said = self.use_tool(turn, &mut tools, call, index).await?;
                messages
                    .push(PromptMessage { answers: Some(call.id.clone()), ..PromptMessage::new(Speaker::Tool, said) });
            }
            if tools.turns_in_circles(before) {
                break;
            }
        }
        self.last_turn(turn, messages, tools).await
    }

    /// The turn without tools and with a schema: whatever the model would still like to look at, it answers now.
    async fn last_turn(
        &mut self,
        turn: &mut RecordedTurn,
        mut messages: Vec<PromptMessage>,
        tools: AnswerTools<'_>,
    ) -> Result<WordedAnswer, AskFailure> {
        self.teller.status("the model writes its answer").await;
        let words = self.options.prompts.schema(MODEL_CLAIMS_MAX, self.situation.unresolved());
        messages.push(PromptMessage::new(Speaker::User, words.map_err(|error| prompts_fail(&error))?));
        let schema = claims::schema(&self.aliases);
        let request = self.request(messages, Vec::new(), Some(("answer".to_owned(), schema)));
        let reply = self.call(turn, request, true).await?;
        if reply.cut {
            return Err(AskFailure::Fell(Failure::new(
                ModelOutcome::Cut,
                "the model's answer was cut off by its token limit",
            )));
        }
        let read = claims::read(&reply.text, &self.aliases, &self.links);
        let read = read.map_err(|error| AskFailure::Fell(Failure::new(ModelOutcome::Nonsense, error)))?;
        let mut missing = tools.into_missing();
        if read.links_removed > 0 {
            missing.push(format!(
                "{} of the model's links are known to nobody here and were taken out",
                read.links_removed
            ));
        }
        Ok(WordedAnswer { claims: read.claims, model: reply.model, missing })
    }

    fn request(
        &self,
        messages: Vec<PromptMessage>,
        tools: Vec<hindcast_llm::Tool>,
        schema: Option<(String, Value)>,
    ) -> ModelRequest {
        ModelRequest { messages, tools, schema, tokens_max: self.options.caps.reply_tokens_max, seed: Some(SEED) }
    }

    /// One call: let through, made within its bounds, redacted, recorded and counted.
    async fn call(
        &mut self,
        turn: &mut RecordedTurn,
        request: ModelRequest,
        tell: bool,
    ) -> Result<ModelReply, AskFailure> {
        let caps = &self.options.caps;
        if let Some(failure) = self.world.played.as_ref().and_then(|played| played.ended(self.used.calls)) {
            return Err(AskFailure::Fell(failure));
        }
        let expected = budget::Expected::of(&request, &self.options.prices);
        if self.world.capped {
            budget::allow(caps, &self.used, expected).map_err(AskFailure::Fell)?;
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(AskFailure::Fell(Failure::new(ModelOutcome::Timeout, "the time of one answer is used up")));
        }
        let now = self.options.clock.now();
        let incident = Some(self.situation.incident.id.as_str());
        let reserve = || self.spend.reserve(caps, incident, now, expected.cost_micros);
        let reserved = self.world.capped.then(reserve);
        let _reserved = reserved.transpose().map_err(|word| {
            let said = cap_in_words(&word);
            AskFailure::Fell(Failure::new(word, said))
        })?;
        let Some(llm) = &self.world.llm else {
            return Err(AskFailure::Fell(Failure::new(ModelOutcome::Unreachable, "no language model is configured")));
        };

        self.step += 1;
        let flight = Flight {
            step: self.step,
            model: llm.model().to_owned(),
            prompt_version: self.options.prompts.version().to_owned(),
            request: request.hash(),
            began: Instant::now(),
        };
        turn.calls(flight.clone());
        let bounds = Bounds { timeout: caps.call_timeout.min(left), bytes_max: caps.reply_bytes_max };
        let asked = self.ask(llm, request, bounds, tell).await;
        let asked = asked.map(|reply| clean(reply, llm.model()));
        let cost_micros = self.count(&asked);
        let replied = replied(turn.number(), &flight, &asked, cost_micros);
        if let Some(citation) = turn.replied(replied).await? {
            self.spend.add(now, incident, cost_micros, &citation);
        }
        asked.map_err(|error| match error {
            // A recording that no longer fits is a fault of whoever plays it, not of a model.
            Error::Stale(_) => AskFailure::Problem(Problem::new(hindcast_api::Code::Conflict, error.to_string())),
            error => AskFailure::Fell(Failure::new(error.word().into(), error.to_string())),
        })
    }

    async fn ask(
        &self,
        llm: &hindcast_llm::Shared,
        request: ModelRequest,
        bounds: Bounds,
        tell: bool,
    ) -> Result<ModelReply, Error> {
        let (deltas, mut heard) = mpsc::channel(DELTAS_MAX);
        let asked = llm.chat(request, bounds, Some(deltas));
        let asked = tokio::time::timeout(bounds.timeout + GRACE, asked);
        tokio::pin!(asked);
        let mut texts = Texts::default();
        loop {
            tokio::select! {
                reply = &mut asked => break reply.unwrap_or(Err(Error::Timeout(bounds.timeout))),
                Some(delta) = heard.recv() => {
                    let text = if tell { texts.push(&delta) } else { String::new() };
                    if !text.is_empty() {
                        self.teller.tell(AnswerProgress::Delta(text)).await;
                    }
                }
            }
        }
    }

    fn count(&mut self, asked: &Result<ModelReply, Error>) -> u64 {
        self.used.calls += 1;
        let Ok(reply) = asked else { return 0 };
        let cost_micros = self.options.prices.micros(reply.tokens_in, reply.tokens_out);
        self.used.tokens.input += reply.tokens_in;
        self.used.tokens.output += reply.tokens_out;
        self.used.cost_micros += cost_micros;
        cost_micros
    }

    /// Uses a tool, records what it said and returns what the model is shown.
    async fn use_tool(
        &mut self,
        turn: &mut RecordedTurn,
        tools: &mut AnswerTools<'_>,
        call: &Call,
        index: usize,
    ) -> Result<String, Problem> {
        self.step += 1;
        let step =
            AnswerProgress::Tool { name: call.name.chars().take(64).collect(), arguments: call.arguments.clone() };
        self.teller.tell(step).await;
        let output = if index < CALLS_PER_STEP_MAX {
            tools.call(self.world, call, self.step).await?
        } else {
            Err(format!("at most {CALLS_PER_STEP_MAX} calls at once are answered; this one was not made"))
        };
        if let Err(error) = &output {
            self.options.metrics.count("hindcast_copilot_tool_errors_total", &[], 1.0);
            tracing::debug!(error, "a tool had no answer");
        }
        turn.tool_used(self.step, &call.name, &call.arguments, &output).await?;
        Ok(match output {
            Ok(value) => {
                self.aliases.learn(&value, self.taken.moment.position());
                self.links.learn(&value);
                fence::fence(&self.aliases.show(&value))
            }
            Err(error) => fence::fence(&json!({ "error": error }).to_string()),
        })
    }
}

fn prompts_fail(error: &crate::prompts::PromptError) -> AskFailure {
    AskFailure::Fell(Failure::new(ModelOutcome::Prompts, error.to_string()))
}

/// A reply without secrets: what is recorded is what is used, so that a replay sees the same.
fn clean(mut reply: ModelReply, model: &str) -> ModelReply {
    let mut redactor = Redactor::default();
    reply.text = redactor.text(&reply.text);
    for call in &mut reply.calls {
        call.name = redactor.text(&call.name);
        call.arguments = redactor.value(std::mem::take(&mut call.arguments));
    }
    if reply.model.is_empty() {
        model.clone_into(&mut reply.model);
    }
    reply
}

fn replied(turn: u32, flight: &Flight, asked: &Result<ModelReply, Error>, cost_micros: u64) -> Replied {
    let reply = asked.as_ref().ok();
    Replied {
        turn,
        step: flight.step,
        model: reply.map_or_else(|| flight.model.clone(), |reply| reply.model.clone()),
        prompt_version: flight.prompt_version.clone(),
        request: flight.request.clone(),
        reply: reply.and_then(|reply| serde_json::to_value(reply).ok()).unwrap_or(Value::Null),
        finish: asked.as_ref().map_or_else(|error| error.word().into(), |_| ModelOutcome::Done),
        tokens_in: reply.map_or(0, |reply| reply.tokens_in),
        tokens_out: reply.map_or(0, |reply| reply.tokens_out),
        cost_micros,
        elapsed_ms: millis(flight.began),
    }
}

pub(crate) fn cap_in_words(word: &ModelOutcome) -> String {
    match word {
        ModelOutcome::CapDayCalls => "the model's calls of one day are used up",
        ModelOutcome::CapDayCost => "what the model may cost in one day is used up",
        ModelOutcome::CapIncidentCalls => "the model's calls for this incident are used up",
        ModelOutcome::CapIncidentCost => "what the model may cost for this incident is used up",
        _ => "a cap on the model's use is reached",
    }
    .to_owned()
}
