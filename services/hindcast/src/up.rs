//! `up` and `serve`: starts a node and runs it until somebody asks it to stop.

use std::path::Path;

use anyhow::Context;
use hindcast_clock as clock;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::folder::Folder;
use crate::ledger::OpenedLedger;
use crate::node::{Node, Parts, Role, figures};
use crate::settings::{Flags, Settings};

/// Runs until SIGTERM or SIGINT, or until a service breaks down.
///
/// # Errors
/// When it cannot start, or a service breaks down.
pub async fn run(flags: &Flags, data: Option<&Path>, roles: &[Role]) -> anyhow::Result<()> {
    let mut settings = Settings::resolve(flags, data)?;
    let listener =
        TcpListener::bind(settings.listen).await.with_context(|| format!("the listen address {}", settings.listen))?;
    let address = listener.local_addr()?;
    if settings.listen.port() == 0 {
        settings.public_url = settings.public_url.replace(&settings.listen.to_string(), &address.to_string());
    }
    let folder = Folder::open(&settings.data)?;
    let is_loopback = address.ip().is_loopback() && settings.otlp_listen.is_none_or(|otlp| otlp.ip().is_loopback());
    let token = token(&folder, is_loopback)?;
    let (metrics, progress) = figures::counted(&settings);
    // The keys are made before the ledger is: a ledger without them is never taken for a new one.
    folder.keys()?;
    let opened = OpenedLedger::open(&settings, &folder, None, &progress).await?;
    opened.announce(&address.to_string());
    let parts = Parts {
        settings,
        roles: roles.iter().copied().collect(),
        clock: clock::System::shared(),
        opened,
        progress,
        metrics,
        listener,
        token,
        reading_only: false,
    };
    let mut stop = Stop::new()?;
    let mut node = tokio::select! {
        started = Node::start(parts) => started?,
        () = stop.asked() => return Ok(()),
    };
    if let Some(otlp) = node.otlp_address {
        println!("OpenTelemetry over gRPC and HTTP on {otlp}");
    }
    if let Some(syslog) = node.syslog_address {
        println!("syslog over TCP and UDP on {syslog}");
    }
    println!("serving on {address} · data in {} · Ctrl-C stops", folder.path().display());
    let failed = tokio::select! {
        () = stop.asked() => None,
        error = node.failed() => Some(error),
    };
    node.stop().await;
    failed.map_or(Ok(()), Err)
}

/// On loopback everything is open; anywhere else a token is made at the first start and shown once.
fn token(folder: &Folder, loopback: bool) -> anyhow::Result<Option<String>> {
    if loopback {
        println!("open to this machine alone: no token is asked for on a loopback address");
        return Ok(None);
    }
    let (hash, fresh) = folder.token()?;
    if let Some(fresh) = fresh {
        println!("a token was made for this server; it is shown this once: {fresh}");
    }
    Ok(Some(hash))
}

/// Waits for SIGTERM and SIGINT.
pub struct Stop {
    term: tokio::signal::unix::Signal,
    int: tokio::signal::unix::Signal,
}

impl Stop {
    /// From now on both are caught.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self { term: signal(SignalKind::terminate())?, int: signal(SignalKind::interrupt())? })
    }

    /// Ends when one of them came.
    pub async fn asked(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}
