//! The adapter against the suite of its port: over the stand-in's socket always, and against a real server
//! where `QDRANT_URL` names one (and `QDRANT_API_KEY` its key).

#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::stand_in;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use hindcast_vectors::Shared;
use hindcast_vectors::conformance::{Factory, Site};
use hindcast_vectors_qdrant::{Options, QdrantStore};
use stand_in::StandIn;

struct AtAServer {
    options: Options,
    store: Shared,
    /// Kept, so that the server lives as long.
    _server: Option<StandIn>,
}

impl AtAServer {
    fn new(options: Options, server: Option<StandIn>) -> Self {
        let store = Arc::new(QdrantStore::open(&options).unwrap());
        Self { options, store, _server: server }
    }
}

#[async_trait]
impl Site for AtAServer {
    fn store(&self) -> Shared {
        Arc::clone(&self.store)
    }

    async fn reopen(&mut self) -> Shared {
        self.store = Arc::new(QdrantStore::open(&self.options).unwrap());
        self.store()
    }
}

struct OverASocket;

#[async_trait]
impl Factory for OverASocket {
    async fn site(&self, dimension: usize) -> Box<dyn Site> {
        let server = StandIn::start(None).await;
        let options = Options::new(server.url(), None, format!("test-{dimension}"), dimension);
        Box::new(AtAServer::new(options, Some(server)))
    }
}

mod over_a_socket {
    use super::OverASocket;

    hindcast_vectors::conformance_suite!(OverASocket);
}

/// Collections of this run at a real server; dropped at the end of each case.
struct Real {
    url: String,
    key: Option<String>,
}

#[allow(clippy::disallowed_methods)] // a test asks the environment where a server is
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

static SITES: AtomicU32 = AtomicU32::new(0);

#[async_trait]
impl Factory for Real {
    async fn site(&self, dimension: usize) -> Box<dyn Site> {
        let n = SITES.fetch_add(1, Ordering::Relaxed);
        let name = format!("conformance-{}-{n}-{dimension}", std::process::id());
        let site = AtAServer::new(Options::new(self.url.clone(), self.key.clone(), name, dimension), None);
        site.store.clear().await.expect("the server that QDRANT_URL names answers");
        Box::new(site)
    }
}

/// One test, since whether it runs is decided when it runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_server_keeps_the_suite() {
    use hindcast_vectors::conformance as suite;
    let Some(url) = environment("QDRANT_URL") else {
        eprintln!("skipped: no real Qdrant was asked; set QDRANT_URL to the gRPC address of one");
        return;
    };
    let real = Real { url, key: environment("QDRANT_API_KEY") };
    suite::an_empty_store_finds_nothing_and_is_nowhere(&real).await;
    suite::a_search_as_of_a_position_sees_nothing_later(&real).await;
    suite::of_several_versions_the_last_that_is_visible_is_found(&real).await;
    suite::what_is_gone_is_found_before_and_not_after(&real).await;
    suite::partitions_and_kinds_are_apart(&real).await;
    suite::equal_scores_go_by_the_items_id(&real).await;
    suite::storing_again_changes_nothing(&real).await;
    suite::versions_may_come_in_any_order(&real).await;
    suite::a_limit_and_what_is_left_out_are_kept(&real).await;
    suite::the_checkpoint_comes_with_its_data(&real).await;
    suite::a_vector_of_another_length_is_refused(&real).await;
    suite::clearing_forgets_everything(&real).await;
    suite::any_history_agrees_with_the_plainest_code(&real).await;
    suite::ten_thousand_points_are_searched_exactly(&real).await;
}
