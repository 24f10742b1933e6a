//! A replay compares every view with the ledger.

use hindcast_api::AsOf;
use hindcast_domain::event::Draft;
use hindcast_domain::{Event, Partition, Span, alert};
use hindcast_ledger::{Ledger, Subject, commit};
use hindcast_queries::Queries;
use hindcast_views::FailPoint;

use crate::common;
use crate::common::{Running, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_is_identical_at_every_place() {
    let mut world = World::new();
    world.observe(1, true, 0).await;
    let running = Running::over(&world.ledger).await;
    let honest = running.views.replay(None).await.unwrap();
    assert!(honest.identical && honest.events == 4, "{honest:?}");
    let then = running.views.replay(Some(AsOf::Position(commit::position(1, 1)))).await.unwrap();
    assert!(then.identical && then.events == 2 && then.replayed_hash != honest.replayed_hash);
    let lie = Draft::system(common::fingerprint(1), Event::AlertStale(alert::Stale { last_seen_at: world.now }));
    world.decide(&Partition::of_environment("production"), "incidents", vec![lie], None, Span::ZERO).await;
    running.catch_up(&world.ledger).await;
    let after = running.views.replay(None).await.unwrap();
    assert!(after.identical && after.live_hash != honest.live_hash);
}

/// A ledger that is exchanged for another one behind the views' back.
struct Swapped {
    pub(super) first: hindcast_ledger::memory::MemoryLedger,
    second: std::sync::Mutex<Option<hindcast_ledger::memory::MemoryLedger>>,
}

impl Swapped {
    fn inner(&self) -> hindcast_ledger::memory::MemoryLedger {
        self.second.lock().unwrap().clone().unwrap_or_else(|| self.first.clone())
    }
}

#[async_trait::async_trait]
impl Ledger for Swapped {
    fn info(&self) -> &hindcast_ledger::Info {
        self.first.info()
    }
    async fn append(
        &self,
        subject: &Subject,
        expected: u64,
        payload: bytes::Bytes,
    ) -> Result<u64, hindcast_ledger::AppendError> {
        self.inner().append(subject, expected, payload).await
    }
    async fn first_after(
        &self,
        subject: &Subject,
        after: u64,
    ) -> Result<Option<hindcast_ledger::Record>, hindcast_ledger::ReadError> {
        self.inner().first_after(subject, after).await
    }
    async fn last(&self, subject: &Subject) -> Result<Option<hindcast_ledger::Record>, hindcast_ledger::ReadError> {
        self.inner().last(subject).await
    }
    async fn get(&self, seq: u64) -> Result<Option<hindcast_ledger::Record>, hindcast_ledger::ReadError> {
        self.inner().get(seq).await
    }
    async fn head(&self) -> Result<u64, hindcast_ledger::ReadError> {
        self.inner().head().await
    }
    async fn subjects(&self) -> Result<Vec<(Subject, u64)>, hindcast_ledger::ReadError> {
        self.inner().subjects().await
    }
    fn tail(&self, from: u64) -> Box<dyn hindcast_ledger::Tail> {
        self.inner().tail(from)
    }
    async fn lease(
        &self,
        name: &str,
        holder: &str,
    ) -> Result<Box<dyn hindcast_ledger::port::Lease>, hindcast_ledger::port::LeaseError> {
        self.inner().lease(name, holder).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_finds_a_view_that_differs_from_the_ledger() {
    let mut world = World::new();
    world.observe(1, true, 0).await;
    let mut other = World::new();
    other.observe(1, true, 1).await;
    assert_eq!(world.position(), other.position());
    let ledger = std::sync::Arc::new(Swapped { first: world.ledger.clone(), second: std::sync::Mutex::new(None) });
    let folder = tempfile::tempdir().unwrap();
    let running = Running::on(ledger.clone(), &world.ledger, folder, FailPoint::None).await;
    assert!(running.views.replay(None).await.unwrap().identical);
    *ledger.second.lock().unwrap() = Some(other.ledger.clone());
    let found = running.views.replay(None).await.unwrap();
    assert!(!found.identical && found.live_hash != found.replayed_hash, "{found:?}");
}
