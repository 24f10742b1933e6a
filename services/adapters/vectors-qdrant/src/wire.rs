//! Points as the server keeps them: ids, payload fields, filters. Owns the names; refuses to send anything.

use std::collections::HashMap;

use hindcast_vectors::{Checkpoint, Error, Neighbour, Point, Query};
use qdrant_client::qdrant::value::Kind;
use qdrant_client::qdrant::{Condition, Filter, PointId, PointStruct, Range, ScoredPoint, Value};
use sha2::{Digest, Sha256};

use crate::versions::{ItemKey, NEVER};

pub(crate) const PARTITION: &str = "partition";
pub(crate) const KIND: &str = "kind";
pub(crate) const ITEM: &str = "item";
pub(crate) const POSITION: &str = "position";
pub(crate) const SUPERSEDED_AT: &str = "superseded_at";
const GONE: &str = "gone";
/// What the caller wants back, as JSON text, so that it comes back as it went.
pub(crate) const PAYLOAD: &str = "payload";
/// The kind of the one point that says how far the store is.
const CHECKPOINT: &str = "_checkpoint";

/// The payload of a point.
type PayloadFields = HashMap<String, Value>;

/// A name-based id, after RFC 9562 version 8: the first bits of SHA-256 over the parts with their lengths.
fn id(parts: &[&[u8]]) -> PointId {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hindcast_domain::hex::hex(&bytes);
    let (a, rest) = hex.split_at(8);
    let (b, rest) = rest.split_at(4);
    let (c, rest) = rest.split_at(4);
    let (d, e) = rest.split_at(4);
    PointId::from(format!("{a}-{b}-{c}-{d}-{e}"))
}

/// Derived from the item and its position, so that a repeated write replaces the same point.
pub(crate) fn version_id(item: &ItemKey, position: u64) -> PointId {
    let position = position.to_be_bytes();
    id(&[item.partition.as_bytes(), item.kind.as_bytes(), item.item.as_bytes(), &position])
}

pub(crate) fn checkpoint_id() -> PointId {
    id(&[CHECKPOINT.as_bytes()])
}

/// A position as the server counts; one that it could not tell from its neighbours is refused.
pub(crate) fn whole(position: u64) -> Result<i64, Error> {
    let fits = i64::try_from(position).ok().filter(|_| position <= NEVER);
    fits.ok_or_else(|| Error::Unavailable(format!("expected a position up to {NEVER}, got {position}")))
}

/// A version as the server keeps it.
pub(crate) fn point(point: Point, superseded_at: u64) -> Result<PointStruct, Error> {
    let item = ItemKey::of(&point);
    let id = version_id(&item, point.position);
    let fields = PayloadFields::from([
        (PARTITION.to_owned(), Value::from(item.partition)),
        (KIND.to_owned(), Value::from(item.kind)),
        (ITEM.to_owned(), Value::from(item.item)),
        (POSITION.to_owned(), Value::from(whole(point.position)?)),
        (SUPERSEDED_AT.to_owned(), Value::from(whole(superseded_at)?)),
        (GONE.to_owned(), Value::from(point.gone)),
        (PAYLOAD.to_owned(), Value::from(point.payload.to_string())),
    ]);
    Ok(PointStruct::new(id, point.vector, fields))
}

/// The point that says how far the store is. Its vector says nothing: a server wants one.
pub(crate) fn checkpoint_point(checkpoint: &Checkpoint, dimension: usize) -> Result<PointStruct, Error> {
    let text = serde_json::to_string(checkpoint).map_err(|error| Error::Unavailable(error.to_string()))?;
    let mut vector = vec![0.0_f32; dimension];
    if let Some(first) = vector.first_mut() {
        *first = 1.0;
    }
    let fields =
        PayloadFields::from([(KIND.to_owned(), Value::from(CHECKPOINT)), (PAYLOAD.to_owned(), Value::from(text))]);
    Ok(PointStruct::new(checkpoint_id(), vector, fields))
}

pub(crate) fn checkpoint(fields: &PayloadFields) -> Result<Checkpoint, Error> {
    let text = text(fields, PAYLOAD)?;
    serde_json::from_str(&text).map_err(|error| Error::Damaged(format!("the checkpoint does not parse: {error}")))
}

/// What a search may see: `position ≤ as_of < superseded_at`, and nothing that is gone.
#[allow(clippy::cast_precision_loss)] // below 2^53
pub(crate) fn visible(query: &Query) -> Filter {
    let as_of = query.as_of.min(NEVER - 1) as f64;
    let mut filter = Filter::must([
        Condition::matches(PARTITION, query.partition.clone()),
        Condition::matches(KIND, query.kind.to_string()),
        Condition::matches(GONE, false),
        Condition::range(POSITION, Range { lte: Some(as_of), ..Range::default() }),
        Condition::range(SUPERSEDED_AT, Range { gt: Some(as_of), ..Range::default() }),
    ]);
    if !query.without.is_empty() {
        filter.must_not.push(Condition::matches(ITEM, query.without.clone()));
    }
    filter
}

/// All versions of these items.
pub(crate) fn versions_of(partition: &str, kind: &str, items: Vec<String>) -> Filter {
    Filter::must([
        Condition::matches(PARTITION, partition.to_owned()),
        Condition::matches(KIND, kind.to_owned()),
        Condition::matches(ITEM, items),
    ])
}

/// Everything but the checkpoint.
pub(crate) fn all_versions() -> Filter {
    Filter::must_not([Condition::matches(KIND, CHECKPOINT.to_owned())])
}

/// A hit of a search.
pub(crate) fn found(point: &ScoredPoint) -> Result<Neighbour, Error> {
    let payload = text(&point.payload, PAYLOAD)?;
    let payload =
        serde_json::from_str(&payload).map_err(|error| Error::Damaged(format!("a payload does not parse: {error}")))?;
    Ok(Neighbour {
        item: text(&point.payload, ITEM)?,
        position: number(&point.payload, POSITION)?,
        score: point.score,
        payload,
    })
}

pub(crate) fn text(fields: &PayloadFields, name: &str) -> Result<String, Error> {
    match fields.get(name).and_then(|value| value.kind.as_ref()) {
        Some(Kind::StringValue(text)) => Ok(text.clone()),
        other => Err(Error::Damaged(format!("expected a text in {name}, got {other:?}"))),
    }
}

pub(crate) fn number(fields: &PayloadFields, name: &str) -> Result<u64, Error> {
    match fields.get(name).and_then(|value| value.kind.as_ref()) {
        Some(Kind::IntegerValue(number)) if *number >= 0 => Ok(number.unsigned_abs()),
        other => Err(Error::Damaged(format!("expected a position in {name}, got {other:?}"))),
    }
}
