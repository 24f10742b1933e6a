//! The words of a card that stand in many places: counts, times, names.

use hindcast_domain::Time;

use super::SERVICES_MAX;
use super::parts::CardLine;

/// The first characters of an id: enough to type.
#[must_use]
pub fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// That there is more than a card shows, and where.
pub(super) fn left_out(all: usize, shown: usize, what: &str) -> Option<CardLine> {
    (all > shown).then(|| CardLine::Text(format!("and {} more {what}, on the web page", all - shown)))
}

pub(super) fn named(services: &[String]) -> String {
    let mut text = services.iter().take(SERVICES_MAX).cloned().collect::<Vec<_>>().join(", ");
    if services.len() > SERVICES_MAX {
        text.push_str(&format!(" and {} more", services.len() - SERVICES_MAX));
    }
    text
}

pub(super) fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

/// A day and a time of it, in UTC.
pub(super) fn clock(at: Time) -> String {
    let text = at.to_string();
    format!("{} {} UTC", text.split('T').next().unwrap_or_default(), time_of_day(at))
}

/// A time of day in UTC: the day stands above.
pub(super) fn time_of_day(at: Time) -> String {
    let text = at.to_string();
    text.split('T').nth(1).unwrap_or(&text).chars().take(8).collect()
}

/// How long it is from `start` to `end`.
pub(super) fn span(end: Time, start: Time) -> String {
    let seconds = end.since(start).as_secs_f64().max(0.0).round();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // bounded from below in the line before
    let seconds = seconds as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}
