//! A map whose keys are no text, as a list of pairs; for `serde(with)`. Owns that form in snapshots.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::RhythmKey;

/// Writes the pairs.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<V: Serialize, S: Serializer>(map: &BTreeMap<RhythmKey, V>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(map)
}

/// Reads them back.
///
/// # Errors
/// When it is no list of pairs.
pub fn deserialize<'de, V: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<RhythmKey, V>, D::Error> {
    Ok(Vec::<(RhythmKey, V)>::deserialize(from)?.into_iter().collect())
}
