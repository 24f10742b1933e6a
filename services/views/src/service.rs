//! The service: opens the store, finds its place again, follows the ledger. Refuses to know what an event
//! does and how a question is answered.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hindcast_clock as clock;
use hindcast_domain::canonical::FOLD_VERSION;
use hindcast_domain::{Span, Time};
use hindcast_ledger::progress::ServiceReport;
use hindcast_ledger::{Hash, LedgerProgress, ReadError, Record, Shared, commit};
use tokio::sync::{mpsc, oneshot, watch};

use crate::error::Error;
use crate::limits::SYNC_EVERY_SECS;
use crate::project::Projector;
use crate::project::hash::StateNow;
use crate::project::live::Live;
use crate::project::repeats::SharedRepeats;
use crate::read::ReadContext;
use crate::store::event::LedgerEvents;
use crate::store::{LAYOUT, Store, ViewCheckpoint};

/// The name under which the views report how far they are.
pub const NAME: &str = "views";
/// The pause after a failed read, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));
/// Reads of a ledger that cannot be reached, before the views give up opening.
const ATTEMPTS_MAX: u32 = 60;
/// Looks at the state of now that wait.
const ASKS_MAX: usize = 64;
/// Records that are projected before the next such look.
const RECORDS_AT_ONCE: usize = 16;
/// How often what is over is looked for.
const FORGETS_EVERY: Span = Span::minutes(1);
/// Commits between two lines about a long way to go.
const TELL_EVERY: u64 = 20_000;

/// What the views need.
#[derive(Clone)]
pub struct Options {
    /// Where they lie; may be deleted while nobody has it open.
    pub folder: PathBuf,
    /// The ledger that the views are built from.
    pub ledger: Shared,
    /// The clock; asked whether a timer is due, and what is over for long.
    pub clock: clock::Shared,
    /// How long something was over before it leaves memory and is read from the store; `None` for never.
    pub over_kept: Option<Span>,
    /// What live services say of how far they are.
    pub progress: LedgerProgress,
    /// What stands before the path of a link; empty for links relative to this server.
    pub public_url: String,
    /// Where the guarantee is broken on purpose.
    pub fail: FailPoint,
}

/// Where the guarantee may be broken on purpose, so that its test can be seen to turn red.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailPoint {
    /// Nowhere.
    #[default]
    None,
    /// Answers as of a position show what is later too.
    ShowLater,
}

/// ProgressFigures for the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProgressFigures {
    /// The position that was reached.
    pub position: u64,
    /// Events that were projected.
    pub events: u64,
    /// Those of a type that this binary does not know: an alarm.
    pub unknown: u64,
    /// Receipts of firing alerts that nothing accounts for: a defect.
    pub unaccounted: u64,
}

/// The views. Cheap to clone.
#[derive(Clone)]
pub struct Views {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) options: Options,
    pub(crate) store: Store,
    pub(crate) events: LedgerEvents,
    pub(crate) live: Arc<Mutex<Live>>,
    /// Repeats that were counted lately.
    pub(crate) repeats: SharedRepeats,
    /// Where whoever projects is asked for the state of now; nowhere while nobody does.
    pub(crate) asks: Mutex<Option<StateAsks>>,
    pub(crate) position: watch::Sender<u64>,
    pub(crate) unaccounted: AtomicU64,
    ready: AtomicBool,
    head_at_start: u64,
    pub(crate) projector: Mutex<Option<Projector>>,
}

