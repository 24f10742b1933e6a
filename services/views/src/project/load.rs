//! Finds the folds again: the last version of every document is the fold, so nothing is folded twice.

use std::sync::PoisonError;

use hindcast_domain::incident::Incident;
use hindcast_domain::label::Label;
use hindcast_domain::model::InForce;
use hindcast_domain::notice::Notice;
use hindcast_domain::silence::Silence;
use hindcast_domain::words::ItemFault;
use hindcast_domain::{EventId, Fingerprint, IncidentId, Partition, alert};

use super::Projector;
use super::live::Class;
use super::tally::{Counted, StoredMember};
use crate::error::Error;
use crate::limits::COMMANDS_MAX;
use crate::store::event::LedgerEvents;
use crate::store::keys::{DocumentKind, PackedIndex};
use crate::store::{Store, ViewCheckpoint};

impl Projector {
    /// An empty projection.
    pub(crate) fn fresh(store: Store, ledger_id: &str) -> Self {
        Self::new(store, ledger_id)
    }

    /// The projection as it was written.
    pub(crate) fn load(store: Store, events: &LedgerEvents, checkpoint: ViewCheckpoint) -> Result<Self, Error> {
        let mut projector = Self::new(store, &checkpoint.ledger_id);
        let at = checkpoint.position;
        projector.checkpoint = checkpoint;
        projector.load_book(at)?;
        projector.load_rest(at)?;
        projector.taught.load(&projector.folds);
        projector.repeats.load(&projector.store, events, at)?;
        let (counts, repeats) = (&projector.counts, &projector.repeats);
        let tally = |id: &IncidentId| repeats.with(id.as_str(), counts.get(id).and_then(|counted| counted.stored));
        projector.written.load(&projector.folds, tally);
        projector.count_all();
        Ok(projector)
    }

    fn load_book(&mut self, at: u64) -> Result<(), Error> {
        for (_, document) in self.store.documents(DocumentKind::Alert, "", at)? {
            let (partition, alert) = document.read::<alert::Alert>("an alert")?;
            let book = self.folds.books.entry(partition_of(&partition)?).or_default();
            book.alerts.insert(alert.fingerprint.clone(), alert);
        }
        let members = self.store.documents(DocumentKind::Member, "", at)?;
        for (_, document) in self.store.documents(DocumentKind::Incident, "", at)? {
            let (partition, mut incident) = document.read::<Incident>("an incident")?;
            let book = self.folds.books.entry(partition_of(&partition)?).or_default();
            let mut counted = Counted::default();
            let prefix = format!("{}\u{1}", incident.id);
            let from = members.partition_point(|(id, _)| *id < prefix);
            let own = members.iter().skip(from).take_while(|(id, _)| id.starts_with(&prefix));
            for (id, document) in own {
                let Some((fingerprint, stored)) = read_member(id, &document.value)? else {
                    continue;
                };
                counted.messages.insert(fingerprint.clone(), stored.messages);
                counted.occurrences += stored.messages;
                incident.members.insert(fingerprint.clone(), stored.member);
                counted.place(&incident, &fingerprint, book.alerts.get(&fingerprint));
            }
            counted.stored = Some(counted.tally());
            self.counts.insert(incident.id.clone(), counted);
            book.incidents.insert(incident.id.clone(), incident);
        }
        Ok(())
    }

    fn load_rest(&mut self, at: u64) -> Result<(), Error> {
        for (_, document) in self.store.documents(DocumentKind::Silence, "", at)? {
            let (partition, silence) = document.read::<Silence>("a silence")?;
            let silences = self.folds.silences.entry(partition_of(&partition)?).or_default();
            silences.0.insert(silence.id.clone(), silence);
        }
        for (_, document) in self.store.documents(DocumentKind::Label, "", at)? {
            let (partition, label) = document.read::<Label>("a label")?;
            let labels = self.folds.labels.entry(partition_of(&partition)?).or_default();
            labels.0.insert(label.id.clone(), label);
        }
        for (name, document) in self.store.documents(DocumentKind::Alias, "", at)? {
            let (partition, alias) = document.read::<InForce>("a production version")?;
            self.folds.aliases.entry(partition_of(&partition)?).or_default().0.insert(name, alias);
        }
        for (_, document) in self.store.documents(DocumentKind::Notice, "", at)? {
            let (_, notice) = document.read::<Notice>("a notice")?;
            let began = self.store.first(DocumentKind::Notice, notice.id.as_str(), at)?;
            self.open.load(&notice, began.unwrap_or(0));
            self.folds.notices.0.insert(notice.id.clone(), notice);
        }
        self.watched.extend(self.store.ids(DocumentKind::Watched, "", at, usize::MAX)?);
        // What was decided long ago, or never will be, is let go with the process.
        let noted = self.store.packed(PackedIndex::Type, "intake.command", 0, at).rev().take(COMMANDS_MAX);
        let mut noted = noted.map(|mention| Ok(mention?.value)).collect::<Result<Vec<_>, Error>>()?;
        noted.reverse();
        let ids = noted.iter().filter_map(|id| std::str::from_utf8(id).ok()?.parse::<EventId>().ok());
        ids.for_each(|id| self.commands.note(id));
        for (id, document) in self.store.documents(DocumentKind::Parked, "", at)? {
            // An event of a newer binary is listed and not counted.
            let (_, item) = document.read::<hindcast_api::Parked>("a dead letter")?;
            if item.code != ItemFault::UnknownEvent
                && self.store.document(DocumentKind::Unparked, &id, at)?.is_none()
                && let Ok(id) = id.parse::<EventId>()
            {
                self.parked.insert(id);
            }
        }
        Ok(())
    }

    /// Counts what was loaded; digests are made when the state hash is asked for.
    fn count_all(&mut self) {
        for book in self.folds.books.values() {
            book.alerts.values().for_each(|alert| self.classes.moved(None, Some(Class::of_alert(alert))));
            for incident in book.incidents.values() {
                let class = Some(Class::of_incident(incident));
                self.classes.moved(None, class);
                self.counts.entry(incident.id.clone()).or_default().class = class;
            }
        }
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        self.tell(&mut live);
    }
}

/// A member's document; `None` where it left.
pub(crate) fn read_member(id: &str, value: &[u8]) -> Result<Option<(Fingerprint, StoredMember)>, Error> {
    if value.is_empty() {
        return Ok(None);
    }
    let form = || Error::Form { expected: "a member's fingerprint" };
    let (_, fingerprint) = id.split_once('\u{1}').ok_or_else(form)?;
    let stored = serde_json::from_slice(value).map_err(|source| Error::Json { expected: "a member", source })?;
    Ok(Some((fingerprint.parse().map_err(|_| form())?, stored)))
}

/// A partition by its spelling.
pub(crate) fn partition_of(text: &str) -> Result<Partition, Error> {
    let (tenant, environment) = text.split_once('/').ok_or(Error::Form { expected: "a partition" })?;
    Ok(Partition { tenant: tenant.to_owned(), environment: environment.to_owned() })
}
