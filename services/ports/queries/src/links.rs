//! Links between services as of a snapshot's position: folded from the events about them.

use hindcast_api::Problem;
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::links::ServiceLinks;
use hindcast_domain::{EventId, Partition};
use serde_json::json;

use crate::{EventFilter, ListPart, Snapshot};

/// Events of a page.
const PAGE: usize = 500;
/// What is folded.
const TYPES: [&str; 2] = ["topology.proposed", "topology.judged"];

impl Snapshot {
    /// What is known and proposed between services besides the catalogue.
    ///
    /// # Errors
    /// When the views cannot be read.
    pub async fn links(&self) -> Result<ServiceLinks, Problem> {
        let mut all: Vec<hindcast_api::Event> = Vec::new();
        for kind in TYPES {
            let mut part = ListPart::first(PAGE);
            loop {
                let filter = EventFilter { kind: Some(kind.to_owned()), ..EventFilter::default() };
                let page = self.events(filter, part).await?;
                all.extend(page.items);
                let Some(next) = page.next else { break };
                part = ListPart { limit: Some(PAGE), cursor: Some(next) };
            }
        }
        all.sort_by_key(|event| event.position);
        let mut links = ServiceLinks::default();
        for recorded in all.into_iter().filter_map(recorded) {
            links.evolve(&recorded);
        }
        Ok(links)
    }
}

/// A shown event as the fold reads it.
fn recorded(shown: hindcast_api::Event) -> Option<Recorded> {
    let id: EventId = shown.id.parse().ok()?;
    let event: Event = serde_json::from_value(json!({"type": shown.event_type, "data": shown.data})).ok()?;
    Some(Recorded {
        id,
        position: shown.position,
        partition: Partition { tenant: shown.tenant, environment: shown.environment },
        subject: shown.subject,
        revision: shown.revision,
        time: shown.time,
        actor: shown.actor,
        cause: None,
        event,
    })
}
