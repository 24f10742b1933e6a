//! `parked`: what was accepted and could not be handled: listed, retried, discarded.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use hindcast_api::Parked;
use hindcast_domain::words::ParkedStatus;
use reqwest::Method;
use serde_json::{Value, json};

use super::order::{OrderOutcome, SeenArgs, submit};
use crate::client::{Path, typed};
use crate::context::{CliContext, ListArgs};
use crate::error::{Error, Result};
use crate::parse::id::id;
use crate::text::ink::Ink;
use crate::text::table::{Table, inked, left, text};
use crate::text::times::Times;

/// What to do with dead letters.
#[derive(Subcommand, Debug)]
pub enum ParkedCommand {
    /// List dead letters, newest first.
    List(ParkedList),
    /// Process a dead letter again.
    Retry(ParkedItem),
    /// Discard a dead letter. It stays in the ledger.
    Discard(ParkedItem),
}

/// Which items.
#[derive(Args, Debug)]
pub struct ParkedList {
    /// Only dead letters in these states, separated by commas [default: parked].
    #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(ParkedStatus::WORDS.iter().copied()))]
    pub status: Vec<String>,
    /// How much of the list.
    #[command(flatten)]
    pub list: ListArgs,
}

/// Arguments of `hindcast parked retry` and `hindcast parked discard`.
#[derive(Args, Debug)]
pub struct ParkedItem {
    /// The dead letter: its id or a unique prefix.
    #[arg(value_name = "ID", value_parser = id)]
    pub id: String,
}

/// Does it.
///
/// # Errors
/// When it is refused, or nobody answers.
pub async fn run(command: ParkedCommand, context: &mut CliContext<'_>) -> Result<()> {
    match command {
        ParkedCommand::List(args) => list(args, context).await,
        ParkedCommand::Retry(item) => act(&item.id, "retry", "retried", context).await,
        ParkedCommand::Discard(item) => act(&item.id, "discard", "discarded", context).await,
    }
}

async fn act(id: &str, word: &str, said: &str, context: &mut CliContext<'_>) -> Result<()> {
    let path = Path::new("/api/v1/parked").join(id.trim()).join(word);
    match submit::<Value>(Method::POST, path, Some(json!({})), &SeenArgs::default(), context).await? {
        OrderOutcome::Told => Ok(()),
        OrderOutcome::Done(answer) => {
            let rejected = answer.get("rejected").and_then(Value::as_array).and_then(|rejected| rejected.first());
            if let Some(rejected) = rejected {
                let text = |name: &str| rejected.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                return Err(Error::failed(
                    format!("{id} still cannot be processed: {}", text("detail")),
                    text("remedy"),
                ));
            }
            let id = answer.get("id").and_then(Value::as_str).unwrap_or(id.trim()).to_owned();
            Ok(context.terminal.line(&format!("{} {said}", context.ids([]).short(&id)))?)
        }
    }
}

async fn list(args: ParkedList, context: &mut CliContext<'_>) -> Result<()> {
    // The server can leave out what was dealt with; every other choice is made here.
    let is_open = args.status.iter().all(|status| status == "parked");
    let path = Path::new("/api/v1/parked").maybe("status", is_open.then_some("parked"));
    let mut listed = context.list(path, &args.list).await?;
    let mut parked = Vec::with_capacity(listed.items.len());
    let mut items = Vec::with_capacity(listed.items.len());
    for item in std::mem::take(&mut listed.items) {
        let one: Parked = typed("a dead letter", &item)?;
        let wanted = if is_open {
            one.status == ParkedStatus::Parked
        } else {
            args.status.iter().any(|status| one.status == status.as_str())
        };
        if wanted {
            parked.push(one);
            items.push(item);
        }
    }
    listed.items = items;
    if context.json {
        return context.print_json(&listed);
    }
    if parked.is_empty() {
        context.terminal.say("no dead letters");
        return Ok(());
    }
    let times = context.times(&args.list.as_of);
    let table = table(&parked, times, context);
    context.terminal.write(&table.render(context.terminal.width(), context.terminal.colour()))?;
    context.say_if_more(&listed);
    Ok(())
}

fn table(parked: &[Parked], times: Times, context: &CliContext<'_>) -> Table {
    let ids = context.ids(parked.iter().map(|item| item.id.as_str()));
    let mut table = Table::new(&[
        left("ID"),
        left("STATUS"),
        left("TIME"),
        text("SOURCE"),
        left("CODE"),
        text("WHAT"),
        text("REMEDY"),
    ]);
    for item in parked {
        table.row([
            inked(ids.short(&item.id), Ink::Strong),
            item.status.as_str().into(),
            times.short(item.at).into(),
            item.source.as_str().into(),
            item.code.as_str().into(),
            item.detail.as_str().into(),
            item.remedy.as_str().into(),
        ]);
    }
    table
}
