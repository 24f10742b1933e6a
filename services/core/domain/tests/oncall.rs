//! Who is on call, compared with a calculation that walks through time minute by minute and knows nothing of weeks that
//! are counted.

use hindcast_domain::oncall::{OnCallOverride, OnCallRules, OnCallSchedule, ical};
use hindcast_domain::{Span, Time};
use jiff::Timestamp;
use jiff::civil::{self, DateTime};
use jiff::tz::TimeZone;
use proptest::prelude::*;

/// Places whose clocks change, at other hours and by other spans, one of them by half an hour, and one without changes.
const ZONES: [&str; 8] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "America/Santiago",
    "Pacific/Chatham",
    "Africa/Casablanca",
    "Europe/London",
];
const MINUTE: i64 = 60;

fn local(zone: &TimeZone, minute: i64) -> DateTime {
    zone.to_datetime(Timestamp::from_second(minute * MINUTE).unwrap())
}

/// The minutes at which turns change within a stretch, found by looking at the clock on the wall.
fn hand_overs(schedule: &OnCallSchedule, from: i64, to: i64) -> Vec<i64> {
    let zone = TimeZone::get(&schedule.zone).unwrap();
    let first: civil::Date = schedule.first_day.parse().unwrap();
    let hour: civil::Time = schedule.hand_over.parse().unwrap();
    let mut found: Vec<(civil::Date, i64)> = Vec::new();
    let mut minute = from;
    let mut before = local(&zone, from - 1);
    while minute < to {
        let now = local(&zone, minute);
        let is_day = |date: civil::Date| {
            let apart = days_between(first, date);
            apart >= 0 && apart % (7 * i64::from(schedule.weeks)) == 0
        };
        let shown = now.time().hour() == hour.hour() && now.time().minute() == hour.minute();
        if shown && is_day(now.date()) && found.iter().all(|(date, _)| *date != now.date()) {
            found.push((now.date(), minute));
        }
        // The clock jumped over it: as much later as the jump is long.
        let skipped = now.duration_since(before).as_secs() / MINUTE - 1;
        if skipped > 0 {
            for step in 1..=skipped {
                let over = before.checked_add(jiff::SignedDuration::from_mins(step)).unwrap();
                if over.time().hour() == hour.hour() && over.time().minute() == hour.minute() && is_day(over.date()) {
                    found.push((over.date(), minute + step - 1));
                }
            }
        }
        before = now;
        minute += 1;
    }
    found.into_iter().map(|(_, minute)| minute).collect()
}

/// Days by counting them one by one, from the earlier to the later.
fn days_between(first: civil::Date, date: civil::Date) -> i64 {
    let day = |date: civil::Date| {
        // Days since the year 1, month by month.
        let mut days = 0_i64;
        for year in 2020..date.year() {
            days += if civil::date(year, 1, 1).in_leap_year() { 366 } else { 365 };
        }
        for month in 1..date.month() {
            days += i64::from(civil::date(date.year(), month, 1).days_in_month());
        }
        days + i64::from(date.day())
    };
    day(date) - day(first)
}

fn minute_of(time: &str) -> i64 {
    time.parse::<Timestamp>().unwrap().as_second() / MINUTE
}

fn time(minute: i64) -> Time {
    Time::from_millis(minute * MINUTE * 1_000)
}

/// Weeks around changes of the clocks of the year.
fn stretch() -> impl Strategy<Value = i64> {
    prop_oneof![
        Just("2026-03-02T00:00:00Z"),
        Just("2026-03-23T00:00:00Z"),
        Just("2026-03-30T00:00:00Z"),
        Just("2026-08-31T00:00:00Z"),
        Just("2026-09-21T00:00:00Z"),
        Just("2026-10-19T00:00:00Z"),
        Just("2026-10-26T00:00:00Z"),
        Just("2026-07-01T00:00:00Z"),
    ]
    .prop_map(minute_of)
}

fn schedule() -> impl Strategy<Value = (OnCallSchedule, i64)> {
    // Hours at which clocks change are drawn as often as all others.
    let hour = prop_oneof![0_u32..24, 0_u32..4];
    let minute = prop_oneof![Just(0_u32), Just(30), Just(45), 0_u32..60];
    let over = (0_i64..16 * 24 * 60, 1_i64..4 * 24 * 60, 0_usize..9);
    (stretch(), 0..ZONES.len(), 1_usize..6, 0_i64..40, hour, minute, 1_u8..4, prop::collection::vec(over, 0..6))
        .prop_map(|(from, zone, people, back, hour, minute, weeks, overrides)| {
            let zone = ZONES[zone];
            let first = local(&TimeZone::get(zone).unwrap(), from - back * 24 * 60).date();
            let overrides = overrides.into_iter().map(|(start, lasts, who)| OnCallOverride {
                who: format!("stand-in {who}"),
                from: time(from + start),
                until: time(from + start + lasts),
            });
            let schedule = OnCallSchedule {
                name: "primary".to_owned(),
                zone: zone.to_owned(),
                people: (0..people).map(|person| format!("person {person}")).collect(),
                first_day: first.to_string(),
                hand_over: format!("{hour:02}:{minute:02}"),
                weeks,
                services: Vec::new(),
                overrides: overrides.collect(),
                ical: None,
                calendar: Vec::new(),
            };
            (schedule, from)
        })
}

