//! The shadow: a version that is not in force decides beside the one that is, and what it would have done is
//! written down as facts that nobody decides on. Owns when it runs, its lanes, and that it says nothing twice;
//! refuses to page, to open or to move anything.
//!
//! [`watch`] hears from the control lane which version runs and from which position on. [`ShadowService`] reads the
//! intake from there, which may lie in the past, and goes on with what comes. It keeps nothing of its own: after
//! a crash it decides again from the beginning of its run, and leaves out what its own facts already say.

mod beside;
mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hindcast_domain::Partition;
use hindcast_domain::event::{Event, SYSTEM};
use hindcast_domain::lane::Decider;
use hindcast_domain::model::PAIR_SCORER;
use hindcast_domain::model::Placed;
use hindcast_eventlog::feed::OrderedFeed;
use hindcast_eventlog::keep;
use hindcast_facts::{NewFact, SubmitError};
use hindcast_ledger::{ReadError, Record, Shared, commit};
use tokio::sync::watch::Receiver;

use crate::Options;
use crate::history::{self, Range, ReadingEnd};
use beside::{Beside, Make};
use watch::ShadowSession;

/// The lease of whoever runs shadows.
const LEASE: &str = "shadow";
/// Facts of one request to the writer.
const BATCH_MAX: usize = 500;
/// The pause after a request: what comes meanwhile shares the next one, so that intake keeps its syncs.
const BREATH: Duration = Duration::from_millis(200);
/// The pause after a failure, before everything is read anew.
const PAUSE: Duration = Duration::from_secs(2);

/// The shadow of a tenant's model.
pub struct ShadowService<D: Decider> {
    options: Options,
    make: Make<D>,
    tenant: String,
}

/// What a run's facts in the ledger tell of: how many of them, by the position of the input. Under a backlog inputs
/// are decided out of the order of their positions, so the newest position alone would not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct ShadowProgress(BTreeMap<u64, usize>);

enum ShadowStep {
    /// Another run is wished for, or none.
    Changed,
    /// The writer did not take what was to be written; whether it did is read again.
    Unwritten(SubmitError),
}

impl<D: Decider> ShadowService<D> {
    /// A shadow that does nothing until it is run; `make` gives the decider that serves, anew for each lane.
    pub fn new(options: Options, make: impl Fn() -> D + Send + Sync + 'static) -> Self {
        Self { options, make: Arc::new(make), tenant: Partition::TENANT.to_owned() }
    }

