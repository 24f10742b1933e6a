//! `memory`: what incidents of the past taught: looked for by words, or shown for one incident.

use clap::{Args, Subcommand};
use hindcast_api::{Incident, SimilarPage};

use super::advice::similar::told;
use super::promised;
use crate::client::{Path, typed};
use crate::context::{AsOfArgs, CliContext};
use crate::error::Result;
use crate::parse::id::id;
use crate::text::clean;
use crate::text::labelled::Labelled;

/// What to do with it.
#[derive(Subcommand, Debug)]
pub enum MemoryCommand {
    /// Search past incidents by words.
    Search(SearchArgs),
    /// Show what is stored of an incident, and similar incidents.
    Show(MemoryShowArgs),
    /// Import past incidents from another system (promised, not built yet).
    Import(promised::PromisedArgs),
    /// Remove an incident from the memory (promised, not built yet).
    Forget(promised::PromisedArgs),
}

/// Arguments of `hindcast memory search`.
#[derive(Args, Debug)]
pub struct SearchArgs {
    /// The words to search for, such as those of an alert or a log line.
    #[arg(value_name = "TEXT", required = true, num_args = 1..)]
    pub text: Vec<String>,
    /// The number of incidents at most.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub limit: u32,
    /// A point in the past to look at instead of the present.
    #[command(flatten)]
    pub as_of: AsOfArgs,
}

/// Of which incident.
#[derive(Args, Debug)]
pub struct MemoryShowArgs {
    /// The incident: its id or a unique prefix [default: the newest].
    #[arg(value_name = "ID", value_parser = id)]
    pub id: Option<String>,
    /// A point in the past to look at instead of the present.
    #[command(flatten)]
    pub as_of: AsOfArgs,
}

impl MemoryCommand {
    pub(crate) const fn is_local(&self) -> bool {
        matches!(self, Self::Import(_) | Self::Forget(_))
    }
}

/// Does it.
///
/// # Errors
/// When the server refuses, or it is not built.
pub async fn run(command: MemoryCommand, context: &mut CliContext<'_>) -> Result<()> {
    match command {
        MemoryCommand::Search(args) => search(args, context).await,
        MemoryCommand::Show(args) => show(args, context).await,
        MemoryCommand::Import(_) => Err(promised::refusal("memory import")),
        MemoryCommand::Forget(_) => Err(promised::refusal("memory forget")),
    }
}

async fn search(args: SearchArgs, context: &mut CliContext<'_>) -> Result<()> {
    let words = args.text.join(" ");
    let path = Path::new("/api/v1/memory")
        .query("q", &words)
        .query("limit", args.limit)
        .maybe("as_of", context.as_of(&args.as_of));
    let document = context.client.get(&path).await?;
    if context.json {
        return context.print_json(&document);
    }
    let page: SimilarPage = typed("memory", &document)?;
    let head = format!("{:?} as of #{}", clean(&words), page.position);
    let text = told(&head, &page, context.times(&args.as_of), context);
    Ok(context.terminal.write(&text)?)
}

async fn show(args: MemoryShowArgs, context: &mut CliContext<'_>) -> Result<()> {
    let id = context.incident_id(args.id.as_deref(), &args.as_of).await?;
    let as_of = context.as_of(&args.as_of);
    let path = Path::new("/api/v1/incidents").join(&id);
    let similar = path.clone().join("similar").maybe("as_of", as_of.as_ref());
    let path = path.maybe("as_of", as_of.as_ref());
    let (incident, similar) = futures::join!(context.client.get(&path), context.client.get(&similar));
    let similar = similar?;
    if context.json {
        return context.print_json(&similar);
    }
    let incident: Incident = typed("an incident", &incident?)?;
    let page: SimilarPage = typed("similar incidents", &similar)?;
    let times = context.times(&args.as_of);
    let mut lines = Labelled::default();
    lines.add("began", times.both(incident.started_at), &[]);
    if !incident.services.is_empty() {
        lines.add("affected", incident.services.join(", "), &[]);
    }
    lines.add("cause", incident.cause.as_deref().unwrap_or("not recorded"), &[]);
    lines.add("resolution", incident.resolution.as_deref().unwrap_or("not recorded"), &[]);
    let id = context.ids([]).short(&incident.id).to_owned();
    let mut text = format!("{id}: {}\n", clean(&incident.title));
    text.push_str(&lines.render(2, context.terminal.width(), context.terminal.colour()));
    text.push_str(&told(&format!("\nsimilar to {id} as of #{}", page.position), &page, times, context));
    Ok(context.terminal.write(&text)?)
}
