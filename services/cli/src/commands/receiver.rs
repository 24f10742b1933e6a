//! `receiver test`: sends a test message to a receiver of notifications, and says what it answered. It ends with 1 where
//! the receiver did not take it.

use clap::{Args, Subcommand};
use hindcast_api::ReceiverTest;
use reqwest::Method;

use crate::client::{Path, typed};
use crate::context::CliContext;
use crate::error::{Error, Result};
use crate::text::clean;

/// What to do with receivers.
#[derive(Subcommand, Debug)]
pub enum ReceiverCommand {
    /// Send a test message that wakes nobody, and print what the receiver answered; exits with 1 if it did not take it.
    Test(ReceiverTestArgs),
}

/// The line behind `receiver test`.
#[derive(Args, Debug)]
pub struct ReceiverTestArgs {
    /// The name of the receiver in `[[receivers]]`.
    #[arg(value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub name: String,
}

/// Tries it.
///
/// # Errors
/// When there is no such receiver, or it does not take the message.
pub async fn run(command: ReceiverCommand, context: &mut CliContext<'_>) -> Result<()> {
    let ReceiverCommand::Test(args) = command;
    let path = Path::new("/api/v1/receivers").join(args.name.trim()).join("test");
    let document = context.client.json(context.client.send(context.client.request(Method::POST, &path)).await?).await?;
    let test: ReceiverTest = typed("a test of a receiver", &document)?;
    if context.json {
        context.print_json(&document)?;
        return if test.taken { Ok(()) } else { Err(Error::NotInOrder) };
    }
    if test.taken {
        let answer = clean(test.answer.as_deref().unwrap_or_default());
        context.terminal.line(&format!("{} took the test message: {answer}", clean(&test.receiver)))?;
        return Ok(());
    }
    let trouble = test.trouble.as_deref().unwrap_or("unavailable");
    let error = clean(test.error.as_deref().unwrap_or_default());
    let detail = format!("{} did not take the test message ({}): {error}", clean(&test.receiver), clean(trouble));
    Err(Error::failed(detail, "Mend the receiver and test it again; docs/paging.md has its settings."))
}
