//! What a payload would become, without storing anything: for the person who connects a sender. Owns what is shown of
//! each alert; reads with the same functions as an endpoint, and redacts as one does.

use hindcast_api::Problem;
use hindcast_domain::alert::{Observation, Signal};
use hindcast_domain::entity::Entity;
use hindcast_domain::event::RejectedItem;
use hindcast_domain::shared::SharedCopy;
use hindcast_domain::{Severity, Time};
use hindcast_entities::{EntityRules, LabelledAlert};
use serde::Serialize;
use serde_json::Value;

use crate::auth::Verified;
use crate::fingerprint::TenantKey;
use crate::format::{self, Context, Item, Payload};
use crate::redact::{Clean, Redactor};
use crate::source::{self, Source, SourceConfig, SourceError, SourceMap};

/// One alert of a payload, as it would be stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AlertExplanation {
    /// The rule's name.
    pub name: String,
    /// The thing that is broken; `null` where nothing names it.
    pub entity: Option<Entity>,
    /// The exporter, prober or controller that observed it; `null` where the program reports on itself.
    pub observed_by: Option<String>,
    /// The service that it is about.
    pub service: Option<String>,
    /// How bad it is, by the table or the source's mapping.
    pub severity: Severity,
    /// Firing, or over.
    pub status: Signal,
    /// The rule that decided what it is about.
    pub rule: Option<String>,
    /// Fields and labels that nothing reads, as JSON pointers from the alert.
    pub unmapped: Vec<String>,
}

/// A payload as it would be stored.
#[derive(Debug, Default)]
pub struct PayloadExplanation {
    /// Its alerts, in their order.
    pub alerts: Vec<AlertExplanation>,
    /// Items that would be rejected.
    pub rejected: Vec<RejectedItem>,
}

/// Reads a payload as a source would: a configured one, else a format of that name.
///
/// # Errors
/// When the source is not valid, or the payload is not of its format at all.
pub fn explain(config: &SourceConfig, payload: Value, now: Time) -> Result<PayloadExplanation, ExplainError> {
    let source = source::keyless(config)?;
    let payload = Payload { json: payload, event: None, delivery: None };
    let normalised = format::normalise(Verified::from_ledger(payload), &context(&source, now)).map_err(Box::new)?;
    let clean = Clean::of(Redactor::default(), normalised);
    let alerts = clean.items.into_iter().filter_map(|item| match item {
        Item::Alert { observation, .. } => Some(alert(*observation, source.map.as_ref())),
        Item::Change { .. } => None,
    });
    let rejected = clean.faults.into_iter().map(|fault| fault.item).collect();
    Ok(PayloadExplanation { alerts: alerts.collect(), rejected })
}

/// Why a payload cannot be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The source is not valid.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The payload is not of the source's format.
    #[error("{}", .0.detail)]
    Payload(#[from] Box<Problem>),
}

fn context(source: &Source, now: Time) -> Context<'_> {
    // No fingerprint is shown, so any key will do.
    static KEY: std::sync::LazyLock<TenantKey> = std::sync::LazyLock::new(|| TenantKey::new([0; 32]));
    Context { source, key: &KEY, now, environment: None, event: None }
}

fn alert(observation: Observation, map: Option<&SourceMap>) -> AlertExplanation {
    let labels = LabelledAlert { name: &observation.name, labels: &observation.labels };
    let unread = EntityRules::shipped().unmapped(&labels).into_iter();
    let unread = unread.filter(|label| map.is_none_or(|map| !map.reads(label)));
    let unread = unread.map(|label| format!("/labels/{label}"));
    let mut unmapped: Vec<String> = observation.unmapped.iter().cloned().chain(unread).collect();
    unmapped.sort_unstable();
    unmapped.dedup();
    let (entity, observed_by, rule) = match observation.about.map(SharedCopy::into_inner) {
        Some(about) => (about.entity, about.observed_by, Some(about.rule)),
        None => (None, None, None),
    };
    AlertExplanation {
        name: observation.name,
        entity,
        observed_by,
        service: observation.service,
        severity: observation.severity,
        status: observation.signal,
        rule,
        unmapped,
    }
}

