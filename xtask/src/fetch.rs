//! What the tests need and the repository does not hold: `nats-server`, a small language model with its server, and
//! the embedding model. `tests/llm/fetch.py` says from where each comes and what hash it must have.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::Outcome;

/// A download that goes on while the tests are built.
pub struct Fetching(Vec<Child>);

impl Fetching {
    /// Starts to download what is missing.
    pub fn start() -> Result<Self, String> {
        let script = crate::root().join("tests/llm/fetch.py");
        let mut wanted = Vec::new();
        if !is_on_path("nats-server") {
            let folder = target()?.join("tmp/nats-server");
            wanted.push(vec!["--nats".to_owned(), folder.to_string_lossy().into_owned()]);
        }
        if !is("HINDCAST_TEST_LLM", "off") {
            wanted.push(vec!["--model".to_owned(), "C".to_owned()]);
            if is("HINDCAST_TEST_LARGE_MODEL", "1") {
                wanted.push(vec!["--model".to_owned(), "B".to_owned()]);
            }
        }
        let start =
            |arguments: Vec<String>| Command::new("python3").arg(&script).args(arguments).stdout(Stdio::null()).spawn();
        let started: Result<Vec<Child>, _> = wanted.into_iter().map(start).collect();
        started.map(Self).map_err(|error| format!("python3 with pip is needed to fetch what the tests need: {error}"))
    }

    /// Waits for it.
    pub fn finish(self) -> Outcome {
        let mut failed = 0;
        for mut child in self.0 {
            failed += usize::from(!child.wait().is_ok_and(|status| status.success()));
        }
        if failed == 0 { Ok(()) } else { Err(format!("{failed} of the downloads failed; see above")) }
    }
}

/// Installs the embedding model where it is missing, with the binary that was just built.
pub fn embedder() -> Outcome {
    let binary = target()?.join("debug/hindcast");
    crate::run(Command::new(binary).args(["embedder", "install"]).stdout(Stdio::null()))
}

/// The folder that cargo builds into.
fn target() -> Result<PathBuf, String> {
    let asked = crate::cargo().args(["metadata", "--no-deps", "--locked", "--format-version", "1"]).output();
    let asked = asked.map_err(|error| format!("cargo could not be asked for its folder: {error}"))?;
    let text = String::from_utf8_lossy(&asked.stdout).into_owned();
    let folder = text.split_once("\"target_directory\":\"").and_then(|(_, rest)| rest.split_once('"'));
    folder.map(|(folder, _)| Path::new(folder).to_path_buf()).ok_or_else(|| "cargo names no target folder".to_owned())
}

fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn is(variable: &str, value: &str) -> bool {
    std::env::var(variable).is_ok_and(|found| found == value)
}
