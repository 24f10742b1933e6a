//! The flat store against the suite of its port, in folders of its own; opened again means read from disk.

#![allow(clippy::expect_used)] // a test says so by panicking

use std::sync::Arc;

use async_trait::async_trait;
use hindcast_vectors::Shared;
use hindcast_vectors::conformance::{Factory, Site};
use hindcast_vectors_flat::FlatStore;
use tempfile::TempDir;

struct OnDisk;

struct Folder {
    folder: TempDir,
    dimension: usize,
    store: Shared,
}

#[async_trait]
impl Factory for OnDisk {
    async fn site(&self, dimension: usize) -> Box<dyn Site> {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Arc::new(FlatStore::open(folder.path(), dimension).expect("an empty store opens"));
        Box::new(Folder { folder, dimension, store })
    }
}

#[async_trait]
impl Site for Folder {
    fn store(&self) -> Shared {
        Arc::clone(&self.store)
    }

    async fn reopen(&mut self) -> Shared {
        self.store = Arc::new(FlatStore::open(self.folder.path(), self.dimension).expect("it opens again"));
        self.store()
    }
}

hindcast_vectors::conformance_suite!(OnDisk);
