//! A calendar of who is on call, as other programs export it (iCalendar, RFC 5545). Owns the part of the format that
//! such calendars use; what it does not know of a rule that repeats is refused by name, because half a rule would name
//! the wrong person.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{self, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::OnCallOverride;
use crate::time::Time;

/// Turns that one calendar may have within the stretch that is read.
const TURNS_MAX: usize = 5_000;
/// Days that a rule is followed, at most.
const DAYS_MAX: usize = 40_000;

/// What is wrong with a calendar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCalendar {
    /// It is none.
    #[error("expected an iCalendar file that begins with BEGIN:VCALENDAR")]
    Unread,
    /// A property of an event cannot be read.
    #[error("expected {expected} in the event {event:?}, got {got:?}")]
    Property {
        /// The form that the property has in a calendar.
        expected: &'static str,
        /// The event, by its summary.
        event: String,
        /// What came.
        got: String,
    },
    /// Too much.
    #[error("expected at most {TURNS_MAX} turns within a year")]
    TooMany,
}

/// One line: its name, its parameters and its value.
struct Property {
    name: String,
    parameters: BTreeMap<String, String>,
    value: String,
}

/// One event, as its lines say it.
#[derive(Default)]
struct CalendarEvent {
    properties: Vec<Property>,
}

/// When an event is, in the time of its place.
struct EventTimes {
    zone: TimeZone,
    start: DateTime,
    /// How long it lasts on the clock: in days and the hour at which it ends.
    ends: DateTime,
}

/// How an event repeats.
struct RepeatRule {
    weekly: bool,
    every: i64,
    count: Option<usize>,
    until: Option<Timestamp>,
    days: Vec<Weekday>,
    week_start: Weekday,
}

/// Who is on call between two times, by a calendar: one entry for each time that an event comes round, oldest first.
/// The one attendee of an event is on call, or whom its summary names. Times without a zone are those of `zone`.
///
/// # Errors
/// The first event that cannot be read.
pub fn read(text: &str, zone: &str, from: Time, until: Time) -> Result<Vec<OnCallOverride>, NotCalendar> {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let events = events(text)?;
    // An instance that was changed stands as an event of its own, and replaces the one of its rule.
    let mut replaced: BTreeMap<String, BTreeSet<Timestamp>> = BTreeMap::new();
    for event in &events {
        if let (Some(uid), Some(property)) = (event.text("UID"), event.get("RECURRENCE-ID")) {
            let at = event.instant(property, &zone)?;
            replaced.entry(uid.to_owned()).or_default().insert(at);
        }
    }
    let mut turns = Vec::new();
    for event in events.iter().filter(|event| event.text("STATUS") != Some("CANCELLED")) {
        let own = event.get("RECURRENCE-ID").is_some();
        let gone = event.text("UID").and_then(|uid| replaced.get(uid)).filter(|_| !own);
        event.turns(&zone, gone, (from, until), &mut turns)?;
    }
    turns.sort_by(|one, other| (one.from, one.until, &one.who).cmp(&(other.from, other.until, &other.who)));
    Ok(turns)
}

/// Lines, with those that were folded put together.
fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => lines.push(line.trim_end_matches('\r').to_owned()),
        }
    }
    lines
}

fn events(text: &str) -> Result<Vec<CalendarEvent>, NotCalendar> {
    let lines = lines(text.trim_start_matches('\u{feff}'));
    if !lines
        .iter()
        .find(|line| !line.trim().is_empty())
        .is_some_and(|line| line.eq_ignore_ascii_case("BEGIN:VCALENDAR"))
    {
        return Err(NotCalendar::Unread);
    }
    let (mut events, mut open, mut inner) = (Vec::new(), None::<CalendarEvent>, 0_u32);
    for line in &lines {
        let Some(property) = property(line) else { continue };
        let kind = property.value.to_ascii_uppercase();
        match (property.name.as_str(), open.as_mut()) {
            ("BEGIN", None) if kind == "VEVENT" => open = Some(CalendarEvent::default()),
            // An alarm inside an event has properties of its own.
            ("BEGIN", Some(_)) => inner += 1,
            ("END", Some(_)) if inner > 0 => inner -= 1,
            ("END", Some(_)) => events.extend(open.take()),
            (_, Some(event)) if inner == 0 => event.properties.push(property),
            _ => {}
        }
    }
    Ok(events)
}

