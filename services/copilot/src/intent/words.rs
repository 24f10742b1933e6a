//! A question taken apart: its words as they were written, in plain form and as stems, so that two ways of saying the
//! same thing share words. Owns contractions, endings and synonyms; knows nothing of what is asked.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Words that mean the same in a question: the first of a line stands for the others.
const SYNONYMS: &str = include_str!("synonyms.txt");

/// Contractions, and what they stand for.
const CONTRACTIONS: [(&str, &str); 38] = [
    ("whats", "what is"),
    ("what's", "what is"),
    ("whos", "who is"),
    ("who's", "who is"),
    ("wheres", "where is"),
    ("where's", "where is"),
    ("hows", "how is"),
    ("how's", "how is"),
    ("whens", "when is"),
    ("when's", "when is"),
    ("why's", "why is"),
    ("it's", "it is"),
    ("that's", "that is"),
    ("thats", "that is"),
    ("there's", "there is"),
    ("let's", "let us"),
    ("isnt", "is not"),
    ("isn't", "is not"),
    ("arent", "are not"),
    ("aren't", "are not"),
    ("wasnt", "was not"),
    ("wasn't", "was not"),
    ("werent", "were not"),
    ("weren't", "were not"),
    ("didnt", "did not"),
    ("didn't", "did not"),
    ("doesnt", "does not"),
    ("doesn't", "does not"),
    ("dont", "do not"),
    ("don't", "do not"),
    ("hasnt", "has not"),
    ("hasn't", "has not"),
    ("havent", "have not"),
    ("haven't", "have not"),
    ("cant", "can not"),
    ("can't", "can not"),
    ("couldn't", "could not"),
    ("shouldn't", "should not"),
];
/// Endings of contractions that follow any word.
const TAILS: [(&str, &str); 5] = [("'re", "are"), ("'ve", "have"), ("'ll", "will"), ("'d", "would"), ("'m", "am")];

/// A word in the form that is compared, and in the one that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QuestionWord {
    /// In lower case, without a possessive.
    pub(crate) text: String,
    /// As it was written.
    pub(crate) raw: String,
}

/// The words of a question, with contractions taken apart.
pub(crate) fn words(question: &str) -> Vec<QuestionWord> {
    let plain = question.replace(['’', '‘', '`'], "'");
    let mut all = Vec::new();
    for piece in plain.split(|c: char| !(c.is_alphanumeric() || "-_.:/'%+@<>{}".contains(c))) {
        let piece = piece.trim_matches(|c: char| ".:'/-<>".contains(c));
        if piece.is_empty() {
            continue;
        }
        let lower = piece.to_lowercase();
        let mut push = |text: &str, raw: &str| all.push(QuestionWord { text: text.to_owned(), raw: raw.to_owned() });
        if let Some((_, full)) = CONTRACTIONS.iter().find(|(short, _)| *short == lower) {
            full.split(' ').for_each(|word| push(word, word));
            continue;
        }
        if let Some((head, tail)) = TAILS.iter().find_map(|(tail, full)| Some((lower.strip_suffix(tail)?, full))) {
            push(head, piece.get(..head.len()).unwrap_or(head));
            push(tail, tail);
            continue;
        }
        let text = lower.strip_suffix("'s").unwrap_or(&lower);
        push(text, piece.get(..text.len()).unwrap_or(text));
    }
    all
}

static SAME: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let mut same = BTreeMap::new();
    for line in SYNONYMS.lines().filter(|line| !line.starts_with('#')) {
        let mut group = line.split_whitespace();
        let Some(first) = group.next() else { continue };
        for word in std::iter::once(first).chain(group) {
            same.insert(word.to_owned(), first.to_owned());
        }
    }
    same
});

/// What a word counts as: the word that stands for its group, else its stem.
pub(crate) fn stem(word: &str) -> String {
    if word.starts_with('<') || word.starts_with('{') {
        return word.to_owned();
    }
    if let Some(one) = SAME.get(word) {
        return one.clone();
    }
    let bare = bare(word);
    SAME.get(bare.as_str()).cloned().unwrap_or(bare)
}

/// A word without the usual endings of English.
fn bare(word: &str) -> String {
    const LEAST: usize = 3;
    let cut = |ending: &str| word.strip_suffix(ending).filter(|rest| rest.chars().count() >= LEAST);
    let rest = if let Some(rest) = cut("ies") {
        format!("{rest}y")
    } else if let Some(rest) = cut("ing").or_else(|| cut("ed")) {
        undoubled(rest)
    } else if let Some(rest) = cut("es") {
        rest.to_owned()
    } else if let Some(rest) = cut("s").filter(|rest| !rest.ends_with(['s', 'u', 'i'])) {
        rest.to_owned()
    } else {
        word.to_owned()
    };
    rest.strip_suffix('e').filter(|short| short.chars().count() >= LEAST).map_or(rest.clone(), ToOwned::to_owned)
}

/// `stopp` is `stop`.
fn undoubled(rest: &str) -> String {
    let mut last = rest.chars().rev();
    match (last.next(), last.next()) {
        (Some(a), Some(b)) if a == b && !matches!(a, 's' | 'l' | 'o' | 'e') => {
            rest.get(..rest.len() - a.len_utf8()).unwrap_or(rest).to_owned()
        }
        _ => rest.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(question: &str) -> Vec<String> {
        words(question).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn contractions_are_taken_apart_and_possessives_dropped() {
        assert_eq!(texts("What's up with postgres's disk?"), ["what", "is", "up", "with", "postgres", "disk"]);
        assert_eq!(texts("we're down, isn’t it"), ["we", "are", "down", "is", "not", "it"]);
        assert_eq!(texts("at 17:21:04, v42 of shop-cart."), ["at", "17:21:04", "v42", "of", "shop-cart"]);
    }

    #[test]
    fn forms_of_a_word_share_a_stem() {
        for (a, b) in [("firing", "fires"), ("stopped", "stops"), ("queries", "query"), ("causes", "cause")] {
            assert_eq!(stem(a), stem(b), "{a} and {b}");
        }
        assert_eq!(stem("postgres"), stem("postgres"));
        assert_ne!(stem("open"), stem("close"));
    }
}
