//! Label sets: what the formats of the Prometheus family, and others that carry labels, make of them. Owns
//! limits, severity and environment by label, and asks the rules what an alert is about; refuses to know in which message they came.

use std::collections::BTreeMap;

use hindcast_domain::Severity;
use hindcast_domain::alert::Labels;
use hindcast_domain::entity::AlertSubject;
use hindcast_domain::limits::{ALERT_BYTES_MAX, LABEL_NAME_BYTES_MAX, LABEL_VALUE_BYTES_MAX, LABELS_MAX};
use hindcast_domain::shared::SharedCopy;
use hindcast_entities::{EntityRules, LabelledAlert, Resolution};
use serde_json::Value;

use super::{Bad, Context, fields};
use crate::severity;

/// Labels that carry the severity's word, the surest first; all but the first count only where the table
/// knows their word.
pub(crate) const SEVERITY: [&str; 3] = ["severity", "priority", "level"];

/// Labels that name the environment. Annotations never do: a resolve may lack them.
pub(crate) const ENVIRONMENT: [&str; 2] = ["environment", "env"];

const LIMITS: &str = "Send at most 256 labels and 256 annotations, names of 1 KiB, values of 16 KiB, 128 KiB in all.";

/// The labels of an alert: numbers and truth values become text, empty ones count as absent.
pub(crate) fn read(value: Option<&Value>) -> Result<Labels, Bad> {
    let fields = match value {
        None | Some(Value::Null) => return Ok(Labels::new()),
        Some(Value::Object(fields)) => fields,
        Some(other) => {
            let detail = format!("expected labels as an object, got {}", fields::kind(other));
            return Err(Bad::new("bad_labels", detail, "Send labels as an object of texts."));
        }
    };
    let mut labels = Labels::new();
    for (name, value) in fields {
        let text = match value {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            other => {
                let detail = format!("expected a text in the label {name:.64?}, got {}", fields::kind(other));
                return Err(Bad::new("bad_labels", detail, "Send every label's value as a text."));
            }
        };
        if name.is_empty() {
            return Err(Bad::new("bad_labels", "expected a name for every label, got an empty one", "Name the label."));
        }
        if !text.is_empty() {
            labels.insert(name.clone(), text);
        }
    }
    Ok(labels)
}

/// Annotations; they are for people, so whatever stands in them is kept as text.
pub(crate) fn annotations(value: Option<&Value>) -> Labels {
    let Some(Value::Object(fields)) = value else {
        return fields::text(value).map(|text| Labels::from([("description".to_owned(), text)])).unwrap_or_default();
    };
    fields
        .iter()
        .filter_map(|(name, value)| match value {
            Value::Null => None,
            Value::String(text) => Some((name.clone(), text.clone())),
            other => Some((name.clone(), other.to_string())),
        })
        .collect()
}

/// Holds an alert to the limits.
pub(crate) fn check(labels: &Labels, annotations: &Labels) -> Result<(), Bad> {
    let over = |detail: String| Err(Bad::new("over_limit", detail, LIMITS));
    for (what, map) in [("labels", labels), ("annotations", annotations)] {
        if map.len() > LABELS_MAX {
            return over(format!("expected at most {LABELS_MAX} {what}, got {}", map.len()));
        }
        for (name, value) in map {
            if name.len() > LABEL_NAME_BYTES_MAX {
                return over(format!("expected names of {what} of at most {LABEL_NAME_BYTES_MAX} bytes"));
            }
            if value.len() > LABEL_VALUE_BYTES_MAX {
                let bytes = value.len();
                return over(format!("expected at most {LABEL_VALUE_BYTES_MAX} bytes in {name:.64?}, got {bytes}"));
            }
        }
    }
    let bytes: usize = [labels, annotations].into_iter().flatten().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > ALERT_BYTES_MAX {
        return over(format!("expected at most {ALERT_BYTES_MAX} bytes an alert, got {bytes}"));
    }
    Ok(())
}

/// An alert without labels is nobody's.
pub(crate) fn must_exist(labels: &Labels) -> Result<(), Bad> {
    if labels.is_empty() {
        return Err(Bad::new("no_labels", "expected at least one label, got none", "Send the alert with its labels."));
    }
    Ok(())
}

/// What an alert of these labels is about, and its service: the one that the sender names beside them, else that of
/// the entity, else the one of its source. Exporters that observe others are no service.
pub(crate) fn subject(
    context: &Context<'_>,
    name: &str,
    labels: &Labels,
    told: Option<String>,
) -> (Option<String>, Option<SharedCopy<AlertSubject>>) {
    let Resolution { about, service } = EntityRules::shipped().resolve(&LabelledAlert { name, labels });
    let says = about.entity.is_some() || about.observed_by.is_some();
    (told.or(service).or_else(|| context.source.service.clone()), says.then(|| about.into()))
}

/// The severity that the labels name; `Err` with the field that is missing or in no table.
pub(crate) fn severity(labels: &Labels) -> Result<Severity, String> {
    let by_table = SEVERITY.iter().find_map(|name| severity::of_word(labels.get(*name)?));
    by_table.ok_or_else(|| "/labels/severity".to_owned())
}

/// The environment that the labels name.
pub(crate) fn environment(labels: &BTreeMap<String, String>) -> Option<&str> {
    ENVIRONMENT.iter().find_map(|name| labels.get(*name)).map(String::as_str)
}

/// The environment that an item names which could not be read.
pub(crate) fn environment_of(item: &Value) -> Option<String> {
    ENVIRONMENT.iter().find_map(|name| fields::text(item.get("labels")?.get(*name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_become_text_or_are_named() {
        let labels = read(Some(&json!({"a": 1, "b": true, "c": "x", "d": null, "e": ""}))).unwrap();
        let expected: Labels = [("a", "1"), ("b", "true"), ("c", "x")].map(|(k, v)| (k.into(), v.into())).into();
        assert_eq!(labels, expected);
        for bad in [json!({"a": {}}), json!({"a": []}), json!({"": "x"}), json!(["a"])] {
            assert_eq!(read(Some(&bad)).unwrap_err().code, "bad_labels", "{bad}");
        }
    }

    #[test]
    fn the_surest_label_names_the_severity() {
        let labels = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect::<Labels>();
        assert_eq!(severity(&labels(&[("priority", "p1")])), Ok(Severity::Critical));
        assert_eq!(severity(&labels(&[("severity", "purple")])), Err("/labels/severity".to_owned()));
    }

    #[test]
    fn an_alert_is_held_to_its_limits() {
        let many: Labels = (0..257).map(|n| (format!("l{n}"), "x".to_owned())).collect();
        let just: Labels = many.iter().take(256).map(|(k, v)| (k.clone(), v.clone())).collect();
        assert!(check(&just, &Labels::new()).is_ok());
        assert_eq!(check(&many, &Labels::new()).unwrap_err().code, "over_limit");
        let long = Labels::from([("a".to_owned(), "x".repeat(LABEL_VALUE_BYTES_MAX + 1))]);
        assert_eq!(check(&Labels::new(), &long).unwrap_err().code, "over_limit");
        let much: Labels = (0..9).map(|n| (format!("l{n}"), "x".repeat(LABEL_VALUE_BYTES_MAX))).collect();
        assert_eq!(check(&much, &Labels::new()).unwrap_err().code, "over_limit");
    }
}
