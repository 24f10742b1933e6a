//! The command line: what the binary does itself, and what it hands to the terminal client.

use std::path::PathBuf;

use anyhow::Context;
use clap::{CommandFactory, Parser, Subcommand};
use hindcast_cli::commands::source::SourceCommand;
use hindcast_cli::{ClientCommand, Connection};

use crate::settings::{Flags, Settings};
use crate::{ask, demo, embedder, explain, lab, node, record, restore, runbooks, up};

/// Incident intelligence over an event log: alerts in, incidents out, and every step can be replayed.
#[derive(Parser, Debug)]
#[command(
    name = "hindcast",
    version,
    about = "Incident intelligence over an event log: alerts in, incidents out, and every step can be replayed.",
    max_term_width = 100
)]
pub struct CommandLine {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: BinaryCommand,
}

#[derive(Subcommand, Debug)]
#[allow(clippy::large_enum_variant)] // one value, once
enum BinaryCommand {
    /// Run every service in one process.
    Up {
        #[command(flatten)]
        flags: Flags,
        #[command(flatten)]
        demo: demo::Args,
    },
    /// Run one or several services; with --ledger nats://… they share a ledger with other processes.
    Serve {
        /// The services to run in this process.
        #[arg(required = true, value_enum)]
        roles: Vec<node::Role>,
        #[command(flatten)]
        flags: Flags,
    },
    /// Record real incidents: webhooks, metrics, logs and the time of each fault.
    Record(Box<hindcast_recorder::RecordArgs>),
    /// Check or show the settings.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Fetch the embedding model and its runtime, or show their state.
    #[command(subcommand)]
    Embedder(embedder::EmbedderCommand),
    /// Back up the ledger and its keys into one file.
    Backup {
        /// The backup file to write.
        file: PathBuf,
    },
    /// Restore a backup into a folder without a ledger.
    Restore {
        /// The backup file to read.
        file: PathBuf,
    },
    /// Activate notification effects: after a restore or a copy this installation sends nothing until then.
    Activate,
    /// Run the engines on your own files, without a server.
    #[command(subcommand)]
    Lab(lab::LabCommand),
    /// Print completions for a shell.
    Completions {
        /// The shell that the completions are for.
        shell: clap_complete::Shell,
    },
    #[command(flatten)]
    Ask(hindcast_cli::ClientCommand),
}

#[derive(Subcommand, Debug)]
enum ConfigCommand {
    /// Check the settings; exits with 1 if they are not valid.
    Check {
        #[command(flatten)]
        flags: Flags,
    },
    /// Show the effective settings.
    Show {
        #[command(flatten)]
        flags: Flags,
    },
}

impl CommandLine {
    /// What is logged unless the environment says otherwise.
    pub fn log_level(&self) -> &'static str {
        match &self.command {
            BinaryCommand::Up { demo, .. } if demo.is_asked_for() => "warn",
            BinaryCommand::Up { .. } | BinaryCommand::Serve { .. } => "info",
            _ => "warn",
        }
    }

    /// Whether it is a server that is asked for.
    pub const fn serves(&self) -> bool {
        matches!(self.command, BinaryCommand::Up { .. } | BinaryCommand::Serve { .. })
    }

    /// Does what was asked and answers the exit status.
    pub async fn run(self) -> u8 {
        let Self { connection, command } = self;
        let data = connection.data.clone();
        let with_file = |flags: Flags| Flags { config: connection.config.clone(), ..flags };
        let done = match command {
            BinaryCommand::Ask(ClientCommand::Source(SourceCommand::Explain(args))) => {
                explain::run(&args, connection.config.as_deref(), connection.json)
            }
            BinaryCommand::Ask(command) => return ask::run(command, &connection).await,
            BinaryCommand::Up { flags, demo } if demo.is_asked_for() => {
                Box::pin(demo::run(&demo, &with_file(flags))).await
            }
            BinaryCommand::Up { flags, .. } => {
                Box::pin(up::run(&with_file(flags), data.as_deref(), &node::Role::ALL)).await
            }
            BinaryCommand::Serve { roles, flags } => {
                Box::pin(up::run(&with_file(flags), data.as_deref(), &roles)).await
            }
            BinaryCommand::Record(args) => record::run(*args).await,
            BinaryCommand::Config(ConfigCommand::Check { flags }) => {
                check(&with_file(flags), data.as_deref()).map(|()| println!("the settings make sense"))
            }
            BinaryCommand::Config(ConfigCommand::Show { flags }) => show(&with_file(flags), data.as_deref()),
            BinaryCommand::Embedder(command) => return embedder::run(command, connection.json).await,
            BinaryCommand::Backup { file } => restore::backup(&connection, &file).await,
            BinaryCommand::Restore { file } => restore::restore(data.as_deref(), &file, connection.json).await,
            BinaryCommand::Activate => restore::activate(&connection).await,
            BinaryCommand::Lab(command) => lab::run(command).await,
            BinaryCommand::Completions { shell } => {
                clap_complete::generate(shell, &mut Self::command(), "hindcast", &mut std::io::stdout());
                Ok(())
            }
        };
        match done {
            Ok(()) => 0,
            Err(error) => {
                eprintln!("error: {error:#}");
                1
            }
        }
    }
}

/// Reads everything that the settings name, as a server would at its start.
fn check(flags: &Flags, data: Option<&std::path::Path>) -> anyhow::Result<()> {
    let settings = Settings::resolve(flags, data)?;
    runbooks::in_force(settings.advising.runbooks.as_deref())?;
    if let Some(folder) = &settings.advising.copilot.prompts {
        hindcast_copilot::Prompts::open(folder).context("the prompts")?;
    }
    Ok(())
}

fn show(flags: &Flags, data: Option<&std::path::Path>) -> anyhow::Result<()> {
    let settings = Settings::resolve(flags, data)?;
    println!("{}", serde_json::to_string_pretty(&settings.shown())?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_engine_of_the_lab_has_its_command() {
        for line in [
            "lab logs f.gz",
            "lab alerts f.ndjson",
            "lab rca d",
            "lab similar --corpus c --queries q --top 20",
            "lab metrics a.csv b.csv --out d",
            "lab forecast f.csv --horizon 48",
        ] {
            let words = std::iter::once("hindcast").chain(line.split(' '));
            assert!(
                CommandLine::try_parse_from(words).is_ok_and(|line| matches!(line.command, BinaryCommand::Lab(_))),
                "{line}"
            );
        }
    }

    #[test]
    fn the_command_line_is_well_formed() {
        CommandLine::command().debug_assert();
    }
}
