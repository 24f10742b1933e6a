//! How often a vendor may be called: a steady rate with a burst, and the pause that it asked for. Owns when the next
//! call may go; whoever comes a little too early waits, so that the vendor need not refuse.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// The longest that a call waits for its turn here; a longer wait is the caller's.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// A rate that a vendor documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallRate {
    /// Between two calls, on average.
    pub(crate) gap: Duration,
    /// Calls that may go at once after a quiet time.
    pub(crate) burst: u32,
}

impl CallRate {
    /// No limit is known.
    pub(crate) const FREE: Self = Self { gap: Duration::ZERO, burst: 1 };
}

/// The turns of one receiver.
#[derive(Debug)]
pub(crate) struct SendPace {
    rate: CallRate,
    turns: Mutex<PaceTurns>,
}

#[derive(Debug, Default)]
struct PaceTurns {
    /// When the next call would be on time at the steady rate.
    due: Option<Instant>,
    /// Until when the vendor wants to be left alone.
    held: Option<Instant>,
}

impl SendPace {
    pub(crate) fn new(rate: CallRate) -> Self {
        Self { rate, turns: Mutex::default() }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// How long it is until there is one, where that is longer than a call waits.
    pub(crate) async fn turn(&self) -> Result<(), Duration> {
        let at = {
            let mut turns = self.turns.lock().await;
            let now = Instant::now();
            if let Some(held) = turns.held.filter(|held| *held > now) {
                return Err(held - now);
            }
            let due = turns.due.unwrap_or(now).max(now);
            let early = self.rate.gap * self.rate.burst.saturating_sub(1);
            let at = due.checked_sub(early).unwrap_or(now).max(now);
            if at - now > WAIT_MAX {
                return Err(at - now);
            }
            turns.due = Some(due + self.rate.gap);
            at
        };
        tokio::time::sleep_until(at).await;
        match self.turns.lock().await.held {
            Some(held) if held > Instant::now() => Err(held - Instant::now()),
            _ => Ok(()),
        }
    }

    /// Nothing goes for so long, since the vendor asked for it.
    pub(crate) async fn hold(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut turns = self.turns.lock().await;
        turns.held = Some(turns.held.map_or(until, |held| held.max(until)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_then_the_rate_holds() {
        let pace = SendPace::new(CallRate { gap: Duration::from_secs(1), burst: 3 });
        let began = Instant::now();
        for _ in 0..3 {
            pace.turn().await.unwrap();
        }
        assert_eq!(began.elapsed(), Duration::ZERO);
        for _ in 0..2 {
            pace.turn().await.unwrap();
        }
        assert_eq!(began.elapsed(), Duration::from_secs(2));
        tokio::time::sleep(Duration::from_secs(60)).await;
        let rested = Instant::now();
        for _ in 0..3 {
            pace.turn().await.unwrap();
        }
        assert_eq!(rested.elapsed(), Duration::ZERO, "a quiet time earns one burst and no more");
        pace.turn().await.unwrap();
        assert_eq!(rested.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_would_wait_long_and_what_a_vendor_put_off_is_told_so() {
        let pace = SendPace::new(CallRate { gap: Duration::from_secs(20), burst: 1 });
        pace.turn().await.unwrap();
        assert_eq!(pace.turn().await, Err(Duration::from_secs(20)));
        let free = SendPace::new(CallRate::FREE);
        free.hold(Duration::from_secs(30)).await;
        free.hold(Duration::from_secs(3)).await;
        assert_eq!(free.turn().await, Err(Duration::from_secs(30)));
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert_eq!(free.turn().await, Ok(()));
    }
}
