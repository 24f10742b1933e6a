//! How far each service is behind the head, in commits and in seconds. It reads reports and stamps; what is too much is a
//! setting, and what follows from it is decided by whoever asks.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use hindcast_domain::Time;

use crate::commit;
use crate::figures::elapsed;
use crate::port::{Ledger, ReadError, Seq};
use crate::progress::LedgerProgress;

/// What one service has not processed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceLag {
    /// The service, as it reports; of another process it begins with that one's name.
    pub service: String,
    /// Commits behind the head.
    pub commits: u64,
    /// Age of the oldest of them. Of a service that has not reported yet: how long it has been awaited.
    pub age: Duration,
}

/// The lags as they were seen last, and from when on one is too long. Cheap to clone; all clones are the same.
#[derive(Clone, Debug)]
pub struct LagBoard {
    limit: Duration,
    lags: Arc<RwLock<Vec<ServiceLag>>>,
}

impl LagBoard {
    /// An empty one with the lag that is too long.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self { limit, lags: Arc::default() }
    }

    /// From when on a lag is too long.
    #[must_use]
    pub const fn limit(&self) -> Duration {
        self.limit
    }

    /// Shows what a look found.
    pub fn show(&self, lags: Vec<ServiceLag>) {
        *self.lags.write().unwrap_or_else(PoisonError::into_inner) = lags;
    }

    /// The services whose lag is too long.
    #[must_use]
    pub fn behind(&self) -> Vec<ServiceLag> {
        let lags = self.lags.read().unwrap_or_else(PoisonError::into_inner);
        lags.iter().filter(|lag| lag.age > self.limit).cloned().collect()
    }
}

/// Looks how far services are. It remembers the stamps of the commits that they wait at, so that one that does not
/// move costs no read.
#[derive(Debug)]
pub struct LagWatch {
    since: Time,
    stamps: BTreeMap<Seq, Time>,
}

impl LagWatch {
    /// A watch that begins now: services that have not reported yet are awaited from here on.
    #[must_use]
    pub const fn new(now: Time) -> Self {
        Self { since: now, stamps: BTreeMap::new() }
    }

    /// The lag of every service that reports or is expected to. Writers have none.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn look(
        &mut self,
        ledger: &dyn Ledger,
        progress: &LedgerProgress,
        now: Time,
    ) -> Result<Vec<ServiceLag>, ReadError> {
        // The reports first: a commit that comes between the two looks makes a lag of one, never one below zero.
        let reports = progress.all();
        let head = ledger.head().await?;
        let awaited = progress.unheard().into_iter();
        let mut lags: Vec<ServiceLag> = awaited
            .map(|service| ServiceLag { service: service.to_owned(), commits: head, age: elapsed(self.since, now) })
            .collect();
        let mut stamps = BTreeMap::new();
        for (service, report) in reports.into_iter().filter(|(name, _)| !name.starts_with("writer/")) {
            let commits = head.saturating_sub(report.through);
            let mut age = Duration::ZERO;
            if commits > 0
                && let Some(stamp) = self.stamp(ledger, report.through + 1).await?
            {
                stamps.insert(report.through + 1, stamp);
                age = elapsed(stamp, now);
            }
            lags.push(ServiceLag { service, commits, age });
        }
        self.stamps = stamps;
        Ok(lags)
    }

    async fn stamp(&self, ledger: &dyn Ledger, seq: Seq) -> Result<Option<Time>, ReadError> {
        if let Some(stamp) = self.stamps.get(&seq) {
            return Ok(Some(*stamp));
        }
        let Some(record) = ledger.get(seq).await? else { return Ok(None) };
        let (header, _) = commit::decode_header(&record.payload)
            .map_err(|source| ReadError::Damaged { seq, detail: source.to_string() })?;
        Ok(Some(header.stamped_at))
    }
}

#[cfg(test)]
mod tests {
    use hindcast_domain::Partition;

    use super::*;
    use crate::commit::{CommitHeader, Hash};
    use crate::memory::MemoryLedger;
    use crate::progress::ServiceReport;
    use crate::subject::Subject;

    async fn append(ledger: &dyn Ledger, counter: u64, stamped_at: Time) -> Seq {
        let subject = Subject::intake(&Partition::of_environment("production"), "w0");
        let last = (counter - 1, Hash::ZERO);
        let header = CommitHeader::next("test".to_owned(), subject.clone(), counter, last, stamped_at);
        let (payload, _) = commit::encode(header, &[b"{}".to_vec()]).unwrap();
        ledger.append(&subject, counter - 1, payload).await.unwrap()
    }

    #[tokio::test]
    async fn a_lag_is_the_age_of_the_oldest_commit_that_is_left() {
        let ledger = MemoryLedger::new("test").share();
        let progress = LedgerProgress::default();
        progress.expect(&["incidents", "views"]);
        for n in 1..=5_u32 {
            append(&*ledger, u64::from(n), Time::from_millis(i64::from(n) * 1_000)).await;
        }
        let mut watch = LagWatch::new(Time::from_millis(4_000));
        progress.report("incidents", ServiceReport { through: 2, due: None, appending: 0 });
        progress.appending("writer/door/production", 1);
        let lag = |service: &str, commits, seconds| ServiceLag {
            service: service.to_owned(),
            commits,
            age: Duration::from_secs(seconds),
        };
        let lags = watch.look(&*ledger, &progress, Time::from_millis(20_000)).await.unwrap();
        assert_eq!(lags, [lag("views", 5, 16), lag("incidents", 3, 17)], "one has not been heard yet");

        progress.report("views", ServiceReport { through: 5, due: None, appending: 0 });
        let lags = watch.look(&*ledger, &progress, Time::from_millis(21_000)).await.unwrap();
        assert_eq!(lags, [lag("incidents", 3, 18), lag("views", 0, 0)]);

        let board = LagBoard::new(Duration::from_secs(17));
        board.show(lags);
        assert_eq!(board.behind(), [lag("incidents", 3, 18)]);
    }
}
