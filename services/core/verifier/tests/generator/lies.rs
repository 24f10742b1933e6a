//! Ways to make a true claim false.

use hindcast_api::{Citation, Claim, Event};
use hindcast_domain::Span;
use hindcast_verifier::Checks;

use super::truths::{begun, hms};
use super::world::{cite, service_of};
use super::{Lie, Rng, World};

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
    lie("levels the other way round", levels_turned, |checks| checks.denials = false),
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

/// A number that stands by itself, or with a percent sign, outside of quotations.
fn wrong_number(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
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

fn is_month(text: &str) -> bool {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    MONTHS.iter().any(|month| text.starts_with(month) || text.ends_with(month))
}

fn wrong_clock(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
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

fn wrong_length(_: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
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

fn wrong_service(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
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

fn wrong_quote(_: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    let open = claim.text.find(['"', '“', '`', '‘'])?;
    let from = open + claim.text[open..].chars().next().unwrap().len_utf8();
    let inner: String = claim.text[from..].split(['"', '”', '`', '’']).next()?.to_owned();
    let plain = words(&inner, |word| word.len() > 3 && word.chars().all(char::is_alphabetic));
    let (at, word) = *rng.maybe(&plain)?;
    let new = *rng.pick(&["pineapple", "satellite", "harmless", "yesterday", "voluntary"]);
    with(claim, replaced(&claim.text, from + at, word, new))
}

fn wrong_severity(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    let all = ["critical", "high", "medium", "low"];
    let event = *rng.maybe(&cited(world, claim))?;
    let severity = event.data["severity"].as_str()?;
    if !claim.text.contains("severity") || !claim.text.contains(severity) {
        return None;
    }
    let others: Vec<&str> = all.into_iter().filter(|other| *other != severity).collect();
    with(claim, claim.text.replace(severity, rng.pick::<&str>(&others)))
}

fn wrong_version(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
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

fn wrong_id(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    let id = claim.text.split([' ', ',']).find(|word| word.starts_with("INC-") || word.starts_with("EVT-"))?;
    let other = if rng.chance(50) {
        hindcast_domain::IncidentId::derive(&[b"other", &world.seed.to_be_bytes()]).to_string()
    } else {
        hindcast_domain::EventId::derive(&[b"other", &world.seed.to_be_bytes()]).to_string()
    };
    with(claim, claim.text.replace(id, &other))
}

fn wrong_alert(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    let event = *rng.maybe(&cited(world, claim))?;
    let name = event.data["name"].as_str().filter(|name| claim.text.contains(name))?;
    let others: Vec<&str> =
        ["HighErrorRate", "SaturationNearLimit", "LatencyTooHigh", "DiskAlmostFull", "InstanceDown", "QueueTooLong"]
            .into_iter()
            .filter(|other| *other != name)
            .collect();
    with(claim, claim.text.replace(name, rng.pick::<&str>(&others)))
}

fn swapped(text: &str, a: &str, b: &str) -> String {
    text.replace(a, "\u{1}").replace(b, a).replace('\u{1}', b)
}

/// The two services of an order, the other way round.
fn wrong_order(world: &World, claim: &Claim, _: &mut Rng) -> Option<Claim> {
    let order = ["before", "after", "After", "then", "came before"];
    order.iter().find(|word| claim.text.contains(**word))?;
    turned(world, claim)
}

fn wrong_cause(world: &World, claim: &Claim, _: &mut Rng) -> Option<Claim> {
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
fn denied(world: &World, claim: &Claim, _: &mut Rng) -> Option<Claim> {
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
fn something_else(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
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
fn wrong_way(world: &World, claim: &Claim, _: &mut Rng) -> Option<Claim> {
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

fn path_order(_: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
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

fn path_time(_: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    let mut told = claim.clone();
    let count = i64::try_from(told.path.len()).ok().filter(|count| *count > 0)?;
    let step = &mut told.path[usize::try_from(rng.between(0, count - 1)).unwrap()];
    step.time = step.time - Span::seconds(rng.between(90, 900));
    Some(told)
}

fn path_service(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    let mut told = claim.clone();
    let count = i64::try_from(told.path.len()).ok().filter(|count| *count > 0)?;
    let others: Vec<&String> =
        world.services.iter().map(|service| &service.name).filter(|name| !world.chain.contains(name)).collect();
    told.path[usize::try_from(rng.between(0, count - 1)).unwrap()].service = (*rng.maybe(&others)?).clone();
    Some(told)
}

fn cites_nothing(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    let mut told = claim.clone();
    let ghost = hindcast_domain::EventId::derive(&[b"ghost", &world.seed.to_be_bytes(), &rng.next().to_be_bytes()]);
    told.citations.push(Citation { event: ghost.to_string(), position: 4_096 * 110 });
    Some(told)
}

fn cites_position(_: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
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

fn cites_future(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    hidden(world, claim, rng, |event| event.position > world.position)
}

fn cites_tenant(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    hidden(world, claim, rng, |event| event.tenant != "default")
}

fn cites_environment(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    hidden(world, claim, rng, |event| event.environment == "staging")
}

/// Another real event, of another sort or about another service, so that it does not say the same.
fn cites_another(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
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

fn wrong_metric(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
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
fn wrong_person(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
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

fn wrong_day(world: &World, claim: &Claim, rng: &mut Rng) -> Option<Claim> {
    let event = *rng.maybe(&cited(world, claim))?;
    let day = begun(event).to_string()[..10].to_owned();
    let wrong = (begun(event) + Span::hours(24 * rng.between(2, 20))).to_string()[..10].to_owned();
    if !claim.text.contains(&day) || claim.text.contains(&format!("{day}T")) {
        return None;
    }
    with(claim, claim.text.replace(&day, &wrong))
}

/// From after to before.
fn levels_turned(_: &World, claim: &Claim, _: &mut Rng) -> Option<Claim> {
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
fn each_others(world: &World, claim: &Claim, _: &mut Rng) -> Option<Claim> {
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

fn each_others_count(world: &World, claim: &Claim, _: &mut Rng) -> Option<Claim> {
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
