//! Any JSON that describes alerts: by names that most people choose, or by a configured mapping. Owns who
//! such an alert is and which labels it gets; refuses to drop one whose status nobody knows: it fires.

mod finder;

use finder::{ENVIRONMENT, Finder, NAME, SERVICE, SEVERITY, URL};
use hindcast_api::{Code, Problem};
use hindcast_domain::Span;
use hindcast_domain::alert::{Labels, Observation, Signal};
use hindcast_domain::limits::LABEL_VALUE_BYTES_MAX;
use serde_json::Value;

use super::{Bad, Context, Item, Payload, SplitPayload, fields, labels, prometheus};
use crate::fingerprint;

/// How long a sender that nobody knows may be silent.
const STALE_AFTER: Span = Span::hours(24);
/// Bytes of a sender's own key.
const KEY_BYTES_MAX: usize = 1_024;

/// The items of a payload: the list that the mapping names, `alerts`, the list or the object that it is.
pub(crate) fn split(payload: Payload, context: &Context<'_>) -> Result<SplitPayload, Problem> {
    let named = context.source.mapping.as_ref().and_then(|mapping| mapping.items.as_deref());
    let (items, envelope) = match (named, payload.json) {
        (Some(path), json) => {
            let found = fields::path(&json, path).cloned();
            (found.ok_or_else(|| invalid(format!("expected a list at {path:?}")))?, Value::Null)
        }
        (None, Value::Object(mut object)) if object.get("alerts").is_some_and(Value::is_array) => {
            let items = object.remove("alerts").unwrap_or_default();
            (items, if object.is_empty() { Value::Null } else { Value::Object(object) })
        }
        (None, json) => (json, Value::Null),
    };
    match items {
        Value::Array(items) => Ok(SplitPayload { items, envelope, ..SplitPayload::default() }),
        item @ Value::Object(_) => Ok(SplitPayload { items: vec![item], envelope, ..SplitPayload::default() }),
        other => Err(invalid(format!("expected an alert or a list of alerts, got {}", fields::kind(&other)))),
    }
}

fn invalid(detail: String) -> Problem {
    Problem::new(Code::Invalid, detail)
        .remedy("Send an object with a `name`, or a list of such objects, or configure a mapping for this source.")
}

/// One alert.
pub(crate) fn item(value: &Value, context: &Context<'_>) -> Result<Item, Bad> {
    let object = prometheus::object(value)?;
    let finder = Finder { value, object, mapping: context.source.mapping.as_ref() };
    let mut unmapped = finder.unmapped();
    let given = finder.labels()?;
    let name = finder.text(|m| &m.name, NAME).map(|(_, name)| name).or_else(|| given.get("alertname").cloned());
    let name = name.ok_or_else(|| {
        Bad::new("no_name", "expected a name, got none", "Send `name`, `title` or `alertname`, or map one.")
    })?;
    let annotations = finder.annotations();
    let service = finder.text(|m| &m.service, SERVICE).map(|(_, service)| service);
    let (starts_at, ends_at) = finder.times(context.now, &mut unmapped);
    let signal = finder.signal(ends_at, context.now, &mut unmapped);
    let severity = finder.severity(&given, &mut unmapped);
    let own = finder.key();
    let environment = finder.text(|m| &m.environment, ENVIRONMENT).map(|(_, environment)| environment);
    let environment = context.environment(environment.as_deref().or_else(|| labels::environment(&given)));
    let fingerprint = identity(context, &environment, own.as_deref(), &name, service.as_deref(), &given);
    let labels = shown(given, &name, service.as_deref(), finder.text(|m| &m.severity, SEVERITY));
    labels::check(&labels, &annotations)?;
    let url = finder.text(|m| &m.url, URL).map(|(_, url)| url).filter(|url| url.len() <= LABEL_VALUE_BYTES_MAX);
    let (service, about) = labels::subject(context, &name, &labels, service);
    let mut observation = Observation {
        fingerprint,
        source_fingerprint: own.filter(|own| own.len() <= KEY_BYTES_MAX),
        source: context.source.name.clone(),
        replica_of: context.source.replica_of.clone(),
        name,
        service,
        about,
        severity,
        signal,
        labels,
        annotations,
        starts_at,
        ends_at: ends_at.filter(|_| signal == Signal::Resolved),
        stale_after: context.stale_after(STALE_AFTER),
        url,
        unmapped,
    };
    if let Some(map) = &context.source.map {
        map.apply(&mut observation);
    }
    Ok(Item::Alert { environment, observation: Box::new(observation) })
}

/// Who the alert is: the sender's key where it names one, else name, service and labels. The severity is no
/// part of it, since an end may come without one; the source is, since another sender's key may be the same.
fn identity(
    context: &Context<'_>,
    environment: &str,
    own: Option<&str>,
    name: &str,
    service: Option<&str>,
    labels: &Labels,
) -> hindcast_domain::Fingerprint {
    let mut parts = vec![context.source.name.as_str()];
    match own {
        Some(own) => parts.extend(["key", own]),
        None => {
            parts.extend(["name", name, service.unwrap_or_default()]);
            let stay = labels.iter().filter(|(name, _)| !labels::SEVERITY.contains(&name.as_str()));
            parts.extend(stay.flat_map(|(name, value)| [name.as_str(), value.as_str()]));
        }
    }
    fingerprint::of(context.key, environment, context.source.format.family, parts)
}

