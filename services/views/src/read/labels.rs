//! Labels as of a position: which count, who disagrees, and how much of the past has a cause at all.

use hindcast_domain::events;
use hindcast_domain::words::Learner;
use std::collections::{BTreeMap, BTreeSet};

use hindcast_api as api;
use hindcast_api::{Page, Problem};
use hindcast_domain::label::{About, Label, Provenance};
use hindcast_domain::notice::Notice;
use hindcast_domain::{Event, IncidentId};
use hindcast_mlops::table;
use hindcast_queries::LabelFilter;

use super::{PageBounds, Reader};
use crate::error::Error;
use crate::project;
use crate::project::load::partition_of;
use crate::project::taught::{CoverTotals, DIFFER, UNNAMED, topic_of};
use crate::store::Document;
use crate::store::keys::{DocumentKind, List, MentionIndex};

/// Closed incidents without a cause that are named.
const MISSING_MAX: usize = 50;
/// Events of a proposal or conversation among which the one is that names its incident.
const FIRST_EVENTS: usize = 8;
/// Disagreements that are told.
const DISAGREEMENTS_MAX: usize = 100;

/// Labels of things of an incident that are looked through for one question.
const LABELS_OF_INCIDENT_MAX: usize = 10_000;

impl Reader {
    /// A page of labels, newest first.
    pub(crate) fn labels(&self, filter: &LabelFilter, asked: &PageBounds) -> Result<Page<api::Label>, Problem> {
        let candidates = match (&filter.incident, filter.disputed) {
            (Some(incident), _) => self.labels_of(incident)?,
            (None, Some(true)) => self.disputed_labels()?,
            (None, _) => return Ok(self.newest(List::Labels, asked, |id, _| self.pick_label(filter, id))?),
        };
        let newest_first = candidates.into_iter().rev().map(Ok);
        Ok(self.picked(newest_first, asked, |id, _| self.pick_label(filter, id))?)
    }

    fn pick_label(&self, filter: &LabelFilter, id: &str) -> Result<Option<api::Label>, Error> {
        let Some((environment, label)) = self.label(id)? else { return Ok(None) };
        let mut shown = shown(&label, environment, false);
        if !is_wanted(filter, &shown) {
            return Ok(None);
        }
        shown.disputed = self.is_disputed(&label)?;
        if filter.disputed.is_some_and(|wanted| shown.disputed != wanted) {
            return Ok(None);
        }
        shown.incident = self.incident_of(&label.given.about)?;
        let fits = filter.incident.as_ref().is_none_or(|wanted| shown.incident.as_ref() == Some(wanted));
        Ok(fits.then_some(shown))
    }

    /// Whether a label counts and is one of those by which people say different things. What was concluded disputes
    /// nobody.
    fn is_disputed(&self, label: &Label) -> Result<bool, Error> {
        if label.given.provenance != Provenance::Explicit || !label.counts_at(self.at) {
            return Ok(false);
        }
        let dispute = self.store.document(DocumentKind::Dispute, &topic_of(label), self.at)?;
        Ok(dispute.is_some_and(|dispute| dispute.value.as_ref() == DIFFER))
    }

    /// Labels of an incident and of what was proposed, asked and told for it: (position, id), oldest first.
    fn labels_of(&self, incident: &str) -> Result<BTreeMap<u64, String>, Error> {
        let mut things = BTreeSet::from([incident.to_owned()]);
        for about in [MentionIndex::MadeFor, MentionIndex::NoticesOf] {
            for mention in self.store.about(about, incident, self.at).take(LABELS_OF_INCIDENT_MAX) {
                things.insert(self.noted(&mention?.value)?);
            }
        }
        let mut found = BTreeMap::new();
        for thing in things {
            for mention in self.store.about(MentionIndex::LabelsOn, &thing, self.at).take(LABELS_OF_INCIDENT_MAX) {
                let mention = mention?;
                found.insert(mention.position, self.noted(&mention.value)?);
            }
        }
        Ok(found)
    }

    fn disputed_labels(&self) -> Result<BTreeMap<u64, String>, Error> {
        let mut found = BTreeMap::new();
        for (topic, _) in self.disputed_topics()? {
            for mention in self.store.about(MentionIndex::Topic, &topic, self.at) {
                let mention = mention?;
                found.insert(mention.position, self.noted(&mention.value)?);
            }
        }
        Ok(found)
    }

    /// Things of which people say different things, by kind and thing.
    fn disputed_topics(&self) -> Result<Vec<(String, Document)>, Error> {
        let mut topics = self.store.documents(DocumentKind::Dispute, "", self.at)?;
        topics.retain(|(_, dispute)| dispute.value.as_ref() == DIFFER);
        Ok(topics)
    }

