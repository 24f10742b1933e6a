//! Who is on call: rotations with a weekly hand-over in the local time of a place, overrides, and calendars. Owns the
//! calendar; refuses to know who is notified of what.
//!
//! At a time the last override that covers it counts, then the calendar, then the rotation. A hand-over keeps its hour
//! over a change of the clocks; one that the clocks skip is so much later, and one that they show twice is at the first.

pub mod ical;

use jiff::civil;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::silence::Day;
use crate::time::Time;

/// The configuration section's name.
pub const SECTION: &str = "oncall";

/// Schedules that one installation has, at most.
const SCHEDULES_MAX: usize = 100;
/// People of a rotation, and weeks of a turn, at most.
const PEOPLE_MAX: usize = 200;
const WEEKS_MAX: u8 = 52;

/// What is wrong with a schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOnCall {
    /// The zone is unknown.
    #[error("{0}: expected a time zone such as Europe/Berlin, got {1:?}")]
    Zone(String, String),
    /// The first day is no date.
    #[error("{0}: expected a date such as 2026-11-02 as first_day, got {1:?}")]
    FirstDay(String, String),
    /// The hand-over is no time of day.
    #[error("{0}: expected a time of day such as 09:00 as hand_over, got {1:?}")]
    HandOver(String, String),
    /// It names no people, no override and no calendar.
    #[error("{0}: expected people, an override or a calendar")]
    Nobody(String),
    /// Two have one name, or one has none.
    #[error("expected a name of its own for each schedule, got {0:?}")]
    Name(String),
    /// A turn of no week, or of too many.
    #[error("{0}: expected a turn of 1 to {WEEKS_MAX} weeks, got {1}")]
    Weeks(String, u8),
    /// More than there may be.
    #[error("expected at most {SCHEDULES_MAX} schedules with {PEOPLE_MAX} people each")]
    TooMany,
    /// An override that ends before it begins.
    #[error("{0}: expected an override of {1} that ends after it begins")]
    Override(String, String),
}

/// Somebody is on call in place of the rotation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnCallOverride {
    /// Who is on call.
    pub who: String,
    /// From then on.
    pub from: Time,
    /// Until then; at that time it is over.
    pub until: Time,
}

/// A rotation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnCallSchedule {
    /// The name by which escalation steps refer to it.
    pub name: String,
    /// The IANA name of the place's time zone.
    #[serde(default = "utc")]
    pub zone: String,
    /// Who takes turns, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
    /// The day of the first hand-over, such as `2026-11-02`. The next ones are on the same day of the week.
    #[serde(default)]
    pub first_day: String,
    /// The local time of each hand-over.
    #[serde(default = "morning")]
    pub hand_over: String,
    /// Weeks that one turn lasts.
    #[serde(default = "one")]
    pub weeks: u8,
    /// The services that it is for; all where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// Who is on call in place of the rotation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<OnCallOverride>,
    /// The file of a calendar in the form of iCalendar, which is read at each start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ical: Option<String>,
    /// Who is on call by that calendar.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calendar: Vec<OnCallOverride>,
}

fn utc() -> String {
    "UTC".to_owned()
}

fn morning() -> String {
    "09:00".to_owned()
}

const fn one() -> u8 {
    1
}

/// All schedules: the configuration section `oncall`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OnCallRules {
    /// The rotations.
    pub schedules: Vec<OnCallSchedule>,
}

/// Who is on call by one schedule, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OnCall {
    /// The schedule's name.
    pub schedule: String,
    /// Who is on call.
    pub who: String,
    /// What says so: `override`, `calendar` or `rotation`.
    pub by: String,
    /// When that ends, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Who is on call then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A rotation, read.
struct Turns<'a> {
    schedule: &'a OnCallSchedule,
    zone: TimeZone,
    first: civil::Date,
    time: civil::Time,
}

impl OnCallRules {
    /// Checks every schedule.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), NotOnCall> {
        if self.schedules.len() > SCHEDULES_MAX {
            return Err(NotOnCall::TooMany);
        }
        for (index, schedule) in self.schedules.iter().enumerate() {
            let known = self.schedules.iter().take(index).any(|other| other.name == schedule.name);
            if schedule.name.trim().is_empty() || known {
                return Err(NotOnCall::Name(schedule.name.clone()));
            }
            schedule.check()?;
        }
        Ok(())
    }

    /// Who is on call at a time, by each schedule; by those for a service alone where one is named.
    #[must_use]
    pub fn at(&self, time: Time, service: Option<&str>) -> Vec<OnCall> {
        let is_for = |schedule: &&OnCallSchedule| {
            service
                .is_none_or(|service| schedule.services.is_empty() || schedule.services.iter().any(|of| of == service))
        };
        self.schedules.iter().filter(is_for).filter_map(|schedule| schedule.on_call(time)).collect()
    }

    /// Who is on call by the schedule of a name.
    #[must_use]
    pub fn of(&self, schedule: &str, time: Time) -> Option<String> {
        self.schedules.iter().find(|it| it.name == schedule)?.who(time).map(|(who, _)| who.to_owned())
    }
}

