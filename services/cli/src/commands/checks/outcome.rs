//! One check of `doctor`: what was looked at, how it ended and what to do.

use serde::Serialize;

use crate::error::Error;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// All is well.
    Ok,
    /// Worth knowing, and nothing is wrong.
    Note,
    /// Something is wrong.
    Failed,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub check: &'static str,
    /// How it ended.
    pub verdict: CheckOutcome,
    /// What was found.
    pub detail: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Check {
    /// All is well.
    pub(super) fn ok(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, verdict: CheckOutcome::Ok, detail: detail.into(), remedy: None }
    }

    /// Worth knowing.
    pub(super) fn note(check: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, verdict: CheckOutcome::Note, detail: detail.into(), remedy: Some(remedy.into()) }
    }

    /// Something is wrong.
    pub(super) fn failed(check: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, verdict: CheckOutcome::Failed, detail: detail.into(), remedy: Some(remedy.into()) }
    }

    /// Something could not be asked.
    pub(super) fn error(check: &'static str, error: &Error) -> Self {
        let remedy = error.remedy().unwrap_or_else(|| "Look at the log of the server.".to_owned());
        Self::failed(check, error.to_string(), remedy)
    }
}
