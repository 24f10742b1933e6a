//! A word, a number or a time of a claim replaced by another of its kind.

use hindcast_api::Claim;
use hindcast_domain::Span;

use super::{cited, is_month, replaced, with, words};
use crate::generator::truths::{begun, hms};
use crate::generator::{Rng, World};

/// A number that stands by itself, or with a percent sign, outside of quotations.
pub(super) fn wrong_number(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    if claim.text.contains(['"', '“', '`', '‘']) || claim.text.contains(" ago") {
        return None;
    }
    let number = |word: &str| {
        let digits = word.trim_end_matches('%').trim_start_matches('×').replace(',', "");
        digits.parse::<f64>().is_ok()
    };
    let all: Vec<(usize, &str)> = words(&claim.text, number)
        .into_iter()
        .filter(|(at, word)| {
            let after = claim.text[at + word.len()..].trim_start();
            let before = claim.text[..*at].trim_end();
            // lengths of time, days and hours have lies of their own
            !["s ", "min", "ms", "seconds", "minutes", "pm", "am"]
                .iter()
                .any(|unit| format!("{after} ").starts_with(unit))
                && !before.ends_with("version")
                && !is_month(before)
                && !is_month(after)
        })
        .collect();
    let (at, word) = *rng.maybe(&all)?;
    let value: f64 = word.trim_end_matches('%').trim_start_matches('×').replace(',', "").parse().ok()?;
    let factor = *rng.pick(&[1.6, 2.3, 0.4, 3.1, 10.0, 0.1, 1.13]);
    let wrong = if value < 20.0 && value.fract() == 0.0 { value + rng.between(5, 30) as f64 } else { value * factor };
    let decimals = word.split_once('.').map_or(0, |(_, tail)| tail.trim_end_matches('%').len());
    let said = format!("{wrong:.decimals$}");
    let data: String = cited(world, claim).iter().map(|event| event.data.to_string()).collect();
    let unchanged = said.parse::<f64>().ok()? == value;
    if unchanged || data.contains(&said) || wrong < 2.0 && decimals == 0 {
        return None;
    }
    // a share that is ten times as large may be another figure of the event
    with(
        claim,
        replaced(&claim.text, at, word, &word.replace(word.trim_end_matches('%').trim_start_matches('×'), &said)),
    )
}

pub(super) fn wrong_clock(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    let events = cited(world, claim);
    let event = *rng.maybe(&events)?;
    for time in [begun(event), event.time] {
        let minute = &hms(time)[..5];
        if let Some(at) = claim.text.find(minute) {
            let off = Span::minutes(rng.between(3, 50));
            let wrong = if rng.chance(50) { time + off } else { time - off };
            let near = events.iter().any(|event| {
                let text = format!("{} {}", event.data, event.time);
                text.contains(&hms(wrong)[..5])
                    || begun(event).distance(wrong) < Span::minutes(2)
                    || event.time.distance(wrong) < Span::minutes(2)
            });
            return if near { None } else { with(claim, replaced(&claim.text, at, minute, &hms(wrong)[..5])) };
        }
    }
    None
}

pub(super) fn wrong_length(_: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    if claim.text.contains(['"', '“', '`', '‘']) || !claim.text.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let units = [
        " s after",
        " seconds",
        " minutes",
        " min ",
        " s ago",
        " s until",
        " s lie",
        " s ahead",
        " min ahead",
        " min lie",
        " min after",
    ];
    let unit = units.iter().find(|unit| claim.text.contains(**unit))?;
    let end = claim.text.find(unit)?;
    let digits: String = claim.text[..end]
        .chars()
        .rev()
        .take_while(char::is_ascii_digit)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    let value: i64 = digits.parse().ok()?;
    // "2 min 10 s": the minutes are made wrong
    let wrong = value * 3 + rng.between(7, 30);
    with(claim, replaced(&claim.text, end - digits.len(), &digits, &wrong.to_string()))
}

pub(super) fn wrong_service(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    if claim.text.contains(['"', '“', '`', '‘']) {
        return None;
    }
    let names = |service: &hindcast_domain::catalog::Service| {
        std::iter::once(service.name.clone()).chain(service.aliases.clone()).collect::<Vec<_>>()
    };
    let mut named: Vec<(usize, String)> = Vec::new();
    for service in &world.services {
        for name in names(service) {
            let bare = |word: &str| word.trim_matches(|c: char| ",.:()".contains(c)).trim_end_matches("'s") == name;
            named.extend(
                words(&claim.text, bare).into_iter().map(|(at, word)| (at + word.find(&name).unwrap(), name.clone())),
            );
        }
    }
    let (at, old) = rng.maybe(&named)?.clone();
    let text: String =
        cited(world, claim).iter().map(|event| format!("{} {}", event.data, event.subject).to_lowercase()).collect();
    let others: Vec<String> = world
        .services
        .iter()
        .filter(|service| {
            names(service).iter().all(|name| !text.contains(name.as_str()) && !claim.text.contains(name.as_str()))
        })
        .flat_map(names)
        .collect();
    let new = rng.maybe(&others)?;
    with(claim, replaced(&claim.text, at, &old, new))
}

