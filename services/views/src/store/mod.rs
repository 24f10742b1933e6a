//! The store on disk: three keyspaces of one database, written in atomic batches, read as of a position.
//!
//! The one rule of reading: *every function takes the position as of which it reads and answers nothing that
//! became known after it*. Who asks for now passes the position that was reached; there is no other path.

mod batch;
pub(crate) mod event;
pub(crate) mod keys;
mod notes;

use std::collections::BTreeMap;
use std::path::Path;

use fjall::config::{BlockSizePolicy, FilterPolicy};
use fjall::{Database, Guard, Keyspace, KeyspaceCreateOptions, PersistMode, Slice};
use hindcast_ledger::commit;
use serde::de::DeserializeOwned;

pub(crate) use self::batch::{Batch, LAYOUT, ViewCheckpoint, framed};
use self::keys::{DocumentKind, GROUPING, List, MentionIndex, PackedIndex};
use crate::error::Error;
use crate::limits::{CACHE_BYTES, DOCUMENT_BLOCK_BYTES, JOURNAL_BYTES, MEMTABLE_BYTES};

#[derive(Clone)]
pub(crate) struct Store {
    db: Database,
    documents: Keyspace,
    index: Keyspace,
}

/// A document as it was at a position.
pub(crate) struct Document {
    /// What stands in it.
    pub(crate) value: Slice,
    /// The position at which it was written.
    pub(crate) position: u64,
}

/// An event that has to do with something.
pub(crate) struct Mention {
    /// The event's position.
    pub(crate) position: u64,
    /// What is noted beside it.
    pub(crate) value: Slice,
}