/// Asks for the state of now.
type StateAsks = mpsc::Sender<oneshot::Sender<StateNow>>;

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Views {
    /// Opens the views, or makes them. What does not fit the ledger or this binary's folds is dropped and
    /// built anew by [`Views::run`].
    ///
    /// # Errors
    /// When the store or the ledger fails.
    pub async fn open(options: Options) -> Result<Self, Error> {
        let head_at_start = patiently(|| options.ledger.head()).await?;
        let folder = options.folder.clone();
        let mut store = tokio::task::spawn_blocking(move || Store::open(&folder)).await??;
        let checkpoint = store.checkpoint()?;
        let fits = match &checkpoint {
            Some(checkpoint) => fits(&options, checkpoint).await?,
            None => false,
        };
        let ledger_id = options.ledger.info().ledger_id.clone();
        let events = LedgerEvents::new(Shared::clone(&options.ledger), tokio::runtime::Handle::current());
        let projector = match checkpoint.filter(|_| fits) {
            Some(checkpoint) => {
                let (store, events) = (store.clone(), events.clone());
                tokio::task::spawn_blocking(move || Projector::load(store, &events, checkpoint)).await??
            }
            None => {
                tracing::info!(head = head_at_start, "the views are built from the beginning of the ledger");
                drop(store);
                Self::forget(&options.folder)?;
                let folder = options.folder.clone();
                store = tokio::task::spawn_blocking(move || Store::open(&folder)).await??;
                Projector::fresh(store.clone(), &ledger_id)
            }
        };
        let (live, repeats) = (projector.live(), projector.recent_repeats());
        let (position, seq) = (lock(&live).position, projector.seq());
        options.progress.report(NAME, ServiceReport { through: seq, due: None, appending: 0 });
        Ok(Self {
            inner: Arc::new(Inner {
                options,
                store,
                events,
                live,
                repeats,
                asks: Mutex::default(),
                position: watch::Sender::new(position),
                unaccounted: AtomicU64::new(0),
                ready: AtomicBool::new(seq >= head_at_start),
                head_at_start,
                projector: Mutex::new(Some(projector)),
            }),
        })
    }

    /// Deletes views that nobody has open; the next [`Views::open`] builds them anew.
    ///
    /// # Errors
    /// When the folder cannot be removed.
    pub fn forget(folder: &Path) -> Result<(), Error> {
        match std::fs::remove_dir_all(folder) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::Folder { path: folder.to_owned(), source })
            }
            _ => Ok(()),
        }
    }

    /// Follows the ledger until `shutdown` is true.
    ///
    /// # Errors
    /// When the ledger is damaged or the store fails; what was written by then stays true and readable.
    pub async fn run(&self, mut shutdown: watch::Receiver<bool>) -> Result<(), Error> {
        let Some(mut projector) = lock(&self.inner.projector).take() else {
            return Ok(());
        };
        let (asks, mut asked) = mpsc::channel(ASKS_MAX);
        *lock(&self.inner.asks) = Some(asks);
        let ledger = &self.inner.options.ledger;
        let mut tail = ledger.tail(projector.seq() + 1);
        let mut sync = tokio::time::interval(Duration::from_secs(SYNC_EVERY_SECS));
        let mut pause = PAUSE.0;
        let mut dirty = false;
        let mut forgets_at = Time::ZERO;
        while !*shutdown.borrow() {
            tokio::select! {
                biased;
                changed = shutdown.changed() => if changed.is_err() { break },
                Some(ask) = asked.recv() => projector = self.answer(projector, ask, &mut asked).await?,
                () = self.inner.options.clock.sleep_until(forgets_at), if self.inner.options.over_kept.is_some() => {
                    forgets_at = self.inner.options.clock.now() + FORGETS_EVERY;
                    projector = self.forget_over(projector).await?;
                }
                _ = sync.tick() => if std::mem::take(&mut dirty) { self.sync().await? },
                records = tail.next() => match records {
                    Ok(records) => {
                        pause = PAUSE.0;
                        dirty = true;
                        let mut records = records.into_iter();
                        while records.len() > 0 {
                            let some = records.by_ref().take(RECORDS_AT_ONCE).collect();
                            projector = self.project(projector, some).await?;
                            if let Ok(ask) = asked.try_recv() {
                                projector = self.answer(projector, ask, &mut asked).await?;
                            }
                        }
                    }
                    Err(error @ ReadError::Damaged { .. }) => return Err(error.into()),
                    Err(error) => {
                        tracing::warn!(%error, "the ledger cannot be read; trying again");
                        tokio::time::sleep(pause).await;
                        pause = (pause * 2).min(PAUSE.1);
                        tail = ledger.tail(projector.seq() + 1);
                    }
                },
            }
        }
        lock(&self.inner.asks).take();
        *lock(&self.inner.projector) = Some(projector);
        self.inner.options.progress.forget(NAME);
        self.sync().await
    }

    async fn forget_over(&self, mut projector: Projector) -> Result<Projector, Error> {
        let (now, kept) = (self.inner.options.clock.now(), self.inner.options.over_kept);
        let work = move || {
            kept.into_iter().for_each(|kept| projector.forget(now, kept));
            projector
        };
        Ok(tokio::task::spawn_blocking(work).await?)
    }

    /// Answers everybody who asks for the state of now.
    async fn answer(
        &self,
        mut projector: Projector,
        first: oneshot::Sender<StateNow>,
        asked: &mut mpsc::Receiver<oneshot::Sender<StateNow>>,
    ) -> Result<Projector, Error> {
        let mut waiting = vec![first];
        while let Ok(another) = asked.try_recv() {
            waiting.push(another);
        }
        let place = self.place();
        let work = move || {
            let now = projector.state_now(|at, all| place.at(at).digests_besides(all))?;
            Ok::<_, Error>((projector, now))
        };
        let (projector, now) = tokio::task::spawn_blocking(work).await??;
        for answer in waiting {
            if answer.send(now.clone()).is_err() {
                tracing::debug!("the caller that asked for the state was dropped before the answer");
            }
        }
        Ok(projector)
    }

    async fn sync(&self) -> Result<(), Error> {
        let store = self.inner.store.clone();
        tokio::task::spawn_blocking(move || store.sync()).await?
    }

    async fn project(&self, mut projector: Projector, records: Vec<Record>) -> Result<Projector, Error> {
        let before = projector.seq();
        let projector = tokio::task::spawn_blocking(move || {
            projector.apply(&records)?;
            Ok::<_, Error>(projector)
        })
        .await??;
        let seq = projector.seq();
        let position = lock(&self.inner.live).position;
        self.inner.position.send_if_modified(|known| {
            let grew = *known != position;
            *known = position;
            grew
        });
        let head = self.inner.head_at_start;
        if seq < head && seq / TELL_EVERY > before / TELL_EVERY {
            tracing::info!(through = seq, head, "the views are being built");
        }
        if seq >= head && !self.inner.ready.swap(true, Ordering::AcqRel) {
            tracing::info!(through = seq, "the views have reached the head as it was at start");
        }
        self.inner.options.progress.report(NAME, ServiceReport { through: seq, due: None, appending: 0 });
        Ok(projector)
    }

    /// ProgressFigures for the metrics.
    #[must_use]
    pub fn figures(&self) -> ProgressFigures {
        let live = lock(&self.inner.live);
        ProgressFigures {
            position: live.position,
            events: live.events,
            unknown: live.unknown,
            unaccounted: self.inner.unaccounted.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn ready(&self) -> bool {
        self.inner.ready.load(Ordering::Acquire)
    }

    /// What readers need, as of now.
    pub(crate) fn place(&self) -> ReadContext {
        ReadContext {
            store: self.inner.store.clone(),
            events: self.inner.events.clone(),
            recent: Arc::clone(&self.inner.repeats),
            public_url: self.inner.options.public_url.trim_end_matches('/').to_owned(),
            reached: lock(&self.inner.live).position,
            show_later: self.inner.options.fail == FailPoint::ShowLater,
        }
    }
}

/// Whether a checkpoint's place is in this ledger, and its folds are this binary's.
async fn fits(options: &Options, checkpoint: &ViewCheckpoint) -> Result<bool, Error> {
    let same = checkpoint.layout == LAYOUT
        && checkpoint.fold_version == FOLD_VERSION
        && checkpoint.ledger_id == options.ledger.info().ledger_id;
    if !same || checkpoint.seq == 0 {
        return Ok(same && checkpoint.hash == Hash::ZERO);
    }
    // A ledger that cannot be reached is no reason to build the views anew.
    let record = patiently(|| options.ledger.get(checkpoint.seq)).await?;
    let there = record.and_then(|record| commit::decode_header(&record.payload).ok()).map(|(_, hash)| hash);
    if there != Some(checkpoint.hash) {
        tracing::warn!(seq = checkpoint.seq, "the views do not fit this ledger and are built anew");
    }
    Ok(there == Some(checkpoint.hash))
}

async fn patiently<T, F>(mut work: impl FnMut() -> F) -> Result<T, ReadError>
where
    F: Future<Output = Result<T, ReadError>>,
{
    let mut pause = PAUSE.0;
    for _ in 0..ATTEMPTS_MAX {
        match work().await {
            Err(ReadError::Unavailable(error)) => {
                tracing::warn!(%error, "the ledger cannot be reached; trying again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE.1);
            }
            done => return done,
        }
    }
    work().await
}
