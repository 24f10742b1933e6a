//! From what an event changed to the documents and mentions that are written for it.

use hindcast_domain::events;
use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::alert::Alert;
use hindcast_domain::event::Recorded;
use hindcast_domain::incident::{Grouping, Incident};
use hindcast_domain::{Event, Fingerprint, IncidentId};

use super::hash::Dirty;
use super::live::Class;
use super::tally::{self, Before, Counted, StoredMember};
use super::{ProjectedBatch, Projector, index};
use crate::error::Error;
use crate::fold::Changed;
use crate::limits::LOOK_BACK_EVENTS_MAX;
use crate::store::keys::{self, DocumentKind, List, MentionIndex, PackedIndex};
use crate::store::{Batch, framed};

impl Projector {
    pub(super) fn alerts(
        &mut self,
        work: &mut ProjectedBatch,
        recorded: &Recorded,
        changed: &Changed,
        before: &BTreeMap<Fingerprint, Before>,
    ) {
        let Some(book) = self.folds.books.get(&recorded.partition) else {
            return;
        };
        let partition = recorded.partition.to_string();
        for fingerprint in &changed.alerts {
            let Some(alert) = book.alerts.get(fingerprint) else {
                continue;
            };
            let was = before.get(fingerprint);
            if was.is_some_and(|before| !before.known) {
                index::alert(&mut work.batch, alert, recorded.position);
                work.firsts.insert(fingerprint.clone(), recorded.position);
            }
            self.classes.moved(was.and_then(|before| before.class), Some(Class::of_alert(alert)));
            let value = framed(&partition, alert);
            work.batch.document(DocumentKind::Alert, fingerprint.as_str(), recorded.position, value);
            work.dirty.insert((recorded.partition.clone(), Dirty::Alert(fingerprint.clone())));
        }
        if matches!(recorded.event, Event::AlertFired(_)) {
            self.fired_at.extend(changed.alerts.iter().map(|fingerprint| (fingerprint.clone(), recorded.position)));
        }
    }

    pub(super) fn incidents(
        &mut self,
        work: &mut ProjectedBatch,
        recorded: &Recorded,
        changed: &Changed,
        before: &BTreeMap<Fingerprint, Before>,
    ) -> Result<(), Error> {
        let Some(book) = self.folds.books.get_mut(&recorded.partition) else {
            return Ok(());
        };
        for id in changed.incidents.iter().filter(|id| !self.counts.contains_key(*id)) {
            index::first(&mut work.batch, DocumentKind::Incident, List::Incidents, id.as_str(), recorded.position);
        }
        for (fingerprint, before) in before {
            if let Some(alert) = book.alerts.get(fingerprint) {
                tally::count(&mut self.counts, &recorded.event, fingerprint, before, alert);
            }
        }
        let mut about: BTreeSet<&IncidentId> = changed.incidents.iter().collect();
        about.extend(before.values().filter_map(|before| before.incident.as_ref()));
        let own = recorded.subject.parse::<IncidentId>().is_ok();
        for id in about {
            let Some(incident) = book.incidents.get_mut(id) else {
                continue;
            };
            let counted = self.counts.entry(id.clone()).or_default();
            for (fingerprint, before) in before {
                let alert = book.alerts.get(fingerprint);
                let was = counted.messages.contains_key(fingerprint);
                let is = counted.place(incident, fingerprint, alert);
                if was || is {
                    member(&mut work.batch, recorded, incident, fingerprint, counted, alert);
                }
                if is && before.incident.as_ref() != Some(id) {
                    let first = match work.firsts.get(fingerprint) {
                        Some(first) => Some(*first),
                        None => self.store.first(DocumentKind::Alert, fingerprint.as_str(), recorded.position)?,
                    };
                    let key = |first| keys::about(MentionIndex::AlertsOf, id.as_str(), first, recorded.position);
                    work.batch.index(key(first.unwrap_or(recorded.position)), fingerprint.as_str());
                }
            }
            tally(&mut work.batch, recorded, id, counted);
            let class = Some(Class::of_incident(incident));
            self.classes.moved(std::mem::replace(&mut counted.class, class), class);
            if own && changed.incidents.contains(id) {
                document(&mut work.batch, recorded, incident);
                work.dirty.insert((recorded.partition.clone(), Dirty::Incident(id.clone())));
            }
        }
        Ok(())
    }

