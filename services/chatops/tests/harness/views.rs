//! Views as simple as can be: incidents by position, folded from the ledger as it grows.

use std::collections::BTreeMap;
use std::sync::Arc;

use hindcast_api::{Alert, Incident};
use hindcast_domain::book::Book;
use hindcast_domain::event::{Event as Fact, Recorded};
use hindcast_eventlog::feed::OrderedFeed;
use hindcast_eventlog::read::{self, ReadEvent};
use hindcast_ledger::commit;
use hindcast_ledger::memory::MemoryLedger;
use hindcast_queries::memory::MemoryViews;
use hindcast_testkit as testkit;

pub fn start(ledger: &MemoryLedger) -> Arc<MemoryViews> {
    let views = Arc::new(MemoryViews::default());
    let mut feed = OrderedFeed::start(ledger.share(), 1);
    tokio::spawn({
        let views = Arc::clone(&views);
        async move {
            let mut books = BTreeMap::new();
            loop {
                for record in feed.next().await.unwrap() {
                    let events = read::events(&record, &read::commit(&record).unwrap()).unwrap();
                    for item in events {
                        let ReadEvent::Known(event) = item else { panic!("{item:?}") };
                        fold(&views, &mut books, &event);
                    }
                    views.reach(commit::position(record.seq + 1, 0) - 1);
                }
            }
        }
    });
    views
}

/// From now on an alert of an incident is shown.
pub fn holds_alert(views: &MemoryViews, fingerprint: &str, name: &str, incident: &str) {
    views.put(0, Alert { incident: Some(incident.to_owned()), ..testkit::alert(fingerprint, name) });
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