/// The labels with what a silence wants to match on.
fn shown(mut labels: Labels, name: &str, service: Option<&str>, severity: Option<(String, String)>) -> Labels {
    labels.entry("alertname".to_owned()).or_insert_with(|| name.to_owned());
    if let Some(service) = service {
        labels.entry("service".to_owned()).or_insert_with(|| service.to_owned());
    }
    if let Some((_, word)) = severity {
        labels.entry("severity".to_owned()).or_insert(word);
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::super::tests::{alerts, codes, read, read_from};
    use super::*;
    use crate::source::{Mapping, Source};
    use hindcast_domain::Severity;
    use serde_json::json;

    #[test]
    fn the_usual_names_are_enough() {
        let normalised = read(
            "generic",
            json!({"title": "Disk full", "service": "db", "severity": "SEV-1", "status": "open", "id": 42,
                   "description": "d", "url": "http://x", "labels": {"host": "a"}, "time": 1_795_144_320, "rack": 7}),
        );
        let alert = alerts(&normalised)[0];
        assert_eq!(
            (alert.name.as_str(), alert.severity, alert.signal),
            ("Disk full", Severity::Critical, Signal::Firing)
        );
        assert_eq!(alert.source_fingerprint.as_deref(), Some("42"));
        assert_eq!(alert.labels.get("alertname").map(String::as_str), Some("Disk full"));
        assert_eq!(alert.annotations.get("description").map(String::as_str), Some("d"));
        assert_eq!(alert.starts_at, "2026-11-20T03:12:00Z".parse().ok());
        assert_eq!((alert.stale_after, alert.unmapped.as_slice()), (Span::hours(24), ["/rack".to_owned()].as_slice()));
    }

    #[test]
    fn one_a_list_or_a_list_inside_is_read_and_a_nameless_one_is_named() {
        for json in [json!({"name": "A"}), json!([{"name": "A"}]), json!({"alerts": [{"name": "A"}], "from": "x"})] {
            assert_eq!(alerts(&read("generic", json)).len(), 1);
        }
        assert_eq!(codes(&read("generic", json!([{"severity": "high"}, 5]))), ["no_name", "not_an_object"]);
    }

    #[test]
    fn an_end_finds_its_alert_by_key_or_by_name_service_and_labels() {
        let fingerprint = |json: Value| alerts(&read("generic", json))[0].fingerprint.clone();
        let fired = fingerprint(json!({"name": "A", "key": "k", "severity": "high", "labels": {"a": "b"}}));
        assert_eq!(fired, fingerprint(json!({"name": "A is over", "key": "k", "status": "ok"})));
        let fired = fingerprint(json!({"name": "A", "service": "db", "severity": "high"}));
        assert_eq!(fired, fingerprint(json!({"name": "A", "service": "db", "status": "resolved"})));
        assert_ne!(fired, fingerprint(json!({"name": "A", "service": "db2"})));
    }

    #[test]
    fn an_unknown_status_fires_and_says_so() {
        let normalised = read("generic", json!({"name": "A", "status": "weird", "severity": "purple"}));
        let alert = alerts(&normalised)[0];
        assert_eq!((alert.signal, alert.severity), (Signal::Firing, Severity::Medium));
        assert_eq!(alert.unmapped, ["/status", "/severity"]);
    }

    #[test]
    fn a_mapping_finds_fields_wherever_they_stand() {
        let mapping: Mapping = toml::from_str(
            r#"
            items = "data.events"
            name = "check.title"
            severity = "/check/prio"
            status = "is"
            key = ["check.id", "host"]
            label = { host = "host" }
            severity_words = { "Prio A" = "critical" }
            status_words = { "gone" = "resolved" }
            "#,
        )
        .unwrap();
        let generic = super::super::find("generic").unwrap();
        let source = Source { mapping: Some(mapping), ..Source::of_format(generic) };
        let json = json!({"data": {"events": [
            {"check": {"title": "T", "prio": "Prio A", "id": 7, "else": {"deep": 1}}, "is": "gone", "host": "h"}
        ]}});
        let normalised = read_from(&source, json, None).unwrap();
        let alert = alerts(&normalised)[0];
        assert_eq!((alert.name.as_str(), alert.severity, alert.signal), ("T", Severity::Critical, Signal::Resolved));
        assert_eq!(alert.source_fingerprint.as_deref(), Some("7/h"));
        assert_eq!(alert.labels.get("host").map(String::as_str), Some("h"));
        assert_eq!(alert.unmapped, ["/check/else/deep"]);
    }

    #[test]
    fn the_document_shows_the_words() {
        let document = include_str!("../../../../../docs/formats.md");
        for (signal, words) in [("firing", finder::FIRING), ("resolved", finder::RESOLVED)] {
            let shown = words.split(' ').map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
            assert!(document.contains(&format!("| {signal} | {shown} |")), "{signal}: {shown}");
        }
    }
}
