//! Links between services from what is read anyway: log lines, spans, alerts that began to fire and merges of people. Owns
//! how evidence reaches the ledger; what is evidence, `core/topology` knows.

use std::collections::BTreeMap;

use hindcast_api::Event;
use hindcast_domain::Partition;
use hindcast_domain::alert::Fired;
use hindcast_domain::catalog::Topology;
use hindcast_domain::event::SYSTEM;
use hindcast_domain::links::{LinkObserved, SAMPLE_BYTES_MAX};
use hindcast_facts::NewFact;
use hindcast_queries::{EventFilter, Window};
use hindcast_redact::Redactor;
use hindcast_telemetry::{LogRecord, TraceSpan};
use hindcast_topology::{AlertSeen, SpanSeen, TopologyWatch};

use crate::error::Error;
use crate::limits::{EVENTS_MAX, LINKS_DUE_MAX, PARTITIONS_MAX};
use crate::state::{DetectorState, DueLinks};
use crate::{ACTOR, Detector, words};

/// What lines and spans of a batch show.
pub(crate) fn read(
    watch: &mut TopologyWatch,
    logs: &[LogRecord],
    spans: &[TraceSpan],
    topology: &Topology,
) -> Vec<LinkObserved> {
    let mut seen = Vec::new();
    for record in logs.iter().filter(|record| !record.service.is_empty()) {
        seen.extend(watch.line(&record.service, &record.message, topology));
    }
    for span in spans.iter().filter(|span| !span.service.is_empty()) {
        let TraceSpan { service, trace, id, parent, peer, .. } = span;
        let span = SpanSeen { service, trace: *trace, id: *id, parent: *parent, peer };
        seen.extend(watch.span(&span, topology));
    }
    seen
}

/// Puts evidence where it is written from; a sample is redacted before anything keeps it.
pub(crate) fn owe(due: &mut DueLinks, tenant: &str, seen: Vec<LinkObserved>) {
    for mut seen in seen {
        let sample = words::cut(&seen.sighting.sample, SAMPLE_BYTES_MAX - 4);
        seen.sighting.sample = Redactor::default().text(&sample);
        if due.len() < LINKS_DUE_MAX {
            due.push_back((tenant.to_owned(), seen));
        }
    }
}

impl Detector {
    /// Takes in alerts that began to fire, and merges of people, between two positions.
    pub(crate) async fn alerts(
        &self,
        state: &mut DetectorState,
        topology: &Topology,
        (from, to): (u64, u64),
    ) -> Result<(), Error> {
        let fired = self.between("alert.fired", from, to).await?;
        let mut merges = Vec::new();
        for merged in self.between("incident.merged", from, to).await?.iter().filter(|event| event.actor != SYSTEM) {
            merges.extend(self.merge(merged).await?.map(|sides| (partition_of(merged), sides)));
        }
        for event in fired {
            let (partition, Ok(fired)) = (partition_of(&event), serde_json::from_value::<Fired>(event.data)) else {
                continue;
            };
            let Some(service) = fired.service.as_deref() else { continue };
            let labels: BTreeMap<String, String> =
                fired.labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
            let is_observed = fired.about.as_ref().is_some_and(|about| about.observed_by.is_some());
            let (name, began) = (fired.name.as_str(), fired.starts_at);
            let alert = AlertSeen { service, name, began, labels: &labels, is_observed };
            let Some(stream) = state.stream(&partition, PARTITIONS_MAX) else { continue };
            let seen = stream.links.alert(&alert, topology);
            owe(&mut state.due_links, &partition.tenant, seen);
        }
        for (partition, (first, second, incident)) in merges {
            let Some(stream) = state.stream(&partition, PARTITIONS_MAX) else { continue };
            let seen = stream.links.merged(&first, &second, &incident);
            owe(&mut state.due_links, &partition.tenant, seen.into_iter().collect());
        }
        Ok(())
    }

    /// The services of both sides of a merge, of the one that began first first.
    async fn merge(&self, merged: &Event) -> Result<Option<(Vec<String>, Vec<String>, String)>, Error> {
        let Some(from) = merged.data.get("incident").and_then(|id| id.as_str()) else { return Ok(None) };
        let before = Some(hindcast_api::AsOf::Position(merged.position.saturating_sub(1)));
        let queries = &self.options.queries;
        let mut sides = Vec::new();
        for id in [merged.subject.as_str(), from] {
            match queries.incident(Some(id), before).await {
                Ok(incident) => sides.push(incident),
                Err(problem) if problem.status == 404 => return Ok(None),
                Err(problem) => return Err(problem.into()),
            }
        }
        sides.sort_by_key(|incident| incident.started_at);
        let [first, second] = sides.as_slice() else { return Ok(None) };
        Ok(Some((first.services.clone(), second.services.clone(), merged.subject.clone())))
    }

    async fn between(&self, kind: &str, from: u64, to: u64) -> Result<Vec<Event>, Error> {
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let kind = Some(kind.to_owned());
            let filter = EventFilter { kind, from: Some(from), to: Some(to), ..EventFilter::default() };
            let page =
                self.options.queries.events(filter, Window { limit: Some(EVENTS_MAX), cursor, as_of: None }).await?;
            all.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                return Ok(all);
            }
        }
    }

    /// Writes the evidence that is due. What was written twice after a failure says nothing new.
    pub(crate) async fn propose(&self, state: &mut DetectorState) -> Result<(), Error> {
        while let Some((tenant, seen)) = state.due_links.front() {
            let fact = NewFact::new(seen.link.id().to_string(), ACTOR, seen.clone());
            self.options.writer.submit(&Partition::whole(tenant), vec![fact]).await?;
            state.due_links.pop_front();
        }
        Ok(())
    }
}

/// The partition of a shown event.
fn partition_of(event: &Event) -> Partition {
    Partition { tenant: event.tenant.clone(), environment: event.environment.clone() }
}
