//! Advice: what the service concludes for people, asked through one port, so that the API, the pages, the
//! terminal, MCP and the copilot say the same.
//!
//! The one contract of this crate: *every answer is of a snapshot and cites events that were known by it*.
//! [`Advice`] is what we conclude ourselves, without a model; [`Copilot`] answers questions, with or without
//! one; [`tools`] is the form of the read-only questions that a model or an MCP client may ask; [`proposed`] makes what rules
//! propose stand in the ledger before it is judged; [`memory`] has the stand-ins for tests.

pub mod gather;
pub mod memory;
pub mod proposed;
pub mod tools;

use hindcast_domain::words::AskChannel;
use std::sync::Arc;

use async_trait::async_trait;
use hindcast_api::{Answer, AnswerProgress, Ask, Causes, Postmortem, Problem, Proposal, RunbookSummary, SimilarPage};
use hindcast_queries::Snapshot;
use tokio::sync::mpsc;

/// Shared advice.
pub type Shared = Arc<dyn Advice>;
/// The copilot as the console and chat use it.
pub type SharedCopilot = Arc<dyn Copilot>;

/// What we conclude, without a model.
#[async_trait]
pub trait Advice: Send + Sync + 'static {
    /// What may have been the cause of an incident (by id or unique prefix; the newest where absent).
    async fn causes(&self, seen: &Snapshot, incident: Option<&str>) -> Result<Causes, Problem>;

    /// Incidents of the past that are like it.
    async fn similar(&self, seen: &Snapshot, incident: Option<&str>) -> Result<SimilarPage, Problem>;

    /// Runbooks that fit it, best first. Reading only: see [`Advice::propose`].
    async fn proposals(&self, seen: &Snapshot, incident: Option<&str>) -> Result<Vec<Proposal>, Problem>;

    /// Checks a runbook with parameters for an incident by what is known in `seen`, and records it: as made, or as
    /// rejected with the reason.
    async fn propose(
        &self,
        seen: &Snapshot,
        incident: &str,
        runbook: &str,
        params: serde_json::Value,
        by: &str,
    ) -> Result<Proposal, Problem>;

    /// A postmortem, drafted.
    async fn postmortem(&self, seen: &Snapshot, incident: Option<&str>) -> Result<Postmortem, Problem>;

    /// Incidents of the past that are like a text, best first.
    async fn recall(&self, seen: &Snapshot, text: &str, limit: usize) -> Result<SimilarPage, Problem>;

    /// The runbooks in force.
    async fn runbooks(&self, seen: &Snapshot) -> Result<Vec<RunbookSummary>, Problem>;
}

/// Who asks, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asker {
    /// The person, as the API knows them.
    pub actor: String,
    /// Where it was asked.
    pub channel: AskChannel,
}

/// Answers questions.
#[async_trait]
pub trait Copilot: Send + Sync + 'static {
    /// Answers. `progress` hears of it while it is made and last of all gets the answer; dropping the future
    /// stops it, and what was used by then is recorded.
    async fn ask(
        &self,
        ask: Ask,
        asker: Asker,
        progress: Option<mpsc::Sender<AnswerProgress>>,
    ) -> Result<Answer, Problem>;
}
