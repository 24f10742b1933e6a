//! The assertion that an event makes of itself, in its own spelling: a line of ours about it is never less than that.

use hindcast_api::{Assertion, AssertionKind as Kind, AssertionRole as Role, AssertionSource, Event};
use hindcast_domain::Time;
use hindcast_domain::text::{figure, stamp, thousands};
use serde_json::Value;

use crate::court::Court;
use crate::happening::kind_of_incident_event;
use crate::named::{people_named, services_named};
use crate::orders::is_order;

/// Characters of a quotation that are told.
const QUOTE_CHARS_MAX: usize = 140;

/// What an event of the court says happened, as one assertion; `None` for a type that the vocabulary has no kind for.
#[must_use]
pub fn tell(event: &Event, court: &Court) -> Option<Assertion> {
    let data = &event.data;
    match event.event_type.as_str() {
        "alert.fired" => {
            let occurrence = data.get("occurrence").and_then(Value::as_u64).filter(|count| *count > 1);
            let at = time_of(event, "starts_at").unwrap_or(event.time);
            let one = of(Kind::AlertFired, at).with_some(Role::Alert, text(event, "name"));
            let one = one.with_some(Role::Service, service(event)).with_some(Role::Severity, text(event, "severity"));
            Some(one.with_some(Role::Occurrence, occurrence.map(ordinal)))
        }
        "alert.resolved" => {
            let one = of(Kind::AlertResolved, time_of(event, "ends_at").unwrap_or(event.time));
            Some(alert(one, &event.subject, court))
        }
        "alert.suppressed" => {
            let one = of(Kind::AlertSuppressed, event.time);
            let until = time_of(event, "until").map(stamp);
            Some(alert(one, &event.subject, court).with_some(Role::Until, until))
        }
        "finding.raised" => found(event),
        "intake.change" => Some(changed(event)),
        "notice.requested" | "notice.delivered" => {
            let (receiver, page) = court.names().notices.get(&event.subject)?;
            page.then(|| of(Kind::Page, event.time).with(Role::Receiver, receiver.as_str()))
        }
        kind if kind.starts_with("incident.") => incident(event, kind, court),
        _ => None,
    }
}

fn of(kind: Kind, at: Time) -> Assertion {
    Assertion::new(kind).with(Role::Time, stamp(at))
}

fn text<'a>(event: &'a Event, field: &str) -> Option<&'a str> {
    event.data.get(field).and_then(Value::as_str)
}

fn time_of(event: &Event, field: &str) -> Option<Time> {
    text(event, field)?.parse().ok()
}

fn service(event: &Event) -> Option<String> {
    services_named(event).into_iter().next()
}

/// `2nd`.
fn ordinal(number: u64) -> String {
    let ending = match (number % 10, number % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// What the alert of a fingerprint is called, as far as is known.
fn alert(mut one: Assertion, fingerprint: &str, court: &Court) -> Assertion {
    for name in court.names().alert(fingerprint) {
        let service = court.names().services.get(&name.to_lowercase());
        one = match service {
            Some(service) => one.with(Role::Service, service.as_str()),
            None => one.with(Role::Alert, name.as_str()),
        };
    }
    one
}

/// A text that may be quoted: on one line, cut, and no order.
fn quotation(text: Option<&str>) -> Option<String> {
    let plain = hindcast_domain::text::cut(&text?.split_whitespace().collect::<Vec<_>>().join(" "), QUOTE_CHARS_MAX);
    let plain = plain.replace(['"', '“', '”'], "'");
    (!is_order(&plain) && plain.chars().count() >= 2).then_some(plain)
}

fn found(event: &Event) -> Option<Assertion> {
    let data = &event.data;
    let at = time_of(event, "at").unwrap_or(event.time);
    let number = |field: &str| data.get(field).and_then(Value::as_f64);
    let template = data.get("template").and_then(|template| template.get("text")).and_then(Value::as_str);
    match text(event, "kind")? {
        "metric_shift" => {
            let metric = text(event, "metric")?.split('{').next()?.trim().to_owned();
            let (before, after) = (number("before")?, number("after")?);
            let one = of(Kind::MetricMoved, at).with(Role::Metric, metric).with_some(Role::Service, service(event));
            let one = one.with(Role::Direction, if after > before { "up" } else { "down" });
            Some(one.with(Role::Before, figure(before)).with(Role::After, figure(after)))
        }
        "new_template" => {
            let count = data.get("count").and_then(Value::as_u64).map(thousands);
            let one = of(Kind::LogLine, at).with_some(Role::Service, service(event)).with_some(Role::Count, count);
            Some(one.with_some(Role::Quote, quotation(template)))
        }
        "bursting_template" => {
            let one = of(Kind::LogBurst, at).with_some(Role::Service, service(event));
            let one = one.with_some(Role::Before, number("before").map(figure));
            let one = one.with_some(Role::After, number("after").map(figure));
            Some(one.with_some(Role::Quote, quotation(template)))
        }
        _ => Some(of(Kind::Sign, at).with_some(Role::Service, service(event))),
    }
}

fn changed(event: &Event) -> Assertion {
    let one = of(Kind::Change, time_of(event, "at").unwrap_or(event.time));
    let one = one.with(Role::Change, text(event, "kind").unwrap_or("deploy")).with_some(Role::Service, service(event));
    let one = one.with_some(Role::Version, text(event, "version")).with_some(Role::Person, text(event, "author"));
    one.with_some(Role::Quote, quotation(text(event, "title")))
}

fn incident(event: &Event, kind: &str, court: &Court) -> Option<Assertion> {
    let kind = kind_of_incident_event(kind)?;
    let is_person = people_named(event).contains(&event.actor.to_lowercase());
    let person = is_person.then_some(event.actor.as_str());
    let one = of(kind, event.time).with_some(Role::Person, person);
    if kind == Kind::Said {
        let note = quotation(text(event, "text"))?;
        return Some(one.with(Role::Quote, note).by(AssertionSource::Person));
    }
    let one = one.with(Role::Incident, event.subject.as_str());
    Some(match kind {
        Kind::AlertJoined => {
            let fingerprint = text(event, "fingerprint").unwrap_or_default();
            let one = alert(one, fingerprint, court);
            if one.role(Role::Service).is_some() { one } else { one.with_some(Role::Service, service(event)) }
        }
        Kind::IncidentOpened => {
            let one = one.with_some(Role::Severity, text(event, "severity"));
            one.with_some(Role::Quote, quotation(text(event, "title")))
        }
        Kind::IncidentResolved => one.with_some(Role::Quote, quotation(text(event, "resolution"))),
        Kind::IncidentMerged | Kind::IncidentSplit => one.with_some(Role::Other, text(event, "incident")),
        Kind::IncidentAssigned => one.with_some(Role::To, text(event, "owner")),
        Kind::IncidentSnoozed => one.with_some(Role::Until, time_of(event, "until").map(stamp)),
        Kind::IncidentSeveritySet => one.with_some(Role::Severity, text(event, "severity")),
        _ => one,
    })
}
