//! `hindcast lab`: the engines on files of one's own, without a server, a ledger or a setting. Owns the commands and where
//! their answers go; each is as thin as it can be over the engine that the services run, with one configuration for all
//! inputs.

mod alerts;
mod case;
mod input;
mod logs;
mod rca;
mod similar;

use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

use anyhow::bail;
use clap::Subcommand;

use crate::embedder;

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// The template of each line of a file of log messages, as CSV.
    Logs {
        /// One message a line; may be gzipped.
        file: PathBuf,
    },
    /// The incident that each alert opens or joins, as NDJSON.
    Alerts {
        /// `{"id","time","name","source","severity"?,"labels":{}}` a line, in the order of time; may be gzipped.
        file: PathBuf,
    },
    /// The services of a case, the likeliest cause first, as NDJSON.
    Rca {
        /// A case, or a folder of cases.
        dir: PathBuf,
    },
    /// The texts of a corpus that are nearest to each query, as NDJSON.
    Similar {
        /// `{"id","text"}` a line; may be gzipped.
        #[arg(long, value_name = "FILE")]
        corpus: PathBuf,
        /// The same.
        #[arg(long, value_name = "FILE")]
        queries: PathBuf,
        /// How many of each.
        #[arg(long, value_name = "K", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
        top: u16,
    },
    /// How unusual each value of a series is (promised, not built yet).
    Metrics(Rest),
    /// How series go on (promised, not built yet).
    Forecast(Rest),
}

/// Whatever the arguments will be of what is not built: they are not refused for them.
#[derive(clap::Args, Debug)]
pub struct Rest {
    /// Not looked at.
    #[arg(num_args = 0.., trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    rest: Vec<String>,
}

/// Does it.
///
/// # Errors
/// When a file cannot be read or makes no sense, or it is not built.
pub async fn run(command: Command) -> anyhow::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let done = match command {
        Command::Logs { file } => logs::run(&file, &mut out),
        Command::Alerts { file } => alerts::run(&file, &mut out),
        Command::Rca { dir } => rca::run(&dir, &mut out),
        Command::Similar { corpus, queries, top } => {
            let (embedder, missing) = embedder::open(None).await;
            if let Some(missing) = missing {
                eprintln!("hashed words replace a missing embedding model: {missing}");
            }
            similar::run((&corpus, &queries), usize::from(top), &embedder, &mut out).await
        }
        Command::Metrics(Rest { .. }) => not_built("metrics"),
        Command::Forecast(Rest { .. }) => not_built("forecast"),
    };
    done.and_then(|()| Ok(out.flush()?)).or_else(|error| {
        // Whoever reads no further has what they want.
        let gone = error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe);
        if gone { Ok(()) } else { Err(error) }
    })
}

fn not_built(name: &str) -> anyhow::Result<()> {
    bail!("`hindcast lab {name}` is promised and not built yet\nremedy: See CHANGELOG.md for what is built.")
}
