//! The class of a question: what it asks for, and the words that are left, in their order. Two questions of one class
//! about one state are one question.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::kind::Intent;
use super::nearest::BUILT_IN;
use super::words::{self, stem};

/// Words that carry no meaning of their own in a question.
const FILLERS: [&str; 62] = [
    "a",
    "about",
    "all",
    "an",
    "and",
    "any",
    "are",
    "at",
    "be",
    "been",
    "by",
    "can",
    "could",
    "did",
    "do",
    "does",
    "for",
    "from",
    "has",
    "have",
    "how",
    "i",
    "in",
    "incident",
    "is",
    "it",
    "its",
    "know",
    "me",
    "now",
    "of",
    "on",
    "or",
    "our",
    "please",
    "right",
    "should",
    "show",
    "so",
    "tell",
    "that",
    "the",
    "there",
    "this",
    "to",
    "us",
    "was",
    "we",
    "were",
    "what",
    "when",
    "where",
    "which",
    "who",
    "why",
    "with",
    "you",
    "your",
    "going",
    "happening",
    "happened",
    "wrong",
];
/// Intents of whose examples a word may be one and still ask for nothing else.
const INTENTS_MAX: usize = 3;

/// Stems that ask for an intent: those of its examples that few other intents have.
static ASKING: LazyLock<BTreeMap<Intent, BTreeSet<String>>> = LazyLock::new(|| {
    let mut having: BTreeMap<String, BTreeSet<Intent>> = BTreeMap::new();
    for example in &BUILT_IN.all {
        for word in words::words(&example.text) {
            having.entry(stem(&word.text)).or_default().insert(example.intent);
        }
    }
    let mut asking: BTreeMap<Intent, BTreeSet<String>> = BTreeMap::new();
    for (word, intents) in having.into_iter().filter(|(_, intents)| intents.len() <= INTENTS_MAX) {
        for intent in intents {
            asking.entry(intent).or_default().insert(word.clone());
        }
    }
    asking
});

/// The class of a question.
#[must_use]
pub(crate) fn class(question: &str) -> String {
    let words = words::words(question);
    let text = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
    let scores = BUILT_IN.scores(&BUILT_IN.nearness(&text));
    let best = scores.iter().max_by(|a, b| a.1.total_cmp(b.1)).filter(|(_, score)| **score > 0.0);
    let asking = best.and_then(|(intent, _)| ASKING.get(intent));
    let fillers: BTreeSet<String> = FILLERS.iter().map(|word| stem(word)).collect();
    let rest = words
        .iter()
        .map(|word| stem(&word.text))
        .filter(|word| !fillers.contains(word) && !asking.is_some_and(|asking| asking.contains(word)));
    let name = best.map_or("any", |(intent, _)| intent.name()).to_owned();
    std::iter::once(name).chain(rest).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_the_same_for_other_words_of_the_same_meaning_and_differs_by_what_is_named() {
        assert_eq!(class("What caused it?"), class("what is the cause of this incident"));
        assert_eq!(class("WHY?"), class("why is this happening"));
        assert_ne!(class("What caused it?"), class("What caused the alert on redis?"));
        assert_ne!(class("What caused it?"), class("What should we do?"));
        assert_ne!(class("why is cache-2 slow"), class("why is cache-2 down"));
        assert_ne!(class("did redis break postgres"), class("did postgres break redis"), "who did what to whom");
    }
}
