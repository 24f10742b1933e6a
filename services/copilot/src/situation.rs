//! What an answer may rest on: the incident that a question is about, and what is known and concluded of it,
//! all as of one position. Refuses to know what was asked for.

use std::collections::BTreeSet;

use futures::join;
use hindcast_advice::gather;
use hindcast_api::{Causes, Change, Finding, Incident, Problem, Proposal, SimilarPage, TimelineEntry};
use hindcast_domain::incident;
use hindcast_queries::{IncidentFilter, ListPart, Snapshot};

use crate::Options;
use crate::limits::OPEN_READ_MAX;
use crate::question;

/// An alert of the incident, as far as an answer needs it.
pub(crate) type SituationAlert = hindcast_rca::Symptom;

/// The incident that a question is about: the one that was named, the one in the question's words, the worst of
/// those that are open, else the newest. `None` where there is none at all.
pub(crate) async fn choose(seen: &Snapshot, named: Option<&str>, text: &str) -> Result<Option<Incident>, Problem> {
    let named = named.map(str::trim).filter(|id| !id.is_empty()).map(ToOwned::to_owned);
    if let Some(id) = named.or_else(|| question::named_incident(text)) {
        return seen.incident(Some(&id)).await.map(Some);
    }
    let worst = |open: Vec<Incident>| {
        // Newest first, so that of equals the newest stays.
        open.into_iter().reduce(|best, next| if next.severity > best.severity { next } else { best })
    };
    let open = IncidentFilter {
        status: vec![incident::Status::Open, incident::Status::Acknowledged],
        ..IncidentFilter::default()
    };
    let page = |filter, limit| seen.incidents(filter, ListPart::first(limit));
    if let Some(found) = worst(page(open, OPEN_READ_MAX).await?.items) {
        return Ok(Some(found));
    }
    Ok(page(IncidentFilter::default(), 1).await?.items.into_iter().next())
}

/// What is known of the incident that was chosen.
#[derive(Clone, Debug)]
pub(crate) struct Situation {
    /// The snapshot that all of it is of.
    pub(crate) moment: Snapshot,
    pub(crate) incident: Incident,
    pub(crate) symptoms: Vec<SituationAlert>,
    pub(crate) timeline: Vec<TimelineEntry>,
    pub(crate) changes: Vec<Change>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) causes: Option<Causes>,
    pub(crate) similar: Option<SimilarPage>,
    pub(crate) proposals: Vec<Proposal>,
    /// Parts that could not be had, in plain words.
    pub(crate) missing: Vec<String>,
}

impl Situation {
    /// Gathers it. A conclusion that cannot be had is missing, and said so; the views must be readable.
    pub(crate) async fn gather(options: &Options, seen: &Snapshot, incident: Incident) -> Result<Self, Problem> {
        let id = incident.id.clone();
        let id = Some(id.as_str());
        let advice = &options.advice;
        let (evidence, causes, similar, proposals) = join!(
            gather::evidence(seen, id),
            advice.causes(seen, id),
            advice.similar(seen, id),
            advice.proposals(seen, id),
        );
        let evidence = evidence?;
        let mut missing = Vec::new();
        let mut part = |what: &'static str, problem: &Problem| {
            options.metrics.count("hindcast_copilot_parts_missing_total", &[("part", what)], 1.0);
            tracing::warn!(part = what, %problem, "a part of an answer cannot be had");
            missing.push(format!("{what} could not be had: {}", problem.title));
        };
        let causes = causes.map_err(|problem| part("causes", &problem)).ok();
        let similar = similar.map_err(|problem| part("similar incidents", &problem)).ok();
        let proposals = proposals.map_err(|problem| part("proposals", &problem)).unwrap_or_default();
        if let Some(behind) = similar.as_ref().and_then(|page| page.behind) {
            missing.push(format!(
                "the memory of past incidents had reached position {behind} of {}: what happened since is not compared",
                seen.position()
            ));
        }
        Ok(Self {
            moment: seen.clone(),
            incident: evidence.incident,
            symptoms: evidence.symptoms,
            timeline: evidence.timeline,
            changes: evidence.changes,
            findings: evidence.findings,
            causes,
            similar,
            proposals,
            missing,
        })
    }

    /// The first line of a timeline of any of these types.
    pub(crate) fn first(&self, types: &[&str]) -> Option<&TimelineEntry> {
        self.timeline.iter().find(|entry| self.is_own(entry) && types.contains(&entry.event_type.as_str()))
    }

    pub(crate) fn last(&self, types: &[&str]) -> Option<&TimelineEntry> {
        self.timeline.iter().rev().find(|entry| self.is_own(entry) && types.contains(&entry.event_type.as_str()))
    }

    /// The event that ended it, if it is over. A person may write down the cause afterwards, which ends nothing again.
    pub(crate) fn end(&self) -> Option<&TimelineEntry> {
        const ENDED: &[&str] = &["incident.resolved", "incident.merged"];
        let at = self.incident.resolved_at.filter(|_| self.incident.status == incident::Status::Resolved)?;
        let is_end = |entry: &&TimelineEntry| self.is_own(entry) && ENDED.contains(&entry.event_type.as_str());
        self.timeline.iter().filter(is_end).find(|entry| entry.time == at).or_else(|| self.last(ENDED))
    }

    fn is_own(&self, entry: &TimelineEntry) -> bool {
        entry.subject == self.incident.id || !entry.event_type.starts_with("incident.")
    }

    /// Services of its alerts, in the order in which they began.
    pub(crate) fn services(&self) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        let named = self.symptoms.iter().filter_map(|symptom| symptom.alert.service.as_deref());
        named.filter(|service| seen.insert(*service)).collect()
    }

    /// Whether nothing explains it well enough.
    pub(crate) fn unresolved(&self) -> bool {
        self.causes.as_ref().is_some_and(|causes| causes.unresolved || causes.items.is_empty())
    }
}
