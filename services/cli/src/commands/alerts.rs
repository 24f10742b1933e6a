//! `alerts`: the list of alerts, newest first.

use clap::Args;
use clap::builder::PossibleValuesParser;
use hindcast_api::Alert;

use super::incidents::words;
use crate::client::Path;
use crate::context::{CliContext, ListArgs, items};
use crate::error::Result;
use crate::parse::id::id;
use crate::text::ink::Ink;
use crate::text::table::{Table, inked, left, right, text};
use crate::text::times::Times;
use crate::text::word;

/// Arguments of `hindcast alerts`.
#[derive(Args, Debug)]
pub struct AlertsArgs {
    /// Only the alert with this fingerprint (Hindcast's or the sender's), or a unique prefix of it.
    #[arg(long, value_name = "FINGERPRINT", value_parser = id)]
    pub fingerprint: Option<String>,
    /// Only alerts of this name.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Only alerts in these states, separated by commas.
    #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(["firing", "resolved", "stale"]))]
    pub status: Vec<String>,
    /// Only alerts with this label; may be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    pub label: Vec<String>,
    /// Only alerts of this incident.
    #[arg(long, value_name = "ID", value_parser = id)]
    pub incident: Option<String>,
    /// Only suppressed alerts (true), or only alerts that are not suppressed (false).
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub suppressed: Option<bool>,
    /// How much of the list.
    #[command(flatten)]
    pub list: ListArgs,
}

fn label(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((name, _)) if !name.trim().is_empty() => Ok(text.to_owned()),
        _ => Err(format!("expected NAME=VALUE, got {text:?}")),
    }
}

/// Lists them.
///
/// # Errors
/// When they cannot be had or shown.
pub async fn run(args: AlertsArgs, context: &mut CliContext<'_>) -> Result<()> {
    let mut path = Path::new("/api/v1/alerts")
        .maybe("fingerprint", args.fingerprint.as_deref())
        .maybe("name", args.name.as_deref())
        .maybe("status", words(&args.status))
        .maybe("incident", args.incident.as_deref())
        .maybe("suppressed", args.suppressed);
    for label in &args.label {
        path = path.query("label", label);
    }
    let listed = context.list(path, &args.list).await?;
    if context.json {
        return context.print_json(&listed);
    }
    let alerts: Vec<Alert> = items(&listed)?;
    if alerts.is_empty() {
        context.terminal.say("no alerts");
        return Ok(());
    }
    let times = context.times(&args.list.as_of);
    let table = table(&alerts, times, context);
    context.terminal.write(&table.render(context.terminal.width(), context.terminal.colour()))?;
    context.say_if_more(&listed);
    Ok(())
}

fn table(alerts: &[Alert], times: Times, context: &CliContext<'_>) -> Table {
    let ids = context.ids(alerts.iter().map(|alert| alert.fingerprint.as_str()));
    let incidents = context.ids(alerts.iter().filter_map(|alert| alert.incident.as_deref()));
    let mut table = Table::new(&[
        left("ALERT"),
        left("SEVERITY"),
        left("STATUS"),
        left("SINCE"),
        left("LAST RECEIVED"),
        right("RECEIVED"),
        left("INCIDENT"),
        text("SERVICE"),
        text("NAME"),
    ]);
    for alert in alerts {
        let status = match &alert.suppressed_by {
            Some(_) => format!("{}, suppressed", word(&alert.status)),
            None => word(&alert.status),
        };
        table.row([
            inked(ids.short(&alert.fingerprint), Ink::Strong),
            inked(alert.severity.as_str(), Ink::Severity(alert.severity)),
            status.into(),
            times.short(alert.starts_at).into(),
            times.relative(alert.last_seen_at).into(),
            alert.occurrences.to_string().into(),
            alert.incident.as_deref().map_or("", |id| incidents.short(id)).into(),
            alert.service.as_deref().unwrap_or_default().into(),
            alert.name.as_str().into(),
        ]);
    }
    table
}
