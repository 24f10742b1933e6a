//! What can be said of changes, and of the life of an incident.

use hindcast_api::{Claim, Event};

use super::{begun, clock, length, say, text};
use crate::generator::world::service_of;
use crate::generator::{Rng, World, claim};

fn a_change<'a>(world: &'a World, rng: &mut Rng) -> Option<&'a Event> {
    rng.maybe(&world.of("intake.change")).copied()
}

pub(super) fn deploy(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = a_change(world, rng)?;
    let service = world.name(service_of(event)?, rng);
    let version = text(event, "version");
    let bare = version.trim_start_matches('v');
    let at = clock(begun(event), rng);
    let wordings = [
        "SERVICE VERSION was deployed at TIME",
        "SERVICE was released as version BARE at TIME",
        "At TIME SERVICE went to VERSION",
        "the deploy of SERVICE VERSION happened at TIME",
        "SERVICE was changed to VERSION",
    ];
    let values = [("SERVICE", service.as_str()), ("VERSION", version), ("BARE", bare), ("TIME", &at)];
    Some(claim(say(rng, &wordings, &values), &[event]))
}

pub(super) fn deploy_by(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = a_change(world, rng)?;
    let service = world.name(service_of(event)?, rng);
    let title = text(event, "title").split(": ").nth(1)?;
    let values = [
        ("SERVICE", service.as_str()),
        ("VERSION", text(event, "version")),
        ("AUTHOR", text(event, "author")),
        ("TITLE", title),
    ];
    let wordings = [
        "AUTHOR deployed SERVICE VERSION: \"TITLE\"",
        "SERVICE was deployed by AUTHOR (VERSION, TITLE)",
        "the release VERSION of SERVICE by AUTHOR brought \"TITLE\"",
    ];
    Some(claim(say(rng, &wordings, &values), &[event]))
}

pub(super) fn old_deploy(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = a_change(world, rng)?;
    let alert = *rng.maybe(&world.of("alert.fired"))?;
    let (changed, alarmed) = (service_of(event)?, service_of(alert)?);
    if begun(event) >= begun(alert) || changed == alarmed {
        return None;
    }
    let values = [("CHANGED", changed), ("ALARMED", alarmed), ("VERSION", text(event, "version"))];
    let wordings = [
        "CHANGED was deployed (VERSION) before ALARMED alarmed",
        "The deploy VERSION of CHANGED came before the alert on ALARMED",
    ];
    Some(claim(say(rng, &wordings, &values), &[event, alert]))
}

pub(super) fn opened(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = world.of("incident.opened").into_iter().next()?;
    let id = if rng.chance(50) { world.incident.clone() } else { world.incident[..10].to_owned() };
    let at = clock(event.time, rng);
    let wordings =
        ["ID was opened at TIME", "the incident ID exists since TIME", "ID was opened at TIME because of SERVICE"];
    Some(claim(say(rng, &wordings, &[("ID", &id), ("TIME", &at), ("SERVICE", service_of(event)?)]), &[event]))
}

pub(super) fn joined(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = *rng.maybe(&world.of("incident.alert_joined"))?;
    let score = event.data["grouping"]["score"].as_f64()? / 1_000.0;
    let (at, score) = (clock(event.time, rng), format!("{score:.2}"));
    let wordings = [
        "an alert on SERVICE joined ID at TIME",
        "SERVICE joined ID with a score of SCORE",
        "SERVICE's alert became a member of it at TIME (score SCORE)",
    ];
    let values = [("ID", world.incident.as_str()), ("TIME", &at), ("SCORE", &score), ("SERVICE", service_of(event)?)];
    Some(claim(say(rng, &wordings, &values), &[event]))
}

pub(super) fn acknowledged(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = world.of("incident.acknowledged").into_iter().next()?;
    let at = clock(event.time, rng);
    let wordings = [
        "PERSON acknowledged it at TIME",
        "ID was acknowledged by PERSON at TIME",
        "PERSON takes care of ID since TIME",
    ];
    Some(claim(say(rng, &wordings, &[("PERSON", &event.actor), ("TIME", &at), ("ID", &world.incident)]), &[event]))
}

pub(super) fn until_acknowledged(world: &World, rng: &mut Rng) -> Option<Claim> {
    let opened = world.of("incident.opened").into_iter().next()?;
    let acknowledged = world.of("incident.acknowledged").into_iter().next()?;
    let late = length(acknowledged.time.since(opened.time), rng);
    let wordings = ["it was acknowledged LATE after it was opened", "it took LATE until PERSON acknowledged it"];
    Some(claim(say(rng, &wordings, &[("LATE", &late), ("PERSON", &acknowledged.actor)]), &[opened, acknowledged]))
}

pub(super) fn resolved(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = world.of("incident.resolved").into_iter().next()?;
    let at = clock(event.time, rng);
    let wordings = [
        "PERSON resolved it at TIME: \"WHAT\"",
        "it was resolved at TIME by PERSON, who WHAT",
        "what ended it: PERSON WHAT",
    ];
    Some(claim(
        say(rng, &wordings, &[("PERSON", &event.actor), ("TIME", &at), ("WHAT", text(event, "resolution"))]),
        &[event],
    ))
}

pub(super) fn nobody(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event =
        world.of("incident.opened").into_iter().next().filter(|_| world.of("incident.acknowledged").is_empty())?;
    let wordings =
        ["nobody has acknowledged ID, which was opened at TIME", "ID, opened at TIME, was never acknowledged"];
    let at = clock(event.time, rng);
    Some(claim(say(rng, &wordings, &[("ID", &world.incident), ("TIME", &at)]), &[event]))
}

pub(super) fn paged(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = world.of("notice.requested").into_iter().next()?;
    let wordings = ["on-call was paged at TIME", "at TIME a page went to on-call"];
    let at = clock(event.time, rng);
    Some(claim(say(rng, &wordings, &[("TIME", &at)]), &[event]))
}

pub(super) fn how_many(world: &World, rng: &mut Rng) -> Option<Claim> {
    let alerts = world.of("alert.fired");
    let digits = alerts.len().to_string();
    let word = ["zero", "one", "two", "three", "four", "five", "six"].get(alerts.len())?;
    let count = if rng.chance(50) { digits.as_str() } else { word };
    let wordings = ["COUNT alerts fired", "it has COUNT alerts", "COUNT services alarmed"];
    Some(claim(say(rng, &wordings, &[("COUNT", count)]), &alerts))
}

pub(super) fn who_is_hit(world: &World, rng: &mut Rng) -> Option<Claim> {
    let alerts = world.of("alert.fired");
    let names: Vec<String> = alerts.iter().map(|event| world.name(service_of(event).unwrap(), rng)).collect();
    let (last, rest) = names.split_last()?;
    let list = format!("{} and {last}", rest.join(", "));
    Some(claim(say(rng, &["LIST are hit", "LIST alarmed", "it hits LIST"], &[("LIST", &list)]), &alerts))
}
