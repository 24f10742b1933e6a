//! `silence`, `silences`, `unsilence`: holding alerts back, with an end.

use clap::Args;
use clap::builder::PossibleValuesParser;
use hindcast_api::Silence;
use hindcast_domain::Span;
use hindcast_domain::silence::{Kind, Matcher, NotRepeating, RepeatingWindow};
use reqwest::Method;
use serde_json::{Value, json};

use super::order::{OrderOutcome, SeenArgs, submit};
use crate::client::{Path, typed};
use crate::context::{CliContext, ListArgs};
use crate::error::{Error, Result};
use crate::parse::id::id;
use crate::parse::matcher::matcher;
use crate::parse::span::span;
use crate::parse::when::{When, when};
use crate::text::ink::Ink;
use crate::text::table::{Table, inked, left, right, text};
use crate::text::times::Times;
use crate::text::{clean, word};

/// What is suppressed, and until when.
#[derive(Args, Debug)]
pub struct SilenceArgs {
    /// name=value, name!=value, name=~regex or name!~regex; a word alone is an alert's name. All must match.
    #[arg(value_name = "MATCHER", required = true, value_parser = matcher)]
    pub matchers: Vec<Matcher>,
    /// Duration, such as 90m, 2h or 1d [default: 1h].
    #[arg(long = "for", short = 'd', alias = "duration", value_name = "DURATION", value_parser = span)]
    pub span: Option<Span>,
    /// The reason, for people who find the silence.
    #[arg(long, short, value_name = "TEXT", default_value = "from the command line")]
    pub comment: String,
    /// Create a planned maintenance window.
    #[arg(long)]
    pub maintenance: bool,
    /// Start, such as 22:00 [default: now].
    #[arg(long, alias = "start", value_name = "TIME", value_parser = when)]
    pub starts_at: Option<When>,
    /// End, such as 23:30; an alternative to --for.
    #[arg(long, alias = "end", value_name = "TIME", value_parser = when, conflicts_with = "span")]
    pub ends_at: Option<When>,
    /// Suppress only alerts of this environment.
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,
    /// Repeat in the local time of a place: "sat,sun 02:30-05:00 Europe/Berlin", "2nd tue 02:00-04:00 UTC", "daily 22:00-06:00 UTC".
    #[arg(long, value_name = "WINDOW", value_parser = repeat, conflicts_with_all = ["span", "ends_at"])]
    pub repeat: Option<RepeatingWindow>,
    /// The silence that this one replaces.
    #[arg(long, value_name = "ID", value_parser = id)]
    pub replaces: Option<String>,
}

/// Arguments of `hindcast silences`.
#[derive(Args, Debug)]
pub struct SilencesArgs {
    /// Only silences in these states, separated by commas.
    #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(["pending", "active", "expired"]))]
    pub state: Vec<String>,
    /// How much of the list.
    #[command(flatten)]
    pub list: ListArgs,
}

/// Which silence.
#[derive(Args, Debug)]
pub struct UnsilenceArgs {
    /// The silence: its id or a unique prefix.
    #[arg(value_name = "ID", value_parser = id)]
    pub id: String,
    /// What you had seen.
    #[command(flatten)]
    pub seen: SeenArgs,
}

fn repeat(text: &str) -> std::result::Result<RepeatingWindow, NotRepeating> {
    text.parse()
}

/// Creates one.
///
/// # Errors
/// When it is refused, or nobody answers.
pub async fn create(args: SilenceArgs, context: &mut CliContext<'_>) -> Result<()> {
    let path = Path::new("/api/v1/silences");
    let body = body(&args, context)?;
    match submit::<Silence>(Method::POST, path, Some(body), &SeenArgs::default(), context).await? {
        OrderOutcome::Told => Ok(()),
        OrderOutcome::Done(silence) => tell(&silence, context),
    }
}

