//! Whether a metric's level changed around an onset. Owns the two-sided comparison of the points before and
//! after; refuses to know names, units and what would be good or bad.
//!
//! Rank based and robust: medians and quartiles, the best split of ranks (Pettitt, Appl. Statist. 28, 1979),
//! Cliff's delta for how well the two sides are separated. The scale has a floor, so that neither a constant
//! series nor a tiny relative change fires; a series' own earlier wander counts as noise. A counter that only
//! rises is looked at as a rate, and a straight line is continued (Theil and Sen) and compared with itself.

mod counter;
pub mod effect;

pub use counter::LEAD;
use counter::{BEFORE_MIN, TrendLine, is_counter, rates};
pub use effect::{DirectionEffect, EffectParameters, SeriesEffect, SeriesShape, effect};
use hindcast_domain::statistics::median;
use hindcast_domain::{Span, Time};

/// The least score that is worth a finding, in thousandths.
pub const SCORE_MIN: i32 = 500;
/// How long after it a later symptom may begin.
pub const LAG: Span = Span::seconds(60);
/// Points of a series that are looked at; of more, every so manieth.
pub const POINTS_MAX: usize = 512;
/// How long before the shift a series is compared with, where that has enough points: what was longer ago may
/// have been another incident.
pub const BASE: Span = Span::minutes(4);
/// How long after it, likewise: what is later may be the recovery already.
pub const SPELL: Span = Span::seconds(75);
/// How long a level must have been seen to be called usual.
const USUAL: Span = Span::seconds(60);
/// Points that these stretches have at the least, where there are so many.
const STRETCH_MIN: usize = 12;
/// Points after that are needed to know that it is not a blip.
const AFTER_MIN: usize = 3;
/// Relative change of the level that counts as noise, whatever the series says.
const RELATIVE_FLOOR: f64 = 0.1;
/// The part of the largest value that counts as noise around a level of zero.
const ZERO_FLOOR: f64 = 0.05;
/// Deviations, in scales, that give half of the score.
const HALF: f64 = 4.0;

/// A level that changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LevelShift {
    /// How sure, in thousandths.
    pub score: i32,
    /// Upwards.
    pub up: bool,
    /// Median before, in the series' own unit, or a second for a rate.
    pub before: f64,
    /// Median after.
    pub after: f64,
    /// When it began.
    pub at: Time,
    /// Points that it rests on.
    pub count: u64,
    /// The series is a counter, and its rate a second was looked at.
    pub as_rate: bool,
}

/// Compares the level of a series before and after about `onset`. Points are oldest first, at irregular
/// distances; values that are not finite are left out. `None` where there are too few or nothing moves.
#[must_use]
pub fn shift(points: &[(Time, f64)], onset: Time) -> Option<LevelShift> {
    let step = points.len().div_ceil(POINTS_MAX).max(1);
    let mut series: Vec<(Time, f64)> =
        points.iter().rev().step_by(step).rev().filter(|(_, value)| value.is_finite()).copied().collect();
    let as_rate = is_counter(&series);
    if as_rate {
        series = rates(&series);
    }
    let line = if as_rate { None } else { TrendLine::of(&series, onset) };
    let level: Vec<f64> = series.iter().map(|(time, value)| value - line.map_or(0.0, |line| line.at(*time))).collect();
    let split = split(&series, &level, onset)?;
    let (from, to) = stretches(&series, split);
    let (before, after) = (level.get(from..split)?, level.get(split..to)?);
    let mut judged = judge(before, after, line.map_or(0.0, |line| line.floor))?;
    let seen = series.get(split)?.0.since(series.get(from)?.0);
    judged.score = weigh(judged.score, (seen.as_secs_f64() / USUAL.as_secs_f64()).min(1.0));
    if !lasts(&series, &level, split, onset, &judged) {
        return None;
    }
    let begin = begin(&level, split, &judged);
    let raw = |side: &[(Time, f64)]| median(side.iter().map(|(_, value)| *value).collect());
    let (first, second) = (series.get(from..split)?, series.get(split..to)?);
    Some(LevelShift {
        score: judged.score,
        up: judged.change > 0.0,
        before: raw(first),
        after: raw(second),
        at: series.get(begin)?.0,
        count: (to - from) as u64,
        as_rate,
    })
}

/// The first point after the best split of ranks near the onset.
fn split(series: &[(Time, f64)], level: &[f64], onset: Time) -> Option<usize> {
    let ranks = ranks(level);
    let total: f64 = ranks.iter().sum();
    #[allow(clippy::cast_precision_loss)] // at most POINTS_MAX
    let n = ranks.len() as f64;
    let (mut sum, mut count, mut best) = (0.0, 0.0, None::<(f64, usize)>);
    for (at, ((time, _), rank)) in series.iter().zip(&ranks).enumerate() {
        let possible = at >= BEFORE_MIN && series.len() - at >= AFTER_MIN;
        if possible && *time >= onset - LEAD && *time <= onset + LAG {
            let apart: f64 = (total - sum) / (n - count) - sum / count;
            let weight = apart * apart * count * (n - count);
            if best.is_none_or(|(most, _)| weight > most) {
                best = Some((weight, at));
            }
        }
        sum += rank;
        count += 1.0;
    }
    best.map(|(_, at)| at)
}

/// The first point that counts as before, and the one behind the last that counts as after.
fn stretches(series: &[(Time, f64)], split: usize) -> (usize, usize) {
    let Some((begin, _)) = series.get(split) else {
        return (0, series.len());
    };
    let from = series.partition_point(|(time, _)| *time < *begin - BASE).min(split.saturating_sub(STRETCH_MIN));
    let to = series.partition_point(|(time, _)| *time < *begin + SPELL).max(split + STRETCH_MIN).min(series.len());
    (from, to)
}

