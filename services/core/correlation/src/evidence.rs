//! What each thing that an alert has says in this tenant. Owns the evidence that an alert brings; refuses to compare two.

use hindcast_domain::{Fingerprint, Time};
use serde::{Deserialize, Serialize};

use crate::baseline::AlertBaseline;
use crate::traits::{AlertTraits, Newcomer, hash};

/// One value with what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TellingValue {
    pub(crate) hash: u64,
    /// In thousandths of nats, as of when the alert came.
    pub(crate) information: i32,
}

/// An alert with what its values said when it came. They are worked out once: a second step that asks later has the
/// reasons of that moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertEvidence {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) kind: u64,
    /// When it began, and never after it came.
    pub(crate) began: Time,
    pub(crate) source: u64,
    pub(crate) service: Option<String>,
    pub(crate) subject: Option<TellingValue>,
    pub(crate) namespace: Option<TellingValue>,
    pub(crate) cluster: Option<u64>,
    pub(crate) name: TellingValue,
    pub(crate) things: Vec<TellingValue>,
    pub(crate) labels: Vec<TellingValue>,
    pub(crate) words: Vec<TellingValue>,
    /// The logarithm of how often such an alert comes by itself, in thousandths of nats a second.
    pub(crate) ln_rate: i32,
    pub(crate) pages: bool,
    pub(crate) explains_itself: bool,
    pub(crate) is_watched: bool,
}

impl AlertEvidence {
    /// What an alert says that fires at `now`, which may have been taken in already.
    #[must_use]
    pub fn of(alert: &Newcomer<'_>, traits: AlertTraits, baseline: &AlertBaseline, now: Time) -> Self {
        let moment = baseline.moment(now);
        let ln_rate = baseline.ln_rate(&traits, moment);
        let telling = |hash| TellingValue { hash, information: baseline.information(hash, moment) };
        let text = |hash| TellingValue { hash, information: baseline.information_of_text(hash, moment) };
        let texts = |hashes: Vec<u64>| hashes.into_iter().map(text).collect();
        let key = telling(traits.subject_key);
        Self {
            fingerprint: alert.fingerprint.clone(),
            kind: traits.kind,
            began: alert.starts_at.min(now),
            source: hash(b'q', &[alert.source]),
            service: alert.service.map(ToOwned::to_owned),
            subject: traits.subject.map(|hash| TellingValue { hash, ..key }),
            namespace: traits.namespace.map(text),
            cluster: traits.cluster,
            name: telling(traits.name),
            things: traits.things.into_iter().map(telling).collect(),
            labels: texts(traits.labels),
            words: texts(traits.words),
            ln_rate,
            pages: alert.severity.pages(),
            explains_itself: traits.explains_itself,
            is_watched: traits.is_watched,
        }
    }
}
