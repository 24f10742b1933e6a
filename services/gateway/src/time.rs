//! Times as senders write them. Owns what counts as "not set" (year 1, zero) and which spellings are read;
//! refuses to know what time it is.

use hindcast_domain::{Span, Time};
use serde_json::Value;

/// A text or number that is no time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an RFC 3339 time such as 2026-11-20T03:12:00Z, got {0}")]
pub struct UnreadableTime(pub String);

/// Reads an RFC 3339 time. Year 1 and everything before 1970 mean "not set"; what lies beyond the years
/// that we can tell is the last instant that we can.
///
/// # Errors
/// When it is no time at all.
pub fn rfc3339(text: &str) -> Result<Option<Time>, UnreadableTime> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let stamp: jiff::Timestamp = match text.parse() {
        Ok(stamp) => stamp,
        // "For ever", as many write it, lies just beyond what can be parsed.
        Err(_) if text.starts_with("9999-12-3") => return Ok(Some(Time::MAX)),
        Err(_) => return Err(UnreadableTime(format!("{text:.64?}"))),
    };
    let nanos = i64::try_from(stamp.as_nanosecond().max(0)).unwrap_or(i64::MAX);
    Ok((nanos > 0).then_some(Time::from_nanos(nanos)))
}

/// Reads a field that holds an RFC 3339 time, is `null`, or is missing.
///
/// # Errors
/// When it holds something else.
pub fn field(value: Option<&Value>) -> Result<Option<Time>, UnreadableTime> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => rfc3339(text),
        Some(_) => Err(UnreadableTime("another kind of value".to_owned())),
    }
}

/// Reads whatever a sender of no known format writes: RFC 3339, or seconds, milliseconds, microseconds or
/// nanoseconds since 1970, told apart by their size.
///
/// # Errors
/// When it is none of these.
pub fn lenient(value: Option<&Value>) -> Result<Option<Time>, UnreadableTime> {
    match value {
        Some(Value::Number(number)) => {
            number.as_f64().map(epoch).ok_or_else(|| UnreadableTime("another kind of number".to_owned()))
        }
        Some(Value::String(text)) => match text.trim().parse::<f64>() {
            Ok(number) => Ok(epoch(number)),
            Err(_) => rfc3339(text),
        },
        other => field(other),
    }
}

/// Spellings with an offset or a zone's letters, as web servers, mails and programs in Go write them.
const ZONED: [&str; 4] =
    ["%d/%b/%Y:%H:%M:%S %z", "%a, %d %b %Y %H:%M:%S %z", "%Y-%m-%d %H:%M:%S%.f %z", "%Y/%m/%d %H:%M:%S%.f %z"];
/// Spellings without one, which are read as UTC.
const ZONELESS: [&str; 6] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M:%S%.f",
    "%d/%b/%Y:%H:%M:%S",
    "%a %b %d %H:%M:%S %Y",
    "%d %b %Y %H:%M:%S%.f",
];
/// Spellings without a year, as syslog (RFC 3164) and klog write them; the year is the one that is nearest to now.
const YEARLESS: [&str; 2] = ["%Y %b %d %H:%M:%S%.f", "%Y %m%d %H:%M:%S%.f"];
/// How far a time without a year may lie ahead of our clock.
const AHEAD: Span = Span::hours(24);

