//! The terminal client: every command that asks a server, over HTTP.
//!
//! The one contract of this crate: *it knows what any other client of the contract could know*. It reads no
//! ledger, starts no server and no process, and decides nothing; the binary hands it the address of a running
//! server, or of the views that it started over a folder.
//!
//! - [`ClientCommand`] is flattened into the binary's own commands, [`Connection`] into its options.
//! - [`run`] does what was asked and answers with a [`ExitStatus`]; it never ends the process.
//! - [`client`] and [`sse`] speak HTTP, [`parse`] reads what people type, [`text`] writes what they read.
//! - [`commands`] has one file for each group of commands, with its arguments.

pub mod client;
pub mod command;
pub mod commands;
pub mod connection;
pub mod context;
pub mod error;
pub mod parse;
pub mod sse;
pub mod terminal;
pub mod text;

#[cfg(test)]
mod tests;

pub use command::ClientCommand;
pub use connection::Connection;
pub use error::{Error, ExitStatus};
pub use terminal::Terminal;

use context::CliContext;

/// Does what was asked, of the server at `base`, and tells on the terminal what came of it.
pub async fn run(command: ClientCommand, connection: &Connection, base: &str, terminal: &mut Terminal) -> ExitStatus {
    let done = Box::pin(ask(command, connection, base, terminal)).await;
    let done = done.and_then(|()| terminal.flush().map_err(Error::from));
    match done {
        Ok(()) => ExitStatus::Done,
        Err(error) => fail(&error, terminal),
    }
}

/// Tells a failure on standard error. What was written before it is kept.
fn fail(error: &Error, terminal: &mut Terminal) -> ExitStatus {
    if !error.is_silent() {
        terminal.say(&format!("error: {}", text::clean(&error.to_string())));
        if let Some(remedy) = error.remedy() {
            terminal.say(&format!("remedy: {}", text::clean(&remedy)));
        }
    }
    match terminal.flush() {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => ExitStatus::Failed,
        _ => error.status(),
    }
}

async fn ask(
    command: ClientCommand,
    connection: &Connection,
    base: &str,
    terminal: &mut Terminal,
) -> error::Result<()> {
    let client = client::ApiClient::new(base, connection)?;
    let mut context = CliContext { client, terminal, json: connection.json, full: connection.full };
    command.run(&mut context).await
}
