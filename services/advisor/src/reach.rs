//! How far the memory is. Owns how long a conclusion waits for it; refuses to know how it gets there.
//!
//! The views tell of a position before the memory has taken in what stands there. A conclusion of that position waits
//! for it, within a bound; where that was in vain, the conclusion says how far the memory was, and for a while nobody
//! waits again, so that a memory that is being built does not slow every page down.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// How long a conclusion waits for the memory.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long nobody waits after a wait in vain.
const REST: Duration = Duration::from_secs(5);

/// The memory's own word of how far it is.
pub(crate) struct MemoryReach {
    position: Option<watch::Receiver<u64>>,
    /// Until when nobody waits.
    late: Mutex<Option<Instant>>,
}

impl MemoryReach {
    pub(crate) fn new(position: Option<watch::Receiver<u64>>) -> Self {
        Self { position, late: Mutex::default() }
    }

    /// Waits until everything up to a position is remembered. Where it is not in time: how far the memory is.
    pub(crate) async fn wait_for(&self, position: u64) -> Option<u64> {
        let mut reached = self.position.clone()?;
        let at = *reached.borrow();
        if at >= position {
            return None;
        }
        if self.is_late() {
            return Some(at);
        }
        let waited = tokio::time::timeout(PATIENCE, reached.wait_for(|at| *at >= position)).await;
        let in_time = waited.is_ok_and(|reached| reached.is_ok());
        if in_time {
            return None;
        }
        *self.late.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + REST);
        let at = *reached.borrow();
        (at < position).then_some(at)
    }

    fn is_late(&self) -> bool {
        self.late.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| Instant::now() < until)
    }
}
