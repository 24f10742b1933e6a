//! Language models behind one port: a request, a reply that may stream, and every way in which it can fail.
//!
//! The one contract of this crate: *a call is bounded*: in time, in bytes and in tokens, whatever the server
//! does; and dropping the future ends it. Nobody else sees a provider's types.

pub mod hash;
pub mod scripted;
pub mod transcript;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

pub use scripted::Scripted;
pub use transcript::{RecordedModel, RecordingModel};

/// A shared model.
pub type Shared = Arc<dyn Llm>;

/// Who says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    /// Our instructions.
    System,
    /// The question and its evidence.
    User,
    /// The language model.
    Assistant,
    /// A tool's output.
    Tool,
}

/// A message of the prompt, with the role that it speaks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromptMessage {
    /// Who says it.
    pub speaker: Speaker,
    /// The content, as plain text.
    pub text: String,
    /// Calls that the assistant made in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Call>,
    /// The call that a tool's message answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<String>,
}

impl PromptMessage {
    /// A message of text alone.
    pub fn new(speaker: Speaker, text: impl Into<String>) -> Self {
        Self { speaker, text: text.into(), calls: Vec::new(), answers: None }
    }
}

/// A tool that the model may call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tool {
    /// Name that the model calls the tool by.
    pub name: String,
    /// Description that the model reads to choose a tool.
    pub about: String,
    /// JSON schema of its arguments.
    pub schema: Value,
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The call's id, as the server gave it.
    pub id: String,
    /// The tool's name, as the model wrote it.
    pub name: String,
    /// Its arguments, as far as they were JSON.
    pub arguments: Value,
}

/// What is asked of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelRequest {
    /// The conversation so far.
    pub messages: Vec<PromptMessage>,
    /// Tools that it may call; none on a last turn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool>,
    /// JSON schema of the reply, with its name, where one is demanded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<(String, Value)>,
    /// Tokens that it may write.
    pub tokens_max: u32,
    /// Seed, where the server takes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelReply {
    /// The reply's text; empty when it only calls tools.
    pub text: String,
    /// Calls of tools.
    pub calls: Vec<Call>,
    /// Whether the model was cut off by its token limit.
    pub cut: bool,
    /// Tokens read, 0 where the server does not say.
    pub tokens_in: u64,
    /// Tokens written, likewise.
    pub tokens_out: u64,
    /// The model, as its server names it.
    pub model: String,
}

/// Why there is no reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No connection, or it broke.
    #[error("the model cannot be reached: {0}")]
    Unreachable(String),
    /// No reply in time.
    #[error("the model did not reply within {0:?}")]
    Timeout(Duration),
    /// The server refused: a status and its words, cut.
    #[error("the model's server refused: {0}")]
    Refused(String),
    /// More than the limit.
    #[error("the model's reply is over {0} bytes")]
    TooLarge(usize),
    /// What came is no reply.
    #[error("the model's server answered what is no reply: {0}")]
    Malformed(String),
    /// A recording holds no reply to this request: the first digits of the request's hash.
    #[error("the transcript is stale: it holds no reply to request {0}; record it again")]
    Stale(String),
}

impl Error {
    /// One stable word for it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Timeout(_) => "timeout",
            Self::Refused(_) => "refused",
            Self::TooLarge(_) => "too_large",
            Self::Malformed(_) => "malformed",
            Self::Stale(_) => "stale",
        }
    }
}

/// Bounds of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Until the whole reply is there.
    pub timeout: Duration,
    /// Bytes of the reply, text and arguments together.
    pub bytes_max: usize,
}

/// A model.
#[async_trait]
pub trait Llm: Send + Sync + 'static {
    /// The model's configured name.
    fn model(&self) -> &str;

    /// Asks. Text is told to `deltas` as it comes; a full or closed channel loses deltas, never the reply.
    async fn chat(
        &self,
        request: ModelRequest,
        bounds: Bounds,
        deltas: Option<mpsc::Sender<String>>,
    ) -> Result<ModelReply, Error>;
}
