//! `proposals`: runbooks that fit an incident, with parameters, targets, risk and effect; `propose`: one that a
//! person names, checked and recorded. Nothing runs.

use clap::Args;
use hindcast_api::{Page, Proposal};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::positions;
use crate::client::{Path, typed};
use crate::context::{AsOfArgs, CliContext};
use crate::error::{Error, Result};
use crate::text::clean;
use crate::text::ink::Ink;
use crate::text::labelled::Labelled;

/// For which incident.
#[derive(Args, Debug)]
pub struct ProposalsArgs {
    /// The incident: its id or a unique prefix [default: the newest].
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// A point in the past to look at instead of the present.
    #[command(flatten)]
    pub as_of: AsOfArgs,
}

/// What is proposed.
#[derive(Args, Debug)]
pub struct ProposeArgs {
    /// The runbook, as `hindcast runbook list` prints it.
    #[arg(value_name = "RUNBOOK")]
    pub runbook: String,
    /// The incident: its id or a unique prefix [default: the newest].
    #[arg(long, value_name = "ID")]
    pub incident: Option<String>,
    /// A parameter of the runbook [default: the runbook's own value]; may be given several times.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = param)]
    pub params: Vec<(String, Value)>,
}

/// `name=value`; a value that reads as JSON is taken so, any other as a text.
fn param(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    if name.trim().is_empty() {
        return Err("expected a name before =".to_owned());
    }
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((name.trim().to_owned(), value))
}

/// Lists them.
///
/// # Errors
/// When they cannot be had or shown.
pub async fn list(args: ProposalsArgs, context: &mut CliContext<'_>) -> Result<()> {
    let id = context.incident_id(args.id.as_deref(), &args.as_of).await?;
    let path = Path::new("/api/v1/incidents").join(&id).join("proposals").maybe("as_of", context.as_of(&args.as_of));
    let document = context.client.get(&path).await?;
    if context.json {
        return context.print_json(&document);
    }
    let page: Page<Proposal> = typed("proposals", &document)?;
    if page.items.is_empty() {
        context.terminal.say("no runbook fits it");
        return Ok(());
    }
    let told: Vec<String> = page.items.iter().map(|proposal| whole(proposal, context)).collect();
    context.terminal.write(&told.join("\n"))?;
    context.terminal.line("\nnothing runs: these are proposals for a person to decide")?;
    Ok(())
}

/// Proposes one.
///
/// # Errors
/// When it may not be: the server says why.
pub async fn propose(args: ProposeArgs, context: &mut CliContext<'_>) -> Result<()> {
    let mut params = Map::new();
    for (name, value) in args.params {
        if params.insert(name.clone(), value).is_some() {
            return Err(Error::Usage(format!("expected --param {name} once")));
        }
    }
    let id = context.incident_id(args.incident.as_deref(), &AsOfArgs::default()).await?;
    let path = Path::new("/api/v1/incidents").join(&id).join("proposals");
    let body = json!({"runbook": args.runbook, "params": params});
    let response = context.client.send(context.client.request(Method::POST, &path).json(&body)).await?;
    let document = context.client.json(response).await?;
    if context.json {
        return context.print_json(&document);
    }
    let proposal: Proposal = typed("a proposal", &document)?;
    let text = whole(&proposal, context);
    context.terminal.write(&text)?;
    context.terminal.line("recorded; nothing runs")?;
    Ok(())
}

fn whole(proposal: &Proposal, context: &CliContext<'_>) -> String {
    let (width, colour) = (context.terminal.width(), context.terminal.colour());
    let name = Ink::Strong.on(&clean(&proposal.runbook), colour);
    let mut out = format!("{name} {}: {}\n", params(proposal), clean(&proposal.title));
    let mut lines = Labelled::default();
    lines.add("why", &proposal.why, &positions(&proposal.citations));
    if !proposal.targets.is_empty() {
        lines.add("targets", proposal.targets.join(", "), &[]);
    }
    lines.add("risk", &proposal.risk, &[]).add("effect", &proposal.effect, &[]);
    lines.add("worked", worked(proposal), &[]);
    for (index, step) in proposal.steps.iter().enumerate() {
        lines.add(if index == 0 { "steps" } else { "" }, format!("{}. {step}", index + 1), &[]);
    }
    lines.add("by", format!("{}, {}, version {}", proposal.by, proposal.status, proposal.version), &[]);
    out.push_str(&lines.render(2, width, colour));
    out
}

/// Parameters as `{database: shop, idle_over: 5m}`.
fn params(proposal: &Proposal) -> String {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pairs: Vec<String> = proposal.params.iter().map(|(name, value)| format!("{name}: {}", plain(value))).collect();
    clean(&format!("{{{}}}", pairs.join(", ")))
}

fn worked(proposal: &Proposal) -> String {
    match proposal.worked.of {
        0 => "not tried on a similar incident".to_owned(),
        of => format!("resolved {} of {of} similar incidents", proposal.worked.ended),
    }
}

/// Adds the first of them, each in one line.
pub(crate) fn first(lines: &mut Labelled, proposals: &[Proposal], most: usize) {
    for (index, proposal) in proposals.iter().take(most).enumerate() {
        let risk = proposal.risk.split([':', ',', ';', '.']).next().unwrap_or_default().trim();
        let worked = match proposal.worked.of {
            0 => String::new(),
            of => format!(" · worked {} of {of}", proposal.worked.ended),
        };
        let text = format!("{} {} · risk {risk}{worked} · nothing runs", proposal.runbook, params(proposal));
        lines.add(if index == 0 { "proposed" } else { "" }, text, &[]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_json_where_it_reads_as_json() {
        assert_eq!(param("n=5").unwrap(), ("n".to_owned(), json!(5)));
        assert_eq!(param("idle_over=5m").unwrap(), ("idle_over".to_owned(), json!("5m")));
        assert_eq!(param("q=a=b").unwrap(), ("q".to_owned(), json!("a=b")));
        assert!(param("n").is_err() && param("=1").is_err());
    }
}
