//! `backup`, `restore` and `activate`: from a running server or a folder, with progress for people.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, bail};
use hindcast_cli::Connection;
use indicatif::{ProgressBar, ProgressStyle};

use crate::folder::Folder;
use crate::ledger::OpenedLedger;
use crate::{ask, backup as format, settings};

/// Writes a backup of a running server, or of a folder that nobody holds.
///
/// # Errors
/// When it cannot be read or written whole.
pub async fn backup(connection: &Connection, file: &Path) -> anyhow::Result<()> {
    let fresh = file.with_extension("partial");
    let written = write_backup(connection, &fresh).await;
    let bytes = match written {
        Ok(bytes) => bytes,
        Err(error) => {
            // A part of a backup is none, and holds the tenant's key.
            std::fs::remove_file(&fresh).with_context(|| format!("removing the file {}", fresh.display()))?;
            return Err(error);
        }
    };
    std::fs::rename(&fresh, file)?;
    println!("{} holds {bytes} bytes; it contains the key of the tenant, keep it safe", file.display());
    Ok(())
}

async fn write_backup(connection: &Connection, fresh: &Path) -> anyhow::Result<u64> {
    let bar = ProgressBar::new_spinner();
    let mut out = std::fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(fresh)
        .with_context(|| format!("the file {}", fresh.display()))?;
    let mut bytes = 0;
    let mut keep = |chunk: &[u8]| -> anyhow::Result<()> {
        out.write_all(chunk)?;
        bytes += chunk.len() as u64;
        bar.set_message(format!("{bytes} bytes"));
        bar.tick();
        Ok(())
    };
    if let Some(data) = &connection.data {
        let folder = Folder::open(data)?;
        let opened = OpenedLedger::embedded(&folder, None).await?;
        let ledger = opened.ledger();
        let keys = folder.keys()?;
        let (sender, mut receiver) = tokio::sync::mpsc::channel(4);
        let writing = tokio::spawn(async move { format::write(ledger.as_ref(), &keys, &sender).await });
        while let Some(chunk) = receiver.recv().await {
            keep(&chunk?)?;
        }
        writing.await??;
        opened.close().await;
    } else {
        let mut response = request(connection, reqwest::Method::GET, "/api/v1/backup").await?;
        while let Some(chunk) = response.chunk().await.context("the server closed the connection")? {
            keep(&chunk)?;
        }
    }
    out.sync_all()?;
    bar.finish_and_clear();
    Ok(bytes)
}

/// Restores a backup into a folder.
///
/// # Errors
/// When the file is no whole backup, or the folder holds a ledger already.
pub async fn restore(data: Option<&Path>, file: &Path, json: bool) -> anyhow::Result<()> {
    let data = data.unwrap_or_else(|| Path::new(settings::DATA));
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} commits {eta}") {
        bar.set_style(style);
    }
    let restored = format::restore(file, data, &|done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })
    .await?;
    bar.finish_and_clear();
    note_restored(data, &restored).await?;
    if json {
        println!("{}", serde_json::to_string(&restored)?);
    } else {
        println!("restored {} commits of ledger {} into {}", restored.commits, restored.ledger_id, data.display());
        println!(
            "it sends no notification until you activate it: hindcast up --data {}, then hindcast activate",
            data.display()
        );
    }
    Ok(())
}

/// Asks that the ledger itself tells of the restore: the next `up` decides it.
async fn note_restored(data: &Path, restored: &format::RestoredBackup) -> anyhow::Result<()> {
    use hindcast_domain::Partition;
    use hindcast_domain::command::{Command, Received, Restored};
    let opened = OpenedLedger::embedded(&Folder::open(data)?, None).await?;
    let writer = hindcast_intake::IntakeWriter::new(
        opened.ledger(),
        hindcast_clock::System::shared(),
        hindcast_ledger::LedgerProgress::default(),
        "door",
    );
    let position = hindcast_ledger::commit::position(restored.commits, 0);
    let fact = Restored { position, hash: restored.hash.clone() };
    let received = Received {
        key: format!("restore/{}/{position}", restored.hash),
        if_match: None,
        command: Command::Restore(fact),
    };
    let new = hindcast_intake::NewCommand {
        subject: "ledger".to_owned(),
        actor: "operator".to_owned(),
        command: received,
        traceparent: None,
    };
    writer.commands().submit(&Partition::whole(Partition::TENANT), new).await?;
    writer.stop().await;
    opened.close().await;
    Ok(())
}

/// Lets the running server's installation perform effects.
///
/// # Errors
/// When it cannot be reached, or refuses.
pub async fn activate(connection: &Connection) -> anyhow::Result<()> {
    if let Some(data) = &connection.data {
        // Reading a folder decides nothing, and activation is a decision.
        let node = ask::over_folder(data, connection.config.as_deref()).await?;
        node.stop().await;
        bail!("activation needs the running service: start `hindcast up --data {}` first", data.display());
    }
    let response = request(connection, reqwest::Method::POST, "/api/v1/activate").await?;
    let answer: serde_json::Value = response.json().await?;
    println!("{} may page people from now on", answer["install"].as_str().unwrap_or("this installation"));
    Ok(())
}

async fn request(connection: &Connection, method: reqwest::Method, path: &str) -> anyhow::Result<reqwest::Response> {
    let base = connection.base_url();
    let mut request = reqwest::Client::new().request(method, format!("{base}{path}"));
    if let Some(token) = &connection.token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.with_context(|| {
        format!("no server answers at {base}; start one with `hindcast up`, or name it with --server")
    })?;
    let status = response.status();
    if !status.is_success() {
        let problem: serde_json::Value = response.json().await.unwrap_or_default();
        bail!("{} ({status})", problem["detail"].as_str().unwrap_or("the server refused"));
    }
    Ok(response)
}
