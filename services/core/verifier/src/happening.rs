//! What happened by an event's own account, typed: its kinds, each with values in their roles. Owns which field of
//! which type of event fills which role; free text of a sender is a quotation of that sender and nothing else.

use hindcast_api::{AssertionKind as Kind, AssertionRole as Role, Event};
use hindcast_domain::Time;
use serde_json::Value;

use crate::known::KnownNames;
use crate::named::{people_named, services_named};
use crate::words::fold;

/// A value that an event says in a role.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SlotValue {
    /// A name or a word, folded.
    Word(String),
    /// A text of which parts may be quoted, folded.
    Text(String),
    Moment(Time),
    Number(f64),
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Happening {
    pub kind: Kind,
    /// When, for an order.
    pub at: Time,
    pub slots: Vec<(Role, SlotValue)>,
}

impl Happening {
    fn new(kind: Kind, at: Time, event: &Event) -> Self {
        let mut one = Self { kind, at, slots: Vec::new() };
        one.word(Role::Event, &event.id);
        one.word(Role::Event, &format!("#{}", event.position));
        one
    }

    fn word(&mut self, role: Role, text: &str) {
        if !text.trim().is_empty() {
            self.slots.push((role, SlotValue::Word(fold(text))));
        }
    }

    fn text(&mut self, role: Role, value: Option<&Value>) {
        if let Some(text) = value.and_then(Value::as_str).filter(|text| !text.trim().is_empty()) {
            self.slots.push((role, SlotValue::Text(fold(text))));
        }
    }

    fn field(&mut self, role: Role, value: Option<&Value>) {
        match value {
            Some(Value::String(text)) => self.word(role, text),
            Some(Value::Number(number)) => {
                self.slots.extend(number.as_f64().map(|number| (role, SlotValue::Number(number))));
            }
            _ => {}
        }
    }

    fn moment(&mut self, role: Role, time: Option<Time>) {
        self.slots.extend(time.map(|time| (role, SlotValue::Moment(time))));
    }

    fn services(&mut self, event: &Event, known: &KnownNames) {
        for service in services_named(event) {
            let one = known.resolve(&service).to_owned();
            self.word(Role::Service, &one);
        }
    }

    /// What the alert of a fingerprint is called and is about.
    fn alert(&mut self, fingerprint: &str, known: &KnownNames) {
        for name in known.alert(fingerprint) {
            match known.services.get(&name.to_lowercase()) {
                Some(one) => self.word(Role::Service, one),
                None => self.word(Role::Alert, name),
            }
        }
    }

    fn person(&mut self, event: &Event) {
        if people_named(event).contains(&event.actor.to_lowercase()) {
            self.word(Role::Person, &event.actor);
        }
    }

    pub(crate) fn of(&self, role: Role) -> impl Iterator<Item = &SlotValue> {
        self.slots.iter().filter(move |(known, _)| *known == role).map(|(_, value)| value)
    }
}

fn time_of(event: &Event, field: &str) -> Option<Time> {
    event.data.get(field)?.as_str()?.parse().ok()
}

/// Everything that an event says happened.
pub(crate) fn happenings(event: &Event, known: &KnownNames) -> Vec<Happening> {
    match event.event_type.as_str() {
        "alert.fired" | "intake.alert" => fired(event, known),
        "alert.resolved" | "alert.suppressed" => ended(event, known),
        "finding.raised" => found(event, known),
        "intake.change" => vec![changed(event, known)],
        "notice.requested" | "notice.delivered" => paged(event, known),
        kind if kind.starts_with("incident.") => incident(event, known),
        _ => Vec::new(),
    }
}

fn fired(event: &Event, known: &KnownNames) -> Vec<Happening> {
    let data = &event.data;
    let ended = data.get("status").or_else(|| data.get("signal")).and_then(Value::as_str) == Some("resolved");
    let begun = time_of(event, "starts_at").unwrap_or(event.time);
    let of = |kind: Kind, at: Time| {
        let mut one = Happening::new(kind, at, event);
        one.services(event, known);
        one.field(Role::Alert, data.get("name"));
        one.field(Role::Severity, data.get("severity"));
        one
    };
    let mut fire = of(Kind::AlertFired, begun);
    fire.moment(Role::Time, Some(begun));
    fire.moment(Role::Time, Some(event.time));
    fire.field(Role::Occurrence, data.get("occurrence"));
    let mut received = of(Kind::AlertReceived, event.time);
    received.moment(Role::Time, Some(event.time));
    let mut sign = of(Kind::Sign, begun);
    sign.moment(Role::Time, Some(begun));
    let mut said = of(Kind::Said, event.time);
    for text in data.get("annotations").and_then(Value::as_object).into_iter().flat_map(|all| all.values()) {
        said.text(Role::Quote, Some(text));
    }
    said.text(Role::Quote, data.get("title"));
    if ended { vec![said] } else { vec![fire, received, sign, said] }
}

fn ended(event: &Event, known: &KnownNames) -> Vec<Happening> {
    let over = event.event_type == "alert.resolved";
    let kind = if over { Kind::AlertResolved } else { Kind::AlertSuppressed };
    let at = time_of(event, "ends_at").unwrap_or(event.time);
    let mut one = Happening::new(kind, at, event);
    one.alert(&event.subject, known);
    one.moment(Role::Time, Some(at));
    one.moment(Role::Time, Some(event.time));
    one.moment(Role::Until, time_of(event, "until"));
    vec![one]
}

