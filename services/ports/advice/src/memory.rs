//! Advice in memory: the stand-in for the port that tests of services use. It answers with what a test puts there and
//! remembers what it was asked. It refuses to conclude anything.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use hindcast_api::{AsOf, Causes, Code, Postmortem, Problem, Proposal, RunbookSummary, SimilarPage};
use hindcast_queries::Snapshot;
use serde_json::Value;

use crate::Advice;

/// A runbook that somebody named for an incident.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedRunbook {
    /// Id of the incident.
    pub incident: String,
    /// The runbook's name, which may be that of none.
    pub runbook: String,
    /// Its parameters as they were given.
    pub params: Value,
    /// Who named it.
    pub by: String,
}

/// Advice that a test fills.
#[derive(Default)]
pub struct MemoryAdvice {
    held: Mutex<AdviceContents>,
}

#[derive(Default)]
struct AdviceContents {
    causes: Option<Causes>,
    similar: Option<SimilarPage>,
    proposals: Vec<Proposal>,
    postmortem: Option<Postmortem>,
    runbooks: Vec<RunbookSummary>,
    refusal: Option<Problem>,
    asked: Vec<(&'static str, Option<AsOf>)>,
    named: Vec<NamedRunbook>,
}

impl MemoryAdvice {
    fn held(&self) -> MutexGuard<'_, AdviceContents> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The causes of every incident.
    pub fn put_causes(&self, causes: Causes) {
        self.held().causes = Some(causes);
    }

    /// What every incident, and every text, is like.
    pub fn put_similar(&self, similar: SimilarPage) {
        self.held().similar = Some(similar);
    }

    /// One more runbook that rules propose for every incident.
    pub fn put_proposal(&self, proposal: Proposal) {
        self.held().proposals.push(proposal);
    }

    /// The draft for every incident.
    pub fn put_postmortem(&self, postmortem: Postmortem) {
        self.held().postmortem = Some(postmortem);
    }

    /// One more runbook.
    pub fn put_runbook(&self, runbook: RunbookSummary) {
        self.held().runbooks.push(runbook);
    }

    /// Answers every question from now on with a refusal; naming a runbook is none.
    pub fn refuse(&self, problem: Problem) {
        self.held().refusal = Some(problem);
    }

    /// Every question so far, with as of when it was asked, oldest first.
    #[must_use]
    pub fn asked(&self) -> Vec<(&'static str, Option<AsOf>)> {
        self.held().asked.clone()
    }

    /// Every runbook that was named so far, oldest first.
    #[must_use]
    pub fn named(&self) -> Vec<NamedRunbook> {
        self.held().named.clone()
    }

    fn ask(&self, question: &'static str, seen: &Snapshot) -> Result<MutexGuard<'_, AdviceContents>, Problem> {
        let mut held = self.held();
        held.asked.push((question, Some(AsOf::Position(seen.position()))));
        match &held.refusal {
            Some(problem) => Err(problem.clone()),
            None => Ok(held),
        }
    }
}

/// What a test did not put there.
fn put<T: Clone>(kept: Option<&T>, what: &str) -> Result<T, Problem> {
    kept.cloned().ok_or_else(|| Problem::new(Code::NotFound, format!("expected {what}, found none in memory")))
}

#[async_trait]
impl Advice for MemoryAdvice {
    async fn causes(&self, seen: &Snapshot, incident: Option<&str>) -> Result<Causes, Problem> {
        let causes = put(self.ask("causes", seen)?.causes.as_ref(), "causes")?;
        Ok(Causes { incident: incident.map_or(causes.incident, ToOwned::to_owned), ..causes })
    }

    async fn similar(&self, seen: &Snapshot, incident: Option<&str>) -> Result<SimilarPage, Problem> {
        let similar = put(self.ask("similar", seen)?.similar.as_ref(), "similar incidents")?;
        Ok(SimilarPage { incident: incident.map_or(similar.incident, ToOwned::to_owned), ..similar })
    }

    async fn proposals(&self, seen: &Snapshot, incident: Option<&str>) -> Result<Vec<Proposal>, Problem> {
        let proposals = self.ask("proposals", seen)?.proposals.clone();
        let of = |one: Proposal| Proposal { incident: incident.map_or(one.incident, ToOwned::to_owned), ..one };
        Ok(proposals.into_iter().map(of).collect())
    }

    /// A runbook of which nothing was put there is refused; parameters other than those that were put there are
    /// rejected, with what the runbook expects.
    async fn propose(
        &self,
        _: &Snapshot,
        incident: &str,
        runbook: &str,
        params: Value,
        by: &str,
    ) -> Result<Proposal, Problem> {
        let mut held = self.held();
        held.named.push(NamedRunbook {
            incident: incident.to_owned(),
            runbook: runbook.to_owned(),
            params: params.clone(),
            by: by.to_owned(),
        });
        let Some(known) = held.proposals.iter().find(|proposal| proposal.runbook == runbook).cloned() else {
            return Err(Problem::new(Code::Invalid, format!("there is no runbook {runbook:?}")));
        };
        let known = Proposal { incident: incident.to_owned(), ..known };
        let given = params.as_object().into_iter().flatten();
        let Some((name, _)) = given.into_iter().find(|(name, value)| known.params.get(*name) != Some(*value)) else {
            return Ok(known);
        };
        let summary = held.runbooks.iter().find(|summary| summary.name == runbook);
        let expected = summary.and_then(|summary| summary.params.get(name)).map_or("another value", String::as_str);
        Ok(Proposal { why: format!("expected {name}: {expected}"), status: "rejected".into(), ..known })
    }

    async fn postmortem(&self, seen: &Snapshot, incident: Option<&str>) -> Result<Postmortem, Problem> {
        let draft = put(self.ask("postmortem", seen)?.postmortem.as_ref(), "a postmortem")?;
        Ok(Postmortem { incident: incident.map_or(draft.incident, ToOwned::to_owned), ..draft })
    }

    async fn recall(&self, seen: &Snapshot, _: &str, limit: usize) -> Result<SimilarPage, Problem> {
        let mut found = put(self.ask("recall", seen)?.similar.as_ref(), "similar incidents")?;
        found.items.truncate(limit);
        Ok(SimilarPage { incident: String::new(), ..found })
    }

    async fn runbooks(&self, seen: &Snapshot) -> Result<Vec<RunbookSummary>, Problem> {
        Ok(self.ask("runbooks", seen)?.runbooks.clone())
    }
}
