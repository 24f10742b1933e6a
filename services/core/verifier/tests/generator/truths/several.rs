//! What can be said of several events: their order, the time between them, and the whole path.

use hindcast_api::{Claim, ClaimVerdict, Event, PathStep, StepRole};
use hindcast_domain::Span;

use super::{begun, hms, length, say, text};
use crate::generator::world::{cite, service_of};
use crate::generator::{Rng, World, claim};

/// Two signs of the chain, the earlier one first, of two services of which the second depends on the first.
fn pair<'a>(world: &'a World, rng: &mut Rng) -> Option<(&'a Event, &'a Event)> {
    let depth = usize::try_from(rng.between(0, i64::try_from(world.chain.len()).unwrap() - 2)).unwrap();
    let of = |service: &str, rng: &mut Rng| {
        let kinds = [world.of("alert.fired"), world.findings("new_template"), world.findings("metric_shift")].concat();
        let theirs: Vec<&Event> = kinds.into_iter().filter(|event| service_of(event) == Some(service)).collect();
        rng.maybe(&theirs).copied()
    };
    let (first, second) = (of(&world.chain[depth], rng)?, of(&world.chain[depth + 1], rng)?);
    (begun(first) + Span::seconds(2) < begun(second)).then_some((first, second))
}

pub(super) fn after(world: &World, rng: &mut Rng) -> Option<Claim> {
    let (first, second) = pair(world, rng)?;
    let (a, b) = (world.name(service_of(first)?, rng), world.name(service_of(second)?, rng));
    let wordings = [
        "FIRST showed signs before SECOND did",
        "SECOND began to fail after FIRST",
        "After FIRST broke, SECOND followed too",
        "first FIRST failed, then SECOND",
        "FIRST's sign came before that of SECOND",
    ];
    Some(claim(say(rng, &wordings, &[("FIRST", &a), ("SECOND", &b)]), &[first, second]))
}

pub(super) fn led_to(world: &World, rng: &mut Rng) -> Option<Claim> {
    let (first, second) = pair(world, rng)?;
    let (a, b) = (world.name(service_of(first)?, rng), world.name(service_of(second)?, rng));
    let wordings = [
        "FIRST led to the errors of SECOND",
        "SECOND fails because of FIRST",
        "FIRST → SECOND",
        "SECOND's trouble is due to FIRST",
        "FIRST caused the failure of SECOND",
    ];
    Some(claim(say(rng, &wordings, &[("FIRST", &a), ("SECOND", &b)]), &[first, second]))
}

pub(super) fn between(world: &World, rng: &mut Rng) -> Option<Claim> {
    let (first, second) = pair(world, rng)?;
    let span = length(begun(second).since(begun(first)), rng);
    let (a, b) = (world.name(service_of(first)?, rng), world.name(service_of(second)?, rng));
    let wordings = [
        "SECOND showed it SPAN after FIRST",
        "SPAN lie between the sign of FIRST and that of SECOND",
        "FIRST was SPAN ahead of SECOND",
    ];
    Some(claim(say(rng, &wordings, &[("FIRST", &a), ("SECOND", &b), ("SPAN", &span)]), &[first, second]))
}

/// Broke → then → alarmed, along the chain.
pub fn way(world: &World, rng: &mut Rng) -> Option<Claim> {
    let mut steps: Vec<PathStep> = Vec::new();
    let mut events: Vec<&Event> = Vec::new();
    for (depth, service) in world.chain.iter().enumerate() {
        let last = depth + 1 == world.chain.len();
        let kinds = if last { world.of("alert.fired") } else { world.findings("new_template") };
        let event = kinds.into_iter().find(|event| service_of(event) == Some(service))?;
        let text = if last {
            format!("{} fired: \"{}\"", text(event, "name"), event.data["annotations"]["summary"].as_str()?)
        } else {
            format!("new log line \"{}\" ×{}", event.data["template"]["text"].as_str()?, event.data["count"])
        };
        let role = if depth == 0 {
            StepRole::Broke
        } else if last {
            StepRole::Alarmed
        } else {
            StepRole::Then
        };
        steps.push(PathStep { role, time: begun(event), service: service.clone(), text, citations: vec![cite(event)] });
        events.push(event);
    }
    let names = world.chain.join(if rng.chance(50) { " → " } else { ", then " });
    Some(Claim { path: steps, verdict: ClaimVerdict::Unverifiable, ..claim(names, &events) })
}

/// Two alerts, each with its own time.
pub(super) fn two_times(world: &World, rng: &mut Rng) -> Option<Claim> {
    let alerts = world.of("alert.fired");
    let (a, b) = (*rng.pick(&alerts), *rng.pick(&alerts));
    if begun(a).distance(begun(b)) < Span::seconds(5) {
        return None;
    }
    let (one, other) = (hms(begun(a)), hms(begun(b)));
    let (first, second) = (world.name(service_of(a)?, rng), world.name(service_of(b)?, rng));
    let wordings = [
        "FIRST alarmed at ONE and SECOND at OTHER",
        "FIRST alarmed at ONE, while SECOND alarmed at OTHER",
        "FIRST: ONE; SECOND: OTHER",
    ];
    Some(claim(
        say(rng, &wordings, &[("FIRST", &first), ("SECOND", &second), ("ONE", &one), ("OTHER", &other)]),
        &[a, b],
    ))
}

/// Two lines, each counted.
pub(super) fn two_counts(world: &World, rng: &mut Rng) -> Option<Claim> {
    let lines = world.findings("new_template");
    let (a, b) = (*rng.pick(&lines), *rng.pick(&lines));
    let (one, other) = (a.data["count"].as_i64()?, b.data["count"].as_i64()?);
    if a.id == b.id || one == other {
        return None;
    }
    let (first, second) = (world.name(service_of(a)?, rng), world.name(service_of(b)?, rng));
    let wordings = [
        "FIRST wrote ONE error lines, and SECOND wrote OTHER",
        "there were ONE error lines from FIRST and OTHER from SECOND",
    ];
    let values =
        [("FIRST", first.as_str()), ("SECOND", &second), ("ONE", &one.to_string()), ("OTHER", &other.to_string())];
    Some(claim(say(rng, &wordings, &values), &[a, b]))
}

pub(super) fn first_and_last(world: &World, rng: &mut Rng) -> Option<Claim> {
    let mut alerts = world.of("alert.fired");
    alerts.sort_by_key(|event| begun(event));
    let (first, last) = (alerts.first()?, alerts.last()?);
    let (from, to) = (hms(begun(first)), hms(begun(last)));
    let wordings = [
        "alerts fired from FROM to TO",
        "the alerts began between FROM and TO",
        "the first alert came at FROM, the last one at TO",
    ];
    Some(claim(say(rng, &wordings, &[("FROM", &from), ("TO", &to)]), &alerts))
}