fn found(event: &Event, known: &KnownNames) -> Vec<Happening> {
    let data = &event.data;
    let at = time_of(event, "at").unwrap_or(event.time);
    let of = |kind: Kind| {
        let mut one = Happening::new(kind, at, event);
        one.services(event, known);
        one.moment(Role::Time, Some(at));
        one.field(Role::Count, data.get("count"));
        one.field(Role::Level, data.get("level"));
        one.field(Role::Before, data.get("before"));
        one.field(Role::After, data.get("after"));
        let template = data.get("template");
        one.text(Role::Quote, template.and_then(|template| template.get("text")));
        one.text(Role::Quote, template.and_then(|template| template.get("sample")));
        one
    };
    let mut all = vec![of(Kind::Sign)];
    match data.get("kind").and_then(Value::as_str).unwrap_or_default() {
        "new_template" => all.extend([of(Kind::LogLine), of(Kind::LogWritten)]),
        "bursting_template" => all.extend([of(Kind::LogBurst), of(Kind::LogWritten)]),
        "metric_shift" => {
            let mut one = of(Kind::MetricMoved);
            one.slots.retain(|(role, _)| *role != Role::Count);
            one.field(Role::Metric, data.get("metric"));
            let level = |name: &str| data.get(name).and_then(Value::as_f64);
            if let (Some(before), Some(after)) = (level("before"), level("after")) {
                one.word(Role::Direction, if after > before { "up" } else { "down" });
            }
            all.push(one);
        }
        _ => {}
    }
    all
}

fn changed(event: &Event, known: &KnownNames) -> Happening {
    let data = &event.data;
    let at = time_of(event, "at").unwrap_or(event.time);
    let mut one = Happening::new(Kind::Change, at, event);
    one.services(event, known);
    one.moment(Role::Time, Some(at));
    one.field(Role::Change, data.get("kind"));
    one.field(Role::Version, data.get("version"));
    one.field(Role::Person, data.get("author"));
    one.text(Role::Quote, data.get("title"));
    one
}

fn paged(event: &Event, known: &KnownNames) -> Vec<Happening> {
    let Some((receiver, page)) = known.notices.get(&event.subject) else {
        return Vec::new();
    };
    if !page {
        return Vec::new();
    }
    let mut one = Happening::new(Kind::Page, event.time, event);
    one.word(Role::Receiver, receiver);
    one.moment(Role::Time, Some(event.time));
    one.field(Role::Incident, event.data.get("incident"));
    one.field(Role::Severity, event.data.get("severity"));
    vec![one]
}

/// What an event of an incident's life says happened; `None` for types that the vocabulary has no kind for.
pub(crate) fn kind_of_incident_event(event_type: &str) -> Option<Kind> {
    Some(match event_type {
        "incident.opened" => Kind::IncidentOpened,
        "incident.declared" => Kind::IncidentDeclared,
        "incident.acknowledged" => Kind::IncidentAcknowledged,
        "incident.unacknowledged" => Kind::IncidentUnacknowledged,
        "incident.resolved" => Kind::IncidentResolved,
        "incident.reopened" => Kind::IncidentReopened,
        "incident.merged" => Kind::IncidentMerged,
        "incident.split" => Kind::IncidentSplit,
        "incident.assigned" => Kind::IncidentAssigned,
        "incident.snoozed" => Kind::IncidentSnoozed,
        "incident.severity_set" => Kind::IncidentSeveritySet,
        "incident.alert_joined" => Kind::AlertJoined,
        "incident.noted" => Kind::Said,
        _ => return None,
    })
}

fn incident(event: &Event, known: &KnownNames) -> Vec<Happening> {
    let data = &event.data;
    let of = |kind: Kind| {
        let mut one = Happening::new(kind, event.time, event);
        one.word(Role::Incident, &event.subject);
        one.moment(Role::Time, Some(event.time));
        one.person(event);
        one.moment(Role::Until, time_of(event, "until"));
        one.field(Role::Severity, data.get("severity"));
        one
    };
    let Some(kind) = kind_of_incident_event(&event.event_type) else { return Vec::new() };
    let mut one = of(kind);
    if matches!(kind, Kind::IncidentOpened | Kind::IncidentDeclared | Kind::AlertJoined) {
        one.services(event, known);
        let fingerprint = data.get("fingerprint").and_then(Value::as_str).unwrap_or_default();
        one.alert(fingerprint, known);
    }
    one.text(Role::Quote, data.get("title"));
    one.text(Role::Quote, data.get("text"));
    one.text(Role::Quote, data.get("resolution"));
    one.field(Role::Other, data.get("incident"));
    one.field(Role::To, data.get("owner"));
    let grouping = data.get("grouping");
    if let Some(score) = grouping.and_then(|grouping| grouping.get("score")).and_then(Value::as_f64) {
        one.slots.push((Role::Score, SlotValue::Number(score / 1_000.0)));
    }
    let mut all = vec![one];
    if data.get("team").is_some_and(Value::is_string) {
        let mut owned = of(Kind::Owned);
        owned.services(event, known);
        owned.field(Role::To, data.get("team"));
        all.push(owned);
    }
    if data.get("recurrence_of").is_some_and(Value::is_string) {
        let mut back = of(Kind::IncidentRecurred);
        back.field(Role::Other, data.get("recurrence_of"));
        all.push(back);
    }
    if data.get("cause").is_some_and(Value::is_string) {
        let mut cause = of(Kind::Cause);
        cause.text(Role::Quote, data.get("cause"));
        all.push(cause);
    }
    all
}
