//! Labels and annotations: names with their values. A process holds those of an alert in its decisions, its books and its
//! views, and they are the same, so copies share them.

use std::collections::{BTreeMap, btree_map};

use crate::shared::SharedCopy;

type LabelMap = BTreeMap<String, String>;

/// Labels or annotations, as a map.
pub type Labels = SharedCopy<LabelMap>;

impl SharedCopy<LabelMap> {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        LabelMap::is_empty(self)
    }
}

impl From<Labels> for LabelMap {
    fn from(labels: Labels) -> Self {
        labels.into_inner()
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
        self.into_inner().into_iter()
    }
}

impl<'a> IntoIterator for &'a Labels {
    type Item = (&'a String, &'a String);
    type IntoIter = btree_map::Iter<'a, String, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl PartialEq<LabelMap> for Labels {
    fn eq(&self, other: &LabelMap) -> bool {
        **self == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_written_and_read_as_a_map() {
        let labels = Labels::from([("service".to_owned(), "db".to_owned())]);
        let text = serde_json::to_string(&labels).unwrap_or_default();
        assert_eq!(text, r#"{"service":"db"}"#);
        assert_eq!(serde_json::from_str::<Labels>(&text).ok(), Some(labels));
    }
}
