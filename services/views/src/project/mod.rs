//! The projector: takes records in order and writes what they change, data and checkpoint in one batch.
//!
//! It owns the folds in memory (what was over for long is read from the store when it is needed) and is the only writer
//! of the store. It refuses to answer questions: readers go to the store, as of the position it has announced.

mod advice;
pub(crate) mod commands;
pub(crate) mod forget;
pub(crate) mod hash;
pub(crate) mod index;
pub(crate) mod live;
pub(crate) mod load;
pub(crate) mod open;
pub(crate) mod repeats;
pub(crate) mod reported;
pub(crate) mod tally;
pub(crate) mod taught;
pub(crate) mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use hindcast_domain::canonical::FOLD_VERSION;
use hindcast_domain::command::Configured;
use hindcast_domain::event::Recorded;
use hindcast_domain::{Event, EventId, Fingerprint, Partition, Time, events};
use hindcast_eventlog::read::{self, UnknownEvent};
use hindcast_ledger::{ReadError, Record, commit};

pub(crate) use self::advice::about;
use self::commands::NewestCommands;
use self::hash::{Digests, Dirty};
use self::live::{ClassCounts, Live};
use self::tally::{AlertTally, Before};
use crate::error::Error;
use crate::fold::{self, Folds};
use crate::limits::{BATCH_BYTES, BATCH_EVENTS, FIRED_KEPT};
use crate::store::keys::{self, DocumentKind, List, MentionIndex};
use crate::store::{Batch, LAYOUT, Store, ViewCheckpoint, event, framed};

pub(crate) struct Projector {
    store: Store,
    folds: Folds,
    counts: AlertTally,
    classes: ClassCounts,
    checkpoint: ViewCheckpoint,
    live: Arc<Mutex<Live>>,
    /// Where each alert last began to fire, of those that did lately; of others the store knows it.
    fired_at: BTreeMap<Fingerprint, u64>,
    /// Parked items that nobody has looked at.
    parked: BTreeSet<EventId>,
    /// Services that were seen, by environment and name.
    watched: BTreeSet<String>,
    /// Notices that are requested or held.
    open: open::OpenNotices,
    /// What is counted of labels and closed incidents.
    taught: taught::Taught,
    /// Incidents as a report counts them, as they were last written.
    written: reported::WrittenRows,
    /// What the state hash goes over.
    digests: Digests,
    /// The newest commands: what follows from one is found by it.
    commands: NewestCommands,
    /// Repeats, as they are counted.
    repeats: repeats::RepeatTotals,
    /// Whether anything left memory, so that it may have to be read.
    forgotten: bool,
}

/// What one batch has gathered.
struct ProjectedBatch {
    batch: Batch,
    events: usize,
    /// Entities whose digest is to be made anew.
    dirty: BTreeSet<(Partition, Dirty)>,
    /// Idempotency keys that this batch brings.
    keys: BTreeSet<String>,
    /// Configuration sections that this batch brings.
    sections: BTreeSet<String>,
    /// Alerts that this batch brings, by where each is first seen.
    firsts: BTreeMap<Fingerprint, u64>,
}

/// What a commit has told so far.
#[derive(Default)]
struct CommitContext {
    recorded_at: Time,
    delivery: Option<u64>,
}

impl Projector {
    fn new(store: Store, ledger_id: &str) -> Self {
        let checkpoint = ViewCheckpoint {
            layout: LAYOUT,
            ledger_id: ledger_id.to_owned(),
            fold_version: FOLD_VERSION,
            seq: 0,
            hash: hindcast_ledger::Hash::ZERO,
            position: 0,
            last_events_seq: 0,
            recorded_at: i64::MIN,
            events: 0,
            unknown: 0,
        };
        Self {
            store,
            folds: Folds::default(),
            counts: AlertTally::new(),
            classes: ClassCounts::default(),
            checkpoint,
            live: Arc::default(),
            fired_at: BTreeMap::new(),
            parked: BTreeSet::new(),
            watched: BTreeSet::new(),
            open: open::OpenNotices::default(),
            taught: taught::Taught::default(),
            written: reported::WrittenRows::default(),
            digests: Digests::default(),
            commands: NewestCommands::default(),
            repeats: repeats::RepeatTotals::default(),
            forgotten: false,
        }
    }

    /// What is kept at hand for readers.
    pub(crate) fn live(&self) -> Arc<Mutex<Live>> {
        Arc::clone(&self.live)
    }

    /// Counts of repeats, for readers.
    pub(crate) fn recent_repeats(&self) -> repeats::SharedRepeats {
        self.repeats.shared()
    }

    /// The last commit that was projected.
    pub(crate) const fn seq(&self) -> u64 {
        self.checkpoint.seq
    }

