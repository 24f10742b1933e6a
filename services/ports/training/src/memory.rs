//! Learning in memory: the stand-in for the port that tests of services use. It answers with what a test gave it,
//! reports progress, waits where it is told to, and remembers what it was asked. It refuses to learn anything.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use hindcast_api::{BacktestRequest, Comparison, LearnProgress, ModelVersion, Problem, TrainRequest};
use tokio::sync::Notify;

use crate::{Learning, Listener};

/// Long work as it was asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum LearningRequest {
    /// A training.
    Train(TrainRequest),
    /// A comparison.
    Backtest {
        /// What is compared.
        request: BacktestRequest,
        /// Whether the verdict is recorded.
        judge: bool,
    },
}

/// Learning with one answer for each question.
pub struct MemoryLearning {
    trained: ModelVersion,
    compared: Comparison,
    steps: Vec<LearnProgress>,
    held: Mutex<LearningContents>,
    release: Notify,
    dropped: AtomicUsize,
}

#[derive(Default)]
struct LearningContents {
    asked: Vec<(LearningRequest, String)>,
    refusal: Option<Problem>,
    waits: bool,
}

impl MemoryLearning {
    /// What every training and every comparison ends with, and the steps that both report on their way.
    #[must_use]
    pub fn new(trained: ModelVersion, compared: Comparison, steps: Vec<LearnProgress>) -> Self {
        Self { trained, compared, steps, held: Mutex::default(), release: Notify::new(), dropped: AtomicUsize::new(0) }
    }

    fn held(&self) -> MutexGuard<'_, LearningContents> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses all work from now on, after its steps.
    pub fn refuse(&self, problem: Problem) {
        self.held().refusal = Some(problem);
    }

    /// Waits after the steps of all work from now on, until it is released.
    pub fn wait(&self) {
        self.held().waits = true;
    }

    /// Releases work that waits.
    pub fn release(&self) {
        self.release.notify_one();
    }

    /// All work that was asked for so far, with by whom, oldest first.
    #[must_use]
    pub fn asked(&self) -> Vec<(LearningRequest, String)> {
        self.held().asked.clone()
    }

    /// Work that was dropped before it ended.
    #[must_use]
    pub fn dropped(&self) -> usize {
        self.dropped.load(Ordering::SeqCst)
    }

    async fn work(&self, request: LearningRequest, by: &str, listener: Listener) -> Result<(), Problem> {
        let mut running = UnfinishedWork(Some(&self.dropped));
        self.held().asked.push((request, by.to_owned()));
        if let Some(listener) = &listener {
            for step in &self.steps {
                listener.send(step.clone()).await.ok();
            }
        }
        let waits = self.held().waits;
        if waits {
            self.release.notified().await;
        }
        running.0 = None;
        self.held().refusal.clone().map_or(Ok(()), Err)
    }
}

/// Counts work that nobody waited for.
struct UnfinishedWork<'a>(Option<&'a AtomicUsize>);

impl Drop for UnfinishedWork<'_> {
    fn drop(&mut self) {
        if let Some(dropped) = self.0 {
            dropped.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[async_trait]
impl Learning for MemoryLearning {
    async fn train(&self, request: TrainRequest, by: &str, listener: Listener) -> Result<ModelVersion, Problem> {
        self.work(LearningRequest::Train(request), by, listener).await?;
        Ok(self.trained.clone())
    }

    async fn backtest(
        &self,
        request: BacktestRequest,
        by: &str,
        judge: bool,
        listener: Listener,
    ) -> Result<Comparison, Problem> {
        self.work(LearningRequest::Backtest { request, judge }, by, listener).await?;
        Ok(self.compared.clone())
    }
}