    pub(super) fn silences(&self, work: &mut ProjectedBatch, recorded: &Recorded, changed: &Changed) {
        let Some(id) = &changed.silence else { return };
        let Some(silence) = self.folds.silences.get(&recorded.partition).and_then(|all| all.0.get(id)) else {
            return;
        };
        if matches!(recorded.event, Event::SilenceCreated(_)) {
            index::first(&mut work.batch, DocumentKind::Silence, List::Silences, id.as_str(), recorded.position);
        }
        let value = framed(&recorded.partition.to_string(), silence);
        work.batch.document(DocumentKind::Silence, id.as_str(), recorded.position, value);
        work.dirty.insert((recorded.partition.clone(), Dirty::Silence(id.clone())));
    }

    /// A label, or the version in force. What a person said is on the incident's timeline; what was concluded is not.
    pub(super) fn learnt(
        &self,
        work: &mut ProjectedBatch,
        recorded: &Recorded,
        changed: &Changed,
    ) -> Result<(), Error> {
        let partition = &recorded.partition;
        if let Some(id) = &changed.label
            && let Some(label) = self.folds.labels.get(partition).and_then(|all| all.0.get(id))
        {
            if matches!(recorded.event, Event::LabelGiven(_)) {
                index::first(&mut work.batch, DocumentKind::Label, List::Labels, id.as_str(), recorded.position);
            }
            let value = framed(&partition.to_string(), label);
            work.batch.document(DocumentKind::Label, id.as_str(), recorded.position, value);
            work.dirty.insert((partition.clone(), Dirty::Label(id.clone())));
        }
        if let Some(model) = &changed.alias
            && let Some(alias) = self.folds.aliases.get(partition).and_then(|all| all.0.get(model))
        {
            let at = self.checkpoint.position;
            if self.store.first(DocumentKind::Alias, model, at)?.is_none() {
                index::first(&mut work.batch, DocumentKind::Alias, List::Aliases, model, recorded.position);
            }
            work.batch.document(DocumentKind::Alias, model, recorded.position, framed(&partition.to_string(), alias));
            work.dirty.insert((partition.clone(), Dirty::Alias(model.clone())));
        }
        Ok(())
    }

    /// Whose timeline and whose receipt an event belongs to.
    pub(super) fn mentions(
        &self,
        work: &mut ProjectedBatch,
        recorded: &Recorded,
        changed: &Changed,
        before: &BTreeMap<Fingerprint, Before>,
    ) -> Result<(), Error> {
        let position = recorded.position;
        let mut receipts: BTreeSet<&Fingerprint> = changed.alerts.iter().chain(before.keys()).collect();
        if let Event::IncidentReopened(reopened) = &recorded.event {
            receipts.extend(&reopened.fingerprint);
        }
        let mark = if matches!(recorded.event, Event::AlertFired(_)) { index::FIRED } else { b"" };
        for fingerprint in receipts {
            work.batch.index(keys::about(MentionIndex::Receipt, fingerprint.as_str(), position, position), mark);
        }
        for id in &changed.incidents {
            index::timeline(&mut work.batch, id, recorded, position);
        }
        if let Some(joined) = joins(&recorded.event) {
            self.fired(work, recorded, joined, changed)?;
        }
        if let Some(grouping) = grouping(&recorded.event) {
            for considered in &grouping.considered {
                work.batch.pack(PackedIndex::Considered, considered.incident.as_str(), position, &[]);
            }
        }
        if let Event::IncidentOpened(opened) = &recorded.event
            && let Some(earlier) = &opened.recurrence_of
        {
            index::timeline(&mut work.batch, earlier, recorded, position);
        }
        Ok(())
    }

    /// An alert that joins brings along the event by which it began to fire, known in this incident from now.
    fn fired(
        &self,
        work: &mut ProjectedBatch,
        recorded: &Recorded,
        alert: &Fingerprint,
        changed: &Changed,
    ) -> Result<(), Error> {
        let found = match self.fired_at.get(alert) {
            Some(position) => Some(*position),
            None => self.fired_before(alert)?,
        };
        let Some(fired) = found else { return Ok(()) };
        for id in &changed.incidents {
            let key = keys::about(MentionIndex::Timeline, id.as_str(), fired, recorded.position);
            work.batch.index(key, index::plain());
        }
        Ok(())
    }

