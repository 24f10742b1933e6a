//! Learning, asked through one port: training, comparing, backtesting. Versions and labels are read from the
//! views, and the pointer to what is in force is moved by commands; here is only what takes long.
//!
//! The one contract of this crate: *nothing here changes what is decided*. What comes of it is a fact, and
//! only a command that finds a pass moves the pointer.
//!
//! [`Learning`] is what a service offers; [`Trainer`] is what a library of numbers does for it, behind an adapter.

use std::sync::Arc;

use async_trait::async_trait;
use hindcast_api::{BacktestRequest, Comparison, LearnProgress, ModelVersion, Problem, TrainRequest};
use tokio::sync::mpsc;

pub use hindcast_mlops::train::{Trainer, TrainingRow};

/// A trainer that tasks share.
pub type SharedTrainer = Arc<dyn Trainer + Send + Sync>;
/// Shared learning.
pub type Shared = Arc<dyn Learning>;

/// Hears how far long work is; a full channel loses nothing but the word.
pub type Listener = Option<mpsc::Sender<LearnProgress>>;

/// What takes long. Dropping the future stops it.
#[async_trait]
pub trait Learning: Send + Sync + 'static {
    /// Learns a version from labels and registers it.
    async fn train(&self, request: TrainRequest, by: &str, listener: Listener) -> Result<ModelVersion, Problem>;

    /// Decides the past again, with what is in force and with a candidate, and compares. With `judge`, what the
    /// gate says is recorded as `model.judged`.
    async fn backtest(
        &self,
        request: BacktestRequest,
        by: &str,
        judge: bool,
        listener: Listener,
    ) -> Result<Comparison, Problem>;
}
