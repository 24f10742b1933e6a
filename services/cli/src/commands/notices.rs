//! `notices`: what was sent, held or suppressed, and why.

use clap::Args;
use clap::builder::PossibleValuesParser;
use hindcast_api::Notice;

use super::incidents::words;
use crate::client::Path;
use crate::context::{CliContext, ListArgs, items};
use crate::error::Result;
use crate::parse::id::id;
use crate::text::ink::Ink;
use crate::text::table::{Table, inked, left, right, text};
use crate::text::times::Times;
use crate::text::word;

const STATUS: [&str; 5] = ["requested", "delivered", "expired", "held", "released"];

/// Arguments of `hindcast notices`.
#[derive(Args, Debug)]
pub struct NoticesArgs {
    /// Only notifications about this incident.
    #[arg(long, value_name = "ID", value_parser = id)]
    pub incident: Option<String>,
    /// Only notifications in these states, separated by commas.
    #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(STATUS))]
    pub status: Vec<String>,
    /// Only pages, which may wake somebody (true), or only other notifications (false).
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub page: Option<bool>,
    /// How much of the list.
    #[command(flatten)]
    pub list: ListArgs,
}

/// Lists them.
///
/// # Errors
/// When they cannot be had or shown.
pub async fn run(args: NoticesArgs, context: &mut CliContext<'_>) -> Result<()> {
    let path = Path::new("/api/v1/notices")
        .maybe("incident", args.incident.as_deref())
        .maybe("status", words(&args.status))
        .maybe("page", args.page);
    let listed = context.list(path, &args.list).await?;
    if context.json {
        return context.print_json(&listed);
    }
    let notices: Vec<Notice> = items(&listed)?;
    if notices.is_empty() {
        context.terminal.say("no notices");
        return Ok(());
    }
    let times = context.times(&args.list.as_of);
    let table = table(&notices, times, context);
    context.terminal.write(&table.render(context.terminal.width(), context.terminal.colour()))?;
    context.say_if_more(&listed);
    Ok(())
}

fn table(notices: &[Notice], times: Times, context: &CliContext<'_>) -> Table {
    let ids = context.ids(notices.iter().filter_map(|notice| notice.incident.as_deref()));
    let mut table = Table::new(&[
        left("TIME"),
        left("AGO"),
        left("STATUS"),
        left("KIND"),
        left("REASON"),
        text("RECEIVER"),
        left("INCIDENT"),
        right("TRIES"),
        text("TITLE"),
        text("WHY"),
    ]);
    for notice in notices {
        let ink = match &notice.error {
            Some(_) if notice.delivered_at.is_none() => Ink::Bad,
            _ => Ink::Plain,
        };
        table.row([
            times.short(notice.at).into(),
            times.relative(notice.at).into(),
            inked(word(&notice.status), ink),
            if notice.page { inked("page", Ink::Severity(notice.severity)) } else { "message".into() },
            word(&notice.reason).replace('_', " ").into(),
            notice.receiver.as_deref().unwrap_or_default().into(),
            notice.incident.as_deref().map_or("", |id| ids.short(id)).into(),
            notice.attempts.to_string().into(),
            notice.title.as_str().into(),
            why(notice, times).into(),
        ]);
    }
    table
}

fn why(notice: &Notice, times: Times) -> String {
    match (&notice.error, &notice.why) {
        (Some(error), _) => error.clone(),
        (None, Some(why)) => format!("{why} until {}", times.short(notice.until)),
        (None, None) => String::new(),
    }
}
