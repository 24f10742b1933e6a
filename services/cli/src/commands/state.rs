//! `state`: counts, versions and the state hash, as of any position or time.

use clap::Args;
use hindcast_api::State;

use crate::client::{Path, typed};
use crate::context::{AsOfArgs, CliContext};
use crate::error::Result;
use crate::text::ink::Ink;
use crate::text::table::{Table, inked, left, text};

/// Arguments of `hindcast state`.
#[derive(Args, Debug)]
pub struct StateArgs {
    /// A point in the past to look at instead of the present.
    #[command(flatten)]
    pub as_of: AsOfArgs,
}

/// Shows it.
///
/// # Errors
/// When it cannot be had or shown.
pub async fn run(args: StateArgs, context: &mut CliContext<'_>) -> Result<()> {
    let path = Path::new("/api/v1/state").maybe("as_of", context.as_of(&args.as_of));
    let document = context.client.get(&path).await?;
    if context.json {
        return context.print_json(&document);
    }
    let state: State = typed("the state", &document)?;
    let table = table(&state, context);
    Ok(context.terminal.write(&table.render(context.terminal.width(), context.terminal.colour()))?)
}

fn table(state: &State, context: &CliContext<'_>) -> Table {
    let mut table = Table::new(&[left(""), text("")]);
    let mut fact = |name: &str, text: String| table.row([inked(name, Ink::Faint), text.into()]);
    let settled = if state.settled { "caught up" } else { "processing" };
    let provisional = if state.provisional { ", provisional: a later commit may still change it" } else { "" };
    fact("position", format!("{}, {settled}{provisional}", state.position));
    fact("state", state.state_hash.clone());
    let incidents = state.incidents;
    let open = format!("{} open, {} acknowledged", incidents.open, incidents.acknowledged);
    fact("incidents", format!("{open}, {} resolved", incidents.resolved));
    let alerts = state.alerts;
    let firing = format!("{} firing ({} suppressed)", alerts.firing, alerts.suppressed);
    fact("alerts", format!("{firing}, {} resolved, {} stale", alerts.resolved, alerts.stale));
    fact("dead letters", state.parked.to_string());
    let versions: Vec<String> = state.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    fact("versions", versions.join(", "));
    fact("ledger", state.ledger.clone());
    let times = context.times(&AsOfArgs::default());
    for (name, service) in &state.services {
        let due = service.due.map_or_else(String::new, |due| format!(", next timer {}", times.both(due)));
        fact(name, format!("at {}{due}", service.position));
    }
    table
}
