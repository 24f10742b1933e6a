//! Following the ledger through the live stream, from a position on and across broken connections. Owns the
//! reading of server-sent events; refuses to know what an event says beyond its position.

use std::time::Duration;

use futures::StreamExt as _;
use reqwest::{Method, header};
use serde_json::value::RawValue;

use super::events::{line, position};
use crate::client::{Path, typed};
use crate::context::Context;
use crate::error::{Error, Result};

/// Bytes of the longest line that is read.
const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Connections that fail one after another before it is given up: a minute or so.
const FAILURES_MAX: u32 = 12;
/// The longest rest between two of them.
const REST_MAX: Duration = Duration::from_secs(8);

/// Prints what comes behind a position, up to another where one is named.
///
/// # Errors
/// When the server refuses, stays away for too long, or nothing can be written.
pub(super) async fn run(kind: Option<&str>, behind: u64, to: Option<u64>, context: &mut Context<'_>) -> Result<()> {
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
                context.terminal.say(&format!("the stream broke, {detail}; trying again from #{last}"));
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
                "expected the stream to stay open, it ends at once",
                "Look at the server's log.",
            ));
        }
        tokio::time::sleep(Duration::from_millis(250 << failures.min(6)).min(REST_MAX)).await;
    }
}

async fn read(kind: Option<&str>, last: &mut u64, to: Option<u64>, context: &mut Context<'_>) -> Result<()> {
    let path = Path::new("/api/v1/stream").maybe("kind", kind).maybe("as_of", to);
    let request = context.client.request(Method::GET, &path);
    let request = request.header(header::ACCEPT, "text/event-stream").header("last-event-id", *last);
    let response = context.client.send_and_wait(request).await?;
    let base = context.client.base().to_owned();
    let mut chunks = response.bytes_stream();
    let mut lines = Lines::default();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|source| Error::Unreachable {
            url: base.clone(),
            detail: "the connection broke".to_owned(),
            source,
        })?;
        for data in lines.feed(&chunk)? {
            let event: Box<RawValue> = typed::<Box<RawValue>>("the stream", raw(&data)?)?;
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

/// Server-sent events, as far as we need them: the data of each message.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
    data: Option<String>,
}

impl Lines {
    /// The data of each message that ends in this chunk.
    fn feed(&mut self, chunk: &[u8]) -> Result<Vec<String>> {
        self.rest.extend_from_slice(chunk);
        let mut messages = Vec::new();
        let mut begin = 0;
        while let Some(length) = self.rest.iter().skip(begin).position(|byte| *byte == b'\n') {
            let bytes = self.rest.get(begin..begin + length).unwrap_or_default();
            let line = String::from_utf8_lossy(bytes);
            let line = line.trim_end_matches('\r');
            if line.is_empty() {
                messages.extend(self.data.take());
            } else if let Some(data) = line.strip_prefix("data:") {
                let data = data.strip_prefix(' ').unwrap_or(data);
                match &mut self.data {
                    None => self.data = Some(data.to_owned()),
                    Some(before) => {
                        before.push('\n');
                        before.push_str(data);
                    }
                }
            }
            begin += length + 1;
        }
        self.rest.drain(..begin);
        if self.rest.len() + self.data.as_ref().map_or(0, String::len) > LINE_BYTES_MAX {
            return Err(Error::failed("expected shorter lines on the stream", "Use the server's own version."));
        }
        Ok(messages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_found_across_chunks_and_comments_are_not_messages() {
        let mut lines = Lines::default();
        assert!(lines.feed(b": still here\n\nid: 1\nevent: a.b\nda").unwrap().is_empty());
        assert_eq!(lines.feed(b"ta: {\"a\":\r\ndata: 1}\r\n\r\ndata:x\n").unwrap(), ["{\"a\":\n1}"]);
        assert_eq!(lines.feed(b"\n").unwrap(), ["x"]);
    }
}
