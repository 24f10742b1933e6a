//! Checks an assertion against the cited events, value by value: it stands, it is contradicted, or no cited event says
//! so much. Owns what follows from a value that differs; refuses to read any English.

use std::collections::BTreeSet;
use std::sync::Arc;

use hindcast_api::{Assertion, AssertionKind as Kind, AssertionRole as Role, AssertionSource, Citation};
use hindcast_domain::Time;

use crate::ClaimFault;
use crate::court::Court;
use crate::facts::EventFacts;
use crate::happening::Happening;
use crate::value::{self, is_checked, role_name, span};

/// Kinds that only an event of their own can say: a claim of one that cites none of these events is false of them.
const OWN: [Kind; 12] = [
    Kind::IncidentAcknowledged,
    Kind::IncidentUnacknowledged,
    Kind::IncidentResolved,
    Kind::IncidentReopened,
    Kind::IncidentMerged,
    Kind::IncidentSnoozed,
    Kind::IncidentAssigned,
    Kind::IncidentDeclared,
    Kind::AlertSuppressed,
    Kind::AlertJoined,
    Kind::Change,
    Kind::Page,
];
/// Times nearer than this, in seconds, are the same: scrapes and clocks differ by as much.
const SAME_S: f64 = 1.0;

/// The events that say it.
pub(crate) type Witnesses = BTreeSet<String>;

/// Something that happened, with the event that says so.
type HappeningOf<'a> = (&'a Arc<EventFacts>, &'a Happening);

/// Checks an assertion.
pub(crate) fn check(
    assertion: &Assertion,
    cited: &[Arc<EventFacts>],
    cites: &[Citation],
    court: &Court,
) -> Result<Witnesses, ClaimFault> {
    match assertion.kind {
        Kind::Order => order(assertion, cited, cites, court),
        Kind::Count => count(assertion, cited, court),
        Kind::Sign if !assertion.parts.is_empty() => {
            let mut found = Witnesses::new();
            for part in &assertion.parts {
                found.extend(simple(part, cited, court)?);
            }
            Ok(found)
        }
        Kind::IncidentLasted => lasted(assertion, cited, court),
        Kind::Depends => depends(assertion, court),
        Kind::NotRecorded => not_recorded(assertion, cited, court),
        Kind::Cause if assertion.source == AssertionSource::Person => simple(assertion, cited, court),
        Kind::Cause | Kind::Reason | Kind::Affected | Kind::SameProblem | Kind::LooksLike => {
            if !court.checks.causes {
                return Ok(all(cited));
            }
            court.concluded().check(assertion, cites)?;
            Ok(all(cited))
        }
        _ => simple(assertion, cited, court),
    }
}

fn all(cited: &[Arc<EventFacts>]) -> Witnesses {
    cited.iter().map(|facts| facts.id.clone()).collect()
}

fn candidates<'a>(kind: Kind, cited: &'a [Arc<EventFacts>]) -> Vec<HappeningOf<'a>> {
    let of = |facts: &'a Arc<EventFacts>| facts.happened.iter().map(move |one| (facts, one));
    cited.iter().flat_map(of).filter(|(_, one)| one.kind == kind).collect()
}

/// How a happening differs from an assertion.
#[derive(Debug, Default)]
struct Difference {
    /// Roles with another value.
    wrong: Vec<Role>,
    /// Roles that the event does not speak of.
    silent: Vec<Role>,
}

fn difference(assertion: &Assertion, one: &Happening, court: &Court) -> Difference {
    let mut found = Difference::default();
    for (role, written) in &assertion.roles {
        if !is_checked(*role, &court.checks) {
            continue;
        }
        if *role == Role::Ago {
            if !value::is_ago(written, one.at, court) {
                found.wrong.push(*role);
            }
            continue;
        }
        let mut slots = one.of(*role).peekable();
        if slots.peek().is_none() {
            found.silent.push(*role);
        } else if !slots.any(|slot| value::is(*role, written, slot, court)) {
            found.wrong.push(*role);
        }
    }
    found
}

/// The happenings that are all that an assertion says.
fn witnesses<'a>(assertion: &Assertion, cited: &'a [Arc<EventFacts>], court: &Court) -> Vec<HappeningOf<'a>> {
    let is_all = |(_, one): &HappeningOf| {
        let differs = difference(assertion, one, court);
        differs.wrong.is_empty() && differs.silent.is_empty()
    };
    candidates(assertion.kind, cited).into_iter().filter(is_all).collect()
}

