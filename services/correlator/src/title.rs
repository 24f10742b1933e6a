//! What an incident is called once one rule alarms in many places: the rule, in how many, and of how many services. Owns
//! these words and when they are made anew; refuses to know why alerts belong together.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::{self, Display, Write};
use std::hash::{DefaultHasher, Hasher};

use hindcast_correlation::traits::Newcomer;
use hindcast_domain::entity::EntityKind;
use hindcast_domain::incident::{self, Incident};
use hindcast_domain::{Fingerprint, Severity};

use crate::state::CorrelatorState;

/// Places in which one rule alarms, from which on their number says more than the words of one alert.
const MANY: usize = 3;
/// Alerts up to which the title is made anew with each. Beyond, it is made anew with every 16th to 32nd part of them, so
/// that its cost per alert does not grow with the incident.
const EXACT: usize = 32;

/// Writes into a hash.
struct HashedText(DefaultHasher);

impl Write for HashedText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

/// The hash of what is shown of something.
fn hashed(shown: impl Display) -> u64 {
    let mut text = HashedText(DefaultHasher::new());
    // A hash takes everything.
    let written = write!(text, "{shown}");
    debug_assert!(written.is_ok(), "a hash takes everything");
    text.0.finish()
}

/// Where one rule alarms.
#[derive(Default)]
struct AlarmedPlaces<'a> {
    /// By the hash of what each is called: they are counted, and an incident may have ten thousand.
    entities: HashSet<u64>,
    kinds: BTreeSet<&'a EntityKind>,
    services: BTreeSet<&'a str>,
}

impl<'a> AlarmedPlaces<'a> {
    fn take(&mut self, alert: &Newcomer<'a>) {
        let entity = alert.about.and_then(|about| about.entity.as_ref());
        self.entities.extend(entity.map(hashed).or_else(|| alert.service.map(hashed)));
        self.kinds.insert(entity.map_or(&EntityKind::Service, |entity| &entity.kind));
        self.services.extend(alert.service);
    }
}

/// The title that an incident has from now on, if an alert that joins it changes it. A title that a person wrote stays.
pub(crate) fn following(state: &CorrelatorState, incident: &Incident, firing: &Newcomer<'_>) -> Option<String> {
    let leads = !incident.severity_set && firing.severity > incident.peak_severity;
    let many = if is_declared(incident) { None } else { counted(state, incident, firing) };
    let title =
        many.or_else(|| leads.then(|| incident::decide::title_of(firing.name, firing.service, firing.annotations)))?;
    (title != incident.title).then_some(title)
}

/// The title that an incident has once these alerts of another one are its own, if they change it.
pub(crate) fn merged(state: &CorrelatorState, into: &Incident, moving: &[Fingerprint]) -> Option<String> {
    if is_declared(into) {
        return None;
    }
    let moving = moving.iter().filter_map(|fingerprint| state.book.alerts.get(fingerprint));
    by_numbers(state.book.alerts_of(into).chain(moving).map(Newcomer::of)).filter(|title| *title != into.title)
}

/// Whether a person wrote its title.
const fn is_declared(incident: &Incident) -> bool {
    incident.weights == 0 && incident.split_from.is_none()
}

/// The title by numbers as an alert joins, where it is time to count.
fn counted(state: &CorrelatorState, incident: &Incident, firing: &Newcomer<'_>) -> Option<String> {
    let count = incident.members.len() + usize::from(!incident.members.contains_key(firing.fingerprint));
    let step = (count.next_power_of_two() / EXACT).max(1);
    if count < MANY || !count.is_multiple_of(step) {
        return None;
    }
    let others = state.book.alerts_of(incident).filter(|alert| alert.fingerprint != *firing.fingerprint);
    by_numbers(others.map(Newcomer::of).chain([*firing]))
}

/// The title by numbers, where the rule that alarms worst does so in many places.
fn by_numbers<'a>(alerts: impl Iterator<Item = Newcomer<'a>>) -> Option<String> {
    let (mut rules, mut count) = (BTreeSet::new(), 0);
    let (name, places) = leading(alerts.inspect(|_| count += 1), &mut rules)?;
    let at_least = if count > EXACT { "at least " } else { "" };
    let many = places.entities.len();
    let things = match places.kinds.iter().next() {
        Some(kind) if places.kinds.len() == 1 => plural(kind),
        _ => "entities".to_owned(),
    };
    let services = match places.services.len() {
        0 | 1 => String::new(),
        _ if things == "services" => String::new(),
        services => format!(" of {services} services"),
    };
    let besides = match rules.len() - 1 {
        0 => String::new(),
        1 => ", and 1 other rule".to_owned(),
        others => format!(", and {others} other rules"),
    };
    Some(format!("{name}: {at_least}{many} {things}{services}{besides}"))
}

/// The rule of the worst severity that alarms in most places, if these are many. Puts the names of all into `rules`.
fn leading<'a>(
    alerts: impl Iterator<Item = Newcomer<'a>>,
    rules: &mut BTreeSet<&'a str>,
) -> Option<(&'a str, AlarmedPlaces<'a>)> {
    let mut worst: Option<Severity> = None;
    let mut of_worst: BTreeMap<&str, AlarmedPlaces<'a>> = BTreeMap::new();
    for alert in alerts {
        rules.insert(alert.name);
        if worst.is_none_or(|worst| alert.severity > worst) {
            worst = Some(alert.severity);
            of_worst.clear();
        }
        if worst == Some(alert.severity) {
            of_worst.entry(alert.name).or_default().take(&alert);
        }
    }
    let most = of_worst.into_iter().max_by_key(|(name, places)| (places.entities.len(), Reverse(*name)))?;
    (most.1.entities.len() >= MANY).then_some(most)
}

fn plural(kind: &EntityKind) -> String {
    let word = kind.as_str().replace('_', " ");
    if word.ends_with('s') { format!("{word}es") } else { format!("{word}s") }
}
