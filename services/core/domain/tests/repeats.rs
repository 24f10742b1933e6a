//! Windows that repeat, over random zones, days and hours: they keep their hour whatever the clocks do.

use std::collections::BTreeSet;

use hindcast_domain::silence::{Day, RepeatingWindow};
use hindcast_domain::{Span, Time};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use proptest::prelude::*;

const ZONES: [&str; 8] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "America/St_Johns",
    "Africa/Casablanca",
    "Pacific/Apia",
    "UTC",
];

fn local(time: Time, zone: &str) -> DateTime {
    let stamp = Timestamp::from_nanosecond(i128::from(time.nanos())).unwrap();
    TimeZone::get(zone).unwrap().to_datetime(stamp)
}

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

/// The windows one after the other, as the control lane makes them.
fn windows(repeat: &RepeatingWindow, from: Time, count: usize) -> Vec<(Time, Time)> {
    let mut windows: Vec<(Time, Time)> = repeat.next(None, from).unwrap().into_iter().collect();
    while let Some((start, end)) = windows.last().copied().filter(|_| windows.len() < count) {
        let Some(next) = repeat.next(Some(start), end).unwrap() else { break };
        windows.push(next);
    }
    windows
}

#[test]
fn a_window_keeps_its_hour_when_the_clocks_change() {
    let repeat: RepeatingWindow = "sun 01:30-05:00 Europe/Berlin".parse().unwrap();
    let windows = windows(&repeat, time("2026-03-20T00:00:00Z"), 3);
    let expected = [
        ("2026-03-22T00:30:00Z", "2026-03-22T04:00:00Z"),
        // An hour of the night is missing.
        ("2026-03-29T00:30:00Z", "2026-03-29T03:00:00Z"),
        ("2026-04-04T23:30:00Z", "2026-04-05T03:00:00Z"),
    ];
    assert_eq!(windows, expected.map(|(start, end)| (time(start), time(end))));
}

#[test]
fn a_window_within_the_hour_that_is_skipped_is_an_hour_later_and_one_that_comes_twice_counts_once() {
    let repeat: RepeatingWindow = "sun 02:10-02:50 Europe/Berlin".parse().unwrap();
    assert_eq!(
        repeat.next(None, time("2026-03-28T00:00:00Z")).unwrap(),
        Some((time("2026-03-29T01:10:00Z"), time("2026-03-29T01:50:00Z")))
    );
    assert_eq!(
        repeat.next(None, time("2026-10-24T00:00:00Z")).unwrap(),
        Some((time("2026-10-25T00:10:00Z"), time("2026-10-25T00:50:00Z")))
    );
}

#[test]
fn the_second_tuesday_and_the_last_friday_of_a_month_are_found() {
    let repeat: RepeatingWindow = "2nd tue 22:00-02:00 America/New_York".parse().unwrap();
    let starts: Vec<String> =
        windows(&repeat, time("2026-01-01T00:00:00Z"), 3).iter().map(|(start, _)| start.to_string()).collect();
    assert_eq!(starts, ["2026-01-14T03:00:00Z", "2026-02-11T03:00:00Z", "2026-03-11T02:00:00Z"]);
    let last: RepeatingWindow = "last fri 00:00-06:00 UTC until 2026-03-01T00:00:00Z".parse().unwrap();
    let starts: Vec<String> =
        windows(&last, time("2026-01-01T00:00:00Z"), 9).iter().map(|(start, _)| start.to_string()).collect();
    assert_eq!(starts, ["2026-01-30T00:00:00Z", "2026-02-27T00:00:00Z"]);
}

#[test]
fn what_is_not_a_window_is_refused_with_the_reason() {
    for (text, reason) in [
        ("sun 02:30-05:00 Europe/Atlantis", "time zone"),
        ("sun 2:30-05:00 UTC", "time of day"),
        ("sun 24:30-05:00 UTC", "time of day"),
        ("sun 02:30-05:00", "such as"),
        ("sunday 02:30-05:00 UTC", "such as"),
        ("2nd daily 02:30-05:00 UTC", "day of the week"),
        ("daily 02:30-05:00 UTC until tomorrow", "such as"),
    ] {
        let error = text.parse::<RepeatingWindow>().unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
}

fn repeat() -> impl Strategy<Value = RepeatingWindow> {
    let on = prop::collection::btree_set(prop::sample::select(&Day::ALL[..]), 0..4);
    let weeks = prop::collection::btree_set(prop::sample::select(&[1_i8, 2, 3, 4, 5, -1][..]), 0..3);
    let minute = (0..24_u8, 0..60_u8).prop_map(|(hour, minute)| format!("{hour:02}:{minute:02}"));
    (prop::sample::select(&ZONES[..]), minute.clone(), minute, on, weeks).prop_map(|(zone, from, to, on, weeks)| {
        RepeatingWindow {
            zone: zone.to_owned(),
            from,
            to,
            weeks: if on.is_empty() {
                Vec::new()
            } else {
                [1, 2, 3, 4, 5, -1].into_iter().filter(|week| weeks.contains(week)).collect()
            },
            on: on.into_iter().collect(),
            until: None,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn windows_come_in_order_at_their_hour_and_on_their_days(repeat in repeat(), days in 0..3_000_i64) {
        let from = time("2024-01-01T00:00:00Z") + Span::hours(24 * days);
        let windows = windows(&repeat, from, 12);
        prop_assert!(!windows.is_empty());
        let names: BTreeSet<&str> = repeat.on.iter().map(|day| day.as_str()).collect();
        for (start, end) in &windows {
            prop_assert!(start < end && *end > from);
            let begins = local(*start, &repeat.zone);
            let shown = format!("{:02}:{:02}", begins.hour(), begins.minute());
            // A time of day that the clocks skip counts as so much later.
            let zone = TimeZone::get(&repeat.zone).unwrap();
            let wanted = begins.date().to_datetime(repeat.from.parse().unwrap());
            let is_skipped = zone.to_ambiguous_timestamp(wanted).is_ambiguous();
            prop_assert!(shown == repeat.from || is_skipped, "{repeat}: {begins}");
            let day = begins.strftime("%a").to_string().to_lowercase();
            prop_assert!(names.is_empty() || names.contains(day.as_str()) || is_skipped, "{repeat}: {begins}");
        }
        prop_assert!(windows.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_window_reads_as_it_is_written(repeat in repeat()) {
        prop_assert_eq!(repeat.to_string().parse::<RepeatingWindow>().unwrap(), repeat);
    }
}
