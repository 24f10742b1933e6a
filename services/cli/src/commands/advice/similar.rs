//! `similar`: incidents of the past that are like this one, with what they were and what ended them; look-alikes
//! with what sets them apart.

use clap::Args;
use hindcast_api::{Similar, SimilarPage};
use hindcast_domain::Span;

use super::{positions, score};
use crate::client::{Path, typed};
use crate::context::{AsOfArgs, CliContext};
use crate::error::Result;
use crate::text::ids::Ids;
use crate::text::ink::Ink;
use crate::text::labelled::Labelled;
use crate::text::times::{Times, brief};
use crate::text::{clean, word};

/// To which incident.
#[derive(Args, Debug)]
pub struct SimilarArgs {
    /// The incident: its id or a unique prefix [default: the newest].
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// A point in the past to look at instead of the present.
    #[command(flatten)]
    pub as_of: AsOfArgs,
}

/// Shows them.
///
/// # Errors
/// When they cannot be had or shown.
pub async fn run(args: SimilarArgs, context: &mut CliContext<'_>) -> Result<()> {
    let id = context.incident_id(args.id.as_deref(), &args.as_of).await?;
    let path = Path::new("/api/v1/incidents").join(&id).join("similar").maybe("as_of", context.as_of(&args.as_of));
    let document = context.client.get(&path).await?;
    if context.json {
        return context.print_json(&document);
    }
    let page: SimilarPage = typed("similar incidents", &document)?;
    let head = format!("{} as of #{}", context.ids([]).short(&page.incident), page.position);
    let text = told(&head, &page, context.times(&args.as_of), context);
    Ok(context.terminal.write(&text)?)
}

/// A page of them as text.
pub(crate) fn told(head: &str, page: &SimilarPage, times: Times, context: &CliContext<'_>) -> String {
    let (width, colour) = (context.terminal.width(), context.terminal.colour());
    let ids = context.ids(page.items.iter().map(|item| item.incident.as_str()));
    let stand_in = if page.stand_in { ", without an embedding model: `hindcast embedder install`" } else { "" };
    let mut out = format!("{head}, compared by {}{stand_in}\n", clean(&page.embedder));
    if page.items.is_empty() {
        out.push_str("no past incident is similar\n");
        return out;
    }
    if page.never_seen {
        out.push_str("no matching past incident; those below have similar symptoms and a different cause\n");
    }
    for item in &page.items {
        let kind = if item.same {
            Ink::Good.on("same problem", colour)
        } else {
            "similar symptoms, different cause".to_owned()
        };
        out.push_str(&format!(
            "\n{} {} {kind}, {}: {}\n",
            Ink::Strong.on(ids.short(&item.incident), colour),
            score(item.score),
            when(item, times),
            clean(&item.title)
        ));
        out.push_str(&details(item).render(2, width, colour));
    }
    out
}

fn when(item: &Similar, times: Times) -> String {
    format!("{}, {}", times.both(item.opened_at), word(&item.status))
}

fn details(item: &Similar) -> Labelled {
    let mut lines = Labelled::default();
    if !item.why.is_empty() {
        lines.add("alike", item.why.join("; "), &[]);
    }
    if !item.differs.is_empty() {
        lines.add("differs", item.differs.join("; "), &[]);
    }
    if let Some(cause) = &item.cause {
        lines.add("cause", cause, &[]);
    }
    if let Some(resolution) = &item.resolution {
        lines.add("resolution", format!("{resolution}{}", quiet(item)), &[]);
    }
    let places = positions(&item.citations);
    if !places.is_empty() {
        lines.add("events", "", &places);
    }
    lines
}

fn quiet(item: &Similar) -> String {
    item.quiet_for_s.filter(|seconds| *seconds > 0).map_or_else(String::new, |seconds| {
        let span = Span::seconds(i64::try_from(seconds).unwrap_or(i64::MAX / 2_000_000_000));
        format!("; no alert for {} after that", brief(span))
    })
}

/// One of them in one line.
pub(crate) fn short(item: &Similar, times: Times, ids: &Ids) -> String {
    let id = ids.short(&item.incident);
    let ago = times.relative(item.opened_at);
    let ago = if ago.is_empty() { String::new() } else { format!(", {ago}") };
    if !item.same {
        let differs = item.differs.first().map_or_else(String::new, |differs| format!(": {differs}"));
        return format!("{id}{ago}: similar symptoms, different cause{differs}");
    }
    let mut parts = Vec::new();
    if let Some(why) = item.why.first() {
        parts.push(why.clone());
    }
    match (&item.resolution, &item.cause) {
        (Some(resolution), _) => parts.push(format!("resolution: {resolution}{}", quiet(item))),
        (None, Some(cause)) => parts.push(format!("cause: {cause}")),
        (None, None) => {}
    }
    format!("same problem as {id}{ago}: {}", parts.join("; "))
}

/// Adds the first of them, the same before look-alikes.
pub(crate) fn first(lines: &mut Labelled, items: &[Similar], most: usize, times: Times, ids: &Ids) {
    for (index, item) in items.iter().take(most).enumerate() {
        lines.add(if index == 0 { "past" } else { "" }, short(item, times, ids), &positions(&item.citations));
    }
}
