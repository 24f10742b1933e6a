//! What the advising routes answer: causes, similar incidents, proposals, postmortems, and answers to
//! questions. Everything that is said cites events, so that each word can be looked up.

use std::collections::BTreeMap;

use crate::claim::{Citation, Claim, PathStep};
use crate::impact::IncidentRisk;
use crate::words::{HypothesisKind, ProposalStatus, RiskLevel};
use hindcast_domain::proposal::ParameterSource;
use hindcast_domain::words::AnswerMode;
use hindcast_domain::{Severity, Time, finding, incident};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Something that speaks for or against a cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Statement {
    /// In plain words.
    pub text: String,
    /// The events that say so.
    pub citations: Vec<Citation>,
}

/// What may have been the cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hypothesis {
    /// In plain words; begins with the service.
    pub cause: String,
    /// The service of the root cause.
    pub service: String,
    /// What kind of cause it is.
    pub kind: HypothesisKind,
    /// How well it explains what was seen, 0 to 1. Not a probability until it is calibrated by labels.
    pub score: f64,
    /// Root cause → propagated to → first alert.
    pub path: Vec<PathStep>,
    /// What speaks for it.
    pub confirms: Vec<Statement>,
    /// What speaks against it.
    pub refutes: Vec<Statement>,
    /// All events that it rests on.
    pub citations: Vec<Citation>,
}

/// The services that an incident affects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlastRadius {
    /// Services with an alert or a finding of this incident.
    pub hit: Vec<String>,
    /// Services that depend on the cause and show nothing yet.
    pub at_risk: Vec<String>,
    /// Services that were watched and of which no sign was seen; it does not say that they are healthy.
    pub unharmed: Vec<String>,
}

/// The causes of an incident, best first; empty where it is unresolved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Causes {
    /// Best first.
    pub items: Vec<Hypothesis>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
    /// The position that it shows.
    pub position: u64,
    /// Id of the incident (`INC-…`).
    pub incident: String,
    /// True where nothing explains it well enough to be named.
    pub unresolved: bool,
    /// The reason why no root cause is named; absent when one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_unresolved: Option<String>,
    /// Causes that were ruled out, with the evidence against them: changes above all.
    pub refuted: Vec<Hypothesis>,
    /// The affected services.
    pub blast_radius: BlastRadius,
    /// Impact × probability, of the incident and of each service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<IncidentRisk>,
    /// The version of the ranking.
    pub ranker: u32,
    /// The position that the memory of past incidents had reached, where it had not reached this one yet: what happened
    /// since is not among the past that the ranking weighs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<u64>,
}

/// An incident of the past that is like this one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Similar {
    /// The other incident.
    pub incident: String,
    /// Title of the past incident.
    pub title: String,
    /// Time at which the past incident was opened.
    pub opened_at: Time,
    /// Where it is in its life.
    pub status: incident::Status,
    /// How alike they are, 0 to 1.
    pub score: f64,
    /// Whether it is the same problem again; a look-alike is listed with what sets it apart.
    pub same: bool,
    /// What they have in common.
    pub why: Vec<String>,
    /// Differences between the two incidents, one per entry, in words.
    pub differs: Vec<String>,
    /// What it turned out to be: a person's word, else what ranked first then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// For how long it stayed quiet after that, in seconds, as of the question; absent where it came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_for_s: Option<u64>,
    /// The events that say so.
    pub citations: Vec<Citation>,
}

/// Similar incidents, best first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SimilarPage {
    /// Best first: the same problem before look-alikes.
    pub items: Vec<Similar>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
    /// The position that it shows.
    pub position: u64,
    /// Id of the incident (`INC-…`) that others are compared with.
    pub incident: String,
    /// True where none of them is the same problem.
    pub never_seen: bool,
    /// What made the vectors: the model's name, or `hashing` where none is installed.
    pub embedder: String,
    /// True where a model is missing and hashed words are used instead.
    pub stand_in: bool,
    /// The position that the memory had reached, where it had not reached this one yet: what happened since may be
    /// missing, and `never_seen` is not claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<u64>,
}

