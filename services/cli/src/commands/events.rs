//! `events`: the ledger, oldest first, one event a line as JSON. Owns paging through it and the bar; following
//! it stands in [`super::follow`].

use clap::Args;

use super::event_line::{line, position};
use super::follow;
use crate::client::Path;
use crate::context::{AsOfArgs, CliContext};
use crate::error::{Error, Result};

/// Arguments of `hindcast events`.
#[derive(Args, Debug)]
pub struct EventsArgs {
    /// Only events of this kind: intake, decision, a type such as incident.opened, or its first word.
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// Only events at or after this position.
    #[arg(long, value_name = "POSITION")]
    pub from: Option<u64>,
    /// Only events at or before this position.
    #[arg(long, value_name = "POSITION")]
    pub to: Option<u64>,
    /// Only events about this incident, alert or notice: its full id, not a prefix.
    #[arg(long, value_name = "ID", conflicts_with = "follow")]
    pub subject: Option<String>,
    /// The number of events at most [default: all].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "follow")]
    pub limit: Option<u64>,
    /// Keep printing new events until interrupted.
    #[arg(long, short, conflicts_with = "as_of")]
    pub follow: bool,
    /// A point in the past to look at instead of the present.
    #[command(flatten)]
    pub as_of: AsOfArgs,
}

/// Prints them.
///
/// # Errors
/// When they cannot be had or written.
pub async fn run(args: EventsArgs, context: &mut CliContext<'_>) -> Result<()> {
    if let (Some(from), Some(to)) = (args.from, args.to)
        && to < from
    {
        return Err(Error::Usage(format!("expected --to at or after --from, got {from} and {to}")));
    }
    let head = print(&args, context).await?;
    context.terminal.flush()?;
    if args.follow && args.to.is_none_or(|to| to > head) {
        return follow::run(args.kind.as_deref(), head, args.to, context).await;
    }
    Ok(())
}

/// Prints up to the head, and answers with its position. The first page's cursor keeps the list there.
async fn print(args: &EventsArgs, context: &mut CliContext<'_>) -> Result<u64> {
    let path = Path::new("/api/v1/events")
        .maybe("kind", args.kind.as_deref())
        .maybe("from", args.from)
        .maybe("to", args.to)
        .maybe("subject", args.subject.as_deref())
        .maybe("as_of", context.as_of(&args.as_of));
    let mut left = args.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let mut cursor: Option<String> = None;
    let mut head = 0;
    // Lines on a terminal are bar enough.
    let bar = (!context.terminal.is_interactive()).then(|| context.terminal.bar("events", 0));
    loop {
        let page = context.page(&path, cursor.as_deref(), left).await?;
        head = head.max(page.position);
        for event in &page.items {
            line(event, context)?;
        }
        left = left.saturating_sub(page.items.len());
        if let (Some(bar), Some(last)) = (&bar, page.items.last()) {
            let (from, to) = (args.from.unwrap_or(0), args.to.unwrap_or(head).min(head));
            bar.set_length(to.saturating_sub(from));
            bar.set_position(position(last)?.saturating_sub(from));
        }
        let same = page.next.is_some() && page.next == cursor;
        cursor = page.next;
        if cursor.is_none() || left == 0 || page.items.is_empty() || same {
            break;
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    Ok(head)
}
