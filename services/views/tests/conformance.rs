//! Views over a ledger answer as all views do.

use std::sync::Arc;

use async_trait::async_trait;
use hindcast_queries::conformance::{FilledViews, FilledViewsFactory};
use hindcast_queries::{Shared, conformance_suite};

use crate::common::{Running, World};

struct OverLedger;

struct Read {
    world: World,
    running: Running,
    made: usize,
}

#[async_trait]
impl FilledViewsFactory for OverLedger {
    async fn site(&self) -> Box<dyn FilledViews> {
        let mut world = World::new();
        for alert in [1, 3, 5] {
            world.observe(alert, true, 0).await;
            world.wait(1_000);
        }
        for n in 0..3 {
            world.silence(n).await;
            world.notify(n, n == 1).await;
            world.park().await;
        }
        world.unpark(1).await;
        let running = Running::over(&world.ledger).await;
        Box::new(Read { world, running, made: 5 })
    }
}

#[async_trait]
impl FilledViews for Read {
    fn views(&self) -> Shared {
        Arc::new(self.running.views.clone())
    }

    async fn grow(&mut self) {
        self.made += 4;
        self.world.observe(self.made, true, 0).await;
        self.running.catch_up(&self.world.ledger).await;
    }
}

conformance_suite!(OverLedger);
