//! What tools said in a turn that is played again. Owns the look-up; refuses to know how a turn is made.

use std::collections::BTreeMap;

use hindcast_api::{Code, Problem};
use hindcast_domain::conversation::ToolUsed;
use hindcast_domain::words::ModelOutcome;
use serde_json::Value;

use crate::failure::Failure;

/// What tools said in a turn, by step.
#[derive(Debug, Default)]
pub(crate) struct RecordedToolOutputs {
    pub(crate) tools: BTreeMap<u32, ToolUsed>,
    /// Calls of the model that were made.
    pub(crate) calls: u32,
    /// Why no further one was, where the answer fell back.
    pub(crate) fell_back: Option<ModelOutcome>,
}

impl RecordedToolOutputs {
    /// Why the call after so many was not made, where it was not. Caps and clocks of then are not those of now, so
    /// what they did is told by the recording.
    pub(crate) fn ended(&self, calls: u32) -> Option<Failure> {
        let word = self.fell_back.as_ref().filter(|_| calls >= self.calls)?;
        Some(Failure::new(ModelOutcome::Recorded, word.to_string()))
    }

    /// What the tool said at that step.
    pub(crate) fn tool(&self, step: u32, name: &str) -> Result<Result<Value, String>, Problem> {
        let used = self.tools.get(&step).filter(|used| used.tool == name);
        let used = used.ok_or_else(|| stale(&format!("no output of {name} is recorded at step {step}")))?;
        Ok(used.error.clone().map_or_else(|| Ok(used.output.clone()), Err))
    }
}

/// A recording that does not fit what is asked now.
pub(crate) fn stale(what: &str) -> Problem {
    let said = format!("the recording does not fit what is asked now: {what}");
    Problem::new(Code::Conflict, said).remedy("Play it with the binary and the prompts of its version.")
}
