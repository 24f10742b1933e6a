//! Vectors in memory: exact, for tests and for `hindcast lab`.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::{Checkpoint, Error, Found, Point, Query, Vectors};

/// A store that forgets with its process.
#[derive(Debug, Default)]
pub struct Memory {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// By (partition, kind, item), then by position.
    items: BTreeMap<(String, String, String), BTreeMap<u64, Point>>,
    checkpoint: Option<Checkpoint>,
}

impl Memory {
    fn locked(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Vectors for Memory {
    fn kind(&self) -> &'static str {
        "memory"
    }

    async fn checkpoint(&self) -> Result<Option<Checkpoint>, Error> {
        Ok(self.locked().checkpoint.clone())
    }

    async fn store(&self, points: Vec<Point>, checkpoint: Checkpoint) -> Result<(), Error> {
        let mut inner = self.locked();
        for point in points {
            let key = (point.partition.clone(), point.kind.clone(), point.item.clone());
            inner.items.entry(key).or_default().insert(point.position, point);
        }
        inner.checkpoint = Some(checkpoint);
        Ok(())
    }

    async fn search(&self, query: Query) -> Result<Vec<Found>, Error> {
        let inner = self.locked();
        let mut found: Vec<Found> = inner
            .items
            .iter()
            .filter(|((partition, kind, item), _)| {
                *partition == query.partition && *kind == query.kind && !query.without.contains(item)
            })
            .filter_map(|(_, versions)| versions.range(..=query.as_of).next_back())
            .filter(|(_, point)| !point.gone)
            .map(|(position, point)| Found {
                item: point.item.clone(),
                position: *position,
                score: point.vector.iter().zip(&query.vector).map(|(a, b)| a * b).sum(),
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
