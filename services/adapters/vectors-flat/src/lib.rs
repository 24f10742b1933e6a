//! Vectors in a file of our own: an exact scan over bytes, as fast as a graph up to some hundred thousand
//! versions and with no answer of its own about what is near.
//!
//! The one contract of this crate: *the store answers as the port says, exactly, and is as far as its
//! checkpoint says*: a batch and its checkpoint are one record of the file. Codes find who may be near, with
//! a bound on how wrong they are; numbers from the file decide. It is a projection: a damaged file is named,
//! and made anew when it is deleted ([`FlatStore::forget`]).

mod codes;
mod index;
mod log;

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use hindcast_vectors::{Checkpoint, Error, Neighbour, Point, Query, Vectors};

use crate::index::VersionIndex;
use crate::log::{Log, PointRow};

/// Longest payload of an item that is stored.
const PAYLOAD_BYTES_MAX: usize = 256 * 1024;

/// A vector store in one append-only file, searched by exact comparison with every vector.
#[derive(Clone, Debug)]
pub struct FlatStore {
    dimension: usize,
    inner: Arc<RwLock<Inner>>,
}

#[derive(Debug)]
struct Inner {
    log: Log,
    index: VersionIndex,
    checkpoint: Option<Checkpoint>,
}

impl FlatStore {
    /// Opens the store of a folder, or makes it, for vectors of one length. What a crash left half written is
    /// cut. It reads the whole file, about a gigabyte a second; ask it where blocking is allowed.
    ///
    /// # Errors
    /// [`Error::Damaged`] where the file is not what was written: delete the folder, or call
    /// [`FlatStore::forget`], and it is made anew. [`Error::Unavailable`] where it cannot be read or written.
    pub fn open(folder: &Path, dimension: usize) -> Result<Self, Error> {
        let mut log = Log::open(folder, dimension)?;
        let mut index = VersionIndex::new(dimension);
        let checkpoint = log.read(|rows| rows.into_iter().for_each(|row| index.insert(row)))?;
        Ok(Self { dimension, inner: Arc::new(RwLock::new(Inner { log, index, checkpoint })) })
    }

    /// Deletes a store that nobody has open.
    ///
    /// # Errors
    /// When the folder cannot be removed.
    pub fn forget(folder: &Path) -> Result<(), Error> {
        match std::fs::remove_dir_all(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(log::unavailable(&error)),
            _ => Ok(()),
        }
    }

    /// Runs what reads or writes the file where blocking is allowed.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&RwLock<Inner>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || work(&inner)).await;
        done.map_err(|error| Error::Unavailable(error.to_string()))?
    }
}

impl Inner {
    fn store(&mut self, mut points: Vec<Point>, checkpoint: Checkpoint) -> Result<(), Error> {
        points.retain(|point| !self.index.has(&point.partition, point.kind.as_str(), &point.item, point.position));
        if points.is_empty() && self.checkpoint.as_ref() == Some(&checkpoint) {
            return Ok(());
        }
        let places = self.log.append(&points, &checkpoint)?;
        for (point, place) in points.into_iter().zip(places) {
            self.index.insert(PointRow {
                item: point.item,
                kind: point.kind.to_string(),
                partition: point.partition,
                position: point.position,
                gone: point.gone,
                vector: point.vector,
                place,
            });
        }
        self.checkpoint = Some(checkpoint);
        Ok(())
    }
}

#[async_trait]
impl Vectors for FlatStore {
    fn kind(&self) -> &'static str {
        "flat"
    }

    async fn checkpoint(&self) -> Result<Option<Checkpoint>, Error> {
        Ok(self.inner.read().unwrap_or_else(PoisonError::into_inner).checkpoint.clone())
    }

    async fn store(&self, points: Vec<Point>, checkpoint: Checkpoint) -> Result<(), Error> {
        for point in &points {
            hindcast_vectors::check_vector(&point.vector, self.dimension)?;
            hindcast_vectors::check_payload(point, PAYLOAD_BYTES_MAX)?;
        }
        self.blocking(move |inner| inner.write().unwrap_or_else(PoisonError::into_inner).store(points, checkpoint))
            .await
    }

    async fn search(&self, query: Query) -> Result<Vec<Neighbour>, Error> {
        hindcast_vectors::check_vector(&query.vector, self.dimension)?;
        self.blocking(move |inner| {
            let inner = inner.read().unwrap_or_else(PoisonError::into_inner);
            inner.index.search(&query, &inner.log)
        })
        .await
    }

    async fn count(&self) -> Result<u64, Error> {
        Ok(self.inner.read().unwrap_or_else(PoisonError::into_inner).index.len() as u64)
    }

    async fn clear(&self) -> Result<(), Error> {
        let dimension = self.dimension;
        self.blocking(move |inner| {
            let mut inner = inner.write().unwrap_or_else(PoisonError::into_inner);
            inner.log.clear()?;
            inner.index = VersionIndex::new(dimension);
            inner.checkpoint = None;
            Ok(())
        })
        .await
    }
}
