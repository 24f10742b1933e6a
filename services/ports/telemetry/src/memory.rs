//! Telemetry in memory, for tests and for `hindcast lab`.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use hindcast_domain::Partition;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::{Arrived, Batch, Cursor, Error, Figures, Kept, LogFilter, LogRecord, SampleFilter, Series, Stretch, Telemetry};

/// A store that forgets with its process.
#[derive(Debug)]
pub struct Memory {
    batches: Mutex<Vec<(Partition, Batch)>>,
    pins: Mutex<BTreeMap<String, Bytes>>,
    head: watch::Sender<u64>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { batches: Mutex::default(), pins: Mutex::default(), head: watch::Sender::new(0) }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Telemetry for Memory {
    async fn append(&self, partition: &Partition, batch: Batch) -> Result<(), Error> {
        let mut batches = locked(&self.batches);
        batches.push((partition.clone(), batch));
        self.head.send_replace(batches.len() as u64);
        Ok(())
    }

    async fn logs(&self, partition: &Partition, stretch: Stretch, filter: LogFilter) -> Result<Vec<LogRecord>, Error> {
        let batches = locked(&self.batches);
        let of = batches.iter().filter(|(whose, _)| whose == partition);
        let mut found: Vec<LogRecord> = of
            .flat_map(|(_, batch)| &batch.logs)
            .filter(|record| stretch.holds(record.time) && filter.takes(record))
            .cloned()
            .collect();
        found.sort_by_key(|record| record.time);
        found.truncate(filter.limit);
        Ok(found)
    }

    async fn series(
        &self,
        partition: &Partition,
        stretch: Stretch,
        filter: SampleFilter,
    ) -> Result<Vec<Series>, Error> {
        let batches = locked(&self.batches);
        let of = batches.iter().filter(|(whose, _)| whose == partition).flat_map(|(_, batch)| &batch.samples);
        Ok(Series::gather(of.filter(|sample| stretch.holds(sample.time) && filter.takes(sample))))
    }

    async fn arrived(&self, cursor: Cursor) -> Result<Vec<Arrived>, Error> {
        let mut head = self.head.subscribe();
        loop {
            if *head.borrow_and_update() > cursor.0 {
                let batches = locked(&self.batches);
                let new = (cursor.0..).zip(batches.iter().skip(usize::try_from(cursor.0).unwrap_or(usize::MAX)));
                return Ok(new
                    .map(|(at, (partition, batch))| Arrived {
                        next: Cursor(at + 1),
                        partition: partition.clone(),
                        batch: batch.clone(),
                    })
                    .collect());
            }
            head.changed().await.map_err(|_| Error::Refused("the store is gone".to_owned()))?;
        }
    }

    fn head(&self) -> Cursor {
        Cursor(*self.head.borrow())
    }

    async fn pin(&self, partition: &Partition, stretch: Stretch, bytes_max: u64) -> Result<Kept, Error> {
        let logs = self.logs(partition, stretch, LogFilter { limit: usize::MAX, ..LogFilter::default() }).await?;
        let mut block = Vec::new();
        let mut kept = Kept::default();
        for record in logs {
            let line = serde_json::to_vec(&record).map_err(std::io::Error::other)?;
            if (block.len() + line.len()) as u64 >= bytes_max {
                kept.missing += 1;
                continue;
            }
            block.extend_from_slice(&line);
            block.push(b'\n');
            kept.records += 1;
        }
        let hash: String = Sha256::digest(&block).iter().map(|byte| format!("{byte:02x}")).collect();
        kept.bytes = block.len() as u64;
        locked(&self.pins).insert(hash.clone(), block.into());
        kept.hashes.push(hash);
        Ok(kept)
    }

    async fn pinned(&self, hash: &str) -> Result<Option<Bytes>, Error> {
        Ok(locked(&self.pins).get(hash).cloned())
    }

    fn figures(&self) -> Figures {
        let batches = locked(&self.batches);
        Figures { records: batches.iter().map(|(_, batch)| batch.len() as u64).sum(), ..Figures::default() }
    }
}
