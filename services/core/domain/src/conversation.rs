//! A conversation with the copilot, as facts: the question, each tool's output, each reply of a model, and
//! the answer. With them a conversation is played again without a model and without a tool.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::IncidentId;
use crate::words::{AnswerMode, AskChannel, ModelOutcome};

/// Somebody asked. Subject: the conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Asked {
    /// The turn within the conversation, from 1.
    pub turn: u32,
    /// The question, redacted.
    pub question: String,
    /// The incident that it is about, as it was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// The position that was asked about: nothing later was shown to anybody.
    pub as_of: u64,
    /// Where it was asked.
    pub channel: AskChannel,
}

/// A tool was used for it. Subject: the conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToolUsed {
    /// Number of the question within the conversation, from one.
    pub turn: u32,
    /// The step within the turn, from 1.
    pub step: u32,
    /// The tool's name.
    pub tool: String,
    /// Its arguments, as the model or we gave them.
    pub arguments: Value,
    /// What it said, redacted and cut to the limit.
    pub output: Value,
    /// What went wrong, if something did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A model replied, or failed to. Subject: the conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Replied {
    /// Number of the question within the conversation, from one.
    pub turn: u32,
    /// The step within the turn, from 1.
    pub step: u32,
    /// The model, as its server names it.
    pub model: String,
    /// The version of the prompts: the first digits of a hash over them.
    pub prompt_version: String,
    /// SHA-256 of the request in canonical form, by which a replay finds the reply.
    pub request: String,
    /// What came, redacted and cut to the limit: text, tool calls.
    pub reply: Value,
    /// How the call ended.
    pub finish: ModelOutcome,
    /// Tokens that were read, as the server counts them; 0 where it does not say.
    pub tokens_in: u64,
    /// Tokens that were written, likewise.
    pub tokens_out: u64,
    /// What it cost, in millionths of a dollar, by the configured prices.
    pub cost_micros: u64,
    /// How long it took.
    pub elapsed_ms: u64,
}

/// The answer, as it was given. Subject: the conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answered {
    /// Number of the question within the conversation, from one.
    pub turn: u32,
    /// Who worded it.
    pub mode: AnswerMode,
    /// Claims that were made.
    pub claims: u32,
    /// Of these, struck because their evidence does not support them.
    pub struck: u32,
    /// Why no model wrote it, where one is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fell_back: Option<ModelOutcome>,
    /// How long it took.
    pub elapsed_ms: u64,
    /// The answer, redacted.
    pub answer: Value,
}