    /// Projects records, in order; those that were projected before are passed over. After an error the
    /// folds may be ahead of the store: the projector must be dropped.
    pub(crate) fn apply(&mut self, records: &[Record]) -> Result<(), Error> {
        let mut work = self.work();
        for record in records {
            if record.seq <= self.checkpoint.seq {
                continue;
            }
            self.record(&mut work, record)?;
            if work.events >= BATCH_EVENTS || work.batch.bytes() >= BATCH_BYTES {
                let full = std::mem::replace(&mut work, self.work());
                self.write(full)?;
            }
        }
        self.write(work)
    }

    fn work(&self) -> ProjectedBatch {
        ProjectedBatch {
            batch: self.store.batch(),
            events: 0,
            dirty: BTreeSet::new(),
            keys: BTreeSet::new(),
            sections: BTreeSet::new(),
            firsts: BTreeMap::new(),
        }
    }

    fn record(&mut self, work: &mut ProjectedBatch, record: &Record) -> Result<(), Error> {
        // A gap would be a hole in every answer, for ever.
        if record.seq != self.checkpoint.seq + 1 {
            let detail = format!("expected commit {} next, got {}", self.checkpoint.seq + 1, record.seq);
            return Err(ReadError::Damaged { seq: record.seq, detail }.into());
        }
        let commit = read::decoded(record).map_err(ReadError::from)?;
        let events = commit.events.len() + commit.unknown.len();
        let recorded_at = self.checkpoint.recorded_at.max(commit.header.stamped_at.nanos());
        let mut context = CommitContext { recorded_at: Time::from_nanos(recorded_at), delivery: None };
        let position = commit::position(record.seq, events.saturating_sub(1));
        work.batch.place(keys::commit(recorded_at, record.seq), position);
        self.checkpoint.seq = record.seq;
        self.checkpoint.hash = commit.hash;
        self.checkpoint.position = position;
        self.checkpoint.recorded_at = recorded_at;
        self.checkpoint.events += events as u64;
        if events > 0 {
            self.checkpoint.last_events_seq = record.seq;
            work.batch.place(keys::recorded(record.seq), recorded_at.cast_unsigned());
        }
        work.events += events.max(1);
        let mut unknown = commit.unknown.iter().peekable();
        for recorded in &commit.events {
            while let Some(strange) = unknown.next_if(|strange| strange.position < recorded.position) {
                self.unknown(work, record, strange, context.recorded_at);
            }
            self.known(work, &mut context, recorded)?;
        }
        unknown.for_each(|strange| self.unknown(work, record, strange, context.recorded_at));
        Ok(())
    }

    fn unknown(&mut self, work: &mut ProjectedBatch, record: &Record, strange: &UnknownEvent, recorded_at: Time) {
        let UnknownEvent { position, kind, version, raw } = strange;
        let shown = event::unknown(*position, kind, raw, &record.subject, recorded_at);
        tracing::error!(position, kind, version, "an event of a newer binary is parked; upgrade this one");
        self.checkpoint.unknown += 1;
        index::unknown(&mut work.batch, &shown);
    }

    fn known(
        &mut self,
        work: &mut ProjectedBatch,
        context: &mut CommitContext,
        recorded: &Recorded,
    ) -> Result<(), Error> {
        self.bring(recorded)?;
        if matches!(recorded.event, Event::Command(_)) {
            self.commands.note(recorded.id.clone());
        }
        let cause = recorded.cause.as_ref().filter(|cause| self.commands.contains(cause)).map(EventId::as_str);
        let kind = (recorded.event.type_name(), reported::note(recorded));
        index::event(&mut work.batch, recorded.position, recorded.id.as_str(), kind, cause);
        self.intake(work, context, recorded)?;
        advice::advice(work, recorded);
        self.watch(work, recorded);
        // A fact changes no alert.
        let is_fact = recorded.event.kind() == hindcast_domain::event::Kind::Intake;
        let before = if is_fact { BTreeMap::new() } else { self.before(recorded) };
        let changed = self.folds.evolve(recorded);
        if is_fact && changed.notice.is_none() {
            return Ok(());
        }
        self.alerts(work, recorded, &changed, &before);
        self.incidents(work, recorded, &changed, &before)?;
        self.repeats_moved(work, recorded, &before);
        self.silences(work, recorded, &changed);
        self.learnt(work, recorded, &changed)?;
        self.teach(work, recorded, &changed);
        self.rows(work, recorded, &changed, &before);
        self.mentions(work, recorded, &changed, &before)?;
        self.notice(work, recorded, &changed);
        Ok(())
    }

    /// What the alerts that an event may change are before it.
    fn before(&self, recorded: &Recorded) -> BTreeMap<Fingerprint, Before> {
        let book = self.folds.books.get(&recorded.partition);
        let own = recorded.subject.parse::<Fingerprint>().ok();
        let named = fold::movers(&recorded.event).iter().cloned().chain(own);
        let of = |fingerprint: &Fingerprint| Before::of(book.and_then(|book| book.alerts.get(fingerprint)));
        named.map(|fingerprint| (fingerprint.clone(), of(&fingerprint))).collect()
    }

