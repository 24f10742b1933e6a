//! `report`: figures over a stretch of time, each with its sample.

use clap::Args;
use hindcast_api::{Duration, Report, ReportRow};
use reqwest::{Method, header};

use crate::client::{Path, typed};
use crate::context::{AsOfArgs, CliContext};
use crate::error::{Error, Result};
use crate::parse::when::{When, when};
use crate::text::table::{Table, left, right};

/// Which stretch.
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// Count incidents opened at or after this time, such as 2026-11-20 or 7d (ago) [default: 30d].
    #[arg(long, value_name = "TIME", value_parser = when)]
    pub since: Option<When>,
    /// Count incidents opened before this time.
    #[arg(long, value_name = "TIME", value_parser = when)]
    pub until: Option<When>,
    /// Count only incidents of this service.
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    /// Count only incidents of this environment.
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,
    /// Print comma-separated values (CSV) for a spreadsheet.
    #[arg(long)]
    pub csv: bool,
    /// Print what each figure counts.
    #[arg(long)]
    pub explain: bool,
    /// A point in the past to look at instead of the present.
    #[command(flatten)]
    pub as_of: AsOfArgs,
}

/// Shows them.
///
/// # Errors
/// When they cannot be had or shown.
pub async fn run(args: ReportArgs, context: &mut CliContext<'_>) -> Result<()> {
    let path = Path::new("/api/v1/reports")
        .maybe("since", context.past(args.since))
        .maybe("until", context.past(args.until))
        .maybe("service", args.service.as_deref())
        .maybe("environment", args.environment.as_deref())
        .maybe("format", args.csv.then_some("csv"))
        .maybe("as_of", context.as_of(&args.as_of));
    if args.csv {
        let request = context.client.request(Method::GET, &path).header(header::ACCEPT, "text/csv");
        let response = context.client.send_and_wait(request).await?;
        let broke = |source| Error::Unreachable {
            url: context.client.base().to_owned(),
            detail: "the connection closed before the end".to_owned(),
            source,
        };
        let text = response.text().await.map_err(broke)?;
        return Ok(context.terminal.write(&text)?);
    }
    let document = context.client.get(&path).await?;
    if context.json {
        return context.print_json(&document);
    }
    let report: Report = typed("a report", &document)?;
    let mut table = Table::new(&[
        left("SERVICE"),
        right("INCIDENTS"),
        right("FIRINGS"),
        right("PAGES"),
        right("REMOVED"),
        right("MISSED"),
        right("MERGED WRONGLY"),
        right("DETECT"),
        right("ACK"),
        right("RESOLVE"),
        right("CAUSE KNOWN"),
        right("LABELS"),
    ]);
    let services = report.services.iter().map(|(name, row)| (name.as_str(), row));
    for (name, row) in std::iter::once(("all", &report.total)).chain(services) {
        table.row([
            name.into(),
            row.incidents.to_string().into(),
            row.firings.to_string().into(),
            row.paged.to_string().into(),
            row.noise_removed.map_or_else(|| "–".to_owned(), |share| format!("{}.{} %", share / 10, share % 10)).into(),
            missed(row).into(),
            row.wrongly_merged.to_string().into(),
            median(&row.mttd).into(),
            median(&row.mtta).into(),
            median(&row.mttr).into(),
            format!("{} of {}", row.with_cause, row.closed).into(),
            row.labels.to_string().into(),
        ]);
    }
    context.terminal.write(&table.render(context.terminal.width(), context.terminal.colour()))?;
    let spend = &report.spend;
    context.terminal.line(&format!(
        "{} answers, {} with a model: {} tokens, ${:.4}",
        spend.answers, spend.with_model, spend.tokens, spend.cost
    ))?;
    if args.explain {
        for (name, what) in &report.definitions {
            context.terminal.line(&format!("{name:<14} {what}"))?;
        }
    } else {
        context.terminal.say("medians with the number of incidents behind them; --explain says what is counted");
    }
    Ok(())
}

fn missed(row: &ReportRow) -> String {
    if row.unaccounted == 0 {
        row.missed.to_string()
    } else {
        format!("{} + {} unaccounted", row.missed, row.unaccounted)
    }
}

fn median(of: &Duration) -> String {
    let Some(seconds) = of.median_s else { return "–".to_owned() };
    let text = match seconds {
        ..60.0 => format!("{seconds:.0} s"),
        60.0..3_600.0 => format!("{:.1} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3_600.0),
    };
    format!("{text} ({})", of.sample)
}