    /// The incident that a label was given in: named by what it is about, or the one that a proposal was made for,
    /// a notice told of or a conversation was about.
    fn incident_of(&self, about: &About) -> Result<Option<String>, Error> {
        let incident = match about {
            About::Proposal { proposal } => self.subject_of(proposal.as_str(), |event| match event {
                Event::ProposalMade(made) => Some(made.incident),
                Event::ProposalRejected(rejected) => rejected.incident,
                events! { intake, finding, conversation, label, model, chat, alert, incident, silence, control, notice } => None,
            })?,
            About::Conversation { conversation } => self.subject_of(conversation.as_str(), |event| match event {
                Event::ConversationAsked(asked) => asked.incident,
                _ => None,
            })?,
            About::Notice { notice } => match self.store.document(DocumentKind::Notice, notice.as_str(), self.at)? {
                Some(document) => document.read::<Notice>("a notice")?.1.incident,
                None => None,
            },
            _ => project::about(about).cloned(),
        };
        Ok(incident.map(|id| id.to_string()))
    }

    /// The incident that one of the first events of a subject names.
    fn subject_of(
        &self,
        subject: &str,
        named: impl Fn(Event) -> Option<IncidentId>,
    ) -> Result<Option<IncidentId>, Error> {
        for mention in self.store.about(MentionIndex::Subject, subject, self.at).take(FIRST_EVENTS) {
            let found = self.recorded(mention?.position)?.and_then(|recorded| named(recorded.event));
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    pub(super) fn label(&self, id: &str) -> Result<Option<(String, Label)>, Error> {
        let Some(document) = self.store.document(DocumentKind::Label, id, self.at)? else { return Ok(None) };
        let (partition, label) = document.read::<Label>("a label")?;
        Ok(Some((partition_of(&partition)?.environment, label)))
    }

    /// How many closed incidents have a cause, and where people disagree.
    pub(crate) fn label_coverage(&self) -> Result<api::LabelCoverage, Error> {
        let mut coverage = api::LabelCoverage { position: self.at, ..api::LabelCoverage::default() };
        for (service, document) in self.store.documents(DocumentKind::Cover, "", self.at)? {
            let totals: CoverTotals = serde_json::from_slice(&document.value)
                .map_err(|source| Error::Json { expected: "totals of labels", source })?;
            if service.is_empty() {
                (coverage.labels, coverage.explicit) = (totals.labels, totals.explicit);
                (coverage.retracted, coverage.closed) = (totals.retracted, totals.closed);
                coverage.with_cause = totals.with_cause;
            } else if totals.closed > 0 {
                let slot = coverage.services.entry(service).or_default();
                (slot.closed, slot.with_cause) = (totals.closed, totals.with_cause);
            }
        }
        let missing = coverage.closed.saturating_sub(coverage.with_cause) as usize;
        for entry in self.store.list(List::Incidents, self.at, None) {
            if coverage.missing.len() == missing.min(MISSING_MAX) {
                break;
            }
            let (_, id) = entry?;
            let closed = self.store.document(DocumentKind::Closed, &id, self.at)?;
            if closed.is_some_and(|closed| closed.value.as_ref() == UNNAMED) {
                coverage.missing.push(id);
            }
        }
        for (topic, _) in self.disputed_topics()?.into_iter().take(DISAGREEMENTS_MAX) {
            coverage.disagreements.extend(self.disagreement(&topic)?);
        }
        Ok(coverage)
    }

    /// What people say of one thing, in the order in which they said it.
    fn disagreement(&self, topic: &str) -> Result<Option<api::Disagreement>, Error> {
        let mut said: Option<api::Disagreement> = None;
        for mention in self.store.about(MentionIndex::Topic, topic, self.at) {
            let id = self.noted(&mention?.value)?;
            let Some((_, label)) = self.label(&id)?.filter(|(_, label)| label.counts_at(self.at)) else { continue };
            let told = said.get_or_insert_with(|| api::Disagreement {
                kind: label.given.kind,
                about: label.given.about.clone(),
                said: Vec::new(),
            });
            told.said.push(api::PersonalLabel { by: label.by, value: label.given.value.to_string(), label: id });
        }
        Ok(said)
    }
}

fn shown(label: &Label, environment: String, disputed: bool) -> api::Label {
    let given = &label.given;
    api::Label {
        id: label.id.to_string(),
        kind: given.kind,
        about: given.about.clone(),
        value: given.value.clone(),
        weight: given.weight,
        provenance: given.provenance,
        rule: given.rule.clone(),
        learns: table::rule(given.rule.as_str())
            .map_or_else(|| Learner::Other(String::new()), |rule| rule.learns.clone()),
        from: given.from.to_string(),
        event: label.event.to_string(),
        by: label.by.clone(),
        at: label.at,
        position: label.position,
        environment,
        incident: None,
        retracted: label.retracted.as_ref().map(|(why, _)| why.clone()),
        retracted_position: label.retracted.as_ref().map(|(_, at)| *at),
        disputed,
    }
}

/// Whether a label fits all of the filter but the incident and the dispute, which cost a look elsewhere.
fn is_wanted(filter: &LabelFilter, label: &api::Label) -> bool {
    let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
    filter.kind.is_none_or(|kind| kind == label.kind)
        && filter.rule.as_ref().is_none_or(|rule| *rule == label.rule)
        && filter.provenance.is_none_or(|provenance| provenance == label.provenance)
        && is(&filter.by, &label.by)
        && is(&filter.environment, &label.environment)
        && filter.retracted.is_none_or(|wanted| label.retracted.is_some() == wanted)
}