    /// Facts from outside that are kept for their own sake.
    fn intake(
        &mut self,
        work: &mut ProjectedBatch,
        context: &mut CommitContext,
        recorded: &Recorded,
    ) -> Result<(), Error> {
        let position = recorded.position;
        match &recorded.event {
            Event::Delivery(_) => context.delivery = Some(position),
            Event::Observed(observation) => {
                index::observation(&mut work.batch, &observation.fingerprint, position, context.delivery);
            }
            Event::Repeats(batch) => self.repeated(work, recorded, batch),
            Event::Change(change) => index::change(&mut work.batch, recorded, change),
            Event::Command(received) => {
                // The first command of a key is the one that counts.
                let at = self.checkpoint.position;
                let known = self.store.about(MentionIndex::Key, &received.key, at).next().transpose()?.is_some();
                if !known && work.keys.insert(received.key.clone()) {
                    work.batch.index(keys::about(MentionIndex::Key, &received.key, position, position), []);
                }
            }
            Event::Parked(parked) => {
                index::parked(&mut work.batch, recorded, parked);
                self.parked.insert(recorded.id.clone());
            }
            Event::Unparked(unparked) => {
                let id = unparked.parked.as_str();
                work.batch.document(DocumentKind::Unparked, id, position, unparked.how.as_str().as_bytes().to_vec());
                self.parked.remove(&unparked.parked);
            }
            Event::Configured(section) => self.section(work, recorded, section)?,
            Event::DoorOpened(_)
            | Event::Activated(_)
            | Event::Restored(_)
            | Event::Owned(_)
            | Event::LinkProposed(_)
            | Event::LinkJudged(_)
            | Event::CommandRejected(_)
            | events! { finding, conversation, proposal, label, model, chat, alert, incident, silence, notice } => {}
        }
        Ok(())
    }

    /// Notes a service that is seen for the first time.
    fn watch(&mut self, work: &mut ProjectedBatch, recorded: &Recorded) {
        let service = match &recorded.event {
            Event::FindingRaised(raised) => Some(&raised.service),
            Event::Change(change) => change.service.as_ref(),
            Event::IncidentOpened(opened) => opened.service.as_ref(),
            Event::IncidentAlertJoined(joined) => joined.service.as_ref(),
            Event::Delivery(_)
            | Event::DoorOpened(_)
            | Event::Observed(_)
            | Event::Repeats(_)
            | Event::Command(_)
            | Event::Parked(_)
            | Event::Unparked(_)
            | Event::LinkObserved(_)
            | Event::EvidencePinned(_)
            | Event::CallsSeen(_)
            | Event::IncidentDeclared(_)
            | events! { conversation, proposal, label, model, chat, alert, silence, control, notice, lineage, incident_status, care } => {
                None
            }
        };
        let Some(service) = service.filter(|service| !service.is_empty()) else { return };
        let id = keys::watched(&recorded.partition.environment, service);
        if self.watched.insert(id.clone()) {
            work.batch.place(keys::first(DocumentKind::Watched, &id), recorded.position);
        }
    }

    fn section(&self, work: &mut ProjectedBatch, recorded: &Recorded, section: &Configured) -> Result<(), Error> {
        let at = self.checkpoint.position;
        if self.store.first(DocumentKind::Section, section.section.as_str(), at)?.is_none()
            && work.sections.insert(section.section.to_string())
        {
            index::first(
                &mut work.batch,
                DocumentKind::Section,
                List::Sections,
                section.section.as_str(),
                recorded.position,
            );
        }
        let value = framed(&recorded.partition.to_string(), section);
        work.batch.document(DocumentKind::Section, section.section.as_str(), recorded.position, value);
        Ok(())
    }

    /// Writes the batch, then tells readers how far it is.
    fn write(&mut self, work: ProjectedBatch) -> Result<(), Error> {
        if work.events == 0 {
            return Ok(());
        }
        work.batch.commit(&self.checkpoint)?;
        self.digests.note(work.dirty);
        if self.fired_at.len() > FIRED_KEPT {
            self.fired_at.clear();
        }
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        self.tell(&mut live);
        Ok(())
    }

    fn tell(&self, live: &mut Live) {
        live.position = self.checkpoint.position;
        live.seq = self.checkpoint.seq;
        live.last_events_seq = self.checkpoint.last_events_seq;
        live.counts = self.classes;
        live.parked = self.parked.len() as u64;
        live.events = self.checkpoint.events;
        live.unknown = self.checkpoint.unknown;
        live.note_counts();
    }
}
