//! The inputs of one lane in the order in which its owner decided them, as its commits say. Backtests and shadows
//! decide in this order; it refuses to decide anything.

use std::collections::BTreeSet;
use std::sync::Arc;

use hindcast_domain::lane::Timer;
use hindcast_ledger::commit::CommitHeader;

use super::queue::{DecodedCommit, InputQueue, RecordedInput};

/// What the owner did next.
pub enum RecordedStep {
    /// It decided an input.
    Input(RecordedInput),
    /// It fired the timers up to this one, because the clock had reached it.
    Clock(Timer),
}

/// What waits, and what the lane's commits say of it.
#[derive(Default)]
pub struct RecordedOrder {
    queue: InputQueue,
    engines: BTreeSet<u32>,
}

impl RecordedOrder {
    /// Adds the events of a commit that the lane reads.
    pub fn push(&mut self, commit: &Arc<DecodedCommit>) {
        self.queue.push(commit);
    }

    /// What a commit of the lane decided, step by step.
    pub fn follow(&mut self, header: &CommitHeader) -> Vec<RecordedStep> {
        self.engines.insert(header.engine);
        let inputs = self.queue.consume(header).into_iter().map(RecordedStep::Input);
        inputs.chain(header.clock.clone().map(RecordedStep::Clock)).collect()
    }

    /// What no commit of the lane speaks of, in the order of the ledger.
    pub fn rest(&mut self) -> Vec<RecordedInput> {
        self.queue.take_rest()
    }

    /// The engines that decided in what was followed.
    #[must_use]
    pub const fn engines(&self) -> &BTreeSet<u32> {
        &self.engines
    }
}
