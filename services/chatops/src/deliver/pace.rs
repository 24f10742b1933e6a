//! When something may be tried: for each vendor, how it answers and how long it wants to be left alone; for each
//! message, how often it failed and when it was shown last. Lives in memory; a restart begins afresh.

use std::time::Duration;

use hindcast_domain::Time;
use tokio::time::Instant;

/// Deliveries of one vendor under way at once, while it answers.
const PARALLEL_MAX: usize = 4;
/// The pause after a failure, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));
/// The pause of a card that the vendor refuses: somebody has to change a setting first.
const REFUSED: Duration = Duration::from_secs(300);
/// The longest that a vendor is left alone at its own wish.
const AFTER_MAX: Duration = Duration::from_secs(600);
/// The time between two updates of a card, at first and while changes go on.
const GAP: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(8));

/// How a vendor answers.
#[derive(Debug, Default)]
pub(crate) struct OfVendor {
    /// Failures one after another.
    pub(crate) failures: u32,
    /// Until when it is left alone.
    until: Option<Instant>,
    /// Whether that is its own wish: what it takes meanwhile was under way before.
    wished: bool,
    busy: usize,
    answering: usize,
    pub(crate) error: Option<(String, Time)>,
}

impl OfVendor {
    /// Until when it is left alone, if it is.
    pub(crate) fn rests_until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| *until > now)
    }

    /// Whether one more may be under way: a vendor that fails gets one at a time. Answers take long to make, so
    /// they are counted apart, and no card waits for one.
    pub(crate) const fn has_room(&self, answer: bool) -> bool {
        let busy = if answer { self.answering } else { self.busy };
        busy < if self.failures > 0 { 1 } else { PARALLEL_MAX }
    }

    /// How many are under way.
    pub(crate) const fn busy(&mut self, answer: bool) -> &mut usize {
        if answer { &mut self.answering } else { &mut self.busy }
    }

    /// What was under way was cut.
    pub(crate) const fn lay_down(&mut self) {
        self.busy = 0;
        self.answering = 0;
    }

    pub(crate) fn answered(&mut self) {
        self.failures = 0;
        if !self.wished {
            self.until = None;
        }
    }

    pub(crate) fn failed(&mut self, error: &str, after: Option<Duration>, now: Instant, at: Time) {
        self.failures = self.failures.saturating_add(1);
        let pause = after.map_or_else(|| doubled(PAUSE.0, self.failures - 1), |after| after.min(AFTER_MAX));
        self.until = self.until.max(Some(now + pause));
        self.wished = after.is_some() || self.wished && self.until > Some(now + pause);
        self.error = Some((error.to_owned(), at));
    }
}

/// How a message fares.
#[derive(Debug, Default)]
pub(crate) struct OfMessage {
    /// Attempts in this life.
    pub(crate) attempts: u32,
    /// Whether an attempt's outcome is unknown.
    pub(crate) suspect: bool,
    not_before: Option<Instant>,
    last: Option<Instant>,
    gap: Option<Duration>,
}

impl OfMessage {
    /// When it may be tried, where that is later than now. Whatever is urgent waits for the shortest gap alone.
    pub(crate) fn waits_until(&self, now: Instant, urgent: bool) -> Option<Instant> {
        let gap = if urgent { Some(GAP.0) } else { self.gap };
        let spaced = self.last.zip(gap).map(|(last, gap)| last + gap);
        self.not_before.max(spaced).filter(|at| *at > now)
    }

    /// It was shown, or shows what is true already. Changes that go on are shown at longer and longer gaps;
    /// after a rest the first one is shown at once.
    pub(crate) fn shown(&mut self, now: Instant) {
        let before = self.gap.unwrap_or(GAP.0);
        let rested = self.last.is_none_or(|last| now.duration_since(last) > before * 2);
        self.gap = Some(if rested { GAP.0 } else { (before * 2).min(GAP.1) });
        self.last = Some(now);
        self.attempts = 0;
        self.suspect = false;
        self.not_before = None;
    }

    /// It was tried; whether the vendor took it is not known.
    pub(crate) fn failed(&mut self, now: Instant) {
        self.attempts = self.attempts.saturating_add(1);
        self.suspect = true;
        self.not_before = Some(now + doubled(PAUSE.0, self.attempts - 1));
    }

    /// The vendor refuses it.
    pub(crate) fn refused(&mut self, now: Instant) {
        self.attempts = self.attempts.saturating_add(1);
        self.not_before = Some(now + REFUSED);
    }

    /// Something of ours was not ready.
    pub(crate) fn later(&mut self, now: Instant) {
        self.not_before = Some(now + GAP.0);
    }
}

fn doubled(pause: Duration, times: u32) -> Duration {
    pause.saturating_mul(2_u32.saturating_pow(times.min(16))).min(PAUSE.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_vendor_that_fails_is_left_alone_longer_and_longer_and_gets_one_at_a_time() {
        let mut vendor = OfVendor::default();
        let now = Instant::now();
        assert!(vendor.has_room(false) && vendor.rests_until(now).is_none());
        let pauses: Vec<_> = (0..9)
            .map(|_| {
                vendor.failed("503", None, now, Time::ZERO);
                vendor.rests_until(now).unwrap().duration_since(now).as_millis()
            })
            .collect();
        assert_eq!(pauses, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
        *vendor.busy(false) = 1;
        assert!(!vendor.has_room(false));
        vendor.answered();
        assert!(vendor.has_room(false) && vendor.rests_until(now).is_none());
        vendor.failed("429", Some(Duration::from_secs(30)), now, Time::ZERO);
        assert_eq!(vendor.rests_until(now), Some(now + Duration::from_secs(30)), "as it wishes");
        vendor.answered();
        assert_eq!(vendor.rests_until(now), Some(now + Duration::from_secs(30)), "whatever it took meanwhile");
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_change_after_a_rest_is_shown_at_once_and_further_ones_are_spaced() {
        let mut card = OfMessage::default();
        let begin = Instant::now();
        assert_eq!(card.waits_until(begin, false), None);
        card.shown(begin);
        let second = card.waits_until(begin, false).unwrap();
        assert_eq!(second - begin, Duration::from_secs(1));
        card.shown(second);
        let third = card.waits_until(second, false).unwrap();
        assert_eq!(third - second, Duration::from_secs(2));
        assert_eq!(card.waits_until(second, true).unwrap() - second, Duration::from_secs(1), "what is urgent");
        card.shown(third + Duration::from_secs(60));
        assert_eq!(card.waits_until(third + Duration::from_secs(62), false), None);
    }
}
