//! `causes`: what may have been the cause of an incident, with the path from what broke to what alarmed, what
//! speaks for and against it, what is refuted, and whom it hits.

use clap::Args;
use hindcast_api::{BlastRadius, Causes, Hypothesis, PathStep, Statement, StepRole};

use super::{positions, score};
use crate::client::{Path, typed};
use crate::context::{AsOfArgs, CliContext};
use crate::error::Result;
use crate::text::ink::Ink;
use crate::text::labelled::Labelled;
use crate::text::times::Times;

/// Refuted ones before the rest is only counted.
const REFUTED_MAX: usize = 8;

/// Of which incident.
#[derive(Args, Debug)]
pub struct CausesArgs {
    /// The incident: its id or a unique prefix [default: the newest].
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// A point in the past to look at instead of the present.
    #[command(flatten)]
    pub as_of: AsOfArgs,
}

/// Shows them.
///
/// # Errors
/// When they cannot be had or shown.
pub async fn run(args: CausesArgs, context: &mut CliContext<'_>) -> Result<()> {
    let id = context.incident_id(args.id.as_deref(), &args.as_of).await?;
    let path = Path::new("/api/v1/incidents").join(&id).join("causes").maybe("as_of", context.as_of(&args.as_of));
    let document = context.client.get(&path).await?;
    if context.json {
        return context.print_json(&document);
    }
    let causes: Causes = typed("causes", &document)?;
    let text = page(&causes, context.times(&args.as_of), context);
    Ok(context.terminal.write(&text)?)
}

fn page(causes: &Causes, times: Times, context: &CliContext<'_>) -> String {
    let (width, colour) = (context.terminal.width(), context.terminal.colour());
    let mut out =
        format!("{} as of #{}, ranking v{}\n", context.ids([]).short(&causes.incident), causes.position, causes.ranker);
    for (index, hypothesis) in causes.items.iter().enumerate() {
        let name = format!("{}. {}", index + 1, crate::text::clean(&hypothesis.cause));
        out.push_str(&format!(
            "\n{} {}\n",
            Ink::Strong.on(&name, colour),
            Ink::Faint.on(&score(hypothesis.score), colour)
        ));
        let mut lines = Labelled::default();
        path(&mut lines, &hypothesis.path, times);
        statements(&mut lines, "for", &hypothesis.confirms);
        statements(&mut lines, "against", &hypothesis.refutes);
        out.push_str(&lines.render(3, width, colour));
    }
    let mut lines = Labelled::default();
    unresolved(&mut lines, causes);
    refuted(&mut lines, causes, REFUTED_MAX);
    radius(&mut lines, &causes.blast_radius);
    if !lines.is_empty() {
        out.push('\n');
        out.push_str(&lines.render(0, width, colour));
    }
    if !causes.items.is_empty() {
        out.push_str(&format!("\n{}\n", Ink::Faint.on("scores rank the causes; they are not probabilities", colour)));
    }
    out
}

/// The steps of a path: what broke, what that did, what alarmed.
pub(crate) fn path(lines: &mut Labelled, path: &[PathStep], times: Times) {
    for step in path {
        let label = match step.role {
            StepRole::Broke => "root cause",
            StepRole::Then => "propagated to",
            StepRole::Alarmed => "first alert",
        };
        let text = format!("{} {}  {}", times.short(step.time), step.service, step.text);
        lines.add(label, text, &positions(&step.citations));
    }
}

fn statements(lines: &mut Labelled, label: &str, statements: &[Statement]) {
    for (index, statement) in statements.iter().enumerate() {
        lines.add(if index == 0 { label } else { "" }, &statement.text, &positions(&statement.citations));
    }
}

/// Says that nothing explains it, and why.
pub(crate) fn unresolved(lines: &mut Labelled, causes: &Causes) {
    if causes.unresolved {
        let why = causes
            .why_unresolved
            .as_deref()
            .unwrap_or("the evidence does not explain it well enough to name a root cause");
        lines.add("cause", format!("unresolved: {why}"), &[]);
    }
}

/// What was considered and is not it.
pub(crate) fn refuted(lines: &mut Labelled, causes: &Causes, most: usize) {
    for (index, hypothesis) in causes.refuted.iter().take(most).enumerate() {
        let against = hypothesis.refutes.first();
        let why = against.map_or_else(String::new, |statement| format!(": {}", statement.text));
        let places = match against {
            Some(statement) if !statement.citations.is_empty() => positions(&statement.citations),
            _ => positions(&hypothesis.citations),
        };
        lines.add(if index == 0 { "ruled out" } else { "" }, format!("{}{why}", hypothesis.cause), &places);
    }
    if causes.refuted.len() > most {
        lines.add("", format!("{} more: hindcast causes", causes.refuted.len() - most), &[]);
    }
}

/// Whom it hits.
pub(crate) fn radius(lines: &mut Labelled, radius: &BlastRadius) {
    let mut parts = Vec::new();
    if !radius.hit.is_empty() {
        parts.push(radius.hit.join(", "));
    }
    if !radius.at_risk.is_empty() {
        parts.push(format!("at risk: {}", radius.at_risk.join(", ")));
    }
    if !radius.unharmed.is_empty() {
        parts.push(format!("no sign seen: {}", radius.unharmed.join(", ")));
    }
    if !parts.is_empty() {
        lines.add("affected", parts.join(" · "), &[]);
    }
}

/// The first cause in one line, with its path beneath.
pub(crate) fn first(lines: &mut Labelled, hypothesis: &Hypothesis, times: Times) {
    let text = format!("{} · score {}", hypothesis.cause, score(hypothesis.score));
    lines.inked(("cause", Ink::Faint), (&text, Ink::Strong), &[]);
    path(lines, &hypothesis.path, times);
}
