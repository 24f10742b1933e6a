//! What is counted of labels and of closed incidents, kept as it changes: totals by service, things of which people say
//! different things, and whether each incident that is over has a cause. Reading any of it costs what is shown and not
//! what there is. Derived from the same folds as the documents; refuses to decide what a label says.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::event::Recorded;
use hindcast_domain::incident::{Incident, Status};
use hindcast_domain::label::{About as Subject, Kind as LabelKind, Label, Provenance};
use hindcast_domain::{Event, IncidentId, LabelId};
use hindcast_mlops::table;
use serde::{Deserialize, Serialize};

use super::{ProjectedBatch, Projector};
use crate::fold::{Changed, Folds};
use crate::store::Batch;
use crate::store::keys::{self, DocumentKind, MentionIndex};

/// Totals, of all or of one service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CoverTotals {
    /// Labels that count, the explicit ones among them, and those that were retracted.
    pub(crate) labels: u32,
    pub(crate) explicit: u32,
    pub(crate) retracted: u32,
    /// Incidents that are over and no part of another one, and those among them with a cause.
    pub(crate) closed: u32,
    pub(crate) with_cause: u32,
}

/// The document of an incident that is over without a cause.
pub(crate) const UNNAMED: &[u8] = b"c";
/// The document of one with a cause.
const NAMED: &[u8] = b"n";
/// The document of a thing of which people say different things.
pub(crate) const DIFFER: &[u8] = b"1";

/// What somebody said: who, and the words without what makes no difference.
type Said = (String, String);

/// How an incident was counted last.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ClosedIncident {
    named: bool,
    services: BTreeSet<String>,
}

/// All that is counted.
#[derive(Debug, Default)]
pub(super) struct Taught {
    /// By service; of all under no name.
    totals: BTreeMap<String, CoverTotals>,
    /// What people say that counts, by topic.
    topics: BTreeMap<String, BTreeMap<LabelId, Said>>,
    disputed: BTreeSet<String>,
    /// Labels that count and name a cause, by incident.
    causes: BTreeMap<IncidentId, u32>,
    closed: BTreeMap<IncidentId, ClosedIncident>,
}

/// What a label is about with its kind: labels of one topic agree or differ.
pub(crate) fn topic_of(label: &Label) -> String {
    format!("{}\u{1}{}", table::kind_word(label.given.kind), thing(&label.given.about))
}

/// What a label is about, without the words that may differ between two labels about one thing.
fn thing(about: &Subject) -> String {
    match about {
        Subject::Incident { incident } => incident.to_string(),
        Subject::Alert { fingerprint, .. } => fingerprint.to_string(),
        Subject::Pair { fired, older, .. } => format!("{fired}/{older}"),
        Subject::Proposal { proposal } => proposal.to_string(),
        Subject::Recall { incident, similar } => format!("{incident}/{similar}"),
        Subject::Notice { notice } => notice.to_string(),
        Subject::Conversation { conversation } => conversation.to_string(),
    }
}

/// Whose labels a label is found among: its incident's, or those of the thing that belongs to one.
fn home(about: &Subject) -> String {
    match super::about(about) {
        Some(incident) => incident.to_string(),
        None => thing(about),
    }
}

/// Whether two people say different things. What one person said twice is no disagreement.
fn differ(said: &BTreeMap<LabelId, Said>) -> bool {
    let people: BTreeSet<&str> = said.values().map(|(by, _)| by.as_str()).collect();
    let values: BTreeSet<&str> = said.values().map(|(_, value)| value.as_str()).collect();
    values.len() > 1 && people.len() > 1
}

fn plain(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Where changes are written; nowhere while they are found again.
type Target<'a> = Option<(&'a mut Batch, u64)>;

impl Taught {
    /// Counts what the folds hold; the documents say the same already.
    pub(super) fn load(&mut self, folds: &Folds) {
        for label in folds.labels.values().flat_map(|labels| labels.0.values()) {
            self.given(label, &mut None);
            if label.retracted.is_some() {
                self.retracted(label, &mut None);
            }
        }
        for incident in folds.books.values().flat_map(|book| book.incidents.values()) {
            self.incident(incident, &mut None);
        }
    }

    /// A label is given.
    fn given(&mut self, label: &Label, target: &mut Target<'_>) {
        let is_explicit = label.given.provenance == Provenance::Explicit;
        self.total("", target, |totals| {
            totals.labels += 1;
            totals.explicit += u32::from(is_explicit);
        });
        if is_explicit {
            let said = (label.by.clone(), plain(label.given.value.as_str()));
            self.topics.entry(topic_of(label)).or_default().insert(label.id.clone(), said);
            self.dispute(&topic_of(label), target);
        }
        if let Some(incident) = cause_of(label) {
            *self.causes.entry(incident.clone()).or_default() += 1;
        }
    }

