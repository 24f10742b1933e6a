//! The shelf of a process's lanes, on the disk: what was over for long, by lane and id, with the place in the ledger as of
//! which it is so. A shelf belongs to the snapshots beside it and is no more truth than they are: one that does not fit
//! is emptied, and the ledger is folded instead.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use hindcast_domain::Partition;
use hindcast_domain::shelf::{Shelf, ShelfError, ShelvedPart};
use hindcast_ledger::port::Seq;

/// Bytes of the shelf that are kept in memory, and of its newest parts.
const CACHE_BYTES: u64 = 1024 * 1024;
const MEMTABLE_BYTES: u64 = 1024 * 1024;
/// Bytes of its journals; the database takes no less.
const JOURNAL_BYTES: u64 = 64 * 1024 * 1024;
/// The key of the newest place that parts were put at.
const NEWEST: &[u8] = b"\0newest";
/// The key of the places of the last two snapshots that count on it: the newer one may not have been written.
const MARKED: &[u8] = b"\0marked";

/// The database of all shelves, opened when the first lane asks for its own.
#[derive(Clone, Default)]
pub(crate) struct ShelfFolder(Arc<Mutex<Option<Database>>>);

impl ShelfFolder {
    /// The shelf of the lanes of one service.
    pub(crate) fn open(&self, folder: &Path, name: &str) -> Result<Arc<LaneShelves>, ShelfError> {
        let mut opened = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let db = match &*opened {
            Some(db) => db.clone(),
            None => {
                let builder = Database::builder(folder.join("shelf")).cache_size(CACHE_BYTES);
                let db = builder.max_journaling_size(JOURNAL_BYTES).worker_threads(1).open().map_err(unread)?;
                opened.insert(db).clone()
            }
        };
        let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES);
        let parts = db.keyspace(name, options).map_err(unread)?;
        let is_empty = parts.first_key_value().is_none();
        Ok(Arc::new(LaneShelves { db, parts, through: AtomicU64::new(0), is_empty: AtomicBool::new(is_empty) }))
    }
}

impl std::fmt::Debug for ShelfFolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ShelfFolder")
    }
}

/// The shelves of one service's lanes.
pub(crate) struct LaneShelves {
    db: Database,
    parts: Keyspace,
    /// The commit up to which the lanes have read.
    through: AtomicU64,
    is_empty: AtomicBool,
}

/// One lane's part of them.
struct LaneShelf {
    shelves: Arc<LaneShelves>,
    partition: String,
}

fn unread(error: impl std::fmt::Display) -> ShelfError {
    ShelfError(error.to_string())
}

impl LaneShelves {
    /// The shelf of one lane.
    pub(crate) fn of(self: &Arc<Self>, partition: &Partition) -> Arc<dyn Shelf> {
        Arc::new(LaneShelf { shelves: Arc::clone(self), partition: partition.to_string() })
    }

    /// The lanes have read up to there: what is put from now on is as of that, and nothing later is given out.
    pub(crate) fn read_through(&self, seq: Seq) {
        self.through.store(seq, Ordering::Release);
    }

    /// Makes durable what a snapshot as of `seq` counts on.
    pub(crate) fn mark(&self, seq: Seq) -> Result<(), ShelfError> {
        let before = self.marks()?.last().copied();
        let marks: Vec<u8> = before.into_iter().chain([seq]).flat_map(u64::to_be_bytes).collect();
        self.parts.insert(MARKED, marks).map_err(unread)?;
        self.db.persist(PersistMode::SyncData).map_err(unread)
    }

    /// Whether a snapshot as of `seq` may count on it.
    pub(crate) fn is_marked(&self, seq: Seq) -> bool {
        self.marks().is_ok_and(|marks| marks.contains(&seq))
    }

