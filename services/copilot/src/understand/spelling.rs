//! Words as they are typed in a hurry: short forms, endings that are left off, one letter that is wrong. Owns how they are put
//! right; names are not touched, and neither is what may be one.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::names::{NameBook, near_by_one};
use super::plain;
use crate::intent::nearest::BUILT_IN;
use crate::intent::words::{self, QuestionWord};

/// Short forms, and what they stand for.
const SHORT: [(&str, &str); 40] = [
    ("y", "why"),
    ("u", "you"),
    ("r", "are"),
    ("ur", "your"),
    ("wat", "what"),
    ("wut", "what"),
    ("wots", "what is"),
    ("wassup", "what is up"),
    ("wtf", "what"),
    ("pls", "please"),
    ("plz", "please"),
    ("thx", "thanks"),
    ("ty", "thanks"),
    ("atm", "right now"),
    ("rn", "right now"),
    ("asap", "now"),
    ("b4", "before"),
    ("bc", "because"),
    ("cuz", "because"),
    ("coz", "because"),
    ("w", "with"),
    ("abt", "about"),
    ("sth", "something"),
    ("smth", "something"),
    ("sb", "somebody"),
    ("ppl", "people"),
    ("gonna", "going to"),
    ("gotta", "have to"),
    ("wanna", "want to"),
    ("gimme", "give me"),
    ("lemme", "let me"),
    ("dunno", "do not know"),
    ("cmd", "command"),
    ("cmds", "commands"),
    ("msg", "message"),
    ("msgs", "messages"),
    ("prob", "problem"),
    ("probs", "problems"),
    ("cust", "customers"),
    ("k", "ok"),
];
/// Letters of the shortest word that is put right.
const LEAST: usize = 5;

/// Words of the examples by their length, with how many examples have them.
static VOCABULARY: LazyLock<BTreeMap<String, usize>> = LazyLock::new(|| {
    let mut all = BTreeMap::new();
    for example in &BUILT_IN.all {
        for word in words::words(&example.text) {
            if word.text.chars().all(char::is_alphabetic) {
                *all.entry(word.text).or_insert(0) += 1;
            }
        }
    }
    all
});

/// The words put right.
pub(super) fn put_right(words: Vec<QuestionWord>, book: &NameBook) -> Vec<QuestionWord> {
    words.into_iter().flat_map(|word| one(word, book)).collect()
}

fn one(word: QuestionWord, book: &NameBook) -> Vec<QuestionWord> {
    let of = |text: &str| QuestionWord { text: text.to_owned(), raw: text.to_owned() };
    if book.exactly(&word.text).is_some() {
        return vec![word];
    }
    if let Some((_, full)) = SHORT.iter().find(|(short, _)| *short == word.text) {
        return full.split(' ').map(of).collect();
    }
    let is_word = word.text.chars().all(char::is_alphabetic) && word.text == word.raw;
    if !is_word || plain::is_plain(&word.text) || book.nearly(&word.text).is_some() {
        return vec![word];
    }
    let whole = format!("{}g", word.text);
    if word.text.ends_with("in") && plain::is_plain(&whole) {
        return vec![of(&whole)];
    }
    if word.text.chars().count() < LEAST {
        return vec![word];
    }
    let near = VOCABULARY.iter().filter(|(known, _)| {
        // What begins otherwise may be a name that is not known.
        known.len() >= LEAST && known.chars().next() == word.text.chars().next() && near_by_one(known, &word.text)
    });
    match near.max_by_key(|(_, count)| **count) {
        Some((known, _)) => vec![of(known)],
        None => vec![word],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(typed: &str, right: &str) {
        let book = NameBook::of_names(&["redis", "checkout"], &[]);
        let words = put_right(words::words(typed), &book);
        assert_eq!(words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" "), right);
    }

    #[test]
    fn what_is_typed_in_a_hurry_is_put_right_and_names_are_not() {
        check("wat is happenin w/ redis rn", "what is happening with redis right now");
        check("what hapened", "what happened");
        check("is billing fine", "is billing fine");
        check("is lichen fine", "is lichen fine");
        check("how come redsi and chekout", "how come redsi and chekout");
    }
}
