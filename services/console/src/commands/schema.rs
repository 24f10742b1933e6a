//! Bodies of acts as schemas, made from the catalogue's arguments.

use hindcast_domain::act::{ActArgument, ActEntry, ActName, ArgumentForm};
use hindcast_domain::{Severity, Time};
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::body;

/// The name of an act's body in the document.
fn name(act: &ActEntry) -> String {
    if act.name == ActName::Severity {
        return "SetSeverity".to_owned();
    }
    let mut chars = act.word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A reference to an act's body, which is added to the document.
pub fn of(act: &ActEntry, generator: &mut SchemaGenerator) -> Schema {
    match act.name {
        // Its matchers are spelt in two ways, and Alertmanager's names are understood: a type of its own says so.
        ActName::Silence => return generator.subschema_for::<body::SilenceBody>(),
        _ if act.arguments.is_empty() => return generator.subschema_for::<body::Nothing>(),
        _ => {}
    }
    let mut properties = Map::new();
    let mut required = Vec::new();
    for argument in act.arguments {
        properties.insert(argument.name.to_owned(), property(argument, generator));
        if argument.required {
            required.push(argument.name);
        }
    }
    let mut schema = json!({
        "type": "object", "description": format!("{}.", act.help), "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    let name = name(act);
    generator.definitions_mut().insert(name.clone(), schema);
    Schema::new_ref(format!("#/components/schemas/{name}"))
}

fn property(argument: &ActArgument, generator: &mut SchemaGenerator) -> Value {
    let optional = !argument.required;
    let described = |mut schema: Value| {
        schema["description"] = json!(format!("{}.", argument.help));
        schema
    };
    let reference = |schema: Schema| {
        let schema = schema.to_value();
        if optional { json!({"anyOf": [schema, {"type": "null"}], "default": null}) } else { schema }
    };
    described(match argument.form {
        ArgumentForm::Severity => reference(generator.subschema_for::<Severity>()),
        ArgumentForm::Since | ArgumentForm::Until => reference(generator.subschema_for::<Time>()),
        ArgumentForm::Names => json!({"type": "array", "items": {"type": "string"}, "default": []}),
        ArgumentForm::Fingerprints | ArgumentForm::Matchers => json!({"type": "array", "items": {"type": "string"}}),
        ArgumentForm::Minutes => {
            json!({"type": ["integer", "null"], "format": "uint32", "minimum": 0, "default": null})
        }
        ArgumentForm::Owner => json!({"type": ["string", "null"]}),
        _ if optional => json!({"type": ["string", "null"], "default": null}),
        _ => json!({"type": "string"}),
    })
}
