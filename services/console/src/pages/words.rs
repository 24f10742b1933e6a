//! Small words: times, ages, ids, badges, links. Owns how each is spelt on every page.

use std::fmt::Write as _;

use hindcast_domain::text::thousands;
use hindcast_domain::{Severity, Span, Time, alert, incident, notice, silence};
use maud::{Markup, html};

/// A time of day in UTC, with its date where it is not the day of `now`, and the whole of it as a tooltip.
#[must_use]
pub fn clock(time: Time, now: Time) -> Markup {
    let whole = time.to_string();
    let today = now.to_string();
    let date = whole.get(..10).unwrap_or(&whole);
    let of_day = whole.get(11..19).unwrap_or_default();
    html! {
        time datetime=(whole) title=(whole) {
            @if today.get(..10) != Some(date) { span.date { (date) } " " }
            (of_day)
        }
    }
}

/// How long ago, or how far ahead.
#[must_use]
pub fn age(time: Time, now: Time) -> String {
    if time > now {
        return format!("in {}", span(time.since(now)));
    }
    match now.since(time).as_millis() {
        ..1_000 => "just now".to_owned(),
        _ => format!("{} ago", span(now.since(time))),
    }
}

/// A length of time in its largest unit.
#[must_use]
pub fn span(span: Span) -> String {
    match span.as_millis() / 1_000 {
        0 => format!("{} ms", span.as_millis()),
        seconds @ ..60 => format!("{seconds} s"),
        seconds @ ..3_600 => format!("{} min", seconds / 60),
        seconds @ ..86_400 if seconds % 3_600 >= 60 && seconds < 36_000 => {
            format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60)
        }
        seconds @ ..86_400 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// A time as it is written into a link or a field: whole seconds.
#[must_use]
pub fn stamp(time: Time) -> String {
    Time::from_millis(time.millis().div_euclid(1_000) * 1_000).to_string()
}

/// A number with its noun.
#[must_use]
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// An id whose first digits stand out: they are enough to type.
#[must_use]
pub fn id(id: &str) -> Markup {
    let cut = id.find('-').map_or(6, |dash| dash + 5).min(id.len());
    let (head, rest) = id.split_at_checked(cut).unwrap_or((id, ""));
    html! { span.id title=(id) { (head) span.rest { (rest) } } }
}

/// A severity as a badge.
#[must_use]
pub fn severity(severity: Severity) -> Markup {
    html! { span.sev.(severity.as_str()) { (severity.as_str()) } }
}

/// An incident's status.
#[must_use]
pub fn incident_status(status: incident::Status) -> (&'static str, &'static str) {
    match status {
        incident::Status::Open => ("open", "Open"),
        incident::Status::Acknowledged => ("acknowledged", "Acknowledged"),
        incident::Status::Resolved => ("resolved", "Resolved"),
    }
}

/// An alert's status.
#[must_use]
pub fn alert_status(status: alert::Status) -> (&'static str, &'static str) {
    match status {
        alert::Status::Firing => ("firing", "Firing"),
        alert::Status::Resolved => ("resolved", "Resolved"),
        alert::Status::Stale => ("stale", "No longer sent"),
    }
}

/// A notice's status.
#[must_use]
pub fn notice_status(status: notice::Status) -> (&'static str, &'static str) {
    match status {
        notice::Status::Requested => ("requested", "Pending"),
        notice::Status::Delivered => ("delivered", "Delivered"),
        notice::Status::Expired => ("expired", "Not delivered"),
        notice::Status::Held => ("held", "Delayed"),
        notice::Status::Released => ("released", "No longer needed"),
    }
}

/// A silence's state.
#[must_use]
pub fn silence_state(state: silence::SilenceState) -> (&'static str, &'static str) {
    match state {
        silence::SilenceState::Pending => ("pending", "Begins later"),
        silence::SilenceState::Active => ("active", "Active"),
        silence::SilenceState::Expired => ("ended", "Ended"),
    }
}

/// A status as a badge.
#[must_use]
pub fn status((class, word): (&'static str, &'static str)) -> Markup {
    html! { span.status.(class) { (word) } }
}

/// Why people are told, in plain words.
#[must_use]
pub fn reason(reason: notice::Reason) -> &'static str {
    match reason {
        notice::Reason::Opened => "incident opened",
        notice::Reason::Worse => "it got worse",
        notice::Reason::NewService => "another service is affected",
        notice::Reason::NewTeam => "another team is affected",
        notice::Reason::NewAlert => "another alert fires",
        notice::Reason::Reopened => "it fires again",
        notice::Reason::Breadth => "many services fail",
        notice::Reason::Unacknowledged => "acknowledgement withdrawn",
        notice::Reason::StillThere => "a suppression ended and the incident is not resolved",
        notice::Reason::Reminder => "nobody acknowledged it",
        notice::Reason::SilenceEnds => "a silence is about to end",
        notice::Reason::Retried => "an earlier page was not delivered",
        notice::Reason::Storm => "notification storm",
        notice::Reason::Digest => "notifications delayed during a storm",
        notice::Reason::Acknowledged => "acknowledged",
        notice::Reason::Merged => "became a part of another incident",
        notice::Reason::Resolved => "resolved",
    }
}

/// A path with a query; empty values are left out.
#[must_use]
pub fn href<'a>(path: &str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = path.to_owned();
    let mut sign = '?';
    for (name, value) in pairs {
        if !value.is_empty() {
            text.push(sign);
            text.push_str(&escaped(name));
            text.push('=');
            text.push_str(&escaped(value));
            sign = '&';
        }
    }
    text
}

/// A path of these words, each of them one step whatever it holds.
#[must_use]
pub fn path(steps: &[&str]) -> String {
    steps.iter().fold(String::new(), |path, step| format!("{path}/{}", escaped(step)))
}

/// Percent-encoding of everything but letters, digits and `-_.~:`.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").unwrap_or_default();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_short() {
        let now = Time::from_millis(1_000_000_000);
        let ago = |seconds: i64| age(Time::from_millis(1_000_000_000 - seconds * 1_000), now);
        assert_eq!(ago(0), "just now");
        assert_eq!(ago(42), "42 s ago");
        assert_eq!(ago(600), "10 min ago");
        assert_eq!(ago(5_400), "1 h 30 min ago");
        assert_eq!(ago(200_000), "2 d ago");
        assert_eq!(age(Time::from_millis(1_000_060_000), now), "in 1 min");
    }

    #[test]
    fn links_escape_what_they_carry() {
        assert_eq!(
            href("/a", [("q", "x y&z"), ("none", ""), ("as_of", "2026-11-20T03:12:00Z")]),
            "/a?q=x%20y%26z&as_of=2026-11-20T03:12:00Z"
        );
        assert_eq!(path(&["models", "a/b", "2"]), "/models/a%2Fb/2");
    }
}
