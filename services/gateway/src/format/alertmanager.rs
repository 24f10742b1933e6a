//! The webhook of an Alertmanager (version 4) and of Grafana's unified alerting (version 1). Owns what the
//! group around the alerts says; refuses to believe the group's status: each alert has its own, and a group
//! that was cut says nothing of what it left out.

use hindcast_api::{Code, Problem};
use hindcast_domain::Span;
use hindcast_domain::alert::Signal;
use hindcast_domain::limits::LABEL_VALUE_BYTES_MAX;
use serde_json::{Map, Value};

use super::{Bad, Context, Item, Payload, SplitPayload, fields, prometheus};

/// Three times the `repeat_interval` that an Alertmanager has where nothing else is said.
const STALE_AFTER: Span = Span::hours(12);

/// The group's fields that a delivery keeps.
const KEPT: [&str; 10] = [
    "receiver",
    "status",
    "groupLabels",
    "commonLabels",
    "commonAnnotations",
    "externalURL",
    "version",
    "groupKey",
    "truncatedAlerts",
    "orgId",
];
/// Fields that say nothing that the kept ones and the alerts do not say.
const SPARED: [&str; 4] = ["title", "state", "message", "appVersion"];
/// The links that Grafana sends with an alert, and the annotations that they become.
const LINKS: [(&str, &str); 4] = [
    ("dashboardURL", "dashboard_url"),
    ("panelURL", "panel_url"),
    ("imageURL", "image_url"),
    ("silenceURL", "silence_url"),
];
/// An alert's fields.
const KNOWN: [&str; 16] = [
    "status",
    "labels",
    "annotations",
    "startsAt",
    "endsAt",
    "generatorURL",
    "fingerprint",
    "silenceURL",
    "dashboardURL",
    "panelURL",
    "imageURL",
    "values",
    "valueString",
    "orgId",
    "ruleUID",
    "filterURL",
];

/// The alerts of a group.
pub(crate) fn split(payload: Payload, _context: &Context<'_>) -> Result<SplitPayload, Problem> {
    let invalid = |detail: String| {
        Problem::new(Code::Invalid, detail)
            .remedy("Point a webhook receiver of Alertmanager or Grafana at this address.")
    };
    let mut group = match payload.json {
        Value::Object(group) => group,
        other => {
            return Err(invalid(format!("expected a group of alerts, got {}", fields::kind(&other))));
        }
    };
    match fields::text(group.get("version")).as_deref() {
        None | Some("4" | "3" | "1") => {}
        Some(other) => {
            return Err(invalid(format!("expected version 4 of the webhook, got {other:.16?}")));
        }
    }
    let Some(Value::Array(items)) = group.remove("alerts") else {
        return Err(invalid("expected a list in `alerts`".to_owned()));
    };
    let known: Vec<&str> = KEPT.iter().chain(&SPARED).copied().collect();
    let truncated = match group.get("truncatedAlerts") {
        Some(Value::String(text)) => text.parse().unwrap_or(0),
        Some(number) => number.as_u64().unwrap_or(0),
        None => 0,
    };
    let unmapped = fields::unknown(&group, &known);
    Ok(SplitPayload { items, envelope: envelope(&group), truncated, unmapped })
}

fn envelope(group: &Map<String, Value>) -> Value {
    let kept = KEPT.iter().filter_map(|name| Some(((*name).to_owned(), group.get(*name)?.clone())));
    Value::Object(kept.collect())
}

