//! Views that show the events of the ledger, and nothing else.

use std::sync::Arc;

use async_trait::async_trait;
use hindcast_api::Event;
use hindcast_ledger::Shared;
use hindcast_queries::memory::{EventSource, MemoryViews};

struct Read(Shared);

#[async_trait]
impl EventSource for Read {
    async fn events(&self) -> Vec<Event> {
        super::events(&self.0).await.iter().map(hindcast_testkit::recorded).collect()
    }
}

/// Views over a ledger.
pub fn over(ledger: &Shared) -> hindcast_queries::Shared {
    Arc::new(MemoryViews::default().over(Arc::new(Read(Shared::clone(ledger)))))
}
