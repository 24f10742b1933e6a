//! `oncall`: who is on call, by each schedule, now or at another time.

use clap::Args;
use hindcast_api::Page;
use hindcast_domain::Time;
use hindcast_domain::oncall::OnCall;

use crate::client::{Path, typed};
use crate::context::{AsOfArgs, CliContext};
use crate::error::Result;
use crate::text::ink::Ink;
use crate::text::table::{Table, inked, left, text};

/// The time that is asked about, and the incident that the escalation is shown for.
#[derive(Args, Debug)]
pub struct OnCallArgs {
    /// At this time instead of now (RFC 3339).
    #[arg(long, value_name = "TIME")]
    pub at: Option<Time>,
    /// By the schedules for this service alone.
    #[arg(long, value_name = "SERVICE")]
    pub service: Option<String>,
    /// A point in the past to look at instead of the present.
    #[command(flatten)]
    pub as_of: AsOfArgs,
}

/// Shows who is on call.
///
/// # Errors
/// When the server cannot be asked.
pub async fn run(args: OnCallArgs, context: &mut CliContext<'_>) -> Result<()> {
    let path = Path::new("/api/v1/oncall")
        .maybe("at", args.at.map(|time| time.to_string()))
        .maybe("service", args.service)
        .maybe("as_of", context.as_of(&args.as_of));
    let document = context.client.get(&path).await?;
    if context.json {
        return context.print_json(&document);
    }
    let page: Page<OnCall> = typed("who is on call", &document)?;
    if page.items.is_empty() {
        context.terminal.say("nobody is on call; `[[oncall]]` in hindcast.toml is a schedule");
        return Ok(());
    }
    let times = context.times(&args.as_of);
    let mut table = Table::new(&[text("SCHEDULE"), text("ON CALL"), text("BY"), left("UNTIL"), text("NEXT")]);
    for item in &page.items {
        table.row([
            item.schedule.as_str().into(),
            inked(item.who.clone(), Ink::Strong),
            item.by.as_str().into(),
            item.until.map(|until| times.both(until)).unwrap_or_default().into(),
            item.next.clone().unwrap_or_default().into(),
        ]);
    }
    context.terminal.write(&table.render(context.terminal.width(), context.terminal.colour()))?;
    Ok(())
}
