//! When a delivery that failed is tried again, and what is shown of a receiver in trouble. Owns the pauses: they grow,
//! no two are alike, and a receiver that names a time is left alone for as long.

use std::time::Duration;

use hindcast_domain::{EventId, Span, id};
use hindcast_messaging::notify::{Error as NotifyError, ReceiverTrouble};
use hindcast_metrics::MetricRegistry;

/// The pause between two attempts, at first and at most.
pub(crate) const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));
/// A pause is spread over so many parts of a hundred to each side, so that what failed together does not come again
/// together.
const SPREAD: u32 = 20;

/// The pauses of one delivery.
#[derive(Debug)]
pub(crate) struct RetryPauses {
    next: Duration,
}

impl Default for RetryPauses {
    fn default() -> Self {
        Self { next: PAUSE.0 }
    }
}

impl RetryPauses {
    /// The pause after a failure: what the receiver asks for, and no longer than the delivery is tried. The spread comes
    /// from the request and the attempt, so that it needs no source of chance.
    pub(crate) fn after(&mut self, error: &NotifyError, of: (&EventId, u32), left: Span) -> Duration {
        let pause = spread(self.next, of);
        self.next = (self.next * 2).min(PAUSE.1);
        let left = Duration::try_from_secs_f64(left.as_secs_f64()).unwrap_or(PAUSE.0).max(PAUSE.0);
        match error.after() {
            // A receiver that counts in whole seconds may mean the end of the last one.
            Some(asked) => (asked + pause / 4).max(pause).min(left),
            None => pause.min(left),
        }
    }

    /// The receiver takes messages again.
    pub(crate) const fn restart(&mut self) {
        self.next = PAUSE.0;
    }
}

fn spread(pause: Duration, (request, attempt): (&EventId, u32)) -> Duration {
    let digits = id::derive(&[request.as_str().as_bytes(), &attempt.to_be_bytes()]);
    let drawn = digits.bytes().fold(0_u32, |drawn, byte| (drawn * 31 + u32::from(byte)) % (2 * SPREAD + 1));
    pause * (100 - SPREAD + drawn) / 100
}

/// Shows what is wrong with a receiver, or that nothing is.
pub fn show(metrics: &MetricRegistry, receiver: &str, trouble: Option<ReceiverTrouble>) {
    for each in ReceiverTrouble::ALL {
        let value = if Some(each) == trouble { 1.0 } else { 0.0 };
        metrics.set("hindcast_receiver_trouble", &[("receiver", receiver), ("trouble", each.as_str())], value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(seconds: u64) -> NotifyError {
        let after = Some(Duration::from_secs(seconds));
        NotifyError::Again { detail: String::new(), after, trouble: ReceiverTrouble::RateLimit }
    }

    #[test]
    fn pauses_grow_and_are_spread_and_a_receiver_is_left_alone_as_it_asks() {
        let (one, other) = (EventId::derive(&[b"a"]), EventId::derive(&[b"b"]));
        let plain = NotifyError::again("503");
        let left = Span::minutes(10);
        let pauses = |of: &EventId| {
            let mut pauses = RetryPauses::default();
            (1..=12).map(|attempt| pauses.after(&plain, (of, attempt), left)).collect::<Vec<_>>()
        };
        let (mut low, mut high) = (PAUSE.0, PAUSE.0);
        for pause in pauses(&one) {
            assert!(pause >= low * 80 / 100 && pause <= high * 120 / 100, "{pause:?}");
            (low, high) = ((low * 2).min(PAUSE.1), (high * 2).min(PAUSE.1));
        }
        assert_eq!(pauses(&one), pauses(&one), "the same again");
        assert_ne!(pauses(&one), pauses(&other), "what failed together comes apart");
        assert!(RetryPauses::default().after(&limited(30), (&one, 1), left) >= Duration::from_secs(30));
        assert_eq!(RetryPauses::default().after(&limited(3_600), (&one, 1), left), Duration::from_secs(600));
        assert!(RetryPauses::default().after(&limited(30), (&one, 1), Span::seconds(-5)) >= PAUSE.0);
    }
}
