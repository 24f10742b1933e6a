//! What an event names: services, people, and the alert that it introduces. Owns the fields that hold names; refuses to
//! know what is said of them.

use hindcast_api::{Event, EventKind};
use serde_json::Value;

/// The services that an event is about, as it spells them.
pub(crate) fn services_named(event: &Event) -> Vec<String> {
    let data = &event.data;
    let mut all = Vec::new();
    let places = [data.get("service"), data.get("labels").and_then(|labels| labels.get("service"))];
    all.extend(places.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
    let lists = ["services", "targets"].into_iter().filter_map(|name| data.get(name)?.as_array()).flatten();
    all.extend(lists.filter_map(Value::as_str).map(str::to_owned));
    if event.event_type == "intake.change" {
        all.push(event.subject.clone());
    }
    all.retain(|name| !name.trim().is_empty());
    all
}

/// The people that an event names: who did it, who owns it, who wrote it.
pub(crate) fn people_named(event: &Event) -> Vec<String> {
    let fields = ["author", "owner", "created_by", "by"].into_iter().filter_map(|name| event.data.get(name)?.as_str());
    let person = |name: &&str| {
        let plain = name.chars().all(|c| c.is_alphanumeric() || "._-@".contains(c));
        let ours = ["system", "person", "quiet", "stale", "merged", "rules", "detector", "memory", "copilot"];
        plain && name.len() >= 2 && name.len() <= 64 && !ours.contains(name)
    };
    // a sender is no person
    let human = event.kind == EventKind::Decision || event.event_type == "intake.command";
    let actor = human.then_some(event.actor.as_str());
    fields.chain(actor).filter(person).map(str::to_lowercase).collect()
}

/// The fingerprint of an alert that an event introduces, with what it is called.
pub(crate) fn alert_of(event: &Event) -> Option<(String, Vec<String>)> {
    if !matches!(event.event_type.as_str(), "alert.fired" | "intake.alert") {
        return None;
    }
    let fingerprint = event.data.get("fingerprint").and_then(Value::as_str).unwrap_or(&event.subject);
    let names = ["name", "service"].into_iter().filter_map(|field| event.data.get(field)?.as_str());
    Some((fingerprint.to_owned(), names.map(str::to_owned).collect()))
}
