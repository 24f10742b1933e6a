//! Tests of the module above.

use super::*;

fn at(seconds: i64) -> Time {
    Time::from_millis(1_700_000_000_000) + Span::seconds(seconds)
}

const ONSET: i64 = 300;

/// A value a step of seconds up to a minute behind the onset.
fn series(step: usize, value: impl Fn(i64) -> f64) -> Vec<(Time, f64)> {
    (0..ONSET + 60).step_by(step).map(|second| (at(second), value(second))).collect()
}

fn of(step: usize, value: impl Fn(i64) -> f64) -> Option<LevelShift> {
    shift(&series(step, value), at(ONSET)).filter(|shift| shift.score >= SCORE_MIN)
}

/// Noise that looks random and is not: -1 to 1.
fn noise(second: i64) -> f64 {
    let mixed = (second.wrapping_mul(0x2545_f491_4f6c_dd1d)).rotate_left(23).wrapping_mul(0x5851_f42d_4c95_7f2d);
    f64::from(u32::try_from((mixed >> 33) & 0xffff).unwrap()) / 32_768.0 - 1.0
}

fn step(second: i64, from: i64, low: f64, high: f64) -> f64 {
    if second < from { low } else { high }
}

#[test]
fn levels_that_move_are_found_with_direction_levels_and_begin() {
    let found = of(2, |second| step(second, 290, 2.0, 37.0)).unwrap();
    assert_eq!((found.up, found.before, found.after, found.at), (true, 2.0, 37.0, at(290)));
    let down = of(2, |second| step(second, 290, 21.0, 0.0) + noise(second)).unwrap();
    assert!(!down.up && down.at.distance(at(290)) <= Span::seconds(2), "{down:?}");
    let gone = of(5, |second| step(second, 300, 1.0, 0.0)).unwrap();
    assert!(!gone.up && gone.score > 700, "what was up is down: {gone:?}");
    let share = of(5, |second| step(second, 300, 0.999, 0.93)).unwrap();
    assert!(!share.up, "an availability that falls by seven points: {share:?}");
    let first = of(2, |second| step(second, 300, 0.0, 0.02 * (1.5 + noise(second)))).unwrap();
    assert!(first.up, "errors where there were none: {first:?}");
}

#[test]
fn nothing_is_found_where_nothing_moves() {
    assert_eq!(of(2, |_| 5.0), None, "constant");
    assert_eq!(of(2, |_| 0.0), None, "nothing at all");
    assert_eq!(of(2, |second| 100.0 + 10.0 * noise(second)), None, "noise");
    assert_eq!(of(2, |second| step(second, 300, 100.0, 103.0)), None, "three in a hundred");
    assert_eq!(of(2, |second| f64::from(u32::from(second % 60 == 0))), None, "a blip a minute");
    #[allow(clippy::cast_precision_loss)]
    let age = of(2, |second| 10_853.0 + second as f64);
    assert_eq!(age, None, "an age grows");
    #[allow(clippy::cast_precision_loss)]
    let wave = of(2, |second| 50.0 + 20.0 * (second as f64 / 25.0).sin());
    assert_eq!(wave, None, "it wanders like that all the time");
    assert_eq!(of(2, |second| step(second, 200, 5.0, step(second, 240, 50.0, 5.0))), None, "over before the onset");
}

#[test]
fn an_age_that_jumps_is_found() {
    #[allow(clippy::cast_precision_loss)]
    let found = of(2, |second| 10_853.0 + second as f64 + step(second, 300, 0.0, 86_000.0)).unwrap();
    assert!(found.up && !found.as_rate && found.at == at(300), "{found:?}");
}

#[test]
fn a_counter_is_looked_at_as_a_rate_and_a_restart_is_no_shift() {
    let counter = |slope: fn(i64) -> i64| {
        let mut total = 0;
        #[allow(clippy::cast_precision_loss)]
        let points: Vec<_> = (0..ONSET + 60)
            .map(|second| {
                total = if second == 150 { 3 } else { total + slope(second) };
                (at(second), total as f64)
            })
            .collect();
        shift(&points, at(ONSET)).filter(|shift| shift.score >= SCORE_MIN)
    };
    assert_eq!(counter(|second| 5 + second % 3), None, "a steady rate");
    let faster = counter(|second| 5 + second % 3 + if second >= 300 { 40 } else { 0 }).unwrap();
    assert!(faster.as_rate && faster.up && faster.before < 8.0 && faster.after > 40.0, "{faster:?}");
}

