//! A reader of the whole order: in batches from the files, then of what was written lately, waiting for the head to
//! move. The head moves only when a block is durable, so nothing is read that a crash could take back.

use std::sync::Arc;

use async_trait::async_trait;
use hindcast_ledger::{ReadError, RecentReader, Record, Seq, Tail};
use tokio::sync::watch;

use crate::index::{RUN_BYTES_MAX, RUN_RECORDS_MAX};
use crate::shared::{EmbeddedCore, LedgerClosed, blocking};

pub(crate) struct SegmentTail {
    core: Arc<EmbeddedCore>,
    head: watch::Receiver<Seq>,
    next: Seq,
    recent: RecentReader,
}

impl SegmentTail {
    pub(crate) fn new(core: Arc<EmbeddedCore>, from: Seq) -> Self {
        let head = core.head.subscribe();
        let next = from.max(1);
        let recent = core.recent.reader(next);
        Self { core, head, next, recent }
    }
}

#[async_trait]
impl Tail for SegmentTail {
    async fn next(&mut self) -> Result<Vec<Record>, ReadError> {
        let next = self.next;
        let mut closed = self.core.closed.subscribe();
        tokio::select! {
            biased;
            reached = self.head.wait_for(|head| *head >= next) => {
                reached.map_err(|source| ReadError::Unavailable(Box::new(source)))?;
            }
            _ = closed.wait_for(|closed| *closed) => return Err(ReadError::Unavailable(Box::new(LedgerClosed))),
        }
        let mut records = self.recent.take(next, RUN_RECORDS_MAX, RUN_BYTES_MAX as usize);
        if records.is_empty() {
            let core = Arc::clone(&self.core);
            records = blocking(move || {
                let run = core.read().run(next, usize::MAX);
                run.map_or_else(|| Ok(Vec::new()), |run| run.read())
            })
            .await?;
        }
        assert!(!records.is_empty(), "a head that was announced can be read");
        // Only here: a future that is dropped above has moved nothing.
        self.next += records.len() as Seq;
        self.recent.passed(self.next);
        Ok(records)
    }
}