    /// Runs until `shutdown`.
    ///
    /// # Errors
    /// When the ledger is damaged or holds what this binary does not know.
    pub async fn run(self, mut shutdown: Receiver<bool>) -> Result<(), ReadingEnd> {
        let (wish, wished) = tokio::sync::watch::channel(None);
        let over = async {
            while !*shutdown.borrow() {
                if shutdown.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = over => Ok(()),
            ended = watch::watch(Shared::clone(&self.options.ledger), &self.tenant, &wish) => Ok(ended?),
            ended = self.while_ours(&wished) => ended,
        }
    }

    /// Of several processes one runs shadows: two would say everything twice.
    async fn while_ours(&self, wished: &Receiver<Option<ShadowSession>>) -> Result<(), ReadingEnd> {
        let ledger = Shared::clone(&self.options.ledger);
        let mut lease = keep::keep(ledger, format!("{LEASE}/{}", self.tenant), self.options.holder.clone());
        loop {
            if lease.wait_for(|hold| hold.is_ours()).await.is_err() {
                return Ok(());
            }
            tokio::select! {
                ended = self.follow(wished.clone()) => return ended,
                lost = lease.wait_for(|hold| !hold.is_ours()) => if lost.is_err() {
                    return Ok(());
                },
            }
        }
    }

    /// Runs what is wished for, one run after the other.
    async fn follow(&self, mut wished: Receiver<Option<ShadowSession>>) -> Result<(), ReadingEnd> {
        loop {
            let session = wished.borrow_and_update().clone();
            let Some(session) = session else {
                if wished.changed().await.is_err() {
                    return Ok(());
                }
                continue;
            };
            tracing::info!(version = session.version(), from = session.from, "a version runs as a shadow");
            let turn = match self.beside(&session, &mut wished).await {
                Err(ReadingEnd::Read(ReadError::Unavailable(error))) => {
                    tracing::warn!(%error, "the ledger cannot be read; the shadow begins anew");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
                turn => turn?,
            };
            match turn {
                ShadowStep::Changed => tracing::info!(version = session.version(), "a shadow has ended"),
                ShadowStep::Unwritten(error) => {
                    tracing::warn!(%error, "what a shadow would have done was not written; trying again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn beside(
        &self,
        session: &ShadowSession,
        wished: &mut Receiver<Option<ShadowSession>>,
    ) -> Result<ShadowStep, ReadingEnd> {
        let mut told = self.told(session).await?;
        let mut beside = Beside::new(Arc::clone(&self.make), session, &self.tenant);
        let mut feed = OrderedFeed::start(Shared::clone(&self.options.ledger), 1);
        loop {
            let records = tokio::select! {
                biased;
                _ = wished.changed() => return Ok(ShadowStep::Changed),
                records = feed.next() => records?,
            };
            let mut waiting: BTreeMap<Partition, Vec<Placed>> = BTreeMap::new();
            for record in records {
                if wished.has_changed().unwrap_or(true) {
                    return Ok(ShadowStep::Changed);
                }
                if !beside.wants(&record) {
                    continue;
                }
                let partition = record.subject.partition().clone();
                let placed;
                (beside, placed) = decided(beside, record).await?;
                for (of, placed) in placed {
                    waiting.entry(of).or_default().push(placed);
                }
                if waiting.get(&partition).is_some_and(|waiting| waiting.len() >= BATCH_MAX)
                    && let Some(turn) = self.tell(session, &mut told, &mut waiting).await
                {
                    return Ok(turn);
                }
            }
            if let Some(turn) = self.tell(session, &mut told, &mut waiting).await {
                return Ok(turn);
            }
        }
    }

    /// What this version's facts already say, by partition.
    async fn told(&self, session: &ShadowSession) -> Result<BTreeMap<Partition, ShadowProgress>, ReadingEnd> {
        let last = self.options.ledger.head().await?;
        let first = commit::seq_of(session.registered_at).max(1);
        let ledger = Shared::clone(&self.options.ledger);
        let range = Range { ledger, first, last, step: "reading what the shadow said".to_owned(), listener: None };
        let (tenant, subject) = (self.tenant.clone(), session.subject());
        let wants = move |of: &hindcast_ledger::Subject, _| of.slot().is_some() && of.partition().tenant == tenant;
        let take = move |told: &mut BTreeMap<Partition, ShadowProgress>, record: &Record| -> Result<(), ReadError> {
            for recorded in history::events(record, |kind| kind == "shadow.placed")? {
                let Event::ShadowPlaced(placed) = &recorded.event else { continue };
                if recorded.subject == subject {
                    told.entry(recorded.partition.clone()).or_default().note(placed.at);
                }
            }
            Ok(())
        };
        range.fold(wants, BTreeMap::new(), take).await
    }

    /// Writes what is not written yet.
    async fn tell(
        &self,
        session: &ShadowSession,
        told: &mut BTreeMap<Partition, ShadowProgress>,
        waiting: &mut BTreeMap<Partition, Vec<Placed>>,
    ) -> Option<ShadowStep> {
        for (partition, placed) in std::mem::take(waiting) {
            let untold = match told.get_mut(&partition) {
                Some(already) => already.beyond(placed),
                None => placed,
            };
            let facts: Vec<NewFact> = untold.into_iter().map(|placed| session.fact(placed)).collect();
            for facts in facts.chunks(BATCH_MAX) {
                if let Err(error) = self.options.writer.submit(&partition, facts.to_vec()).await {
                    return Some(ShadowStep::Unwritten(error));
                }
                tokio::time::sleep(BREATH).await;
            }
        }
        None
    }
}

/// Decides about a record away from the tasks of the service.
async fn decided<D: Decider>(
    mut beside: Beside<D>,
    record: Record,
) -> Result<(Beside<D>, Vec<(Partition, Placed)>), ReadingEnd> {
    let work = tokio::task::spawn_blocking(move || {
        let placed = beside.take(&record)?;
        Ok::<_, ReadError>((beside, placed))
    });
    Ok(work.await??)
}

impl ShadowProgress {
    fn note(&mut self, at: u64) {
        *self.0.entry(at).or_default() += 1;
    }

    /// What is not told yet. What one input placed comes in the same order in each run.
    fn beyond(&mut self, placed: Vec<Placed>) -> Vec<Placed> {
        let Self(told) = self;
        let mut untold = |placed: &Placed| match told.get_mut(&placed.at) {
            None | Some(0) => true,
            Some(more) => {
                *more -= 1;
                false
            }
        };
        placed.into_iter().filter(|placed| untold(placed)).collect()
    }
}

impl ShadowSession {
    fn subject(&self) -> String {
        format!("{PAIR_SCORER}/{}", self.version())
    }

    fn fact(&self, placed: Placed) -> NewFact {
        NewFact::new(self.subject(), SYSTEM, placed)
    }
}
