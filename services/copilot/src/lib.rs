//! The copilot: answers questions about incidents, with a language model or without one, and proposes. It never
//! executes anything: nothing here can reach a runner.
//!
//! The one contract of this crate: *whatever is shown was checked, and whatever was said is recorded*. An answer
//! is as of one position; its claims cite events and are judged by the verifier, who sees no model; the order of
//! causes, past incidents and runbooks is that of our own conclusions, which a model cannot change. Without a
//! model, past a cap, or when a model fails in any way, the answer is made from evidence alone and says so.
//! Text from telemetry is data: redacted before it is written or sent, and fenced where a model reads it.
//!
//! - [`ask`]: the way of one question. [`question`]: how it is read, and [`taken`]. [`situation`]: what it may rest on.
//! - [`resolve`], [`understand`], [`pick`] and [`intent`]: what a question means. [`answer`] and [`evidence`]: the answer
//!   without a model. [`verify`]: what of it may be shown.
//! - [`tools`]: the read-only questions that a model or an MCP client may ask.
//! - [`model`]: the answer with one; [`prompts`], [`fence`] and [`links`]: what goes in, and what may come out.
//! - [`history`] and [`record`]: conversations in the ledger. [`spend`] and [`reuse`]: what was asked and paid for
//!   already. [`replay`]: a conversation played again without a model and without a tool.

mod answer;
mod ask;
mod deltas;
mod evidence;
mod failure;
mod fence;
mod history;
mod intent;
mod limits;
mod links;
mod model;
mod oncall;
mod options;
mod pick;
mod prompts;
mod question;
mod record;
mod recorded;
mod replay;
mod resolve;
mod reuse;
mod situation;
mod spend;
mod taken;
mod teller;
pub mod tools;
mod understand;
mod verify;

use std::sync::Arc;

pub use options::{Caps, Options, Prices};
pub use prompts::{PromptError, Prompts};
pub use replay::Replayed;

/// The copilot of this process; cheap to clone.
#[derive(Clone)]
pub struct AnsweringCopilot {
    inner: Arc<Inner>,
}

struct Inner {
    options: Options,
    conversations: history::Conversations,
    spend: spend::SpendLedger,
    examples: intent::embedded::EmbeddedExamples,
}

impl AnsweringCopilot {
    /// A copilot over views, advice and, perhaps, a model.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let (conversations, spend) = (history::Conversations::default(), spend::SpendLedger::default());
        let examples = intent::embedded::EmbeddedExamples::by(options.embedder.clone());
        Self { inner: Arc::new(Inner { options, conversations, spend, examples }) }
    }
}
