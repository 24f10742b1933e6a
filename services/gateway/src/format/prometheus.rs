//! What Prometheus and its like send to an Alertmanager: a bare list, without a status. Owns when such an
//! alert counts as over and how long its sender may be silent; shares the reading of one alert with the
//! Alertmanager's own webhook, so that both give it one fingerprint.

use hindcast_api::{Code, Problem};
use hindcast_domain::alert::{Observation, Signal};
use hindcast_domain::limits::LABEL_VALUE_BYTES_MAX;
use hindcast_domain::{Span, Time};
use serde_json::{Map, Value};

use super::{Bad, Context, Item, Payload, SplitPayload, fields, labels};
use crate::severity::UNMAPPED;
use crate::{fingerprint, time};

/// The family whose alerts of one label set are one alert.
pub(crate) const FAMILY: &str = "prometheus";
/// The name of a rule that has none.
const NAMELESS: &str = "alert";
/// An Alertmanager's `resolve_timeout` where nothing else is said.
const RESOLVE_TIMEOUT: Span = Span::minutes(5);
/// A sender is never called silent sooner.
const PATIENCE_MIN: Span = Span::minutes(1);

const KNOWN: [&str; 5] = ["labels", "annotations", "startsAt", "endsAt", "generatorURL"];

/// The alerts of a list.
pub(crate) fn split(payload: Payload, _context: &Context<'_>) -> Result<SplitPayload, Problem> {
    match payload.json {
        Value::Array(items) => Ok(SplitPayload { items, ..SplitPayload::default() }),
        other => {
            let detail = format!("expected a list of alerts, got {}", fields::kind(&other));
            Err(Problem::new(Code::Malformed, detail).remedy("Send the alerts as a JSON list."))
        }
    }
}

/// One alert of the list.
pub(crate) fn item(value: &Value, context: &Context<'_>) -> Result<Item, Bad> {
    let now = context.now;
    let told = told(value, &KNOWN, now)?;
    let is_over = told.ends_at.is_some_and(|ends_at| ends_at <= now);
    let stale_after = match told.ends_at {
        Some(ends_at) if !is_over => ends_at.since(now).max(PATIENCE_MIN),
        _ => RESOLVE_TIMEOUT,
    };
    let signal = if is_over { Signal::Resolved } else { Signal::Firing };
    Ok(told.into_item(context, signal, context.stale_after(stale_after), None))
}

/// One alert as every member of the family tells it.
pub(crate) struct PrometheusAlert {
    labels: hindcast_domain::alert::Labels,
    pub(super) annotations: hindcast_domain::alert::Labels,
    pub(crate) starts_at: Option<Time>,
    pub(crate) ends_at: Option<Time>,
    url: Option<String>,
    pub(crate) unmapped: Vec<String>,
}

/// An item that is an object.
pub(crate) fn object(value: &Value) -> Result<&Map<String, Value>, Bad> {
    value.as_object().ok_or_else(|| {
        let detail = format!("expected an object, got {}", fields::kind(value));
        Bad::new("not_an_object", detail, "Send every item as a JSON object.")
    })
}

/// Reads what the family has in common. A time that cannot be read is named and costs nothing else.
pub(crate) fn told(value: &Value, known: &[&str], now: Time) -> Result<PrometheusAlert, Bad> {
    let alert = object(value)?;
    let labels = labels::read(alert.get("labels"))?;
    labels::must_exist(&labels)?;
    let annotations = labels::annotations(alert.get("annotations"));
    labels::check(&labels, &annotations)?;
    let mut unmapped = fields::unknown(alert, known);
    let mut at = |name: &str| {
        let (time, unreadable) = time::any(alert.get(name), now);
        if unreadable {
            unmapped.push(format!("/{name}"));
        }
        time
    };
    let (mut starts_at, ends_at) = (at("startsAt"), at("endsAt"));
    // An end is an end, whatever its sender says of the start.
    if starts_at.zip(ends_at).is_some_and(|(starts_at, ends_at)| ends_at < starts_at) {
        starts_at = None;
        unmapped.push("/startsAt".to_owned());
    }
    let url = fields::text(alert.get("generatorURL"));
    if url.as_ref().is_some_and(|url| url.len() > LABEL_VALUE_BYTES_MAX) {
        unmapped.push("/generatorURL".to_owned());
    }
    let url = url.filter(|url| url.len() <= LABEL_VALUE_BYTES_MAX);
    Ok(PrometheusAlert { labels, annotations, starts_at, ends_at, url, unmapped })
}