impl Store {
    /// Opens or makes the store under `folder`.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let database = Database::builder(folder).cache_size(CACHE_BYTES).max_journaling_size(JOURNAL_BYTES);
        let db = database.worker_threads(1).open()?;
        let plain = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES);
        // Documents are read by ranges alone, which no filter helps.
        let blocks = || {
            plain()
                .data_block_size_policy(BlockSizePolicy::all(DOCUMENT_BLOCK_BYTES))
                .filter_policy(FilterPolicy::disabled())
        };
        Ok(Self { documents: db.keyspace("documents", blocks)?, index: db.keyspace("index", plain)?, db })
    }

    /// An empty batch.
    pub(crate) fn batch(&self) -> Batch {
        Batch {
            batch: self.db.batch(),
            documents: self.documents.clone(),
            index: self.index.clone(),
            bytes: 0,
            packed: BTreeMap::new(),
            packing: 0,
        }
    }

    /// Makes what was written durable.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        Ok(self.db.persist(PersistMode::SyncData)?)
    }

    /// How far the views are.
    pub(crate) fn checkpoint(&self) -> Result<Option<ViewCheckpoint>, Error> {
        match self.index.get(keys::CHECKPOINT)? {
            // One that cannot be read is none: the views are built anew.
            Some(value) => Ok(serde_json::from_slice(&value).ok()),
            None => Ok(None),
        }
    }

    /// The last version of a document as of `at`.
    pub(crate) fn document(&self, kind: DocumentKind, id: &str, at: u64) -> Result<Option<Document>, Error> {
        let range = keys::document(kind, id, 0)..=keys::document(kind, id, at);
        let Some(guard) = self.documents.range(range).next_back() else {
            return Ok(None);
        };
        let (key, value) = guard.into_inner()?;
        Ok(Some(Document { value, position: number(&key, 0)? }))
    }

    /// The last version, as of `at`, of every document whose id begins with `prefix`: (id, document).
    /// Jumps from id to id, so that its cost follows the ids and not their versions.
    pub(crate) fn documents(
        &self,
        kind: DocumentKind,
        prefix: &str,
        at: u64,
    ) -> Result<Vec<(String, Document)>, Error> {
        let start = [&[kind as u8], prefix.as_bytes()].concat();
        let Some(end) = keys::behind(&start) else {
            return Ok(Vec::new());
        };
        let mut from = start;
        let mut found = Vec::new();
        while let Some(guard) = self.documents.range(from.clone()..end.clone()).next() {
            let key = guard.key()?;
            let id = text(key.get(1..key.len().saturating_sub(9)))?;
            if number(&key, 0)? <= at
                && let Some(document) = self.document(kind, &id, at)?
            {
                found.push((id.clone(), document));
            }
            match keys::behind(&keys::document_prefix(kind, &id)) {
                Some(next) if next < end => from = next,
                _ => break,
            }
        }
        Ok(found)
    }

    /// The last version, as of `at`, of every document whose id lies in a range, in one pass over all versions: the way
    /// for documents of few versions.
    pub(crate) fn sweep(
        &self,
        kind: DocumentKind,
        (from, to): (&str, &str),
        at: u64,
        mut each: impl FnMut(&str, &Slice) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let bound = |id: &str| [&[kind as u8], id.as_bytes()].concat();
        let mut last: Option<(Slice, Slice)> = None;
        for guard in self.documents.range(bound(from)..bound(to)) {
            let (key, value) = guard.into_inner()?;
            if number(&key, 0)? > at {
                continue;
            }
            if let Some((before, value)) = last.replace((key.clone(), value))
                && id_of(&before) != id_of(&key)
            {
                each(&text(id_of(&before).get(1..))?, &value)?;
            }
        }
        if let Some((key, value)) = last {
            each(&text(id_of(&key).get(1..))?, &value)?;
        }
        Ok(())
    }

    /// Where an id of that kind was first seen, if that is known as of `at`.
    pub(crate) fn first(&self, kind: DocumentKind, id: &str, at: u64) -> Result<Option<u64>, Error> {
        let Some(value) = self.index.get(keys::first(kind, id))? else {
            return Ok(None);
        };
        Ok(Some(number(&value, 0)?).filter(|position| *position <= at))
    }

    /// At most `limit` ids of that kind that begin with `prefix`, as of `at`.
    pub(crate) fn ids(&self, kind: DocumentKind, prefix: &str, at: u64, limit: usize) -> Result<Vec<String>, Error> {
        let key = keys::first(kind, prefix);
        let guards = self.index.prefix(&key);
        self.take(guards, limit, |key, value| Ok((number(value, 0)? <= at).then_some(text(key.get(2..))?)))
    }

    /// An event's position, by the id's beginning; at most `limit` of them.
    pub(crate) fn events_by_id(&self, prefix: &str, at: u64, limit: usize) -> Result<Vec<u64>, Error> {
        let key = keys::event(prefix);
        let guards = self.index.prefix(&key);
        self.take(guards, limit, |_, value| Ok(Some(number(value, 0)?).filter(|position| *position <= at)))
    }

    /// Items of an iterator that `pick` takes, at most `limit`.
    fn take<T>(
        &self,
        guards: impl Iterator<Item = Guard>,
        limit: usize,
        mut pick: impl FnMut(&[u8], &[u8]) -> Result<Option<T>, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut found = Vec::new();
        for guard in guards {
            if found.len() == limit {
                break;
            }
            let (key, value) = guard.into_inner()?;
            found.extend(pick(&key, &value)?);
        }
        Ok(found)
    }

    /// Entries of a list as of `at`, newest first, those before `before` only.
    pub(crate) fn list(
        &self,
        list: List,
        at: u64,
        before: Option<u64>,
    ) -> impl Iterator<Item = Result<(u64, String), Error>> + use<> {
        let end = before.map_or(at, |before| at.min(before.saturating_sub(1)));
        self.index.range(keys::list(list, 0)..=keys::list(list, end)).rev().map(|guard| {
            let (key, value) = guard.into_inner()?;
            Ok((number(&key, 0)?, text(Some(&value))?))
        })
    }

    /// Whether the event at a position is one that says why an alert is where it is.
    pub(crate) fn tells_grouping(&self, position: u64) -> Result<bool, Error> {
        let noted = |kind| self.packed(PackedIndex::Type, kind, position, position).next().transpose();
        Ok(noted("incident.opened")?.is_some()
            || noted("incident.alert_joined")?.is_some_and(|noted| noted.value.as_ref() == GROUPING))
    }

    /// Events from `from` to `to` that have to do with an id, oldest first.
    pub(crate) fn packed(
        &self,
        index: PackedIndex,
        id: &str,
        from: u64,
        to: u64,
    ) -> impl DoubleEndedIterator<Item = Result<Mention, Error>> + use<> {
        let begin = commit::position(commit::seq_of(from.min(to)), 0);
        let entries = self.index.range(keys::packed(index, id, begin)..=keys::packed(index, id, to));
        entries.flat_map(move |guard| mentions(guard, (from, to)).unwrap_or_else(|error| vec![Err(error)]))
    }

    /// Events that have to do with `id`, as of `at`, oldest first, each once.
    pub(crate) fn about(
        &self,
        about: MentionIndex,
        id: &str,
        at: u64,
    ) -> impl DoubleEndedIterator<Item = Result<Mention, Error>> + use<> {
        self.about_between(about, id, (0, at), at)
    }

    /// The same, those from `from` to `to` only.
    pub(crate) fn about_from(
        &self,
        about: MentionIndex,
        id: &str,
        from: u64,
        to: u64,
    ) -> impl DoubleEndedIterator<Item = Result<Mention, Error>> + use<> {
        self.about_between(about, id, (from, to), to)
    }

    /// Events that have to do with `id`, those from `from` to `to` only, as of `at`: what stands early may have become
    /// known late.
    pub(crate) fn about_between(
        &self,
        about: MentionIndex,
        id: &str,
        (from, to): (u64, u64),
        at: u64,
    ) -> impl DoubleEndedIterator<Item = Result<Mention, Error>> + use<> {
        let length = keys::about_prefix(about, id).len() + 16;
        let range = keys::about(about, id, from.min(to), 0)..=keys::about(about, id, to, u64::MAX);
        self.index.range(range).filter_map(move |guard| {
            let (key, value) = match guard.into_inner() {
                Ok(pair) => pair,
                Err(error) => return Some(Err(error.into())),
            };
            let (Some(position), Some(known)) = (keys::tail_before(&key, 8), keys::tail(&key)) else {
                return Some(Err(Error::Form { expected: "two positions" }));
            };
            (key.len() == length && known <= at).then_some(Ok(Mention { position, value }))
        })
    }

    /// Ids that begin with `prefix` among those that `about` knows: the values noted beside them.
    pub(crate) fn noted(&self, about: MentionIndex, prefix: &str, at: u64, limit: usize) -> Result<Vec<String>, Error> {
        let mut key = keys::about_prefix(about, prefix);
        key.pop();
        let guards = self.index.prefix(&key);
        self.take(guards, limit, |key, value| Ok((number(key, 0)? <= at).then_some(text(Some(value))?)))
    }

    /// The last position of the last commit that was known at `time` (in nanoseconds).
    pub(crate) fn known_at(&self, time: i64) -> Result<Option<u64>, Error> {
        let range = keys::commit(i64::MIN, 0)..=keys::commit(time, u64::MAX);
        let Some(guard) = self.index.range(range).next_back() else {
            return Ok(None);
        };
        Ok(Some(number(&guard.value()?, 0)?))
    }

    /// (position, environment) of changes that happened in `from..=to` (in nanoseconds) as of `at`, newest first.
    pub(crate) fn changes(&self, from: i64, to: i64, at: u64, limit: usize) -> Result<Vec<(u64, String)>, Error> {
        self.dated(keys::change, (from, to), at, limit)
    }

    /// (position, environment) of findings that began in `from..=to` (in nanoseconds) as of `at`, newest first.
    pub(crate) fn findings(&self, from: i64, to: i64, at: u64, limit: usize) -> Result<Vec<(u64, String)>, Error> {
        self.dated(keys::finding, (from, to), at, limit)
    }

    fn dated(
        &self,
        key: impl Fn(i64, u64) -> Vec<u8>,
        (from, to): (i64, i64),
        at: u64,
        limit: usize,
    ) -> Result<Vec<(u64, String)>, Error> {
        if from > to {
            return Ok(Vec::new());
        }
        let guards = self.index.range(key(from, 0)..=key(to, u64::MAX)).rev();
        self.take(guards, limit, |key, value| {
            let position = number(key, 0)?;
            Ok((position <= at).then_some((position, text(Some(value))?)))
        })
    }

    /// When the last commit up to `seq` that holds events was recorded (in nanoseconds); `None` before the first one.
    pub(crate) fn recorded_at(&self, seq: u64) -> Result<Option<i64>, Error> {
        let Some(guard) = self.index.range(keys::recorded(0)..=keys::recorded(seq)).next_back() else {
            return Ok(None);
        };
        Ok(Some(number(&guard.value()?, 0)?.cast_signed()))
    }
}

