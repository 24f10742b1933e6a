//! The adapter: opens a folder, and hands appends to the committer and reads to the index. It keeps the
//! folder's lock as long as it lives.

use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use async_trait::async_trait;
use bytes::Bytes;
use hindcast_domain::limits::COMMIT_BYTES_MAX;
use hindcast_ledger::heads::{self, HeadsKeeper};
use hindcast_ledger::port::{Lease, LeaseError};
use hindcast_ledger::{AppendError, Durability, Info, Ledger, ReadError, Record, RecordMemo, Seq, Subject, Tail};
use tokio::sync::{mpsc, oneshot, watch};

use crate::committer::{PendingAppend, SegmentCommitter};
use crate::disk::SegmentDisk;
use crate::folder::{LedgerIdentity, Lock, check_id};
use crate::index::RecordIndex;
use crate::options::{OpenError, Options, io};
use crate::scan::{self, Scanned};
use crate::segment::{self, Segment};
use crate::shared::{EmbeddedCore, LedgerClosed, blocking};
use crate::tail::SegmentTail;

/// The committer ended with an append in its hands.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the ledger's committer ended before it answered")]
struct Unanswered;

/// A ledger in segment files of one folder, written by one process.
pub struct EmbeddedLedger {
    info: Info,
    core: Arc<EmbeddedCore>,
    queue: Mutex<Option<mpsc::Sender<PendingAppend>>>,
    engine: Arc<Mutex<Option<Engine>>>,
}

/// What ends with the ledger, in this order.
struct Engine {
    committer: JoinHandle<()>,
    keeper: Arc<HeadsKeeper>,
    lock: Lock,
}

impl EmbeddedLedger {
    /// Opens the ledger in a folder, and makes one where there is none. Reads every segment; blocks.
    ///
    /// # Errors
    /// When another process has the folder, when what lies there is damaged or shorter than it is known to
    /// have been, or when the disk fails. Then nothing was changed.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        if let Some(id) = &options.ledger_id {
            check_id(id)?;
        }
        let folder = options.folder();
        std::fs::create_dir_all(&folder).map_err(io("make", &folder))?;
        let lock = Lock::take(&folder)?;
        let identity = identify(&folder, &options)?;
        let scanned = scan::scan(&folder, identity.mark)?;
        let known = check_head(&options, &identity, &scanned.index)?;
        let (segment, offset) = ready(&folder, &scanned, &options)?;
        let mut index = scanned.index;
        if scanned.last.is_none() {
            index.add_segment(Arc::clone(&segment));
        }
        let head = index.head();
        let keeper = Arc::new(HeadsKeeper::start(&options.heads(), &identity.ledger_id, known)?);
        let core = Arc::new(EmbeddedCore {
            recent: Arc::default(),
            index: RwLock::new(index),
            head: watch::Sender::new(head),
            closed: watch::Sender::new(false),
        });
        let committer = SegmentCommitter {
            core: Arc::clone(&core),
            disk: options.faults.clone().map_or(SegmentDisk::Real, SegmentDisk::Faulty),
            keeper: Arc::clone(&keeper),
            figures: options.figures.clone(),
            folder: folder.clone(),
            mark: identity.mark,
            segment,
            offset,
            segment_bytes: options.first_segment_bytes..=options.segment_bytes,
            prepared: None,
        };
        let (queue, waiting) = mpsc::channel(options.queue_max.max(1));
        let committer = std::thread::Builder::new()
            .name("ledger-commit".to_owned())
            .spawn(move || committer.run(waiting))
            .map_err(io("start a thread for", &folder))?;
        let info =
            Info { ledger_id: identity.ledger_id, kind: "embedded", durability: Durability::Synced, shared: false };
        let engine = Arc::new(Mutex::new(Some(Engine { committer, keeper, lock })));
        Ok(Self { info, core, queue: Mutex::new(Some(queue)), engine })
    }

    /// Says in the folder where this process listens, so that a second one can name it.
    ///
    /// # Errors
    /// When the lock file cannot be written.
    pub fn announce(&self, address: &str) -> Result<(), OpenError> {
        match guard(&self.engine).as_mut() {
            Some(engine) => engine.lock.announce(address),
            None => Ok(()),
        }
    }

    /// How many segment files there are, and their bytes.
    #[must_use]
    pub fn extent(&self) -> (usize, u64) {
        self.core.read().extent()
    }

    /// Makes durable what was taken, writes the known head, and gives the folder back. What is appended
    /// afterwards is refused, and who reads is told so.
    pub async fn close(&self) {
        guard(&self.queue).take();
        let engine = Arc::clone(&self.engine);
        if tokio::task::spawn_blocking(move || stop(&engine)).await.is_err() {
            tracing::error!("closing the ledger panicked");
        }
        self.core.closed.send_replace(true);
    }

    /// Whether the folder can be written to now; for tests of a crash.
    #[doc(hidden)]
    #[must_use]
    pub fn is_alive(&self) -> bool {
        guard(&self.engine).as_ref().is_some_and(|engine| !engine.committer.is_finished())
    }

    async fn read_at(&self, seq: Option<Seq>) -> Result<Option<Record>, ReadError> {
        let Some(run) = seq.and_then(|seq| self.core.read().run(seq, 1)) else {
            return Ok(None);
        };
        Ok(blocking(move || run.read()).await?.pop())
    }
}

