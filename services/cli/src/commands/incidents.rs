//! `incidents`: the list of incidents, newest first.

use clap::Args;
use clap::builder::PossibleValuesParser;
use hindcast_api::Incident;

use crate::client::Path;
use crate::context::{CliContext, ListArgs, items};
use crate::error::Result;
use crate::parse::when::{When, when};
use crate::text::ink::Ink;
use crate::text::table::{Table, inked, left, right, text};
use crate::text::times::Times;
use crate::text::word;

/// Words for severities, worst first.
pub(crate) const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "info"];

/// Arguments of `hindcast incidents`.
#[derive(Args, Debug)]
pub struct IncidentsArgs {
    /// Only incidents in these states, separated by commas.
    #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(["open", "acknowledged", "resolved"]))]
    pub status: Vec<String>,
    /// Only incidents of these severities, separated by commas.
    #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(SEVERITIES))]
    pub severity: Vec<String>,
    /// Only incidents that affect this service, by any of its names.
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    /// Only incidents with all these words in title, services, cause, resolution or alert names.
    #[arg(long, short, value_name = "WORDS")]
    pub q: Option<String>,
    /// Only incidents of this environment.
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,
    /// Only incidents opened at or after this time, such as 2026-11-20T03:12:00Z or 2h (ago).
    #[arg(long, value_name = "TIME", value_parser = when)]
    pub since: Option<When>,
    /// Only incidents opened before this time.
    #[arg(long, value_name = "TIME", value_parser = when)]
    pub until: Option<When>,
    /// How much of the list.
    #[command(flatten)]
    pub list: ListArgs,
}

/// Words with commas between, or nothing.
pub(crate) fn words(words: &[String]) -> Option<String> {
    (!words.is_empty()).then(|| words.join(","))
}

/// Lists them.
///
/// # Errors
/// When they cannot be had or shown.
pub async fn run(args: IncidentsArgs, context: &mut CliContext<'_>) -> Result<()> {
    let path = Path::new("/api/v1/incidents")
        .maybe("status", words(&args.status))
        .maybe("severity", words(&args.severity))
        .maybe("service", args.service.as_deref())
        .maybe("q", args.q.as_deref())
        .maybe("environment", args.environment.as_deref())
        .maybe("since", context.past(args.since))
        .maybe("until", context.past(args.until));
    let listed = context.list(path, &args.list).await?;
    if context.json {
        return context.print_json(&listed);
    }
    let incidents: Vec<Incident> = items(&listed)?;
    if incidents.is_empty() {
        context.terminal.say("no incidents");
        return Ok(());
    }
    let times = context.times(&args.list.as_of);
    let table = table(&incidents, times, context);
    context.terminal.write(&table.render(context.terminal.width(), context.terminal.colour()))?;
    context.say_if_more(&listed);
    Ok(())
}

fn table(incidents: &[Incident], times: Times, context: &CliContext<'_>) -> Table {
    let ids = context.ids(incidents.iter().map(|incident| incident.id.as_str()));
    let mut table = Table::new(&[
        left("ID"),
        left("SEVERITY"),
        left("STATUS"),
        left("OPENED"),
        left("AGE"),
        right("ALERTS"),
        text("SERVICES"),
        text("OWNER"),
        text("TITLE"),
    ]);
    for incident in incidents {
        let status = match (&incident.merged_into, incident.status) {
            (Some(into), _) => format!("merged into {}", ids.short(into)),
            (None, status) => word(&status),
        };
        table.row([
            inked(ids.short(&incident.id), Ink::Strong),
            inked(incident.severity.as_str(), Ink::Severity(incident.severity)),
            status.into(),
            times.short(incident.opened_at).into(),
            times.relative(incident.opened_at).into(),
            incident.alerts.to_string().into(),
            incident.services.join(", ").into(),
            incident.owner.as_deref().unwrap_or_default().into(),
            incident.title.as_str().into(),
        ]);
    }
    table
}
