//! `findings`: what detectors concluded from logs and metrics, newest first.

use clap::Args;
use hindcast_api::Finding;

use crate::client::Path;
use crate::context::{CliContext, ListArgs, items};
use crate::error::Result;
use crate::parse::when::{When, when};
use crate::text::ink::Ink;
use crate::text::table::{Table, inked, left, right, text};

/// Arguments of `hindcast findings`.
#[derive(Args, Debug)]
pub struct FindingsArgs {
    /// Only findings about this service.
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    /// Only findings of this environment.
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,
    /// Only findings that began at or after this time, such as 2026-11-20T03:12:00Z or 2h (ago).
    #[arg(long, value_name = "TIME", value_parser = when)]
    pub since: Option<When>,
    /// Only findings that began before this time.
    #[arg(long, value_name = "TIME", value_parser = when)]
    pub until: Option<When>,
    /// How much of the list.
    #[command(flatten)]
    pub list: ListArgs,
}

/// Lists them.
///
/// # Errors
/// When they cannot be had or shown.
pub async fn run(args: FindingsArgs, context: &mut CliContext<'_>) -> Result<()> {
    let path = Path::new("/api/v1/findings")
        .maybe("service", args.service.as_deref())
        .maybe("environment", args.environment.as_deref())
        .maybe("since", context.past(args.since))
        .maybe("until", context.past(args.until));
    let listed = context.list(path, &args.list).await?;
    if context.json {
        return context.print_json(&listed);
    }
    let findings: Vec<Finding> = items(&listed)?;
    if findings.is_empty() {
        context.terminal.say("no findings");
        return Ok(());
    }
    let times = context.times(&args.list.as_of);
    let ids = context.ids(findings.iter().map(|finding| finding.id.as_str()));
    let mut table = Table::new(&[
        left("FINDING"),
        left("BEGAN"),
        text("SERVICE"),
        left("KIND"),
        right("SCORE"),
        text("WHAT"),
        left("POSITION"),
    ]);
    for finding in &findings {
        let it = &finding.finding;
        table.row([
            inked(ids.short(&finding.id), Ink::Strong),
            times.short(it.at).into(),
            it.service.as_str().into(),
            it.kind.name().replace('_', " ").into(),
            format!("{:.2}", f64::from(it.score) / 1e3).into(),
            it.title.as_str().into(),
            inked(format!("#{}", finding.position), Ink::Faint),
        ]);
    }
    context.terminal.write(&table.render(context.terminal.width(), context.terminal.colour()))?;
    context.say_if_more(&listed);
    Ok(())
}
