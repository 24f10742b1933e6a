//! The read-only questions that a model or an MCP client may ask: typed, bounded, as of a position.

use hindcast_api::{AsOf, Problem};
use serde_json::Value;

/// A tool as it is offered.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Its name.
    pub name: &'static str,
    /// What it answers, in one or two sentences.
    pub about: &'static str,
    /// JSON schema of its arguments: an object.
    pub schema: Value,
}

/// All tools over one set of views.
#[derive(Clone)]
pub struct Toolbox {
    /// The views.
    pub queries: hindcast_queries::Shared,
    /// What we conclude.
    pub advice: crate::Shared,
    /// Telemetry, where it is kept here.
    pub telemetry: Option<hindcast_telemetry::Shared>,
}

impl Toolbox {
    /// What is offered.
    #[must_use]
    pub fn specs() -> Vec<Spec> {
        Vec::new()
    }

    /// Uses a tool. The output is JSON of at most 32 KiB; what did not fit is counted in it.
    ///
    /// # Errors
    /// When there is no such tool, its arguments are wrong, or it has no answer.
    pub async fn call(&self, name: &str, arguments: Value, as_of: Option<AsOf>) -> Result<Value, Problem> {
        let _ = (arguments, as_of);
        Err(Problem::new(hindcast_api::Code::NotFound, format!("expected a tool, got {name:?}")))
    }
}
