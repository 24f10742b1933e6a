//! A tail in a task of its own: whoever reads may wait for other things beside it, and never cuts short a
//! look that the tail's watchdog has begun. An outage is waited for here; only damage is handed on.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use hindcast_ledger::port::{ReadError, Record, Seq, Shared};

/// Batches that are read ahead.
const AHEAD: usize = 2;
/// The pause after a failed read, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));

/// The order from some place on. Ends with its value.
#[derive(Debug)]
pub struct OrderedFeed {
    batches: mpsc::Receiver<Result<Vec<Record>, ReadError>>,
    task: JoinHandle<()>,
}

impl OrderedFeed {
    /// Reads from `from` (1 for the beginning) on.
    #[must_use]
    pub fn start(ledger: Shared, from: Seq) -> Self {
        let (sender, batches) = mpsc::channel(AHEAD);
        Self { batches, task: tokio::spawn(read(ledger, from, sender)) }
    }

    /// The next records, at least one; waits for one. Dropping the future loses nothing.
    ///
    /// # Errors
    /// When the ledger is damaged; there is nothing after that.
    pub async fn next(&mut self) -> Result<Vec<Record>, ReadError> {
        match self.batches.recv().await {
            Some(batch) => batch,
            None => Err(ReadError::Unavailable("the reader of the ledger has ended".into())),
        }
    }

    /// The next records where some were read already.
    pub fn ready(&mut self) -> Option<Result<Vec<Record>, ReadError>> {
        self.batches.try_recv().ok()
    }
}

impl Drop for OrderedFeed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(ledger: Shared, from: Seq, batches: mpsc::Sender<Result<Vec<Record>, ReadError>>) {
    let mut next = from;
    let mut tail = ledger.tail(next);
    let mut pause = PAUSE.0;
    loop {
        let batch = tail.next().await;
        match &batch {
            Ok(records) => {
                pause = PAUSE.0;
                next = records.last().map_or(next, |record| record.seq + 1);
            }
            Err(ReadError::Unavailable(error)) => {
                tracing::warn!(%error, "the ledger cannot be read; trying again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE.1);
                tail = ledger.tail(next);
                continue;
            }
            Err(ReadError::Damaged { .. }) => {}
        }
        let over = batch.is_err();
        if batches.send(batch).await.is_err() || over {
            return;
        }
    }
}
