//! Who says what of an alert that several senders speak of. A sender is a configured source; replicas of one another
//! are one. Owns when such an alert is over: when each sender that fired it says so, or its lease there has ended.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Alert, Repeat, Repeated, Resolved};
use crate::id::EventId;
use crate::limits::STARTS_KEPT_MAX;
use crate::repeats::LastRepeats;
use crate::time::Time;

/// What one of several senders says of an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderWord {
    /// When its silence ends what it says.
    pub stale_at: Time,
    /// That it is over there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<SenderEnd>,
}

/// One sender said that an alert is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderEnd {
    /// The `intake.alert` event.
    pub observed: EventId,
    /// When it ended there, by our clock.
    pub ends_at: Time,
}

/// An end as one source sent it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndSent {
    /// The configured source's name.
    pub source: String,
    /// The sender that the source belongs to: itself, or the source that it is a replica of.
    pub sender: String,
    /// When it ended by the source's clock.
    pub sent: Time,
    /// When it ended by ours.
    pub ends_at: Time,
    /// When we learnt of it.
    pub learnt_at: Time,
}

impl Alert {
    /// The sender that fired it first: its source, or the source that this one is a replica of.
    #[must_use]
    pub fn sender(&self) -> &str {
        self.replica_of.as_deref().unwrap_or(&self.source)
    }

    /// Whether a sender fires the newest stretch: it said so, and no end since.
    #[must_use]
    pub fn is_fired_by(&self, sender: &str) -> bool {
        match self.senders.get(sender) {
            Some(word) => word.ended.is_none(),
            None => self.senders.is_empty() && self.sender() == sender,
        }
    }

    /// When the silence of one of several senders ends what it says, with what it sent again since.
    #[must_use]
    pub fn lease(&self, sender: &str, word: &SenderWord, repeats: &LastRepeats) -> Time {
        let other = (self.sender() != sender).then_some(sender);
        repeats.lease(&self.fingerprint, other).map_or(word.stale_at, |again| again.max(word.stale_at))
    }

    /// When the last of several senders that fire it falls silent; `None` with one sender, or none that fires it.
    #[must_use]
    pub fn last_lease(&self, besides: Option<&str>, repeats: &LastRepeats) -> Option<Time> {
        let fires = |(sender, word): &(&String, &SenderWord)| word.ended.is_none() && besides != Some(sender.as_str());
        let leases = self.senders.iter().filter(fires).map(|(sender, word)| self.lease(sender, word, repeats));
        leases.max()
    }

    /// What says that it is over by the last of several senders that said so.
    #[must_use]
    pub fn last_end(&self) -> Option<&SenderEnd> {
        self.senders.values().filter_map(|word| word.ended.as_ref()).max_by_key(|end| end.ends_at)
    }

    /// Folds what several senders mean by a repeat; true where it moved when their silence counts.
    pub(super) fn hear(&mut self, repeated: &Repeated, now: Time) -> bool {
        let source = repeated.source.clone().unwrap_or_else(|| self.source.clone());
        let own = || self.sender().to_owned();
        let sender = repeated.replica_of.clone().or_else(|| repeated.source.clone()).unwrap_or_else(own);
        if let (Some(sent), Some(ends_at)) = (repeated.ends_at_sent, repeated.ends_at) {
            let end = EndSent { source, sender: sender.clone(), sent, ends_at, learnt_at: now };
            self.note_end(repeated.occurrence, end);
        }
        match repeated.why {
            Repeat::FiresElsewhere => {
                let ends_at = repeated.ends_at.unwrap_or(now);
                if let Some(word) = self.senders.get_mut(&sender) {
                    word.ended = Some(SenderEnd { observed: repeated.observed.clone(), ends_at });
                }
            }
            Repeat::Resent | Repeat::Replica if !self.senders.is_empty() || sender != self.sender() => {
                let Some(stale_at) = repeated.stale_at else { return false };
                if self.senders.is_empty() {
                    let first = SenderWord { stale_at: self.stale_at.unwrap_or(now), ended: None };
                    self.senders.insert(self.sender().to_owned(), first);
                }
                if self.senders.contains_key(&sender) || self.senders.len() < STARTS_KEPT_MAX {
                    self.senders.insert(sender, SenderWord { stale_at, ended: None });
                }
            }
            Repeat::Resent | Repeat::Replica | Repeat::Late | Repeat::ResolvedAgain => return false,
        }
        let fires = self.senders.values().filter(|word| word.ended.is_none());
        if let Some(last) = fires.map(|word| word.stale_at).max() {
            self.stale_at = Some(last);
        }
        true
    }

    /// Notes how its end was sent.
    pub(super) fn note_resolved(&mut self, resolved: &Resolved, now: Time) {
        let source = resolved.source.clone().unwrap_or_else(|| self.source.clone());
        let own = || self.sender().to_owned();
        let sender = resolved.replica_of.clone().or_else(|| resolved.source.clone()).unwrap_or_else(own);
        let sent = resolved.ends_at_sent.unwrap_or(resolved.ends_at);
        let end = EndSent { source, sender, sent, ends_at: resolved.ends_at, learnt_at: now };
        self.note_end(self.fired, end);
    }

    fn note_end(&mut self, occurrence: u64, end: EndSent) {
        let Some(occurrence) = self.occurrences.iter_mut().find(|it| it.number == occurrence) else { return };
        occurrence.ends_sent.retain(|known| known.source != end.source);
        if occurrence.ends_sent.len() < STARTS_KEPT_MAX {
            occurrence.ends_sent.push(end);
        }
    }
}

/// The senders of an alert, where there are several.
pub type SenderWords = BTreeMap<String, SenderWord>;
