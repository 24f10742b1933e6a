//! `verify` and `replay`: what proves the ledger and the state. Both end with 1 on any damage or difference,
//! after they have shown it.

use clap::Args;
use hindcast_api::{Replay, Verification};
use reqwest::Method;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::client::{Path, typed};
use crate::context::CliContext;
use crate::error::{Error, Result};
use crate::parse::when::{AsOfArg, as_of};
use crate::text::ink::Ink;
use crate::text::table::{Table, left, text};
use hindcast_domain::text::count;

/// Up to where.
#[derive(Args, Debug)]
pub struct ReplayArgs {
    /// Rebuild up to this position or time [default: the newest event].
    #[arg(long, alias = "as-of", value_name = "POSITION|TIME", value_parser = as_of)]
    pub to: Option<AsOfArg>,
}

/// Folds afresh and compares.
///
/// # Errors
/// On any difference, and when it cannot be done.
pub async fn replay(args: ReplayArgs, context: &mut CliContext<'_>) -> Result<()> {
    let body = match args.to {
        None => json!({}),
        Some(AsOfArg::Position(position)) => json!({"to": position}),
        Some(to) => json!({"to": to.query(context.now())}),
    };
    let document = work("replaying", "/api/v1/replay", body, context).await?;
    let replay: Replay = typed("a replay", &document)?;
    if context.json {
        context.print_json(&document)?;
    } else {
        let events = count(replay.events, "event");
        let sign = if replay.identical { "=" } else { "≠" };
        let line = format!(
            "replayed {events} up to #{} in {} ms: state {} {sign} live {}",
            replay.position, replay.elapsed_ms, replay.replayed_hash, replay.live_hash
        );
        let ink = if replay.identical { Ink::Good } else { Ink::Bad };
        context.terminal.line(&ink.on(&line, context.terminal.colour()))?;
    }
    if replay.identical { Ok(()) } else { Err(Error::NotInOrder) }
}

/// Walks the chains.
///
/// # Errors
/// On any damage, and when it cannot be done.
pub async fn verify(context: &mut CliContext<'_>) -> Result<()> {
    let document = work("verifying", "/api/v1/verify", json!({}), context).await?;
    let verification: Verification = typed("a verification", &document)?;
    let is_intact = verification.intact && verification.damage.is_empty();
    if context.json {
        context.print_json(&document)?;
    } else {
        let page = page(&verification, is_intact, context);
        context.terminal.write(&page)?;
    }
    if is_intact { Ok(()) } else { Err(Error::NotInOrder) }
}

fn page(verification: &Verification, is_intact: bool, context: &CliContext<'_>) -> String {
    let (width, colour) = (context.terminal.width(), context.terminal.colour());
    let walked = format!(
        "{} in {} up to #{}",
        count(verification.events, "event"),
        count(verification.commits, "commit"),
        verification.position
    );
    let mut out = if is_intact {
        format!("{}: {walked}\n", Ink::Good.on("intact", colour))
    } else {
        let damage = u64::try_from(verification.damage.len()).unwrap_or(u64::MAX);
        format!("{} in {} of {walked}\n", Ink::Bad.on("damaged", colour), count(damage, "place"))
    };
    let mut table = Table::new(&[left("POSITION"), text("SUBJECT"), text("DAMAGE")]).indented(2);
    for damage in &verification.damage {
        table.row([
            format!("#{}", damage.position).into(),
            damage.subject.as_str().into(),
            damage.detail.as_str().into(),
        ]);
    }
    if !verification.damage.is_empty() {
        out.push_str(&table.render(width, colour));
    }
    if !verification.bound.is_empty() {
        out.push_str(&format!("not found by this walk: {}\n", crate::text::clean(&verification.bound)));
    }
    out
}

/// Asks for what takes its time.
async fn work(what: &'static str, path: &str, body: Value, context: &CliContext<'_>) -> Result<Box<RawValue>> {
    let spinner = context.terminal.spinner(what);
    let request = context.client.request(Method::POST, &Path::new(path)).json(&body);
    let answer = context.client.send_and_wait(request).await;
    spinner.finish_and_clear();
    context.client.json(answer?).await
}