impl Drop for EmbeddedLedger {
    fn drop(&mut self) {
        guard(&self.queue).take();
        stop(&self.engine);
        self.core.closed.send_replace(true);
    }
}

fn guard<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn stop(engine: &Mutex<Option<Engine>>) {
    let Some(engine) = guard(engine).take() else {
        return;
    };
    if engine.committer.join().is_err() {
        tracing::error!("the ledger's committer panicked");
    }
    engine.keeper.stop();
    drop(engine.lock);
}

fn identify(folder: &Path, options: &Options) -> Result<LedgerIdentity, OpenError> {
    match LedgerIdentity::read(folder)? {
        Some(identity) => match &options.ledger_id {
            Some(expected) if *expected != identity.ledger_id => {
                Err(OpenError::OtherLedger { expected: expected.clone(), got: identity.ledger_id })
            }
            _ => Ok(identity),
        },
        None if !segment::list(folder).map_err(io("list", folder))?.is_empty() => {
            Err(OpenError::IdentityMissing(folder.join("ledger.json")))
        }
        None => {
            // A folder that once held a ledger and holds none now is a loss, not a beginning.
            if let Some(known) = heads::read(&options.heads())? {
                heads::check(&known, &known.ledger_id, 0, None)?;
            }
            LedgerIdentity::create(folder, options)
        }
    }
}

/// Compares what was found with the known head, and answers how far that is.
fn check_head(options: &Options, identity: &LedgerIdentity, index: &RecordIndex) -> Result<Seq, OpenError> {
    let Some(known) = heads::read(&options.heads())? else {
        return Ok(0);
    };
    let at = match index.run(known.seq, 1).map(|run| run.read()) {
        Some(Ok(mut records)) => records.pop(),
        _ => None,
    };
    heads::check(&known, &identity.ledger_id, index.head(), at.as_ref())?;
    Ok(known.seq)
}

/// Cuts a torn tail, makes a first segment where there is none, and answers where the next block goes.
fn ready(folder: &Path, scanned: &Scanned, options: &Options) -> Result<(Arc<Segment>, u32), OpenError> {
    segment::discard_prepared(folder).map_err(io("clear", folder))?;
    let Some(segment) = &scanned.last else {
        let first = segment::create(folder, 1, options.first_segment_bytes).map_err(io("allocate in", folder))?;
        return Ok((Arc::new(first), 0));
    };
    if scanned.torn > 0 {
        tracing::warn!(
            segment = %segment.path.display(), offset = scanned.offset, bytes = scanned.torn,
            "a crash left an unfinished block, which was never acknowledged; it is cut"
        );
        let zeroes = vec![0; scanned.torn as usize];
        segment
            .file
            .write_all_at(&zeroes, u64::from(scanned.offset))
            .and_then(|()| segment.file.sync_all())
            .map_err(io("cut", &segment.path))?;
    }
    Ok((Arc::clone(segment), scanned.offset))
}

#[async_trait]
impl Ledger for EmbeddedLedger {
    fn info(&self) -> &Info {
        &self.info
    }

    async fn append(&self, subject: &Subject, expected: Seq, payload: Bytes) -> Result<Seq, AppendError> {
        self.append_from(subject, expected, payload, RecordMemo::default()).await
    }

    async fn append_from(
        &self,
        subject: &Subject,
        expected: Seq,
        payload: Bytes,
        memo: RecordMemo,
    ) -> Result<Seq, AppendError> {
        if payload.len() > COMMIT_BYTES_MAX {
            return Err(AppendError::TooLarge { max: COMMIT_BYTES_MAX, got: payload.len() });
        }
        let closed = || AppendError::Refused(LedgerClosed.to_string());
        let queue = guard(&self.queue).clone().ok_or_else(closed)?;
        let (answer, answered) = oneshot::channel();
        let request = PendingAppend { subject: subject.clone(), expected, payload, memo, answer };
        queue.send(request).await.map_err(|_| closed())?;
        drop(queue);
        match answered.await {
            Ok(verdict) => verdict,
            Err(_) => Err(AppendError::Unknown { subject: subject.clone(), source: Box::new(Unanswered) }),
        }
    }

    async fn first_after(&self, subject: &Subject, after: Seq) -> Result<Option<Record>, ReadError> {
        let seq = self.core.read().first_after(subject, after);
        self.read_at(seq).await
    }

    async fn last(&self, subject: &Subject) -> Result<Option<Record>, ReadError> {
        let seq = self.core.read().last(subject);
        self.read_at(Some(seq)).await
    }

    async fn get(&self, seq: Seq) -> Result<Option<Record>, ReadError> {
        self.read_at(Some(seq)).await
    }

    async fn head(&self) -> Result<Seq, ReadError> {
        Ok(*self.core.head.borrow())
    }

    async fn subjects(&self) -> Result<Vec<(Subject, Seq)>, ReadError> {
        Ok(self.core.read().subjects())
    }

    fn tail(&self, from: Seq) -> Box<dyn Tail> {
        Box::new(SegmentTail::new(Arc::clone(&self.core), from))
    }

    async fn lease(&self, _name: &str, _holder: &str) -> Result<Box<dyn Lease>, LeaseError> {
        Ok(Box::new(FolderLock))
    }
}

/// The folder's lock is the lease of everything in it.
struct FolderLock;

#[async_trait]
impl Lease for FolderLock {
    async fn renew(&self) -> bool {
        true
    }

    async fn release(&self) {}
}
