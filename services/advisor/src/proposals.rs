//! Runbooks as they are in force, what they propose for an incident, and the record of a proposal.

use hindcast_api::ProposalStatus;
use std::collections::{BTreeMap, BTreeSet};

use hindcast_api::{Citation, Code, Problem, Proposal, RunbookSummary, Worked};
use hindcast_domain::fact::Fact;
use hindcast_domain::{ProposalId, proposal};
use hindcast_facts::NewFact;
use hindcast_queries::{EventFilter, ListPart, Snapshot};
use hindcast_runbooks::Runbook;
use serde_json::Value;

use crate::Rca;
use crate::error::unavailable;

/// The configuration section that holds the runbooks: a list.
pub const SECTION: &str = "runbooks";

impl Rca {
    /// The runbooks in force.
    pub(crate) async fn in_force(&self, seen: &Snapshot) -> Result<Vec<Runbook>, Problem> {
        let Some((_, content)) = seen.configured(SECTION).await? else {
            return Ok(Vec::new());
        };
        serde_json::from_value(content)
            .map_err(|error| Problem::new(Code::Invalid, format!("the configured runbooks cannot be read: {error}")))
    }

    /// What they are, for lists.
    pub(crate) async fn summaries(&self, seen: &Snapshot) -> Result<Vec<RunbookSummary>, Problem> {
        Ok(self.in_force(seen).await?.iter().map(Runbook::summary).collect())
    }

    /// What fits an incident, best first, then what people or a model named for it.
    pub(crate) async fn all_proposals(
        &self,
        seen: &Snapshot,
        incident: Option<&str>,
    ) -> Result<Vec<Proposal>, Problem> {
        let conclusion = self.conclude(seen, incident).await?;
        let runbooks = self.in_force(seen).await?;
        let mut proposals =
            hindcast_runbooks::propose(&conclusion.evidence, &conclusion.causes, &conclusion.similar.items, &runbooks);
        let known: BTreeSet<String> = proposals.iter().map(|proposal| proposal.id.clone()).collect();
        for made in self.recorded(seen, &conclusion.evidence.incident.id, &runbooks).await? {
            if !known.contains(&made.id) {
                proposals.push(made);
            }
        }
        Ok(proposals)
    }

    /// Proposals of an incident that stand in the ledger.
    async fn recorded(&self, seen: &Snapshot, incident: &str, runbooks: &[Runbook]) -> Result<Vec<Proposal>, Problem> {
        let mut found = Vec::new();
        let mut cursor = None;
        loop {
            let (kind, of) = (Some("proposal.made".to_owned()), Some(incident.to_owned()));
            let filter = EventFilter { kind, incident: of, ..EventFilter::default() };
            let page = seen.events(filter, ListPart { limit: Some(500), cursor }).await?;
            for event in page.items {
                let made: proposal::Made = match serde_json::from_value(event.data.clone()) {
                    Ok(made) => made,
                    Err(error) => {
                        tracing::warn!(event = %event.id, %error, "a proposal cannot be read");
                        continue;
                    }
                };
                found.push(of_record(&event, made, runbooks));
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(found);
            }
        }
    }

