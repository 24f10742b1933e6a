//! What can be said of one alert.

use hindcast_api::{Claim, Event};

use super::{begun, clock, length, say, text};
use crate::generator::world::{MONTHS, service_of};
use crate::generator::{Rng, World, claim};

fn an_alert<'a>(world: &'a World, rng: &mut Rng) -> Option<&'a Event> {
    rng.maybe(&world.of("alert.fired")).copied()
}

pub(super) fn alert_at(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = an_alert(world, rng)?;
    let (service, at) = (world.name(service_of(event)?, rng), clock(begun(event), rng));
    let wordings = [
        "ALERT fired on SERVICE at TIME.",
        "At TIME, SERVICE began to alarm: ALERT.",
        "SERVICE has had ALERT since TIME",
        "The alert ALERT (SERVICE) started at TIME",
        "SERVICE alarmed at TIME",
        "TIME: ALERT on SERVICE",
    ];
    Some(claim(say(rng, &wordings, &[("ALERT", text(event, "name")), ("SERVICE", &service), ("TIME", &at)]), &[event]))
}

pub(super) fn alert_quoted(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = an_alert(world, rng)?;
    let summary = event.data["annotations"]["summary"].as_str()?;
    let name = world.name(service_of(event)?, rng);
    let wordings = [
        "NAME says \"QUOTE\"",
        "The alert on NAME reads “QUOTE”.",
        "\"QUOTE\" is what the alert of NAME says",
        "NAME: `QUOTE`",
    ];
    Some(claim(say(rng, &wordings, &[("NAME", &name), ("QUOTE", summary)]), &[event]))
}

pub(super) fn alert_words(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = an_alert(world, rng)?;
    let summary = event.data["annotations"]["summary"].as_str()?;
    Some(claim(say(rng, &["SUMMARY", "SUMMARY.", "It was seen that SUMMARY"], &[("SUMMARY", summary)]), &[event]))
}

pub(super) fn alert_figure(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = an_alert(world, rng)?;
    let summary = event.data["annotations"]["summary"].as_str()?;
    let share =
        summary.split(" %").next()?.split(' ').next_back()?.parse::<f64>().ok().filter(|_| summary.contains("5xx"))?;
    let service = world.name(service_of(event)?, rng);
    let figure = match rng.between(0, 2) {
        0 => format!("{share:.1} %"),
        1 => format!("{share:.0}%"),
        _ => format!("about {:.0} percent", share),
    };
    let wordings = [
        "SHARE of the requests to SERVICE fail with 5xx",
        "SERVICE fails SHARE of its requests",
        "SHARE of what SERVICE answers are errors",
    ];
    Some(claim(say(rng, &wordings, &[("SHARE", &figure), ("SERVICE", &service)]), &[event]))
}

pub(super) fn learnt(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = an_alert(world, rng)?;
    let late = event.time.since(begun(event));
    if late.as_millis() < 1_500 {
        return None;
    }
    let service = world.name(service_of(event)?, rng);
    let wordings =
        ["SERVICE's alert was heard LATE after it began", "it took LATE until the alert on SERVICE was known"];
    let late = length(late, rng);
    Some(claim(say(rng, &wordings, &[("SERVICE", &service), ("LATE", &late)]), &[event]))
}

pub(super) fn ago(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = an_alert(world, rng)?;
    let service = world.name(service_of(event)?, rng);
    let ago = length(world.now.since(begun(event)), rng);
    let wordings = ["SERVICE began to alarm AGO ago", "AGO ago an alert fired on SERVICE"];
    Some(claim(say(rng, &wordings, &[("SERVICE", &service), ("AGO", &ago)]), &[event]))
}

pub(super) fn severity(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = an_alert(world, rng)?;
    let service = world.name(service_of(event)?, rng);
    let wordings = [
        "the severity of ALERT on SERVICE is SEVERITY",
        "ALERT is a SEVERITY severity alert of SERVICE",
        "SERVICE raised ALERT with severity SEVERITY",
    ];
    let values = [("ALERT", text(event, "name")), ("SERVICE", service.as_str()), ("SEVERITY", text(event, "severity"))];
    Some(claim(say(rng, &wordings, &values), &[event]))
}

pub(super) fn on_a_day(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = an_alert(world, rng)?;
    let day = begun(event).to_string();
    let month = MONTHS[day[5..7].parse::<usize>().unwrap() - 1];
    let number: u32 = day[8..10].parse().unwrap();
    let said = match rng.between(0, 2) {
        0 => day[..10].to_owned(),
        1 => format!("{number} {month}"),
        _ => format!("{month} {number}, {}", &day[..4]),
    };
    let service = world.name(service_of(event)?, rng);
    let wordings = ["SERVICE alarmed on DAY", "on DAY an alert fired on SERVICE"];
    Some(claim(say(rng, &wordings, &[("SERVICE", &service), ("DAY", &said)]), &[event]))
}

pub(super) fn by_id(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = an_alert(world, rng)?;
    let id = if rng.chance(50) { event.id.clone() } else { format!("#{}", event.position) };
    let service = world.name(service_of(event)?, rng);
    let wordings = ["ID is the alert of SERVICE", "the alert of SERVICE stands in ID"];
    Some(claim(say(rng, &wordings, &[("ID", &id), ("SERVICE", &service)]), &[event]))
}
