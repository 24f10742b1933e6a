//! How far the live services are. It is reported, never truth: after a restart everyone reports anew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use hindcast_domain::Time;
use tokio::sync::watch;

use crate::figures::LedgerFigures;
use crate::port::Seq;

/// Inputs that a lane may be behind before intake takes no more alerts.
pub const UNDECIDED_MAX: usize = 200_000;

/// One service's report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ServiceReport {
    /// All commits up to here are processed.
    pub through: Seq,
    /// When its next timer is due.
    pub due: Option<Time>,
    /// Appends that it has under way.
    pub appending: u32,
}

/// What all services of this process say; cheap to clone.
#[derive(Clone, Debug)]
pub struct LedgerProgress {
    reports: Arc<watch::Sender<BTreeMap<String, ServiceReport>>>,
    expected: Arc<Mutex<BTreeSet<&'static str>>>,
    figures: LedgerFigures,
    undecided: Arc<Mutex<BTreeMap<&'static str, u64>>>,
}

impl Default for LedgerProgress {
    fn default() -> Self {
        Self::counted(LedgerFigures::default())
    }
}

impl LedgerProgress {
    /// One that counts what is appended.
    #[must_use]
    pub fn counted(figures: LedgerFigures) -> Self {
        Self {
            reports: Arc::new(watch::Sender::new(BTreeMap::new())),
            expected: Arc::default(),
            figures,
            undecided: Arc::default(),
        }
    }

    /// Where all who append count.
    #[must_use]
    pub const fn figures(&self) -> &LedgerFigures {
        &self.figures
    }

    /// Services that are expected to report and have not.
    #[must_use]
    pub fn unheard(&self) -> Vec<&'static str> {
        let reports = self.reports.borrow();
        let expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner);
        expected.iter().copied().filter(|service| !is_heard(&reports, service)).collect()
    }

    /// Names services without whose report nothing is settled: a decider that is still finding its state
    /// again has said nothing yet.
    pub fn expect(&self, services: &[&'static str]) {
        let mut expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner);
        expected.extend(services);
    }

    /// Reports for `service`.
    pub fn report(&self, service: &str, report: ServiceReport) {
        self.reports.send_if_modified(|reports| match reports.get_mut(service) {
            Some(known) if *known == report => false,
            Some(known) => {
                *known = report;
                true
            }
            None => {
                reports.insert(service.to_owned(), report);
                true
            }
        });
    }

    /// Notes how many inputs wait in the lanes of `service` in this process.
    pub fn undecided(&self, service: &'static str, inputs: u64) {
        self.undecided.lock().unwrap_or_else(PoisonError::into_inner).insert(service, inputs);
    }

    /// Inputs that wait in the lanes of the service that is furthest behind, as far as this process knows.
    #[must_use]
    pub fn backlog(&self) -> u64 {
        self.undecided.lock().unwrap_or_else(PoisonError::into_inner).values().copied().max().unwrap_or(0)
    }

    /// Counts an append of `service` in (`+1`) or out (`-1`).
    pub fn appending(&self, service: &str, change: i32) {
        self.reports.send_modify(|reports| {
            let report = reports.entry(service.to_owned()).or_default();
            report.appending = report.appending.saturating_add_signed(change);
        });
    }

    /// A service that stopped reports no more.
    pub fn forget(&self, service: &str) {
        self.undecided.lock().unwrap_or_else(PoisonError::into_inner).remove(service);
        self.reports.send_if_modified(|reports| reports.remove(service).is_some());
    }

    /// All reports as they stand.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, ServiceReport> {
        self.reports.borrow().clone()
    }

    /// The earliest timer of all services.
    #[must_use]
    pub fn next_due(&self) -> Option<Time> {
        self.reports.borrow().values().filter_map(|report| report.due).min()
    }

    /// Whether every deciding service has processed all up to `seq`, nothing is being appended and no
    /// timer is due at `now`. Writers report under names that begin with `writer/`: they have no place.
    #[must_use]
    pub fn settled(&self, seq: Seq, now: Time) -> bool {
        let reports = self.reports.borrow();
        let expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner).clone();
        expected.iter().all(|service| is_heard(&reports, service))
            && reports.iter().all(|(name, report)| {
                report.appending == 0
                    && (name.starts_with("writer/") || report.through >= seq)
                    && report.due.is_none_or(|due| due > now)
            })
    }

    /// Ends at the next change.
    pub async fn changed(&self) {
        let mut changes = self.reports.subscribe();
        changes.mark_unchanged();
        if changes.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// A receiver that sees every change from now on.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<BTreeMap<String, ServiceReport>> {
        self.reports.subscribe()
    }
}

/// Whether a service has reported. Other processes report under names of theirs, which end with the service's.
fn is_heard(reports: &BTreeMap<String, ServiceReport>, service: &str) -> bool {
    reports.keys().any(|name| name == service || name.ends_with(&format!("/{service}")))
}
