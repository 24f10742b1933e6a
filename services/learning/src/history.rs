//! Reading the past: records of some subjects in the order of the ledger, unpacked where no task waits for it.
//! Owns what is read and how much of it lies in memory at once; refuses to know what it is read for.

use std::borrow::Cow;

use hindcast_api::{LearnProgress, Problem};
use hindcast_domain::event::Recorded;
use hindcast_domain::lane::{Input, names};
use hindcast_eventlog::feed::OrderedFeed;
use hindcast_eventlog::read::{self, UnreadableRecord};
use hindcast_events::Decoded;
use hindcast_ledger::{ReadError, Record, Seq, Shared, Subject, commit};
use hindcast_training::Listener;
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::refused;

/// Records that wait to be unpacked.
const AHEAD: usize = 8;
/// Records after which somebody who listens is told how far it is.
const TOLD_EVERY: Seq = 64;

/// Which part of the ledger is read, and what is said of it meanwhile.
#[derive(Clone)]
pub struct Range {
    /// The ledger that the history is read from.
    pub ledger: Shared,
    /// The first record.
    pub first: Seq,
    /// The last one; nothing is waited for behind it.
    pub last: Seq,
    /// What is being done, in plain words.
    pub step: String,
    /// Who hears how far it is.
    pub listener: Listener,
}

/// Says how far long work is; a full channel loses nothing but the word.
pub fn tell(listener: &Listener, step: &str, done: u64, of: u64) {
    let Some(listener) = listener else { return };
    if listener.try_send(LearnProgress { step: step.to_owned(), done, of }).is_err() {
        tracing::trace!("nobody hears how far it is");
    }
}

impl Range {
    /// Hands on the records of wanted subjects, in order. It ends early where nobody takes them any more.
    ///
    /// # Errors
    /// When the ledger is damaged.
    pub async fn send(
        &self,
        wants: impl Fn(&Subject, Seq) -> bool,
        to: mpsc::Sender<Record>,
    ) -> Result<(), ReadingEnd> {
        if self.first > self.last {
            return Ok(());
        }
        let mut feed = OrderedFeed::start(Shared::clone(&self.ledger), self.first);
        let (mut told, of) = (self.first, self.last - self.first + 1);
        tell(&self.listener, &self.step, 0, of);
        loop {
            for record in feed.next().await? {
                let at = record.seq;
                if at > self.last {
                    return Ok(());
                }
                if wants(&record.subject, at) && to.send(record).await.is_err() {
                    return Ok(());
                }
                if at >= told + TOLD_EVERY || at == self.last {
                    told = at;
                    tell(&self.listener, &self.step, at - self.first + 1, of);
                }
                if at == self.last {
                    return Ok(());
                }
            }
        }
    }

    /// Folds the records of wanted subjects into `state`, away from the tasks of the service. Dropping the
    /// future ends the work with the record that is under way.
    ///
    /// # Errors
    /// When the ledger is damaged, or `step` refuses a record.
    pub async fn fold<T: Send + 'static>(
        &self,
        wants: impl Fn(&Subject, Seq) -> bool,
        mut state: T,
        mut step: impl FnMut(&mut T, &Record) -> Result<(), ReadError> + Send + 'static,
    ) -> Result<T, ReadingEnd> {
        let (sender, mut records) = mpsc::channel::<Record>(AHEAD);
        let work = tokio::task::spawn_blocking(move || {
            while let Some(record) = records.blocking_recv() {
                step(&mut state, &record)?;
            }
            Ok::<T, ReadError>(state)
        });
        let sent = self.send(wants, sender).await;
        let folded = work.await?;
        sent?;
        Ok(folded?)
    }
}

/// Why a reading of the past did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReadingEnd {
    /// The ledger is damaged, or holds what this binary does not know.
    #[error("the past cannot be read")]
    Read(#[from] ReadError),
    /// Work of ours panicked, or the runtime is being shut down.
    #[error("work on the past ended early")]
    Ended(#[from] tokio::task::JoinError),
}

impl From<ReadingEnd> for Problem {
    fn from(stopped: ReadingEnd) -> Self {
        match stopped {
            ReadingEnd::Read(error) => refused::unread(&error),
            ReadingEnd::Ended(error) => refused::ended(&error),
        }
    }
}

/// Only the type of an event; the rest is stepped over.
#[derive(Deserialize)]
struct EventTypeOnly<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

/// The events of a record whose type is wanted, in order; the others are not taken apart.
///
/// # Errors
/// When the record is no commit, or one of these is no event of ours: what was decided must not be guessed.
pub fn events(record: &Record, wants: impl Fn(&str) -> bool) -> Result<Vec<Recorded>, ReadError> {
    let commit = read::commit(record)?;
    let mut known = Vec::with_capacity(commit.events.len());
    for (index, bytes) in commit.events.iter().enumerate() {
        let position = commit::position(record.seq, index);
        let damaged = |detail: String| ReadError::Damaged { seq: record.seq, detail };
        let kind: EventTypeOnly<'_> =
            serde_json::from_slice(bytes).map_err(|error| damaged(format!("event {position} has no type: {error}")))?;
        if !wants(&kind.kind) {
            continue;
        }
        match hindcast_events::decode(bytes) {
            Ok(Decoded::Known(envelope)) => known.push(envelope.at(position, record.subject.partition())),
            Ok(Decoded::Unknown { kind, version, .. }) => {
                return Err(damaged(format!(
                    "event {position} is of type {kind} version {version}, which this binary does not know; upgrade it"
                )));
            }
            Err(source) => return Err(UnreadableRecord::Event { position, source }.into()),
        }
    }
    Ok(known)
}

/// Whose events a subject holds; `None` for a lane of a newer binary.
#[must_use]
pub fn input_of(subject: &Subject) -> Option<Input> {
    const LANES: [&str; 5] = [names::CONTROL, names::INCIDENTS, names::NOTICES, names::LABELS, names::CHAT];
    match subject.lane_name() {
        None => Some(Input::Intake),
        Some(name) => LANES.into_iter().find(|lane| *lane == name).map(Input::Lane),
    }
}

/// Whether a subject is a lane of that name.
#[must_use]
pub fn is_lane(subject: &Subject, name: &str) -> bool {
    subject.lane_name() == Some(name)
}
