//! Repeats that were gathered at intake, as they are counted: of an alert, and of the incident that it belongs to. A
//! batch writes nothing for each of its alerts; the counts stand in memory and are written after so many batches. What
//! is in no document yet is read from memory, and of a past position from the batches themselves.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use hindcast_domain::alert::Alert;
use hindcast_domain::event::Recorded;
use hindcast_domain::incident::Incident;
use hindcast_domain::repeats::RepeatBatch;
use hindcast_domain::{Event, Fingerprint, Time, events};
use serde::{Deserialize, Serialize};

use super::tally::{Before, Tally};
use super::{ProjectedBatch, Projector};
use crate::error::Error;
use crate::limits::{REPEAT_ALERTS_UNWRITTEN, REPEAT_BATCHES_UNWRITTEN};
use crate::store::event::LedgerEvents;
use crate::store::keys::{DocumentKind, PackedIndex, WRITTEN_REPEATS};
use crate::store::{Batch, Store};

/// Repeats of an alert, or of an incident's alerts while they belonged to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RepeatCount {
    /// All of them.
    pub(crate) count: u64,
    /// Those of an alert since it came into its incident.
    #[serde(default)]
    pub(crate) at_home: u64,
    /// Time of the newest repeat.
    pub(crate) last_at: Time,
    /// The batch that holds the last one.
    pub(crate) position: u64,
}

/// What was counted lately, for readers.
#[derive(Debug, Default)]
pub(crate) struct RecentRepeats {
    /// Everything after this position stands here.
    since: u64,
    changes: HashMap<String, Vec<(u64, RepeatCount)>>,
}

/// Shared by the one who counts and those who read.
pub(crate) type SharedRepeats = Arc<RwLock<RecentRepeats>>;

impl RecentRepeats {
    /// The newest count of an id as of `at`, if it changed lately; `None` where the position is too old to know.
    pub(crate) fn at(&self, id: &str, at: u64) -> Option<Option<RepeatCount>> {
        if at < self.since {
            return None;
        }
        let changes = self.changes.get(id).map_or(&[][..], Vec::as_slice);
        let before = changes.partition_point(|(position, _)| *position <= at);
        Some(before.checked_sub(1).and_then(|last| changes.get(last)).map(|(_, count)| *count))
    }

    fn note(&mut self, id: &str, position: u64, count: RepeatCount) {
        match self.changes.get_mut(id) {
            Some(changes) => match changes.last_mut().filter(|(last, _)| *last == position) {
                Some((_, known)) => *known = count,
                None => changes.push((position, count)),
            },
            None => {
                self.changes.insert(id.to_owned(), vec![(position, count)]);
            }
        }
    }

    /// Lets go of what documents hold that were written at `written`.
    fn forget(&mut self, written: u64) {
        self.since = self.since.max(written);
        self.changes.retain(|_, changes| {
            changes.retain(|(position, _)| *position > written);
            !changes.is_empty()
        });
    }
}

/// All counts as of what was projected last.
#[derive(Debug, Default)]
pub(super) struct RepeatTotals {
    totals: HashMap<String, RepeatCount>,
    /// Ids whose count is in no document.
    unwritten: BTreeSet<String>,
    batches: usize,
    alerts: usize,
    /// Where the counts were last written.
    written_at: u64,
    shared: SharedRepeats,
}

/// One alert of a batch of the past, and the incident that it counts for.
pub(crate) struct CountedRepeat {
    pub(crate) position: u64,
    pub(crate) at: Time,
    pub(crate) alert: String,
    pub(crate) incident: Option<String>,
    pub(crate) count: u64,
}

impl RepeatTotals {
    pub(super) fn shared(&self) -> SharedRepeats {
        Arc::clone(&self.shared)
    }

    /// Repeats that an incident's alerts had while they belonged to it.
    pub(super) fn of(&self, id: &str) -> u64 {
        self.totals.get(id).map_or(0, |total| total.count)
    }

    /// A tally with the repeats in it.
    pub(super) fn with(&self, id: &str, tally: Option<Tally>) -> Option<Tally> {
        tally.map(|tally| Tally { occurrences: tally.occurrences + self.of(id), ..tally })
    }

    /// Lets go of a count that is written.
    pub(super) fn forget(&mut self, id: &str) {
        if !self.unwritten.contains(id) {
            self.totals.remove(id);
        }
    }

