//! Points, and what a search over them must find by the plainest code there is.

use std::collections::BTreeMap;

use serde_json::json;

use crate::{Checkpoint, Neighbour, Point, Query};

/// Numbers that are the same in every run.
#[derive(Debug)]
pub struct SeededNumbers(u64);

impl SeededNumbers {
    /// From a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// The next one below `bound`.
    pub const fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    /// A vector of length 1.
    #[allow(clippy::cast_precision_loss)]
    pub fn vector(&mut self, dimension: usize) -> Vec<f32> {
        let vector = (0..dimension).map(|_| self.below(20_001) as f32 / 10_000.0 - 1.0).collect();
        unit(vector)
    }
}

/// A vector made one of length 1.
#[must_use]
pub fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|x| *x /= length);
    vector
}

pub(super) fn point(item: &str, position: u64, vector: Vec<f32>) -> Point {
    Point {
        item: item.to_owned(),
        kind: "incident".into(),
        partition: "default/production".to_owned(),
        position,
        gone: false,
        vector,
        payload: json!({"item": item, "position": position, "nested": {"text": "ü\n\"x\"", "list": [1, 2.5, null]}}),
    }
}

pub(super) fn query(as_of: u64, vector: Vec<f32>, limit: usize) -> Query {
    Query {
        kind: "incident".into(),
        partition: "default/production".to_owned(),
        as_of,
        vector,
        limit,
        without: Vec::new(),
    }
}

pub(super) fn checkpoint(position: u64) -> Checkpoint {
    Checkpoint { ledger: "LGR-1".to_owned(), embedder: "test-16-".to_owned(), texts: 1, position }
}

/// What a search must find among these points, by the plainest code there is. Of a version that comes twice
/// the first counts.
#[must_use]
pub fn expected(points: &[Point], query: &Query) -> Vec<Neighbour> {
    let mut visible: BTreeMap<&str, &Point> = BTreeMap::new();
    for point in points {
        let fits = point.kind == query.kind && point.partition == query.partition && point.position <= query.as_of;
        if fits && visible.get(point.item.as_str()).is_none_or(|known| known.position < point.position) {
            visible.insert(&point.item, point);
        }
    }
    let mut found: Vec<Neighbour> = visible
        .into_values()
        .filter(|point| !point.gone && !query.without.contains(&point.item))
        .map(|point| Neighbour {
            item: point.item.clone(),
            position: point.position,
            score: point.vector.iter().zip(&query.vector).map(|(a, b)| a * b).sum(),
            payload: point.payload.clone(),
        })
        .collect();
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.item.cmp(&b.item)));
    found.truncate(query.limit);
    found
}
