//! Whether a written value is a recorded one, in its role: rounded as a person rounds, and of the same kind. Owns what
//! "the same" means for each role.

use hindcast_api::AssertionRole as Role;
use hindcast_domain::Time;

use crate::court::{Checks, Court};
use crate::figures::{FigureUnit, WrittenFigure};
use crate::happening::SlotValue;
use crate::metric::is_metric;
use crate::read::{self, TextAssertion};
use crate::times::{WrittenSpan, WrittenTime};
use crate::words::{fold, quotes};

/// Letters of an id that name it.
const ID_CHARS_MIN: usize = 8;
/// What people call a log line of any level that is an error's.
const ERRORS: [&str; 6] = ["error", "err", "fatal", "critical", "crit", "panic"];

/// The check that compares a role.
pub(crate) const fn is_checked(role: Role, checks: &Checks) -> bool {
    match role {
        Role::Service | Role::On => checks.services,
        Role::Person | Role::To | Role::Receiver => checks.people,
        Role::Severity => checks.severities,
        Role::Time | Role::Until | Role::Ago | Role::Length => checks.times,
        Role::Before | Role::After | Role::Count | Role::Occurrence | Role::Score | Role::Rank => checks.numbers,
        Role::Quote => checks.quotes,
        Role::Direction => checks.denials,
        Role::Alert
        | Role::Incident
        | Role::Other
        | Role::Event
        | Role::Version
        | Role::Metric
        | Role::Change
        | Role::Level
        | Role::Noun => checks.ids,
    }
}

/// What a role is called in a reason.
pub(crate) const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Service | Role::On => "the service",
        Role::Alert => "the alert",
        Role::Incident | Role::Other => "the incident",
        Role::Event => "the event",
        Role::Severity => "the severity",
        Role::Time | Role::Until => "the time",
        Role::Ago | Role::Length => "the length of time",
        Role::Person | Role::To | Role::Receiver => "the person",
        Role::Change => "the sort of change",
        Role::Version => "the version",
        Role::Metric => "the metric",
        Role::Before => "the level before",
        Role::After => "the level after",
        Role::Direction => "the direction",
        Role::Count | Role::Occurrence | Role::Noun => "the number",
        Role::Score => "the score",
        Role::Level => "the level",
        Role::Quote => "the quotation",
        Role::Rank => "the rank",
    }
}

/// Whether what is written is what an event says.
pub(crate) fn is(role: Role, written: &str, slot: &SlotValue, court: &Court) -> bool {
    match (role, slot) {
        (Role::Time | Role::Until, SlotValue::Moment(time)) => moment(written).is_some_and(|moment| moment.is(*time)),
        (_, SlotValue::Number(number)) => is_number(written, *number),
        (Role::Quote, SlotValue::Text(text)) => quotes(text, &fold(written)),
        (Role::Service | Role::On, SlotValue::Word(word)) => fold(court.names().resolve(written)) == *word,
        (Role::Incident | Role::Other | Role::Event, SlotValue::Word(word)) => {
            let id = fold(written);
            *word == id || (id.len() >= ID_CHARS_MIN && !id.starts_with('#') && word.starts_with(&id))
        }
        (Role::Version, SlotValue::Word(word)) => bare(&fold(written)) == bare(word),
        (Role::Severity, SlotValue::Word(word)) => {
            let one = |word: &str| if word == "warn" { "warning".to_owned() } else { word.to_owned() };
            one(&fold(written)) == one(word)
        }
        (Role::Metric, SlotValue::Word(word)) => is_metric(&fold(written), word),
        (Role::Level, SlotValue::Word(word)) => {
            let level = fold(written);
            level == *word || (level == "error" && ERRORS.contains(&word.as_str()))
        }
        (_, SlotValue::Word(word)) => fold(written) == *word,
        _ => false,
    }
}

/// A version without its `v`.
fn bare(version: &str) -> &str {
    let tail = version.strip_prefix("version ").unwrap_or(version);
    tail.strip_prefix('v').map_or(tail, |tail| tail.trim_start_matches(['.', ' ']))
}

/// A time as it is written, if it is one.
pub(crate) fn moment(written: &str) -> Option<WrittenTime> {
    read::read_foreign(written).into_iter().find_map(|said| match said {
        TextAssertion::Moment(moment) => Some(moment),
        _ => None,
    })
}

/// A length of time as it is written, if it is one.
pub(crate) fn span(written: &str) -> Option<WrittenSpan> {
    read::read_foreign(written).into_iter().find_map(|said| match said {
        TextAssertion::Stretch(span) => Some(span),
        _ => None,
    })
}

/// Whether an instant lies as far back as is written.
pub(crate) fn is_ago(written: &str, time: Time, court: &Court) -> bool {
    time <= court.now() && span(written).is_some_and(|span| span.is(court.now().since(time).as_secs_f64()))
}

/// Whether a written measure is a recorded one.
fn is_number(written: &str, number: f64) -> bool {
    let lower = written.to_lowercase();
    let digits = lower.trim().trim_start_matches(['×', 'x']).trim();
    let word = crate::words::NUMBERS.iter().find(|(word, _)| *word == digits);
    if let Some((_, value)) = word {
        return (value - number).abs() < 1e-9;
    }
    let plain = digits.trim_end_matches("st").trim_end_matches("nd").trim_end_matches("rd").trim_end_matches("th");
    read::read_foreign(plain).into_iter().any(|said| match said {
        TextAssertion::Stretch(span) => span.is(number) || span.is(number / 1_000.0),
        TextAssertion::Figure(figure) => is_figure(&figure, number),
        _ => false,
    })
}

fn is_figure(figure: &WrittenFigure, number: f64) -> bool {
    match figure.unit {
        FigureUnit::None => figure.is(number),
        FigureUnit::Percent => {
            figure.is(number) && number.abs() > 1.0 || number.abs() <= 1.0 && figure.is(number * 100.0)
        }
        FigureUnit::Times(factor) => figure.is(number / factor),
        FigureUnit::Bytes(small, large) => figure.is(number / small) || figure.is(number / large),
    }
}
