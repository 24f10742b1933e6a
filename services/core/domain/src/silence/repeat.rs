//! Windows that repeat in the local time of a place: they keep their hour over a change of the clocks. Owns the
//! calendar; refuses to know what a window holds back.
//!
//! Each time such a window comes round is a silence of its own, and its times are in the ledger: whoever reads them
//! needs no calendar, and a later edition of the time zones changes no recorded past.

use std::str::FromStr;

use jiff::civil::{self, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::Time;

/// How far ahead the next window is looked for: the fifth Friday of a month may be five months away.
const DAYS_AHEAD: i32 = 400;

/// What is wrong with a window that repeats.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRepeating {
    /// No such zone.
    #[error("expected a time zone such as Europe/Berlin, got {0:?}")]
    Zone(String),
    /// Not a time of day.
    #[error("expected a time of day such as 02:30, got {0:?}")]
    TimeOfDay(String),
    /// A week that no month has.
    #[error("expected weeks from 1 to 5, or -1 for the last one, got {0}")]
    Week(i8),
    /// Weeks of the month without a day of the week.
    #[error("expected a day of the week in `on`, because `weeks` says which of them")]
    WeeksOfNoDay,
    /// It never comes round.
    #[error("expected a window that comes round at least once")]
    Never,
    /// Not as it is spelt.
    #[error("expected a text such as `sat,sun 02:30-05:00 Europe/Berlin`, got {0:?}")]
    Unread(String),
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // the days of the week
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Day {
    /// All of them, Monday first.
    pub const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];

    /// `mon` to `sun`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }

    const fn weekday(self) -> Weekday {
        match self {
            Self::Mon => Weekday::Monday,
            Self::Tue => Weekday::Tuesday,
            Self::Wed => Weekday::Wednesday,
            Self::Thu => Weekday::Thursday,
            Self::Fri => Weekday::Friday,
            Self::Sat => Weekday::Saturday,
            Self::Sun => Weekday::Sunday,
        }
    }
}

/// When a window comes round, in the local time of a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RepeatingWindow {
    /// The IANA name of the place's time zone, such as `Europe/Berlin`.
    pub zone: String,
    /// The time of day at which it begins there, such as `02:30`.
    pub from: String,
    /// The time of day at which it ends there; on the next day where that is not after `from`.
    pub to: String,
    /// On which days of the week it begins; on every day where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<Day>,
    /// Which of those days in a month: 1 is the first, -1 the last; each of them where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weeks: Vec<i8>,
    /// None begins at or after this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// A repeating window, read.
struct Calendar<'a> {
    repeat: &'a RepeatingWindow,
    zone: TimeZone,
    from: civil::Time,
    to: civil::Time,
}

impl RepeatingWindow {
    /// Checks the zone, the times and the weeks.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), NotRepeating> {
        self.read().map(|_| ())
    }

    /// The first window that begins after `after` (or any, where absent) and is not over at `now`: its start and its
    /// end. `None` where none is left.
    ///
    /// A time of day that the clocks skip counts as so much later, and one that they show twice as the first.
    ///
    /// # Errors
    /// What [`Self::check`] finds.
    pub fn next(&self, after: Option<Time>, now: Time) -> Result<Option<(Time, Time)>, NotRepeating> {
        let calendar = self.read()?;
        let first = after.map_or(now, |after| after.max(now));
        let today = calendar.date_of(first);
        let days = (-2..DAYS_AHEAD).filter_map(|day| today?.checked_add(day.days()).ok());
        let windows = days.filter(|day| calendar.is_on(*day)).filter_map(|day| calendar.window(day));
        let mut ahead = windows.filter(|(start, end)| after.is_none_or(|after| *start > after) && *end > now);
        Ok(ahead.next().filter(|(start, _)| self.until.is_none_or(|until| *start < until)))
    }

    fn read(&self) -> Result<Calendar<'_>, NotRepeating> {
        let zone = TimeZone::get(&self.zone).map_err(|_| NotRepeating::Zone(self.zone.clone()))?;
        if let Some(bad) = self.weeks.iter().find(|week| !matches!(week, -1 | 1..=5)) {
            return Err(NotRepeating::Week(*bad));
        }
        if !self.weeks.is_empty() && self.on.is_empty() {
            return Err(NotRepeating::WeeksOfNoDay);
        }
        Ok(Calendar { repeat: self, zone, from: time_of_day(&self.from)?, to: time_of_day(&self.to)? })
    }
}

