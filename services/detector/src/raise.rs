//! Findings into the ledger, each once. Owns the look before the write; refuses to know what is found.

use hindcast_domain::finding::Raised;
use hindcast_domain::{FindingId, Partition};
use hindcast_facts::NewFact;
use hindcast_queries::{EventFilter, Window};

use crate::error::Error;
use crate::state::DetectorState;
use crate::{ACTOR, Detector, FailPoint};

/// A finding that may be new.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct New {
    pub id: FindingId,
    pub partition: Partition,
    pub raised: Raised,
}

impl Detector {
    /// Writes what is not in the ledger yet. What is written when it fails is found there the next time.
    pub(crate) async fn raise(&self, state: &mut DetectorState, new: &[New]) -> Result<(), Error> {
        for New { id, partition, raised } in new {
            if self.is_known(state, id).await? {
                continue;
            }
            let fact = NewFact::new(id.to_string(), ACTOR, raised.clone());
            self.options.writer.submit(partition, vec![fact]).await?;
            self.options.metrics.count("hindcast_findings_total", &[("kind", raised.kind.name())], 1.0);
            tracing::debug!(finding_id = %id, kind = raised.kind.name(), "a finding is raised");
            state.remember(id.to_string());
        }
        Ok(())
    }

    /// Whether a finding stands in the ledger: by what is remembered, else by what the views know.
    async fn is_known(&self, state: &mut DetectorState, id: &FindingId) -> Result<bool, Error> {
        if self.options.fail == FailPoint::RaiseAgain {
            return Ok(false);
        }
        if state.was_raised(id.as_str()) {
            return Ok(true);
        }
        let filter = EventFilter { subject: Some(id.to_string()), ..EventFilter::default() };
        let window = Window { limit: Some(1), ..Window::default() };
        let known = !self.options.queries.events(filter, window).await?.items.is_empty();
        if known {
            state.remember(id.to_string());
        }
        Ok(known)
    }
}
