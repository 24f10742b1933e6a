//! What a question means, before anything is answered: what it names, the time that it is about, and what it asks for.
//!
//! Owns the order: times are read first and leave the words, then names, then the intent. A question may ask for several
//! things, and one that follows on what was said takes what it leaves out from there.
//!
//! - [`names`], [`concepts`] and [`plain`]: what is known by a name, and what is none. [`part`]: one thing that is asked.
//! - [`moments`] and [`calendar`]: times in words. [`language`]: whether it is English. [`foreign`]: what is not, in English.
//! - [`follow`]: what is left out. [`spelling`]: words that are spelt nearly like known ones.

pub(crate) mod asked_for;
mod calendar;
pub(crate) mod concepts;
pub(crate) mod follow;
mod foreign;
mod language;
pub(crate) mod moments;
pub(crate) mod names;
pub(crate) mod part;
mod plain;
mod spelling;

use hindcast_domain::Time;

use crate::intent::words::{self, QuestionWord};
use moments::WordedMoment;
use names::NameBook;
use part::AskedPart;

/// Parts of a question that are answered.
const PARTS_MAX: usize = 3;
/// Words with which another question begins behind "and" or a comma.
const BEGINNINGS: [&str; 24] = [
    "what", "who", "why", "when", "how", "which", "where", "is", "are", "was", "were", "did", "does", "do", "have",
    "has", "should", "could", "can", "show", "list", "whom", "if", "since",
];

/// A question as it was understood, without what it asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadQuestion {
    pub(crate) parts: Vec<AskedPart>,
    /// Its language, where it is not English.
    pub(crate) language: Option<&'static str>,
}

/// The time that a question names, read against `now`.
pub(crate) fn moment(question: &str, now: Time) -> Option<WordedMoment> {
    moments::find(question, now)
}

/// Reads a question against what is known by names.
pub(crate) fn read(question: &str, moment: Option<WordedMoment>, book: &NameBook) -> ReadQuestion {
    let lower = question.to_lowercase().replace(['’', '‘'], "'");
    // Words keep their spelling where the time stands nowhere in them.
    let bare = match moment.as_ref().and_then(|moment| lower.find(&moment.words).map(|at| (at, moment.words.len()))) {
        Some((at, length)) if lower.len() == question.len() => {
            let (head, tail) =
                (question.get(..at).unwrap_or_default(), question.get(at + length..).unwrap_or_default());
            format!("{head} {{time}} {tail}")
        }
        Some((at, length)) => {
            let (head, tail) = (lower.get(..at).unwrap_or_default(), lower.get(at + length..).unwrap_or_default());
            format!("{head} {{time}} {tail}")
        }
        None => question.to_owned(),
    };
    let all = words::words(&lower);
    let texts: Vec<&str> =
        all.iter().map(|word| word.text.as_str()).filter(|word| book.exactly(word).is_none()).collect();
    let language = language::other_than_english(&texts);
    let mut parts: Vec<AskedPart> = sentences(&bare)
        .iter()
        .map(|sentence| words::words(sentence))
        .map(|words| language.map_or_else(|| words.clone(), |language| foreign::in_english(&words, language, book)))
        .flat_map(|words| split(&spelling::put_right(words, book)))
        .map(|words| AskedPart::read(&words, book, language.is_none()))
        .collect();
    // A greeting or a remark before the question is none.
    if parts.len() > 1 {
        parts.retain(|part| !part.words.iter().all(|word| is_remark(word)));
    }
    parts.truncate(PARTS_MAX);
    ReadQuestion { parts, language }
}

fn is_remark(word: &str) -> bool {
    ["hi", "hello", "hey", "thanks", "thank", "you", "please", "ok", "okay", "well", "so", "hmm", "there", "{time}"]
        .contains(&word)
}

/// Sentences of a text.
fn sentences(text: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let signs: Vec<char> = text.chars().collect();
    for (at, sign) in signs.iter().enumerate() {
        let ends = matches!(sign, '?' | '\n')
            || matches!(sign, '.' | '!' | ';') && signs.get(at + 1).is_none_or(|c| c.is_whitespace());
        if ends {
            all.push(String::new());
        } else if let Some(last) = all.last_mut() {
            last.push(*sign);
            // A comma stays visible as a word of its own, so that parts can be told apart.
            if *sign == ',' {
                last.push_str(" %, ");
            }
        }
    }
    all.retain(|sentence| sentence.chars().any(char::is_alphanumeric));
    all
}

/// Questions within a sentence: behind a comma or "and" another one may begin.
fn split(words: &[QuestionWord]) -> Vec<Vec<QuestionWord>> {
    let mut parts: Vec<Vec<QuestionWord>> = vec![Vec::new()];
    let mut joined = false;
    for (at, word) in words.iter().enumerate() {
        if word.text == "%" {
            joined = true;
            continue;
        }
        let joins = word.text == "and" || word.text == "then" || word.text == "but";
        let next = words.get(at + 1).map_or("", |word| word.text.as_str());
        let begun = parts.last().is_some_and(|part| part.len() >= 2);
        if begun && joins && BEGINNINGS.contains(&next) {
            joined = true;
            continue;
        }
        if begun && joined && BEGINNINGS.contains(&word.text.as_str()) {
            parts.push(Vec::new());
        }
        joined = false;
        if let Some(part) = parts.last_mut() {
            part.push(word.clone());
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(question: &str) -> Vec<String> {
        let read = read(question, None, &NameBook::default());
        read.parts.iter().map(|part| part.words.join(" ")).collect()
    }

    #[test]
    fn several_questions_are_told_apart() {
        assert_eq!(
            parts("what is going on, have we seen this, what do I do?"),
            ["what is going on", "have we seen this", "what do i do"]
        );
        assert_eq!(parts("What caused it and who is on it?"), ["what caused it", "who is on it"]);
        assert_eq!(parts("Hi. Is postgres fine?"), ["is postgres fine"]);
        assert_eq!(parts("why did checkout and search fail"), ["why did checkout and search fail"]);
        assert_eq!(parts("and the backup one?"), ["and the backup one"]);
    }

    #[test]
    fn a_name_that_nothing_is_known_by_is_noticed() {
        let unknown = |question: &str| read(question, None, &NameBook::default()).parts[0].unknown.clone();
        assert_eq!(unknown("is lichen fine?"), ["lichen"]);
        assert_eq!(unknown("who owns the Frobnicator"), ["Frobnicator"]);
        assert_eq!(unknown("what happened to web-7f9c"), ["web-7f9c"]);
        for plain in ["is everything fine?", "who is affected by the outage", "is the disk full", "what is going on"] {
            assert!(unknown(plain).is_empty(), "{plain}: {:?}", unknown(plain));
        }
    }
}
