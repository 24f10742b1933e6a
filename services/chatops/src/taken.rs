//! What was taken in lately: a delivery that comes again is known by its chat id. Owns a bounded memory that the
//! doors write at once and that the reader of the ledger fills after a restart; the lanes hold the same by
//! idempotency keys and by ids, so that nothing depends on this alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use hindcast_domain::ChatId;
use tokio::sync::{Mutex as AsyncMutex, watch};

/// Chat ids that are remembered.
const KEPT_MAX: usize = 16_384;

/// The memory of this process. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct TakenDeliveries {
    inner: Arc<Mutex<Inner>>,
    complete: Arc<watch::Sender<bool>>,
}

#[derive(Default)]
struct Inner {
    entries: BTreeMap<ChatId, TakenEntry>,
    /// Those that stand in the ledger, as its reader says.
    known: BTreeSet<ChatId>,
    in_order: VecDeque<ChatId>,
}

/// One delivery: whoever holds it takes it in; `true` once that is durable.
pub(crate) type TakenEntry = Arc<AsyncMutex<bool>>;

impl Default for TakenDeliveries {
    fn default() -> Self {
        Self { inner: Arc::default(), complete: Arc::new(watch::Sender::new(false)) }
    }
}

impl core::fmt::Debug for TakenDeliveries {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Taken")
    }
}

impl TakenDeliveries {
    /// The entry of a delivery. The same one for whoever brings it again, also while the first is under way.
    pub(crate) fn entry(&self, id: &ChatId) -> TakenEntry {
        self.with(|inner| inner.entry(id))
    }

    /// It stands in the ledger.
    pub(crate) fn remember(&self, id: &ChatId) {
        self.with(|inner| {
            inner.entry(id);
            inner.known.insert(id.clone());
        });
    }

    /// Whether it stands in the ledger, as far as that was read.
    pub(crate) fn knows(&self, id: &ChatId) -> bool {
        self.with(|inner| inner.known.contains(id))
    }

    /// All that stood in the ledger when this began was read.
    pub(crate) fn is_complete(&self) {
        self.complete.send_if_modified(|complete| !std::mem::replace(complete, true));
    }

    /// Waits until the ledger was read. Whoever has no time gives up the future.
    pub(crate) async fn completed(&self) {
        let mut complete = self.complete.subscribe();
        if complete.wait_for(|complete| *complete).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inner {
    fn entry(&mut self, id: &ChatId) -> TakenEntry {
        if let Some(entry) = self.entries.get(id) {
            return Arc::clone(entry);
        }
        if self.in_order.len() == KEPT_MAX
            && let Some(oldest) = self.in_order.pop_front()
        {
            self.entries.remove(&oldest);
            self.known.remove(&oldest);
        }
        let entry = TakenEntry::default();
        self.in_order.push_back(id.clone());
        self.entries.insert(id.clone(), Arc::clone(&entry));
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_taken_is_known_and_the_memory_is_bounded() {
        let taken = TakenDeliveries::default();
        let id = |n: usize| ChatId::derive(&[&n.to_be_bytes()]);
        taken.remember(&id(0));
        *taken.entry(&id(1)).lock().await = true;
        assert!(taken.knows(&id(0)) && !taken.knows(&id(1)));
        assert!(*taken.entry(&id(1)).lock().await, "whoever took it says so");
        (2..KEPT_MAX + 2).for_each(|n| taken.remember(&id(n)));
        assert!(!taken.knows(&id(0)), "the oldest was let go");
        assert!(taken.with(|inner| inner.entries.len().max(inner.known.len())) <= KEPT_MAX);
    }
}