/// A configuration of a format's own name, as an endpoint has without one.
#[must_use]
pub fn unconfigured(format: &str) -> SourceConfig {
    SourceConfig {
        name: format.to_owned(),
        format: format.to_owned(),
        environment: None,
        service: None,
        stale_after: None,
        replica_of: None,
        auth: None,
        mapping: None,
        map: None,
    }
}

/// The format that a payload looks like, where nobody names one.
#[must_use]
pub fn format_of(payload: &Value) -> &'static str {
    match payload {
        Value::Object(group) if group.get("alerts").is_some_and(Value::is_array) && group.contains_key("orgId") => {
            "grafana"
        }
        Value::Object(group) if group.contains_key("groupKey") || group.contains_key("groupLabels") => "alertmanager",
        Value::Array(items) if items.iter().all(|item| item.get("labels").is_some() && item.get("name").is_none()) => {
            "prometheus"
        }
        _ => "generic",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::MapConfig;
    use serde_json::json;

    fn now() -> Time {
        "2026-11-24T13:30:00Z".parse().unwrap()
    }

    fn payload() -> Value {
        json!({"version": "4", "groupKey": "g", "alerts": [{
            "status": "firing", "startsAt": "2026-11-24T13:29:09Z", "surprise": 1,
            "labels": {"alertname": "KubePodCrashLooping", "job": "kube-state-metrics", "severity": "critical",
                       "namespace": "payments", "pod": "pay-7f9c5d8b4-x2k9z", "flavour": "mint"}}]})
    }

    #[test]
    fn a_payload_says_what_it_would_become() {
        assert_eq!(format_of(&payload()), "alertmanager");
        let explained = explain(&unconfigured("alertmanager"), payload(), now()).unwrap();
        let alert = &explained.alerts[0];
        assert_eq!(alert.entity.as_ref().unwrap().to_string(), "pod pay-7f9c5d8b4-x2k9z in payments");
        assert_eq!(alert.observed_by.as_deref(), Some("kube-state-metrics"));
        assert_eq!((alert.service.as_deref(), alert.severity), (Some("pay"), Severity::Critical));
        assert_eq!(alert.unmapped, ["/labels/flavour", "/surprise"]);
    }

    #[test]
    fn a_sources_own_expressions_are_heard() {
        let map = MapConfig { service: Some("labels.flavour".into()), ..MapConfig::default() };
        let config = SourceConfig { map: Some(map), ..unconfigured("alertmanager") };
        let explained = explain(&config, payload(), now()).unwrap();
        assert_eq!(explained.alerts[0].service.as_deref(), Some("mint"));
        let map = MapConfig { service: Some("labels.flavour +".into()), ..MapConfig::default() };
        let wrong = SourceConfig { map: Some(map), ..unconfigured("alertmanager") };
        let error = explain(&wrong, payload(), now()).unwrap_err().to_string();
        assert!(error.contains("map.service") && error.contains("line 1"), "{error}");
    }

    /// The blocks of a document between fences of a language, in their order.
    fn blocks<'a>(document: &'a str, language: &str) -> Vec<&'a str> {
        let fenced = document.split("\n```").skip(1).step_by(2);
        fenced.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n')).collect()
    }

    #[test]
    fn the_cookbook_prints_what_its_recipe_gives() {
        #[derive(serde::Deserialize)]
        struct SourcesOfRecipe {
            sources: Vec<SourceConfig>,
        }
        let document = include_str!("../../../docs/cookbook.md");
        let (json, recipe) = (blocks(document, "json"), blocks(document, "toml"));
        let recipe: SourcesOfRecipe = toml::from_str(recipe[0]).unwrap();
        let payload: Value = serde_json::from_str(json[0]).unwrap();
        let explained = explain(&recipe.sources[0], payload, now()).unwrap();
        let lines: Vec<String> = explained.alerts.iter().map(|alert| serde_json::to_string(alert).unwrap()).collect();
        assert_eq!(json[1].trim_end(), lines.join("\n"));
    }
}
