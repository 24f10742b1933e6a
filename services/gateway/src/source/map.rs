//! What an operator says of a source's alerts: CEL expressions over labels and annotations, for their name, service,
//! severity and entity. Owns what an expression may use and how large it is; refuses one that could take long.
//!
//! An expression has no loops and calls no function whose time depends on more than its text, so the nodes of its
//! syntax tree bound the time of an evaluation, and the labels' own limits bound the size of its answer.

use std::collections::{BTreeSet, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use cel::objects::{Key, Map};
use cel::{Context, Program, Value};
use hindcast_domain::alert::{Labels, Observation};
use hindcast_domain::entity::{AlertSubject, Entity, EntityKind};
use hindcast_domain::limits::LABEL_VALUE_BYTES_MAX;
use serde::{Deserialize, Serialize};

use super::expression::{environment, labels_of, program};
use crate::severity;

/// The expressions of one source; each answers a text, except `entity`, which answers a map of texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MapConfig {
    /// The rule's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The service that the alert is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The severity's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// The thing that is broken: `{"kind": …, "name": …, "namespace": …, "cluster": …}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
}

/// Why an expression is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MapError {
    pub(crate) field: &'static str,
    /// Line and column within the expression, from 1, and what is wrong there.
    pub(crate) detail: String,
}

/// Compiled expressions.
#[derive(Clone, Default)]
pub(crate) struct SourceMap {
    name: Option<Arc<Program>>,
    service: Option<Arc<Program>>,
    severity: Option<Arc<Program>>,
    entity: Option<Arc<Program>>,
    /// The labels that they name.
    labels: BTreeSet<String>,
}

impl std::fmt::Debug for SourceMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SourceMap")
    }
}

impl SourceMap {
    /// Compiles and checks expressions.
    ///
    /// # Errors
    /// The first expression that is wrong, with line, column and what would be right.
    pub(crate) fn compile(config: &MapConfig) -> Result<Self, MapError> {
        let one = |field, text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => {
                program(text).map(|program| Some(Arc::new(program))).map_err(|detail| MapError { field, detail })
            }
        };
        let mut map = Self {
            name: one("map.name", &config.name)?,
            service: one("map.service", &config.service)?,
            severity: one("map.severity", &config.severity)?,
            entity: one("map.entity", &config.entity)?,
            labels: BTreeSet::new(),
        };
        let programs = [&map.name, &map.service, &map.severity, &map.entity].map(Clone::clone);
        for program in programs.iter().flatten() {
            labels_of(program.expression(), &mut map.labels);
        }
        Ok(map)
    }

    /// Whether an expression names a label: `labels.team` or `labels["team"]`.
    pub(crate) fn reads(&self, label: &str) -> bool {
        self.labels.contains(label)
    }

    /// Puts the expressions' answers into an observation. One that answers nothing (a label that is absent, `null` or an
    /// empty text) changes nothing; an answer of another form is named in `unmapped`.
    pub(crate) fn apply(&self, observation: &mut Observation) {
        let context = context(observation);
        let mut answers: Vec<(&str, Option<Value>)> = Vec::new();
        for (field, program) in
            [("name", &self.name), ("service", &self.service), ("severity", &self.severity), ("entity", &self.entity)]
        {
            let Some(program) = program else { continue };
            // A defect of the evaluator costs this value, and no alert.
            let evaluated = std::panic::catch_unwind(AssertUnwindSafe(|| program.execute(&context)));
            match evaluated {
                Ok(Ok(Value::Null) | Err(cel::ExecutionError::NoSuchKey(_))) => {}
                Ok(Ok(value)) => answers.push((field, Some(value))),
                Ok(Err(_)) | Err(_) => answers.push((field, None)),
            }
        }
        drop(context);
        for (field, value) in answers {
            if value.is_none_or(|value| !put(observation, field, &value)) {
                observation.unmapped.push(format!("/map/{field}"));
            }
        }
    }
}

