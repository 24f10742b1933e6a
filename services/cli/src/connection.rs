//! Whom to ask, and how to answer: the options that stand anywhere on the line. Owns their defaults; refuses to
//! start anything: a folder is made a server by the binary.

use std::path::PathBuf;

use clap::Args;

/// Where a server listens unless it is told otherwise.
pub const SERVER: &str = "http://127.0.0.1:7171";

/// Whom to ask, and how to answer.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Options of every command")]
pub struct Connection {
    /// The server to ask [default: http://127.0.0.1:7171].
    #[arg(long, global = true, value_name = "URL", env = "HINDCAST_SERVER")]
    pub server: Option<String>,

    /// Read a data folder instead of a server; no other process may use it.
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// The settings file, for a server or with --data [default: ./hindcast.toml, if it exists].
    #[arg(long, global = true, value_name = "FILE", env = "HINDCAST_CONFIG")]
    pub config: Option<PathBuf>,

    /// The server's token.
    #[arg(long, global = true, value_name = "TOKEN", env = "HINDCAST_TOKEN", hide_env_values = true)]
    pub token: Option<String>,

    /// Your name, recorded with each act and question.
    #[arg(long, global = true, value_name = "NAME", env = "USER", hide_env_values = true)]
    pub actor: Option<String>,

    /// Print one JSON document, or one per line for lists that stream.
    #[arg(long, global = true)]
    pub json: bool,

    /// Print full ids and fingerprints.
    #[arg(long, global = true)]
    pub full: bool,

    /// Print no colours.
    #[arg(long, global = true, env = "NO_COLOR", hide_env = true, value_parser = unless_empty)]
    pub no_color: bool,
}

/// <https://no-color.org>: any value that is not empty.
#[allow(clippy::unnecessary_wraps)] // clap wants a result
fn unless_empty(value: &str) -> Result<bool, String> {
    Ok(!matches!(value, "" | "false"))
}

impl Connection {
    /// The base URL of the server that is meant, where none was started for a folder.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.server.as_deref().map(str::trim).filter(|server| !server.is_empty()).unwrap_or(SERVER)
    }

    /// Who asks, for the record.
    #[must_use]
    pub fn actor(&self) -> &str {
        self.actor.as_deref().map(str::trim).filter(|actor| !actor.is_empty()).unwrap_or("cli")
    }
}
