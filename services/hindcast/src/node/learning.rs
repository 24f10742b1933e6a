//! Learning, wired: the lane of labels, training and backtests, and the shadow. Owns which trainer and which
//! decider they are handed; decides nothing.

use std::sync::Arc;

use hindcast_clock as clock;
use hindcast_correlator::Correlator;
use hindcast_domain::lane::names;
use hindcast_eventlog::lane;
use hindcast_eventlog::writer::Writer;
use hindcast_ledger::Shared;
use hindcast_train_linfa::Linfa;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::spawn;

/// What is needed of the rest of the node.
pub struct Parts {
    /// The ledger.
    pub ledger: Shared,
    /// Where facts are written.
    pub writer: Writer,
    /// The views.
    pub queries: hindcast_queries::Shared,
    /// The clock.
    pub clock: clock::Shared,
    /// What the lane of labels needs.
    pub lane: lane::Options,
}

/// Starts the lane of labels and the shadow, unless the folder is open for reading alone; what is asked for training
/// and backtests.
pub fn start(
    parts: Parts,
    reading_only: bool,
    tasks: &mut JoinSet<(&'static str, anyhow::Result<()>)>,
    stop: &watch::Receiver<bool>,
) -> hindcast_training::Shared {
    let holder = parts.lane.owner.clone();
    if !reading_only {
        let run = lane::Runner::new(hindcast_mlops::Labeller, parts.lane).run(stop.clone());
        spawn(tasks, names::LABELS, async move { Ok(run.await?) });
    }
    let options = hindcast_learning::Options {
        ledger: parts.ledger,
        writer: parts.writer,
        queries: parts.queries,
        clock: parts.clock,
        trainer: Arc::new(Linfa),
        code: env!("CARGO_PKG_VERSION").to_owned(),
        holder,
    };
    if !reading_only {
        let shadow = hindcast_learning::Shadow::new(options.clone(), || Correlator);
        let stop = stop.clone();
        spawn(tasks, "shadow", async move { Ok(shadow.run(stop).await?) });
    }
    Arc::new(hindcast_learning::Service::new(options, || Correlator))
}
