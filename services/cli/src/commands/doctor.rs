//! `doctor`: whether all is well, line by line, with what to do where it is not. Owns the order of the checks and
//! how they are shown; each check stands in [`super::checks`].

use serde::Serialize;

use super::checks;
use crate::context::CliContext;
use crate::error::{Error, Result};
use crate::text::clean;
use crate::text::ink::Ink;

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

#[derive(Serialize)]
struct DoctorReport<'a> {
    ok: bool,
    checks: &'a [Check],
}

/// Checks everything.
///
/// # Errors
/// When something is wrong.
pub async fn run(context: &mut CliContext<'_>) -> Result<()> {
    let checks = Box::pin(checks::all(context)).await;
    let ok = checks.iter().all(|check| check.verdict != CheckOutcome::Failed);
    if context.json {
        context.print_json(&DoctorReport { ok, checks: &checks })?;
    } else {
        for check in &checks {
            let lines = lines(check, context.terminal.colour());
            context.terminal.write(&lines)?;
        }
    }
    if ok { Ok(()) } else { Err(Error::NotInOrder) }
}

fn lines(check: &Check, colour: bool) -> String {
    let (sign, ink) = match check.verdict {
        CheckOutcome::Ok => ("✓", Ink::Good),
        CheckOutcome::Note => ("!", Ink::Strong),
        CheckOutcome::Failed => ("✗", Ink::Bad),
    };
    let mut out = format!("{} {:<12} {}\n", ink.on(sign, colour), check.check, clean(&check.detail));
    if let Some(remedy) = &check.remedy {
        out.push_str(&format!("  {:<12} {}\n", "", Ink::Faint.on(&format!("→ {}", clean(remedy)), colour)));
    }
    out
}
