//! Vectors in a Qdrant server: one collection for each embedder, one point for each version.
//!
//! The one contract of this crate: *the server itself leaves out what a search may not see*. Each point
//! carries its position and the position at which it was superseded; a search filters by both and asks for an
//! exact answer, since a graph that is filtered may miss what is near.
//!
//! A server has no transactions. So writes are ordered: new versions first, then the older ones learn that
//! they are superseded, then the checkpoint. Whoever was cut short stores the same step again, and each write
//! of it that was done already changes nothing. In between, the older version may be found where the newer
//! one is nearer; never both, and never anything later than asked for.

mod versions;
mod wire;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use hindcast_vectors::{Checkpoint, Error, Neighbour, Point, Query, Vectors};
use qdrant_client::qdrant::vectors_config::Config;
use qdrant_client::qdrant::{
    CountPointsBuilder, CreateCollectionBuilder, CreateFieldIndexCollectionBuilder, Distance, FieldType,
    GetPointsBuilder, PayloadIncludeSelector, PointId, PointStruct, QueryPointsBuilder, ScrollPointsBuilder,
    SearchParamsBuilder, SetPayloadPointsBuilder, UpsertPointsBuilder, Value, VectorParamsBuilder,
};
use qdrant_client::{Payload, Qdrant, QdrantError};
use tokio::sync::Mutex;

use crate::versions::{ItemKey, StoredVersions};

/// The gRPC code of what is not there.
const NOT_FOUND: i32 = 5;
/// Points of one request, and their bytes.
const BATCH_MAX: usize = 128;
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Longest payload of an item that is stored.
const PAYLOAD_BYTES_MAX: usize = 256 * 1024;
/// Items whose versions are asked for at once.
const ITEMS_MAX: usize = 256;
/// Versions of one page.
const PAGE: u32 = 1_000;
/// Hits that are asked for beyond the limit: equal scores are put in order here.
const MORE: usize = 16;

/// Where the server is, and what is kept there.
#[derive(Clone)]
pub struct Options {
    /// The gRPC address, such as `http://127.0.0.1:6334`.
    pub url: String,
    /// The key that the server wants, if it wants one.
    pub api_key: Option<String>,
    /// What the collection's name begins with; `hindcast` by default.
    pub prefix: String,
    /// Who makes the vectors: [`Identity::key`](../hindcast_embed/struct.Identity.html); part of the name.
    pub embedder: String,
    /// Length of its vectors.
    pub dimension: usize,
    /// How long one request may take.
    pub timeout: Duration,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The key is nobody's business.
        f.debug_struct("Options").field("url", &self.url).field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Options {
    /// With the defaults.
    #[must_use]
    pub fn new(url: String, api_key: Option<String>, embedder: String, dimension: usize) -> Self {
        Self { url, api_key, prefix: "hindcast".to_owned(), embedder, dimension, timeout: Duration::from_secs(10) }
    }

    /// The collection's name: letters, digits, `-` and `_`.
    #[must_use]
    pub fn collection(&self) -> String {
        let name = format!("{}_{}", self.prefix, self.embedder);
        let word = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' };
        name.chars().take(200).map(word).collect()
    }
}

/// A vector store in a Qdrant collection.
pub struct QdrantStore {
    client: Qdrant,
    collection: String,
    dimension: usize,
    /// Whether the collection was seen to be there.
    seen: AtomicBool,
    /// Held while a step is stored, so that two do not mix.
    storing: Mutex<()>,
}

impl std::fmt::Debug for QdrantStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("collection", &self.collection).finish_non_exhaustive()
    }
}

impl QdrantStore {
    /// A store at a server, which is asked only when it is needed.
    ///
    /// # Errors
    /// When the address cannot be understood.
    pub fn open(options: &Options) -> Result<Self, Error> {
        let client = Qdrant::from_url(&options.url)
            .api_key(options.api_key.clone())
            .timeout(options.timeout)
            .connect_timeout(options.timeout)
            .skip_compatibility_check()
            .build()
            .map_err(|error| said(&error))?;
        let collection = options.collection();
        Ok(Self {
            client,
            collection,
            dimension: options.dimension,
            seen: AtomicBool::new(false),
            storing: Mutex::new(()),
        })
    }

