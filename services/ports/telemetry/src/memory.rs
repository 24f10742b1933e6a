//! Telemetry in memory, for tests and for `hindcast lab`. It keeps everything: nothing expires here.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use hindcast_domain::{Partition, Time};
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::{
    ArrivalCursor, Arrived, Error, KeptWindow, LogFilter, LogLevel, LogRecord, MetricSeries, SampleFilter, SpanFilter,
    StoreFigures, Telemetry, TelemetryBatch, TelemetryWindow, TraceSpan,
};

/// Records after which what arrived is handed out.
const ARRIVED_RECORDS: usize = 1_000;

/// A store that forgets with its process.
#[derive(Debug)]
pub struct MemoryTelemetry {
    batches: Mutex<Vec<(Partition, TelemetryBatch)>>,
    pins: Mutex<BTreeMap<String, Bytes>>,
    head: watch::Sender<u64>,
}

impl Default for MemoryTelemetry {
    fn default() -> Self {
        Self { batches: Mutex::default(), pins: Mutex::default(), head: watch::Sender::new(0) }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A line of a pin with its place: what is kept first, then by time, then as it arrived.
type PinnedLine = (bool, Time, usize, Vec<u8>);

impl MemoryTelemetry {
    /// All of a stretch as lines of JSON; samples and lines that warn of something come first.
    fn lines(&self, partition: &Partition, stretch: TelemetryWindow) -> Result<Vec<PinnedLine>, Error> {
        let batches = locked(&self.batches);
        let of = || batches.iter().filter(|(whose, _)| whose == partition).map(|(_, batch)| batch);
        let mut lines: Vec<PinnedLine> = Vec::new();
        for record in of().flat_map(|batch| &batch.logs).filter(|record| stretch.holds(record.time)) {
            let json = serde_json::to_vec(record).map_err(std::io::Error::other)?;
            lines.push((record.level < LogLevel::Warning, record.time, lines.len(), json));
        }
        for sample in of().flat_map(|batch| &batch.samples).filter(|sample| stretch.holds(sample.time)) {
            let json = serde_json::to_vec(sample).map_err(std::io::Error::other)?;
            lines.push((false, sample.time, lines.len(), json));
        }
        for span in of().flat_map(|batch| &batch.spans).filter(|span| stretch.holds(span.time)) {
            let json = serde_json::to_vec(span).map_err(std::io::Error::other)?;
            lines.push((!span.failed, span.time, lines.len(), json));
        }
        lines.sort();
        Ok(lines)
    }
}

#[async_trait]
impl Telemetry for MemoryTelemetry {
    async fn append(&self, partition: &Partition, batch: TelemetryBatch) -> Result<(), Error> {
        if batch.is_empty() {
            return Ok(());
        }
        if batch.samples.iter().any(|sample| !sample.value.is_finite()) {
            return Err(Error::Refused("expected finite values, got a sample that is none".to_owned()));
        }
        let mut batches = locked(&self.batches);
        batches.push((partition.clone(), batch));
        self.head.send_replace(batches.len() as u64);
        Ok(())
    }

    async fn logs(
        &self,
        partition: &Partition,
        stretch: TelemetryWindow,
        filter: LogFilter,
    ) -> Result<Vec<LogRecord>, Error> {
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
        stretch: TelemetryWindow,
        filter: SampleFilter,
    ) -> Result<Vec<MetricSeries>, Error> {
        let batches = locked(&self.batches);
        let of = batches.iter().filter(|(whose, _)| whose == partition).flat_map(|(_, batch)| &batch.samples);
        Ok(MetricSeries::gather(of.filter(|sample| stretch.holds(sample.time) && filter.takes(sample))))
    }

    async fn spans(
        &self,
        partition: &Partition,
        stretch: TelemetryWindow,
        filter: SpanFilter,
    ) -> Result<Vec<TraceSpan>, Error> {
        let batches = locked(&self.batches);
        let of = batches.iter().filter(|(whose, _)| whose == partition).flat_map(|(_, batch)| &batch.spans);
        let mut found: Vec<TraceSpan> =
            of.filter(|span| stretch.holds(span.time) && filter.takes(&span.service)).cloned().collect();
        found.sort_by_key(|span| span.time);
        Ok(found.split_off(found.len().saturating_sub(filter.limit)))
    }

    async fn arrived(&self, cursor: ArrivalCursor) -> Result<Vec<Arrived>, Error> {
        let mut head = self.head.subscribe();
        // A place that was never given out belongs to another store: go on with what comes next.
        let place = cursor.0.min(*head.borrow());
        loop {
            if *head.borrow_and_update() > place {
                let batches = locked(&self.batches);
                let new = (place..).zip(batches.iter().skip(usize::try_from(place).unwrap_or(usize::MAX)));
                let (mut arrived, mut records) = (Vec::new(), 0);
                for (at, (partition, batch)) in new {
                    if records >= ARRIVED_RECORDS {
                        break;
                    }
                    records += batch.len();
                    let (partition, batch) = (partition.clone(), batch.clone());
                    arrived.push(Arrived { next: ArrivalCursor(at + 1), partition, batch });
                }
                return Ok(arrived);
            }
            head.changed().await.map_err(|_| Error::Refused("the store is gone".to_owned()))?;
        }
    }

    fn head(&self) -> ArrivalCursor {
        ArrivalCursor(*self.head.borrow())
    }

    async fn pin(&self, partition: &Partition, stretch: TelemetryWindow, bytes_max: u64) -> Result<KeptWindow, Error> {
        let mut kept = KeptWindow::default();
        let mut lines = self.lines(partition, stretch)?;
        let all = lines.len() as u64;
        lines.retain(|(.., line)| {
            let fits = kept.bytes + (line.len() as u64) < bytes_max;
            kept.bytes += if fits { line.len() as u64 + 1 } else { 0 };
            fits
        });
        kept.records = lines.len() as u64;
        kept.missing = all - kept.records;
        if lines.is_empty() {
            return Ok(kept);
        }
        lines.sort_by_key(|(_, time, at, _)| (*time, *at));
        let block: Vec<u8> = lines.iter().flat_map(|(.., line)| line.iter().copied().chain([b'\n'])).collect();
        let hash = hindcast_domain::hex::hex(&Sha256::digest(&block));
        locked(&self.pins).insert(hash.clone(), block.into());
        kept.hashes.push(hash);
        Ok(kept)
    }

    async fn pinned(&self, hash: &str) -> Result<Option<Bytes>, Error> {
        Ok(locked(&self.pins).get(hash).cloned())
    }

    fn figures(&self) -> StoreFigures {
        let batches = locked(&self.batches);
        StoreFigures {
            records: batches.iter().map(|(_, batch)| batch.len() as u64).sum(),
            oldest: batches.iter().filter_map(|(_, batch)| batch.times().min()).min(),
            pinned_bytes: locked(&self.pins).values().map(|block| block.len() as u64).sum(),
            ..StoreFigures::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Shared;
    use crate::conformance::{Factory, Site};

    struct InMemory;
    struct Place(Arc<MemoryTelemetry>);

    #[async_trait]
    impl Factory for InMemory {
        async fn site(&self) -> Box<dyn Site> {
            Box::new(Place(Arc::default()))
        }
    }

    #[async_trait]
    impl Site for Place {
        fn store(&self) -> Shared {
            Arc::clone(&self.0) as Shared
        }
    }

    crate::conformance_suite!(InMemory);
}