/// One alert of the group.
pub(crate) fn item(value: &Value, context: &Context<'_>) -> Result<Item, Bad> {
    let mut told = prometheus::told(value, &KNOWN, context.now)?;
    let status = fields::text(value.get("status"));
    let signal = match status.as_deref() {
        Some("resolved") => Signal::Resolved,
        Some("firing") => Signal::Firing,
        // Without a word of its own an alert is over when its end is.
        _ => {
            if status.is_some() {
                told.unmapped.push("/status".to_owned());
            }
            let is_over = told.ends_at.is_some_and(|ends_at| ends_at <= context.now);
            if is_over { Signal::Resolved } else { Signal::Firing }
        }
    };
    for (field, annotation) in LINKS {
        let link =
            fields::text(value.get(field)).filter(|link| !link.is_empty() && link.len() <= LABEL_VALUE_BYTES_MAX);
        if let Some(link) = link {
            told.annotations.entry(annotation.to_owned()).or_insert(link);
        }
    }
    let own = fields::text(value.get("fingerprint")).filter(|own| own.len() <= 128);
    Ok(told.into_item(context, signal, context.stale_after(STALE_AFTER), own))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{alerts, codes, read, read_from};
    use super::*;
    use crate::source::Source;
    use serde_json::json;

    fn group(alerts: Value) -> Value {
        json!({
            "receiver": "hindcast", "status": "firing", "alerts": alerts, "groupLabels": {"alertname": "A"},
            "commonLabels": {"alertname": "A"}, "commonAnnotations": {}, "externalURL": "http://am:9093",
            "version": "4", "groupKey": "{}:{alertname=\"A\"}", "truncatedAlerts": 0
        })
    }

    fn alert(status: &str, labels: Value) -> Value {
        json!({"status": status, "labels": labels, "annotations": {}, "startsAt": "2026-11-24T13:29:09.407Z",
               "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://p", "fingerprint": "27018bff78d5fcce"})
    }

    #[test]
    fn a_mixed_group_takes_each_alerts_own_status() {
        let normalised = read(
            "alertmanager",
            group(json!([alert("firing", json!({"a": "1"})), alert("resolved", json!({"a": "2"}))])),
        );
        let signals: Vec<Signal> = alerts(&normalised).iter().map(|alert| alert.signal).collect();
        assert_eq!(signals, [Signal::Firing, Signal::Resolved]);
        assert_eq!(alerts(&normalised)[0].stale_after, Span::hours(12));
        assert_eq!(normalised.envelope["groupKey"], "{}:{alertname=\"A\"}");
    }

    #[test]
    fn a_cut_group_says_how_much_it_hides_and_nothing_else_about_it() {
        let mut cut = group(json!([alert("resolved", json!({"a": "1"}))]));
        cut["truncatedAlerts"] = json!(3);
        cut["status"] = json!("resolved");
        let normalised = read("alertmanager", cut);
        assert_eq!((normalised.truncated, alerts(&normalised).len()), (3, 1));
    }

    #[test]
    fn the_webhook_and_the_direct_way_give_one_alert_the_same_identity() {
        let labels = json!({"alertname": "A", "severity": "critical", "note": "  spaced  ", "gone": ""});
        let hook = read("alertmanager", group(json!([alert("firing", labels.clone())])));
        let direct = read("prometheus", json!([{"labels": labels}]));
        assert_eq!(alerts(&hook)[0].fingerprint, alerts(&direct)[0].fingerprint);
        let mut shown = alert("firing", json!({"alertname": "A"}));
        shown.as_object_mut().unwrap().remove("fingerprint");
        let hook = read("alertmanager", group(json!([shown])));
        let direct = read("prometheus", json!([{"labels": {"alertname": "A"}}]));
        assert_eq!(alerts(&hook)[0].source_fingerprint, alerts(&direct)[0].source_fingerprint);
    }

    #[test]
    fn grafana_is_read_by_the_same_code() {
        let mut hook = group(json!([alert("firing", json!({"alertname": "A", "grafana_folder": "shop"}))]));
        hook["version"] = json!("1");
        hook["alerts"][0]["values"] = json!({"B": 0.5});
        hook["alerts"][0]["new"] = json!("x");
        hook["alerts"][0]["panelURL"] = json!("http://grafana/d/1?viewPanel=2");
        hook["alerts"][0]["silenceURL"] = json!("");
        let normalised = read("grafana", hook);
        assert_eq!(alerts(&normalised)[0].unmapped, ["/new", "/labels/severity"]);
        assert_eq!(alerts(&normalised)[0].annotations["panel_url"], "http://grafana/d/1?viewPanel=2");
        assert!(!alerts(&normalised)[0].annotations.contains_key("silence_url"), "an empty link is none");
    }

    #[test]
    fn what_is_no_group_is_refused_and_a_bad_alert_is_named() {
        let source = Source::of_format(super::super::find("alertmanager").unwrap());
        for bad in [json!([]), json!({"version": "9", "alerts": []}), json!({"version": "4"})] {
            assert_eq!(read_from(&source, bad.clone(), None).unwrap_err().status, 422, "{bad}");
        }
        let normalised = read("alertmanager", group(json!([alert("firing", json!({}))])));
        assert_eq!(codes(&normalised), ["no_labels"]);
    }
}
