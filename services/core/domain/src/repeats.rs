//! Repeats that change nothing, gathered: a sender that resends what it said before leaves a count and a time here, and
//! no event of its own. Owns the payload and what it means for an alert's staleness; refuses to know who gathers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::Verdict;
use crate::id::Fingerprint;
use crate::limits::STARTS_KEPT_MAX;
use crate::time::{Span, Time};

/// Alerts of one batch, so that what its lane decides about them fits a commit whatever that is.
pub const REPEATED_ALERTS_MAX: usize = 500;

/// What senders said again within a few milliseconds and what changes nothing. It counts as said at the event's time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RepeatBatch {
    /// When the first of it came in.
    pub from: Time,
    /// When the last of it came in.
    pub to: Time,
    /// The requests of which nothing else is kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<RepeatingSender>,
    /// The alerts, each once.
    pub alerts: Vec<RepeatedAlert>,
}

/// How many requests of one sender held repeats alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RepeatingSender {
    /// The configured source's name.
    pub source: String,
    /// How the sender was recognised.
    pub verified: Verdict,
    /// How many requests.
    pub count: u32,
}

/// One alert that was sent again: it fires, with the labels, annotations, severity and start that are known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RepeatedAlert {
    /// Which alert.
    pub fingerprint: Fingerprint,
    /// How often it was sent; absent for once.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub count: u32,
    /// How long the sender may be silent from now on, in whole seconds.
    pub stale_after_s: u32,
    /// Who sent it, where that is another sender than the one that fired it first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
}

const fn once() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the form that serde asks for
const fn is_once(count: &u32) -> bool {
    *count == 1
}

impl RepeatedAlert {
    /// How long the sender may be silent.
    #[must_use]
    pub fn stale_after(&self) -> Span {
        Span::seconds(i64::from(self.stale_after_s))
    }
}

/// When an alert was last sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRepeat {
    /// Time of the newest repeat.
    pub at: Time,
    /// When the sender's silence becomes a fact.
    pub stale_at: Time,
}

/// The last repeat of each alert. What is long past its end is let go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRepeats {
    alerts: BTreeMap<Fingerprint, LastRepeat>,
    /// By sender, of alerts that several send again; the one that fired it first has no name here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    senders: BTreeMap<Fingerprint, BTreeMap<String, LastRepeat>>,
    /// How many there may be before those that ended are let go.
    room: usize,
}

/// How long a repeat is remembered behind the time at which its alert is stale.
const KEPT: Span = Span::hours(24);
/// Alerts that are remembered before any is looked at to be let go.
const ROOM_MIN: usize = 1_024;

impl LastRepeats {
    /// Takes in a batch that counts as said at `at`.
    pub fn note(&mut self, batch: &RepeatBatch, at: Time) {
        for alert in &batch.alerts {
            let last = LastRepeat { at, stale_at: at + alert.stale_after() };
            self.note_sender(alert, last);
            match self.alerts.get_mut(&alert.fingerprint) {
                Some(known) if known.at <= at => *known = last,
                Some(_) => {}
                None => {
                    self.alerts.insert(alert.fingerprint.clone(), last);
                }
            }
        }
        if self.alerts.len() > self.room.max(ROOM_MIN) {
            self.alerts.retain(|_, last| at.since(last.stale_at) <= KEPT);
            let alerts = &self.alerts;
            self.senders.retain(|fingerprint, _| alerts.contains_key(fingerprint));
            self.room = self.alerts.len() * 2;
        }
    }

    fn note_sender(&mut self, alert: &RepeatedAlert, last: LastRepeat) {
        if alert.sender.is_none() && !self.senders.contains_key(&alert.fingerprint) {
            return;
        }
        let first = self.alerts.get(&alert.fingerprint).copied();
        let by_sender = self
            .senders
            .entry(alert.fingerprint.clone())
            .or_insert_with(|| first.map(|first| (String::new(), first)).into_iter().collect());
        let sender = alert.sender.clone().unwrap_or_default();
        if by_sender.len() < STARTS_KEPT_MAX || by_sender.contains_key(&sender) {
            by_sender.insert(sender, last);
        }
    }

    /// Until when a sender that sent an alert again may be silent; without a name the one that fired it first.
    #[must_use]
    pub fn lease(&self, fingerprint: &Fingerprint, sender: Option<&str>) -> Option<Time> {
        let last = match (self.senders.get(fingerprint), sender) {
            (Some(by_sender), sender) => by_sender.get(sender.unwrap_or_default()),
            (None, None) => self.alerts.get(fingerprint),
            (None, Some(_)) => None,
        };
        last.map(|last| last.stale_at)
    }

    /// The last repeat of an alert, where one is known.
    #[must_use]
    pub fn of(&self, fingerprint: &Fingerprint) -> Option<&LastRepeat> {
        self.alerts.get(fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(alerts: impl Iterator<Item = u16>) -> RepeatBatch {
        let alert = |n: u16| {
            let fingerprint = Fingerprint::from_mac(&[n.to_be_bytes(); 16].concat().try_into().unwrap_or([0; 32]));
            RepeatedAlert { fingerprint, count: 1, stale_after_s: 60, sender: None }
        };
        RepeatBatch { from: Time::ZERO, to: Time::ZERO, requests: Vec::new(), alerts: alerts.map(alert).collect() }
    }

    #[test]
    fn the_newest_repeat_counts_and_what_ended_long_ago_is_let_go() {
        let (mut last, first) = (LastRepeats::default(), batch(0..1_500));
        last.note(&first, Time::from_millis(5_000));
        last.note(&first, Time::from_millis(1_000));
        let known = last.of(&first.alerts[7].fingerprint).copied();
        assert_eq!(known, Some(LastRepeat { at: Time::from_millis(5_000), stale_at: Time::from_millis(65_000) }));
        let day = Time::from_millis(25 * 3_600 * 1_000);
        last.note(&batch(2_000..4_000), day);
        assert_eq!(last.of(&first.alerts[7].fingerprint), None);
        assert_eq!(last.alerts.len(), 2_000);
    }
}
