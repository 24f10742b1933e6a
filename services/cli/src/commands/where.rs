//! `where`: an alert's receipt, its whole way from the socket to the page, as a list of steps.

use clap::Args;
use hindcast_api::PageAccount;
use hindcast_api::{Alert, Receipt};

use crate::client::{Path, typed};
use crate::context::{AsOfArgs, CliContext};
use crate::error::{Error, Result};
use crate::parse::id::id;
use crate::text::ink::Ink;
use crate::text::table::{Table, inked, left, text};
use crate::text::times::{Times, absolute};
use crate::text::{clean, word};
use hindcast_domain::text::count;

/// Of which alert.
#[derive(Args, Debug)]
pub struct WhereArgs {
    /// The alert: its fingerprint (Hindcast's or the sender's), a unique prefix, or its name [default: the newest].
    #[arg(value_name = "FINGERPRINT|NAME", value_parser = id)]
    pub alert: Option<String>,
    /// A point in the past to look at instead of the present.
    #[command(flatten)]
    pub as_of: AsOfArgs,
}

/// Shows it.
///
/// # Errors
/// When it cannot be had or shown.
pub async fn run(args: WhereArgs, context: &mut CliContext<'_>) -> Result<()> {
    let fingerprint = match args.alert.as_deref().map(str::trim).filter(|alert| !alert.is_empty()) {
        Some(alert) => alert.to_owned(),
        None => newest(&args.as_of, context).await?,
    };
    let path = Path::new("/api/v1/alerts").join(&fingerprint).join("receipt");
    show(&path, &args.as_of, context).await
}

/// Shows the receipt behind a path.
///
/// # Errors
/// When it cannot be had or shown.
pub(crate) async fn show(path: &Path, as_of: &AsOfArgs, context: &mut CliContext<'_>) -> Result<()> {
    let document = context.client.get(&path.clone().maybe("as_of", context.as_of(as_of))).await?;
    if context.json {
        return context.print_json(&document);
    }
    let receipt: Receipt = typed("a receipt", &document)?;
    let times = context.times(as_of);
    let text = page(&receipt, times, context);
    Ok(context.terminal.write(&text)?)
}

async fn newest(as_of: &AsOfArgs, context: &CliContext<'_>) -> Result<String> {
    let path = Path::new("/api/v1/alerts").maybe("as_of", context.as_of(as_of));
    let page = context.page(&path, None, 1).await?;
    let newest = page.items.first().ok_or_else(|| Error::NothingFound("there is no alert yet".to_owned()))?;
    Ok(typed::<Alert>("an alert", newest)?.fingerprint)
}

fn page(receipt: &Receipt, times: Times, context: &CliContext<'_>) -> String {
    let colour = context.terminal.colour();
    let alert = &receipt.alert;
    let severity = Ink::Severity(alert.severity).on(&alert.severity.as_str().to_uppercase(), colour);
    let name = Ink::Strong.on(&clean(&alert.name), colour);
    let mut out = format!("{} {severity}, {}: {name}\n", alert.fingerprint, word(&alert.status));
    out.push_str(&facts(receipt, times, context).render(context.terminal.width(), colour));
    out.push('\n');
    out.push_str(&steps(receipt).render(context.terminal.width(), colour));
    if receipt.omitted > 0 {
        let omitted = count(receipt.omitted, "step");
        out.push_str(&format!("{omitted} in the middle not shown; `hindcast events` lists all\n"));
    }
    out
}

fn facts(receipt: &Receipt, times: Times, context: &CliContext<'_>) -> Table {
    let alert = &receipt.alert;
    let mut table = Table::new(&[left(""), text("")]).indented(2);
    let mut fact = |name: &str, text: String| table.row([inked(name, Ink::Faint), text.into()]);
    let service = alert.service.as_deref().unwrap_or("no service");
    fact("about", format!("{service} in {}, from {}", alert.environment, alert.source));
    if let Some(entity) = &alert.entity {
        let rule = alert.entity_rule.as_deref().unwrap_or("unknown");
        fact("entity", format!("{entity}, by the rule {rule}"));
    }
    if let Some(observer) = &alert.observed_by {
        fact("observed by", observer.clone());
    }
    if let Some(clock) = alert.clock_in_words() {
        fact("clock", clock);
    }
    for sender in &alert.senders {
        let status = if sender.stale_at.is_some() { "fires there" } else { "ended there" };
        fact("sender", format!("{}: {status}", sender.name));
    }
    fact("since", times.both(alert.starts_at));
    if let Some(end) = alert.ends_at {
        fact("until", times.both(end));
    }
    fact("received", format!("{}, last {}", count(alert.occurrences, "time"), times.both(alert.last_seen_at)));
    if let Some(incident) = &alert.incident {
        fact("incident", context.ids([]).short(incident).to_owned());
    }
    let accounted = match &receipt.accounted {
        PageAccount::Paged => "sent for this alert",
        PageAccount::IncidentPaged => "sent for its incident",
        PageAccount::Suppressed => "suppressed by a silence",
        PageAccount::Held => "delayed",
        PageAccount::NotRequired => "not required",
        other @ (PageAccount::Unaccounted | PageAccount::Other(_)) => other.as_str(),
    };
    let until = receipt.until.map_or_else(String::new, |until| format!(", until {}", times.both(until)));
    fact("page", format!("{accounted}{until}"));
    table
}

fn steps(receipt: &Receipt) -> Table {
    let mut table = Table::new(&[left(""), left(""), text(""), left("")]).indented(2);
    for step in &receipt.steps {
        table.row([
            absolute(step.time).into(),
            inked(step.stage_in_words(), Ink::Strong),
            step.text.as_str().into(),
            inked(format!("#{}", step.position), Ink::Faint),
        ]);
    }
    table
}
