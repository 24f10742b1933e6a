//! The suite against files, with segments so small that every case crosses several.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests say what they expect

use std::sync::Arc;

use async_trait::async_trait;
use hindcast_clock::{Shared as Clock, Stepped};
use hindcast_telemetry::Shared;
use hindcast_telemetry::conformance::{Factory, Site, at};
use hindcast_telemetry_files::{Files, Options};

struct InFiles;

struct Place {
    folder: tempfile::TempDir,
    store: Option<Arc<Files>>,
}

fn open(folder: &tempfile::TempDir) -> Arc<Files> {
    let clock: Clock = Arc::new(Stepped::new(at(0)));
    Files::open(Options { segment_bytes: 1, ..Options::at(folder.path(), clock) }).unwrap()
}

#[async_trait]
impl Factory for InFiles {
    async fn site(&self) -> Box<dyn Site> {
        let folder = tempfile::tempdir().unwrap();
        let store = Some(open(&folder));
        Box::new(Place { folder, store })
    }
}

#[async_trait]
impl Site for Place {
    fn store(&self) -> Shared {
        self.store.clone().unwrap()
    }

    async fn reopen(&mut self) -> Shared {
        drop(self.store.take());
        self.store = Some(open(&self.folder));
        self.store()
    }
}

hindcast_telemetry::conformance_suite!(InFiles);
hindcast_telemetry::durability_suite!(InFiles);
