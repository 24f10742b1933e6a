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
    fn durations_have_a_unit() {
        assert_eq!(duration("12h"), Some(Span::hours(12)));
        assert_eq!(duration("1d"), Some(Span::hours(24)));
        assert_eq!(duration("500ms"), Some(Span::millis(500)));
        for bad in ["", "12", "h", "-5m", "1w", "0s"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }
}
