//! Read-only questions as a model or another program asks them: by name, with arguments as JSON. Owns the form of a tool;
//! refuses to know which tools there are.

use std::sync::Arc;

use async_trait::async_trait;
use hindcast_api::{AsOf, Problem};
use serde_json::Value;

/// Tools that a copilot offers to other programs too.
pub type SharedTools = Arc<dyn ToolCaller>;

/// A tool as it is offered.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Name that the model calls the tool by.
    pub name: &'static str,
    /// What it answers, in one or two sentences.
    pub about: &'static str,
    /// JSON schema of its arguments: an object.
    pub schema: Value,
}

/// Answers read-only questions.
#[async_trait]
pub trait ToolCaller: Send + Sync + 'static {
    /// What is offered.
    fn specs(&self) -> Vec<Spec>;

    /// Uses a tool, as of a position or a time.
    ///
    /// # Errors
    /// When there is no such tool, its arguments are wrong, or it has no answer.
    async fn call(&self, name: &str, arguments: Value, as_of: Option<AsOf>) -> Result<Value, Problem>;
}
