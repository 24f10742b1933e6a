//! The ledger's events by their positions. They are read from its commits, which stay unpacked for a while, and are
//! not stored a second time. Blocks on the ledger; refuses to know what an event does.

use std::borrow::Cow;
use std::sync::Arc;

use hindcast_api as api;
use hindcast_api::EventKind;
use hindcast_domain::event::Recorded;
use hindcast_domain::{Event, Time};
use hindcast_eventlog::read::UnreadableRecord;
use hindcast_events::Decoded;
use hindcast_ledger::commit::UnpackedEvents;
use hindcast_ledger::{ReadError, Record, Seq, Shared, Subject, Tail, commit};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde::Deserialize;
use serde_json::Value;
use tokio::runtime::Handle;

use crate::error::Error;
use crate::limits::{UNPACKED_BYTES, UNPACKED_COMMITS};

/// A commit with its events as they were written.
#[derive(Debug)]
pub(crate) struct UnpackedCommit {
    seq: Seq,
    subject: Subject,
    events: UnpackedEvents,
    /// When it was recorded, once asked.
    recorded_at: std::sync::OnceLock<Time>,
}

/// An event and the commit that holds it.
#[derive(Clone, Debug)]
pub(crate) struct LedgerEvent {
    commit: Arc<UnpackedCommit>,
    index: usize,
}

/// What a list filters by.
#[derive(Deserialize)]
pub(crate) struct EventHead<'a> {
    /// What happened.
    #[serde(rename = "type", borrow)]
    pub(crate) kind: Cow<'a, str>,
    /// What it is about.
    #[serde(borrow)]
    pub(crate) subject: Cow<'a, str>,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<Seq, Arc<UnpackedCommit>> for ByBytes {
    fn weight(&self, _: &Seq, commit: &Arc<UnpackedCommit>) -> u64 {
        (commit.events.bytes() as u64).max(1)
    }
}

/// Reads them. Cheap to clone; to be used where waiting for the disk is allowed.
#[derive(Clone)]
pub(crate) struct LedgerEvents {
    ledger: Shared,
    runtime: Handle,
    unpacked: Arc<Cache<Seq, Arc<UnpackedCommit>, ByBytes>>,
}

impl LedgerEvents {
    /// A reader of `ledger` that waits on `runtime`.
    pub(crate) fn new(ledger: Shared, runtime: Handle) -> Self {
        let unpacked = Arc::new(Cache::with_weighter(UNPACKED_COMMITS, UNPACKED_BYTES, ByBytes));
        Self { ledger, runtime, unpacked }
    }

    /// The event at a position; `None` where there is none.
    pub(crate) fn at(&self, position: u64) -> Result<Option<LedgerEvent>, Error> {
        let commit = self.commit(commit::seq_of(position))?;
        Ok(commit.and_then(|commit| LedgerEvent::of(commit, position)))
    }

    fn commit(&self, seq: Seq) -> Result<Option<Arc<UnpackedCommit>>, Error> {
        if let Some(known) = self.unpacked.get(&seq) {
            return Ok(Some(known));
        }
        let Some(record) = self.runtime.block_on(self.ledger.get(seq))? else { return Ok(None) };
        let commit = Arc::new(unpack(&record)?);
        self.unpacked.insert(seq, Arc::clone(&commit));
        Ok(Some(commit))
    }

    /// Events from `from` to `to`, both included, oldest first.
    pub(crate) fn between(&self, from: u64, to: u64) -> impl Iterator<Item = Result<LedgerEvent, Error>> + use<'_> {
        let last = commit::seq_of(to);
        let mut tail = self.ledger.tail(commit::seq_of(from).max(1));
        let mut next = commit::seq_of(from).max(1);
        let commits = std::iter::from_fn(move || {
            if next > last {
                return None;
            }
            match self.run(tail.as_mut()) {
                Ok(commits) => {
                    next = commits.last().map_or(last, |commit| commit.seq) + 1;
                    Some(Ok(commits))
                }
                Err(error) => {
                    next = last + 1;
                    Some(Err(error))
                }
            }
        });
        commits.flat_map(move |run| -> Box<dyn Iterator<Item = Result<LedgerEvent, Error>>> {
            match run {
                Ok(commits) => Box::new(
                    commits
                        .into_iter()
                        .flat_map(LedgerEvent::all)
                        .filter(move |event| (from..=to).contains(&event.position()))
                        .map(Ok),
                ),
                Err(error) => Box::new(std::iter::once(Err(error))),
            }
        })
    }

    fn run(&self, tail: &mut dyn Tail) -> Result<Vec<Arc<UnpackedCommit>>, Error> {
        let records = self.runtime.block_on(tail.next())?;
        records.iter().map(|record| Ok(Arc::new(unpack(record)?))).collect()
    }
}

fn unpack(record: &Record) -> Result<UnpackedCommit, Error> {
    let damaged = |source| ReadError::from(UnreadableRecord::Commit { seq: record.seq, source });
    // What is asked for was projected, and compared with its root then.
    let events = commit::unpack(&record.payload).map_err(damaged)?;
    Ok(UnpackedCommit { seq: record.seq, subject: record.subject.clone(), events, recorded_at: Default::default() })
}