/// Random schedules of a run; `cargo xtask prove` looks at 1,000.
fn schedules() -> u32 {
    let asked = hindcast_testkit::seeds::asked("HINDCAST_TEST_SCHEDULES").unwrap_or(20);
    u32::try_from(asked).unwrap_or(u32::MAX)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: schedules(), ..ProptestConfig::default() })]

    /// Schedules with overrides agree with a walk through 16 days, at every minute, over changes of the clocks.
    #[test]
    fn schedules_agree_with_a_walk_through_time((schedule, from) in schedule()) {
        schedule.check().unwrap();
        // Far enough back for the hand-over before the stretch.
        let begin = from - 41 * 24 * 60;
        let to = from + 16 * 24 * 60;
        let hand_overs = hand_overs(&schedule, begin, to);
        let rules = OnCallRules { schedules: vec![schedule.clone()] };
        let mut turn: i64 = -1;
        let mut minute = begin;
        while minute < to {
            turn += hand_overs.iter().filter(|at| **at == minute).count() as i64;
            let at = time(minute);
            let stands_in = schedule.overrides.iter().rev().find(|over| over.from <= at && at < over.until);
            let whole = usize::try_from(turn).ok().map(|turn| &schedule.people[turn % schedule.people.len()]);
            let expected = stands_in.map(|over| &over.who).or(whole);
            // Between hand-overs and edges nothing changes, which every seventh minute shows; around them all do.
            let near = |edge: i64| (edge - minute).abs() <= 2;
            let edges = schedule.overrides.iter().flat_map(|over| [over.from, over.until]);
            let near = hand_overs.iter().any(|edge| near(*edge))
                || edges.map(|edge| edge.millis() / 60_000).any(near);
            if minute >= from - 24 * 60 && (near || minute % 7 == 0) {
                let said = rules.of("primary", at);
                prop_assert_eq!(said.as_ref(), expected, "at {} by {:?}", at, schedule);
            }
            minute += 1;
        }
    }

    /// Whoever is said to be on call until a time is so until then, and the next one follows.
    #[test]
    fn the_end_of_a_turn_is_its_end((schedule, from) in schedule(), after in 0_i64..16 * 24 * 60) {
        let at = time(from + after);
        if let Some(now) = schedule.on_call(at) && let Some(until) = now.until {
            prop_assert!(until > at);
            let last = schedule.on_call(until - Span::millis(1)).map(|call| call.who);
            prop_assert_eq!(last, Some(now.who.clone()));
            prop_assert_eq!(schedule.on_call(until).map(|call| call.who), now.next);
        }
    }
}

fn berlin() -> OnCallSchedule {
    serde_json::from_value(serde_json::json!({
        "name": "primary", "zone": "Europe/Berlin", "people": ["ada", "bob"], "first_day": "2026-10-19",
    }))
    .unwrap()
}

#[test]
fn a_hand_over_keeps_its_hour_over_a_change_of_the_clocks() {
    let who = |text: &str| berlin().on_call(text.parse().unwrap()).map(|call| call.who);
    assert_eq!(who("2026-10-19T06:59:59Z"), None, "before the first hand-over");
    assert_eq!(who("2026-10-19T07:00:00Z").as_deref(), Some("ada"));
    // The clocks go back on the 25th: nine o'clock is 08:00 UTC from then on.
    assert_eq!(who("2026-10-26T07:59:59Z").as_deref(), Some("ada"));
    assert_eq!(who("2026-10-26T08:00:00Z").as_deref(), Some("bob"));
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let wrong = |change: fn(&mut OnCallSchedule)| {
        let mut schedule = berlin();
        change(&mut schedule);
        OnCallRules { schedules: vec![schedule] }.check().unwrap_err().to_string()
    };
    assert!(wrong(|it| it.zone = "Mars/Base".to_owned()).contains("primary: expected a time zone"));
    assert!(wrong(|it| it.hand_over = "9".to_owned()).contains("a time of day"));
    assert!(wrong(|it| it.first_day = "monday".to_owned()).contains("a date"));
    assert!(wrong(|it| it.people.clear()).contains("expected people"));
    assert!(wrong(|it| it.weeks = 0).contains("1 to 52 weeks"));
    let twice = OnCallRules { schedules: vec![berlin(), berlin()] };
    assert!(twice.check().unwrap_err().to_string().contains("a name of its own"));
}

/// A calendar with what such calendars use: folded lines, zones, rules, what is left out, what was changed.
const CALENDAR: &str = "BEGIN:VCALENDAR\r
VERSION:2.0\r
BEGIN:VEVENT\r
UID:1\r
SUMMARY:On call\r
ATTENDEE;CN=\"Ada Lovelace\";ROLE=REQ-PARTICIPANT:mailto:ada@example.com\r
DTSTART;TZID=Europe/Berlin:20261005T090000\r
DTEND;TZID=Europe/Berlin:20261012T090000\r
RRULE:FREQ=WEEKLY;INTERVAL=2;\r
 COUNT=5\r
