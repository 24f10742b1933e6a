//! What happened first, which way it went, and whether it happened, turned round.

use hindcast_api::Claim;
use hindcast_domain::Span;

use super::{cited, with};
use crate::generator::truths::{begun, hms};
use crate::generator::world::service_of;
use crate::generator::{Rng, World};

fn swapped(text: &str, a: &str, b: &str) -> String {
    text.replace(a, "\u{1}").replace(b, a).replace('\u{1}', b)
}

/// The two services of an order, the other way round.
pub(super) fn wrong_order(world: &World, claim: &Claim, _: &mut Rng) -> Option<Claim> {
    let order = ["before", "after", "After", "then", "came before"];
    order.iter().find(|word| claim.text.contains(**word))?;
    turned(world, claim)
}

pub(super) fn wrong_cause(world: &World, claim: &Claim, _: &mut Rng) -> Option<Claim> {
    let order = ["led to", "because of", "→", "due to", "caused"];
    order.iter().find(|word| claim.text.contains(**word))?;
    turned(world, claim)
}

fn turned(world: &World, claim: &Claim) -> Option<Claim> {
    if claim.citations.len() != 2 || !claim.path.is_empty() || claim.text.contains("lie between") {
        return None;
    }
    let mut named = Vec::new();
    for event in cited(world, claim) {
        let service = world.services.iter().find(|service| Some(service.name.as_str()) == service_of(event))?;
        let mut names: Vec<&String> = service.aliases.iter().chain([&service.name]).collect();
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        named.push(names.into_iter().find(|name| claim.text.contains(name.as_str()))?.clone());
    }
    let (a, b) = (&named[0], &named[1]);
    if a.contains(b.as_str()) || b.contains(a.as_str()) {
        return None;
    }
    // a version belongs to one of the two
    with(claim, swapped(&claim.text, a, b)).filter(|claim| !claim.text.contains("deploy"))
}

/// What happened is said not to have happened.
pub(super) fn denied(world: &World, claim: &Claim, _: &mut Rng) -> Option<Claim> {
    if claim.text.contains(['"', '“', '`', '‘', '→']) || claim.text.contains("obody") || claim.text.contains("never")
    {
        return None;
    }
    let events = cited(world, claim);
    let forms = [
        (" fired on ", " did not fire on ", "alert.fired"),
        (" was deployed", " was not deployed", "intake.change"),
        (" was acknowledged", " was never acknowledged", "incident.acknowledged"),
        (" was resolved", " was not resolved", "incident.resolved"),
        (" joined ", " never joined ", "incident.alert_joined"),
        (" was opened", " was not opened", "incident.opened"),
        (" was paged", " was never paged", "notice.requested"),
    ];
    let (old, new, _) = forms
        .iter()
        .find(|(old, _, kind)| claim.text.contains(old) && events.iter().all(|event| event.event_type == *kind))?;
    with(claim, claim.text.replacen(old, new, 1))
}

/// What was opened is said to have been resolved, and the like.
pub(super) fn something_else(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    let events = cited(world, claim);
    if claim.text.contains(['"', '“', '`', '‘']) || claim.text.contains("obody") || claim.text.contains("never") {
        return None;
    }
    let forms = [
        (" was opened", "incident.opened", &[" was resolved", " was acknowledged", " was merged"][..]),
        (" was acknowledged", "incident.acknowledged", &[" was resolved", " was snoozed"][..]),
        (" was resolved", "incident.resolved", &[" was reopened", " was acknowledged"][..]),
        (" joined ", "incident.alert_joined", &[" was merged into ", " resolved "][..]),
        (" was paged", "notice.requested", &[" was acknowledged", " was silenced"][..]),
    ];
    let (old, _, new) = forms
        .iter()
        .find(|(old, kind, _)| claim.text.contains(old) && events.iter().all(|event| event.event_type == *kind))?;
    with(claim, claim.text.replacen(old, rng.pick::<&str>(new), 1))
}

