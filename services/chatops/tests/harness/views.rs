//! Views as simple as can be: incidents by position, folded from the ledger as it grows; and a copilot that
//! answers everything with one sentence.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use hindcast_advice::{Advice, Asker, Copilot};
use hindcast_api::{
    Alert, Answer, AnswerProgress, AsOf, Ask, Causes, Code, Incident, Postmortem, Problem, Proposal, RunbookSummary,
    SimilarPage,
};
use hindcast_domain::book::Book;
use hindcast_domain::event::{Event as Fact, Recorded};
use hindcast_eventlog::feed::OrderedFeed;
use hindcast_eventlog::read::{self, ReadEvent};
use hindcast_ledger::commit;
use hindcast_ledger::memory::MemoryLedger;
use hindcast_queries::Queries as _;
use hindcast_queries::memory::MemoryViews;
use hindcast_testkit as testkit;
use serde_json::{Value, json};
use tokio::sync::mpsc;

pub struct Views {
    pub queries: Arc<MemoryViews>,
    pub asked: AtomicU64,
    pub askers: Mutex<Vec<(Ask, Asker)>>,
}

impl Views {
    pub fn start(ledger: &MemoryLedger) -> Arc<Self> {
        let queries = Arc::new(MemoryViews::default());
        let views =
            Arc::new(Self { queries: Arc::clone(&queries), asked: AtomicU64::new(0), askers: Mutex::default() });
        let mut feed = OrderedFeed::start(ledger.share(), 1);
        tokio::spawn(async move {
            let mut books = BTreeMap::new();
            loop {
                for record in feed.next().await.unwrap() {
                    let events = read::events(&record, &read::commit(&record).unwrap()).unwrap();
                    for item in events {
                        let ReadEvent::Known(event) = item else { panic!("{item:?}") };
                        fold(&queries, &mut books, &event);
                    }
                    queries.reach(commit::position(record.seq + 1, 0) - 1);
                }
            }
        });
        views
    }

    /// From now on an alert of an incident is shown.
    pub fn holds_alert(&self, fingerprint: &str, name: &str, incident: &str) {
        self.queries.put(0, Alert { incident: Some(incident.to_owned()), ..testkit::alert(fingerprint, name) });
    }
}

fn fold(queries: &MemoryViews, books: &mut BTreeMap<String, Book>, event: &Recorded) {
    if let Fact::Configured(configured) = &event.event {
        queries.configure(event.position, configured.section.as_str(), configured.content.clone());
    }
    queries.record(testkit::recorded(event));
    let book = books.entry(event.partition.to_string()).or_default();
    let touched = book.evolve(event);
    for id in touched.incidents {
        let Some(incident) = book.incidents.get(&id) else { continue };
        let url = format!("http://localhost:8080/incidents/{id}");
        queries.put(event.position, Incident::of(incident.clone(), event.partition.environment.clone(), url));
    }
}

fn none<T>() -> Result<T, Problem> {
    Err(Problem::new(Code::NotFound, "the test does not need this"))
}

#[async_trait]
impl Copilot for Views {
    async fn ask(&self, ask: Ask, asker: Asker, _: Option<mpsc::Sender<AnswerProgress>>) -> Result<Answer, Problem> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.askers.lock().unwrap().push((ask, asker));
        let answer = json!({
            "answer": "It was the deploy.", "mode": "evidence", "claims": [], "hypotheses": [], "similar": [],
            "proposals": [], "missing": [], "prompt_version": "1", "position": *self.queries.position().borrow(), "elapsed_ms": 1,
            "conversation": "CNV-0123456789ABCDEF", "recorded": [],
        });
        Ok(serde_json::from_value(answer).unwrap())
    }
}

/// Nothing is concluded.
pub struct Nothing;

#[async_trait]
impl Advice for Nothing {
    async fn causes(&self, _: Option<&str>, _: Option<AsOf>) -> Result<Causes, Problem> {
        none()
    }
    async fn similar(&self, _: Option<&str>, _: Option<AsOf>) -> Result<SimilarPage, Problem> {
        none()
    }
    async fn proposals(&self, _: Option<&str>, _: Option<AsOf>) -> Result<Vec<Proposal>, Problem> {
        none()
    }
    async fn propose(&self, _: &str, _: &str, _: Value, _: &str) -> Result<Proposal, Problem> {
        none()
    }
    async fn postmortem(&self, _: Option<&str>, _: Option<AsOf>) -> Result<Postmortem, Problem> {
        none()
    }
    async fn recall(&self, _: &str, _: Option<AsOf>, _: usize) -> Result<SimilarPage, Problem> {
        none()
    }
    async fn runbooks(&self, _: Option<AsOf>) -> Result<Vec<RunbookSummary>, Problem> {
        none()
    }
}
