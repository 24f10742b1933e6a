//! Ways to make a true claim false.

mod order;
mod sources;
mod words;

use hindcast_api::{Claim, Event};
use hindcast_verifier::Checks;

use super::world::MONTHS;
use super::{Lie, Rng, World};
use order::{
    denied, each_others, each_others_count, levels_turned, path_order, path_service, path_time, something_else,
    wrong_cause, wrong_order, wrong_way,
};
use sources::{cites_another, cites_environment, cites_future, cites_nothing, cites_position, cites_tenant};
use words::{
    wrong_alert, wrong_clock, wrong_day, wrong_id, wrong_length, wrong_metric, wrong_number, wrong_person, wrong_quote,
    wrong_service, wrong_severity, wrong_version,
};

/// Every way that is known.
pub const LIES: &[Lie] = &[
    lie("wrong number", wrong_number, |checks| {
        checks.numbers = false;
        checks.denials = false;
    }),
    lie("wrong time of day", wrong_clock, |checks| checks.times = false),
    lie("wrong length of time", wrong_length, |checks| checks.times = false),
    lie("wrong service", wrong_service, |checks| {
        checks.services = false;
        checks.order = false;
        checks.bears = false;
    }),
    lie("wrong quotation", wrong_quote, |checks| checks.quotes = false),
    lie("wrong severity", wrong_severity, |checks| checks.severities = false),
    lie("wrong version", wrong_version, |checks| checks.ids = false),
    lie("wrong id", wrong_id, |checks| checks.ids = false),
    lie("wrong alert", wrong_alert, |checks| checks.ids = false),
    lie("wrong metric", wrong_metric, |checks| checks.ids = false),
    lie("wrong person", wrong_person, |checks| checks.people = false),
    lie("wrong day", wrong_day, |checks| checks.times = false),
    lie("levels the other way round", levels_turned, |checks| checks.numbers = false),
    lie("each other's time", each_others, |checks| {
        checks.times = false;
        checks.order = false;
    }),
    lie("each other's count", each_others_count, |checks| checks.numbers = false),
    lie("wrong order", wrong_order, |checks| checks.order = false),
    lie("wrong cause", wrong_cause, |checks| checks.order = false),
    lie("denied", denied, |checks| checks.denials = false),
    lie("something else happened", something_else, |checks| checks.denials = false),
    lie("wrong way", wrong_way, |checks| checks.denials = false),
    lie("path in another order", path_order, |checks| checks.path = false),
    lie("path at another time", path_time, |checks| checks.path = false),
    lie("path through another service", path_service, |checks| checks.path = false),
    lie("cites nothing", cites_nothing, |checks| checks.exists = false),
    lie("cites another position", cites_position, |checks| checks.exists = false),
    lie("cites the future", cites_future, |checks| {
        checks.as_of = false;
        checks.bears = false;
    }),
    lie("cites another tenant", cites_tenant, |checks| {
        checks.visible = false;
        checks.bears = false;
    }),
    lie("cites another environment", cites_environment, |checks| {
        checks.visible = false;
        checks.bears = false;
    }),
    lie("cites another event", cites_another, all_off),
];

const fn lie(name: &'static str, tell: fn(&World, &Claim, &mut Rng) -> Option<Claim>, off: fn(&mut Checks)) -> Lie {
    Lie { name, tell, off }
}

/// A citation of another event can be false in any way.
const fn all_off(checks: &mut Checks) {
    checks.numbers = false;
    checks.times = false;
    checks.services = false;
    checks.ids = false;
    checks.quotes = false;
    checks.severities = false;
    checks.denials = false;
    checks.order = false;
    checks.bears = false;
}

fn cited<'a>(world: &'a World, claim: &Claim) -> Vec<&'a Event> {
    world.events.iter().filter(|event| claim.citations.iter().any(|citation| citation.event == event.id)).collect()
}

fn with(claim: &Claim, text: String) -> Option<Claim> {
    (text != claim.text).then(|| Claim { text, ..claim.clone() })
}

/// Words of a text, with the places of those that a test accepts.
fn words(text: &str, accept: impl Fn(&str) -> bool) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    for word in text.split(' ') {
        if accept(word) {
            found.push((at, word));
        }
        at += word.len() + 1;
    }
    found
}

fn replaced(text: &str, at: usize, old: &str, new: &str) -> String {
    format!("{}{new}{}", &text[..at], &text[at + old.len()..])
}

fn is_month(text: &str) -> bool {
    MONTHS.iter().any(|month| text.starts_with(month) || text.ends_with(month))
}