#[test]
fn few_points_and_strange_ones_do_no_harm() {
    assert_eq!(shift(&[], at(0)), None);
    assert_eq!(shift(&[(at(0), 1.0)], at(0)), None);
    let sparse = series(30, |second| step(second, 300, 2.0, 40.0));
    assert!(shift(&sparse, at(ONSET)).is_none_or(|shift| shift.score < SCORE_MIN), "two points after are a blip");
    let strange = series(2, |second| if second % 4 == 0 { f64::NAN } else { step(second, 300, f64::MAX, f64::MIN) });
    assert!(shift(&strange, at(ONSET)).is_none_or(|shift| shift.score <= 1_000));
}

#[test]
fn an_earlier_incident_does_not_hide_this_one() {
    let twice = |second: i64| step(second, 30, 2.0, step(second, 90, 37.0, step(second, 295, 2.0, 37.0)));
    let found = of(2, twice).unwrap();
    assert!(found.up && found.at == at(296), "{found:?}");
}

#[test]
fn percent_that_sit_at_a_hundred_may_fall_by_little() {
    let falls = |usual: f64| move |second: i64| if second >= ONSET { usual - 4.0 } else { usual };
    assert!(of(10, falls(100.0)).is_some_and(|shift| !shift.up), "96 of 100 requests succeed");
    assert!(of(10, falls(90.0)).is_none(), "90 of anything are no share");
}

fn effect_of(value: impl Fn(i64) -> f64, shape: SeriesShape) -> SeriesEffect {
    effect(&series(5, value), (at(ONSET), at(ONSET + 60)), shape, &EffectParameters::DEFAULT).unwrap()
}

#[test]
fn effects_grow_without_an_end_and_quiet_series_speak_against_a_change() {
    let rises =
        |to: f64| effect_of(move |second| step(second, ONSET, 100.0 + noise(second), to), SeriesShape::Gauge).up.llr;
    let (some, much, enormous) = (rises(120.0), rises(150.0), rises(5_000.0));
    assert!(some > 0.0 && much > some + 2.0 && enormous > much + 4.0, "{some} {much} {enormous}");
    let quiet = effect_of(|second| 100.0 + noise(second), SeriesShape::Gauge);
    assert!(quiet.up.llr < -1.0 && quiet.down.llr < -1.0, "{quiet:?}");
    let falls = effect_of(|second| step(second, ONSET, 100.0, 97.0), SeriesShape::Share);
    assert!(falls.down.llr > 2.0 && falls.up.llr < -1.0, "three in a hundred requests fail: {falls:?}");
    let level = effect_of(|second| step(second, ONSET, 100.0, 97.0), SeriesShape::Gauge);
    assert!(level.down.llr < 0.0, "three in a hundred of anything else are noise: {level:?}");
}

#[test]
fn a_level_that_the_history_knows_counts_little_and_one_odd_point_nothing() {
    let known =
        effect_of(|second| step(second, ONSET, if second < 60 { 500.0 } else { 100.0 }, 500.0), SeriesShape::Gauge);
    let new = effect_of(|second| step(second, ONSET, 100.0, 500.0), SeriesShape::Gauge);
    assert!(known.up.llr < new.up.llr / 2.0, "{known:?} {new:?}");
    let odd = effect_of(|second| if second == ONSET + 10 { 900.0 } else { 100.0 }, SeriesShape::Gauge);
    assert!(odd.up.llr < 0.0, "{odd:?}");
    let few = |points: &[(Time, f64)]| effect(points, (at(60), at(90)), SeriesShape::Gauge, &EffectParameters::DEFAULT);
    assert_eq!(few(&[(at(0), 1.0), (at(70), 9.0)]), None, "one point before says nothing");
    let two = few(&[(at(0), 1.0), (at(10), 1.0), (at(20), 1.0), (at(70), 9.0)]).unwrap();
    assert!(two.up.llr > 0.0, "few points weigh little, and are not dropped: {two:?}");
}

#[test]
fn a_counter_is_compared_by_its_rate_and_a_memory_that_only_rises_is_no_counter() {
    // about six a second, and two hundred more behind the onset
    #[allow(clippy::cast_precision_loss)]
    let counter = |second: i64| {
        let few = (0..second).map(|passed| passed / 5 * 7 % 13).sum::<i64>();
        (few + (second - ONSET).max(0) * 200) as f64
    };
    let rate = effect_of(counter, SeriesShape::Open);
    assert!(rate.as_rate && rate.before < 13.0 && rate.up.after > 200.0 && rate.up.llr > 1.0, "{rate:?}");
    assert!(!effect_of(counter, SeriesShape::Gauge).as_rate);
    #[allow(clippy::cast_precision_loss)]
    let age = effect_of(|second| 10_853.0 + second as f64, SeriesShape::Open);
    assert!(age.up.llr < 0.0 && age.down.llr < 0.0, "an age grows: {age:?}");
}
