//! Days, their parts and spans as people say them. Everything is UTC.

use hindcast_domain::{Span, Time};

/// Twenty-four hours; leap seconds are none of ours.
pub(crate) const DAY: Span = Span::hours(24);

/// Months by their first three letters.
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/// Days of the week; the first of January 1970 was a Thursday.
const WEEKDAYS: [&str; 7] = ["thursday", "friday", "saturday", "sunday", "monday", "tuesday", "wednesday"];
/// Numbers in words.
const NUMBERS: [(&str, i64); 20] = [
    ("a", 1),
    ("an", 1),
    ("one", 1),
    ("two", 2),
    ("a couple of", 2),
    ("couple of", 2),
    ("three", 3),
    ("a few", 3),
    ("few", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("fifteen", 15),
    ("twenty", 20),
];
/// More of them.
const TENS: [(&str, i64); 4] = [("thirty", 30), ("forty", 40), ("forty-five", 45), ("sixty", 60)];

/// Morning, evening and the like, as people divide a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DayPart {
    Morning,
    Noon,
    Afternoon,
    Evening,
    Night,
}

impl DayPart {
    /// The part of a word.
    pub(crate) fn of(word: &str) -> Option<Self> {
        match word {
            "morning" => Some(Self::Morning),
            "noon" => Some(Self::Noon),
            "afternoon" => Some(Self::Afternoon),
            "evening" => Some(Self::Evening),
            "night" => Some(Self::Night),
            _ => None,
        }
    }

    /// From, until; a night goes on into the next day.
    pub(crate) fn of_day(self, day: Time) -> (Time, Time) {
        let (from, to) = match self {
            Self::Morning => (5, 12),
            Self::Noon => (11, 14),
            Self::Afternoon => (12, 18),
            Self::Evening => (18, 24),
            Self::Night => (20, 32),
        };
        (day + Span::hours(from), day + Span::hours(to))
    }
}

/// The beginning of a day.
pub(crate) fn midnight(at: Time) -> Time {
    Time::from_nanos(at.nanos() - at.nanos().rem_euclid(DAY.nanos()))
}

/// A time of day as a distance from midnight.
pub(crate) fn clock(hours: i64, minutes: i64, seconds: i64) -> Option<Span> {
    let fits = (0..24).contains(&hours) && (0..60).contains(&minutes) && (0..60).contains(&seconds);
    fits.then(|| Span::seconds((hours * 60 + minutes) * 60 + seconds))
}

/// An hour with its half of the day, where one is said.
pub(crate) fn hour(hours: i64, half: &str) -> Option<i64> {
    match half {
        "am" => (1..=12).contains(&hours).then_some(hours % 12),
        "pm" => (1..=12).contains(&hours).then_some(hours % 12 + 12),
        _ => (0..24).contains(&hours).then_some(hours),
    }
}

/// The last time before `now` at which clocks showed that.
pub(crate) fn last_at(now: Time, clock: Span) -> Time {
    let today = midnight(now) + clock;
    if today > now { today - DAY } else { today }
}

/// So many of a unit.
pub(crate) fn span(count: &str, unit: &str) -> Option<Span> {
    let count = count.trim();
    let of = |unit: &str| match unit.chars().next()? {
        's' => Some(Span::seconds(1)),
        'm' if unit.starts_with("mo") => Some(Span::hours(24 * 30)),
        'm' => Some(Span::minutes(1)),
        'h' => Some(Span::hours(1)),
        'd' => Some(DAY),
        'w' => Some(Span::hours(24 * 7)),
        _ => None,
    };
    let one = of(unit)?;
    if count.starts_with("half a") {
        return Some(Span::seconds(one.as_millis() / 2_000));
    }
    if count.starts_with("a quarter of") {
        return Some(Span::seconds(one.as_millis() / 4_000));
    }
    let known = || NUMBERS.iter().chain(&TENS).find(|(word, _)| *word == count).map(|(_, count)| *count);
    let count: i64 = count.parse().ok().or_else(known)?;
    (0..100_000).contains(&count).then(|| Span::millis(one.as_millis() * count))
}

/// The day of a month: of the year that is said, else the last one that is not after `now`.
pub(crate) fn date(now: Time, day: i64, month: &str, year: Option<i64>) -> Option<Time> {
    let month = MONTHS.iter().position(|known| month.starts_with(known))? + 1;
    let of = |year: i64| format!("{year:04}-{month:02}-{day:02}T00:00:00Z").parse::<Time>().ok();
    if let Some(year) = year {
        return of(year);
    }
    let this: i64 = now.to_string().get(..4)?.parse().ok()?;
    of(this).filter(|at| *at <= now).or_else(|| of(this - 1))
}

/// The last such day before today; today itself where not `strictly`.
pub(crate) fn weekday_before(now: Time, name: &str, strictly: bool) -> Option<Time> {
    let wanted = i64::try_from(WEEKDAYS.iter().position(|known| *known == name)?).ok()?;
    let today = midnight(now);
    let days = today.nanos().div_euclid(DAY.nanos());
    let back = (days.rem_euclid(7) - wanted).rem_euclid(7);
    let back = if back == 0 && strictly { 7 } else { back };
    Some(today - Span::hours(24 * back))
}
