//! How often something happens, against its own history. Owns buckets of ten seconds over ten minutes;
//! refuses to know what happens.
//!
//! Robust: the last half minute is compared with the median of all half minutes before it, in units of what
//! these differ by themselves, and at least of what chance alone would do (the root of a count).

use std::collections::VecDeque;

use hindcast_domain::{Span, Time};
use serde::{Deserialize, Serialize};

/// Length of a bucket, in nanoseconds.
const BUCKET_NS: i64 = 10_000_000_000;
/// Buckets that are remembered.
const BUCKETS_MAX: i64 = 60;
/// Buckets that are "now".
const RECENT: i64 = 3;
/// Buckets before that may be its beginning and count as neither.
const GUARD: i64 = 1;
/// Buckets of history that are needed.
const HISTORY_MIN: i64 = 6;
/// Lines in the recent buckets that are needed, at a bad and at a quiet level.
const LINES_MIN: (u64, u64) = (12, 40);
/// How many times more than usual.
const TIMES_MIN: f64 = 3.0;
/// Deviations that give half of the score.
const HALF: f64 = 6.0;

/// Counts of the last ten minutes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Rate {
    /// (bucket, count, first moment in nanoseconds), oldest first; empty ones are left out.
    buckets: VecDeque<(i64, u64, i64)>,
    /// The bucket in which the last verdict was asked for, and the count then.
    asked: (i64, u64),
}

/// Far more often than usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Burst {
    pub at: Time,
    pub before_per_minute: f64,
    pub after_per_minute: f64,
    pub lines: u64,
    /// 500 to 1000.
    pub score: i32,
}

impl Rate {
    pub fn add(&mut self, time: Time) {
        let bucket = time.nanos().div_euclid(BUCKET_NS);
        let newest = self.buckets.back().map_or(i64::MIN, |(newest, ..)| *newest);
        if bucket > newest {
            self.buckets.push_back((bucket, 1, time.nanos()));
            while self.buckets.front().is_some_and(|(oldest, ..)| *oldest <= bucket - BUCKETS_MAX) {
                self.buckets.pop_front();
            }
            return;
        }
        // Late lines count where their bucket still is.
        if let Some((_, count, first)) = self.buckets.iter_mut().rev().find(|(at, ..)| *at == bucket) {
            *count += 1;
            *first = (*first).min(time.nanos());
        }
    }

    /// When it happened last, to the bucket.
    pub fn last(&self) -> Time {
        Time::from_nanos(self.buckets.back().map_or(0, |(bucket, ..)| bucket.saturating_mul(BUCKET_NS)))
    }

    pub fn take_in(&mut self, other: &Self) {
        for &(bucket, count, first) in &other.buckets {
            let at = self.buckets.partition_point(|(mine, ..)| *mine < bucket);
            match self.buckets.get_mut(at).filter(|(mine, ..)| *mine == bucket) {
                Some(mine) => *mine = (bucket, mine.1 + count, mine.2.min(first)),
                None => self.buckets.insert(at, (bucket, count, first)),
            }
        }
    }

    /// Whether `now` is a burst. `known_since`: for how long this could have been seen at all.
    pub fn burst(&mut self, now: Time, known_since: Span, is_bad: bool) -> Option<Burst> {
        let bucket = now.nanos().div_euclid(BUCKET_NS);
        let from = bucket - RECENT + 1;
        let lines: u64 = self.buckets.iter().filter(|(at, ..)| (from..=bucket).contains(at)).map(|(_, n, _)| n).sum();
        let least = if is_bad { LINES_MIN.0 } else { LINES_MIN.1 };
        // Asked again when a tenth has come to it, so that a flood costs little.
        let grown = self.asked.0 != bucket || lines > self.asked.1 + self.asked.1 / 10;
        if lines < least || !grown {
            return None;
        }
        self.asked = (bucket, lines);
        let history = (known_since.nanos() / BUCKET_NS).min(BUCKETS_MAX) - RECENT - GUARD;
        if history < HISTORY_MIN {
            return None;
        }
        let (usual, spread) = self.usual(from - GUARD - history, from - GUARD);
        #[allow(clippy::cast_precision_loss)] // counts of lines
        let count = lines as f64;
        let size = (count - usual) / spread.max((usual + 1.0).sqrt()).max(usual * 0.2);
        if count < usual * TIMES_MIN || size < HALF {
            return None;
        }
        #[allow(clippy::cast_possible_truncation)] // 500 to 1000
        let score = (1_000.0 * size / (size + HALF)).round() as i32;
        let at = self.began(from, bucket, usual / 3.0)?;
        Some(Burst { at, before_per_minute: usual * 2.0, after_per_minute: count * 2.0, lines, score })
    }

