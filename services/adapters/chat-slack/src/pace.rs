//! Slack's pace: about one message a second and channel, and methods by the minute. Owns when the next call may go;
//! whoever comes too early waits, so that the vendor need not refuse.
//! Source: Slack, "Rate limits".

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// Lanes whose last call is remembered; one that was quiet longest is let go.
const LANES_MAX: usize = 2_000;

/// Calls by lane: a channel or a method.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    next: Mutex<BTreeMap<String, Instant>>,
}

impl Pace {
    /// Waits for its turn in a lane of which one call takes `gap`.
    pub(crate) async fn turn(&self, lane: &str, gap: Duration) {
        let at = {
            let mut next = self.next.lock().await;
            let now = Instant::now();
            if next.len() >= LANES_MAX {
                next.retain(|_, at| *at > now);
            }
            let slot = next.entry(lane.to_owned()).or_insert(now);
            let at = (*slot).max(now);
            *slot = at + gap;
            at
        };
        tokio::time::sleep_until(at).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_lane_takes_one_call_a_gap_and_others_do_not_wait_for_it() {
        let (pace, began) = (Pace::default(), Instant::now());
        let gap = Duration::from_secs(1);
        for _ in 0..3 {
            pace.turn("C1", gap).await;
        }
        assert_eq!(began.elapsed(), gap * 2);
        pace.turn("C2", gap).await;
        assert_eq!(began.elapsed(), gap * 2);
    }
}