    fn fired_before(&self, alert: &Fingerprint) -> Result<Option<u64>, Error> {
        let mentions = self.store.about(MentionIndex::Receipt, alert.as_str(), self.checkpoint.position);
        for mention in mentions.rev().take(LOOK_BACK_EVENTS_MAX) {
            let mention = mention?;
            if mention.value.as_ref() == index::FIRED {
                return Ok(Some(mention.position));
            }
        }
        Ok(None)
    }

    /// A notice, and whether it is still open.
    pub(super) fn notice(&mut self, work: &mut ProjectedBatch, recorded: &Recorded, changed: &Changed) {
        let Some(id) = &changed.notice else { return };
        let Some(notice) = self.folds.notices.0.get(id) else {
            return;
        };
        let position = recorded.position;
        let value = framed(&recorded.partition.to_string(), notice);
        work.batch.document(DocumentKind::Notice, id.as_str(), position, value);
        self.open.note(&mut work.batch, notice, position);
        work.batch.index(keys::about(MentionIndex::Notice, id.as_str(), position, position), []);
        if matches!(recorded.event, Event::NoticeRequested(_) | Event::NoticeHeld(_)) {
            index::first(&mut work.batch, DocumentKind::Notice, List::Notices, id.as_str(), position);
            if let Some(incident) = &notice.incident {
                let key = keys::about(MentionIndex::NoticesOf, incident.as_str(), position, position);
                work.batch.index(key, id.as_str());
            }
        }
        if let Some(incident) = &notice.incident {
            index::timeline(&mut work.batch, incident, recorded, position);
        }
        if let Some(alert) = &notice.alert {
            work.batch.index(keys::about(MentionIndex::Receipt, alert.as_str(), position, position), []);
        }
    }
}

fn member(
    batch: &mut Batch,
    recorded: &Recorded,
    incident: &Incident,
    fingerprint: &Fingerprint,
    counted: &Counted,
    alert: Option<&Alert>,
) {
    let id = keys::member(incident.id.as_str(), fingerprint.as_str());
    let value = incident.members.get(fingerprint).map(|member| StoredMember {
        member: member.clone(),
        name: alert.map(|alert| alert.name.clone()).unwrap_or_default(),
        messages: counted.messages.get(fingerprint).copied().unwrap_or(0),
    });
    let value = value.and_then(|member| serde_json::to_vec(&member).ok()).unwrap_or_default();
    batch.document(DocumentKind::Member, &id, recorded.position, value);
}

fn tally(batch: &mut Batch, recorded: &Recorded, id: &IncidentId, counted: &mut Counted) {
    let tally = counted.tally();
    if counted.stored == Some(tally) {
        return;
    }
    counted.stored = Some(tally);
    batch.document(DocumentKind::Tally, id.as_str(), recorded.position, serde_json::to_vec(&tally).unwrap_or_default());
}

/// An incident's document holds no members: they have documents of their own, so that a large incident is
/// not written whole for each alert that joins.
fn document(batch: &mut Batch, recorded: &Recorded, incident: &mut Incident) {
    let members = std::mem::take(&mut incident.members);
    let value = framed(&recorded.partition.to_string(), incident);
    incident.members = members;
    batch.document(DocumentKind::Incident, incident.id.as_str(), recorded.position, value);
}

const fn joins(event: &Event) -> Option<&Fingerprint> {
    match event {
        Event::IncidentOpened(opened) => Some(&opened.fingerprint),
        Event::IncidentAlertJoined(joined) => Some(&joined.fingerprint),
        Event::IncidentDeclared(_)
        | events! { intake, finding, conversation, proposal, label, model, chat, alert, silence, control, notice, lineage, incident_status, care } => {
            None
        }
    }
}

/// The reasons that a decision gives for where an alert went.
pub(crate) fn grouping(event: &Event) -> Option<&Grouping> {
    match event {
        Event::IncidentOpened(opened) => Some(&opened.grouping),
        Event::IncidentAlertJoined(joined) => joined.grouping.as_ref(),
        Event::IncidentDeclared(_)
        | events! { intake, finding, conversation, proposal, label, model, chat, alert, silence, control, notice, lineage, incident_status, care } => {
            None
        }
    }
}
