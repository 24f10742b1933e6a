//! Keeps the telemetry around an incident from expiring, and writes down that it did.

use hindcast_domain::finding::Pinned;
use hindcast_domain::{IncidentId, Partition, Time};
use hindcast_facts::NewFact;
use hindcast_queries::{EventFilter, Window};
use hindcast_telemetry::TelemetryWindow;

use crate::error::Error;
use crate::limits::{EVENTS_MAX, PIN_BYTES_MAX};
use crate::{ACTOR, Detector};

impl Detector {
    /// Pins a window, unless the ledger says that it is. A window without telemetry leaves no trace.
    pub(crate) async fn pin(
        &self,
        partition: &Partition,
        incident: &IncidentId,
        (from, to): (Time, Time),
    ) -> Result<(), Error> {
        if self.is_pinned(incident, from, to).await? {
            return Ok(());
        }
        let kept = self.options.telemetry.pin(partition, TelemetryWindow { from, to }, PIN_BYTES_MAX).await?;
        if kept.records == 0 && kept.missing == 0 {
            return Ok(());
        }
        self.options.metrics.count("hindcast_evidence_pinned_total", &[], 1.0);
        let (hashes, records, bytes, missing) = (kept.hashes, kept.records, kept.bytes, kept.missing);
        let pinned = Pinned { from, to, hashes, records, bytes, missing };
        let fact = NewFact::new(incident.to_string(), ACTOR, pinned);
        self.options.writer.submit(partition, vec![fact]).await?;
        Ok(())
    }

    async fn is_pinned(&self, incident: &IncidentId, from: Time, to: Time) -> Result<bool, Error> {
        let filter = EventFilter {
            kind: Some("evidence.pinned".to_owned()),
            subject: Some(incident.to_string()),
            ..EventFilter::default()
        };
        let window = Window { limit: Some(EVENTS_MAX), ..Window::default() };
        let written = self.options.queries.events(filter, window).await?.items;
        let same = |data: serde_json::Value| {
            serde_json::from_value::<Pinned>(data).is_ok_and(|pinned| pinned.from == from && pinned.to == to)
        };
        Ok(written.into_iter().any(|event| same(event.data)))
    }
}