    /// Begins as of a snapshot, or anew without one: what was put later is dropped.
    pub(crate) fn begin(&self, snapshot: Option<Seq>) -> Result<(), ShelfError> {
        self.read_through(snapshot.unwrap_or(0));
        match snapshot {
            None => self.parts.clear().map_err(unread)?,
            Some(seq) if self.number(NEWEST)?.is_some_and(|newest| newest > seq) => {
                for guard in self.parts.iter() {
                    let (key, value) = guard.into_inner().map_err(unread)?;
                    if key.first() == Some(&0) {
                        continue;
                    }
                    let mut versions = read(&value)?;
                    let before = versions.len();
                    versions.retain(|(at, _)| *at <= seq);
                    match versions.is_empty() {
                        true => self.parts.remove(key).map_err(unread)?,
                        false if versions.len() < before => {
                            self.parts.insert(key, written(&versions)).map_err(unread)?;
                        }
                        false => {}
                    }
                }
                self.parts.insert(NEWEST, seq.to_be_bytes()).map_err(unread)?;
            }
            Some(_) => {}
        }
        self.is_empty.store(self.number(NEWEST)?.is_none(), Ordering::Release);
        Ok(())
    }

    /// The places of snapshots that may be begun from, oldest first.
    fn marks(&self) -> Result<Vec<Seq>, ShelfError> {
        let value = self.parts.get(MARKED).map_err(unread)?;
        let (marks, _) = value.as_deref().unwrap_or_default().as_chunks::<8>();
        Ok(marks.iter().map(|mark| u64::from_be_bytes(*mark)).collect())
    }

    fn number(&self, key: &[u8]) -> Result<Option<u64>, ShelfError> {
        let value = self.parts.get(key).map_err(unread)?;
        Ok(value.and_then(|value| value.as_ref().try_into().ok()).map(u64::from_be_bytes))
    }
}

/// A part as of a place, and that place.
type PartVersion = (Seq, Vec<u8>);

/// The versions of a part, oldest first.
fn read(mut value: &[u8]) -> Result<Vec<PartVersion>, ShelfError> {
    let form = || ShelfError("expected versions of a part".to_owned());
    let mut versions = Vec::new();
    while !value.is_empty() {
        let (head, rest) = value.split_at_checked(12).ok_or_else(form)?;
        let (seq, length) = head.split_at_checked(8).ok_or_else(form)?;
        let seq = u64::from_be_bytes(seq.try_into().map_err(|_| form())?);
        let length = u32::from_be_bytes(length.try_into().map_err(|_| form())?);
        let length = usize::try_from(length).map_err(|_| form())?;
        let (part, rest) = rest.split_at_checked(length).ok_or_else(form)?;
        versions.push((seq, part.to_vec()));
        value = rest;
    }
    Ok(versions)
}

fn written(versions: &[PartVersion]) -> Vec<u8> {
    let mut value = Vec::new();
    for (seq, part) in versions {
        value.extend_from_slice(&seq.to_be_bytes());
        value.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        value.extend_from_slice(part);
    }
    value
}

impl LaneShelf {
    fn key(&self, id: &str) -> Vec<u8> {
        [self.partition.as_bytes(), &[0], id.as_bytes()].concat()
    }
}

impl Shelf for LaneShelf {
    fn is_empty(&self) -> bool {
        self.shelves.is_empty.load(Ordering::Acquire)
    }

    fn get(&self, id: &str) -> Result<Option<Vec<u8>>, ShelfError> {
        let Some(value) = self.shelves.parts.get(self.key(id)).map_err(unread)? else { return Ok(None) };
        let through = self.shelves.through.load(Ordering::Acquire);
        let versions = read(&value)?;
        Ok(versions.into_iter().rev().find(|(seq, _)| *seq <= through).map(|(_, part)| part))
    }

    fn put(&self, parts: &[ShelvedPart]) -> Result<(), ShelfError> {
        let shelves = &self.shelves;
        let (through, marks) = (shelves.through.load(Ordering::Acquire), shelves.marks()?);
        let marked = marks.first().copied().unwrap_or(0);
        let mut batch = shelves.db.batch();
        for (id, part) in parts {
            let key = self.key(id);
            let known = shelves.parts.get(&key).map_err(unread)?;
            let mut versions = known.map_or_else(|| Ok(Vec::new()), |value| read(&value))?;
            // A start from the last snapshot reads the newest version up to there; those in front of it nobody does.
            let needed = versions.iter().rposition(|(seq, _)| *seq <= marked).unwrap_or(0);
            versions.drain(..needed);
            versions.retain(|(seq, _)| *seq < through);
            versions.push((through, part.clone()));
            batch.insert(&shelves.parts, key, written(&versions));
        }
        batch.insert(&shelves.parts, NEWEST, through.to_be_bytes());
        batch.commit().map_err(unread)?;
        shelves.is_empty.store(false, Ordering::Release);
        Ok(())
    }
}