    /// A label counts no more.
    fn retracted(&mut self, label: &Label, target: &mut Target<'_>) {
        let is_explicit = label.given.provenance == Provenance::Explicit;
        self.total("", target, |totals| {
            totals.labels = totals.labels.saturating_sub(1);
            totals.explicit = totals.explicit.saturating_sub(u32::from(is_explicit));
            totals.retracted += 1;
        });
        let topic = topic_of(label);
        if let Some(said) = self.topics.get_mut(&topic) {
            said.remove(&label.id);
            self.dispute(&topic, target);
        }
        if let Some(named) = cause_of(label).and_then(|incident| self.causes.get_mut(incident)) {
            *named = named.saturating_sub(1);
        }
    }

    fn dispute(&mut self, topic: &str, target: &mut Target<'_>) {
        let is = self.topics.get(topic).is_some_and(differ);
        let changed = if is { self.disputed.insert(topic.to_owned()) } else { self.disputed.remove(topic) };
        if changed && let Some((batch, position)) = target {
            batch.document(DocumentKind::Dispute, topic, *position, if is { DIFFER.to_vec() } else { Vec::new() });
        }
    }

    /// Lets go of an incident that is over; it stays counted.
    pub(super) fn forget(&mut self, id: &IncidentId) {
        self.closed.remove(id);
    }

    /// Finds again how an incident is counted.
    pub(super) fn bring(&mut self, incident: &Incident) {
        self.closed.extend(self.counted(incident).map(|counted| (incident.id.clone(), counted)));
    }

    /// How an incident is counted: not at all while it goes on, or where it is a part of another one.
    fn counted(&self, incident: &Incident) -> Option<ClosedIncident> {
        let is_closed = incident.status == Status::Resolved && incident.merged_into.is_none();
        let named = incident.cause.is_some() || self.causes.get(&incident.id).is_some_and(|named| *named > 0);
        is_closed.then(|| ClosedIncident { named, services: incident.services.iter().cloned().collect() })
    }

    /// An incident as it is now.
    fn incident(&mut self, incident: &Incident, target: &mut Target<'_>) {
        let now = self.counted(incident);
        let before = match &now {
            Some(now) => self.closed.insert(incident.id.clone(), now.clone()),
            None => self.closed.remove(&incident.id),
        };
        if before == now {
            return;
        }
        for (counted, sign) in [(&before, -1), (&now, 1)] {
            let Some(counted) = counted else { continue };
            let count = |totals: &mut CoverTotals| {
                totals.closed = totals.closed.saturating_add_signed(sign);
                totals.with_cause = totals.with_cause.saturating_add_signed(if counted.named { sign } else { 0 });
            };
            self.total("", target, count);
            counted.services.iter().for_each(|service| self.total(service, target, count));
        }
        if before.map(|before| before.named) != now.as_ref().map(|now| now.named)
            && let Some((batch, position)) = target
        {
            let value = now.map_or_else(Vec::new, |now| if now.named { NAMED } else { UNNAMED }.to_vec());
            batch.document(DocumentKind::Closed, incident.id.as_str(), *position, value);
        }
    }

    fn total(&mut self, service: &str, target: &mut Target<'_>, change: impl Fn(&mut CoverTotals)) {
        let totals = self.totals.entry(service.to_owned()).or_default();
        change(totals);
        if let Some((batch, position)) = target {
            batch.document(DocumentKind::Cover, service, *position, serde_json::to_vec(totals).unwrap_or_default());
        }
    }
}

/// The incident whose cause a label names.
const fn cause_of(label: &Label) -> Option<&IncidentId> {
    match (label.given.kind, &label.given.about) {
        (LabelKind::Cause, Subject::Incident { incident }) => Some(incident),
        _ => None,
    }
}

impl Projector {
    /// What an event teaches: a label that is given or retracted, an incident that is over or has a cause.
    pub(super) fn teach(&mut self, work: &mut ProjectedBatch, recorded: &Recorded, changed: &Changed) {
        let position = recorded.position;
        let book = self.folds.books.get(&recorded.partition);
        if let Some(id) = &changed.label
            && let Some(label) = self.folds.labels.get(&recorded.partition).and_then(|all| all.0.get(id))
        {
            if matches!(recorded.event, Event::LabelGiven(_)) {
                work.batch.index(
                    keys::about(MentionIndex::LabelsOn, &home(&label.given.about), position, position),
                    id.as_str(),
                );
                if label.given.provenance == Provenance::Explicit {
                    work.batch
                        .index(keys::about(MentionIndex::Topic, &topic_of(label), position, position), id.as_str());
                }
                self.taught.given(label, &mut Some((&mut work.batch, position)));
            } else if label.retracted.as_ref().is_some_and(|(_, at)| *at == position) {
                self.taught.retracted(label, &mut Some((&mut work.batch, position)));
            }
            if let Some(incident) = cause_of(label).and_then(|id| book?.incidents.get(id)) {
                self.taught.incident(incident, &mut Some((&mut work.batch, position)));
            }
        }
        for id in &changed.incidents {
            if let Some(incident) = book.and_then(|book| book.incidents.get(id)) {
                self.taught.incident(incident, &mut Some((&mut work.batch, position)));
            }
        }
    }
}
