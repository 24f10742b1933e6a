//! `schemas/` at the repository's root is what the types say, no file more and none less, and the fixtures
//! are what the schemas say.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

use crate::support;
use std::collections::{BTreeMap, BTreeSet};

use hindcast_events::{schema, upcast};
use serde_json::Value;
use support::{faults, fixtures, here, properties};

const MEND: &str = "mend it with: cargo run -p hindcast-events --example schemas";

fn schemas() -> BTreeMap<String, Value> {
    schema::all().into_iter().collect()
}

fn schema_of(kind: &str, schemas: &BTreeMap<String, Value>) -> Value {
    schemas[&format!("{kind}.v{}.json", upcast::current_version(kind))].clone()
}

#[test]
fn the_folder_holds_what_the_types_say() {
    let folder = here("../../../schemas");
    for (name, schema) in schemas() {
        let text =
            std::fs::read_to_string(folder.join(&name)).unwrap_or_else(|error| panic!("{name}: {error}; {MEND}"));
        assert_eq!(text, schema::text(&schema), "schemas/{name} is not what the type says; {MEND}");
    }
}

#[test]
fn no_stray_file_lies_there() {
    let known = schemas();
    for entry in std::fs::read_dir(here("../../../schemas")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(known.contains_key(&name), "schemas/{name} belongs to no event type; {MEND}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(schema: &Value, root: &Value, name: &str) {
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let pointer = target.strip_prefix('#').unwrap_or_else(|| panic!("{name}: {target} leads outside"));
            assert!(root.pointer(pointer).is_some(), "{name}: {target} leads nowhere");
        }
        schema.as_object().into_iter().flat_map(|object| object.values()).for_each(|part| walk(part, root, name));
        schema.as_array().into_iter().flatten().for_each(|part| walk(part, root, name));
    }
    for (name, schema) in schemas() {
        walk(&schema, &schema, &name);
    }
}

#[test]
fn every_current_fixture_is_what_its_schema_says() {
    let schemas = schemas();
    for fixture in fixtures().iter().filter(|f| f.version == upcast::current_version(&f.kind)) {
        let schema = schema_of(&fixture.kind, &schemas);
        let wrong = faults(&schema, &schema, &fixture.event["data"], "data", &mut BTreeSet::new());
        assert!(wrong.is_empty(), "{}: {wrong:#?}", fixture.file);
    }
}

#[test]
fn a_payload_without_a_required_key_is_not_what_its_schema_says() {
    let schemas = schemas();
    let mut taken = 0;
    for fixture in fixtures() {
        let schema = schema_of(&fixture.kind, &schemas);
        for required in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            let mut data = fixture.event["data"].clone();
            data.as_object_mut().unwrap().remove(required.as_str().unwrap());
            let wrong = faults(&schema, &schema, &data, "data", &mut BTreeSet::new());
            assert!(!wrong.is_empty(), "{} without {required}", fixture.file);
            taken += 1;
        }
    }
    assert!(taken > 100, "only {taken} keys were taken away");
}

#[test]
fn every_field_of_every_type_stands_in_a_fixture() {
    let schemas = schemas();
    let (mut known, mut met) = (BTreeSet::new(), BTreeSet::new());
    for kind in upcast::types() {
        let schema = schema_of(kind, &schemas);
        properties(&schema, &schema, kind, &mut known);
        for fixture in fixtures().iter().filter(|fixture| fixture.kind == kind) {
            faults(&schema, &schema, &fixture.event["data"], kind, &mut met);
        }
    }
    let missing: Vec<_> = known.difference(&met).collect();
    assert!(missing.is_empty(), "no fixture has {missing:#?}");
}
