//! What the port asks. Owns that one long work runs at a time; everything else stands beside it.

use async_trait::async_trait;
use hindcast_api::problem::Code;
use hindcast_api::{BacktestRequest, Comparison, ModelVersion, Problem, TrainRequest};
use hindcast_domain::lane::Decider;
use hindcast_training::{Learning, Listener};
use tokio::sync::{Mutex, MutexGuard};

use crate::{Options, history};

/// Learning over a ledger, with the decider that serves.
pub struct LearningService<F> {
    pub(crate) options: Options,
    pub(crate) make: F,
    /// Two backtests side by side would take the cores from what serves; two trainings the same version.
    one: Mutex<()>,
}

impl<D: Decider, F: Fn() -> D + Send + Sync + 'static> LearningService<F> {
    /// The service; `make` gives the decider that serves, anew for each run.
    pub fn new(options: Options, make: F) -> Self {
        Self { options, make, one: Mutex::new(()) }
    }

    async fn alone(&self, listener: &Listener) -> MutexGuard<'_, ()> {
        if let Ok(alone) = self.one.try_lock() {
            return alone;
        }
        history::tell(listener, "waiting for another training or backtest", 0, 0);
        self.one.lock().await
    }
}

#[async_trait]
impl<D: Decider, F: Fn() -> D + Send + Sync + 'static> Learning for LearningService<F> {
    async fn train(&self, request: TrainRequest, by: &str, listener: Listener) -> Result<ModelVersion, Problem> {
        let _alone = self.alone(&listener).await;
        self.learn(&request, by, &listener).await
    }

    async fn backtest(
        &self,
        request: BacktestRequest,
        by: &str,
        judge: bool,
        listener: Listener,
    ) -> Result<Comparison, Problem> {
        if judge && request.weights.is_some() {
            let detail = "expected a registered version to judge, got weights of nobody's";
            return Err(Problem::new(Code::Invalid, detail).remedy("Judge a version, or compare without judging."));
        }
        let _alone = self.alone(&listener).await;
        self.decide_again(&request, by, judge, &listener).await
    }
}