    /// Whether the collection is there, and holds vectors of our length. Asked once.
    async fn exists(&self) -> Result<bool, Error> {
        if self.seen.load(Ordering::Acquire) {
            return Ok(true);
        }
        let there = self.client.collection_exists(&self.collection).await.map_err(|error| self.failed(&error))?;
        if !there {
            return Ok(false);
        }
        let info = self.client.collection_info(&self.collection).await.map_err(|error| self.failed(&error))?;
        let config = info.result.and_then(|info| info.config).and_then(|config| config.params);
        let vectors = config.and_then(|params| params.vectors_config).and_then(|vectors| vectors.config);
        match vectors {
            Some(Config::Params(params)) if params.size == self.dimension as u64 => {
                self.seen.store(true, Ordering::Release);
                Ok(true)
            }
            Some(Config::Params(params)) => {
                let there = usize::try_from(params.size).unwrap_or(usize::MAX);
                Err(Error::Dimension { expected: there, got: self.dimension })
            }
            _ => Err(Error::Damaged(format!("the collection {} is not one of ours", self.collection))),
        }
    }

    /// Makes the collection and the indexes of what is filtered by.
    async fn create(&self) -> Result<(), Error> {
        let vectors = VectorParamsBuilder::new(self.dimension as u64, Distance::Dot);
        let made =
            self.client.create_collection(CreateCollectionBuilder::new(&self.collection).vectors_config(vectors)).await;
        if let Err(error) = made {
            // Another process may have been faster.
            if !self.exists().await? {
                return Err(self.failed(&error));
            }
        }
        let indexes = [
            (wire::POSITION, FieldType::Integer),
            (wire::SUPERSEDED_AT, FieldType::Integer),
            (wire::PARTITION, FieldType::Keyword),
            (wire::KIND, FieldType::Keyword),
            (wire::ITEM, FieldType::Keyword),
        ];
        for (field, kind) in indexes {
            let index = CreateFieldIndexCollectionBuilder::new(&self.collection, field, kind).wait(true);
            self.client.create_field_index(index).await.map_err(|error| self.failed(&error))?;
        }
        Ok(())
    }

    /// A failure; where the collection is gone it is looked for again next time.
    fn failed(&self, error: &QdrantError) -> Error {
        if let QdrantError::ResponseError { status } = error
            && i32::from(status.code()) == NOT_FOUND
        {
            self.seen.store(false, Ordering::Release);
        }
        said(error)
    }

    /// What the server has of the items of these points.
    async fn stored(&self, points: &[Point]) -> Result<StoredVersions, Error> {
        let mut shelves: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
        for point in points {
            shelves.entry((point.partition.as_str(), point.kind.as_str())).or_default().push(point.item.clone());
        }
        let mut stored = StoredVersions::new();
        for ((partition, kind), mut items) in shelves {
            items.sort_unstable();
            items.dedup();
            for items in items.chunks(ITEMS_MAX) {
                self.versions(partition, kind, items, &mut stored).await?;
            }
        }
        Ok(stored)
    }

    async fn versions(
        &self,
        partition: &str,
        kind: &str,
        items: &[String],
        stored: &mut StoredVersions,
    ) -> Result<(), Error> {
        let mut offset = None;
        loop {
            let fields = [wire::ITEM, wire::POSITION, wire::SUPERSEDED_AT].map(str::to_owned);
            let fields = PayloadIncludeSelector { fields: fields.to_vec() };
            let mut page = ScrollPointsBuilder::new(&self.collection)
                .filter(wire::versions_of(partition, kind, items.to_vec()))
                .limit(PAGE)
                .with_payload(fields)
                .with_vectors(false);
            if let Some(offset) = offset {
                page = page.offset::<PointId>(offset);
            }
            let page = self.client.scroll(page).await.map_err(|error| self.failed(&error))?;
            for point in page.result {
                let item = ItemKey {
                    partition: partition.to_owned(),
                    kind: kind.to_owned(),
                    item: wire::text(&point.payload, wire::ITEM)?,
                };
                let position = wire::number(&point.payload, wire::POSITION)?;
                let next = wire::number(&point.payload, wire::SUPERSEDED_AT)?;
                stored.entry(item).or_default().insert(position, next);
            }
            offset = page.next_page_offset;
            if offset.is_none() {
                return Ok(());
            }
        }
    }

    async fn upsert(&self, points: Vec<PointStruct>) -> Result<(), Error> {
        let write = UpsertPointsBuilder::new(&self.collection, points).wait(true);
        self.client.upsert_points(write).await.map(drop).map_err(|error| self.failed(&error))
    }

