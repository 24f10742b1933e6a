//! What is over leaves the memory of the projection: its documents say the same, and are read before an event about it is
//! folded. Owns what leaves and what comes back; refuses to fold.

use std::collections::BTreeSet;

use hindcast_domain::alert::Alert;
use hindcast_domain::book::Book;
use hindcast_domain::event::Recorded;
use hindcast_domain::incident::Incident;
use hindcast_domain::label::About as Subject;
use hindcast_domain::notice::Notice;
use hindcast_domain::shelf::read::{PartsRead, is_over, is_quiet};
use hindcast_domain::{Event, Fingerprint, IncidentId, LabelId, NoticeId, Partition, Span, Time, events};

use super::Projector;
use super::load::{partition_of, read_member};
use super::open::is_open;
use super::reported::IncidentRow;
use super::tally::Counted;
use crate::error::Error;
use crate::store::keys::DocumentKind;

impl Projector {
    /// Lets go of what was over for `kept` at `now`. Everything that was projected is written.
    pub(crate) fn forget(&mut self, now: Time, kept: Span) {
        let long = |at: Time| now.since(at) >= kept;
        self.digests.settle(&self.folds);
        let mut gone = 0;
        for book in self.folds.books.values_mut() {
            let (alerts, incidents) = over(book, &long);
            for id in &alerts {
                book.alerts.remove(id);
                self.repeats.forget(id.as_str());
                self.fired_at.remove(id);
            }
            for id in &incidents {
                book.incidents.remove(id);
                self.counts.remove(id);
                self.written.forget(id);
                self.taught.forget(id);
                self.repeats.forget(id.as_str());
            }
            gone += alerts.len() + incidents.len();
        }
        let notices = &mut self.folds.notices.0;
        let before = notices.len();
        notices.retain(|_, notice| is_open(notice.status) || !long(notice.at) || !notice.delivered_at.is_none_or(long));
        gone += before - notices.len();
        self.forgotten |= gone > 0;
        self.digests.forget_unasked();
        if gone > 0 {
            tracing::debug!(gone, "what is over left memory");
        }
    }

    /// Reads what an event is about and what left memory.
    pub(super) fn bring(&mut self, recorded: &Recorded) -> Result<(), Error> {
        if !self.forgotten {
            return Ok(());
        }
        self.bring_notice(recorded)?;
        let mut asked = BTreeSet::new();
        loop {
            let missing = self.missing(recorded);
            let mut is_back = false;
            for id in missing {
                if !asked.contains(&id) {
                    is_back |= self.bring_part(&id)?;
                    asked.insert(id);
                }
            }
            if !is_back {
                return Ok(());
            }
        }
    }

    fn missing(&self, recorded: &Recorded) -> Vec<String> {
        let empty = Book::default();
        let book = self.folds.books.get(&recorded.partition).unwrap_or(&empty);
        let (alert, incident) = (|id: &Fingerprint| book.alerts.get(id), |id: &IncidentId| book.incidents.get(id));
        let mut reading = PartsRead::of(&alert, &incident);
        match &recorded.event {
            Event::Repeats(batch) => batch.alerts.iter().for_each(|alert| reading.alert(&alert.fingerprint)),
            Event::LabelGiven(given) => of_label(&mut reading, &given.about),
            Event::LabelRetracted(_) => {
                let labels = self.folds.labels.get(&recorded.partition);
                let id = recorded.subject.parse::<LabelId>().ok();
                let label = id.and_then(|id| labels?.0.get(&id));
                label.into_iter().for_each(|label| of_label(&mut reading, &label.given.about));
            }
            events! { alert, incident } => reading.decision(recorded),
            Event::Delivery(_)
            | Event::DoorOpened(_)
            | Event::Observed(_)
            | Event::Command(_)
            | Event::Change(_)
            | Event::Parked(_)
            | Event::Unparked(_)
            | Event::LabelJudged(_)
            | events! { finding, conversation, proposal, model, chat, silence, control, notice } => {}
        }
        reading.missing
    }