EXDATE;TZID=Europe/Berlin:20261102T090000\r
BEGIN:VALARM\r
TRIGGER:-PT15M\r
SUMMARY:not this one\r
END:VALARM\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:1\r
RECURRENCE-ID;TZID=Europe/Berlin:20261019T090000\r
SUMMARY:dan\r
DTSTART;TZID=Europe/Berlin:20261019T120000\r
DTEND;TZID=Europe/Berlin:20261026T090000\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:2\r
SUMMARY:bob\r
DTSTART;TZID=America/New_York:20261026T220000\r
DURATION:PT8H\r
RRULE:FREQ=WEEKLY;BYDAY=MO,WE,FR;UNTIL=20261108T000000Z\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:3\r
SUMMARY:cem\\, days\r
DTSTART;VALUE=DATE:20261022\r
RRULE:FREQ=DAILY;INTERVAL=3;COUNT=3\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:4\r
SUMMARY:eve\r
DTSTART:20261006T013000Z\r
DTEND:20261006T033000Z\r
RRULE:FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU;COUNT=6\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:5\r
STATUS:CANCELLED\r
SUMMARY:nobody\r
DTSTART:20261006T013000Z\r
DTEND:20261006T033000Z\r
END:VEVENT\r
END:VCALENDAR\r
";

/// What python-dateutil 2.9.0 makes of these rules.
#[test]
fn a_calendar_says_what_another_program_makes_of_it() {
    let expected = [
        ("2026-10-05T07:00:00Z", "2026-10-12T07:00:00Z", "Ada Lovelace"),
        ("2026-10-06T01:30:00Z", "2026-10-06T03:30:00Z", "eve"),
        ("2026-10-18T01:30:00Z", "2026-10-18T03:30:00Z", "eve"),
        ("2026-10-19T10:00:00Z", "2026-10-26T08:00:00Z", "dan"),
        ("2026-10-20T01:30:00Z", "2026-10-20T03:30:00Z", "eve"),
        ("2026-10-21T22:00:00Z", "2026-10-22T22:00:00Z", "cem, days"),
        ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "cem, days"),
        ("2026-10-27T02:00:00Z", "2026-10-27T10:00:00Z", "bob"),
        ("2026-10-27T23:00:00Z", "2026-10-28T23:00:00Z", "cem, days"),
        ("2026-10-29T02:00:00Z", "2026-10-29T10:00:00Z", "bob"),
        ("2026-10-31T02:00:00Z", "2026-10-31T10:00:00Z", "bob"),
        ("2026-11-01T01:30:00Z", "2026-11-01T03:30:00Z", "eve"),
        ("2026-11-03T01:30:00Z", "2026-11-03T03:30:00Z", "eve"),
        ("2026-11-03T03:00:00Z", "2026-11-03T11:00:00Z", "bob"),
        ("2026-11-05T03:00:00Z", "2026-11-05T11:00:00Z", "bob"),
        ("2026-11-07T03:00:00Z", "2026-11-07T11:00:00Z", "bob"),
        ("2026-11-15T01:30:00Z", "2026-11-15T03:30:00Z", "eve"),
        ("2026-11-16T08:00:00Z", "2026-11-23T08:00:00Z", "Ada Lovelace"),
        ("2026-11-30T08:00:00Z", "2026-12-07T08:00:00Z", "Ada Lovelace"),
    ];
    let (from, until) = ("2026-10-01T00:00:00Z".parse().unwrap(), "2027-01-01T00:00:00Z".parse().unwrap());
    let turns = ical::read(CALENDAR, "Europe/Berlin", from, until).unwrap();
    let turns: Vec<_> =
        turns.iter().map(|turn| (turn.from.to_string(), turn.until.to_string(), turn.who.clone())).collect();
    assert_eq!(turns, expected.map(|(from, until, who)| (from.to_owned(), until.to_owned(), who.to_owned())));
}

#[test]
fn a_rule_that_is_not_understood_is_refused_by_name() {
    let (from, until) = ("2026-10-01T00:00:00Z".parse().unwrap(), "2027-01-01T00:00:00Z".parse().unwrap());
    let read = |text: &str| ical::read(text, "UTC", from, until).unwrap_err().to_string();
    assert!(read("Dear diary").contains("BEGIN:VCALENDAR"));
    let monthly = CALENDAR.replace("FREQ=DAILY", "FREQ=MONTHLY");
    assert_eq!(
        read(&monthly),
        "expected a rule of days or weeks with INTERVAL, COUNT, UNTIL, BYDAY and WKST in the event \"cem, days\", got \"FREQ=MONTHLY\""
    );
    let zone = CALENDAR.replace("TZID=America/New_York", "TZID=Eastern Standard Time");
    assert!(read(&zone).contains("the IANA name of a time zone"), "{}", read(&zone));
}
