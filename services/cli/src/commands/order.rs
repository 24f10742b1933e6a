//! How a command of a person is sent and what came of it: done, or taken and not decided yet. Owns `If-Match`
//! and the revision as of when the person looked; refuses to know any command.

use clap::Args;
use reqwest::{Method, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::client::{Path, typed};
use crate::context::{AsOfArgs, CliContext};
use crate::error::Result;

/// What the person had seen.
#[derive(Args, Clone, Debug, Default)]
pub struct SeenArgs {
    /// Refuse the command if the item is no longer at this revision.
    #[arg(long, value_name = "REVISION")]
    pub if_match: Option<u64>,
    /// Only if it has not changed since then.
    #[command(flatten)]
    pub as_of: AsOfArgs,
}

/// What came of a command.
pub(super) enum OrderOutcome<T> {
    /// The thing as it stands now.
    Done(T),
    /// It was printed as JSON, or is not decided yet, and that was said.
    Told,
}

/// A 202 of another kind names no command.
#[derive(serde::Deserialize)]
struct PendingOrder {
    position: u64,
    #[serde(rename = "command")]
    _command: String,
}

/// Sends a command. JSON is printed here; otherwise the caller tells what the thing is like now.
///
/// # Errors
/// When it is refused, or nobody answers.
pub(super) async fn submit<T: DeserializeOwned>(
    method: Method,
    path: Path,
    body: Option<Value>,
    seen: &SeenArgs,
    context: &mut CliContext<'_>,
) -> Result<OrderOutcome<T>> {
    let path = path.maybe("as_of", context.as_of(&seen.as_of));
    let mut request = context.client.request(method, &path);
    if let Some(body) = &body {
        request = request.json(body);
    }
    if let Some(revision) = seen.if_match {
        request = request.header(header::IF_MATCH, format!("\"{revision}\""));
    }
    let response = context.client.send(request).await?;
    let is_accepted = response.status() == StatusCode::ACCEPTED;
    let document: Box<RawValue> = context.client.json(response).await?;
    let pending = is_accepted.then(|| serde_json::from_str::<PendingOrder>(document.get()).ok()).flatten();
    if let Some(PendingOrder { position, .. }) = &pending {
        context.terminal.say(&format!(
            "taken at #{position} and not decided yet; `hindcast events --from {position}` shows what comes of it"
        ));
    }
    if context.json {
        context.print_json(&document)?;
        return Ok(OrderOutcome::Told);
    }
    if pending.is_some() { Ok(OrderOutcome::Told) } else { typed("a command", &document).map(OrderOutcome::Done) }
}