    /// Checks a proposal and writes what came of it.
    pub(crate) async fn record_proposal(
        &self,
        seen: &Snapshot,
        incident: &str,
        name: &str,
        params: Value,
        by: &str,
    ) -> Result<Proposal, Problem> {
        let conclusion = self.conclude(seen, Some(incident)).await?;
        let runbooks = self.in_force(seen).await?;
        let checked =
            runbooks.iter().find(|runbook| runbook.name == name).ok_or_else(|| unknown(name, &runbooks)).and_then(
                |runbook| {
                    let given = arguments(&params)?;
                    hindcast_runbooks::proposal(
                        runbook,
                        &given,
                        &conclusion.evidence,
                        &conclusion.causes,
                        &conclusion.similar.items,
                        by,
                    )
                    .map_err(|invalid| invalid.to_string())
                },
            );
        let incident_id = conclusion.evidence.incident.id.parse().ok();
        let (id, fact, answer) = match checked {
            Ok(proposal) => {
                let Some(incident) = incident_id else {
                    return Err(Problem::new(Code::Internal, "an incident without an id of ours"));
                };
                let made = proposal::Made {
                    incident,
                    runbook: proposal.runbook.clone(),
                    version: proposal.version.clone(),
                    params: proposal.params.clone(),
                    sources: proposal.sources.clone(),
                    targets: proposal.targets.clone(),
                    evidence: proposal.citations.iter().filter_map(|cited| cited.event.parse().ok()).collect(),
                    effect: proposal.effect.clone(),
                    risk: proposal.risk.clone(),
                    by: by.to_owned(),
                };
                (proposal.id.clone(), Fact::from(made), Ok(proposal))
            }
            Err(reason) => {
                // What was named stands in the reason.
                let reason = hindcast_redact::Redactor::default().text(&reason);
                let cleaned = hindcast_redact::Redactor::default().value(params);
                let seed = serde_json::to_vec(&cleaned).unwrap_or_default();
                let id = ProposalId::derive(&[conclusion.evidence.incident.id.as_bytes(), name.as_bytes(), &seed]);
                let rejected = proposal::Rejected {
                    incident: incident_id,
                    runbook: hindcast_redact::Redactor::default().text(name).chars().take(200).collect(),
                    params: cleaned,
                    reason: reason.clone(),
                    by: by.to_owned(),
                };
                (id.to_string(), Fact::from(rejected), Err(Problem::new(Code::Invalid, reason)))
            }
        };
        self.write(seen, &conclusion.evidence.incident.id, id, by, fact).await?;
        answer
    }

    async fn write(
        &self,
        seen: &Snapshot,
        incident: &str,
        subject: String,
        by: &str,
        fact: Fact,
    ) -> Result<(), Problem> {
        let Some(writer) = &self.inner.options.writer else {
            return Err(Problem::new(Code::Unavailable, "nothing is written here").remedy("Ask a running server."));
        };
        let partition = seen.partition_of(incident).await?;
        let new = NewFact::new(subject, by, fact);
        writer.submit(&partition, vec![new]).await.map_err(|error| unavailable(&error))?;
        Ok(())
    }
}

fn unknown(name: &str, runbooks: &[Runbook]) -> String {
    let known: Vec<&str> = runbooks.iter().map(|runbook| runbook.name.as_str()).collect();
    let name: String = name.chars().take(200).collect();
    format!("expected a runbook of {}, got {name:?}", known.join(", "))
}

fn arguments(params: &Value) -> Result<BTreeMap<String, Value>, String> {
    match params {
        Value::Null => Ok(BTreeMap::new()),
        Value::Object(fields) => Ok(fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect()),
        _ => Err("expected the parameters as an object".to_owned()),
    }
}

/// A proposal as it stands in the ledger. Its steps are filled in again where the runbook is still the same.
fn of_record(event: &hindcast_api::Event, made: proposal::Made, runbooks: &[Runbook]) -> Proposal {
    let same = runbooks.iter().find(|runbook| runbook.name == made.runbook && runbook.version() == made.version);
    let filled = same.and_then(|runbook| hindcast_runbooks::fill(runbook, &made.params).ok());
    Proposal {
        id: event.subject.clone(),
        incident: made.incident.to_string(),
        title: filled.as_ref().map_or_else(|| made.runbook.clone(), |filled| filled.title.clone()),
        runbook: made.runbook,
        version: made.version,
        params: made.params,
        sources: made.sources,
        targets: made.targets,
        why: format!("named by {}", made.by),
        effect: made.effect,
        risk: made.risk,
        worked: Worked::default(),
        steps: filled.map(|filled| filled.steps).unwrap_or_default(),
        citations: vec![Citation { event: event.id.clone(), position: event.position }],
        by: made.by,
        status: ProposalStatus::Proposed,
    }
}
