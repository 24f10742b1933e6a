//! `verify` and `replay`: what proves the ledger and the state. Both end with 1 on any damage or difference,
//! after they have shown it.

use clap::Args;
use hindcast_api::{Redecided, Replay, Verification};
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

/// What is verified.
#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// Also decide the whole recorded past again, and exit with 1 if anything differs from what is recorded.
    #[arg(long)]
    pub redecide: bool,
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

/// Walks the chains, and decides the past again where that is asked for.
///
/// # Errors
/// On any damage or difference, and when it cannot be done.
pub async fn verify(args: VerifyArgs, context: &mut CliContext<'_>) -> Result<()> {
    let document = work("verifying", "/api/v1/verify", json!({}), context).await?;
    let verification: Verification = typed("a verification", &document)?;
    let mut is_intact = verification.intact && verification.damage.is_empty();
    let again = match args.redecide {
        true => Some(work("deciding the past again", "/api/v1/redecide", json!({}), context).await?),
        false => None,
    };
    let redecided = again.as_ref().map(|again| typed::<Redecided>("what was decided again", again)).transpose()?;
    if !context.json {
        let mut page = page(&verification, is_intact, context);
        if let Some(redecided) = &redecided {
            page.push_str(&decided_again(redecided, context));
        }
        context.terminal.write(&page)?;
    } else if let Some(again) = &again {
        context.print_json(&json!({"verification": document, "redecided": again}))?;
    } else {
        context.print_json(&document)?;
    }
    is_intact &= redecided.is_none_or(|redecided| redecided.identical);
    if is_intact { Ok(()) } else { Err(Error::NotInOrder) }
}

fn decided_again(of: &Redecided, context: &CliContext<'_>) -> String {
    let (width, colour) = (context.terminal.width(), context.terminal.colour());
    let compared = format!(
        "{} in {} decided again by engine {} in {} ms",
        count(of.events, "event"),
        count(of.commits, "commit"),
        of.engine,
        of.elapsed_ms
    );
    let mut out = if of.identical {
        format!("{}: {compared}, byte for byte\n", Ink::Good.on("identical", colour))
    } else {
        format!("{}: {compared}\n", Ink::Bad.on("decided otherwise", colour))
    };
    if !of.other_engines.is_empty() {
        let engines: Vec<String> = of.other_engines.iter().map(u32::to_string).collect();
        let folded = count(of.folded, "commit");
        out.push_str(&format!("engine changed: {folded} of engine {} not compared\n", engines.join(", ")));
    }
    let mut table = Table::new(&[left("POSITION"), text("LANE"), text("RECORDED"), text("DECIDED NOW")]).indented(2);
    for other in &of.differences {
        table.row([
            format!("#{}", other.position).into(),
            other.subject.as_str().into(),
            other.recorded.as_deref().unwrap_or("nothing").into(),
            other.decided.as_deref().unwrap_or("nothing").into(),
        ]);
    }
    if !of.differences.is_empty() {
        out.push_str(&table.render(width, colour));
    }
    out
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