    /// Median and spread of all half minutes that begin in `from..to`.
    fn usual(&self, from: i64, to: i64) -> (f64, f64) {
        let counts: Vec<f64> = (from..to)
            .step_by(1)
            .map(|start| {
                let within = |at: i64| (start..start + RECENT).contains(&at) && at < to;
                let sum: u64 = self.buckets.iter().filter(|(at, ..)| within(*at)).map(|(_, count, _)| count).sum();
                #[allow(clippy::cast_precision_loss)] // counts of lines
                let sum = sum as f64;
                // The last ones are cut by the edge.
                #[allow(clippy::cast_precision_loss)] // 1 to 3
                let part = (to - start).min(RECENT) as f64 / RECENT as f64;
                sum / part
            })
            .collect();
        let middle = hindcast_domain::statistics::median(counts.clone());
        let spread =
            1.4826 * hindcast_domain::statistics::median(counts.iter().map(|count| (count - middle).abs()).collect());
        (middle, spread)
    }

    /// The first moment of the recent buckets that had more than usual, or of the guard before them.
    fn began(&self, from: i64, bucket: i64, usual: f64) -> Option<Time> {
        #[allow(clippy::cast_precision_loss)] // counts of lines
        let more = |count: u64| count as f64 > usual * 1.5;
        let mut recent = self.buckets.iter().filter(|(at, ..)| (from - GUARD..=bucket).contains(at));
        recent.find(|(_, count, _)| more(*count)).map(|(_, _, first)| Time::from_nanos(*first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Span = Span::minutes(10);

    fn at(seconds: i64) -> Time {
        Time::from_millis(1_700_000_000_000) + Span::seconds(seconds)
    }

    /// `usual` a second for five minutes, then `then` a second for half a minute; the first burst.
    fn run(usual: u64, then: u64, is_bad: bool) -> Option<Burst> {
        let mut rate = Rate::default();
        let mut found = None;
        for second in 0..330 {
            for _ in 0..if second < 300 { usual } else { then } {
                rate.add(at(second));
                found = found.or(rate.burst(at(second), Span::seconds(second), is_bad));
            }
        }
        found
    }

    #[test]
    fn a_burst_is_many_times_more_than_usual_and_enough() {
        let burst = run(0, 2, true).unwrap();
        assert_eq!((burst.lines, burst.at), (12, at(300)));
        assert!((500..1_000).contains(&burst.score));
        assert!(run(2, 20, true).is_some() && run(10, 60, false).is_some());
        assert_eq!(run(2, 3, true), None, "half more");
        assert_eq!(run(50, 60, true), None, "a tenth more");
        assert_eq!(run(0, 1, false), None, "too few for a quiet level");
    }

    #[test]
    fn a_short_history_is_none() {
        let mut rate = Rate::default();
        (0..500).for_each(|_| rate.add(at(0)));
        assert_eq!(rate.burst(at(0), Span::seconds(60), true), None);
        rate.asked = (0, 0);
        assert!(rate.burst(at(0), LONG, true).is_some());
    }

    #[test]
    fn what_is_kept_is_bounded_and_late_lines_count_where_they_belong() {
        let mut rate = Rate::default();
        (0..10_000).for_each(|second| rate.add(at(second * 10)));
        assert!(rate.buckets.len() <= usize::try_from(BUCKETS_MAX).unwrap());
        rate.add(at(99_980));
        assert_eq!(rate.buckets.iter().map(|(_, count, _)| *count).max(), Some(2));
    }
}
