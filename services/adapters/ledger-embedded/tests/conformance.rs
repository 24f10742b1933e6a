//! The suite against the embedded ledger, with harm done to its files.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests say what they expect

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use hindcast_ledger::{Ledger, Shared};
use hindcast_ledger_embedded::{EmbeddedLedger, Options};
use hindcast_testkit::conformance::{Factory, Harm, Site, storage};

struct Embedded;

struct Place {
    folder: tempfile::TempDir,
    ledger: Option<Arc<EmbeddedLedger>>,
}

fn options(dir: &Path) -> Options {
    // Small segments, so that the suite crosses many of them.
    Options { segment_bytes: 64 * 1024, first_segment_bytes: 4 * 1024, ..Options::at(dir) }
}

#[async_trait]
impl Factory for Embedded {
    async fn site(&self, ledger_id: &str) -> Box<dyn Site> {
        let folder = tempfile::tempdir().unwrap();
        let ledger = EmbeddedLedger::open(options(folder.path()).with_id(ledger_id)).unwrap();
        Box::new(Place { folder, ledger: Some(Arc::new(ledger)) })
    }
}

#[async_trait]
impl Site for Place {
    fn ledger(&self) -> Shared {
        self.ledger.clone().unwrap()
    }

    async fn another(&self) -> Shared {
        self.ledger()
    }

    fn scratch(&self) -> PathBuf {
        self.folder.path().join("snapshots")
    }

    async fn reopen(&mut self, harm: Harm) -> Result<Shared, String> {
        let ledger = self.ledger.take().unwrap();
        if harm == Harm::Killed {
            return self.reopen_a_copy(&ledger).await;
        }
        let head = ledger.head().await.unwrap();
        let middle = ledger.get(head / 2).await.unwrap().unwrap().payload;
        let last = ledger.get(head).await.unwrap().unwrap();
        ledger.close().await;
        drop(ledger);
        match harm {
            Harm::CutTail => self.cut(&last.subject.to_string(), &last.payload),
            Harm::FlipBit => self.flip(&middle),
            Harm::None | Harm::Killed => {}
        }
        self.open()
    }
}

impl Place {
    fn open(&mut self) -> Result<Shared, String> {
        let ledger = EmbeddedLedger::open(options(self.folder.path())).map_err(|error| format!("{error:?}"))?;
        let ledger = Arc::new(ledger);
        self.ledger = Some(Arc::clone(&ledger));
        Ok(ledger)
    }

    /// What a killed process leaves is what lies on disk while it still runs.
    async fn reopen_a_copy(&mut self, running: &Arc<EmbeddedLedger>) -> Result<Shared, String> {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(self.folder.path(), copy.path());
        running.close().await;
        self.folder = copy;
        self.open()
    }

    fn segments(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path().join("ledger")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "seg")).collect()
    }

    fn edit(&self, wanted: &[u8], edit: impl Fn(&mut Vec<u8>, usize)) {
        for path in self.segments() {
            let mut bytes = std::fs::read(&path).unwrap();
            if let Some(at) = bytes.windows(wanted.len()).position(|window| window == wanted) {
                edit(&mut bytes, at);
                return std::fs::write(&path, bytes).unwrap();
            }
        }
        panic!("the record is in no segment");
    }

    fn cut(&self, subject: &str, payload: &[u8]) {
        let header = 32 + 18 + subject.len();
        self.edit(payload, |bytes, at| bytes[at - header..].fill(0));
    }

    fn flip(&self, payload: &[u8]) {
        self.edit(payload, |bytes, at| bytes[at + payload.len() / 2] ^= 4);
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

hindcast_testkit::conformance_suite!(Embedded);
hindcast_testkit::storage_suite!(Embedded);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_keeps_every_byte() {
    let folders: Vec<_> = (0..4).map(|_| tempfile::tempdir().unwrap()).collect();
    let open = |at: usize, id: &str| -> Shared {
        Arc::new(EmbeddedLedger::open(options(folders[at].path()).with_id(id)).unwrap())
    };
    storage::a_copy_keeps_every_byte(open(0, "COPY"), open(1, "COPY"), open(2, "COPY"), open(3, "OTHER")).await;
}
