//! `timeline`: what happened in an incident, oldest first, each line with its event.

use clap::Args;
use hindcast_api::TimelineEntry;

use crate::client::Path;
use crate::context::{CliContext, ListArgs, items};
use crate::error::Result;
use crate::parse::id::id;
use crate::text::ink::Ink;
use crate::text::table::{Table, inked, left, text};
use crate::text::times::absolute;

/// Of which incident.
#[derive(Args, Debug)]
pub struct TimelineArgs {
    /// The incident: its id or a unique prefix [default: the newest].
    #[arg(value_name = "ID", value_parser = id)]
    pub id: Option<String>,
    /// How much of the list.
    #[command(flatten)]
    pub list: ListArgs,
}

/// Shows it.
///
/// # Errors
/// When it cannot be had or shown.
pub async fn run(args: TimelineArgs, context: &mut CliContext<'_>) -> Result<()> {
    let id = context.incident_id(args.id.as_deref(), &args.list.as_of).await?;
    let path = Path::new("/api/v1/incidents").join(&id).join("timeline");
    let listed = context.list(path, &args.list).await?;
    if context.json {
        return context.print_json(&listed);
    }
    let entries: Vec<TimelineEntry> = items(&listed)?;
    let ids = context.ids(entries.iter().map(|entry| entry.event.as_str()));
    let mut table = Table::new(&[left("TIME"), text("WHAT"), text("WHO"), left("EVENT"), left("POSITION")]);
    for entry in &entries {
        table.row([
            absolute(entry.time).into(),
            entry.text.as_str().into(),
            entry.actor.as_str().into(),
            inked(ids.short(&entry.event), Ink::Faint),
            inked(format!("#{}", entry.position), Ink::Faint),
        ]);
    }
    context.terminal.write(&table.render(context.terminal.width(), context.terminal.colour()))?;
    context.say_if_more(&listed);
    Ok(())
}
