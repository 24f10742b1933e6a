//! The suite against a real nats-server, with harm done to its store; and the copy through both adapters.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests say what they expect

use crate::common;
use std::sync::Arc;

use common::{Nats, Place};
use hindcast_ledger::Shared;
use hindcast_ledger_embedded::EmbeddedLedger;
use hindcast_testkit::conformance::{Site, storage};

hindcast_testkit::conformance_suite!(Nats);
hindcast_testkit::storage_suite!(Nats);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_from_embedded_to_nats_and_back_keeps_every_byte() {
    let folders: Vec<_> = (0..2).map(|_| tempfile::tempdir().unwrap()).collect();
    let open = |at: usize| -> Shared {
        let options = hindcast_ledger_embedded::Options::at(folders[at].path()).with_id("COPY");
        Arc::new(EmbeddedLedger::open(options).unwrap())
    };
    let (through, foreign) = (Place::new("COPY").await, Place::new("OTHER").await);
    storage::a_copy_keeps_every_byte(open(0), through.ledger(), open(1), foreign.ledger()).await;
}