/// Reads whatever [`lenient`] reads, and the spellings of logs: of web servers, mails, syslog, klog, Go and Java. A time
/// without an offset is UTC, one without a year is the last such time. `None` is "not set" or not readable, and the flag
/// says that it was not readable.
#[must_use]
pub fn any(value: Option<&Value>, now: Time) -> (Option<Time>, bool) {
    // All digits of a whole number are kept.
    let whole = match value {
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    if let Some(whole) = whole {
        return ((whole > 0).then(|| Time::from_nanos(nanos(whole))), false);
    }
    match (lenient(value), value) {
        (Ok(time), _) => (time, false),
        (Err(_), Some(Value::String(text))) => {
            let read = written(text, now);
            (read, read.is_none())
        }
        (Err(_), _) => (None, true),
    }
}

/// Nanoseconds of a number whose unit shows in its size.
const fn nanos(number: i64) -> i64 {
    match number {
        n if n < 100_000_000_000 => n.saturating_mul(1_000_000_000),
        n if n < 100_000_000_000_000 => n.saturating_mul(1_000_000),
        n if n < 100_000_000_000_000_000 => n.saturating_mul(1_000),
        n => n,
    }
}

/// A time as logs spell it.
fn written(text: &str, now: Time) -> Option<Time> {
    use jiff::fmt::strtime::BrokenDownTime;
    let text = text.trim().trim_start_matches('[').trim_end_matches(']').replace(',', ".").replace(". ", ", ");
    let at = |stamp: jiff::Timestamp| i64::try_from(stamp.as_nanosecond()).ok().map(Time::from_nanos);
    // Go writes the zone's letters behind its offset, and mails write letters in place of one.
    let mut zoned = text.clone();
    if let Some((before, letters)) = text.rsplit_once(' ')
        && letters.len() <= 5
        && letters.bytes().all(|b| b.is_ascii_uppercase())
    {
        let has_offset = before.rsplit(' ').next().is_some_and(|last| last.starts_with(['+', '-']));
        match letters {
            _ if has_offset => zoned = before.to_owned(),
            "GMT" | "UTC" | "Z" => zoned = format!("{before} +0000"),
            _ => {}
        }
    }
    let parse = |format: &str, text: &str| BrokenDownTime::parse(format, text).ok();
    if let Some(stamp) = ZONED.iter().find_map(|format| parse(format, &zoned)?.to_timestamp().ok()) {
        return at(stamp);
    }
    let utc = |format: &str, text: &str| {
        let read = parse(format, text)?.to_datetime().ok()?;
        jiff::tz::Offset::UTC.to_timestamp(read).ok()
    };
    if let Some(stamp) = ZONELESS.iter().find_map(|format| utc(format, &text)) {
        return at(stamp);
    }
    let today = jiff::Timestamp::from_nanosecond(i128::from(now.nanos())).ok()?;
    let today = jiff::tz::Offset::UTC.to_datetime(today);
    let of = |year: i16| YEARLESS.iter().find_map(|format| utc(format, &format!("{year} {text}"))).and_then(at);
    [today.year() + 1, today.year(), today.year() - 1].into_iter().filter_map(of).find(|time| *time <= now + AHEAD)
}

#[allow(clippy::cast_possible_truncation)] // saturates, and nanoseconds of a float are no promise
fn epoch(number: f64) -> Option<Time> {
    let nanos = match number {
        n if n < 1e11 => n * 1e9,
        n if n < 1e14 => n * 1e6,
        n if n < 1e17 => n * 1e3,
        n => n,
    };
    (nanos >= 1.0).then(|| Time::from_nanos(nanos as i64))
}

/// Reads a duration of a configuration file: `90s`, `5m`, `12h`, `1d`, `500ms`.
#[must_use]
pub fn duration(text: &str) -> Option<Span> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let count: i64 = digits.trim().parse().ok().filter(|count| *count > 0)?;
    match text.get(digits.len()..)? {
        "ms" => Some(Span::millis(count)),
        "s" => Some(Span::seconds(count)),
        "m" => Some(Span::minutes(count)),
        "h" => Some(Span::hours(count)),
        "d" => Some(Span::hours(count.saturating_mul(24))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_set_is_absent_and_what_is_no_time_is_named() {
        assert_eq!(rfc3339("0001-01-01T00:00:00Z"), Ok(None));
        assert_eq!(rfc3339("0001-01-01T00:00:00.000Z"), Ok(None));
        assert_eq!(rfc3339("1970-01-01T00:00:00Z"), Ok(None));
        assert_eq!(rfc3339("9999-12-31T00:00:00Z"), Ok(Some(Time::MAX)));
        assert_eq!(rfc3339("2026-11-24T14:00:00.82+01:00").unwrap(), "2026-11-24T13:00:00.82Z".parse().ok());
        assert!(rfc3339("yesterday").unwrap_err().to_string().contains("yesterday"));
        assert!(field(Some(&json!(5))).is_err());
    }

    #[test]
    fn a_number_is_read_by_its_size() {
        let expected = "2026-11-20T03:12:00Z".parse().ok();
        for number in ["1795144320", "1795144320000", "1795144320000000", "1795144320000000000"] {
            assert_eq!(lenient(Some(&json!(number))).unwrap(), expected, "{number}");
            assert_eq!(lenient(Some(&json!(number.parse::<i64>().unwrap()))).unwrap(), expected, "{number}");
        }
        assert_eq!(lenient(Some(&json!(0))), Ok(None));
    }

    #[test]
    fn times_are_read_as_logs_spell_them() {
        let now: Time = "2026-11-30T05:00:00Z".parse().unwrap();
        let expected: Option<Time> = "2026-11-30T04:00:00Z".parse().ok();
        for text in [
            "[30/Nov/2026:04:00:00 +0000]",
            "30/Nov/2026:05:00:00 +0100",
            "Nov 30 04:00:00",
            "Mon, 30 Nov 2026 04:00:00 GMT",
            "Mon, 30 Nov 2026 05:00:00 +0100",
            "2026-11-30 04:00:00.000000 +0000 UTC",
            "2026-11-30 05:00:00 +0100 CET",
            "2026/11/30 04:00:00",
            "1130 04:00:00.000000",
            "2026-11-30 04:00:00,000",
            "2026-11-30T04:00:00",
            "2026-11-30T04:00:00.000",
            "Mon Nov 30 04:00:00 2026",
            "1796011200",
        ] {
            assert_eq!(any(Some(&json!(text)), now), (expected, false), "{text}");
        }
        let old = any(Some(&json!("Dec 24 04:00:00")), now).0;
        assert_eq!(old, "2025-12-24T04:00:00Z".parse().ok(), "a time without a year lies in the past");
        let nanos = 1_795_527_000_000_000_123_i64;
        assert_eq!(any(Some(&json!(nanos)), now).0, Some(Time::from_nanos(nanos)));
        for unreadable in
            [json!("never"), json!("soon"), json!(true), json!([1]), json!("30/Nov"), json!("Nov 31 04:00:00")]
        {
            assert_eq!(any(Some(&unreadable), now), (None, true), "{unreadable}");
        }
        for unset in [None, Some(json!(null)), Some(json!("")), Some(json!(0)), Some(json!("0001-01-01T00:00:00Z"))] {
            assert_eq!(any(unset.as_ref(), now), (None, false), "{unset:?}");
        }
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("12h"), Some(Span::hours(12)));
        assert_eq!(duration("1d"), Some(Span::hours(24)));
        assert_eq!(duration("500ms"), Some(Span::millis(500)));
        for bad in ["", "12", "h", "-5m", "1w", "0s"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }
}
