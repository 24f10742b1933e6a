//! How strongly the points behind an onset speak for a changed level, as a log Bayes factor. Owns the measure of one
//! series; refuses to know its name and which direction would be bad.
//!
//! Values are compared on a logarithmic scale, so that 50 % more and 5,000 % more differ, and the evidence has the
//! tail of Student's t: it grows with the logarithm of the deviation and never saturates. Nothing is dropped: a
//! series that did not move is evidence against a change, few points count little, and a level that the history
//! has seen before is capped by how often it did (a conformal p-value; Vovk, Gammerman and Shafer, Algorithmic
//! Learning in a Random World, 2005).

use hindcast_domain::Time;
use serde::{Deserialize, Serialize};

use crate::counter::{TrendLine, is_counter, rates};

/// Points of a history that are compared.
const HISTORY_MAX: usize = 300;
/// The part of the mean that is the unit of the logarithmic scale.
const UNIT: f64 = 0.02;

/// What a deviation is worth. The values were fixed on 30 November 2026 on the development half of the labelled
/// cases (107 cases of five systems), before the held-back half was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EffectParameters {
    /// Degrees of freedom of the tail: how fast evidence grows.
    pub tail: f64,
    /// Evidence against a change where nothing moved at all.
    pub quiet: f64,
    /// The least scale of a series, in logarithmic units: smaller changes are noise.
    pub floor: f64,
    /// The same for a share near one, such as an availability.
    pub floor_share: f64,
    /// A level that the history had with frequency p counts this times ln(1/p) at the most.
    pub seen_before: f64,
    /// The scale grows by sqrt(1 + this / points before + …).
    pub few_before: f64,
    /// … + this / points after).
    pub few_after: f64,
}

impl Default for EffectParameters {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl EffectParameters {
    /// The values in use.
    pub const DEFAULT: Self = Self {
        tail: 3.0,
        quiet: 2.0,
        floor: 0.05,
        floor_share: 0.002,
        seen_before: 2.0,
        few_before: 4.0,
        few_after: 0.5,
    };

    /// Whether every value lies in the range that was tried.
    #[must_use]
    pub fn is_within_bounds(&self) -> bool {
        (1.0..=10.0).contains(&self.tail)
            && (1.0..=4.0).contains(&self.quiet)
            && (0.01..=0.2).contains(&self.floor)
            && (0.000_5..=0.02).contains(&self.floor_share)
            && (1.0..=4.0).contains(&self.seen_before)
            && (0.0..=10.0).contains(&self.few_before)
            && (0.0..=4.0).contains(&self.few_after)
    }

    /// The log Bayes factor of a deviation of `z` scales in the expected direction: `-quiet` at zero, zero at about
    /// 2.4, then without an end.
    #[must_use]
    pub fn evidence(&self, z: f64) -> f64 {
        let z = z.max(0.0);
        f64::midpoint(self.tail, 1.0) * (z * z / self.tail).ln_1p() - self.quiet
    }
}

/// What a series says of one direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DirectionEffect {
    /// Log Bayes factor of a changed level against an unchanged one.
    pub llr: f64,
    /// Absolute change, in the series' own unit.
    pub change: f64,
    /// The level after, in the series' own unit.
    pub after: f64,
    /// When half of the change was first seen.
    pub since: Time,
}

/// What a series says of both directions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeriesEffect {
    /// That it rose.
    pub up: DirectionEffect,
    /// That it fell.
    pub down: DirectionEffect,
    /// The usual level before, in the series' own unit, or a second for a rate.
    pub before: f64,
    /// The series is a counter, and its rate a second was looked at.
    pub as_rate: bool,
    /// Points that it rests on.
    pub count: u64,
}

/// What is known of a series beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeriesShape {
    /// A share near one, whose logarithm hardly moves.
    Share,
    /// A level. One that only rises is a level that rises.
    Gauge,
    /// It may count up, or be an age: its rate, or what is left beside its straight line, is compared then.
    Open,
}

/// Compares the points from `onset` to `until` with those before. Points are oldest first; values that are not
/// finite are left out. `None` with fewer than two points before, or none after.
#[must_use]
pub fn effect(
    points: &[(Time, f64)],
    (onset, until): (Time, Time),
    shape: SeriesShape,
    parameters: &EffectParameters,
) -> Option<SeriesEffect> {
    let mut series: Vec<(Time, f64)> =
        points.iter().filter(|(time, value)| *time <= until && value.is_finite()).copied().collect();
    let as_rate = shape == SeriesShape::Open && is_counter(&series);
    if as_rate {
        series = rates(&series);
    } else if shape == SeriesShape::Open
        && let Some(line) = TrendLine::of(&series, onset)
    {
        let first = series.first().map_or(0.0, |(_, value)| *value);
        // What is left beside the straight line, so high that its noise is the least scale of a series.
        let height = line.floor / parameters.floor;
        series.iter_mut().for_each(|(time, value)| *value = (*value - line.at(*time) - first) + height);
    }
    let split = series.partition_point(|(time, _)| *time < onset);
    let (before, after) = series.split_at(split);
    let before = before.get(before.len().saturating_sub(HISTORY_MAX)..).unwrap_or_default();
    if before.len() < 2 || after.is_empty() {
        return None;
    }
    let scale = LogScale::of(before, after);
    let usual = Usual::of(&scale, before, shape == SeriesShape::Share, after.len(), parameters);
    let direction = |up| usual.direction(&scale, after, up, parameters);
    Some(SeriesEffect {
        up: direction(true),
        down: direction(false),
        before: scale.back(usual.middle),
        as_rate,
        count: (before.len() + after.len()) as u64,
    })
}

