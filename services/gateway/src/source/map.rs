//! What an operator says of a source's alerts: CEL expressions over labels and annotations, for their name, service,
//! severity and entity. Owns what an expression may use and how large it is; refuses one that could take long.
//!
//! An expression has no loops and calls no function whose time depends on more than its text, so the nodes of its
//! syntax tree bound the time of an evaluation, and the labels' own limits bound the size of its answer.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock};

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::objects::{Key, Map};
use cel::{Context, Env, Program, Value};
use hindcast_domain::alert::{Labels, Observation};
use hindcast_domain::entity::{AlertSubject, Entity, EntityKind};
use hindcast_domain::limits::LABEL_VALUE_BYTES_MAX;
use serde::{Deserialize, Serialize};

use crate::severity;

/// Bytes of one expression.
const EXPRESSION_BYTES_MAX: usize = 2_048;
/// Nodes of one expression's syntax tree.
const NODES_MAX: usize = 256;
/// Brackets and conditions within one another; the parser needs the stack for each.
const DEPTH_MAX: usize = 24;
/// What an expression can read.
const VARIABLES: [&str; 5] = ["labels", "annotations", "name", "service", "source"];
/// What an expression can call, besides operators and `has(…)`.
const FUNCTIONS: [&str; 9] = ["contains", "startsWith", "endsWith", "size", "string", "int", "double", "host", "part"];

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
        Ok(Self {
            name: one("map.name", &config.name)?,
            service: one("map.service", &config.service)?,
            severity: one("map.severity", &config.severity)?,
            entity: one("map.entity", &config.entity)?,
        })
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

fn program(text: &str) -> Result<Program, String> {
    if text.len() > EXPRESSION_BYTES_MAX {
        return Err(format!("expected at most {EXPRESSION_BYTES_MAX} bytes, got {}", text.len()));
    }
    if depth(text) > DEPTH_MAX {
        return Err(format!("line 1: expected at most {DEPTH_MAX} brackets and conditions within one another"));
    }
    let program = environment().compile(text).map_err(|errors| match errors.errors.first() {
        Some(error) => format!("line {}, column {}: {}", error.pos.0, error.pos.1, first_line(&error.msg)),
        None => "expected an expression".to_owned(),
    })?;
    let references = program.references();
    if let Some(unknown) = references.variables().into_iter().find(|name| !VARIABLES.contains(name)) {
        return Err(at(text, unknown, &format!("expected one of {}, got {unknown:?}", VARIABLES.join(", "))));
    }
    // Operators are functions too, with names that are no words.
    let is_word = |name: &str| name.starts_with(|c: char| c.is_ascii_alphabetic());
    let unknown = references.functions().into_iter().find(|name| is_word(name) && !FUNCTIONS.contains(name));
    if let Some(unknown) = unknown {
        return Err(at(text, unknown, &format!("expected one of {}, got {unknown:?}", FUNCTIONS.join(", "))));
    }
    match nodes(program.expression()) {
        None => Err("line 1: expected an expression without all, exists, filter and map".to_owned()),
        Some(nodes) if nodes > NODES_MAX => Err(format!("line 1: expected at most {NODES_MAX} parts, got {nodes}")),
        Some(_) => Ok(program),
    }
}

/// The most levels that a text can have: brackets that are open at once, and all conditions and signs in a row. A
/// bracket in a quotation counts too, which errs on the safe side.
fn depth(text: &str) -> usize {
    let (mut open, mut most, mut conditions, mut signs, mut row) = (0_usize, 0_usize, 0_usize, 0_usize, 0_usize);
    for sign in text.chars() {
        match sign {
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            '?' => conditions += 1,
            _ => {}
        }
        row = match sign {
            '!' | '-' => row + 1,
            sign if sign.is_whitespace() => row,
            _ => 0,
        };
        (most, signs) = (most.max(open), signs.max(row));
    }
    most + conditions + signs
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// A message with the line and the column at which a word first stands.
fn at(text: &str, word: &str, message: &str) -> String {
    let before = text.find(word).and_then(|offset| text.get(..offset)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
    format!("line {line}, column {column}: {message}")
}

/// Nodes of an expression; `None` when it loops.
fn nodes(expression: &IdedExpr) -> Option<usize> {
    let all = |parts: &mut dyn Iterator<Item = &IdedExpr>| -> Option<usize> {
        let mut sum = 1_usize;
        for part in parts {
            sum += nodes(part)?;
        }
        Some(sum)
    };
    match &expression.expr {
        Expr::Comprehension(_) | Expr::Struct(_) => None,
        Expr::Call(call) => all(&mut call.target.iter().map(|target| &**target).chain(&call.args)),
        Expr::List(list) => all(&mut list.elements.iter()),
        Expr::Select(select) => all(&mut std::iter::once(&*select.operand)),
        Expr::Map(map) => {
            let entries = map.entries.iter().filter_map(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => Some([&entry.key, &entry.value]),
                EntryExpr::StructField(_) => None,
            });
            all(&mut entries.flatten())
        }
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => Some(1),
    }
}

fn environment() -> &'static Arc<Env> {
    static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));
    &ENVIRONMENT
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
    fn a_wrong_or_boundless_expression_is_refused_with_its_place() {
        for (expression, part) in [
            ("labels.", "map.service: line 1, column"),
            ("labels.a +\n lables.b", "line 2, column 2: expected one of labels"),
            ("labels.a.matches('(a*)*')", "column 10: expected one of contains"),
            ("['a'].exists(x, x == 'a') ? 'a' : 'b'", "without all, exists"),
            (&"a".repeat(3_000), "at most 2048 bytes"),
            (&vec!["labels.a"; 200].join(" + "), "line 1"),
            (&("(".repeat(900) + "name" + &")".repeat(900)), "within one another"),
            (&("!".repeat(1_900) + "true"), "within one another"),
            (&("true?name:".repeat(150) + "name"), "within one another"),
        ] {
            assert!(refused(expression).contains(part), "{expression:.60}: {}", refused(expression));
        }
    }
}