    /// Finds a count again.
    pub(super) fn bring(&mut self, store: &Store, id: &str) -> Result<(), Error> {
        if !self.totals.contains_key(id)
            && let Some(document) = store.document(DocumentKind::Repeats, id, u64::MAX)?
        {
            self.totals.insert(id.to_owned(), read_count(&document.value)?);
        }
        Ok(())
    }

    fn add(&mut self, id: &str, (position, at): (u64, Time), count: u64, at_home: bool) {
        let total = self.totals.entry(id.to_owned()).or_default();
        total.count += count;
        total.at_home += if at_home { count } else { 0 };
        total.last_at = total.last_at.max(at);
        total.position = position;
        if !self.unwritten.contains(id) {
            self.unwritten.insert(id.to_owned());
        }
    }

    fn tell(&self, ids: impl Iterator<Item = String>, position: u64) {
        let mut shared = self.shared.write().unwrap_or_else(PoisonError::into_inner);
        for id in ids {
            if let Some(total) = self.totals.get(&id) {
                shared.note(&id, position, *total);
            }
        }
    }

    fn document(&self, batch: &mut Batch, id: &str, position: u64) {
        let total = self.totals.get(id).copied().unwrap_or_default();
        batch.document(DocumentKind::Repeats, id, position, serde_json::to_vec(&total).unwrap_or_default());
    }

    /// Writes what is in no document yet, after so many batches.
    fn write_some(&mut self, batch: &mut Batch, position: u64) {
        if self.batches < REPEAT_BATCHES_UNWRITTEN && self.alerts < REPEAT_ALERTS_UNWRITTEN {
            return;
        }
        for id in std::mem::take(&mut self.unwritten) {
            self.document(batch, &id, position);
        }
        batch.document(DocumentKind::Mark, WRITTEN_REPEATS, position, position.to_be_bytes().to_vec());
        (self.batches, self.alerts) = (0, 0);
        let before = std::mem::replace(&mut self.written_at, position);
        // Who reads as of a moment ago finds it here still.
        self.shared.write().unwrap_or_else(PoisonError::into_inner).forget(before);
    }

    /// Finds the counts again as of `at`.
    pub(super) fn load(&mut self, store: &Store, events: &LedgerEvents, at: u64) -> Result<(), Error> {
        self.written_at = written_at(store, at)?;
        let mut documents: HashMap<String, u64> = HashMap::new();
        for (id, document) in store.documents(DocumentKind::Repeats, "", at)? {
            self.totals.insert(id.clone(), read_count(&document.value)?);
            documents.insert(id, document.position);
        }
        let is_new = |id: &str, position| documents.get(id).is_none_or(|written| *written < position);
        let mut last = None;
        for repeat in counted(store, events, self.written_at, at)? {
            let place = (repeat.position, repeat.at);
            if is_new(&repeat.alert, repeat.position) {
                self.add(&repeat.alert, place, repeat.count, repeat.incident.is_some());
            }
            if let Some(incident) = repeat.incident.filter(|incident| is_new(incident, repeat.position)) {
                self.add(&incident, place, repeat.count, false);
            }
            self.batches += usize::from(last.replace(repeat.position) != Some(repeat.position));
            self.alerts += 1;
        }
        // What stands in no document is told as of now; of what was before, the batches tell.
        self.tell(self.unwritten.iter().cloned(), at);
        self.shared.write().unwrap_or_else(PoisonError::into_inner).since = at;
        Ok(())
    }
}

impl Projector {
    /// Counts a batch.
    pub(super) fn repeated(&mut self, work: &mut ProjectedBatch, recorded: &Recorded, batch: &RepeatBatch) {
        let book = self.folds.books.get(&recorded.partition);
        let place = (recorded.position, recorded.time);
        let mut counted = BTreeSet::new();
        for repeat in &batch.alerts {
            let home = book.and_then(|book| home(book.alerts.get(&repeat.fingerprint), |id| book.incidents.get(id)));
            let (id, count) = (repeat.fingerprint.as_str(), u64::from(repeat.count));
            self.repeats.add(id, place, count, home.is_some());
            counted.insert(id.to_owned());
            if let Some(home) = home {
                self.repeats.add(&home, place, count, false);
                counted.insert(home);
            }
        }
        self.repeats.tell(counted.into_iter(), recorded.position);
        self.repeats.batches += 1;
        self.repeats.alerts += batch.alerts.len();
        self.repeats.write_some(&mut work.batch, recorded.position);
    }

