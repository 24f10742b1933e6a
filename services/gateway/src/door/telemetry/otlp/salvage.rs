//! An export that cannot be read as a whole, without what cannot be read of it. Owns the way down to the one record, or
//! the one resource, that is at fault; only a request that failed comes here, so each record is read once more alone.

use prost::Message;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::super::wire::{self, wrapped};
use super::mend::Mended;

/// Fields of an export that hold its resources, of those that hold their scopes, and of those that hold their records:
/// the same numbers for logs, metrics and spans.
const RESOURCES: u64 = 1;
const SCOPES: u64 = 2;
const RECORDS: u64 = 2;
/// The field of a resource's attributes beside its scopes.
const RESOURCE: u64 = 1;

/// The parts of an export in JSON that can be read; `None` where none can.
pub(super) fn json<M: DeserializeOwned>(value: Value, list: &str, mut mended: Mended) -> Option<(M, Mended)> {
    let fits = |resource: Value| serde_json::from_value::<M>(json!({ list: [resource] })).is_ok();
    let Value::Object(mut fields) = value else { return None };
    let Some(Value::Array(resources)) = fields.remove(list) else { return None };
    let mut kept = Vec::new();
    for resource in resources {
        let Value::Object(mut resource) = resource else { continue };
        if let Some(about) = resource.get("resource").cloned()
            && !fits(json!({ "resource": about }))
        {
            resource.remove("resource");
            mended.values += 1;
        }
        let name = ["scopeLogs", "scopeMetrics", "scopeSpans"].into_iter().find(|name| resource.contains_key(*name));
        let Some(name) = name else { continue };
        let Some(Value::Array(scopes)) = resource.remove(name) else { continue };
        let scopes: Vec<Value> = scopes
            .into_iter()
            .filter_map(|scope| scope_that_fits(scope, &mut mended, |scope| fits(json!({ name: [scope] }))))
            .collect();
        resource.insert(name.to_owned(), Value::Array(scopes));
        kept.push(Value::Object(resource));
    }
    Some((serde_json::from_value(json!({ list: kept })).ok()?, mended))
}

fn scope_that_fits(scope: Value, mended: &mut Mended, fits: impl Fn(Value) -> bool) -> Option<Value> {
    let Value::Object(mut scope) = scope else { return None };
    let name = ["logRecords", "metrics", "spans"].into_iter().find(|name| scope.contains_key(*name))?;
    let Some(Value::Array(records)) = scope.remove(name) else { return None };
    let all = records.len();
    let good: Vec<Value> = records.into_iter().filter(|record| fits(json!({ name: [record] }))).collect();
    mended.records += (all - good.len()) as u64;
    Some(Value::Object(Map::from_iter([(name.to_owned(), Value::Array(good))])))
}

/// The parts of an export in protobuf that can be read; `None` where none can. The body is whole: `wire::check` saw it.
pub(super) fn protobuf<M: Message + Default>(body: &[u8]) -> Option<(M, Mended)> {
    let mut mended = Mended::default();
    let mut kept = Vec::new();
    for (_, resource) in wire::fields(body).filter(|(field, _)| *field == RESOURCES) {
        let mut good = Vec::new();
        for (field, inner) in wire::fields(resource) {
            let fits = |inner: &[u8]| M::decode(wrapped(RESOURCES, &wrapped(field, inner)).as_slice()).is_ok();
            if field == SCOPES {
                let mut records = Vec::new();
                for (_, record) in wire::fields(inner).filter(|(field, _)| *field == RECORDS) {
                    let record = wrapped(RECORDS, record);
                    if fits(&record) {
                        records.extend(record);
                    } else {
                        mended.records += 1;
                    }
                }
                good.extend(wrapped(SCOPES, &records));
            } else if field == RESOURCE {
                if fits(inner) {
                    good.extend(wrapped(RESOURCE, inner));
                } else {
                    mended.values += 1;
                }
            }
        }
        kept.extend(wrapped(RESOURCES, &good));
    }
    Some((M::decode(kept.as_slice()).ok()?, mended))
}
