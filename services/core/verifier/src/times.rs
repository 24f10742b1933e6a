//! Times, days and lengths of time: how they are read, and when a written one is a recorded one. Times of day
//! are in UTC, as everywhere in this house. Refuses to know the clock: "ago" is counted from the court's now.

use hindcast_domain::Time;
use regex::{Captures, Regex};

use crate::figures::Hedge;

/// Nanoseconds of a day.
const DAY: i64 = 86_400_000_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WrittenTime {
    /// An instant, down to a step in nanoseconds.
    Instant(Time, i64),
    /// A time of day in nanoseconds since midnight, down to a step in nanoseconds.
    Clock(i64, i64),
    /// A day: month and day, and the year where it is said.
    Day(Option<i16>, i8, i8),
}

/// A length of time as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct WrittenSpan {
    /// Length of the duration.
    pub seconds: f64,
    /// The smallest unit that is written, in seconds, with the decimals that are.
    pub step: f64,
    /// Whether it is counted back from now.
    pub ago: bool,
    /// Whether the words around it make it one between two events.
    pub between: bool,
    /// What the words before it make of it.
    pub hedge: Hedge,
}

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;

fn number(captures: &Captures, index: usize) -> Option<i64> {
    captures.get(index)?.as_str().parse().ok()
}

/// Nanoseconds and step of the digits behind a second's point.
fn fraction(captures: &Captures, index: usize) -> (i64, i64) {
    let Some(digits) = captures.get(index).map(|group| group.as_str()) else {
        return (0, SECOND);
    };
    let step = 10_i64.pow(9 - u32::try_from(digits.len()).unwrap_or(9).min(9));
    (digits.parse::<i64>().unwrap_or(0) * step, step)
}

/// A day with a time of day.
pub(crate) fn stamp(captures: &Captures) -> Option<WrittenTime> {
    let day = captures.get(1)?.as_str();
    let (hour, minute) = (captures.get(2)?.as_str(), captures.get(3)?.as_str());
    let second = captures.get(4).map_or("00", |second| second.as_str());
    let zone = captures.get(6).map_or("Z", |zone| if zone.as_str() == "utc" { "Z" } else { zone.as_str() });
    let zone = if zone.len() == 5 { format!("{}:{}", zone.get(..3)?, zone.get(3..)?) } else { zone.to_uppercase() };
    let time: Time = format!("{day}T{hour}:{minute}:{second}{zone}").parse().ok()?;
    let (nanos, step) = fraction(captures, 5);
    let step = if captures.get(4).is_some() { step } else { MINUTE };
    Some(WrittenTime::Instant(Time::from_nanos(time.nanos().saturating_add(nanos)), step))
}

/// `2026-11-24`.
pub(crate) fn day(captures: &Captures) -> Option<WrittenTime> {
    let year = i16::try_from(number(captures, 1)?).ok()?;
    Some(WrittenTime::Day(
        Some(year),
        i8::try_from(number(captures, 2)?).ok()?,
        i8::try_from(number(captures, 3)?).ok()?,
    ))
}

/// `24 November 2026`, `November 24`.
pub(crate) fn named_day(captures: &Captures) -> Option<WrittenTime> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let month = captures.get(2).or_else(|| captures.get(4))?.as_str();
    let month = i8::try_from(MONTHS.iter().position(|known| *known == month)? + 1).ok()?;
    let day = i8::try_from(number(captures, 1).or_else(|| number(captures, 5))?).ok()?;
    let year = number(captures, 3).or_else(|| number(captures, 6)).and_then(|year| i16::try_from(year).ok());
    Some(WrittenTime::Day(year, month, day))
}

/// `17:21`, `17:21:36.5`, `5:21 pm`, `5 pm`.
pub(crate) fn clock(captures: &Captures) -> Option<WrittenTime> {
    let half = |index: usize| captures.get(index).map(|half| half.as_str().starts_with('p'));
    let (hour, minute, second, fractions, afternoon) = if captures.get(1).is_some() {
        (number(captures, 1)?, number(captures, 2)?, number(captures, 3), 4, half(5))
    } else if captures.get(6).is_some() {
        (number(captures, 6)?, number(captures, 7)?, number(captures, 8), 9, None)
    } else {
        (number(captures, 10)?, 0, None, 12, half(11))
    };
    let hour = match afternoon {
        Some(afternoon) if (1..=12).contains(&hour) => hour % 12 + if afternoon { 12 } else { 0 },
        Some(_) => return None,
        None => hour,
    };
    if hour > 23 || minute > 59 || second.is_some_and(|second| second > 60) {
        return None;
    }
    let (nanos, step) = if second.is_some() { fraction(captures, fractions) } else { (0, MINUTE) };
    Some(WrittenTime::Clock((hour * 60 + minute) * MINUTE + second.unwrap_or(0) * SECOND + nanos, step))
}

