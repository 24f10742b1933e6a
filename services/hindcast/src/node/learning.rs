//! Learning, wired: the lane of labels, training and backtests, and the shadow. Owns which trainer and which
//! decider they are handed; decides nothing.

use std::sync::Arc;

use hindcast_correlator::Correlator;
use hindcast_domain::lane::names;
use hindcast_eventlog::lane;
use hindcast_train_linfa::Linfa;

use super::common::{Common, Tasks};

/// Starts the lane of labels and the shadow, unless the folder is open for reading alone; answers with what is asked
/// for training and backtests.
pub fn start(common: &Common, queries: &hindcast_queries::Shared, tasks: &mut Tasks) -> hindcast_training::Shared {
    let options = hindcast_learning::Options {
        ledger: Arc::clone(&common.ledger),
        writer: common.learning_writer(),
        queries: Arc::clone(queries),
        clock: Arc::clone(&common.clock),
        trainer: Arc::new(Linfa),
        code: env!("CARGO_PKG_VERSION").to_owned(),
        holder: common.owner.clone(),
    };
    if !common.reading_only {
        let labeller = lane::Runner::new(hindcast_mlops::Labeller, common.lane()).run(tasks.stop());
        tasks.spawn(names::LABELS, async move { Ok(labeller.await?) });
        let shadow = hindcast_learning::ShadowService::new(options.clone(), || Correlator).run(tasks.stop());
        tasks.spawn("shadow", async move { Ok(shadow.await?) });
    }
    Arc::new(hindcast_learning::LearningService::new(options, || Correlator))
}
