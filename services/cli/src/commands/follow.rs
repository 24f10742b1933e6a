//! Following the ledger through the live stream, from a position on and across broken connections. Owns when
//! it is tried again; refuses to know what an event says beyond its position.

use std::time::Duration;

use futures::StreamExt as _;
use reqwest::{Method, header};
use serde_json::value::RawValue;

use super::event_line::{line, position};
use crate::client::{Path, typed};
use crate::context::CliContext;
use crate::error::{Error, Result};
use crate::sse::EventParser;

/// Connections that fail one after another before it is given up: a minute or so.
const FAILURES_MAX: u32 = 12;
/// The longest rest between two of them.
const REST_MAX: Duration = Duration::from_secs(8);

/// Prints what comes behind a position, up to another where one is named.
///
/// # Errors
/// When the server refuses, stays away for too long, or nothing can be written.
pub(super) async fn run(kind: Option<&str>, behind: u64, to: Option<u64>, context: &mut CliContext<'_>) -> Result<()> {
    let mut last = behind;
    let mut failures = 0;
    loop {
        let before = last;
        match read(kind, &mut last, to, context).await {
            Ok(()) if to.is_some_and(|to| last >= to) => return Ok(()),
            // The server ends the stream at `to`, and when it stops.
            Ok(()) => failures += 1,
            Err(error @ Error::Unreachable { .. }) if failures >= FAILURES_MAX => {
                return Err(error);
            }
            Err(Error::Unreachable { detail, .. }) => {
                context.terminal.say(&format!("the stream closed, {detail}; trying again from #{last}"));
                failures += 1;
            }
            Err(error) => return Err(error),
        }
        if last > before {
            failures = 1;
        } else if to.is_some() && failures > 1 {
            // Ended twice without anything new: there is nothing more up to `to`.
            return Ok(());
        } else if failures > FAILURES_MAX {
            return Err(Error::failed(
                "expected the stream to stay open, it closes at once",
                "Look at the server's log.",
            ));
        }
        tokio::time::sleep(Duration::from_millis(250 << failures.min(6)).min(REST_MAX)).await;
    }
}

async fn read(kind: Option<&str>, last: &mut u64, to: Option<u64>, context: &mut CliContext<'_>) -> Result<()> {
    let path = Path::new("/api/v1/stream").maybe("kind", kind).maybe("as_of", to);
    let request = context.client.request(Method::GET, &path);
    let request = request.header(header::ACCEPT, "text/event-stream").header("last-event-id", *last);
    let response = context.client.send_and_wait(request).await?;
    let base = context.client.base().to_owned();
    let mut chunks = response.bytes_stream();
    let mut messages = EventParser::default();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|source| Error::Unreachable {
            url: base.clone(),
            detail: "the connection closed".to_owned(),
            source,
        })?;
        for message in messages.feed(&chunk)? {
            let event: Box<RawValue> = typed::<Box<RawValue>>("the stream", raw(&message.data)?)?;
            let at = position(&event)?;
            // What was printed already may come again after a new connection.
            if at > *last {
                line(&event, context)?;
                *last = at;
            }
        }
        context.terminal.flush()?;
    }
    Ok(())
}

fn raw(data: &str) -> Result<&RawValue> {
    serde_json::from_str(data).map_err(|error| {
        Error::failed(format!("expected events on the stream, {error}"), "Use the server's own version.")
    })
}
