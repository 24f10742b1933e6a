//! Labels as of a position: which count, who disagrees, and how much of the past has a cause at all.

use hindcast_domain::events;
use hindcast_domain::words::Learner;
use std::collections::{BTreeMap, BTreeSet};

use hindcast_api as api;
use hindcast_api::{Page, Problem};
use hindcast_domain::incident::Status;
use hindcast_domain::label::{About, Kind as LabelKind, Label, Provenance};
use hindcast_domain::notice::Notice;
use hindcast_domain::{Event, IncidentId};
use hindcast_mlops::table;
use hindcast_queries::LabelFilter;

use super::{Asked, Reader};
use crate::error::Error;
use crate::project;
use crate::project::load::partition_of;
use crate::store::keys::{About as Subjects, Kind, List};

/// Closed incidents without a cause that are named.
const MISSING_MAX: usize = 50;
/// Events of a proposal or conversation among which the one is that names its incident.
const FIRST_EVENTS: usize = 8;
/// Disagreements that are told.
const DISAGREEMENTS_MAX: usize = 100;

/// What people say of one thing: by kind and what it is about.
type Topics = BTreeMap<(String, String), Vec<(u64, Label)>>;

impl Reader {
    /// A page of labels, newest first.
    pub(crate) fn labels(&self, filter: &LabelFilter, asked: &Asked) -> Result<Page<api::Label>, Problem> {
        let disputed = disputed(&self.topics()?);
        Ok(self.newest(List::Labels, asked, |id, _| {
            let Some((environment, label)) = self.label(id)? else { return Ok(None) };
            let mut shown = shown(&label, environment, disputed.contains(id));
            if !is_wanted(filter, &shown) {
                return Ok(None);
            }
            shown.incident = self.incident_of(&label.given.about)?;
            let fits = filter.incident.as_ref().is_none_or(|wanted| shown.incident.as_ref() == Some(wanted));
            Ok(fits.then_some(shown))
        })?)
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
            About::Notice { notice } => match self.store.document(Kind::Notice, notice.as_str(), self.at)? {
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
        for mention in self.store.about(Subjects::Subject, subject, self.at).take(FIRST_EVENTS) {
            let found = self.recorded(mention?.position)?.and_then(|recorded| named(recorded.event));
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    pub(super) fn label(&self, id: &str) -> Result<Option<(String, Label)>, Error> {
        let Some(document) = self.store.document(Kind::Label, id, self.at)? else { return Ok(None) };
        let (partition, label) = document.read::<Label>("a label")?;
        Ok(Some((partition_of(&partition)?.environment, label)))
    }

    /// What people said, by what it is about. What was concluded disputes nobody.
    fn topics(&self) -> Result<Topics, Error> {
        let mut topics = Topics::new();
        for entry in self.store.list(List::Labels, self.at, None) {
            let (position, id) = entry?;
            let Some((_, label)) = self.label(&id)? else { continue };
            if label.given.provenance != Provenance::Explicit || !label.counts_at(self.at) {
                continue;
            }
            let kind = table::kind_word(label.given.kind).to_owned();
            topics.entry((kind, topic(&label.given.about))).or_default().push((position, label));
        }
        topics.values_mut().for_each(|said| said.sort_by_key(|(position, _)| *position));
        topics.retain(|_, said| differ(said));
        Ok(topics)
    }

    /// How many closed incidents have a cause, and where people disagree.
    pub(crate) fn label_coverage(&self) -> Result<api::LabelCoverage, Error> {
        let mut coverage = api::LabelCoverage { position: self.at, ..api::LabelCoverage::default() };
        // A cause is named where an incident is resolved, or by a word on what was ranked.
        let mut told = BTreeSet::new();
        for entry in self.store.list(List::Labels, self.at, None) {
            let Some((_, label)) = self.label(&entry?.1)? else { continue };
            if label.counts_at(self.at) {
                coverage.labels += 1;
                coverage.explicit += u32::from(label.given.provenance == Provenance::Explicit);
                if let (LabelKind::Cause, About::Incident { incident }) = (label.given.kind, &label.given.about) {
                    told.insert(incident.to_string());
                }
            } else {
                coverage.retracted += 1;
            }
        }
        for entry in self.store.list(List::Incidents, self.at, None) {
            let (_, id) = entry?;
            let Some((_, incident)) = self.incident_fold(&id)? else { continue };
            if incident.status != Status::Resolved || incident.merged_into.is_some() {
                continue;
            }
            let named = incident.cause.is_some() || told.contains(&id);
            coverage.closed += 1;
            coverage.with_cause += u32::from(named);
            for service in &incident.services {
                let slot = coverage.services.entry(service.clone()).or_default();
                slot.closed += 1;
                slot.with_cause += u32::from(named);
            }
            if !named && coverage.missing.len() < MISSING_MAX {
                coverage.missing.push(id);
            }
        }
        let disagreement = |said: Vec<(u64, Label)>| {
            let first = said.first()?;
            Some(api::Disagreement {
                kind: first.1.given.kind,
                about: first.1.given.about.clone(),
                said: said
                    .iter()
                    .map(|(_, label)| api::PersonalLabel {
                        by: label.by.clone(),
                        value: label.given.value.clone(),
                        label: label.id.to_string(),
                    })
                    .collect(),
            })
        };
        coverage.disagreements =
            self.topics()?.into_values().filter_map(disagreement).take(DISAGREEMENTS_MAX).collect();
        Ok(coverage)
    }
}

/// Whether two people say different things. What one person said twice is no disagreement.
fn differ(said: &[(u64, Label)]) -> bool {
    let plain = |value: &str| value.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let values: BTreeSet<String> = said.iter().map(|(_, label)| plain(&label.given.value)).collect();
    let people: BTreeSet<&str> = said.iter().map(|(_, label)| label.by.as_str()).collect();
    values.len() > 1 && people.len() > 1
}

fn disputed(topics: &Topics) -> BTreeSet<String> {
    topics.values().flatten().map(|(_, label)| label.id.to_string()).collect()
}

/// What a label is about, without the words that may differ between two labels about one thing.
fn topic(about: &About) -> String {
    match about {
        About::Incident { incident } => incident.to_string(),
        About::Alert { fingerprint, .. } => fingerprint.to_string(),
        About::Pair { fired, older, .. } => format!("{fired}/{older}"),
        About::Proposal { proposal } => proposal.to_string(),
        About::Recall { incident, similar } => format!("{incident}/{similar}"),
        About::Notice { notice } => notice.to_string(),
        About::Conversation { conversation } => conversation.to_string(),
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
        learns: table::rule(&given.rule).map_or_else(|| Learner::Other(String::new()), |rule| rule.learns.clone()),
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

/// Whether a label fits all of the filter but the incident, which costs a look elsewhere.
fn is_wanted(filter: &LabelFilter, label: &api::Label) -> bool {
    let provenance = match label.provenance {
        Provenance::Explicit => "explicit",
        Provenance::Implicit => "implicit",
    };
    let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
    is(&filter.kind, table::kind_word(label.kind))
        && is(&filter.rule, &label.rule)
        && is(&filter.provenance, provenance)
        && is(&filter.by, &label.by)
        && is(&filter.environment, &label.environment)
        && filter.retracted.is_none_or(|wanted| label.retracted.is_some() == wanted)
        && filter.disputed.is_none_or(|wanted| label.disputed == wanted)
}
