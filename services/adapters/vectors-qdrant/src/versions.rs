//! Which version follows which: what makes "the last version that may be seen" a filter of two comparisons.
//! Pure; refuses to know a server.
//!
//! Each point carries the position at which its item's next version became known (`superseded_at`), and
//! [`NEVER`] while there is none. A search as of `p` asks for `position ≤ p < superseded_at`. So a new version
//! changes one older point; this module says which.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_vectors::Point;

/// No later version. Numbers of filters are 64-bit floats at the server; this is the last whole number that
/// they and all below it tell apart.
pub(crate) const NEVER: u64 = (1 << 53) - 1;

/// An item of a partition and kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ItemKey {
    pub(crate) partition: String,
    pub(crate) kind: String,
    pub(crate) item: String,
}

impl ItemKey {
    pub(crate) fn of(point: &Point) -> Self {
        Self { partition: point.partition.clone(), kind: point.kind.to_string(), item: point.item.clone() }
    }
}

/// What is stored of an item: position → where its next version became known, as the store has it.
pub(crate) type StoredVersions = BTreeMap<ItemKey, BTreeMap<u64, u64>>;

/// What is to be written.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Writes {
    /// Points that are new, each with where its next version became known.
    pub(crate) new: Vec<(Point, u64)>,
    /// Points that are there and have another next version now.
    pub(crate) superseded: Vec<(ItemKey, u64, u64)>,
}

/// What is to be written so that every version knows its next one. Versions that are there stay as they are.
pub(crate) fn writes(points: Vec<Point>, stored: &StoredVersions) -> Writes {
    let mut positions: BTreeMap<ItemKey, BTreeSet<u64>> = BTreeMap::new();
    for (item, versions) in stored {
        positions.entry(item.clone()).or_default().extend(versions.keys());
    }
    for point in &points {
        positions.entry(ItemKey::of(point)).or_default().insert(point.position);
    }
    let next = |item: &ItemKey, position: u64| {
        let after = positions.get(item).and_then(|all| all.range(position + 1..).next());
        after.copied().unwrap_or(NEVER)
    };
    let mut writes = Writes::default();
    let mut seen = BTreeSet::new();
    for point in points {
        let item = ItemKey::of(&point);
        let is_there = stored.get(&item).is_some_and(|versions| versions.contains_key(&point.position));
        if !is_there && seen.insert((item.clone(), point.position)) {
            let next = next(&item, point.position);
            writes.new.push((point, next));
        }
    }
    for (item, versions) in stored {
        for (position, known) in versions {
            let next = next(item, *position);
            if next != *known {
                writes.superseded.push((item.clone(), *position, next));
            }
        }
    }
    writes
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn point(item: &str, position: u64) -> Point {
        Point {
            item: item.to_owned(),
            kind: "incident".into(),
            partition: "default/production".to_owned(),
            position,
            gone: false,
            vector: vec![1.0],
            payload: Value::Null,
        }
    }

    fn stored(versions: &[(&str, u64, u64)]) -> StoredVersions {
        let mut stored = StoredVersions::new();
        for (item, position, next) in versions {
            stored.entry(ItemKey::of(&point(item, 0))).or_default().insert(*position, *next);
        }
        stored
    }

    #[test]
    fn each_version_knows_its_next_one() {
        let writes = writes(vec![point("A", 10), point("A", 30), point("B", 20)], &StoredVersions::new());
        let new: Vec<_> = writes.new.iter().map(|(point, next)| (point.item.as_str(), point.position, *next)).collect();
        assert_eq!(new, [("A", 10, 30), ("A", 30, NEVER), ("B", 20, NEVER)]);
        assert_eq!(writes.superseded, []);
    }

    #[test]
    fn a_new_version_changes_the_one_before_it_alone() {
        let there = stored(&[("A", 10, 30), ("A", 30, NEVER), ("B", 5, NEVER)]);
        let writes = writes(vec![point("A", 20), point("A", 40)], &there);
        let new: Vec<_> = writes.new.iter().map(|(point, next)| (point.position, *next)).collect();
        assert_eq!(new, [(20, 30), (40, NEVER)]);
        let superseded: Vec<_> = writes.superseded.iter().map(|(_, position, next)| (*position, *next)).collect();
        assert_eq!(superseded, [(10, 20), (30, 40)]);
    }

    #[test]
    fn a_step_that_was_cut_short_is_completed() {
        // The new point was written, the older one was not changed yet.
        let there = stored(&[("A", 10, NEVER), ("A", 20, NEVER)]);
        let writes = writes(vec![point("A", 20)], &there);
        assert_eq!(writes.new, []);
        assert_eq!(writes.superseded.iter().map(|(_, at, next)| (*at, *next)).collect::<Vec<_>>(), [(10, 20)]);
    }
}