impl PrometheusAlert {
    /// As an observation of ours. `own` is the fingerprint that the sender names, if it does.
    pub(crate) fn into_item(
        self,
        context: &Context<'_>,
        signal: Signal,
        stale_after: Span,
        own: Option<String>,
    ) -> Item {
        let Self { labels, annotations, starts_at, ends_at, url, mut unmapped } = self;
        let environment = context.environment(labels::environment(&labels));
        let severity = labels::severity(&labels).unwrap_or_else(|field| {
            unmapped.push(field);
            UNMAPPED
        });
        let name = labels.get("alertname").map_or_else(|| NAMELESS.to_owned(), Clone::clone);
        let (service, about) = labels::subject(context, &name, &labels, None);
        let mut observation = Observation {
            fingerprint: fingerprint::of_labels(context.key, &environment, FAMILY, &labels),
            source_fingerprint: Some(own.unwrap_or_else(|| fingerprint::of_prometheus(&labels))),
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
            stale_after,
            url,
            unmapped,
        };
        if let Some(map) = &context.source.map {
            map.apply(&mut observation);
        }
        Item::Alert { environment, observation: Box::new(observation) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{alerts, codes, read};
    use super::*;
    use hindcast_domain::Severity;
    use serde_json::json;

    fn one(alert: Value) -> Observation {
        let normalised = read("prometheus", json!([alert]));
        assert_eq!(codes(&normalised), Vec::<&str>::new());
        (*alerts(&normalised)[0]).clone()
    }

    #[test]
    fn an_alert_is_over_once_its_end_is_not_in_the_future() {
        for (ends_at, signal, stale_after) in [
            ("2026-11-24T13:34:00Z", Signal::Firing, Span::minutes(4)),
            ("2026-11-24T13:30:01Z", Signal::Firing, Span::minutes(1)),
            ("2026-11-24T13:30:00Z", Signal::Resolved, Span::minutes(5)),
            ("2026-11-24T13:29:58.873Z", Signal::Resolved, Span::minutes(5)),
            ("0001-01-01T00:00:00.000Z", Signal::Firing, Span::minutes(5)),
        ] {
            let alert = one(json!({"labels": {"alertname": "A"}, "endsAt": ends_at}));
            assert_eq!((alert.signal, alert.stale_after), (signal, stale_after), "{ends_at}");
            assert_eq!(alert.ends_at.is_some(), signal == Signal::Resolved);
        }
    }

    #[test]
    fn what_labels_say_is_found_and_what_they_do_not_is_named() {
        let alert = one(json!({
            "labels": {"alertname": "High", "severity": "page", "job": "cart", "empty": ""},
            "annotations": {"summary": "s", "n": 5}, "generatorURL": "http://p/graph", "extra": 1,
            "startsAt": "0001-01-01T00:00:00.000Z"
        }));
        assert_eq!((alert.name.as_str(), alert.severity), ("High", Severity::Critical));
        assert_eq!(alert.service.as_deref(), Some("cart"));
        assert_eq!((alert.starts_at, alert.unmapped), (None, vec!["/extra".to_owned()]));
        assert_eq!(alert.labels.get("empty"), None, "an empty label is none");
        assert_eq!(alert.annotations.get("n").map(String::as_str), Some("5"));
        let plain = one(json!({"labels": {"x": "y"}}));
        assert_eq!((plain.name.as_str(), plain.severity), ("alert", Severity::Medium));
        assert_eq!(plain.unmapped, ["/labels/severity"]);
    }

    #[test]
    fn bad_alerts_are_named_and_the_others_taken() {
        let normalised = read(
            "prometheus",
            json!([
                {"labels": {}}, {"labels": {"a": {}}}, 5, null, {"labels": {"": "b"}}, {}, {"labels": {"a": "b"}}
            ]),
        );
        assert_eq!(
            codes(&normalised),
            ["no_labels", "bad_labels", "not_an_object", "not_an_object", "bad_labels", "no_labels"]
        );
        assert_eq!((alerts(&normalised).len(), normalised.faults[5].item.index), (1, 5));
    }

    /// Whatever is wrong with a time, the alert is taken, and what it says of its end counts.
    #[test]
    fn an_odd_time_costs_itself_alone() {
        let (early, late) = ("2026-11-24T13:00:00Z", "2026-11-24T13:20:00Z");
        for (starts_at, ends_at, signal, unmapped) in [
            (json!(late), json!(early), Signal::Resolved, vec!["/startsAt"]),
            (json!("2030-01-01T00:00:00Z"), json!("2020-01-01T00:00:00Z"), Signal::Resolved, vec!["/startsAt"]),
            (json!(late), json!(late), Signal::Resolved, vec![]),
            (json!("soon"), json!("never"), Signal::Firing, vec!["/endsAt", "/startsAt"]),
            (json!("2026-11-24T13:00:00"), json!(null), Signal::Firing, vec![]),
            (json!({"a": 1}), json!(early), Signal::Resolved, vec!["/startsAt"]),
            (json!(1_795_526_000), json!(false), Signal::Firing, vec!["/endsAt"]),
        ] {
            let value =
                json!({"labels": {"alertname": "A", "severity": "page"}, "startsAt": starts_at, "endsAt": ends_at});
            let mut alert = one(value.clone());
            alert.unmapped.sort();
            assert_eq!(
                (alert.signal, alert.unmapped.iter().map(String::as_str).collect()),
                (signal, unmapped),
                "{value}"
            );
        }
    }

    #[test]
    fn the_environment_is_read_from_labels_alone_and_is_part_of_the_identity() {
        let staging = read("prometheus", json!([{"labels": {"a": "b", "env": "Staging"}}]));
        let annotated = read("prometheus", json!([{"labels": {"a": "b"}, "annotations": {"environment": "staging"}}]));
        let environment = |normalised: &super::super::Normalised| match &normalised.items[0] {
            Item::Alert { environment, .. } | Item::Change { environment, .. } => environment.clone(),
        };
        assert_eq!(environment(&staging), "staging");
        assert_eq!(environment(&annotated), "production");
    }
}
