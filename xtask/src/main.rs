//! Tasks of this repository, each of which is one command: `cargo xtask TASK`. It starts cargo and knows nothing of
//! the product. It has no dependencies, so that it is built in a second.

#![allow(clippy::disallowed_methods)] // it is a tool that starts processes and reads its environment

mod fetch;
mod hold;
mod ingest;
mod receiver;
mod server;
mod summary;
mod tests;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const USAGE: &str = "\
usage: cargo xtask TASK [ARGUMENTS]

  test [FILTER…]  build and run the tests; the last line is `N passed, N failed`
                  HINDCAST_TEST_LARGE_MODEL=1  also with the larger language model (456 MB more to download)
                  HINDCAST_TEST_LLM=off        without a language model
                  HINDCAST_TEST_SEED=N         repeat the moments of an earlier run
                  HINDCAST_TEST_RUNNER=cargo   with cargo's own runner although cargo-nextest is installed
  fetch           download what the tests need, where it is missing
  prove           the long proofs as a whole: a thousand random histories decided again, ten thousand audited for
                  what people were told, a hundred kills of each kind, a hundred looks at each view while alerts
                  join, both language models
  ci              what continuous integration runs, from formatting to the last test
  bench           measure the ledger and the telemetry store against plain files
  ingest BIN [N]  send N alerts (100,000) to BIN and to an Alertmanager, and compare rate and processor time
  hold BIN [N]    hold N alerts (20,000) of one incident in BIN: memory, disk, how long lists, its page and a
                  replay take
  repeats BIN [N] send 200 alerts to BIN again and again, N messages (40,000): disk and memory of each
  storm BIN [N]   how soon a critical alert is paged while N alerts of one source wait in BIN
  demo            play a recorded incident through the real HTTP endpoint
";

/// A task either ran through, or ended with a sentence for whoever started it.
type Outcome = Result<(), String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (task, rest) = match arguments.split_first() {
        Some((task, rest)) => (task.as_str(), rest),
        None => ("help", &[][..]),
    };
    let outcome = match task {
        "test" => tests::run(rest),
        "fetch" => fetch::Fetching::start().and_then(fetch::Fetching::finish),
        "prove" => prove(rest),
        "ci" => run(Command::new(root().join(".ci/run")).args(rest)),
        "bench" => run(cargo().args(["bench", "--locked", "-p", "hindcast-ledger-embedded"]).args(rest))
            .and_then(|()| run(cargo().args(["bench", "--locked", "-p", "hindcast-telemetry-files"]).args(rest))),
        "ingest" => ingest::run(rest),
        "hold" => hold::hold(rest),
        "repeats" => hold::repeats(rest),
        "storm" => ingest::storm(rest),
        "demo" => run(cargo().args(["run", "--release", "--locked", "--", "up", "--demo"]).args(rest)),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(())
        }
        other => Err(format!("there is no task {other:?}\n\n{USAGE}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            if !message.is_empty() {
                eprintln!("{message}");
            }
            ExitCode::FAILURE
        }
    }
}

/// The long proofs, one after the other, with what they measured.
fn prove(more: &[String]) -> Outcome {
    fetch::Fetching::start()?.finish()?;
    for (package, test, name, many) in [
        ("hindcast-testkit", "redecide", "HINDCAST_TEST_HISTORIES", "1000"),
        ("hindcast-testkit", "paging", "HINDCAST_TEST_PAGED", "10000"),
        ("hindcast-domain", "all", "HINDCAST_TEST_SCHEDULES", "1000"),
    ] {
        let mut proof = cargo();
        proof.args(["test", "--locked", "-p", package, "--test", test, "--", "--nocapture"]);
        if std::env::var_os(name).is_none() {
            proof.env(name, many);
        }
        run(&mut proof)?;
    }
    let mut command = cargo();
    command
        .args(["test", "--locked", "-p", "hindcast", "--test", "blackbox", "--"])
        .args(["kills::", "llm::", "one_position::", "--nocapture", "--test-threads", "1"])
        .args(more)
        .env("HINDCAST_TEST_LARGE_MODEL", "1");
    for (name, many) in [("HINDCAST_TEST_KILLS", "100"), ("HINDCAST_TEST_LOADS", "100")] {
        if std::env::var_os(name).is_none() {
            command.env(name, many);
        }
    }
    run(&mut command)
}

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Cargo, in the root of the repository.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

fn run(command: &mut Command) -> Outcome {
    let status = command.status().map_err(|error| format!("could not start {command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}")) }
}
