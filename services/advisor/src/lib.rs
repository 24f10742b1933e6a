//! What we conclude about an incident, without a model: its causes, what it was like before, what may be done,
//! and the draft of its postmortem.
//!
//! The one contract of this crate: *every conclusion is a function of what was known at a position*, of a snapshot that
//! whoever asks has opened. It gathers evidence from it, asks the vector store for what is near, and leaves the reasoning to
//! `hindcast_reason` and the checking to `hindcast_verifier`. Nothing here runs anything; what is proposed is
//! checked and recorded, no more.
//!
//! [`Options`] → [`Rca::new`] → a cheap handle that is the [`Advice`] of this process.

mod conclude;
mod error;
mod postmortem;
mod proposals;
mod reach;
mod similar;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use hindcast_advice::Advice;
use hindcast_api::{Causes, Postmortem, Problem, Proposal, RunbookSummary, SimilarPage};
use hindcast_facts::FactsWriter;
use hindcast_queries::Snapshot;
use tokio::sync::watch;

pub use proposals::SECTION;

/// What it needs.
#[derive(Clone)]
pub struct Options {
    /// How far the memory is, and its changes; `None` where another process remembers.
    pub memory: Option<watch::Receiver<u64>>,
    /// Where incidents of the past are remembered.
    pub vectors: hindcast_vectors::Shared,
    /// What makes vectors.
    pub embedder: hindcast_vectors::embed::Shared,
    /// Where proposals are recorded; `None` where nothing may be written.
    pub writer: Option<FactsWriter>,
    /// Counters.
    pub metrics: hindcast_metrics::MetricRegistry,
}

/// The advice of this process; cheap to clone.
#[derive(Clone)]
pub struct Rca {
    inner: Arc<Inner>,
}

struct Inner {
    options: Options,
    /// Conclusions by incident and position: what is asked twice is thought once.
    drawn: Mutex<conclude::Conclusions>,
    memory: reach::MemoryReach,
}

impl Rca {
    /// Advice over views and a memory.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let memory = reach::MemoryReach::new(options.memory.clone());
        Self { inner: Arc::new(Inner { options, drawn: Mutex::default(), memory }) }
    }
}

#[async_trait]
impl Advice for Rca {
    async fn causes(&self, seen: &Snapshot, incident: Option<&str>) -> Result<Causes, Problem> {
        Ok(self.conclude(seen, incident).await?.causes.clone())
    }

    async fn similar(&self, seen: &Snapshot, incident: Option<&str>) -> Result<SimilarPage, Problem> {
        Ok(self.conclude(seen, incident).await?.similar.clone())
    }

    async fn proposals(&self, seen: &Snapshot, incident: Option<&str>) -> Result<Vec<Proposal>, Problem> {
        self.all_proposals(seen, incident).await
    }

    async fn propose(
        &self,
        seen: &Snapshot,
        incident: &str,
        runbook: &str,
        params: serde_json::Value,
        by: &str,
    ) -> Result<Proposal, Problem> {
        self.record_proposal(seen, incident, runbook, params, by).await
    }

    async fn postmortem(&self, seen: &Snapshot, incident: Option<&str>) -> Result<Postmortem, Problem> {
        self.draft(seen, incident).await
    }

    async fn recall(&self, seen: &Snapshot, text: &str, limit: usize) -> Result<SimilarPage, Problem> {
        self.recall_text(seen, text, limit).await
    }

    async fn runbooks(&self, seen: &Snapshot) -> Result<Vec<RunbookSummary>, Problem> {
        self.summaries(seen).await
    }
}
