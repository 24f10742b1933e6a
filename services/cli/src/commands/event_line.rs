//! An event as it came: its position, and its line. Owns that nothing of it is changed but its line breaks.

use serde_json::value::RawValue;

use crate::client::typed;
use crate::context::CliContext;
use crate::error::Result;

/// The position of an event as it came.
pub(super) fn position(event: &RawValue) -> Result<u64> {
    #[derive(serde::Deserialize)]
    struct EventPosition {
        position: u64,
    }
    Ok(typed::<EventPosition>("an event", event)?.position)
}

/// Prints an event as it came, on one line.
pub(super) fn line(event: &RawValue, context: &mut CliContext<'_>) -> Result<()> {
    let text = event.get();
    // In JSON a line break can only stand between tokens.
    if text.contains(['\n', '\r']) {
        return Ok(context.terminal.line(&text.replace(['\n', '\r'], " "))?);
    }
    Ok(context.terminal.line(text)?)
}