/// `4 min 10 s`, `1h30m`, `14 seconds`.
pub(crate) fn stretch(parts: &Regex, text: &str, ago: bool, hedge: Hedge) -> Option<WrittenSpan> {
    let mut stretch = WrittenSpan { seconds: 0.0, step: f64::INFINITY, ago, between: false, hedge };
    for part in parts.captures_iter(text) {
        let digits = part.get(1)?.as_str().replace(',', "");
        let unit = match part.get(2)?.as_str() {
            "ms" | "millisecond" | "milliseconds" | "msec" | "msecs" => 0.001,
            "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3_600.0,
            "d" | "day" | "days" => 86_400.0,
            "week" | "weeks" => 604_800.0,
            _ => return None,
        };
        let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        stretch.seconds += digits.parse::<f64>().ok()? * unit;
        stretch.step = stretch.step.min(unit * 10_f64.powi(-i32::try_from(decimals).ok()?));
    }
    stretch.step.is_finite().then_some(stretch)
}

impl WrittenTime {
    /// Whether it is how a person would write `time`: cut off or rounded to what is written.
    pub fn is(&self, time: Time) -> bool {
        match *self {
            Self::Instant(written, step) => near(written.nanos(), time.nanos(), step),
            Self::Clock(written, step) => {
                let of_day = time.nanos().rem_euclid(DAY);
                near(written, of_day, step) || near(written + DAY, of_day, step)
            }
            Self::Day(year, month, day) => {
                let text = time.to_string();
                let said = |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse::<i16>().ok());
                said(5..7) == Some(i16::from(month))
                    && said(8..10) == Some(i16::from(day))
                    && year.is_none_or(|year| said(0..4) == Some(year))
            }
        }
    }
}

fn near(written: i64, recorded: i64, step: i64) -> bool {
    let late = recorded - written;
    (0..step).contains(&late) || (late < 0 && -late <= step / 2)
}

impl WrittenSpan {
    /// Whether it is how a person would write a length of so many seconds.
    pub fn is(&self, seconds: f64) -> bool {
        let off = (self.seconds - seconds).abs();
        // rounded, or cut off: "6 min" of six and a half
        let step = if seconds > self.seconds { self.step } else { 0.5 * self.step };
        let step = if self.step < 60.0 { step.max(self.step.min(1.0)) } else { step };
        match self.hedge {
            Hedge::None => off <= step * (1.0 + 1e-9),
            Hedge::About => off <= step.max(0.15 * self.seconds),
            Hedge::More => off <= step || (seconds >= self.seconds && seconds <= 1.34 * self.seconds),
            Hedge::Less => off <= step || (seconds <= self.seconds && seconds >= 0.5 * self.seconds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    #[test]
    fn a_clock_is_cut_off_or_rounded() {
        let written = WrittenTime::Clock((17 * 60 + 21) * MINUTE, MINUTE);
        assert!(written.is(at("2026-11-24T17:21:59Z")) && written.is(at("2026-11-24T17:20:31Z")));
        assert!(!written.is(at("2026-11-24T17:22:01Z")) && !written.is(at("2026-11-24T17:20:29Z")));
    }

    #[test]
    fn a_day_needs_no_year() {
        assert!(WrittenTime::Day(None, 11, 24).is(at("2026-11-24T17:21:59Z")));
        assert!(!WrittenTime::Day(Some(2025), 11, 24).is(at("2026-11-24T17:21:59Z")));
    }

    #[test]
    fn a_length_is_rounded_to_what_is_written() {
        let written =
            |seconds: f64, step: f64| WrittenSpan { seconds, step, ago: false, between: false, hedge: Hedge::None };
        assert!(written(14.0, 1.0).is(13.6) && written(14.0, 1.0).is(14.9) && !written(14.0, 1.0).is(16.0));
        assert!(written(120.0, 60.0).is(170.0) && !written(120.0, 60.0).is(185.0) && !written(120.0, 60.0).is(80.0));
    }
}