/// Puts one answer in its place; false when it has another form than the field.
fn put(observation: &mut Observation, field: &str, value: &Value) -> bool {
    if field == "entity" {
        return entity(value).is_some_and(|entity| {
            let observed_by = observation.about.take().and_then(|about| about.into_inner().observed_by);
            let rule = format!("source/{}", observation.source);
            if observation.service.is_none() && matches!(entity.kind, EntityKind::Service | EntityKind::Workload) {
                observation.service = Some(entity.name.clone());
            }
            observation.about = Some(AlertSubject { entity: Some(entity), observed_by, rule }.into());
            true
        });
    }
    let Some(text) = text(value) else { return false };
    match field {
        _ if text.is_empty() => true,
        "name" => {
            observation.name = text;
            true
        }
        "service" => {
            observation.service = Some(text);
            true
        }
        _ => severity::of_word(&text).is_some_and(|word| {
            observation.severity = word;
            observation.unmapped.retain(|field| field != "/labels/severity");
            true
        }),
    }
}

fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Int(number) => number.to_string(),
        Value::UInt(number) => number.to_string(),
        Value::Null => String::new(),
        _ => return None,
    };
    (text.len() <= LABEL_VALUE_BYTES_MAX).then_some(text)
}

fn entity(value: &Value) -> Option<Entity> {
    let Value::Map(map) = value else { return None };
    let field = |name: &str| {
        let value = map.map.get(&Key::String(Arc::new(name.to_owned())));
        value.and_then(text).filter(|text| !text.is_empty())
    };
    Some(Entity {
        kind: EntityKind::from(field("kind").as_deref().unwrap_or("service")),
        name: field("name")?,
        namespace: field("namespace"),
        cluster: field("cluster"),
    })
}

fn context(observation: &Observation) -> Context<'static, 'static> {
    let mut context = Context::with_env(Arc::clone(environment()));
    context.add_variable_from_value("labels", map(&observation.labels));
    context.add_variable_from_value("annotations", map(&observation.annotations));
    context.add_variable_from_value("name", observation.name.as_str());
    context.add_variable_from_value("service", observation.service.as_deref().unwrap_or_default());
    context.add_variable_from_value("source", observation.source.as_str());
    // Neither name is one of the standard library's, which is the one error.
    let _host = context.add_function("host", |address: Arc<String>| {
        Arc::new(hindcast_entities::host(&address).unwrap_or_default().to_owned())
    });
    let _part = context.add_function("part", |text: Arc<String>, separator: Arc<String>, index: i64| {
        let index = usize::try_from(index).ok();
        let part = index.filter(|_| !separator.is_empty()).and_then(|index| text.split(separator.as_str()).nth(index));
        Arc::new(part.unwrap_or_default().to_owned())
    });
    context
}

