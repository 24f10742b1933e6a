//! Labels and annotations: names with their values. Owns that copies share one memory: a process holds the labels of an
//! alert in its decisions, its books and its views, and they are the same.

use std::borrow::Cow;
use std::collections::{BTreeMap, btree_map};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

type LabelMap = BTreeMap<String, String>;

/// Labels or annotations. A copy shares its memory with the original until one of them is changed.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(Arc<LabelMap>);

impl Labels {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Deref for Labels {
    type Target = LabelMap;

    fn deref(&self) -> &LabelMap {
        &self.0
    }
}

impl DerefMut for Labels {
    fn deref_mut(&mut self) -> &mut LabelMap {
        Arc::make_mut(&mut self.0)
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<LabelMap> for Labels {
    fn from(labels: LabelMap) -> Self {
        Self(Arc::new(labels))
    }
}

impl From<Labels> for LabelMap {
    fn from(labels: Labels) -> Self {
        Arc::unwrap_or_clone(labels.0)
    }
}

impl<const N: usize> From<[(String, String); N]> for Labels {
    fn from(labels: [(String, String); N]) -> Self {
        LabelMap::from(labels).into()
    }
}

impl FromIterator<(String, String)> for Labels {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(labels: I) -> Self {
        labels.into_iter().collect::<LabelMap>().into()
    }
}

impl IntoIterator for Labels {
    type Item = (String, String);
    type IntoIter = btree_map::IntoIter<String, String>;

    fn into_iter(self) -> Self::IntoIter {
        LabelMap::from(self).into_iter()
    }
}

impl<'a> IntoIterator for &'a Labels {
    type Item = (&'a String, &'a String);
    type IntoIter = btree_map::Iter<'a, String, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl PartialEq<LabelMap> for Labels {
    fn eq(&self, other: &LabelMap) -> bool {
        *self.0 == *other
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        LabelMap::deserialize(deserializer).map(Self::from)
    }
}

/// The schema of the map.
impl JsonSchema for Labels {
    fn schema_name() -> Cow<'static, str> {
        LabelMap::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        LabelMap::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        LabelMap::json_schema(generator)
    }

    fn inline_schema() -> bool {
        LabelMap::inline_schema()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_shared_until_it_is_changed() {
        let first = Labels::from([("service".to_owned(), "db".to_owned())]);
        let mut second = first.clone();
        assert!(std::ptr::eq(&raw const *first, &raw const *second));
        second.insert("pod".to_owned(), "db-0".to_owned());
        assert_eq!((first.len(), second.len()), (1, 2));
    }

    #[test]
    fn labels_are_written_and_read_as_a_map() {
        let labels = Labels::from([("service".to_owned(), "db".to_owned())]);
        let text = serde_json::to_string(&labels).unwrap_or_default();
        assert_eq!(text, r#"{"service":"db"}"#);
        assert_eq!(serde_json::from_str::<Labels>(&text).ok(), Some(labels));
    }
}
