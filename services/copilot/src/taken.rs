//! A question that was taken, and what its answer is made with. Owns no step of the way.

use hindcast_api::Incident;
use hindcast_domain::ConversationId;
use hindcast_queries::Snapshot;

use crate::failure::Failure;
use crate::history::Earlier;
use crate::recorded::RecordedToolOutputs;
use crate::resolve::ResolvedQuestion;

/// A question with the moment, the conversation and the incident that it is about.
pub(crate) struct TakenQuestion {
    pub(crate) question: String,
    /// The snapshot that it is asked of.
    pub(crate) moment: Snapshot,
    pub(crate) conversation: ConversationId,
    pub(crate) earlier: Vec<Earlier>,
    pub(crate) incident: Option<Incident>,
    /// What its words mean.
    pub(crate) resolved: ResolvedQuestion,
}

/// What an answer is made with: a model or none, and whether what it says was recorded before.
pub(crate) struct AnswerContext {
    pub(crate) llm: Option<hindcast_llm::Shared>,
    /// Whether caps are looked at, and answers that were given before are given again.
    pub(crate) capped: bool,
    /// What tools said, where a turn is played again.
    pub(crate) played: Option<RecordedToolOutputs>,
    /// Why no model is asked although one is configured, where that is known already.
    pub(crate) falls: Option<Failure>,
}
