//! Long work in memory: stand-ins for the copilot and for learning. They answer with what a test gave them, report
//! their steps, wait or refuse where they are told to, and remember what they were asked. They refuse to think.

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use hindcast_advice::{Asker, Copilot};
use hindcast_api::{
    Answer, AnswerProgress, Ask, BacktestRequest, Comparison, LearnProgress, ModelVersion, Problem, TrainRequest,
};
use hindcast_training::{Learning, Listener};
use tokio::sync::{Notify, mpsc};

/// Work that takes its time, with the steps that it reports on its way.
pub struct MemoryWork<Request, Step> {
    steps: Vec<Step>,
    held: Mutex<WorkContents<Request>>,
    release: Notify,
    dropped: AtomicUsize,
}

struct WorkContents<Request> {
    asked: Vec<Request>,
    refusal: Option<Problem>,
    waits: bool,
}

impl<Request: Clone, Step: Clone> MemoryWork<Request, Step> {
    fn new(steps: Vec<Step>) -> Self {
        let held = Mutex::new(WorkContents { asked: Vec::new(), refusal: None, waits: false });
        Self { steps, held, release: Notify::new(), dropped: AtomicUsize::new(0) }
    }

    fn held(&self) -> MutexGuard<'_, WorkContents<Request>> {
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

    /// Releases one piece of work that waits.
    pub fn release(&self) {
        self.release.notify_one();
    }

    /// All that was asked for so far, oldest first.
    #[must_use]
    pub fn asked(&self) -> Vec<Request> {
        self.held().asked.clone()
    }

    /// Work that was dropped before it ended.
    #[must_use]
    pub fn dropped(&self) -> usize {
        self.dropped.load(Ordering::SeqCst)
    }

    /// Reports the steps, waits if it is to wait, and refuses if it is to refuse.
    async fn run(&self, request: Request, listener: Option<&mpsc::Sender<Step>>) -> Result<(), Problem> {
        let mut running = UnfinishedWork(Some(&self.dropped));
        self.held().asked.push(request);
        if let Some(listener) = listener {
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

/// A copilot that gives every question the same answer.
pub struct MemoryCopilot {
    answer: Answer,
    work: MemoryWork<(Ask, Asker), AnswerProgress>,
}

impl MemoryCopilot {
    /// A copilot with its answer.
    #[must_use]
    pub fn new(answer: Answer) -> Self {
        Self { answer, work: MemoryWork::new(Vec::new()) }
    }

    /// The same, which reports these steps before it answers.
    #[must_use]
    pub fn with_steps(self, steps: Vec<AnswerProgress>) -> Self {
        Self { work: MemoryWork::new(steps), ..self }
    }
}

impl Deref for MemoryCopilot {
    type Target = MemoryWork<(Ask, Asker), AnswerProgress>;

    fn deref(&self) -> &Self::Target {
        &self.work
    }
}

#[async_trait]
impl Copilot for MemoryCopilot {
    async fn ask(
        &self,
        ask: Ask,
        asker: Asker,
        progress: Option<mpsc::Sender<AnswerProgress>>,
    ) -> Result<Answer, Problem> {
        self.work.run((ask, asker), progress.as_ref()).await?;
        if let Some(progress) = &progress {
            progress.send(AnswerProgress::Answer(Box::new(self.answer.clone()))).await.ok();
        }
        Ok(self.answer.clone())
    }
}

/// Long work of learning, as it was asked for.
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
    work: MemoryWork<(LearningRequest, String), LearnProgress>,
}

impl MemoryLearning {
    /// What every training and every comparison ends with, and the steps that both report on their way.
    #[must_use]
    pub fn new(trained: ModelVersion, compared: Comparison, steps: Vec<LearnProgress>) -> Self {
        Self { trained, compared, work: MemoryWork::new(steps) }
    }
}

impl Deref for MemoryLearning {
    type Target = MemoryWork<(LearningRequest, String), LearnProgress>;

    fn deref(&self) -> &Self::Target {
        &self.work
    }
}

#[async_trait]
impl Learning for MemoryLearning {
    async fn train(&self, request: TrainRequest, by: &str, listener: Listener) -> Result<ModelVersion, Problem> {
        self.work.run((LearningRequest::Train(request), by.to_owned()), listener.as_ref()).await?;
        Ok(self.trained.clone())
    }

    async fn backtest(
        &self,
        request: BacktestRequest,
        by: &str,
        judge: bool,
        listener: Listener,
    ) -> Result<Comparison, Problem> {
        let asked = LearningRequest::Backtest { request, judge };
        self.work.run((asked, by.to_owned()), listener.as_ref()).await?;
        Ok(self.compared.clone())
    }
}
