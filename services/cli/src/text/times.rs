//! Times for people: absolute in UTC, and relative to a now that is an argument. Owns both spellings.

use hindcast_domain::{Span, Time};

/// Tells times; relative ones only where it makes sense to speak of now.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    now: Option<Time>,
}

impl Times {
    /// Relative to `now`; without one (as of a position) times are absolute alone.
    #[must_use]
    pub const fn new(now: Option<Time>) -> Self {
        Self { now }
    }

    /// `2026-11-20 02:41:07Z`, and without its date where that is today's.
    #[must_use]
    pub fn short(&self, time: Time) -> String {
        let text = absolute(time);
        match self.now.map(absolute) {
            Some(now) if now.get(..10) == text.get(..10) => text.get(11..).unwrap_or(&text).to_owned(),
            _ => text,
        }
    }

    /// `6 min ago`, `in 2 h`; empty where there is no now.
    #[must_use]
    pub fn relative(&self, time: Time) -> String {
        let Some(now) = self.now else {
            return String::new();
        };
        if now.distance(time) < Span::seconds(1) {
            "now".to_owned()
        } else if time > now {
            format!("in {}", brief(time.since(now)))
        } else {
            format!("{} ago", brief(now.since(time)))
        }
    }

    /// `2026-11-20 02:41:07Z, 6 min ago`.
    #[must_use]
    pub fn both(&self, time: Time) -> String {
        match self.relative(time) {
            relative if relative.is_empty() => absolute(time),
            relative => format!("{}, {relative}", absolute(time)),
        }
    }

    /// How long something lasts or lasted; nothing where it goes on and there is no now.
    #[must_use]
    pub fn lasted(&self, from: Time, to: Option<Time>) -> Option<String> {
        to.or(self.now).map(|to| brief(to.since(from)))
    }
}

/// `2026-11-20 02:41:07Z`: to the second.
#[must_use]
pub fn absolute(time: Time) -> String {
    let whole = Time::from_nanos(time.nanos() - time.nanos().rem_euclid(1_000_000_000));
    whole.to_string().replacen('T', " ", 1)
}

/// A span in its largest unit, and the next one where it is small: `6 min`, `1 h 20 min`, `3 d`.
#[must_use]
pub fn brief(span: Span) -> String {
    let seconds = span.nanos() / 1_000_000_000;
    let two = |big: i64, unit: &str, small: i64, next: &str| match small {
        0 => format!("{big} {unit}"),
        _ => format!("{big} {unit} {small} {next}"),
    };
    match seconds {
        0 => format!("{} ms", span.as_millis()),
        1..60 => format!("{seconds} s"),
        60..600 => two(seconds / 60, "min", seconds % 60, "s"),
        600..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        86_400..604_800 => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_both_ways() {
        let now: Time = "2026-11-20T02:47:07.5Z".parse().unwrap();
        let times = Times::new(Some(now));
        let began: Time = "2026-11-20T02:41:07.25Z".parse().unwrap();
        assert_eq!(times.both(began), "2026-11-20 02:41:07Z, 6 min ago");
        assert_eq!(times.short(began), "02:41:07Z");
        assert_eq!(times.short(began - Span::hours(24)), "2026-11-19 02:41:07Z");
        assert_eq!(times.relative(now + Span::minutes(95)), "in 1 h 35 min");
        assert_eq!(times.lasted(began, None).as_deref(), Some("6 min"));
        assert_eq!(Times::new(None).both(began), "2026-11-20 02:41:07Z");
        assert_eq!(Times::new(None).lasted(began, None), None);
    }
}
