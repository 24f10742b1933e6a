//! `postmortem`: a draft that cites events, as Markdown.

use std::path::PathBuf;

use clap::Args;
use hindcast_api::Postmortem;

use crate::client::{Path, typed};
use crate::context::{AsOfArgs, CliContext};
use crate::error::{Error, Result};
use crate::text::clean_lines;
use hindcast_domain::text::count;

/// Of which incident.
#[derive(Args, Debug)]
pub struct PostmortemArgs {
    /// The incident: its id or a unique prefix [default: the newest].
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// Write it into this file; one that is there is replaced.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// A point in the past to look at instead of the present.
    #[command(flatten)]
    pub as_of: AsOfArgs,
}

/// Writes it.
///
/// # Errors
/// When it cannot be had or written.
pub async fn run(args: PostmortemArgs, context: &mut CliContext<'_>) -> Result<()> {
    let id = context.incident_id(args.id.as_deref(), &args.as_of).await?;
    let path = Path::new("/api/v1/incidents").join(&id).join("postmortem").maybe("as_of", context.as_of(&args.as_of));
    let document = context.client.get(&path).await?;
    if context.json && args.output.is_none() {
        return context.print_json(&document);
    }
    let drafted: Postmortem = typed("a postmortem", &document)?;
    let text = if context.json { document.get().to_owned() } else { clean_lines(&drafted.markdown) };
    let Some(file) = &args.output else {
        return Ok(context.terminal.write(&text)?);
    };
    std::fs::write(file, &text).map_err(|error| {
        Error::failed(
            format!("expected to write {}: {error}", file.display()),
            "Name a file in a folder that is there.",
        )
    })?;
    let events = count(u64::try_from(drafted.citations.len()).unwrap_or(u64::MAX), "event");
    context.terminal.say(&format!("{} written, citing {events} as of #{}", file.display(), drafted.position));
    Ok(())
}
