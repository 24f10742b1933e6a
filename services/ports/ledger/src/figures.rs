//! What is counted of a ledger while it is used: appends, syncs, and how long decisions take. Handles of metrics, handed
//! to all who append; it knows no format and no name of a service.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hindcast_domain::{EventId, Time};
use hindcast_metrics::{AtomicHistogram, Counter, MetricRegistry};

use crate::subject::Subject;

/// Requests for notifications whose origin is remembered; the oldest are forgotten.
const ORIGINS_MAX: usize = 4_096;

/// The metrics of a ledger. Cheap to clone; all clones count the same.
#[derive(Clone, Debug)]
pub struct LedgerFigures {
    inner: Arc<LedgerHandles>,
}

#[derive(Debug)]
struct LedgerHandles {
    intake: AppendFigures,
    lanes: AppendFigures,
    sync: AtomicHistogram,
    registry: MetricRegistry,
    origins: Mutex<BTreeMap<EventId, Time>>,
}

#[derive(Debug)]
struct AppendFigures {
    commits: Counter,
    events: Counter,
    bytes: Counter,
    took: AtomicHistogram,
}

impl AppendFigures {
    fn of(registry: &MetricRegistry, writer: &str) -> Self {
        let labels = [("writer", writer)];
        Self {
            commits: registry.counter("hindcast_ledger_appended_commits_total", &labels),
            events: registry.counter("hindcast_ledger_appended_events_total", &labels),
            bytes: registry.counter("hindcast_ledger_appended_bytes_total", &labels),
            took: registry.histogram("hindcast_ledger_append_seconds", &labels),
        }
    }
}

impl Default for LedgerFigures {
    fn default() -> Self {
        Self::of(&MetricRegistry::default())
    }
}

impl LedgerFigures {
    /// Those of a registry.
    #[must_use]
    pub fn of(registry: &MetricRegistry) -> Self {
        let inner = LedgerHandles {
            intake: AppendFigures::of(registry, "intake"),
            lanes: AppendFigures::of(registry, "lane"),
            sync: registry.histogram("hindcast_ledger_sync_seconds", &[]),
            registry: registry.clone(),
            origins: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Counts a commit that was appended to a subject, with its events and bytes, and how long its writer waited.
    pub fn appended(&self, subject: &Subject, events: usize, bytes: usize, took: Duration) {
        let figures = if subject.lane_name().is_some() { &self.inner.lanes } else { &self.inner.intake };
        figures.commits.inc();
        figures.events.inc_by(events as u64);
        figures.bytes.inc_by(bytes as u64);
        figures.took.observe(took);
    }

    /// Counts one sync of the disk.
    pub fn synced(&self, took: Duration) {
        self.inner.sync.observe(took);
    }

    /// Where a service counts how long its decisions take.
    #[must_use]
    pub fn decisions(&self, service: &str) -> AtomicHistogram {
        self.inner.registry.histogram("hindcast_decision_seconds", &[("service", service)])
    }

    /// Notes since when somebody waits for the notification that an event requests.
    pub fn note_origin(&self, request: EventId, since: Time) {
        let mut origins = self.inner.origins.lock().unwrap_or_else(PoisonError::into_inner);
        origins.insert(request, since);
        if origins.len() > ORIGINS_MAX
            && let Some(oldest) = origins.iter().min_by_key(|(_, since)| **since).map(|(id, _)| id.clone())
        {
            origins.remove(&oldest);
        }
    }

    /// Since when somebody waits for what this event requests; it is told once. `None` where another process, or an
    /// earlier life of this one, requested it.
    #[must_use]
    pub fn take_origin(&self, request: &EventId) -> Option<Time> {
        self.inner.origins.lock().unwrap_or_else(PoisonError::into_inner).remove(request)
    }
}

/// How long it is from one time to a later one; nothing where the clock was set back.
#[must_use]
pub fn elapsed(from: Time, to: Time) -> Duration {
    Duration::from_nanos(u64::try_from(to.since(from).nanos()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_told_once_and_old_ones_are_forgotten() {
        let figures = LedgerFigures::default();
        let id = |n: i64| EventId::derive(&[&n.to_be_bytes()]);
        for n in 0..=ORIGINS_MAX as i64 {
            figures.note_origin(id(n), Time::from_millis(n));
        }
        assert_eq!((figures.take_origin(&id(0)), figures.take_origin(&id(1))), (None, Some(Time::from_millis(1))));
        assert_eq!(figures.take_origin(&id(1)), None);
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_duration() {
        assert_eq!(elapsed(Time::from_millis(5), Time::from_millis(2)), Duration::ZERO);
        assert_eq!(elapsed(Time::from_millis(2), Time::from_millis(5)), Duration::from_millis(3));
    }
}