fn body(args: &SilenceArgs, context: &CliContext<'_>) -> Result<Value> {
    let now = context.now();
    let starts_at = args.starts_at.map(|when| when.future(now));
    let ends_at = args.ends_at.map(|when| when.future(now));
    if let (Some(starts_at), Some(ends_at)) = (starts_at, ends_at)
        && ends_at <= starts_at
    {
        return Err(Error::Usage(format!("expected an end after the start, got {ends_at} after {starts_at}")));
    }
    let mut body = json!({
        "matchers": args.matchers,
        "comment": args.comment,
        "created_by": context.client.actor(),
        "kind": if args.maintenance { Kind::Maintenance } else { Kind::Silence },
    });
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body[name] = value;
        }
    };
    set("starts_at", starts_at.map(|time| json!(time)));
    set("ends_at", ends_at.map(|time| json!(time)));
    set("repeats", args.repeat.as_ref().map(|repeats| json!(repeats)));
    if ends_at.is_none() && args.repeat.is_none() {
        // Relative to the server's clock, which may not be ours; whole seconds.
        let span = args.span.unwrap_or(Span::hours(1));
        set("duration", Some(json!((span.as_millis() + 999) / 1_000)));
    }
    set("environment", args.environment.as_ref().map(|name| json!(name)));
    set("replaces", args.replaces.as_ref().map(|id| json!(id)));
    Ok(body)
}

/// Ends one.
///
/// # Errors
/// When it is refused, or nobody answers.
pub async fn end(args: UnsilenceArgs, context: &mut CliContext<'_>) -> Result<()> {
    let path = Path::new("/api/v1/silences").join(args.id.trim());
    match submit::<Silence>(Method::DELETE, path, None, &args.seen, context).await? {
        OrderOutcome::Told => Ok(()),
        OrderOutcome::Done(silence) => tell(&silence, context),
    }
}

fn tell(silence: &Silence, context: &mut CliContext<'_>) -> Result<()> {
    let times = Times::new(Some(context.now()));
    let id = Ink::Strong.on(context.ids([]).short(&silence.id), context.terminal.colour());
    let until = match &silence.ended {
        Some(reason) => format!("ended ({reason})"),
        None => format!("until {}", times.both(silence.terms.ends_at)),
    };
    let line = format!("{id} {}, {until}: {}", word(&silence.state), clean(&spelt(&silence.terms.matchers)));
    context.terminal.line(&line)?;
    if let Some(repeats) = &silence.terms.repeats {
        context.terminal.say(&format!("repeats {repeats}; each time is a silence of its own"));
    }
    if silence.ended.is_none() {
        let short = context.ids([]).short(&silence.id).to_owned();
        context.terminal.say(&format!("`hindcast unsilence {short}` ends it"));
    }
    Ok(())
}

/// Matchers as they were typed.
fn spelt(matchers: &[Matcher]) -> String {
    matchers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Lists them.
///
/// # Errors
/// When they cannot be had or shown.
pub async fn list(args: SilencesArgs, context: &mut CliContext<'_>) -> Result<()> {
    let mut listed = context.list(Path::new("/api/v1/silences"), &args.list).await?;
    let mut silences = Vec::with_capacity(listed.items.len());
    let mut items = Vec::with_capacity(listed.items.len());
    for item in std::mem::take(&mut listed.items) {
        let silence: Silence = typed("a silence", &item)?;
        if args.state.is_empty() || args.state.contains(&word(&silence.state)) {
            silences.push(silence);
            items.push(item);
        }
    }
    listed.items = items;
    if context.json {
        return context.print_json(&listed);
    }
    if silences.is_empty() {
        context.terminal.say("no silences");
        return Ok(());
    }
    let times = context.times(&args.list.as_of);
    let table = table(&silences, times, context);
    context.terminal.write(&table.render(context.terminal.width(), context.terminal.colour()))?;
    context.say_if_more(&listed);
    Ok(())
}

fn table(silences: &[Silence], times: Times, context: &CliContext<'_>) -> Table {
    let ids = context.ids(silences.iter().map(|silence| silence.id.as_str()));
    let mut table = Table::new(&[
        left("ID"),
        left("STATE"),
        left("KIND"),
        left("FROM"),
        left("UNTIL"),
        text("OWNER"),
        right("HOLDS"),
        text("MATCHERS"),
        text("COMMENT"),
    ]);
    for silence in silences {
        let terms = &silence.terms;
        let until = match &silence.ended {
            Some(reason) => reason.to_string(),
            None => format!("{} ({})", times.short(terms.ends_at), times.relative(terms.ends_at)),
        };
        table.row([
            inked(ids.short(&silence.id), Ink::Strong),
            word(&silence.state).into(),
            word(&terms.kind).into(),
            times.short(terms.starts_at).into(),
            until.into(),
            terms.created_by.as_str().into(),
            match (silence.holds, silence.matched) {
                (Some(0), Some(false)) => "never".into(),
                (Some(holds), _) => holds.to_string().into(),
                (None, _) => "".into(),
            },
            spelt(&terms.matchers).into(),
            terms.comment.as_str().into(),
        ]);
    }
    table
}
