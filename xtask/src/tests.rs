//! `cargo xtask test`: builds all tests while their data are downloaded, runs them, and prints how many passed.
//! cargo-nextest runs the tests of all binaries beside each other; where it is not installed cargo's runner does,
//! one binary after the other.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::Outcome;
use crate::fetch::{self, Fetching};
use crate::summary::Summary;

/// The crates whose examples are tests: what must not compile is shown there.
const DOCUMENTED: [&str; 4] = ["-p", "hindcast-domain", "-p", "hindcast-facts"];

/// Runs the tests, or those whose names contain one of `filters`.
pub fn run(filters: &[String]) -> Outcome {
    let (began, nextest) = (Instant::now(), has_nextest());
    let fetching = Fetching::start()?;
    // Few crates have examples in their documentation, so the runners are not asked to look for some in each.
    let runner: &[&str] = if nextest { &["nextest", "run"] } else { &["test", "--lib", "--bins", "--tests"] };
    crate::run(crate::cargo().args(runner).args(["--workspace", "--locked", "--no-run"]))?;
    // A test that needs what could not be fetched fails and says so; the others still run.
    for outcome in [fetching.finish(), fetch::embedder()] {
        if let Err(message) = outcome {
            eprintln!("{message}");
        }
    }
    let built = began.elapsed();
    let mut command = crate::cargo();
    command.args(runner).args(["--workspace", "--locked", "--no-fail-fast", "--"]).args(filters);
    let (mut summary, mut success) = counted(&mut command)?;
    if filters.is_empty() {
        let (examples, succeeded) = counted(crate::cargo().args(["test", "--doc", "--locked"]).args(DOCUMENTED))?;
        summary = Summary { passed: summary.passed + examples.passed, failed: summary.failed + examples.failed };
        success &= succeeded;
    }
    println!("built in {} s, run in {} s", built.as_secs(), (began.elapsed() - built).as_secs());
    println!("{} passed, {} failed", summary.passed, summary.failed);
    match success && summary.failed == 0 && summary.passed > 0 {
        true => Ok(()),
        // The line above is the last one.
        false => Err(String::new()),
    }
}

fn has_nextest() -> bool {
    let wanted = std::env::var("HINDCAST_TEST_RUNNER").map_or(true, |runner| runner != "cargo");
    let quiet = crate::cargo().args(["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    wanted && quiet.is_ok_and(|status| status.success())
}

/// Runs a command, passes on what it prints, and counts the tests in it.
fn counted(command: &mut Command) -> Result<(Summary, bool), String> {
    let failed = |error: std::io::Error| format!("the tests could not be run: {error}");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(failed)?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let printed = std::thread::spawn(move || read(out, std::io::stdout()));
    let complained = read(err, std::io::stderr());
    let printed = printed.join().unwrap_or_default();
    let success = child.wait().map_err(failed)?.success();
    let passed = printed.passed + complained.passed;
    Ok((Summary { passed, failed: printed.failed + complained.failed }, success))
}

fn read(from: Option<impl Read>, mut to: impl Write) -> Summary {
    let mut summary = Summary::default();
    let Some(from) = from else { return summary };
    let mut lines = BufReader::new(from);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        summary.read(&String::from_utf8_lossy(&line));
        // A closed terminal does not stop the tests.
        to.write_all(&line).and_then(|()| to.flush()).ok();
        line.clear();
    }
    summary
}
