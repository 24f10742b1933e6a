//! The `OpenAPI` 3.1 document, built from the table of routes and the types' own schemas.

use hindcast_api::{Code, Problem};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::params::{Form, Param};
use crate::routes::{self, Route};

/// A route of another door on the same address.
#[derive(Clone, Debug)]
pub struct Foreign {
    /// `get`, `post`, `put`, `delete`.
    pub method: &'static str,
    /// With `{parameters}`.
    pub path: &'static str,
    /// One line.
    pub about: &'static str,
    /// Its media types.
    pub media: &'static [&'static str],
    /// The status of its good answer.
    pub status: u16,
}

/// The whole document.
#[must_use]
pub fn document(version: &str, public_url: &str, also: &[Foreign]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes::all() {
        insert(&mut paths, route.path, route.method, operation(&route, &mut generator));
    }
    for route in also {
        insert(&mut paths, route.path, route.method, foreign(route));
    }
    generator.subschema_for::<Problem>();
    let schemas = generator.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Hindcast",
            "version": version,
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url}],
        "security": [{}, {"bearer": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {"Problem": problem()},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic", "description": "Any name; the token is the password."},
            },
        },
    })
}

const DESCRIPTION: &str = "Lists answer items, next and position; a cursor stays at the position of its first page. \
as_of is a position or an RFC 3339 time and means what was known by then. \
Commands are written to the ledger first: 200 or 201 once their owner took them, 202 with the command's position \
where it did not answer within 5 seconds. A retry with the same Idempotency-Key has the first one's outcome. \
Ids may be shortened to any unique prefix. Refusals are application/problem+json with a stable code and a remedy. \
The actor is whom the header X-Hindcast-Actor names, or the name of HTTP basic, or anonymous; roles come later.";

fn insert(paths: &mut Map<String, Value>, path: &str, method: &str, operation: Value) {
    let entry = paths.entry(path).or_insert_with(|| json!({}));
    if let Some(methods) = entry.as_object_mut() {
        methods.insert(method.to_owned(), operation);
    }
}

fn operation(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut parameters: Vec<Value> = path_parameters(route.path);
    parameters.extend(route.query.iter().map(query_parameter));
    let mut responses = Map::new();
    let good = match route.gives.schema {
        Some(schema) => json!({"schema": schema(generator)}),
        None => json!({"schema": {"type": "string"}}),
    };
    for status in route.gives.status {
        let about = if *status == 501 { "Not built yet." } else { "Done." };
        let mut content = Map::from_iter([(route.gives.media.to_owned(), good.clone())]);
        content
            .extend(route.gives.also.iter().map(|media| ((*media).to_owned(), json!({"schema": {"type": "string"}}))));
        responses.insert(status.to_string(), json!({"description": about, "content": content}));
    }
    if route.command {
        parameters.extend(command_parameters());
        let pending = generator.subschema_for::<crate::commands::Pending>();
        let content = json!({"application/json": {"schema": pending}});
        responses.insert("202".to_owned(), json!({"description": "Written, not decided yet.", "content": content}));
    }
    responses.insert("default".to_owned(), json!({"$ref": "#/components/responses/Problem"}));
    let mut operation = json!({
        "operationId": operation_id(route.method, route.path),
        "summary": &route.about,
        "tags": [route.tag],
        "parameters": parameters,
        "responses": responses,
    });
    if let (Some(takes), Some(operation)) = (route.takes, operation.as_object_mut()) {
        let schema = takes.schema.schema(generator);
        let content: Map<String, Value> =
            takes.media.iter().map(|media| ((*media).to_owned(), json!({"schema": schema}))).collect();
        operation.insert("requestBody".to_owned(), json!({"content": content}));
    }
    operation
}

fn foreign(route: &Foreign) -> Value {
    let content: Map<String, Value> = route.media.iter().map(|media| ((*media).to_owned(), json!({}))).collect();
    let mut operation = json!({
        "operationId": operation_id(route.method, route.path),
        "summary": route.about,
        "tags": ["in"],
        "parameters": path_parameters(route.path),
        "responses": {
            route.status.to_string(): {"description": "Taken: it is durable."},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    });
    if let (false, Some(operation)) = (content.is_empty(), operation.as_object_mut()) {
        operation.insert("requestBody".to_owned(), json!({"content": content}));
    }
    operation
}

fn operation_id(method: &str, path: &str) -> String {
    let words = path.split(['/', '.']).filter(|word| !matches!(*word, "" | "api" | "v1" | "json"));
    let words: Vec<&str> = words.map(|word| word.trim_matches(['{', '}', '…'])).collect();
    format!("{method}_{}", words.join("_"))
}

fn path_parameters(path: &str) -> Vec<Value> {
    let names = path.split('/').filter_map(|word| word.strip_prefix('{')?.strip_suffix('}'));
    names
        .map(|name| {
            let about = if name == "source" { "The source's name." } else { "Its id, or any unique prefix." };
            json!({
                "name": name, "in": "path", "required": true, "description": about, "schema": {"type": "string"},
            })
        })
        .collect()
}

fn query_parameter(param: &Param) -> Value {
    let schema = match param.form {
        Form::Text if param.name == "label" => {
            json!({"type": "array", "items": {"type": "string"}})
        }
        Form::Text => json!({"type": "string"}),
        Form::Integer if param.name == "limit" => {
            json!({"type": "integer", "minimum": 1, "maximum": 500, "default": 50})
        }
        Form::Integer => json!({"type": "integer", "minimum": 0}),
        Form::Flag => json!({"type": "boolean"}),
        Form::Time => json!({"type": "string", "format": "date-time"}),
        Form::AsOf => {
            json!({"oneOf": [{"type": "integer", "minimum": 0}, {"type": "string", "format": "date-time"}]})
        }
        Form::Words(words) => json!({"type": "array", "items": {"type": "string", "enum": words}}),
    };
    let mut parameter = json!({"name": param.name, "in": "query", "description": param.about, "schema": schema});
    if let (Form::Words(_), Some(object)) = (param.form, parameter.as_object_mut()) {
        object.insert("style".to_owned(), json!("form"));
        object.insert("explode".to_owned(), json!(false));
    }
    parameter
}

fn command_parameters() -> Vec<Value> {
    let header = |name: &str, about: &str| json!({"name": name, "in": "header", "description": about, "schema": {"type": "string"}});
    vec![
        header("If-Match", "The revision that you saw; 412 where it is another now."),
        header("Idempotency-Key", "Makes a retry known: the same key with the same command has the first outcome."),
        header("X-Hindcast-Actor", "Your name, as it is recorded."),
    ]
}

fn problem() -> Value {
    let codes: Vec<String> = Code::ALL
        .iter()
        .map(|code| {
            let (code, status, title, _) = code.parts();
            format!("{status} `{code}`: {title}")
        })
        .collect();
    json!({
        "description": format!("Refused. Codes: {}.", codes.join("; ")),
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    })
}
