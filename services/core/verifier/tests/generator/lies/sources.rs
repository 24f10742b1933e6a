//! Citations that do not exist, or that the asker may not see.

use hindcast_api::{Citation, Claim, Event};

use super::cited;
use crate::generator::world::{cite, service_of};
use crate::generator::{Rng, World};

pub(super) fn cites_nothing(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    let mut told = claim.clone();
    let ghost = hindcast_domain::EventId::derive(&[b"ghost", &world.seed.to_be_bytes(), &rng.next().to_be_bytes()]);
    told.citations.push(Citation { event: ghost.to_string(), position: 4_096 * 110 });
    Some(told)
}

pub(super) fn cites_position(_: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    let mut told = claim.clone();
    let count = i64::try_from(told.citations.len()).unwrap();
    let citation = &mut told.citations[usize::try_from(rng.between(0, count - 1)).unwrap()];
    citation.position -= u64::try_from(rng.between(1, 4_096)).unwrap();
    Some(told)
}

fn hidden(world: &World, claim: &Claim, rng: &mut Rng, is: impl Fn(&Event) -> bool) -> Option<Claim> {
    let all: Vec<&Event> = world.events.iter().filter(|event| is(event)).collect();
    let mut told = claim.clone();
    told.citations.push(cite(rng.maybe(&all)?));
    Some(told)
}

pub(super) fn cites_future(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    hidden(world, claim, rng, |event| event.position > world.position)
}

pub(super) fn cites_tenant(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    hidden(world, claim, rng, |event| event.tenant != "default")
}

pub(super) fn cites_environment(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    hidden(world, claim, rng, |event| event.environment == "staging")
}

/// Another real event, of another sort or about another service, so that it does not say the same.
pub(super) fn cites_another(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    if !claim.path.is_empty() {
        return None;
    }
    let mut told = claim.clone();
    let at = usize::try_from(rng.between(0, i64::try_from(told.citations.len()).unwrap() - 1)).unwrap();
    let old = world.events.iter().find(|event| event.id == told.citations[at].event)?;
    let stays: Vec<&Event> = cited(world, claim).into_iter().filter(|event| event.id != old.id).collect();
    let other = |event: &&&Event| {
        let service = service_of(event).unwrap_or_default();
        let same = service_of(old).is_some_and(|old| old == service);
        !same && !stays.iter().any(|other| service_of(other) == Some(service)) && !service.is_empty()
    };
    let seen = world.seen();
    // an incident, a page or an answer names many services; only what is about one is swapped
    let plain = |event: &Event| matches!(event.event_type.as_str(), "alert.fired" | "finding.raised" | "intake.change");
    let all: Vec<&&Event> = seen.iter().filter(|event| plain(event)).filter(other).collect();
    if !plain(old) {
        return None;
    }
    told.citations[at] = cite(rng.maybe(&all)?);
    Some(told)
}