fn property(line: &str) -> Option<Property> {
    // A colon inside quotation marks belongs to a parameter.
    let mut quoted = false;
    let colon = line.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        *c == ':' && !quoted
    })?;
    let (head, value) = (line.get(..colon.0)?, line.get(colon.0 + 1..)?);
    let mut parts = split_outside_quotes(head);
    let name = parts.next()?.to_ascii_uppercase();
    let parameter = |part: &str| {
        let (name, value) = part.split_once('=')?;
        Some((name.to_ascii_uppercase(), value.trim_matches('"').to_owned()))
    };
    let parameters = parts.filter_map(parameter).collect();
    Some(Property { name, parameters, value: value.to_owned() })
}

fn split_outside_quotes(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c: char| {
        quoted ^= c == '"';
        c == ';' && !quoted
    })
}

impl CalendarEvent {
    fn get(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name).map(|property| property.value.trim())
    }

    fn refused(&self, expected: &'static str, got: &str) -> NotCalendar {
        NotCalendar::Property { expected, event: self.who().unwrap_or_default(), got: got.to_owned() }
    }

    /// Who is on call.
    fn who(&self) -> Option<String> {
        let mut attendees = self.properties.iter().filter(|property| property.name == "ATTENDEE");
        let only = attendees.next().filter(|_| attendees.next().is_none());
        let named = only.map(|property| {
            let mail = property.value.trim().trim_start_matches("mailto:").trim_start_matches("MAILTO:");
            property.parameters.get("CN").map_or(mail, String::as_str).to_owned()
        });
        let summary =
            self.text("SUMMARY").map(|text| text.replace("\\,", ",").replace("\\;", ";").replace("\\\\", "\\"));
        named.or(summary).map(|who| who.trim().to_owned()).filter(|who| !who.is_empty())
    }

    /// A time as a property has it: on the clock of a place.
    fn local(&self, property: &Property, zone: &TimeZone) -> Result<(TimeZone, DateTime), NotCalendar> {
        let text = property.value.trim();
        let bad = || self.refused("a date or a time of iCalendar", text);
        let zone = match property.parameters.get("TZID") {
            _ if text.ends_with('Z') => TimeZone::UTC,
            Some(name) => {
                TimeZone::get(name).map_err(|_| self.refused("the IANA name of a time zone as TZID", name))?
            }
            None => zone.clone(),
        };
        let form = if text.len() == 8 { "%Y%m%d" } else { "%Y%m%dT%H%M%S" };
        let digits = text.trim_end_matches('Z');
        let time = if text.len() == 8 {
            civil::Date::strptime(form, digits).map(|date| date.at(0, 0, 0, 0))
        } else {
            DateTime::strptime(form, digits)
        };
        Ok((zone, time.map_err(|_| bad())?))
    }

    fn instant(&self, property: &Property, zone: &TimeZone) -> Result<Timestamp, NotCalendar> {
        let (zone, local) = self.local(property, zone)?;
        stamp(&zone, local).ok_or_else(|| self.refused("a time that there is", &property.value))
    }

    fn times(&self, zone: &TimeZone) -> Result<EventTimes, NotCalendar> {
        let property = self.get("DTSTART").ok_or_else(|| self.refused("DTSTART", "nothing"))?;
        let (zone, start) = self.local(property, zone)?;
        let all_day = property.value.trim().len() == 8;
        let ends = match (self.get("DTEND"), self.get("DURATION")) {
            (Some(end), _) => {
                let (theirs, end) = self.local(end, &zone)?;
                let at = stamp(&theirs, end).ok_or_else(|| self.refused("a time that there is", "DTEND"))?;
                zone.to_datetime(at)
            }
            (None, Some(lasts)) => {
                let span: jiff::Span =
                    lasts.value.trim().parse().map_err(|_| self.refused("a duration such as P7D", &lasts.value))?;
                start.checked_add(span).map_err(|_| self.refused("a duration such as P7D", &lasts.value))?
            }
            (None, None) if all_day => start.checked_add(1.day()).unwrap_or(start),
            (None, None) => return Err(self.refused("DTEND or DURATION", "nothing")),
        };
        Ok(EventTimes { zone, start, ends })
    }

    fn rule(&self, zone: &TimeZone) -> Result<Option<RepeatRule>, NotCalendar> {
        let Some(text) = self.text("RRULE") else { return Ok(None) };
        let mut rule = RepeatRule {
            weekly: false,
            every: 1,
            count: None,
            until: None,
            days: Vec::new(),
            week_start: Weekday::Monday,
        };
        let mut known = false;
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let bad = || self.refused("a rule of days or weeks with INTERVAL, COUNT, UNTIL, BYDAY and WKST", part);
            let (name, value) = part.split_once('=').ok_or_else(bad)?;
            match name.to_ascii_uppercase().as_str() {
                "FREQ" => {
                    rule.weekly = match value {
                        "DAILY" => false,
                        "WEEKLY" => true,
                        _ => return Err(bad()),
                    };
                    known = true;
                }
                "INTERVAL" => rule.every = value.parse().ok().filter(|every| *every > 0).ok_or_else(bad)?,
                "COUNT" => rule.count = Some(value.parse().map_err(|_| bad())?),
                "UNTIL" => {
                    let until = Property { name: String::new(), parameters: BTreeMap::new(), value: value.to_owned() };
                    let (of, local) = self.local(&until, zone)?;
                    // A date includes the whole day.
                    let last = if value.len() == 8 { local.date().at(23, 59, 59, 0) } else { local };
                    rule.until = Some(stamp(&of, last).ok_or_else(bad)?);
                }
                "BYDAY" => {
                    rule.days = value.split(',').map(|day| weekday(day).ok_or_else(bad)).collect::<Result<_, _>>()?
                }
                "WKST" => rule.week_start = weekday(value).ok_or_else(bad)?,
                _ => return Err(bad()),
            }
        }
        if known { Ok(Some(rule)) } else { Err(self.refused("FREQ in RRULE", text)) }
    }

    /// Each time that it comes round within a stretch.
    fn turns(
        &self,
        zone: &TimeZone,
        gone: Option<&BTreeSet<Timestamp>>,
        (from, until): (Time, Time),
        turns: &mut Vec<OnCallOverride>,
    ) -> Result<(), NotCalendar> {
        let times = self.times(zone)?;
        let who = self.who().ok_or_else(|| self.refused("an attendee or a summary", "nothing"))?;
        let mut without = gone.cloned().unwrap_or_default();
        for property in self.properties.iter().filter(|property| property.name == "EXDATE") {
            for one in property.value.split(',') {
                let parameters = property.parameters.clone();
                let one = Property { name: String::new(), parameters, value: one.to_owned() };
                without.insert(self.instant(&one, &times.zone)?);
            }
        }
        let rule = self.rule(&times.zone)?;
        let (mut met, first) = (0, times.start.date());
        for step in 0..DAYS_MAX {
            let Ok(date) = first.checked_add(i64::try_from(step).unwrap_or(0).days()) else { break };
            if rule.as_ref().is_some_and(|rule| !rule.is_on(first, date)) {
                continue;
            }
            let Some((start, end)) = times.on(date) else { continue };
            let over = |rule: &RepeatRule| {
                rule.count.is_some_and(|count| met >= count) || rule.until.is_some_and(|until| start > until)
            };
            if rule.as_ref().is_some_and(over) || time(start) >= until {
                break;
            }
            met += 1;
            if !without.contains(&start) && time(end) > from && end > start {
                turns.push(OnCallOverride { who: who.clone(), from: time(start), until: time(end) });
            }
            if turns.len() > TURNS_MAX {
                return Err(NotCalendar::TooMany);
            }
            if rule.is_none() {
                break;
            }
        }
        Ok(())
    }
}