    /// Repeats go with their alert where incidents are merged or split; an alert that comes into another incident
    /// leaves them behind.
    pub(super) fn repeats_moved(
        &mut self,
        work: &mut ProjectedBatch,
        recorded: &Recorded,
        before: &std::collections::BTreeMap<Fingerprint, Before>,
    ) {
        let moves = matches!(recorded.event, events! { lineage });
        let Some(book) = self.folds.books.get(&recorded.partition) else { return };
        let mut written = BTreeSet::new();
        for (fingerprint, before) in before {
            let now = book.alerts.get(fingerprint).and_then(|alert| alert.incident.as_ref());
            let Some(total) = self.repeats.totals.get_mut(fingerprint.as_str()) else { continue };
            if before.incident.as_ref() == now || total.at_home == 0 {
                continue;
            }
            let at_home = total.at_home;
            written.insert(fingerprint.to_string());
            if !moves {
                total.at_home = 0;
                continue;
            }
            if let Some(old) = &before.incident
                && let Some(total) = self.repeats.totals.get_mut(old.as_str())
            {
                total.count = total.count.saturating_sub(at_home);
                written.insert(old.to_string());
            }
            if let Some(now) = now {
                self.repeats.totals.entry(now.to_string()).or_default().count += at_home;
                written.insert(now.to_string());
            }
        }
        for id in &written {
            self.repeats.document(&mut work.batch, id, recorded.position);
            self.repeats.unwritten.remove(id);
        }
        self.repeats.tell(written.into_iter(), recorded.position);
    }
}

/// The incident for which a repeat of an alert counts: its own, while that goes on.
fn home<'a>(
    alert: Option<&Alert>,
    incident: impl Fn(&hindcast_domain::IncidentId) -> Option<&'a Incident>,
) -> Option<String> {
    let id = alert?.incident.as_ref()?;
    incident(id).filter(|incident| incident.is_live()).map(|incident| incident.id.to_string())
}

/// A count as it is written.
pub(crate) fn read_count(value: &[u8]) -> Result<RepeatCount, Error> {
    serde_json::from_slice(value).map_err(|source| Error::Json { expected: "a count of repeats", source })
}

/// Where counts were last written, as of `at`.
pub(crate) fn written_at(store: &Store, at: u64) -> Result<u64, Error> {
    Ok(store.document(DocumentKind::Mark, WRITTEN_REPEATS, at)?.map_or(0, |mark| mark.position))
}

/// The repeats of the batches behind `after` up to `at`, each with the incident for which it counted.
pub(crate) fn counted(store: &Store, events: &LedgerEvents, after: u64, at: u64) -> Result<Vec<CountedRepeat>, Error> {
    let mut all = Vec::new();
    for mention in store.packed(PackedIndex::Type, "intake.repeats", after + 1, at) {
        let position = mention?.position;
        let Some(recorded) = events.at(position)?.map(|event| event.recorded()).transpose()?.flatten() else {
            continue;
        };
        let Event::Repeats(batch) = recorded.event else { continue };
        let mut homes: HashMap<String, bool> = HashMap::new();
        for repeat in &batch.alerts {
            let id = repeat.fingerprint.as_str();
            let alert = store.document(DocumentKind::Alert, id, position)?;
            let alert = alert.map(|document| document.read::<Alert>("an alert")).transpose()?;
            let home = alert.and_then(|(_, alert)| alert.incident).map(|id| id.to_string());
            let incident = match home {
                Some(id) if is_live(store, &mut homes, &id, position)? => Some(id),
                _ => None,
            };
            let (alert, count) = (id.to_owned(), u64::from(repeat.count));
            all.push(CountedRepeat { position, at: recorded.time, alert, incident, count });
        }
    }
    Ok(all)
}

fn is_live(store: &Store, known: &mut HashMap<String, bool>, id: &str, at: u64) -> Result<bool, Error> {
    if let Some(known) = known.get(id) {
        return Ok(*known);
    }
    let incident = store.document(DocumentKind::Incident, id, at)?;
    let incident = incident.map(|document| document.read::<Incident>("an incident")).transpose()?;
    let live = incident.is_some_and(|(_, incident)| incident.is_live());
    known.insert(id.to_owned(), live);
    Ok(live)
}