impl LedgerEvent {
    fn of(commit: Arc<UnpackedCommit>, position: u64) -> Option<Self> {
        let index = usize::try_from(position - commit::position(commit.seq, 0)).ok()?;
        (index < commit.events.len()).then_some(Self { commit, index })
    }

    fn all(commit: Arc<UnpackedCommit>) -> impl Iterator<Item = Self> {
        (0..commit.events.len()).map(move |index| Self { commit: Arc::clone(&commit), index })
    }

    /// Where it stands.
    pub(crate) fn position(&self) -> u64 {
        commit::position(self.commit.seq, self.index)
    }

    /// When its commit was recorded; `find` is asked once a commit.
    pub(crate) fn recorded_at(&self, find: impl FnOnce(Seq) -> Result<Option<i64>, Error>) -> Result<Time, Error> {
        if let Some(known) = self.commit.recorded_at.get() {
            return Ok(*known);
        }
        let found = find(self.commit.seq)?.map_or(Time::ZERO, Time::from_nanos);
        Ok(*self.commit.recorded_at.get_or_init(|| found))
    }

    fn bytes(&self) -> &[u8] {
        self.commit.events.get(self.index).unwrap_or_default()
    }

    /// Its type and subject; the rest is stepped over.
    pub(crate) fn head(&self) -> Result<EventHead<'_>, Error> {
        serde_json::from_slice(self.bytes()).map_err(|source| Error::Json { expected: "an event", source })
    }

    /// Whether a filter's word means it: a kind, a whole type, or a type's first word.
    pub(crate) fn is_kind(&self, head: &EventHead<'_>, word: &str) -> bool {
        word == head.kind || head.kind.split('.').next() == Some(word) || self.provenance() == *word
    }

    fn provenance(&self) -> EventKind {
        match self.decode() {
            Ok(Decoded::Known(envelope)) => envelope.event.kind().into(),
            _ if self.commit.subject.slot().is_some() => EventKind::Intake,
            _ => EventKind::Decision,
        }
    }

    fn decode(&self) -> Result<Decoded, Error> {
        let position = self.position();
        hindcast_events::decode(self.bytes())
            .map_err(|source| ReadError::from(UnreadableRecord::Event { position, source }).into())
    }

    /// As it was recorded; `None` where it is of a type that is not known here.
    pub(crate) fn recorded(&self) -> Result<Option<Recorded>, Error> {
        Ok(match self.decode()? {
            Decoded::Known(envelope) => Some(envelope.at(self.position(), self.commit.subject.partition())),
            Decoded::Unknown { .. } => None,
        })
    }

    /// As the API shows it.
    pub(crate) fn shown(&self, recorded_at: Time) -> Result<api::Event, Error> {
        let subject = &self.commit.subject;
        Ok(match self.decode()? {
            Decoded::Known(envelope) => known(&envelope.at(self.position(), subject.partition()), subject, recorded_at),
            Decoded::Unknown { kind, raw, .. } => unknown(self.position(), &kind, &raw, subject, recorded_at),
        })
    }
}

/// An event of ours as the API shows it.
fn known(recorded: &Recorded, subject: &Subject, recorded_at: Time) -> api::Event {
    api::Event {
        position: recorded.position,
        kind: recorded.event.kind().into(),
        event_type: recorded.event.type_name().to_owned(),
        id: recorded.id.to_string(),
        subject: recorded.subject.clone(),
        time: recorded.time,
        recorded_at,
        revision: recorded.revision,
        actor: recorded.actor.clone(),
        causation_id: recorded.cause.as_ref().map(ToString::to_string),
        tenant: recorded.partition.tenant.clone(),
        environment: recorded.partition.environment.clone(),
        source: subject.to_string(),
        data: payload(&recorded.event),
    }
}

fn payload(event: &Event) -> Value {
    match serde_json::to_value(event) {
        Ok(Value::Object(mut tagged)) => tagged.remove("data").unwrap_or_default(),
        _ => Value::Null,
    }
}

/// An event of a newer binary, as far as it can be shown.
pub(crate) fn unknown(position: u64, kind: &str, raw: &Value, subject: &Subject, recorded_at: Time) -> api::Event {
    let text = |name: &str| raw.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let intake = subject.slot().is_some();
    api::Event {
        position,
        kind: if intake { EventKind::Intake } else { EventKind::Decision },
        event_type: kind.to_owned(),
        id: text("id").unwrap_or_default(),
        subject: text("subject").unwrap_or_default(),
        time: text("time").and_then(|time| time.parse().ok()).unwrap_or(recorded_at),
        recorded_at,
        revision: raw.get("revision").and_then(Value::as_u64),
        actor: text("actor").unwrap_or_default(),
        causation_id: text("causation_id"),
        tenant: subject.partition().tenant.clone(),
        environment: subject.partition().environment.clone(),
        source: subject.to_string(),
        data: raw.get("data").cloned().unwrap_or_default(),
    }
}