    /// New versions, in requests of bounded size.
    async fn insert(&self, new: Vec<(Point, u64)>) -> Result<(), Error> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for (point, superseded_at) in new {
            let point_bytes = point.vector.len() * 4 + point.payload.to_string().len();
            if batch.len() == BATCH_MAX || bytes + point_bytes > BATCH_BYTES_MAX {
                self.upsert(std::mem::take(&mut batch)).await?;
                bytes = 0;
            }
            bytes += point_bytes;
            batch.push(wire::point(point, superseded_at)?);
        }
        if batch.is_empty() { Ok(()) } else { self.upsert(batch).await }
    }

    async fn supersede(&self, item: &ItemKey, position: u64, at: u64) -> Result<(), Error> {
        let mut fields = Payload::new();
        fields.insert(wire::SUPERSEDED_AT, Value::from(wire::whole(at)?));
        let write = SetPayloadPointsBuilder::new(&self.collection, fields)
            .points_selector(vec![wire::version_id(item, position)])
            .wait(true);
        self.client.set_payload(write).await.map(drop).map_err(|error| self.failed(&error))
    }
}

/// What went wrong, without what was sent: it may hold a key.
fn said(error: &QdrantError) -> Error {
    Error::Unavailable(match error {
        QdrantError::ResponseError { status } => format!("qdrant: {:?}: {}", status.code(), status.message()),
        QdrantError::ResourceExhaustedError { retry_after_seconds, .. } => {
            format!("qdrant: too many requests, again in {retry_after_seconds} s")
        }
        other => format!("qdrant: {other}"),
    })
}

#[async_trait]
impl Vectors for QdrantStore {
    fn kind(&self) -> &'static str {
        "qdrant"
    }

    async fn checkpoint(&self) -> Result<Option<Checkpoint>, Error> {
        if !self.exists().await? {
            return Ok(None);
        }
        let ask = GetPointsBuilder::new(&self.collection, vec![wire::checkpoint_id()]).with_payload(true);
        let answer = self.client.get_points(ask).await.map_err(|error| self.failed(&error))?;
        answer.result.first().map(|point| wire::checkpoint(&point.payload)).transpose()
    }

    async fn store(&self, points: Vec<Point>, checkpoint: Checkpoint) -> Result<(), Error> {
        for point in &points {
            hindcast_vectors::check_vector(&point.vector, self.dimension)?;
            hindcast_vectors::check_payload(point, PAYLOAD_BYTES_MAX)?;
            wire::whole(point.position)?;
        }
        let _storing = self.storing.lock().await;
        if !self.exists().await? {
            self.create().await?;
        }
        let stored = self.stored(&points).await?;
        let writes = versions::writes(points, &stored);
        self.insert(writes.new).await?;
        for (item, position, at) in writes.superseded {
            self.supersede(&item, position, at).await?;
        }
        self.upsert(vec![wire::checkpoint_point(&checkpoint, self.dimension)?]).await
    }

    async fn search(&self, query: Query) -> Result<Vec<Neighbour>, Error> {
        hindcast_vectors::check_vector(&query.vector, self.dimension)?;
        if query.limit == 0 || !self.exists().await? {
            return Ok(Vec::new());
        }
        let ask = QueryPointsBuilder::new(&self.collection)
            .query(query.vector.clone())
            .filter(wire::visible(&query))
            .params(SearchParamsBuilder::default().exact(true))
            .limit(query.limit.saturating_add(MORE) as u64)
            .with_payload(true);
        let answer = self.client.query(ask).await.map_err(|error| self.failed(&error))?;
        let mut newest: BTreeMap<String, Neighbour> = BTreeMap::new();
        for point in &answer.result {
            let found = wire::found(point)?;
            // Two versions are visible only while a step is half stored; the newer one counts.
            if newest.get(&found.item).is_none_or(|known| known.position < found.position) {
                newest.insert(found.item.clone(), found);
            }
        }
        let mut found: Vec<Neighbour> = newest.into_values().collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.item.cmp(&b.item)));
        found.truncate(query.limit);
        Ok(found)
    }

    async fn count(&self) -> Result<u64, Error> {
        if !self.exists().await? {
            return Ok(0);
        }
        let ask = CountPointsBuilder::new(&self.collection).filter(wire::all_versions()).exact(true);
        let answer = self.client.count(ask).await.map_err(|error| self.failed(&error))?;
        Ok(answer.result.map_or(0, |result| result.count))
    }

    async fn clear(&self) -> Result<(), Error> {
        let _storing = self.storing.lock().await;
        self.seen.store(false, Ordering::Release);
        if self.client.collection_exists(&self.collection).await.map_err(|error| self.failed(&error))? {
            self.client.delete_collection(&self.collection).await.map_err(|error| self.failed(&error))?;
        }
        Ok(())
    }
}