fn simple(assertion: &Assertion, cited: &[Arc<EventFacts>], court: &Court) -> Result<Witnesses, ClaimFault> {
    let found = witnesses(assertion, cited, court);
    if assertion.denied && court.checks.denials {
        return match found.first() {
            Some((facts, _)) => Err(ClaimFault::Unsupported(format!("it denies what {} says", facts.id))),
            None => absent(assertion, cited, court),
        };
    }
    if !found.is_empty() {
        return Ok(found.into_iter().map(|(facts, _)| facts.id.clone()).collect());
    }
    let mut differ: Vec<(Difference, HappeningOf)> = candidates(assertion.kind, cited)
        .into_iter()
        .map(|candidate| (difference(assertion, candidate.1, court), candidate))
        .collect();
    differ.sort_by_key(|(difference, _)| (difference.wrong.len(), difference.silent.len()));
    let Some((nearest, (facts, _))) = differ.first() else {
        let why = format!("none of the cited events says that {}", said(assertion));
        let other = assertion.role(Role::Service).is_some_and(|service| {
            let one = court.names().resolve(service);
            court.checks.services && !cited.iter().any(|facts| facts.services.contains(one))
        });
        let definite = OWN.contains(&assertion.kind) && court.checks.denials;
        return Err(if definite || other { ClaimFault::Unsupported(why) } else { ClaimFault::Unverifiable(why) });
    };
    if let Some(role) = nearest.wrong.first() {
        let written = assertion.role(*role).unwrap_or_default();
        let (name, id) = (role_name(*role), &facts.id);
        return Err(ClaimFault::Unsupported(format!("{name} {written:?} is not what {id} says")));
    }
    let roles: Vec<&str> = nearest.silent.iter().map(|role| role_name(*role)).collect();
    Err(ClaimFault::Unverifiable(format!("{} does not speak of {}", facts.id, roles.join(" or "))))
}

/// What an assertion says happened, for a reason.
fn said(assertion: &Assertion) -> String {
    let kind = serde_json::to_value(assertion.kind).unwrap_or_default();
    format!("there was {:?}", kind.as_str().unwrap_or_default().replace('_', " "))
}

/// That something did not happen: only where every event of the incident is known.
fn absent(assertion: &Assertion, cited: &[Arc<EventFacts>], court: &Court) -> Result<Witnesses, ClaimFault> {
    let known: Vec<Arc<EventFacts>> = court.all().collect();
    if let Some((facts, _)) = witnesses(assertion, &known, court).first() {
        return Err(ClaimFault::Unsupported(format!("it denies what {} says", facts.id)));
    }
    let incident = assertion.role(Role::Incident).unwrap_or_default();
    let is_own = |facts: &&Arc<EventFacts>| facts.subject.eq_ignore_ascii_case(incident);
    if !incident.is_empty() && court.is_whole(incident) && cited.iter().any(|facts| is_own(&facts)) {
        return Ok(all(cited));
    }
    Err(ClaimFault::Unverifiable("that something did not happen is in no event".to_owned()))
}

/// That nothing of a kind is recorded of an incident of which every event is known.
fn not_recorded(assertion: &Assertion, cited: &[Arc<EventFacts>], court: &Court) -> Result<Witnesses, ClaimFault> {
    let kind = match assertion.role(Role::Noun).unwrap_or_default() {
        "acknowledgement" => Kind::IncidentAcknowledged,
        "resolution" => Kind::IncidentResolved,
        "assignment" => Kind::IncidentAssigned,
        other => return Err(ClaimFault::Unverifiable(format!("whether {other} is recorded is not known"))),
    };
    let mut of = Assertion::new(kind).with_some(Role::Incident, assertion.role(Role::Incident));
    of.denied = true;
    absent(&of, cited, court)
}

fn lasted(assertion: &Assertion, cited: &[Arc<EventFacts>], court: &Court) -> Result<Witnesses, ClaimFault> {
    let of = |kind: Kind, time: Role| {
        let one = Assertion::new(kind).with_some(Role::Incident, assertion.role(Role::Incident));
        one.with_some(Role::Time, assertion.role(time))
    };
    let begun = of(Kind::IncidentOpened, Role::Time);
    let over = of(Kind::IncidentResolved, Role::Until);
    let (begun, over) = (witnesses(&begun, cited, court), witnesses(&over, cited, court));
    if begun.is_empty() || over.is_empty() {
        return Err(ClaimFault::Unverifiable("no cited event opens it, or none ends it".to_owned()));
    }
    let length = assertion.role(Role::Length).and_then(span);
    for (a, from) in &begun {
        for (b, to) in &over {
            let fits = length.is_none_or(|span| to.at >= from.at && span.is(to.at.since(from.at).as_secs_f64()));
            if fits || !court.checks.times {
                return Ok([a.id.clone(), b.id.clone()].into());
            }
        }
    }
    Err(ClaimFault::Unsupported("it lasted another length of time".to_owned()))
}