/// A runbook that is proposed. Nothing runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Proposal {
    /// `PRP-…`
    pub id: String,
    /// Id of the incident (`INC-…`) that the runbook is proposed for.
    pub incident: String,
    /// The runbook's name.
    pub runbook: String,
    /// What it does, in one line.
    pub title: String,
    /// The runbook's version.
    pub version: String,
    /// Parameters, checked against types and bounds.
    pub params: BTreeMap<String, Value>,
    /// Where the value of each parameter comes from: an event, or the runbook's default.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<String, ParameterSource>,
    /// What it would touch.
    pub targets: Vec<String>,
    /// Why it is proposed, in plain words.
    pub why: String,
    /// What should be seen afterwards.
    pub effect: String,
    /// `low`, `medium` or `high`, with what can go wrong.
    pub risk: String,
    /// How often it ended a like incident of the past, of how often it was recorded there.
    pub worked: Worked,
    /// Its steps, with the parameters filled in; for reading.
    pub steps: Vec<String>,
    /// The events that speak for it.
    pub citations: Vec<Citation>,
    /// `rules`, or the model that named it.
    pub by: String,
    /// `rejected` has its reason in `why`.
    pub status: ProposalStatus,
}

/// How often something helped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Worked {
    /// It ended the incident.
    pub ended: u32,
    /// It was named as what was done.
    pub of: u32,
}

/// A drafted postmortem.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Postmortem {
    /// Id of the incident (`INC-…`).
    pub incident: String,
    /// Markdown with citations as links.
    pub markdown: String,
    /// Every event that it cites.
    pub citations: Vec<Citation>,
    /// The position that it shows.
    pub position: u64,
}

/// A finding of a detector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// `FND-…`
    pub id: String,
    /// Id of the event (`EVT-…`) that records the finding.
    pub event: String,
    /// Position of that event in the ledger.
    pub position: u64,
    /// When it was known.
    pub recorded_at: Time,
    /// Environment of the service that the finding is about.
    pub environment: String,
    /// What it says.
    #[serde(flatten)]
    pub finding: finding::Raised,
}

/// A question.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// In plain words.
    pub question: String,
    /// About which incident, by id or unique prefix; where absent the one that the question names, else the
    /// worst of those that are open, else the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// As of when: a position or an RFC 3339 time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Value>,
    /// The conversation that it continues: an id of ours, or any word of the asker's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
}

/// An answer to a question, with the events that it cites.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// In plain words: the line that answers, then at most five more, each on a line of its own.
    pub answer: String,
    /// The line that answers: yes, no, a number, a name, or that nothing is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<String>,
    /// Who worded it.
    pub mode: AnswerMode,
    /// The claims of the answer; removed ones stay here with the reason.
    pub claims: Vec<Claim>,
    /// What else there is to say, shown folded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Claim>,
    /// What may have been the cause, best first. Ours: a model never reorders it.
    pub hypotheses: Vec<Hypothesis>,
    /// Similar incidents.
    pub similar: Vec<Similar>,
    /// Proposed runbooks.
    pub proposals: Vec<Proposal>,
    /// What is missing from the answer: `no matching past incident`, `unresolved`, telemetry that expired, a model that is down, …
    pub missing: Vec<String>,
    /// The incident that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// That incident's severity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The model that wrote it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Version of the prompt templates: 12 digits of their hash.
    pub prompt_version: String,
    /// The position that it shows: nothing later was looked at.
    pub position: u64,
    /// Tokens that were used, if a model was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Tokens>,
    /// What it cost, in dollars, by the configured prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    /// How long it took.
    pub elapsed_ms: u64,
    /// The conversation, to go on with.
    pub conversation: String,
    /// The events that keep this turn.
    pub recorded: Vec<Citation>,
}

/// Tokens of all calls of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tokens {
    /// Read by the model.
    pub input: u64,
    /// Written by it.
    pub output: u64,
}

/// One step of the stream while a question is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum AnswerProgress {
    /// What is being done, in plain words.
    Status(String),
    /// A tool is used: its name and arguments.
    Tool {
        /// The tool's name.
        name: String,
        /// Arguments of the call, as JSON.
        arguments: Value,
    },
    /// Text of the model as it comes. Unchecked: the answer replaces it.
    Delta(String),
    /// The checked answer; the last event.
    Answer(Box<Answer>),
}

/// A runbook of the library, without its steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunbookSummary {
    /// Name of the runbook, as a proposal refers to it.
    pub name: String,
    /// What it does, in one line.
    pub title: String,
    /// Version of the runbook, from its file.
    pub version: String,
    /// How much can go wrong.
    pub risk: RiskLevel,
    /// Its parameters: type and bounds in words.
    pub params: BTreeMap<String, String>,
}

/// Citations by position, each once.
#[must_use]
pub fn cited(citations: impl IntoIterator<Item = Citation>) -> Vec<Citation> {
    let mut all: Vec<Citation> = citations.into_iter().collect();
    all.sort_by(|a, b| (a.position, &a.event).cmp(&(b.position, &b.event)));
    all.dedup();
    all
}
