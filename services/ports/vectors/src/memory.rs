//! Vectors in memory: exact, for tests and for `hindcast lab`.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::{Checkpoint, Error, Neighbour, Point, PointKind, Query, Vectors, check_vector};

/// A store that forgets with its process.
#[derive(Debug, Default)]
pub struct MemoryVectors {
    /// The length of its vectors; that of the first one where absent.
    dimension: Option<usize>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// By (partition, kind, item), then by position.
    items: BTreeMap<(String, PointKind, String), BTreeMap<u64, Point>>,
    checkpoint: Option<Checkpoint>,
}

impl MemoryVectors {
    /// A store for vectors of one length; the default one takes the length of its first vector.
    #[must_use]
    pub fn new(dimension: usize) -> Self {
        Self { dimension: Some(dimension), inner: Mutex::default() }
    }

    fn check(&self, inner: &Inner, vector: &[f32], among: Option<usize>) -> Result<(), Error> {
        let first = || inner.items.values().flat_map(BTreeMap::values).next().map(|point| point.vector.len());
        check_vector(vector, self.dimension.or_else(first).or(among).unwrap_or(vector.len()))
    }

    fn locked(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Vectors for MemoryVectors {
    fn kind(&self) -> &'static str {
        "memory"
    }

    async fn checkpoint(&self) -> Result<Option<Checkpoint>, Error> {
        Ok(self.locked().checkpoint.clone())
    }

    async fn store(&self, points: Vec<Point>, checkpoint: Checkpoint) -> Result<(), Error> {
        let mut inner = self.locked();
        let among = points.first().map(|point| point.vector.len());
        for point in &points {
            self.check(&inner, &point.vector, among)?;
        }
        for point in points {
            let key = (point.partition.clone(), point.kind.clone(), point.item.clone());
            inner.items.entry(key).or_default().entry(point.position).or_insert(point);
        }
        inner.checkpoint = Some(checkpoint);
        Ok(())
    }

    async fn search(&self, query: Query) -> Result<Vec<Neighbour>, Error> {
        let inner = self.locked();
        self.check(&inner, &query.vector, None)?;
        let mut found: Vec<Neighbour> = inner
            .items
            .iter()
            .filter(|((partition, kind, item), _)| {
                *partition == query.partition && *kind == query.kind && !query.without.contains(item)
            })
            .filter_map(|(_, versions)| versions.range(..=query.as_of).next_back())
            .filter(|(_, point)| !point.gone)
            .map(|(position, point)| Neighbour {
                item: point.item.clone(),
                position: *position,
                score: hindcast_similarity::dot(&point.vector, &query.vector),
                payload: point.payload.clone(),
            })
            .collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.item.cmp(&b.item)));
        found.truncate(query.limit);
        Ok(found)
    }

    async fn count(&self) -> Result<u64, Error> {
        Ok(self.locked().items.values().map(|versions| versions.len() as u64).sum())
    }

    async fn clear(&self) -> Result<(), Error> {
        *self.locked() = Inner::default();
        Ok(())
    }
}
