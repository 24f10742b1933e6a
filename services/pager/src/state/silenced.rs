//! What silences hold that fires. Owns the index from a silence to its alerts; refuses to know who is told of it.

use std::collections::BTreeMap;

use hindcast_domain::alert::Alert;
use hindcast_domain::silence::{Silence, SilenceState, Silences};
use hindcast_domain::{Fingerprint, SilenceId, Span, Time};
use serde::{Deserialize, Serialize};

/// All silences, and the alerts that each holds while they fire.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SilencedAlerts {
    pub(crate) silences: Silences,
    /// By silence: its alerts, each with the time since which it is held.
    held: BTreeMap<SilenceId, BTreeMap<Fingerprint, Time>>,
    by: BTreeMap<Fingerprint, SilenceId>,
}

impl SilencedAlerts {
    /// Takes in what an alert is now.
    pub(crate) fn note(&mut self, alert: &Alert, now: Time) {
        let by = alert.suppressed.as_ref().filter(|_| alert.is_firing()).and_then(|held| held.by.parse().ok());
        if self.by.get(&alert.fingerprint) == by.as_ref() {
            return;
        }
        if let Some(before) = self.by.remove(&alert.fingerprint)
            && let Some(held) = self.held.get_mut(&before)
        {
            held.remove(&alert.fingerprint);
            if held.is_empty() {
                self.held.remove(&before);
            }
        }
        if let Some(by) = by {
            self.held.entry(by.clone()).or_default().insert(alert.fingerprint.clone(), now);
            self.by.insert(alert.fingerprint.clone(), by);
        }
    }

    /// The alerts that a silence holds and that fire.
    pub(crate) fn of(&self, silence: &SilenceId) -> impl Iterator<Item = &Fingerprint> {
        self.held.get(silence).into_iter().flat_map(BTreeMap::keys)
    }

    /// Silences that hold something which fires, each with the time from which on their end is near: so long before it,
    /// or when the first of it began to be held. One that is no longer than that is none of them.
    pub(crate) fn ending(&self, before: Span) -> impl Iterator<Item = (Time, &Silence)> {
        self.held.iter().filter_map(move |(id, held)| {
            let silence = self.silences.0.get(id).filter(|silence| silence.state == SilenceState::Active)?;
            let terms = &silence.terms;
            let first = held.values().min()?;
            let due = (*first).max(terms.ends_at - before);
            (terms.ends_at.since(terms.starts_at) > before && due < terms.ends_at).then_some((due, silence))
        })
    }
}
