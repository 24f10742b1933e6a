//! How far a sender's clock is wrong, from the times that it sends and the times at which we learnt of them. Owns the
//! estimate; refuses to read a clock: samples come from decisions that the ledger holds, so that a replay agrees.
//!
//! A sender names a time no later than that at which it sends, and a message needs some time to arrive. So the lead of
//! a time that was sent over the time at which it came is the clock's error less a delay: the largest leads say most.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::Alert;
use crate::event::{Event, Recorded};
use crate::events;
use crate::id::Fingerprint;
use crate::time::{Span, Time};

/// Samples that are kept of one sender.
const SAMPLES_MAX: usize = 32;
/// Samples from which on a clock can be called ahead: one odd time alone moves nothing.
const AHEAD_SAMPLES_MIN: usize = 3;
/// Samples from which on a clock can be called behind: a delay looks alike, so that more are asked for.
const BEHIND_SAMPLES_MIN: usize = 8;
/// The least time that those have to span, longer than a sender that was cut off takes to catch up.
const BEHIND_SPANS: Span = Span::minutes(10);
/// Up to here a clock is right: replicas and rounded seconds differ by so much.
pub const CLOCK_TOLERANCE: Span = Span::seconds(30);
/// Up to here what looks behind is a usual delay: an Alertmanager's `group_interval`.
const DELAY_USUAL: Span = Span::minutes(5);
/// A larger error is no clock's: it is a time that means something else.
const ERROR_MAX: Span = Span::hours(24);
/// Senders that are known at once.
const SENDERS_MAX: usize = 4_096;

/// What is known of one sender's clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderClock {
    /// When a sample came, and how far the time that was sent led over that, in milliseconds; oldest first.
    leads: VecDeque<(Time, i64)>,
    /// What follows from them, in milliseconds.
    ahead: Option<i64>,
}

impl SenderClock {
    /// Takes in a time that a sender named of something that had just happened, and when it came.
    pub fn note(&mut self, sent: Time, received: Time) {
        if sent.distance(received) > ERROR_MAX {
            return;
        }
        if self.leads.len() == SAMPLES_MAX {
            self.leads.pop_front();
        }
        self.leads.push_back((received, sent.millis() - received.millis()));
        self.ahead = self.estimate();
    }

    /// How far the clock is ahead of ours; negative where it is behind (or where all its messages are delayed by so
    /// much). `None` where it is right, as far as is known, or where one name has several clocks.
    #[must_use]
    pub fn ahead(&self) -> Option<Span> {
        self.ahead.map(Span::millis)
    }

    fn estimate(&self) -> Option<i64> {
        let mut leads: Vec<i64> = self.leads.iter().map(|(_, lead)| *lead).collect();
        leads.sort_unstable_by(|a, b| b.cmp(a));
        let largest = *leads.first()?;
        let high = *leads.get(leads.len() / 10)?;
        let middle = *leads.get(leads.len() / 2)?;
        if high > CLOCK_TOLERANCE.as_millis() {
            // A few leads of that size among others are those of another clock behind the same name.
            return (leads.len() >= AHEAD_SAMPLES_MIN && middle * 2 >= high).then_some(high);
        }
        let spans = self.leads.back()?.0.since(self.leads.front()?.0);
        let is_behind = largest < -DELAY_USUAL.as_millis() && leads.len() >= BEHIND_SAMPLES_MIN;
        (is_behind && spans >= BEHIND_SPANS).then_some(largest)
    }
}

/// The clocks of all senders, each by the name of its source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderClocks(BTreeMap<String, SenderClock>);

impl SenderClocks {
    /// How far the clock of a source is ahead of ours.
    #[must_use]
    pub fn ahead(&self, source: &str) -> Option<Span> {
        self.0.get(source).and_then(SenderClock::ahead)
    }

    /// Takes in a decision about an alert, with the alerts as they are after it.
    pub fn evolve(&mut self, alerts: &BTreeMap<Fingerprint, Alert>, decision: &Recorded) {
        let (source, sent) = match &decision.event {
            Event::AlertFired(fired) => (Some(&fired.source), fired.starts_at_sent),
            Event::AlertRepeated(repeated) => {
                (repeated.source.as_ref(), repeated.ends_at_sent.or(repeated.starts_at_sent))
            }
            Event::AlertResolved(resolved) => (resolved.source.as_ref(), resolved.ends_at_sent),
            Event::AlertStale(_)
            | Event::AlertSuppressed(_)
            | Event::AlertUnsuppressed(_)
            | Event::AlertFlapping(_)
            | Event::AlertSettled(_)
            | events! { intake, finding, conversation, proposal, label, model, chat, incident, silence, control, notice } =>
            {
                return;
            }
        };
        let Some(sent) = sent else { return };
        let known = || alerts.get(&decision.subject.parse::<Fingerprint>().ok()?).map(|alert| &alert.source);
        let Some(source) = source.or_else(known) else { return };
        if let Some(clock) = self.0.get_mut(source) {
            clock.note(sent, decision.time);
        } else if self.0.len() < SENDERS_MAX {
            self.0.entry(source.clone()).or_default().note(sent, decision.time);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(leads_s: &[i64]) -> SenderClock {
        let mut clock = SenderClock::default();
        for (index, lead) in leads_s.iter().enumerate() {
            let received = Time::from_millis(1_000_000_000 + 120_000 * i64::try_from(index).unwrap_or(0));
            clock.note(received + Span::seconds(*lead), received);
        }
        clock
    }

    #[test]
    fn a_clock_is_wrong_when_enough_times_say_so() {
        for (leads, ahead) in [
            (&[0, -5, -60, -3_600][..], None),
            (&[590, 598, 560], Some(598)),
            (&[590, 598], None),
            // One time that was meant for later, among right ones.
            (&[0, -1, 86_000, -2, 0, -1], None),
            // Two replicas behind one name, one of them ahead.
            (&[600, 0, 599, 0, 600, -1, 0, 0], None),
            (&[-3_600, -3_601, -3_700, -3_605, -3_600, -3_660, -3_900, -3_601], Some(-3_600)),
            // A sender that is late with most of what it sends, and not with all.
            (&[-3_600, -3_601, -3_700, -3_605, -3_600, -3_660, -3_900, -2], None),
            (&[90_000, 90_000, 90_000, 90_000], None),
        ] {
            assert_eq!(clock(leads).ahead(), ahead.map(Span::seconds), "{leads:?}");
        }
    }

    #[test]
    fn a_sender_that_was_cut_off_for_an_hour_is_not_behind() {
        let mut clock = SenderClock::default();
        let received = Time::from_millis(1_000_000_000_000);
        (0..30).for_each(|n| clock.note(received - Span::minutes(60 + n), received + Span::seconds(n)));
        assert_eq!(clock.ahead(), None);
        let later = received + Span::minutes(30);
        clock.note(later - Span::seconds(1), later);
        assert_eq!(clock.ahead(), None);
    }
}