    fn bring_notice(&mut self, recorded: &Recorded) -> Result<(), Error> {
        let Ok(id) = recorded.subject.parse::<NoticeId>() else { return Ok(()) };
        if !self.folds.notices.0.contains_key(&id)
            && let Some(document) = self.store.document(DocumentKind::Notice, id.as_str(), u64::MAX)?
        {
            let (_, notice) = document.read::<Notice>("a notice")?;
            self.folds.notices.0.insert(id, notice);
        }
        Ok(())
    }

    /// Reads an alert or an incident; whether there is one.
    fn bring_part(&mut self, id: &str) -> Result<bool, Error> {
        let is_incident = id.starts_with(IncidentId::PREFIX);
        let kind = if is_incident { DocumentKind::Incident } else { DocumentKind::Alert };
        // What left memory is written, and nothing was written of it since.
        let Some(document) = self.store.document(kind, id, u64::MAX)? else { return Ok(false) };
        self.repeats.bring(&self.store, id)?;
        if !is_incident {
            let (partition, alert) = document.read::<Alert>("an alert")?;
            let book = self.folds.books.entry(partition_of(&partition)?).or_default();
            book.alerts.insert(alert.fingerprint.clone(), alert);
            return Ok(true);
        }
        let (partition, incident) = document.read::<Incident>("an incident")?;
        self.bring_incident(&partition_of(&partition)?, incident)?;
        Ok(true)
    }

    fn bring_incident(&mut self, partition: &Partition, mut incident: Incident) -> Result<(), Error> {
        let book = self.folds.books.entry(partition.clone()).or_default();
        let members = self.store.documents(DocumentKind::Member, &format!("{}\u{1}", incident.id), u64::MAX)?;
        let mut counted = Counted::default();
        for (id, document) in &members {
            let Some((fingerprint, stored)) = read_member(id, &document.value)? else { continue };
            counted.messages.insert(fingerprint.clone(), stored.messages);
            counted.occurrences += stored.messages;
            incident.members.insert(fingerprint.clone(), stored.member);
            counted.place(&incident, &fingerprint, book.alerts.get(&fingerprint));
        }
        counted.stored = Some(counted.tally());
        counted.class = Some(super::live::Class::of_incident(&incident));
        let tally = self.repeats.with(incident.id.as_str(), counted.stored);
        self.written.bring(&incident.id, &IncidentRow::of(&incident, &partition.environment, tally));
        self.taught.bring(&incident);
        self.counts.insert(incident.id.clone(), counted);
        book.incidents.insert(incident.id.clone(), incident);
        Ok(())
    }
}

/// The incident that a label is about: whether its cause is named is counted.
fn of_label(reading: &mut PartsRead<'_>, about: &Subject) {
    super::about(about).into_iter().for_each(|incident| reading.incident(incident));
}

/// Alerts and incidents of a book that are over; an alert leaves with its incident.
fn over(book: &Book, long: &dyn Fn(Time) -> bool) -> (Vec<Fingerprint>, BTreeSet<IncidentId>) {
    let mut fires: BTreeSet<&IncidentId> = BTreeSet::new();
    for alert in book.alerts.values().filter(|alert| !is_quiet(alert, long)) {
        alert.incident.iter().for_each(|home| {
            fires.insert(home);
        });
    }
    let ends = |incident: &&Incident| is_over(incident, long) && !fires.contains(&incident.id);
    let incidents: BTreeSet<IncidentId> = book.incidents.values().filter(ends).map(|it| it.id.clone()).collect();
    let stays = |id: &IncidentId| book.incidents.contains_key(id) && !incidents.contains(id);
    let leaves = |alert: &&Alert| is_quiet(alert, long) && !alert.incident.as_ref().is_some_and(stays);
    let alerts = book.alerts.values().filter(leaves).map(|alert| alert.fingerprint.clone()).collect();
    (alerts, incidents)
}
