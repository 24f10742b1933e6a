//! The read-only questions that a model or an MCP client may ask: typed, bounded, as of a position.
//!
//! Owns which tools there are, what arguments they take and how much they answer. Refuses to know who asks,
//! and to change anything: no tool reaches a writer.
//!
//! - [`args`]: the arguments, read strictly. [`specs`]: how the tools are offered.
//! - [`answers`]: one function a tool. [`fit`]: what does not fit is cut, and counted.

mod answers;
mod args;
mod fit;
mod specs;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use hindcast_advice::tools::{Spec, ToolCaller};
use hindcast_api::{AsOf, Code, Problem};
use hindcast_queries::Snapshot;
use serde_json::Value;

pub use fit::{OUTPUT_BYTES_MAX, TEXT_BYTES_MAX, fit};

/// Bytes of a call's arguments.
pub const ARGUMENTS_BYTES_MAX: usize = 8 * 1024;

/// All tools over one set of views.
#[derive(Clone)]
pub struct Toolbox {
    /// Answers every query, as of a position.
    pub queries: hindcast_queries::Snapshots,
    /// What we conclude.
    pub advice: hindcast_advice::Shared,
    /// Telemetry, where it is kept here.
    pub telemetry: Option<hindcast_telemetry::Shared>,
}

impl Toolbox {
    /// What is offered.
    #[must_use]
    pub fn specs() -> Vec<Spec> {
        specs::all()
    }

    /// Uses a tool as of a moment, which becomes one position. The output is that of [`Toolbox::call_of`] and names the
    /// position: whoever calls a tool by itself has no other place to read it.
    ///
    /// # Errors
    /// As those of [`Toolbox::call_of`].
    pub async fn call(&self, name: &str, arguments: Value, as_of: Option<AsOf>) -> Result<Value, Problem> {
        let seen = self.queries.open(as_of).await?;
        let mut output = self.call_of(&seen, name, arguments).await?;
        if let Value::Object(fields) = &mut output {
            // A thing that has a place of its own, such as an event, says beside it as of when it was looked at.
            let place = fields.entry("position").or_insert_with(|| seen.position().into());
            if *place != seen.position() {
                fields.insert("as_of_position".to_owned(), seen.position().into());
            }
        }
        Ok(output)
    }

    /// Uses a tool. The output is JSON of at most 32 KiB, all of it of the snapshot; what did not fit is counted in it.
    ///
    /// # Errors
    /// When there is no such tool, its arguments are wrong, or it has no answer.
    pub async fn call_of(&self, seen: &Snapshot, name: &str, arguments: Value) -> Result<Value, Problem> {
        let bytes = fit::weigh(&arguments);
        if bytes > ARGUMENTS_BYTES_MAX {
            let said = format!("expected arguments of at most {ARGUMENTS_BYTES_MAX} bytes, got {bytes}");
            return Err(Problem::new(Code::TooLarge, said).remedy("Ask for less at once."));
        }
        let asked = answers::ToolCallContext { toolbox: self, seen };
        let output = asked.answer(name, arguments).await?;
        Ok(fit(output, OUTPUT_BYTES_MAX))
    }
}

#[async_trait]
impl ToolCaller for Toolbox {
    fn specs(&self) -> Vec<Spec> {
        Self::specs()
    }

    async fn call(&self, name: &str, arguments: Value, as_of: Option<AsOf>) -> Result<Value, Problem> {
        Self::call(self, name, arguments, as_of).await
    }
}