impl EventTimes {
    /// Start and end of the time that begins on a date.
    fn on(&self, date: civil::Date) -> Option<(Timestamp, Timestamp)> {
        let days = i64::from(self.start.date().until(self.ends.date()).ok()?.get_days());
        let last = date.checked_add(days.days()).ok()?;
        Some((
            stamp(&self.zone, date.to_datetime(self.start.time()))?,
            stamp(&self.zone, last.to_datetime(self.ends.time()))?,
        ))
    }
}

impl RepeatRule {
    fn is_on(&self, first: civil::Date, date: civil::Date) -> bool {
        let days = |from: civil::Date, to: civil::Date| from.until(to).map_or(0, |span| i64::from(span.get_days()));
        let listed = |date: civil::Date| self.days.contains(&date.weekday());
        if !self.weekly {
            return days(first, date) % self.every == 0 && (self.days.is_empty() || listed(date));
        }
        let is_day = if self.days.is_empty() { date.weekday() == first.weekday() } else { listed(date) };
        let monday = |date: civil::Date| {
            let back = i64::from(date.weekday().to_monday_zero_offset() - self.week_start.to_monday_zero_offset());
            date.checked_sub(back.rem_euclid(7).days()).unwrap_or(date)
        };
        is_day && (days(monday(first), monday(date)) / 7) % self.every == 0
    }
}

fn weekday(text: &str) -> Option<Weekday> {
    Some(match text {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    })
}

fn stamp(zone: &TimeZone, local: DateTime) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(local).compatible().ok()
}

fn time(stamp: Timestamp) -> Time {
    Time::from_nanos(i64::try_from(stamp.as_nanosecond()).unwrap_or(i64::MAX))
}