fn map(labels: &Labels) -> Value {
    let pairs = labels.iter().map(|(name, value)| (Key::from(name.clone()), Value::from(value.as_str())));
    Value::Map(Map { map: Arc::new(pairs.collect::<HashMap<_, _>>()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(service: &str) -> String {
        let config = MapConfig { service: Some(service.to_owned()), ..MapConfig::default() };
        match SourceMap::compile(&config) {
            Ok(_) => panic!("{service} was taken"),
            Err(error) => format!("{}: {}", error.field, error.detail),
        }
    }

    fn applied(config: &MapConfig) -> Observation {
        let fingerprint = hindcast_domain::Fingerprint::from_mac(&[7; 32]);
        let mut observation = hindcast_testkit::observation(fingerprint, "DiskFull", "watcher");
        let labels = [("db", "orders"), ("ns", "shop"), ("prio", "P1"), ("path", "eu/shop/api"), ("at", "db-1:9187")];
        observation.labels.extend(labels.map(|(k, v)| (k.to_owned(), v.to_owned())));
        SourceMap::compile(config).unwrap().apply(&mut observation);
        observation
    }

    fn text(expression: &str) -> Option<String> {
        Some(expression.to_owned())
    }

    #[test]
    fn expressions_name_what_an_alert_is_about() {
        let observation = applied(&MapConfig {
            name: text("name + ' on ' + host(labels.at)"),
            service: text("has(labels.team) ? labels.team : part(labels.path, '/', 2)"),
            severity: text("labels.prio"),
            entity: text("{'kind': 'database', 'name': labels.db, 'namespace': labels.ns}"),
        });
        let about = observation.about.unwrap().into_inner();
        assert_eq!(about.entity.unwrap().to_string(), "database orders in shop");
        assert_eq!(about.rule, "source/prometheus");
        assert_eq!((observation.name.as_str(), observation.service.as_deref()), ("DiskFull on db-1", Some("api")));
        assert_eq!(observation.severity, hindcast_domain::Severity::Critical);
    }

    #[test]
    fn an_expression_without_an_answer_changes_nothing_and_another_form_is_named() {
        let observation = applied(&MapConfig {
            name: text("labels.absent"),
            service: text("labels"),
            severity: text("'purple'"),
            entity: text("null"),
        });
        assert_eq!((observation.name.as_str(), observation.service.as_deref()), ("DiskFull", Some("watcher")));
        assert_eq!(observation.unmapped, ["/map/service", "/map/severity"]);
    }

    #[test]
    fn labels_that_expressions_name_are_known() {
        let config = MapConfig {
            service: text("has(labels.team) ? part(labels['path'], '/', 2) : name"),
            entity: text("{'kind': 'database', 'name': [labels.db, annotations.at][0]}"),
            ..MapConfig::default()
        };
        let map = SourceMap::compile(&config).unwrap();
        let known = ["team", "path", "db", "at", "ns"].map(|label| map.reads(label));
        assert_eq!(known, [true, true, true, false, false]);
    }

    /// Whatever an expression is and whatever labels say, an evaluation ends with an answer or a name in `unmapped`.
    #[test]
    fn no_expression_costs_an_alert() {
        let longest = format!("{}labels.at", "annotations.long+".repeat(29));
        let deepest = format!("{}name{}", "[".repeat(22), "]".repeat(22));
        for expression in [
            "9223372036854775807 + size(name)",
            "-9223372036854775807 - 1 - size(name)",
            "size(name) / (size(name) - size(name))",
            "size(name) % 0",
            "[name][size(name)]",
            "[name][-1]",
            "{name: labels}[source][name]",
            "int(name) + 1",
            "double(name) > 1.0 ? name : source",
            "string(labels)",
            "labels == annotations && labels < annotations",
            "part(name, '', 0) + part(name, name, -1) + host('')",
            "part(1, 2, 3)",
            "host(labels)",
            "size(1)",
            "name.contains(labels)",
            "labels[labels]",
            &longest,
            &deepest,
        ] {
            let fingerprint = hindcast_domain::Fingerprint::from_mac(&[7; 32]);
            let mut observation = hindcast_testkit::observation(fingerprint, "DiskFull", "watcher");
            observation.annotations.insert("long".to_owned(), "ä".repeat(60_000));
            let Ok(map) = SourceMap::compile(&MapConfig { name: text(expression), ..MapConfig::default() }) else {
                panic!("{expression:.60} was refused")
            };
            map.apply(&mut observation);
            let is_left = observation.name == "DiskFull" && observation.unmapped == ["/map/name"];
            let is_put = observation.name != "DiskFull" && observation.unmapped.is_empty();
            assert!(
                is_left || is_put || observation.unmapped.is_empty(),
                "{expression:.60}: {:?}",
                observation.unmapped
            );
        }
    }

    #[test]
    fn a_wrong_or_boundless_expression_is_refused_with_its_place() {
        for (expression, part) in [
            ("labels.", "map.service: line 1, column"),
            ("labels.a +\n lables.b", "line 2, column 2: expected one of labels"),
            ("labels.a.matches('(a*)*')", "column 10: expected one of contains"),
            ("['a'].exists(x, x == 'a') ? 'a' : 'b'", "without all, exists"),
            (&"a".repeat(3_000), "at most 2048 bytes"),
            (&vec!["labels.a"; 120].join(" + "), "at most 256 parts"),
            (&vec!["labels.a"; 80].join(" + "), "at most 32 levels"),
            (&format!("labels{}", ".a".repeat(40)), "at most 32 levels"),
            (&("(".repeat(900) + "name" + &")".repeat(900)), "within one another"),
            (&("!".repeat(1_900) + "true"), "within one another"),
            (&("true?name:".repeat(150) + "name"), "within one another"),
        ] {
            assert!(refused(expression).contains(part), "{expression:.60}: {}", refused(expression));
        }
    }
}
