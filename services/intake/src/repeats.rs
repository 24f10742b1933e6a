//! Recognises what senders say again, so that it is gathered and not kept message by message. Owns the index of what is
//! known of alerts that fire, which follows the ledger; refuses to decide: a repeat that turns out to be news is decided
//! as news by its lane.

mod fold;
mod known;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hindcast_domain::lane::names;
use hindcast_eventlog::feed::OrderedFeed;
use hindcast_eventlog::read;
use hindcast_ledger::port::{ReadError, Record, Seq, Shared};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

pub(crate) use fold::{GatheredEvents, LINGER, RequestShare};
use known::KnownAlerts;

/// What is known of alerts that fire, kept up with the ledger.
#[derive(Default)]
pub(crate) struct RepeatIndex {
    known: Arc<Mutex<KnownAlerts>>,
    following: OnceCell<Follower>,
}

/// The task that reads the ledger; it ends with its value.
struct Follower(JoinHandle<()>);

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl RepeatIndex {
    /// Begins to follow the ledger, once; what is written before is not known.
    ///
    /// # Errors
    /// When the ledger cannot be reached; nothing is recognised until it is.
    async fn follow(&self, ledger: &Shared) -> Result<(), ReadError> {
        let begin = || async {
            let next = ledger.head().await? + 1;
            Ok(Follower(tokio::spawn(follow(Arc::clone(&self.known), Shared::clone(ledger), next))))
        };
        self.following.get_or_try_init(begin).await.map(|_| ())
    }

    /// The index, where it is followed.
    pub(crate) async fn ready(&self, ledger: &Shared) -> bool {
        match self.follow(ledger).await {
            Ok(()) => true,
            Err(error) => {
                tracing::debug!(%error, "repeats are not recognised yet");
                false
            }
        }
    }

    /// Reads the ledger no more; called once nothing is appended any longer.
    pub(crate) fn stop(&self) {
        self.following.get().into_iter().for_each(|follower| follower.0.abort());
    }

    /// Whether the ledger is read.
    pub(crate) fn is_followed(&self) -> bool {
        self.following.initialized()
    }

    fn lock(&self) -> MutexGuard<'_, KnownAlerts> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn follow(known: Arc<Mutex<KnownAlerts>>, ledger: Shared, from: Seq) {
    let mut feed = OrderedFeed::start(ledger, from);
    loop {
        let taken = match feed.next().await {
            Ok(records) => records.iter().try_for_each(|record| take(&known, record)),
            Err(error) => Err(error),
        };
        if let Err(error) = taken {
            tracing::error!(%error, "repeats are recognised no more; each is kept as a message of its own");
            *known.lock().unwrap_or_else(PoisonError::into_inner) = KnownAlerts::default();
            return;
        }
    }
}

fn take(known: &Mutex<KnownAlerts>, record: &Record) -> Result<(), ReadError> {
    if !matches!(record.subject.lane_name(), None | Some(names::INCIDENTS)) {
        return Ok(());
    }
    let decoded = read::decoded(record)?;
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    decoded.events.iter().for_each(|event| known.take(event));
    Ok(())
}
