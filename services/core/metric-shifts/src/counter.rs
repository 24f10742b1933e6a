//! Series that count up and series that are a straight line: their rates, and what is left beside the line. Owns how
//! they are told from levels; refuses to know an onset's findings.

use hindcast_domain::statistics::median;
use hindcast_domain::{Span, Time};

/// How long before an onset the shift may have begun: alerts are slower than what they are about.
pub const LEAD: Span = Span::minutes(3);
/// Points before that are needed to know what is usual.
pub(crate) const BEFORE_MIN: usize = 8;

/// A series that only rises, in steps of differing height, but for restarts from near zero.
pub(crate) fn is_counter(series: &[(Time, f64)]) -> bool {
    let mut risen = 0;
    let pairs = || series.iter().zip(series.iter().skip(1)).map(|((_, one), (_, next))| (*one, *next));
    for (one, next) in pairs() {
        if one < 0.0 || (next < one && next > one * 0.5) {
            return false;
        }
        risen += usize::from(next > one);
    }
    let restarts = pairs().filter(|(one, next)| next < one).count();
    series.len() >= BEFORE_MIN && risen * 2 >= series.len() && restarts <= 3 && !is_straight(series)
}

/// Whether steps are about equally high: a clock or an age and no count of events.
fn is_straight(series: &[(Time, f64)]) -> bool {
    let rates: Vec<f64> = rates(series).iter().map(|(_, rate)| *rate).collect();
    let middle = median(rates.clone());
    let spread = median(rates.iter().map(|rate| (rate - middle).abs()).collect());
    middle.abs() > 0.0 && spread < middle.abs() * 0.05
}

/// The rate a second between points; a counter that began again begins at zero.
pub(crate) fn rates(series: &[(Time, f64)]) -> Vec<(Time, f64)> {
    let pairs = series.iter().zip(series.iter().skip(1));
    let rate = |((from, one), (to, next)): (&(Time, f64), &(Time, f64))| {
        let seconds = to.since(*from).as_secs_f64();
        let risen = if next >= one || *one < 0.0 { next - one } else { *next };
        (seconds > 0.0).then(|| (*to, risen / seconds))
    };
    pairs.filter_map(rate).collect()
}

/// What a series that is a straight line would go on as.
#[derive(Clone, Copy)]
pub(crate) struct TrendLine {
    from: Time,
    slope: f64,
    /// What counts as noise around it.
    pub(crate) floor: f64,
}

impl TrendLine {
    pub(crate) fn of(series: &[(Time, f64)], onset: Time) -> Option<Self> {
        let quiet: Vec<(Time, f64)> = series.iter().filter(|(time, _)| *time < onset - LEAD).copied().collect();
        let early: Vec<(Time, f64)> = series.iter().take(series.len() / 2).copied().collect();
        let usual = if quiet.len() >= BEFORE_MIN { quiet } else { early };
        if usual.len() < BEFORE_MIN || !is_straight(&usual) {
            return None;
        }
        let slope = median(rates_signed(&usual));
        let interval = median(gaps(&usual));
        Some(Self { from: usual.first()?.0, slope, floor: slope.abs() * interval * 5.0 })
    }

    pub(crate) fn at(&self, time: Time) -> f64 {
        #[allow(clippy::cast_precision_loss)] // seconds of minutes
        let seconds = (time.nanos() - self.from.nanos()) as f64 / 1e9;
        self.slope * seconds
    }
}

fn rates_signed(series: &[(Time, f64)]) -> Vec<f64> {
    let pairs = series.iter().zip(series.iter().skip(1));
    let rate = |((from, one), (to, next)): (&(Time, f64), &(Time, f64))| {
        let seconds = to.since(*from).as_secs_f64();
        (seconds > 0.0).then(|| (next - one) / seconds)
    };
    pairs.filter_map(rate).collect()
}

fn gaps(series: &[(Time, f64)]) -> Vec<f64> {
    let pairs = series.iter().zip(series.iter().skip(1));
    pairs.map(|((from, _), (to, _))| to.since(*from).as_secs_f64()).collect()
}
