//! Words of other languages put into English, one by one, so that a question in one is understood by the same examples. The
//! words are data; refuses to be a translation: what it does not know stays as it is.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::names::NameBook;
use crate::intent::words::QuestionWord;

const TABLE: &str = include_str!("foreign.txt");
/// Words of the longest phrase.
const PHRASE_WORDS_MAX: usize = 5;
/// Short words that are joined to the next one by an apostrophe.
const ELIDED: [&str; 8] = ["l", "d", "qu", "s", "c", "n", "j", "dell"];

/// What the words and phrases of one language are in English.
type InEnglish = BTreeMap<String, String>;

static LANGUAGES: LazyLock<BTreeMap<&'static str, InEnglish>> = LazyLock::new(|| {
    let mut all: BTreeMap<&'static str, InEnglish> = BTreeMap::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let mut parts = line.split('|').map(str::trim);
        let (Some(language), Some(english), Some(words)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let known = all.entry(language).or_default();
        for word in words.split_whitespace() {
            known.entry(word.replace('_', " ")).or_insert_with(|| english.to_owned());
        }
    }
    all
});

/// How many words of a question each language knows, which English spells otherwise.
pub(super) fn known(words: &[&str]) -> BTreeMap<&'static str, usize> {
    let is_known = |word: &str, of: &InEnglish| of.get(word).is_some_and(|english| english != word);
    let count = |of: &InEnglish| words.iter().filter(|word| is_known(word, of)).count();
    LANGUAGES.iter().map(|(language, of)| (*language, count(of))).collect()
}

/// The words in English, as far as they are known; names stay.
pub(super) fn in_english(words: &[QuestionWord], language: &str, book: &NameBook) -> Vec<QuestionWord> {
    let Some(known) = LANGUAGES.get(language) else { return words.to_vec() };
    let words: Vec<QuestionWord> = words.iter().flat_map(|word| apart(word, known)).collect();
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let mut all = Vec::new();
    let mut at = 0;
    while let (Some(word), Some(rest)) = (words.get(at), texts.get(at..)) {
        let lengths = (1..=rest.len().min(PHRASE_WORDS_MAX)).rev();
        let found = lengths.filter_map(|length| Some((known.get(&rest.get(..length)?.join(" "))?, length))).next();
        match found {
            Some((english, length)) if length > 1 || book.exactly(&word.text).is_none() => {
                let plain = |text: &str| QuestionWord { text: text.to_owned(), raw: text.to_owned() };
                all.extend(english.split(' ').filter(|text| *text != "-").map(plain));
                at += length;
            }
            _ => {
                all.extend(parted(word, known, book));
                at += 1;
            }
        }
    }
    all
}

/// `l'incident` is two words, unless it is known as one.
fn apart(word: &QuestionWord, known: &InEnglish) -> Vec<QuestionWord> {
    let begins_phrase = || known.keys().any(|phrase| phrase.split(' ').any(|part| part == word.text));
    match word.text.split_once('\'') {
        Some((head, tail)) if ELIDED.contains(&head) && !tail.is_empty() && !begins_phrase() => {
            [head, tail].map(|text| QuestionWord { text: text.to_owned(), raw: text.to_owned() }).to_vec()
        }
        _ => vec![word.clone()],
    }
}

/// A compound of a name and a word, as `redis-ausfall` is one; else the word as it stands.
fn parted(word: &QuestionWord, known: &InEnglish, book: &NameBook) -> Vec<QuestionWord> {
    let same = || vec![word.clone()];
    if book.exactly(&word.text).is_some() {
        return same();
    }
    let Some((head, tail)) = word.text.split_once('-') else { return same() };
    if book.exactly(head).is_none() || tail.contains('-') {
        return same();
    }
    let tail = known.get(tail).map_or(tail, String::as_str);
    let of = |text: &str| QuestionWord { text: text.to_owned(), raw: text.to_owned() };
    std::iter::once(head).chain(tail.split(' ')).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intent::words;

    #[track_caller]
    fn check(question: &str, language: &str, english: &str) {
        let book = NameBook::of_names(&["redis", "cart"], &[]);
        let words = in_english(&words::words(question), language, &book);
        assert_eq!(words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" "), english);
    }

    #[test]
    fn words_and_phrases_are_put_into_english_and_names_stay() {
        check("Seit wann ist redis kaputt?", "German", "since when is redis broken");
        check("Lag es am Cart-Deploy?", "German", "is it because of cart deploy");
        check("Quelle est la cause de l'incident ?", "French", "what is the cause of the incident");
        check("¿Por qué se llenó el disco?", "Spanish", "why se llenó the disk");
    }
}