pub(super) fn wrong_quote(_: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    let open = claim.text.find(['"', '“', '`', '‘'])?;
    let from = open + claim.text[open..].chars().next().unwrap().len_utf8();
    let inner: String = claim.text[from..].split(['"', '”', '`', '’']).next()?.to_owned();
    let plain = words(&inner, |word| word.len() > 3 && word.chars().all(char::is_alphabetic));
    let (at, word) = *rng.maybe(&plain)?;
    let new = *rng.pick(&["pineapple", "satellite", "harmless", "yesterday", "voluntary"]);
    with(claim, replaced(&claim.text, from + at, word, new))
}

pub(super) fn wrong_severity(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    let all = ["critical", "high", "medium", "low"];
    let event = *rng.maybe(&cited(world, claim))?;
    let severity = event.data["severity"].as_str()?;
    if !claim.text.contains("severity") || !claim.text.contains(severity) {
        return None;
    }
    let others: Vec<&str> = all.into_iter().filter(|other| *other != severity).collect();
    with(claim, claim.text.replace(severity, rng.pick::<&str>(&others)))
}

pub(super) fn wrong_version(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    let event = cited(world, claim).into_iter().find(|event| event.event_type == "intake.change")?;
    let version = event.data["version"].as_str()?;
    let said = if claim.text.contains(version) { version } else { version.trim_start_matches('v') };
    if !claim.text.contains(said) {
        return None;
    }
    let last = said.rsplit(['.', 'v']).next()?;
    let wrong = format!("{}{}", &said[..said.len() - last.len()], last.parse::<i64>().ok()? + rng.between(1, 9));
    with(claim, claim.text.replace(said, &wrong))
}

pub(super) fn wrong_id(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    let id = claim.text.split([' ', ',']).find(|word| word.starts_with("INC-") || word.starts_with("EVT-"))?;
    let other = if rng.chance(50) {
        hindcast_domain::IncidentId::derive(&[b"other", &world.seed.to_be_bytes()]).to_string()
    } else {
        hindcast_domain::EventId::derive(&[b"other", &world.seed.to_be_bytes()]).to_string()
    };
    with(claim, claim.text.replace(id, &other))
}

pub(super) fn wrong_alert(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    let event = *rng.maybe(&cited(world, claim))?;
    let name = event.data["name"].as_str().filter(|name| claim.text.contains(name))?;
    let others: Vec<&str> =
        ["HighErrorRate", "SaturationNearLimit", "LatencyTooHigh", "DiskAlmostFull", "InstanceDown", "QueueTooLong"]
            .into_iter()
            .filter(|other| *other != name)
            .collect();
    with(claim, claim.text.replace(name, rng.pick::<&str>(&others)))
}

pub(super) fn wrong_metric(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    let event = cited(world, claim).into_iter().find(|event| event.data["metric"].is_string())?;
    let metric = event.data["metric"].as_str().filter(|metric| claim.text.contains(metric))?;
    let others: Vec<&str> =
        ["cpu_usage_ratio", "http_error_ratio", "disk_available_bytes", "queue_depth", "gc_pause_seconds"]
            .into_iter()
            .filter(|other| *other != metric)
            .collect();
    with(claim, claim.text.replace(metric, rng.pick::<&str>(&others)))
}

/// Another person that the world knows, or one that nobody knows.
pub(super) fn wrong_person(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    if claim.text.contains('"') {
        return None;
    }
    let people = ["ada", "grace", "dana", "linus", "margaret", "wim", "petra", "joao", "mei"];
    let events = cited(world, claim);
    let said = |name: &str| claim.text.split([' ', ',', '(']).any(|word| word == name);
    let old = people.into_iter().find(|name| said(name))?;
    let known: Vec<&str> = people
        .into_iter()
        .filter(|name| world.seen().iter().any(|event| event.actor == *name || event.data["author"] == *name))
        .filter(|name| events.iter().all(|event| event.actor != *name && event.data["author"] != *name))
        .collect();
    let invented = claim.text.contains(&format!("by {old}")) && rng.chance(30);
    let new = if invented { "zebediah" } else { rng.maybe(&known)? };
    with(claim, claim.text.replacen(old, new, 1))
}

pub(super) fn wrong_day(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    let event = *rng.maybe(&cited(world, claim))?;
    let day = begun(event).to_string()[..10].to_owned();
    let wrong = (begun(event) + Span::hours(24 * rng.between(2, 20))).to_string()[..10].to_owned();
    if !claim.text.contains(&day) || claim.text.contains(&format!("{day}T")) {
        return None;
    }
    with(claim, claim.text.replace(&day, &wrong))
}