impl OnCallSchedule {
    /// Checks the zone, the times and the people.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), NotOnCall> {
        let calendar = self.ical.is_some() || !self.calendar.is_empty();
        if self.people.is_empty() && self.overrides.is_empty() && !calendar {
            return Err(NotOnCall::Nobody(self.name.clone()));
        }
        if self.people.len() > PEOPLE_MAX {
            return Err(NotOnCall::TooMany);
        }
        if !(1..=WEEKS_MAX).contains(&self.weeks) {
            return Err(NotOnCall::Weeks(self.name.clone(), self.weeks));
        }
        if let Some(bad) = self.overrides.iter().find(|over| over.until <= over.from) {
            return Err(NotOnCall::Override(self.name.clone(), bad.who.clone()));
        }
        if self.people.is_empty() { Ok(()) } else { self.turns().map(|_| ()) }
    }

    /// Who is on call at a time.
    #[must_use]
    pub fn on_call(&self, time: Time) -> Option<OnCall> {
        let (who, by) = self.who(time)?;
        let until = self.change_after(time);
        let next = until.and_then(|until| self.who(until)).map(|(who, _)| who.to_owned());
        Some(OnCall { schedule: self.name.clone(), who: who.to_owned(), by: by.to_owned(), until, next })
    }

    /// Who is on call, and what says so.
    fn who(&self, time: Time) -> Option<(&str, &'static str)> {
        let covers = |over: &&OnCallOverride| over.from <= time && time < over.until;
        if let Some(over) = self.overrides.iter().rev().find(covers) {
            return Some((&over.who, "override"));
        }
        if let Some(entry) = self.calendar.iter().rev().find(covers) {
            return Some((&entry.who, "calendar"));
        }
        let turn = self.turns().ok()?.turn_at(time)?;
        let index = usize::try_from(turn).ok()? % self.people.len().max(1);
        self.people.get(index).map(|who| (who.as_str(), "rotation"))
    }

    /// The first moment after `time` at which anything begins or ends.
    fn change_after(&self, time: Time) -> Option<Time> {
        let edges = self.overrides.iter().chain(&self.calendar).flat_map(|over| [over.from, over.until]);
        let hand_over = self.turns().ok().and_then(|turns| {
            let next = turns.turn_at(time).map_or(0, |turn| turn + 1);
            turns.hand_over(next)
        });
        edges.chain(hand_over).filter(|edge| *edge > time).min()
    }

    fn turns(&self) -> Result<Turns<'_>, NotOnCall> {
        let name = || self.name.clone();
        if self.people.is_empty() {
            return Err(NotOnCall::Nobody(name()));
        }
        let zone = TimeZone::get(&self.zone).map_err(|_| NotOnCall::Zone(name(), self.zone.clone()))?;
        let first = self.first_day.parse().map_err(|_| NotOnCall::FirstDay(name(), self.first_day.clone()))?;
        let is_short = self.hand_over.len() == 5 && self.hand_over.as_bytes().get(2) == Some(&b':');
        let time = self.hand_over.parse().ok().filter(|_| is_short);
        let time = time.ok_or_else(|| NotOnCall::HandOver(name(), self.hand_over.clone()))?;
        Ok(Turns { schedule: self, zone, first, time })
    }

    /// The day of the week on which hand-overs are.
    #[must_use]
    pub fn day(&self) -> Option<Day> {
        let date: civil::Date = self.first_day.parse().ok()?;
        let index = usize::try_from(date.weekday().to_monday_zero_offset()).ok()?;
        Day::ALL.get(index).copied()
    }
}

impl Turns<'_> {
    /// The moment at which a turn begins.
    fn hand_over(&self, turn: i64) -> Option<Time> {
        let days = turn.checked_mul(7 * i64::from(self.schedule.weeks))?;
        let date = self.first.checked_add(days.days()).ok()?;
        let stamp = self.zone.to_ambiguous_timestamp(date.to_datetime(self.time)).compatible().ok()?;
        Some(Time::from_nanos(i64::try_from(stamp.as_nanosecond()).ok()?))
    }

    /// Which turn a time is in; `None` before the first.
    fn turn_at(&self, time: Time) -> Option<i64> {
        let stamp = Timestamp::from_nanosecond(i128::from(time.nanos())).ok()?;
        let date = self.zone.to_datetime(stamp).date();
        let days = self.first.until(date).ok()?.get_days();
        let near = i64::from(days).div_euclid(7 * i64::from(self.schedule.weeks));
        // The hour of the hand-over may lie before or behind on that day.
        (near - 1..=near + 1).rev().find(|turn| *turn >= 0 && self.hand_over(*turn).is_some_and(|at| at <= time))
    }
}
