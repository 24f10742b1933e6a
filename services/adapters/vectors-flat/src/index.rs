//! What of the file is kept in memory: a row of codes for each version, with what a search filters by. Owns
//! the scan; refuses to know the file's bytes.
//!
//! Rows are kept in the order of their positions, so what a search as of a position may see is a prefix of
//! them. Each row knows the position at which its item's next version became known, so that "the last version
//! that it may see" is a comparison, not a search of its own.

use std::collections::HashMap;

use hindcast_vectors::{Error, Neighbour, Query};

use crate::codes::{self, Coded};
use crate::log::{Log, PointRow, PointSpan};

/// One version of one item.
#[derive(Debug)]
struct PointVersion {
    /// Which (partition, kind): a small number.
    shelf: u32,
    item: String,
    position: u64,
    /// Where the item's next version became known; `None` where this is the last.
    next: Option<u64>,
    gone: bool,
    coded: Coded,
    place: PointSpan,
}

/// All versions.
#[derive(Debug)]
pub(crate) struct VersionIndex {
    dimension: usize,
    versions: Vec<PointVersion>,
    /// `dimension` codes for each of `versions`.
    codes: Vec<i8>,
    /// `versions` by position, then by when they came.
    order: Vec<u32>,
    shelves: HashMap<(String, String), u32>,
    /// The versions of each item, by position.
    items: HashMap<(u32, String), Vec<u32>>,
}

impl VersionIndex {
    pub(crate) fn new(dimension: usize) -> Self {
        Self {
            dimension,
            versions: Vec::new(),
            codes: Vec::new(),
            order: Vec::new(),
            shelves: HashMap::new(),
            items: HashMap::new(),
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.versions.len()
    }

    /// Whether this version is there.
    pub(crate) fn has(&self, partition: &str, kind: &str, item: &str, position: u64) -> bool {
        let Some(shelf) = self.shelves.get(&(partition.to_owned(), kind.to_owned())) else { return false };
        let versions = self.items.get(&(*shelf, item.to_owned()));
        versions.is_some_and(|versions| versions.iter().any(|row| self.position(*row) == Some(position)))
    }

    fn position(&self, row: u32) -> Option<u64> {
        self.versions.get(row as usize).map(|version| version.position)
    }

    /// Takes a version in; one that is there changes nothing.
    pub(crate) fn insert(&mut self, row: PointRow) {
        if self.has(&row.partition, &row.kind, &row.item, row.position) {
            return;
        }
        let Ok(at) = u32::try_from(self.versions.len()) else { return };
        let fresh = u32::try_from(self.shelves.len()).unwrap_or(u32::MAX);
        let shelf = *self.shelves.entry((row.partition, row.kind)).or_insert(fresh);
        let coded = codes::encode(&row.vector, &mut self.codes);
        let after = self.order.partition_point(|other| self.position(*other).is_some_and(|p| p <= row.position));
        self.order.insert(after, at);
        let (before, next) = self.link(shelf, &row.item, row.position, at);
        if let Some(before) = before.and_then(|before| self.versions.get_mut(before as usize)) {
            before.next = Some(row.position);
        }
        self.versions.push(PointVersion {
            shelf,
            item: row.item,
            position: row.position,
            next,
            gone: row.gone,
            coded,
            place: row.place,
        });
    }

    /// Puts a version among its item's: the one before it, and where the one after it became known.
    fn link(&mut self, shelf: u32, item: &str, position: u64, at: u32) -> (Option<u32>, Option<u64>) {
        let positions: HashMap<u32, u64> = match self.items.get(&(shelf, item.to_owned())) {
            Some(rows) => rows.iter().filter_map(|row| Some((*row, self.position(*row)?))).collect(),
            None => HashMap::new(),
        };
        let rows = self.items.entry((shelf, item.to_owned())).or_default();
        let after = rows.partition_point(|row| positions.get(row).is_some_and(|other| *other < position));
        let before = after.checked_sub(1).and_then(|before| rows.get(before)).copied();
        let next = rows.get(after).and_then(|row| positions.get(row)).copied();
        rows.insert(after, at);
        (before, next)
    }

    /// The nearest items, exactly: what the codes cannot decide is computed from the numbers in the file.
    pub(crate) fn search(&self, query: &Query, log: &Log) -> Result<Vec<Neighbour>, Error> {
        let Some(shelf) = self.shelves.get(&(query.partition.clone(), query.kind.to_string())) else {
            return Ok(Vec::new());
        };
        let mut wanted = Vec::new();
        let asked = codes::encode(&query.vector, &mut wanted);
        let seen = self.order.partition_point(|row| self.position(*row).is_some_and(|p| p <= query.as_of));
        let mut near: Vec<(u32, f32, f32)> = Vec::new();
        for row in self.order.get(..seen).unwrap_or_default() {
            let Some(version) = self.versions.get(*row as usize) else { continue };
            if version.shelf != *shelf || version.gone || version.next.is_some_and(|next| next <= query.as_of) {
                continue;
            }
            let begin = *row as usize * self.dimension;
            let Some(codes) = self.codes.get(begin..begin + self.dimension) else { continue };
            let score = asked.stands_for(&version.coded, codes::product(&wanted, codes));
            near.push((*row, score, asked.error(&version.coded)));
        }
        near.retain(|(row, ..)| self.versions.get(*row as usize).is_some_and(|v| !query.without.contains(&v.item)));
        let least = least(&near, query.limit);
        let mut found: Vec<(&PointVersion, f32)> = Vec::new();
        for (row, ..) in near.iter().filter(|(_, score, error)| score + error >= least) {
            let Some(version) = self.versions.get(*row as usize) else { continue };
            found.push((version, hindcast_similarity::dot(&log.vector(version.place)?, &query.vector)));
        }
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.item.cmp(&b.0.item)));
        found.truncate(query.limit);
        let found = found.into_iter().map(|(version, score)| {
            let payload = log.payload(version.place)?;
            Ok(Neighbour { item: version.item.clone(), position: version.position, score, payload })
        });
        found.collect()
    }
}

/// A score that the `limit` best are sure to reach.
fn least(near: &[(u32, f32, f32)], limit: usize) -> f32 {
    let Some(last) = limit.checked_sub(1) else { return f32::INFINITY };
    if near.len() <= limit {
        return f32::NEG_INFINITY;
    }
    let mut sure: Vec<f32> = near.iter().map(|(_, score, error)| score - error).collect();
    *sure.select_nth_unstable_by(last, |a, b| b.total_cmp(a)).1
}