/// A logarithmic scale through zero.
struct LogScale {
    unit: f64,
}

impl LogScale {
    fn of(before: &[(Time, f64)], after: &[(Time, f64)]) -> Self {
        let mean = |points: &[(Time, f64)]| {
            #[allow(clippy::cast_precision_loss)] // a few hundred points
            let count = points.len() as f64;
            points.iter().map(|(_, value)| value.abs()).sum::<f64>() / count
        };
        let of_history = mean(before);
        let mean = if of_history == 0.0 { mean(after) } else { of_history };
        let unit = UNIT * mean;
        Self { unit: if unit > 0.0 { unit } else { 1e-9 } }
    }

    fn at(&self, value: f64) -> f64 {
        (value.abs() / self.unit + 1.0).ln().copysign(value)
    }

    fn back(&self, level: f64) -> f64 {
        (self.unit * (level.abs().exp() - 1.0)).copysign(level)
    }

    fn sorted(&self, points: &[(Time, f64)]) -> Vec<f64> {
        let mut levels: Vec<f64> = points.iter().map(|(_, value)| self.at(*value)).collect();
        levels.sort_by(f64::total_cmp);
        levels
    }
}

/// What is usual for a series.
struct Usual {
    middle: f64,
    scale: f64,
    sorted: Vec<f64>,
    mean: f64,
}

impl Usual {
    fn of(
        scale: &LogScale,
        before: &[(Time, f64)],
        is_share: bool,
        after: usize,
        parameters: &EffectParameters,
    ) -> Self {
        let sorted = scale.sorted(before);
        let middle = quantile(&sorted, 0.5);
        let mut apart: Vec<f64> = sorted.iter().map(|level| (level - middle).abs()).collect();
        apart.sort_by(f64::total_cmp);
        let mad = 1.4826 * quantile(&apart, 0.5);
        let spread = (quantile(&sorted, 0.75) - quantile(&sorted, 0.25)) / 1.349;
        let floor = if is_share { parameters.floor_share } else { parameters.floor };
        #[allow(clippy::cast_precision_loss)] // a few hundred points
        let (before_count, after_count) = (before.len() as f64, after as f64);
        let few = (1.0 + parameters.few_before / before_count + parameters.few_after / after_count).sqrt();
        let mean = before.iter().map(|(_, value)| value).sum::<f64>() / before_count;
        Self { middle, scale: mad.max(spread).max(floor) * few, sorted, mean }
    }

    /// A quarter of the window, and two points, must show a level: one odd sample is nothing, and a fault that shows
    /// only in the last points is seen.
    fn direction(
        &self,
        scale: &LogScale,
        after: &[(Time, f64)],
        up: bool,
        parameters: &EffectParameters,
    ) -> DirectionEffect {
        let levels = scale.sorted(after);
        let needed = if levels.len() < 3 { 1 } else { levels.len().div_ceil(4).max(2) };
        let at = if up { levels.len() - needed } else { needed - 1 };
        let level = levels.get(at).copied().unwrap_or(self.middle);
        let distance = if up { level - self.middle } else { self.middle - level };
        let mut llr = parameters.evidence(distance / self.scale);
        let extreme = |other: &&f64| if up { **other >= level - 1e-9 } else { **other <= level + 1e-9 };
        #[allow(clippy::cast_precision_loss)] // a few hundred points
        let (seen, of) = ((1 + self.sorted.iter().filter(extreme).count()) as f64, (self.sorted.len() + 1) as f64);
        if seen > 1.5 {
            llr = llr.min(-parameters.seen_before * (seen / of).ln());
        }
        if levels.len() < 3 && llr > 0.0 {
            #[allow(clippy::cast_precision_loss)] // one or two
            let share = levels.len() as f64 / 3.0;
            llr *= share;
        }
        let half = f64::midpoint(level, self.middle);
        let shows = |value: f64| if up { scale.at(value) >= half } else { scale.at(value) <= half };
        let first = after.iter().find(|(_, value)| shows(*value)).or_else(|| after.first());
        DirectionEffect {
            llr,
            change: (UNIT * self.mean.abs() * (level.exp() - self.middle.exp())).abs(),
            after: scale.back(level),
            since: first.map_or(Time::ZERO, |(time, _)| *time),
        }
    }
}

/// The value below which a share of sorted values lies, between neighbours where it falls between them; 0 of none.
#[must_use]
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    #[allow(clippy::cast_precision_loss)] // a few hundred points
    let place = share * sorted.len().saturating_sub(1) as f64;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // below the length
    let at = place as usize;
    let here = sorted.get(at).copied().unwrap_or_default();
    let next = sorted.get(at + 1).copied().unwrap_or(here);
    #[allow(clippy::cast_precision_loss)] // below the length
    let part = place - at as f64;
    here + part * (next - here)
}
