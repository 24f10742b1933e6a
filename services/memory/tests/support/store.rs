//! Stores and embedders that count, and that fail when they are told to.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use hindcast_vectors::embed::{Embedder, EmbedderIdentity, Hashing};
use hindcast_vectors::{Checkpoint, Error, MemoryVectors, Neighbour, Point, Query, Vectors};

/// A store in memory whose next steps may fail.
#[derive(Default)]
pub struct Counting {
    pub inner: MemoryVectors,
    pub failures: AtomicU32,
    pub stored: AtomicU32,
}

#[async_trait]
impl Vectors for Counting {
    fn kind(&self) -> &'static str {
        "memory"
    }

    async fn checkpoint(&self) -> Result<Option<Checkpoint>, Error> {
        self.inner.checkpoint().await
    }

    async fn store(&self, points: Vec<Point>, checkpoint: Checkpoint) -> Result<(), Error> {
        if self.failures.load(Ordering::Relaxed) > 0 {
            self.failures.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::Unavailable("the store is away".to_owned()));
        }
        self.stored.fetch_add(1, Ordering::Relaxed);
        self.inner.store(points, checkpoint).await
    }

    async fn search(&self, query: Query) -> Result<Vec<Neighbour>, Error> {
        self.inner.search(query).await
    }

    async fn count(&self) -> Result<u64, Error> {
        self.inner.count().await
    }

    async fn clear(&self) -> Result<(), Error> {
        self.inner.clear().await
    }
}

/// Hashed words, counted; under any name.
pub struct Words {
    inner: Hashing,
    identity: EmbedderIdentity,
    pub failures: AtomicU32,
    pub embedded: AtomicU32,
}

impl Words {
    pub fn named(model: &str) -> Self {
        let inner = Hashing::default();
        let identity = EmbedderIdentity { model: model.to_owned(), ..inner.identity().clone() };
        Self { inner, identity, failures: AtomicU32::new(0), embedded: AtomicU32::new(0) }
    }
}

#[async_trait]
impl Embedder for Words {
    fn identity(&self) -> &EmbedderIdentity {
        &self.identity
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, hindcast_vectors::embed::Error> {
        if self.failures.load(Ordering::Relaxed) > 0 {
            self.failures.fetch_sub(1, Ordering::Relaxed);
            return Err(hindcast_vectors::embed::Error::Embed("the model is away".to_owned()));
        }
        self.embedded.fetch_add(u32::try_from(texts.len()).unwrap_or(u32::MAX), Ordering::Relaxed);
        self.inner.embed(texts).await
    }
}
