//! `doctor`: whether all is well, line by line, with what to do where it is not. Owns the order of the checks and
//! how they are shown; each check stands in [`super::checks`].

use serde::Serialize;

use super::checks::{self, Check, CheckOutcome};
use crate::context::CliContext;
use crate::error::{Error, Result};
use crate::text::clean;
use crate::text::ink::Ink;

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
