//! `hindcast lab`: the engines on files of one's own, without a server, a ledger or a setting. Owns the commands and where
//! their answers go; each is as thin as it can be over the engine that the services run, with one configuration for all
//! inputs.

mod alerts;
mod case;
pub(crate) mod input;
mod logs;
mod rca;
mod similar;

use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

use anyhow::bail;
use clap::Subcommand;

use crate::embedder;
use similar::SimilarOutput;

/// Subcommands of `hindcast lab`.
#[derive(Subcommand, Debug)]
pub enum LabCommand {
    /// Find the template of each line of a file of log messages; prints CSV.
    Logs {
        /// The file, with one message per line; may be gzipped.
        file: PathBuf,
    },
    /// Group the alerts of a file into incidents; prints NDJSON.
    Alerts {
        /// One `{"id","time","name","source","severity"?,"labels":{},"annotations"?}` per line, ordered by time; may be
        /// gzipped.
        file: PathBuf,
        /// The service catalogue, as YAML or JSON.
        #[arg(long, value_name = "FILE")]
        catalog: Option<PathBuf>,
    },
    /// Rank the services of a recorded case, the likeliest root cause first; prints NDJSON.
    Rca {
        /// The folder of one case, or a folder of cases.
        dir: PathBuf,
        /// Constants of the ranking that replace those in use, as a JSON object; those that it does not name stay.
        #[arg(long, value_name = "FILE")]
        weights: Option<PathBuf>,
    },
    /// Find the texts of a corpus that are nearest to each query; prints NDJSON.
    Similar {
        /// The texts to search, one `{"id","text"}` per line; may be gzipped.
        #[arg(long, value_name = "FILE")]
        corpus: PathBuf,
        /// The texts to search for, in the same format.
        #[arg(long, value_name = "FILE")]
        queries: PathBuf,
        /// The number of texts for each query.
        #[arg(long, value_name = "K", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
        top: u16,
        /// Print what each likeness is made of in place of the nearest texts, for choosing how it is made.
        #[arg(long, conflicts_with = "top")]
        parts: bool,
    },
    /// Rate how unusual each value of a series is (promised, not built yet).
    Metrics(Rest),
    /// Forecast a series (promised, not built yet).
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
pub async fn run(command: LabCommand) -> anyhow::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let done = match command {
        LabCommand::Logs { file } => logs::run(&file, &mut out),
        LabCommand::Alerts { file, catalog } => alerts::run(&file, catalog.as_deref(), &mut out),
        LabCommand::Rca { dir, weights } => rca::run(&dir, weights.as_deref(), &mut out),
        LabCommand::Similar { corpus, queries, top, parts } => {
            let (embedder, missing) = embedder::open(None).await;
            if let Some(missing) = missing {
                eprintln!("hashed words replace a missing embedding model: {missing}");
            }
            let output = if parts { SimilarOutput::Parts } else { SimilarOutput::Ranked(usize::from(top)) };
            similar::run((&corpus, &queries), output, &embedder, &mut out).await
        }
        LabCommand::Metrics(Rest { .. }) => not_built("metrics"),
        LabCommand::Forecast(Rest { .. }) => not_built("forecast"),
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
