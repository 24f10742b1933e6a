//! What we conclude about an incident, without a model: its causes, what it was like before, what may be done,
//! and the draft of its postmortem.
//!
//! The one contract of this crate: *every conclusion is a function of what was known at a position*. It gathers
//! evidence from the views, asks the vector store for what is near, and leaves the reasoning to
//! `hindcast_reason` and the checking to `hindcast_verifier`. Nothing here runs anything; what is proposed is
//! checked and recorded, no more.
//!
//! [`Options`] → [`Rca::new`] → a cheap handle that is the [`Advice`] of this process.

mod conclude;
mod error;
mod postmortem;
mod proposals;
mod similar;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use hindcast_advice::Advice;
use hindcast_api::{AsOf, Causes, Postmortem, Problem, Proposal, RunbookSummary, SimilarPage};
use hindcast_facts::FactsWriter;

pub use proposals::SECTION;

/// What it needs.
#[derive(Clone)]
pub struct Options {
    /// Answers every query, as of a position.
    pub queries: hindcast_queries::Shared,
    /// Where incidents of the past are remembered.
    pub vectors: hindcast_vectors::Shared,
    /// What makes vectors.
    pub embedder: hindcast_vectors::embed::Shared,
    /// Where proposals are recorded; `None` where nothing may be written.
    pub writer: Option<FactsWriter>,
    /// Counters.
    pub metrics: hindcast_http::MetricRegistry,
}

/// The advice of this process; cheap to clone.
#[derive(Clone)]
pub struct Rca {
    inner: Arc<Inner>,
}

struct Inner {
    options: Options,
    /// Conclusions that are being drawn, by incident and position: what is asked twice is thought once.
    drawn: Mutex<BTreeMap<(String, u64), conclude::Drawn>>,
}

impl Rca {
    /// Advice over views and a memory.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { inner: Arc::new(Inner { options, drawn: Mutex::default() }) }
    }
}

#[async_trait]
impl Advice for Rca {
    async fn causes(&self, incident: Option<&str>, as_of: Option<AsOf>) -> Result<Causes, Problem> {
        Ok(self.conclude(incident, as_of).await?.causes.clone())
    }

    async fn similar(&self, incident: Option<&str>, as_of: Option<AsOf>) -> Result<SimilarPage, Problem> {
        Ok(self.conclude(incident, as_of).await?.similar.clone())
    }

    async fn proposals(&self, incident: Option<&str>, as_of: Option<AsOf>) -> Result<Vec<Proposal>, Problem> {
        self.all_proposals(incident, as_of).await
    }

    async fn propose(
        &self,
        incident: &str,
        runbook: &str,
        params: serde_json::Value,
        by: &str,
    ) -> Result<Proposal, Problem> {
        self.record_proposal(incident, runbook, params, by).await
    }

    async fn postmortem(&self, incident: Option<&str>, as_of: Option<AsOf>) -> Result<Postmortem, Problem> {
        self.draft(incident, as_of).await
    }

    async fn recall(&self, text: &str, as_of: Option<AsOf>, limit: usize) -> Result<SimilarPage, Problem> {
        self.recall_text(text, as_of, limit).await
    }

    async fn runbooks(&self, as_of: Option<AsOf>) -> Result<Vec<RunbookSummary>, Problem> {
        self.summaries(as_of).await
    }
}