impl Document {
    /// The partition that stands before the JSON, and the JSON.
    pub(crate) fn parts(&self) -> Result<(&str, &[u8]), Error> {
        let form = || Error::Form { expected: "a partition before a document" };
        let border = self.value.iter().position(|byte| *byte == 0).ok_or_else(form)?;
        let (partition, rest) = self.value.split_at_checked(border).ok_or_else(form)?;
        let partition = std::str::from_utf8(partition).map_err(|_| form())?;
        Ok((partition, rest.get(1..).ok_or_else(form)?))
    }

    /// The document's fold and its partition.
    pub(crate) fn read<T: DeserializeOwned>(&self, expected: &'static str) -> Result<(String, T), Error> {
        let (partition, json) = self.parts()?;
        let value = serde_json::from_slice(json).map_err(|source| Error::Json { expected, source })?;
        Ok((partition.to_owned(), value))
    }
}

/// The events that an entry names, those from `from` to `to` only.
fn mentions(guard: Guard, (from, to): (u64, u64)) -> Result<Vec<Result<Mention, Error>>, Error> {
    let (key, value) = guard.into_inner()?;
    let seq = commit::seq_of(number(&key, 0)?);
    let place = |(index, note)| (commit::position(seq, usize::from(index)), note);
    let within = notes::unpacked(&value)?.into_iter().map(place).filter(|(at, _)| (from..=to).contains(at));
    Ok(within.map(|(position, note)| Ok(Mention { position, value: note.into() })).collect())
}

/// The kind and the id that stand before a document's position.
fn id_of(key: &[u8]) -> &[u8] {
    key.get(..key.len().saturating_sub(9)).unwrap_or_default()
}

fn number(bytes: &[u8], skip: usize) -> Result<u64, Error> {
    keys::tail_before(bytes, skip).ok_or(Error::Form { expected: "a position" })
}

fn text(bytes: Option<&[u8]>) -> Result<String, Error> {
    let form = || Error::Form { expected: "an id" };
    Ok(std::str::from_utf8(bytes.ok_or_else(form)?).map_err(|_| form())?.to_owned())
}
