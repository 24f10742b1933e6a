//! Filters, as the protocol says: all of `must`, none of `must_not`, one of `should` where there is any.

use std::collections::HashMap;

use qdrant_client::qdrant::condition::ConditionOneOf;
use qdrant_client::qdrant::r#match::MatchValue;
use qdrant_client::qdrant::value::Kind;
use qdrant_client::qdrant::{Condition, FieldCondition, Filter, Range, Value};
use tonic::Status;

/// Whether a payload passes.
pub fn passes(filter: Option<&Filter>, payload: &HashMap<String, Value>) -> Result<bool, Status> {
    let Some(filter) = filter else { return Ok(true) };
    if filter.min_should.is_some() {
        return Err(Status::unimplemented("min_should"));
    }
    for condition in &filter.must {
        if !holds(condition, payload)? {
            return Ok(false);
        }
    }
    for condition in &filter.must_not {
        if holds(condition, payload)? {
            return Ok(false);
        }
    }
    let mut any = filter.should.is_empty();
    for condition in &filter.should {
        any |= holds(condition, payload)?;
    }
    Ok(any)
}

fn holds(condition: &Condition, payload: &HashMap<String, Value>) -> Result<bool, Status> {
    match condition.condition_one_of.as_ref() {
        Some(ConditionOneOf::Field(field)) => field_holds(field, payload.get(&field.key)),
        Some(ConditionOneOf::Filter(filter)) => passes(Some(filter), payload),
        Some(ConditionOneOf::IsEmpty(empty)) => Ok(!payload.contains_key(&empty.key)),
        other => Err(Status::unimplemented(format!("{other:?}"))),
    }
}

/// A condition on a field that is not there never holds.
fn field_holds(condition: &FieldCondition, value: Option<&Value>) -> Result<bool, Status> {
    let Some(kind) = value.and_then(|value| value.kind.as_ref()) else { return Ok(false) };
    if let Some(range) = &condition.range {
        return Ok(in_range(range, kind));
    }
    match (condition.r#match.as_ref().and_then(|wanted| wanted.match_value.as_ref()), kind) {
        (Some(MatchValue::Keyword(wanted)), Kind::StringValue(text)) => Ok(wanted == text),
        (Some(MatchValue::Keywords(wanted)), Kind::StringValue(text)) => Ok(wanted.strings.contains(text)),
        (Some(MatchValue::Boolean(wanted)), Kind::BoolValue(value)) => Ok(wanted == value),
        (Some(MatchValue::Keyword(_) | MatchValue::Keywords(_) | MatchValue::Boolean(_)), _) => Ok(false),
        (other, _) => Err(Status::unimplemented(format!("{other:?}"))),
    }
}

#[allow(clippy::cast_precision_loss)] // the protocol compares floats
fn in_range(range: &Range, kind: &Kind) -> bool {
    let value = match kind {
        Kind::IntegerValue(value) => *value as f64,
        Kind::DoubleValue(value) => *value,
        _ => return false,
    };
    range.lt.is_none_or(|bound| value < bound)
        && range.gt.is_none_or(|bound| value > bound)
        && range.lte.is_none_or(|bound| value <= bound)
        && range.gte.is_none_or(|bound| value >= bound)
}
