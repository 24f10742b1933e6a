//! `undo`: takes an event back by a new one. Owns finding the event by its position, as it stands in every list.

use clap::Args;
use hindcast_api::Event;
use reqwest::Method;
use serde_json::{Value, json};

use super::order::{OrderOutcome, SeenArgs, submit};
use crate::client::{Path, typed};
use crate::context::CliContext;
use crate::error::{Error, Result};
use crate::parse::id::id;
use crate::text::ink::Ink;

/// Digits of the longest position below 2^53.
const POSITION_DIGITS_MAX: usize = 15;

/// Which event.
#[derive(Args, Debug)]
pub struct UndoArgs {
    /// The event: its id, a unique prefix, or its position.
    #[arg(value_name = "EVENT|POSITION", value_parser = id)]
    pub event: String,
    /// What you had seen.
    #[command(flatten)]
    pub seen: SeenArgs,
}

/// Takes it back.
///
/// # Errors
/// When it is refused, or nobody answers.
pub async fn run(args: UndoArgs, context: &mut CliContext<'_>) -> Result<()> {
    let text = args.event.trim();
    let event = match position(text) {
        Some(position) => at(position, context).await?,
        None => text.to_owned(),
    };
    let path = Path::new("/api/v1/undo");
    match submit::<Value>(Method::POST, path, Some(json!({"event": event})), &args.seen, context).await? {
        OrderOutcome::Told => Ok(()),
        OrderOutcome::Done(thing) => {
            let field = |name: &str| thing.get(name).and_then(Value::as_str);
            let id = field("id").or_else(|| field("fingerprint")).unwrap_or_default();
            let status = field("status").or_else(|| field("state")).unwrap_or("changed");
            let short = Ink::Strong.on(context.ids([]).short(id), context.terminal.colour());
            Ok(context.terminal.line(&format!("{event} undone; {short} is {status} now"))?)
        }
    }
}

fn position(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    if digits.len() > POSITION_DIGITS_MAX || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

async fn at(position: u64, context: &CliContext<'_>) -> Result<String> {
    let path = Path::new("/api/v1/events").query("from", position).query("to", position);
    let page = context.page(&path, None, 1).await?;
    let absent = || Error::NothingFound(format!("there is no event at position {position}"));
    Ok(typed::<Event>("an event", page.items.first().ok_or_else(absent)?)?.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_named_by_position_or_id() {
        assert_eq!(position("#8812"), Some(8_812));
        assert_eq!(position("8812"), Some(8_812));
        assert_eq!(position("EVT-0123456789ABCDEF"), None);
        assert_eq!(position("0123456789012345"), None, "sixteen digits are an id");
        assert_eq!(position("9F3C"), None);
    }
}
