//! `openapi`: the description of the API, as the server gives it.

use crate::client::Path;
use crate::context::CliContext;
use crate::error::Result;

/// Prints it.
///
/// # Errors
/// When it cannot be had or written.
pub async fn run(context: &mut CliContext<'_>) -> Result<()> {
    let document = context.client.get(&Path::new("/openapi.json")).await?;
    context.print_json(&document)
}
