//! Cleaning the labels of thousands of records: the same pair comes again and again, and is looked at once. Owns
//! what is remembered of clean text for one request; the rules are `hindcast_redact`'s.

use std::collections::{HashMap, HashSet};

use hindcast_redact::{RedactionCounts, Redactor};

/// Pairs that are remembered as clean.
const KNOWN_MAX: usize = 50_000;
/// Bytes of a text that is worth remembering.
const KNOWN_BYTES_MAX: usize = 256;

/// Takes secrets out of texts and labels, and counts them. One for a request.
#[derive(Default)]
pub(super) struct Cleaner {
    redactor: Redactor,
    /// Clean names with their clean values; nothing that was changed is here, so that every find is counted.
    known: HashMap<String, HashSet<String>>,
    count: usize,
}

impl Cleaner {
    /// A text without its secrets.
    pub(super) fn text(&mut self, text: &str) -> String {
        self.redactor.text(text)
    }

    /// A label without its secrets.
    pub(super) fn pair(&mut self, name: &str, value: &str) -> (String, String) {
        if self.known.get(name).is_some_and(|values| values.contains(value)) {
            return (name.to_owned(), value.to_owned());
        }
        let clean = (self.redactor.text(name), self.redactor.named(name, value));
        let same = clean.0 == name && clean.1 == value;
        if same && name.len() + value.len() <= KNOWN_BYTES_MAX && self.count < KNOWN_MAX {
            self.count += 1;
            self.known.entry(clean.0.clone()).or_default().insert(clean.1.clone());
        }
        clean
    }

    /// What was taken out, by kind.
    pub(super) const fn counts(&self) -> &RedactionCounts {
        self.redactor.counts()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_what_the_rules_say() {
        let mut cleaner = Cleaner::default();
        for _ in 0..2 {
            assert_eq!(cleaner.pair("pod", "a-1"), ("pod".to_owned(), "a-1".to_owned()));
            assert_eq!(cleaner.pair("password", "a-1").1, "[redacted:password]");
        }
        assert_eq!(cleaner.counts().get("password"), Some(&2));
        assert_eq!(cleaner.count, 1);
    }
}
