//! Progress across processes: each says on a core subject how far its services are, and hears the others.
//! It is a report and never truth: messages may be lost, and who falls silent is forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_nats::Client;
use futures::StreamExt;
use hindcast_domain::Time;
use hindcast_ledger::LedgerProgress;
use hindcast_ledger::progress::ServiceReport;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// How often changes are said.
const EVERY: Duration = Duration::from_millis(250);
/// How often it is said that nothing changed.
const ALIVE: Duration = Duration::from_secs(1);
/// Silence after which a process is forgotten.
const FORGET: Duration = Duration::from_secs(3);
/// Processes and services of one that are listened to; more is a mistake.
const PEERS_MAX: usize = 256;
const SERVICES_MAX: usize = 1_024;

#[derive(Serialize, Deserialize)]
struct ProgressMessage {
    process: String,
    services: BTreeMap<String, ServiceProgress>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct ServiceProgress {
    through: u64,
    due: Option<i64>,
    appending: u32,
}

impl From<ServiceReport> for ServiceProgress {
    fn from(report: ServiceReport) -> Self {
        Self { through: report.through, due: report.due.map(Time::nanos), appending: report.appending }
    }
}

impl From<ServiceProgress> for ServiceReport {
    fn from(said: ServiceProgress) -> Self {
        Self { through: said.through, due: said.due.map(Time::from_nanos), appending: said.appending }
    }
}

/// Ends with this value.
pub struct Broadcast {
    task: tokio::task::JoinHandle<()>,
}

impl Broadcast {
    pub(crate) fn start(client: Client, ledger_id: &str, progress: LedgerProgress, process: &str) -> Self {
        let exchange = Exchange {
            subject: format!("hcprogress.{ledger_id}"),
            process: process.to_owned(),
            client,
            progress,
            peers: BTreeMap::new(),
            said: BTreeMap::new(),
            said_at: None,
        };
        Self { task: tokio::spawn(exchange.run()) }
    }
}

impl Drop for Broadcast {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Peer {
    heard: Instant,
    names: BTreeSet<String>,
}

struct Exchange {
    client: Client,
    subject: String,
    process: String,
    progress: LedgerProgress,
    peers: BTreeMap<String, Peer>,
    said: BTreeMap<String, ServiceProgress>,
    said_at: Option<Instant>,
}

impl Exchange {
    async fn run(mut self) {
        let mut heard = match self.client.subscribe(self.subject.clone()).await {
            Ok(heard) => heard,
            Err(error) => {
                return tracing::error!(%error, "progress of other processes cannot be heard");
            }
        };
        let mut ticks = tokio::time::interval(EVERY);
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    self.forget();
                    self.say().await;
                }
                message = heard.next() => match message {
                    Some(message) => self.hear(&message.payload),
                    None => return,
                }
            }
        }
    }

    /// What this process's own services say.
    fn own(&self) -> BTreeMap<String, ServiceProgress> {
        let foreign = |name: &String| self.peers.values().any(|peer| peer.names.contains(name));
        let all = self.progress.all().into_iter().filter(|(name, _)| !foreign(name));
        all.map(|(name, report)| (name, report.into())).collect()
    }

    async fn say(&mut self) {
        let own = self.own();
        if own == self.said && self.said_at.is_some_and(|at| at.elapsed() < ALIVE) {
            return;
        }
        let said = ProgressMessage { process: self.process.clone(), services: own.clone() };
        let Ok(bytes) = serde_json::to_vec(&said) else {
            return;
        };
        if let Err(error) = self.client.publish(self.subject.clone(), bytes.into()).await {
            tracing::debug!(%error, "progress was not said; it is said again");
            return;
        }
        self.said = own;
        self.said_at = Some(Instant::now());
    }

    fn hear(&mut self, bytes: &[u8]) {
        let Ok(said) = serde_json::from_slice::<ProgressMessage>(bytes) else {
            return;
        };
        let known = self.peers.contains_key(&said.process);
        if said.process == self.process || (!known && self.peers.len() >= PEERS_MAX) {
            return;
        }
        let mut names = BTreeSet::new();
        for (name, service) in said.services.into_iter().take(SERVICES_MAX) {
            let name = theirs(&said.process, &name);
            self.progress.report(&name, service.into());
            names.insert(name);
        }
        let peer = Peer { heard: Instant::now(), names };
        if let Some(before) = self.peers.insert(said.process.clone(), peer)
            && let Some(peer) = self.peers.get(&said.process)
        {
            before.names.difference(&peer.names).for_each(|gone| self.progress.forget(gone));
        }
    }

    fn forget(&mut self) {
        let progress = &self.progress;
        self.peers.retain(|_, peer| {
            let alive = peer.heard.elapsed() < FORGET;
            if !alive {
                peer.names.iter().for_each(|name| progress.forget(name));
            }
            alive
        });
    }
}

/// Another process's service by its name here. Writers have no place, and their names keep saying so.
fn theirs(process: &str, name: &str) -> String {
    match name.strip_prefix("writer/") {
        Some(rest) => format!("writer/{process}/{rest}"),
        None => format!("{process}/{name}"),
    }
}