fn depends(assertion: &Assertion, court: &Court) -> Result<Witnesses, ClaimFault> {
    let unknown = || ClaimFault::Unverifiable("the catalogue does not say so".to_owned());
    let topology = court.known_topology().ok_or_else(unknown)?;
    let (Some(above), Some(below)) = (assertion.role(Role::Service), assertion.role(Role::On)) else {
        return Err(unknown());
    };
    let known = topology.resolve(above).is_some() && topology.resolve(below).is_some();
    match topology.depends(above, below) {
        Some(steps) if steps > 0 && !assertion.denied => Ok(Witnesses::new()),
        Some(_) if assertion.denied => Err(ClaimFault::Unsupported(format!("{above} depends on {below}"))),
        None if known && !assertion.denied && topology.depends(below, above).is_some() => {
            Err(ClaimFault::Unsupported(format!("{below} depends on {above}, not the other way round")))
        }
        _ => Err(unknown()),
    }
}

/// So many are cited, and there are no more of them.
fn count(assertion: &Assertion, cited: &[Arc<EventFacts>], court: &Court) -> Result<Witnesses, ClaimFault> {
    let noun = assertion.role(Role::Noun).unwrap_or_default();
    let kind = match noun {
        "alerts" | "services" => Kind::AlertFired,
        "deploys" | "changes" => Kind::Change,
        _ => return Err(ClaimFault::Unverifiable(format!("{noun} are not counted"))),
    };
    let name = |(facts, one): HappeningOf| match noun {
        "services" => one.of(Role::Service).next().map(|service| format!("{service:?}")),
        "alerts" => Some(facts.subject.clone()),
        _ => Some(facts.id.clone()),
    };
    let known: Vec<Arc<EventFacts>> = court.all().collect();
    let of =
        |all: &[Arc<EventFacts>]| candidates(kind, all).into_iter().filter_map(name).collect::<BTreeSet<_>>().len();
    let (here, everywhere) = (of(cited), of(&known));
    let written = assertion.role(Role::Count).unwrap_or_default();
    #[allow(clippy::cast_precision_loss)] // bounded by the court's events
    let is = |count: usize| value::is(Role::Count, written, &crate::happening::SlotValue::Number(count as f64), court);
    if !court.checks.numbers {
        return Ok(all(cited));
    }
    let other = cited.iter().find(|facts| !facts.happened.iter().any(|one| one.kind == kind));
    if let Some(other) = other {
        return Err(ClaimFault::Unverifiable(format!("{} says nothing of it", other.id)));
    }
    if !is(here) {
        return Err(ClaimFault::Unsupported(format!("the number {written:?} is not that of the cited events: {here}")));
    }
    if !is(everywhere) {
        return Err(ClaimFault::Unverifiable(format!("{here} are cited, and others are known")));
    }
    Ok(all(cited))
}

/// Each side stands, and the first came first.
fn order(
    assertion: &Assertion,
    cited: &[Arc<EventFacts>],
    cites: &[Citation],
    court: &Court,
) -> Result<Witnesses, ClaimFault> {
    let [first, second] = assertion.parts.as_slice() else {
        return Err(ClaimFault::Unverifiable("an order has two sides".to_owned()));
    };
    check(first, cited, cites, court)?;
    check(second, cited, cites, court)?;
    let (a, b) = (witnesses(first, cited, court), witnesses(second, cited, court));
    if !court.checks.order {
        return Ok(a.iter().chain(&b).map(|(facts, _)| facts.id.clone()).collect());
    }
    let earliest = |side: &[HappeningOf]| -> Option<Time> { side.iter().map(|(_, one)| one.at).min() };
    let (Some(one), Some(other)) = (earliest(&a), earliest(&b)) else {
        return Err(ClaimFault::Unverifiable("one side of the order is no event".to_owned()));
    };
    if first.kind == second.kind && first.roles == second.roles {
        return Err(ClaimFault::Unverifiable("both sides of the order are the same".to_owned()));
    }
    if one.nanos() > other.nanos() {
        let apart = one.since(other).as_secs_f64();
        let why = format!("the first of the two began at {one}, the other at {other}");
        return Err(if apart > SAME_S { ClaimFault::Unsupported(why) } else { ClaimFault::Unverifiable(why) });
    }
    let length = assertion.role(Role::Length).and_then(span);
    let fits = |a: &HappeningOf, b: &HappeningOf| {
        b.1.at >= a.1.at && length.is_none_or(|span| span.is(b.1.at.since(a.1.at).as_secs_f64()))
    };
    let pair = a.iter().find_map(|a| b.iter().find(|b| fits(a, b)).map(|b| (a, b)));
    match pair {
        Some(_) => Ok(a.iter().chain(&b).map(|(facts, _)| facts.id.clone()).collect()),
        None if !court.checks.times => Ok(all(cited)),
        None => {
            let written = assertion.role(Role::Length).unwrap_or_default();
            Err(ClaimFault::Unsupported(format!("the length of time {written:?} does not lie between them")))
        }
    }
}
