//! Words: how text is folded before it is compared, and which words say nothing by themselves. Owns the
//! English lists; refuses to know what a claim is.

use std::collections::BTreeSet;

/// Text in lower case, on one line, with one kind of quotation mark and dash.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut space = true;
    for c in text.chars() {
        let c = match c {
            '"' | '“' | '”' | '„' | '«' | '»' | '`' | '‘' | '’' | '\'' => '\'',
            '–' | '—' | '−' | '‐' | '‑' => '-',
            c if c.is_whitespace() || c.is_control() => ' ',
            c => c,
        };
        if c == ' ' && space {
            continue;
        }
        space = c == ' ';
        folded.extend(c.to_lowercase());
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// The parts of a quotation, between what was left out, stand in a text in their order.
pub(crate) fn quotes(text: &str, quote: &str) -> bool {
    let parts = quote.split('…').flat_map(|part| part.split("...")).map(str::trim).filter(|part| !part.is_empty());
    let mut from = 0;
    let mut any = false;
    for part in parts {
        let Some(at) = text.get(from..).and_then(|text| text.find(part)) else {
            return false;
        };
        from += at + part.len();
        any = true;
    }
    any
}

/// Whether a character may stand inside a word.
pub(crate) fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

/// Where `word` stands in `text` as a word of its own. Both are folded.
pub(crate) fn places<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = text.get(..*at).and_then(|head| head.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|tail| tail.chars().next());
        !word.is_empty() && !before.is_some_and(in_word) && !after.is_some_and(in_word)
    })
}

/// Whether `word` stands in `text` as a word of its own. Both are folded.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    places(text, word).next().is_some()
}

/// The words of a folded text that say something by themselves, cut to their stems.
pub(crate) fn content(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().count() >= 3 && word.chars().all(char::is_alphabetic))
        .filter(|word| !EMPTY.contains(word))
        .map(stem)
        .collect()
}

/// A word without its commonest English endings; never shorter than three letters.
pub(crate) fn stem(word: &str) -> String {
    const ENDINGS: [&str; 12] = ["ations", "ation", "ments", "ment", "ings", "ing", "ers", "ies", "ed", "es", "s", "e"];
    for ending in ENDINGS {
        if let Some(stem) = word.strip_suffix(ending)
            && stem.len() >= 3
            && word.is_char_boundary(stem.len())
        {
            return stem.to_owned();
        }
    }
    word.to_owned()
}

/// The first word of a text that has a stem, as it was written there; the stem itself where none has it.
pub(crate) fn written<'a>(text: &'a str, stem_of: &'a str) -> &'a str {
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    words.find(|word| stem(&word.to_lowercase()) == stem_of).unwrap_or(stem_of)
}

/// Words that any claim may use, whatever its events say.
const EMPTY: [&str; 190] = [
    "about",
    "above",
    "after",
    "again",
    "against",
    "all",
    "almost",
    "already",
    "also",
    "although",
    "among",
    "and",
    "another",
    "any",
    "anything",
    "are",
    "around",
    "because",
    "been",
    "before",
    "began",
    "begin",
    "begun",
    "behind",
    "being",
    "below",
    "best",
    "between",
    "both",
    "but",
    "came",
    "can",
    "catalogue",
    "cause",
    "caused",
    "causes",
    "come",
    "could",
    "depend",
    "depended",
    "dependencies",
    "dependency",
    "depending",
    "depends",
    "did",
    "does",
    "down",
    "due",
    "during",
    "each",
    "earlier",
    "either",
    "else",
    "enough",
    "even",
    "ever",
    "every",
    "everything",
    "explain",
    "explained",
    "explains",
    "first",
    "followed",
    "following",
    "for",
    "from",
    "gave",
    "get",
    "given",
    "goes",
    "going",
    "gone",
    "got",
    "had",
    "has",
    "have",
    "having",
    "here",
    "how",
    "however",
    "incident",
    "into",
    "its",
    "itself",
    "just",
    "last",
    "later",
    "least",
    "led",
    "less",
    "like",
    "likely",
    "made",
    "make",
    "many",
    "may",
    "mean",
    "means",
    "might",
    "more",
    "most",
    "much",
    "must",
    "name",
    "names",
    "near",
    "nearly",
    "never",
    "next",
    "nor",
    "not",
    "nothing",
    "now",
    "off",
    "once",
    "one",
    "only",
    "onto",
    "other",
    "our",
    "out",
    "over",
    "own",
    "per",
    "quite",
    "rather",
    "reason",
    "said",
    "same",
    "saw",
    "say",
    "says",
    "see",
    "seen",
    "several",
    "she",
    "should",
    "show",
    "showed",
    "shown",
    "shows",
    "since",
    "some",
    "something",
    "soon",
    "still",
    "such",
    "tell",
    "tells",
    "than",
    "that",
    "the",
    "their",
    "them",
    "then",
    "there",
    "these",
    "they",
    "thing",
    "things",
    "this",
    "those",
    "though",
    "time",
    "told",
    "too",
    "took",
    "under",
    "until",
    "upon",
    "very",
    "via",
    "was",
    "way",
    "well",
    "were",
    "what",
    "when",
    "where",
    "which",
    "while",
    "who",
    "why",
    "will",
    "with",
    "within",
    "without",
    "would",
    "yet",
    "you",
];

/// Words that stand where a person may stand, and name nobody.
pub(crate) const NOBODY: [&str; 44] = [
    "nobody",
    "somebody",
    "someone",
    "anybody",
    "anyone",
    "noone",
    "person",
    "people",
    "operator",
    "operators",
    "engineer",
    "engineers",
    "team",
    "it",
    "they",
    "he",
    "she",
    "who",
    "we",
    "us",
    "them",
    "him",
    "her",
    "a",
    "an",
    "the",
    "was",
    "is",
    "be",
    "been",
    "not",
    "never",
    "hand",
    "itself",
    "rolling",
    "restarting",
    "incident",
    "alert",
    "alerts",
    "service",
    "that",
    "which",
    "this",
    "then",
];

/// Words for numbers, from two: "one" is rarely a number.
pub(crate) const NUMBERS: [(&str, f64); 13] = [
    ("two", 2.0),
    ("three", 3.0),
    ("four", 4.0),
    ("five", 5.0),
    ("six", 6.0),
    ("seven", 7.0),
    ("eight", 8.0),
    ("nine", 9.0),
    ("ten", 10.0),
    ("eleven", 11.0),
    ("twelve", 12.0),
    ("both", 2.0),
    ("twice", 2.0),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_makes_marks_and_spaces_alike() {
        assert_eq!(fold("  FATAL:\n “too  many” — clients "), "fatal: 'too many' - clients");
    }

    #[test]
    fn a_word_stands_by_itself() {
        assert!(has_word("redis is down", "redis"));
        assert!(!has_word("redisdown", "redis") && !has_word("shop-redis", "redis"));
    }

    #[test]
    fn words_meet_in_their_stems() {
        assert_eq!(content("connections failed"), content("connection failing"));
    }
}
