//! Documents with all their versions, and pages of them. It refuses to know which questions there are.

use std::collections::BTreeMap;

use hindcast_api::{Code, Cursor, LIMIT_DEFAULT, LIMIT_MAX, Page, Problem};

use crate::Window;

/// A document that views keep, and the name by which it is asked for.
pub trait KeptDocument: Clone + Send + 'static {
    /// What an id of this sort begins with.
    const PREFIX: &'static str;
    /// The text that a question names it by.
    fn id(&self) -> String;
}

/// All versions of all documents of one sort.
#[derive(Debug)]
pub(super) struct Versions<T> {
    /// By id: the rank in which ids were first put, and the versions by position.
    of: BTreeMap<String, (usize, BTreeMap<u64, T>)>,
}

impl<T> Default for Versions<T> {
    fn default() -> Self {
        Self { of: BTreeMap::new() }
    }
}

impl<T: KeptDocument> Versions<T> {
    pub(super) fn put(&mut self, position: u64, document: T) {
        let rank = self.of.len();
        self.of.entry(document.id()).or_insert_with(|| (rank, BTreeMap::new())).1.insert(position, document);
    }

    pub(super) fn clear(&mut self) {
        self.of.clear();
    }

    /// The version of one document as of a position, by its whole id.
    pub(super) fn get(&self, id: &str, at: u64) -> Option<&T> {
        self.of.get(id)?.1.range(..=at).next_back().map(|(_, version)| version)
    }

    /// All documents as of a position. The one that was first put at the greatest position comes first.
    pub(super) fn newest(&self, at: u64) -> Vec<&T> {
        let mut found: Vec<(u64, usize, &T)> = Vec::new();
        for (rank, versions) in self.of.values() {
            let first = versions.keys().next().copied().unwrap_or_default();
            found.extend(versions.range(..=at).next_back().map(|(_, version)| (first, *rank, version)));
        }
        found.sort_by_key(|(first, rank, _)| std::cmp::Reverse((*first, *rank)));
        found.into_iter().map(|(.., version)| version).collect()
    }

    /// One document, by its id or a unique prefix in any case; the newest where nothing is given.
    pub(super) fn find(&self, text: Option<&str>, at: u64) -> Result<&T, Problem> {
        let newest = self.newest(at);
        let Some(text) = text.map(str::trim) else {
            return newest.first().copied().ok_or_else(|| Problem::new(Code::NotFound, "there is none yet"));
        };
        let upper = text.to_ascii_uppercase();
        let digits = upper.strip_prefix(T::PREFIX).unwrap_or(&upper);
        if digits.is_empty() {
            return Err(Problem::new(Code::NotFound, "expected a document, got an empty id"));
        }
        let spelt = format!("{}{digits}", T::PREFIX);
        one(newest.into_iter().filter(|known| known.id().to_ascii_uppercase().starts_with(&spelt)), text)
    }
}

/// The only one that is found.
pub(super) fn one<T>(mut found: impl Iterator<Item = T>, text: &str) -> Result<T, Problem> {
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(Problem::new(Code::NotFound, format!("expected a document, found none for {text:?}"))),
        (Some(_), Some(_)) => Err(Problem::new(Code::Ambiguous, format!("several documents begin with {text:?}"))),
    }
}

/// Which part of a list a window asks for: the position of its first page if it goes on, and how many items to skip
/// and to take.
pub(super) fn bounds(window: &Window) -> Result<(Option<u64>, usize, usize), Problem> {
    let limit = window.limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(Problem::new(Code::BadLimit, format!("expected a limit of 1 to {LIMIT_MAX}, got {limit}")));
    }
    let Some(cursor) = &window.cursor else { return Ok((None, 0, limit)) };
    let cursor = Cursor::decode(cursor)?;
    let skip =
        cursor.after.parse().map_err(|_| Problem::new(Code::BadCursor, "expected a cursor that this list gave"))?;
    Ok((Some(cursor.position), skip, limit))
}

/// A page of `items` as of a position.
pub(super) fn page<T>(items: impl IntoIterator<Item = T>, position: u64, skip: usize, limit: usize) -> Page<T> {
    let mut rest = items.into_iter().skip(skip);
    let items: Vec<T> = rest.by_ref().take(limit).collect();
    let next = rest.next().map(|_| Cursor { position, after: (skip + limit).to_string() }.encode());
    Page { items, next, position }
}