/// Ranks from 0, ties in the middle.
fn ranks(level: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..level.len()).collect();
    let of = |at: usize| level.get(at).copied().unwrap_or_default();
    order.sort_by(|a, b| of(*a).total_cmp(&of(*b)));
    let mut ranks = vec![0.0; level.len()];
    for group in order.chunk_by(|a, b| of(*a) == of(*b)) {
        let first = group.first().and_then(|at| order.iter().position(|other| other == at)).unwrap_or(0);
        #[allow(clippy::cast_precision_loss)] // at most POINTS_MAX
        let rank = first as f64 + (group.len() - 1) as f64 / 2.0;
        for at in group {
            if let Some(slot) = ranks.get_mut(*at) {
                *slot = rank;
            }
        }
    }
    ranks
}

struct SplitScore {
    score: i32,
    change: f64,
    middle: f64,
    scale: f64,
}

fn judge(before: &[f64], after: &[f64], floor: f64) -> Option<SplitScore> {
    let middle = median(before.to_vec());
    let change = median(after.to_vec()) - middle;
    if change == 0.0 {
        return None;
    }
    let largest = before.iter().chain(after).fold(0.0_f64, |most, value| most.max(value.abs()));
    let mut sorted = before.to_vec();
    sorted.sort_by(f64::total_cmp);
    let quartile = |part: usize| sorted.get(sorted.len() * part / 4).copied().unwrap_or(middle);
    let spread = (quartile(3) - quartile(1)) / 1.349;
    let mad = 1.4826 * median(before.iter().map(|value| (value - middle).abs()).collect());
    let relative = floor_of(middle, before, after, largest);
    let scale = [spread, mad, relative, floor, wander(before, after.len(), middle), largest * 1e-9]
        .into_iter()
        .fold(f64::MIN_POSITIVE, f64::max);
    let size = change.abs() / scale;
    let apart = separation(before, after) * change.signum();
    let certain = ((apart - 0.5) / 0.4).clamp(0.0, 1.0);
    #[allow(clippy::cast_precision_loss)] // at most POINTS_MAX
    let enough = (after.len() as f64 / (AFTER_MIN as f64 + 1.0)).min(1.0);
    let score = weigh(1_000, size / (size + HALF) * certain * enough);
    Some(SplitScore { score, change, middle, scale })
}

#[allow(clippy::cast_possible_truncation)] // 0 to 1000
fn weigh(score: i32, by: f64) -> i32 {
    (f64::from(score) * by).round() as i32
}

/// The change that is nothing to speak of. Around zero it is a part of the largest value; for shares near one,
/// such as an availability, it is that of their complement.
fn floor_of(middle: f64, before: &[f64], after: &[f64], largest: f64) -> f64 {
    let within = |whole: f64| before.iter().chain(after).all(|value| (0.0..=whole).contains(value));
    // a hundred is only a whole where it is what is usual
    let whole: Option<f64> =
        if middle > 0.5 && within(1.0) { Some(1.0) } else { (middle == 100.0 && within(100.0)).then_some(100.0) };
    if let Some(whole) = whole {
        let least = before.iter().chain(after).fold(whole, |least, value| least.min(*value));
        return (RELATIVE_FLOOR * (whole - middle)).max(ZERO_FLOOR * (whole - least));
    }
    if middle == 0.0 { ZERO_FLOOR * largest } else { RELATIVE_FLOOR * middle.abs() }
}

/// How far the level wandered before by itself, over stretches as long as what came after: the third quartile.
fn wander(before: &[f64], len: usize, middle: f64) -> f64 {
    let mut moves: Vec<f64> =
        before.rchunks_exact(len.max(AFTER_MIN)).map(|part| (median(part.to_vec()) - middle).abs()).collect();
    moves.sort_by(f64::total_cmp);
    moves.get(moves.len() * 3 / 4).copied().unwrap_or(0.0)
}

/// Cliff's delta: how much more often a point after lies above one before than below, -1 to 1.
fn separation(before: &[f64], after: &[f64]) -> f64 {
    let mut sorted = before.to_vec();
    sorted.sort_by(f64::total_cmp);
    let balance = |value: &f64| {
        let below = sorted.partition_point(|other| other < value);
        let above = sorted.len() - sorted.partition_point(|other| other <= value);
        #[allow(clippy::cast_precision_loss)] // at most POINTS_MAX
        (below as f64 - above as f64)
    };
    #[allow(clippy::cast_precision_loss)] // at most POINTS_MAX
    let pairs = (before.len() * after.len()) as f64;
    if pairs == 0.0 { 0.0 } else { after.iter().map(balance).sum::<f64>() / pairs }
}

/// Whether the level had not come back when the alert was raised: what was over by then is not about it.
fn lasts(series: &[(Time, f64)], level: &[f64], split: usize, onset: Time, judged: &SplitScore) -> bool {
    let at = series.partition_point(|(time, _)| *time < onset);
    if at <= split {
        return true;
    }
    let near = level.get(at.saturating_sub(2).max(split)..(at + AFTER_MIN).min(level.len())).unwrap_or_default();
    let moved = (median(near.to_vec()) - judged.middle) * judged.change.signum();
    moved > judged.change.abs() / 3.0
}

/// Walks back from the split to where the level left its usual range.
fn begin(level: &[f64], split: usize, judged: &SplitScore) -> usize {
    let away = |value: f64| (value - judged.middle) * judged.change.signum() > judged.scale * 2.0;
    let mut at = split;
    while at > 0 && level.get(at - 1).is_some_and(|value| away(*value)) {
        at -= 1;
    }
    while level.get(at).is_some_and(|value| !away(*value)) && at + 1 < level.len() && at < split + AFTER_MIN {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests;
