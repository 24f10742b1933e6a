//! `heartbeats`: senders, how often each repeats what fires, and whether it is silent.

use clap::Args;
use hindcast_api::{HeartbeatStatus, Page, SenderHeartbeat};
use hindcast_domain::Span;

use crate::client::{Path, typed};
use crate::context::{AsOfArgs, CliContext};
use crate::error::Result;
use crate::text::ink::Ink;
use crate::text::table::{Table, inked, left, right, text};
use crate::text::times::brief;

/// As of when the senders are listed.
#[derive(Args, Debug)]
pub struct HeartbeatsArgs {
    /// A point in the past to look at instead of the present.
    #[command(flatten)]
    pub as_of: AsOfArgs,
}

/// Lists senders with their rhythms.
///
/// # Errors
/// When the server cannot be asked.
pub async fn run(args: HeartbeatsArgs, context: &mut CliContext<'_>) -> Result<()> {
    let path = Path::new("/api/v1/heartbeats").maybe("as_of", context.as_of(&args.as_of));
    let document = context.client.get(&path).await?;
    if context.json {
        return context.print_json(&document);
    }
    let page: Page<SenderHeartbeat> = typed("senders with their rhythms", &document)?;
    if page.items.is_empty() {
        context.terminal.say("no sender was heard yet");
        return Ok(());
    }
    let times = context.times(&args.as_of);
    let ids = context.ids(page.items.iter().filter_map(|item| item.incident.as_ref().map(|id| id.as_str())));
    let columns =
        [text("SENDER"), left("STATUS"), right("INTERVAL"), right("FIRING"), left("LAST HEARD"), left("INCIDENT")];
    let mut table = Table::new(&columns);
    for item in &page.items {
        let ink = if item.status == HeartbeatStatus::Silent { Ink::Bad } else { Ink::Strong };
        let interval = item.interval_s.and_then(|seconds| i64::try_from(seconds).ok());
        table.row([
            name(item).into(),
            inked(item.status.as_str(), ink),
            interval.map(|seconds| brief(Span::seconds(seconds))).unwrap_or_default().into(),
            item.firing.to_string().into(),
            times.short(item.last_heard_at).into(),
            item.incident.as_ref().map(|id| ids.short(id.as_str())).unwrap_or_default().into(),
        ]);
    }
    context.terminal.write(&table.render(context.terminal.width(), context.terminal.colour()))?;
    Ok(())
}

/// A sender as people call it: with its watchdog, and its environment where that is not the usual one.
pub(super) fn name(item: &SenderHeartbeat) -> String {
    let watchdog = item.watchdog.as_ref().map(|alert| format!(" {alert}")).unwrap_or_default();
    let elsewhere = item.environment != hindcast_domain::Partition::ENVIRONMENT;
    let environment = if elsewhere { format!(" ({})", item.environment) } else { String::new() };
    format!("{}{watchdog}{environment}", item.source)
}