/// What rose is said to have fallen.
pub(super) fn wrong_way(world: &World, claim: &Claim, _: &mut Rng) -> Option<Claim> {
    cited(world, claim).into_iter().find(|event| event.data.get("before").is_some())?;
    let pairs = [("rose", "fell"), ("climbed", "dropped"), ("jumped", "went down"), ("went up", "decreased")];
    for (up, down) in pairs {
        for (old, new) in [(up, down), (down, up)] {
            if claim.text.contains(&format!(" {old} ")) {
                return with(claim, claim.text.replacen(old, new, 1));
            }
        }
    }
    None
}

pub(super) fn path_order(_: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    if claim.path.len() < 2 {
        return None;
    }
    let mut told = claim.clone();
    let last = told.path.len() - 1;
    let at = usize::try_from(rng.between(0, i64::try_from(last).unwrap() - 1)).unwrap();
    let roles: Vec<_> = told.path.iter().map(|step| step.role).collect();
    if rng.chance(50) {
        told.path.swap(at, at + 1)
    } else {
        told.path.reverse()
    }
    // the roles stay where they are, so that only the order is false
    told.path.iter_mut().zip(roles).for_each(|(step, role)| step.role = role);
    // what the text says of the order is another lie
    told.text = "the way from what broke to what alarmed".into();
    Some(told)
}

pub(super) fn path_time(_: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    let mut told = claim.clone();
    let count = i64::try_from(told.path.len()).ok().filter(|count| *count > 0)?;
    let step = &mut told.path[usize::try_from(rng.between(0, count - 1)).unwrap()];
    step.time = step.time - Span::seconds(rng.between(90, 900));
    Some(told)
}

pub(super) fn path_service(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    let mut told = claim.clone();
    let count = i64::try_from(told.path.len()).ok().filter(|count| *count > 0)?;
    let others: Vec<&String> =
        world.services.iter().map(|service| &service.name).filter(|name| !world.chain.contains(name)).collect();
    told.path[usize::try_from(rng.between(0, count - 1)).unwrap()].service = (*rng.maybe(&others)?).clone();
    Some(told)
}

/// From after to before.
pub(super) fn levels_turned(_: &World, claim: &Claim, _: &mut Rng) -> Option<Claim> {
    let from = claim.text.find(" from ")? + 6;
    let (before, tail) = claim.text[from..].split_once(" to ")?;
    if !before.starts_with(|c: char| c.is_ascii_digit()) || !claim.text.contains(" of ") || before == tail {
        return None;
    }
    let unit = " a minute";
    let (after, end) = tail.strip_suffix(unit).map_or((tail, ""), |after| (after, unit));
    if after.contains("per") || after.contains(':') {
        return None;
    }
    with(claim, format!("{}{after} to {before}{end}", &claim.text[..from]))
}

/// Two times of one sentence, changed over.
pub(super) fn each_others(world: &World, claim: &Claim, _: &mut Rng) -> Option<Claim> {
    let events = cited(world, claim);
    let [a, b] = events.as_slice() else {
        return None;
    };
    let (one, other) = (hms(begun(a)), hms(begun(b)));
    let both = claim.text.contains(&one) && claim.text.contains(&other) && !claim.text.contains("alert");
    if service_of(a) == service_of(b) || !both {
        return None;
    }
    with(claim, swapped(&claim.text, &one, &other))
}

pub(super) fn each_others_count(world: &World, claim: &Claim, _: &mut Rng) -> Option<Claim> {
    let events = cited(world, claim);
    let [a, b] = events.as_slice() else {
        return None;
    };
    let (one, other) = (a.data["count"].as_i64()?.to_string(), b.data["count"].as_i64()?.to_string());
    if !claim.text.contains("error lines") || one.contains(&other) || other.contains(&one) {
        return None;
    }
    with(claim, swapped(&claim.text, &one, &other))
}