/// Which of its days in a month a week stands for, as it is spelt.
const WEEKS: [(&str, i8); 6] = [("1st", 1), ("2nd", 2), ("3rd", 3), ("4th", 4), ("5th", 5), ("last", -1)];

impl std::fmt::Display for RepeatingWindow {
    /// As it is read: `2nd,last tue 02:00-04:00 Europe/Berlin`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let weeks: Vec<&str> =
            WEEKS.iter().filter(|(_, week)| self.weeks.contains(week)).map(|(name, _)| *name).collect();
        let days: Vec<&str> = self.on.iter().map(|day| day.as_str()).collect();
        if !weeks.is_empty() {
            write!(f, "{} ", weeks.join(","))?;
        }
        let days = if days.is_empty() { "daily".to_owned() } else { days.join(",") };
        write!(f, "{days} {}-{} {}", self.from, self.to, self.zone)?;
        self.until.map_or(Ok(()), |until| write!(f, " until {until}"))
    }
}

impl FromStr for RepeatingWindow {
    type Err = NotRepeating;

    /// Reads `daily 22:00-06:00 UTC`, `sat,sun 02:30-05:00 Europe/Berlin`, `2nd tue 02:00-04:00 Europe/Berlin until
    /// 2027-07-01T00:00:00Z`.
    fn from_str(text: &str) -> Result<Self, NotRepeating> {
        let unread = || NotRepeating::Unread(text.to_owned());
        let mut words = text.split_whitespace();
        let mut word = || words.next().ok_or_else(unread);
        let mut days = word()?;
        let weeks = days.split(',').map(|name| WEEKS.iter().find(|(week, _)| *week == name).map(|(_, week)| *week));
        let weeks: Option<Vec<i8>> = weeks.collect();
        if weeks.is_some() {
            days = word()?;
        }
        let on = match days {
            "daily" => Vec::new(),
            days => {
                let day = |name: &str| Day::ALL.into_iter().find(|day| day.as_str() == name).ok_or_else(unread);
                days.split(',').map(day).collect::<Result<_, _>>()?
            }
        };
        let (from, to) = word()?.split_once('-').ok_or_else(unread)?;
        let zone = word()?.to_owned();
        let until = match (words.next(), words.next()) {
            (None, _) => None,
            (Some("until"), Some(time)) => Some(time.parse().map_err(|_| unread())?),
            _ => return Err(unread()),
        };
        if words.next().is_some() {
            return Err(unread());
        }
        let read = Self { zone, from: from.to_owned(), to: to.to_owned(), on, weeks: weeks.unwrap_or_default(), until };
        read.check()?;
        Ok(read)
    }
}

fn time_of_day(text: &str) -> Result<civil::Time, NotRepeating> {
    let bad = || NotRepeating::TimeOfDay(text.to_owned());
    let digits = text.len() == 5 && text.as_bytes().get(2) == Some(&b':');
    if digits { text.parse().map_err(|_| bad()) } else { Err(bad()) }
}

impl Calendar<'_> {
    fn date_of(&self, time: Time) -> Option<civil::Date> {
        let stamp = Timestamp::from_nanosecond(i128::from(time.nanos())).ok()?;
        Some(self.zone.to_datetime(stamp).date())
    }

    fn is_on(&self, date: civil::Date) -> bool {
        let its = date.weekday();
        if !self.repeat.on.is_empty() && self.repeat.on.iter().all(|day| day.weekday() != its) {
            return false;
        }
        let week = (date.day() - 1) / 7 + 1;
        let is_last = date.day() + 7 > date.days_in_month();
        self.repeat.weeks.is_empty() || self.repeat.weeks.iter().any(|of| *of == week || *of == -1 && is_last)
    }

    fn window(&self, date: civil::Date) -> Option<(Time, Time)> {
        let last = if self.to > self.from { date } else { date.tomorrow().ok()? };
        let (start, end) = (self.at(date, self.from)?, self.at(last, self.to)?);
        // Clocks that skip the whole window leave nothing of it.
        (end > start).then_some((start, end))
    }

    fn at(&self, date: civil::Date, time: civil::Time) -> Option<Time> {
        let stamp = self.zone.to_ambiguous_timestamp(date.to_datetime(time)).compatible().ok()?;
        Some(Time::from_nanos(i64::try_from(stamp.as_nanosecond()).ok()?))
    }
}
