//! Where the values of a proposal's parameters come from. Owns which values the evidence knows; refuses to fill any.

use std::collections::BTreeMap;

use hindcast_api::{Causes, Citation};
use hindcast_domain::proposal::ParameterSource;
use hindcast_rca::Evidence;
use serde_json::Value;

use super::fill::FilledRunbook;
use super::{InvalidRunbook, Runbook, Type, value};

/// Where the value of each parameter comes from, by the parameter's name.
pub(super) type ParameterSources = BTreeMap<String, ParameterSource>;

/// The word for a value that the runbook has by itself.
pub(super) const DEFAULT: &str = "default";
/// The word for a value of whoever proposed it, which no event says.
const GIVEN: &str = "given";

/// A source, with the event that says so.
pub(super) fn source(from: &str, event: Option<&Citation>) -> ParameterSource {
    ParameterSource { from: from.to_owned(), event: event.and_then(|event| event.event.parse().ok()) }
}

/// The sources of parameters that a person or a model named.
///
/// # Errors
/// When a text that names a target is neither in the evidence nor the default: nobody knows of such a target.
pub(super) fn of_given(
    runbook: &Runbook,
    given: &BTreeMap<String, Value>,
    filled: &FilledRunbook,
    evidence: &Evidence,
    causes: &Causes,
) -> Result<ParameterSources, InvalidRunbook> {
    let known = known(evidence, causes);
    let mut sources = ParameterSources::new();
    for (name, param) in &runbook.params {
        let text = filled.params.get(name).map(value::written).unwrap_or_default();
        let is_given = given.get(name).is_some_and(|value| !value.is_null());
        let is_default = param.default.as_ref().map(value::written).as_deref() == Some(text.as_str());
        let is_target = param.kind == Type::String && runbook.targets.iter().any(|target| names(target, name));
        let source = match known.get(&text) {
            Some((from, event)) if is_given => source(from, Some(event)),
            _ if is_default || !is_given => source(DEFAULT, None),
            _ if is_target => return Err(InvalidRunbook::NoEvidence { name: name.clone(), got: value::cut(&text) }),
            _ => source(GIVEN, None),
        };
        sources.insert(name.clone(), source);
    }
    Ok(sources)
}

/// Whether a target has the place of a parameter in it.
fn names(target: &str, param: &str) -> bool {
    target.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).any(|(name, _)| name.trim() == param)
}

/// Every value that the evidence names, with where, and the event that says so.
fn known(evidence: &Evidence, causes: &Causes) -> BTreeMap<String, (String, Citation)> {
    let mut known: BTreeMap<String, (String, Citation)> = BTreeMap::new();
    let mut add = |value: &str, from: &str, event: &Citation| {
        known.entry(value.to_owned()).or_insert_with(|| (from.to_owned(), event.clone()));
    };
    for symptom in &evidence.symptoms {
        let alert = &symptom.alert;
        for (name, value) in &alert.labels {
            add(value, &format!("alert.label.{name}"), &symptom.fired);
        }
        for (name, value) in &alert.annotations {
            add(value, &format!("alert.annotation.{name}"), &symptom.fired);
        }
        alert.service.iter().for_each(|service| add(service, "alert.service", &symptom.fired));
    }
    for finding in &evidence.findings {
        let event = Citation { event: finding.event.clone(), position: finding.position };
        add(&finding.finding.service, "finding.service", &event);
        finding.finding.metric.iter().for_each(|metric| add(metric, "finding.metric", &event));
    }
    for change in &evidence.changes {
        let event = Citation { event: change.event.clone(), position: change.position };
        change.change.version.iter().for_each(|version| add(version, "change.version", &event));
        change.change.service.iter().for_each(|service| add(service, "change.service", &event));
    }
    for cause in &causes.items {
        cause.citations.first().into_iter().for_each(|event| add(&cause.service, "cause.service", event));
    }
    if let Some(opened) = evidence.timeline.iter().find(|entry| entry.subject == evidence.incident.id) {
        let event = Citation { event: opened.event.clone(), position: opened.position };
        add(&evidence.incident.id, "incident.id", &event);
        evidence.incident.services.iter().for_each(|service| add(service, "incident.services", &event));
    }
    known
}
