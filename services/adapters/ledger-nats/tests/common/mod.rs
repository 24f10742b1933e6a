//! A real nats-server for each test, on a port and in a store of its own. Where none is installed it is
//! fetched once; where that fails the test fails, for a suite that skips proves nothing.

#![allow(dead_code, unreachable_pub)] // each test binary uses a part of it

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hindcast_ledger::Shared;
use hindcast_ledger_nats::{NatsLedger, NatsServer, Options, fetch, server};
use hindcast_testkit::conformance::{Factory, Harm, Site};
use tokio::sync::OnceCell;

/// Short, so that a test can outlast it.
pub const DEDUP_WINDOW: Duration = Duration::from_millis(200);

static PROGRAM: OnceCell<PathBuf> = OnceCell::const_new();

/// The server's program.
pub async fn program() -> PathBuf {
    let find = || async {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let fetched = Path::new(env!("CARGO_TARGET_TMPDIR")).join("nats-server");
        if let Some(program) = fetch::find_server(&path, std::slice::from_ref(&fetched)).await {
            return program;
        }
        // Tests of other processes may be about to fetch it too.
        let lock = std::fs::File::create(fetched.with_file_name(".fetch-lock")).unwrap();
        lock.lock().unwrap();
        match fetch::find_server(&path, std::slice::from_ref(&fetched)).await {
            Some(program) => program,
            None => fetch::fetch_server(&fetched).await.expect("a nats-server is needed for this test"),
        }
    };
    PROGRAM.get_or_init(find).await.clone()
}

pub async fn start(store: &Path) -> NatsServer {
    let options = server::ServerOptions { kill_on_drop: true, ..server::ServerOptions::at(program().await, store) };
    NatsServer::start(options).await.expect("a nats-server starts")
}

pub struct Nats;

pub struct Place {
    folder: tempfile::TempDir,
    server: Option<NatsServer>,
    ledger: Option<Shared>,
    ledger_id: String,
}

#[async_trait]
impl Factory for Nats {
    async fn site(&self, ledger_id: &str) -> Box<dyn Site> {
        Box::new(Place::new(ledger_id).await)
    }
}

impl Place {
    pub async fn new(ledger_id: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = start(&folder.path().join("store")).await;
        let mut place = Self { folder, server: Some(server), ledger: None, ledger_id: ledger_id.to_owned() };
        place.ledger = Some(Arc::new(place.connect(true).await.expect("a new stream is made")));
        place
    }

    pub fn server(&self) -> &NatsServer {
        self.server.as_ref().unwrap()
    }

    pub fn options(&self) -> Options {
        Options {
            monitoring: Some(self.server().monitoring()),
            duplicate_window: DEDUP_WINDOW,
            ..Options::at(&self.server().url()).with_id(&self.ledger_id)
        }
    }

    async fn connect(&self, heads: bool) -> Result<NatsLedger, String> {
        let heads = heads.then(|| self.folder.path().join("heads.json"));
        let options = Options { heads, ..self.options() };
        NatsLedger::connect(options).await.map_err(|error| format!("{error:?}"))
    }

    pub async fn restart(&mut self, kill: bool, meanwhile: impl FnOnce(&Path)) {
        let server = self.server.take().unwrap();
        if kill {
            server.kill().await;
        } else {
            server.stop().await.expect("a nats-server stops");
        }
        meanwhile(&self.folder.path().join("store"));
        self.server = Some(start(&self.folder.path().join("store")).await);
    }
}

#[async_trait]
impl Site for Place {
    fn ledger(&self) -> Shared {
        self.ledger.clone().unwrap()
    }

    async fn another(&self) -> Shared {
        Arc::new(self.connect(false).await.expect("another process connects"))
    }

    async fn outlast_dedup_window(&self) {
        tokio::time::sleep(DEDUP_WINDOW * 3).await;
    }

    fn scratch(&self) -> PathBuf {
        self.folder.path().join("snapshots")
    }

    async fn reopen(&mut self, harm: Harm) -> Result<Shared, String> {
        let ledger = self.ledger();
        let head = ledger.head().await.unwrap();
        let middle = ledger.get(head / 2).await.unwrap().unwrap();
        let last = ledger.get(head).await.unwrap().unwrap();
        drop(ledger);
        self.ledger = None;
        let edit = |store: &Path| match harm {
            Harm::CutTail => cut(store, &last.subject.to_string(), &last.payload),
            Harm::FlipBit => flip(store, &middle.payload),
            Harm::None | Harm::Killed => {}
        };
        self.restart(harm == Harm::Killed, edit).await;
        let ledger: Shared = Arc::new(self.connect(true).await?);
        self.ledger = Some(Arc::clone(&ledger));
        Ok(ledger)
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

fn edit(store: &Path, wanted: &[u8], edit: impl Fn(&mut Vec<u8>, usize)) {
    let mut found = Vec::new();
    files(store, &mut found);
    for path in found.iter().filter(|path| path.extension().is_some_and(|ending| ending == "blk")) {
        let mut bytes = std::fs::read(path).unwrap();
        if let Some(at) = bytes.windows(wanted.len()).position(|window| window == wanted) {
            edit(&mut bytes, at);
            return std::fs::write(path, bytes).unwrap();
        }
    }
    panic!("the message is in no block");
}

/// The last message is gone, and the server's own index of it with it.
fn cut(store: &Path, subject: &str, payload: &[u8]) {
    edit(store, payload, |bytes, at| {
        let subject = bytes[..at].windows(subject.len()).rposition(|window| window == subject.as_bytes());
        bytes.truncate(subject.unwrap() - 22);
    });
    let mut found = Vec::new();
    files(store, &mut found);
    for path in found.iter().filter(|path| path.file_name().is_some_and(|name| name == "index.db")) {
        std::fs::remove_file(path).unwrap();
    }
}

fn flip(store: &Path, payload: &[u8]) {
    edit(store, payload, |bytes, at| bytes[at + payload.len() / 2] ^= 4);
}
