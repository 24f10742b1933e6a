//! The way from what broke to what alarmed. Owns which services it passes and at which times; refuses to
//! bend a time: a service without a sign at the right time is left out.

use hindcast_api::{PathStep, StepRole};
use hindcast_domain::Time;

use super::effect::EffectSource;
use super::scene::Scene;
use super::sign::{self, ServiceSign};
use hindcast_api::cited;

/// Steps between what broke and what alarmed.
const BETWEEN_MAX: usize = 6;
/// Signs that are told of what broke, besides the first.
const TOLD: usize = 2;

/// Broke → then → alarmed. Times never fall, each service depends on the one before it, and the way ends at
/// the alert that is farthest from what broke.
pub(super) fn path(service: &str, scene: &Scene) -> Vec<PathStep> {
    let Some(first) = sign::first(scene.signs_of(service)) else {
        return Vec::new();
    };
    let mut steps = vec![broke(service, first, scene)];
    let Some((last, alarm)) = alarm(service, first.time, scene) else {
        return steps;
    };
    for (service, sign) in between(service, first.time, &last, alarm.time, scene) {
        steps.push(step(StepRole::Then, service, sign));
    }
    steps.push(step(StepRole::Alarmed, &last, alarm));
    steps
}

fn broke(service: &str, first: &ServiceSign, scene: &Scene) -> PathStep {
    let mut told: Vec<&ServiceSign> = vec![first];
    told.extend(sign::telling(scene.signs_of(service), TOLD).into_iter().filter(|sign| *sign != first));
    PathStep {
        role: StepRole::Broke,
        time: first.time,
        service: service.to_owned(),
        text: told.iter().map(|sign| sign.text.as_str()).collect::<Vec<_>>().join("; "),
        citations: cited(told.iter().map(|sign| sign.citation.clone())),
    }
}

fn step(role: StepRole, service: &str, sign: &ServiceSign) -> PathStep {
    PathStep {
        role,
        time: sign.time,
        service: service.to_owned(),
        text: sign.text.clone(),
        citations: vec![sign.citation.clone()],
    }
}

/// The alert that is farthest from what broke, of those that pages; the earliest among equals. That of the
/// service itself where no other rang.
fn alarm<'s>(service: &str, from: Time, scene: &'s Scene) -> Option<(String, &'s ServiceSign)> {
    let rang = scene.signs.iter().filter_map(|(other, signs)| {
        let calls = if other == service { 0 } else { scene.topology.depends(other, service)? };
        let alert = signs
            .iter()
            .filter(|sign| sign.source == EffectSource::Alert && sign.time >= from)
            .min_by_key(|sign| (!sign.pages, sign.time, sign.citation.clone()))?;
        (other == service || scene.depends(other, service)).then_some((calls, other, alert))
    });
    rang.max_by_key(|(calls, other, alert)| (alert.pages, *calls, std::cmp::Reverse((alert.time, *other))))
        .map(|(_, other, alert)| (other.clone(), alert))
}

/// What lies between: each depends on the one before, the last is depended on by what rang, and none shows
/// earlier than the one before or later than the alarm.
fn between<'s>(
    service: &str,
    from: Time,
    last: &str,
    until: Time,
    scene: &'s Scene,
) -> Vec<(&'s str, &'s ServiceSign)> {
    let mut way: Vec<(&str, &ServiceSign)> = Vec::new();
    let mut here = service;
    let mut now = from;
    while way.len() < BETWEEN_MAX {
        let next = scene
            .signs
            .iter()
            .filter(|(other, _)| scene.depends(other, here) && scene.depends(last, other))
            .filter_map(|(other, signs)| {
                let shows = |sign: &&ServiceSign| sign.time >= now && sign.time <= until && sign.strength >= 0.2;
                let sign = signs.iter().find(shows)?;
                Some((scene.topology.depends(other, here)?, sign.time, other.as_str(), sign))
            })
            .min_by(|a, b| (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2)));
        let Some((_, time, other, sign)) = next else {
            break;
        };
        way.push((other, sign));
        (here, now) = (other, time);
    }
    way
}
