//! Times as people type them: RFC 3339, `2026-11-20 03:12`, `03:12:30`, `2h` (ago or from now), and positions
//! where knowledge is meant. Owns the spelling; "now" is an argument. Everything is UTC.

use hindcast_domain::{Span, Time};

use super::span::span;

/// A time that may depend on now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// An instant.
    At(Time),
    /// So long before now, or after it, as the option means.
    Distance(Span),
    /// This much after midnight: the last one, or the next, as the option means.
    Clock(Span),
}

/// What was known by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOfArg {
    /// A position in the ledger.
    Position(u64),
    /// By a time.
    When(When),
}

const DAY: Span = Span::hours(24);

impl When {
    /// The instant that is meant by an option which looks back.
    #[must_use]
    pub fn past(self, now: Time) -> Time {
        match self {
            Self::At(time) => time,
            Self::Distance(span) => now - span,
            Self::Clock(span) => {
                let today = midnight(now) + span;
                if today > now { today - DAY } else { today }
            }
        }
    }

    /// The instant that is meant by an option which looks ahead.
    #[must_use]
    pub fn future(self, now: Time) -> Time {
        match self {
            Self::At(time) => time,
            Self::Distance(span) => now + span,
            Self::Clock(span) => {
                let today = midnight(now) + span;
                if today < now { today + DAY } else { today }
            }
        }
    }
}

impl AsOfArg {
    /// As it is sent.
    #[must_use]
    pub fn query(self, now: Time) -> String {
        match self {
            Self::Position(position) => position.to_string(),
            Self::When(when) => when.past(now).to_string(),
        }
    }
}

fn midnight(now: Time) -> Time {
    Time::from_nanos(now.nanos() - now.nanos().rem_euclid(DAY.nanos()))
}

/// Reads a time.
///
/// # Errors
/// When it is none.
pub fn when(text: &str) -> Result<When, String> {
    let text = text.trim();
    if text == "now" {
        return Ok(When::Distance(Span::ZERO));
    }
    if let Some(span) = clock(text) {
        return Ok(When::Clock(span));
    }
    let relative = text.strip_suffix("ago").unwrap_or(text).trim().trim_start_matches('-');
    if let Ok(span) = span(relative) {
        return Ok(When::Distance(span));
    }
    instant(text).map(When::At).ok_or_else(|| {
        format!("expected a time such as 2026-11-20T03:12:00Z, \"2026-11-20 03:12\", 03:12 or 2h, got {text:?}")
    })
}

/// Reads a position or a time.
///
/// # Errors
/// When it is neither.
pub fn as_of(text: &str) -> Result<AsOfArg, String> {
    let digits = text.trim().trim_start_matches('#');
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        let bad = |_| format!("expected a position below 2^53, got {text:?}");
        return digits.parse().map(AsOfArg::Position).map_err(bad);
    }
    when(text).map(AsOfArg::When).map_err(|error| format!("{error}; or a position such as 8192"))
}

/// `03:12` or `03:12:30`, with or without `Z`.
fn clock(text: &str) -> Option<Span> {
    let mut parts = text.strip_suffix('Z').unwrap_or(text).split(':');
    let mut part = |below: i64| -> Option<i64> {
        let part = parts.next()?;
        let number = part.parse().ok().filter(|number| part.len() <= 2 && (0..below).contains(number))?;
        part.bytes().all(|b| b.is_ascii_digit()).then_some(number)
    };
    let minutes = part(24)? * 60 + part(60)?;
    let seconds = part(60);
    let whole = if seconds.is_some() { 3 } else { 2 };
    (text.split(':').count() == whole).then(|| Span::seconds(minutes * 60 + seconds.unwrap_or(0)))
}

/// RFC 3339 with what people leave out: the `T`, the seconds, the zone (UTC), the time of the day.
fn instant(text: &str) -> Option<Time> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, "00:00"));
    let time = time.trim();
    let zone = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(zone);
    let seconds = if clock.matches(':').count() == 1 { ":00" } else { "" };
    let zone = if zone.is_empty() { "Z" } else { zone };
    format!("{date}T{clock}{seconds}{zone}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Time {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_read_as_people_type_them() {
        let now = time("2026-11-24T10:00:00Z");
        for (text, past, future) in [
            ("2026-11-20T03:12:00Z", "2026-11-20T03:12:00Z", "2026-11-20T03:12:00Z"),
            ("2026-11-20 03:12", "2026-11-20T03:12:00Z", "2026-11-20T03:12:00Z"),
            ("2026-11-20T03:12+01:00", "2026-11-20T02:12:00Z", "2026-11-20T02:12:00Z"),
            ("2026-11-20", "2026-11-20T00:00:00Z", "2026-11-20T00:00:00Z"),
            ("03:12:30", "2026-11-24T03:12:30Z", "2026-11-25T03:12:30Z"),
            ("23:59", "2026-11-23T23:59:00Z", "2026-11-24T23:59:00Z"),
            ("2h", "2026-11-24T08:00:00Z", "2026-11-24T12:00:00Z"),
            ("30m ago", "2026-11-24T09:30:00Z", "2026-11-24T10:30:00Z"),
            ("now", "2026-11-24T10:00:00Z", "2026-11-24T10:00:00Z"),
        ] {
            let when = when(text).unwrap();
            assert_eq!((when.past(now), when.future(now)), (time(past), time(future)), "{text}");
        }
    }

    #[test]
    fn as_of_may_be_a_position() {
        assert_eq!(as_of("8192"), Ok(AsOfArg::Position(8_192)));
        assert_eq!(as_of("#8192"), Ok(AsOfArg::Position(8_192)));
        assert_eq!(as_of("2h"), Ok(AsOfArg::When(When::Distance(Span::hours(2)))));
        assert!(as_of("yesterday").unwrap_err().contains("position"));
        assert!(when("8192").is_err(), "a number alone is no time");
        for text in ["25:00", "3:61", "1:2:3:4", "", "2026-13-01", "12:00:00:"] {
            assert!(when(text).is_err(), "{text}");
        }
    }
}
