//! A text as a row of lexemes: what was read as a thing (a time, a number, a name …), and every word between. Nothing
//! is dropped: what is no lexeme of ours is an unknown word, and a sentence with one is not checked.

use std::ops::Range;

use crate::known::KnownNames;
use crate::metric;
use crate::read::{TextAssertion, TextReading};
use crate::vocabulary::{self, Entry};

/// What a lexeme is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Lex {
    /// Something that can be looked up.
    Thing(TextAssertion),
    /// Words of ours: a verb, a noun, a preposition and so on.
    Entry(Entry),
    /// `2nd`, `second`.
    Ordinal(u32),
    /// A receiver of pages.
    Receiver(String),
    /// Words of a metric's name.
    Metric(String),
    Mark(char),
    /// A word that means something and that the grammar does not know.
    Unknown(String),
}

/// A lexeme with its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lexeme {
    pub at: Range<usize>,
    pub what: Lex,
}

/// Cuts a text into lexemes.
pub(crate) fn lexemes(reading: &TextReading, known: &KnownNames) -> Vec<Lexeme> {
    let mut all = Vec::new();
    let mut from = 0;
    for token in &reading.tokens {
        if token.at.start < from {
            continue;
        }
        words(reading, from..token.at.start, &mut all);
        all.push(Lexeme { at: token.at.clone(), what: thing(&token.said, known) });
        from = token.at.end;
    }
    words(reading, from..reading.rest.len(), &mut all);
    hedges(&mut all);
    named(&mut all, known);
    phrases(&mut all);
    ordinals(&mut all);
    metrics(&mut all, known);
    all
}

fn thing(said: &TextAssertion, known: &KnownNames) -> Lex {
    if let TextAssertion::Name(name) = said {
        // `PostgreSQL` for `postgres`
        let spelt =
            |service: &&String| service.len() >= 4 && name.strip_prefix(*service).is_some_and(|tail| tail.len() <= 2);
        if let Some(service) = known.services.keys().find(spelt) {
            return Lex::Thing(TextAssertion::Service(known.resolve(service).to_owned()));
        }
    }
    if let TextAssertion::Quote(quote) = said {
        // a name between marks of code is a name
        if let Some(service) = known.services.get(quote) {
            return Lex::Thing(TextAssertion::Service(service.clone()));
        }
        let is_alert = || known.alerts.values().flatten().any(|name| name.eq_ignore_ascii_case(quote));
        if !quote.contains(' ') && (known.metrics.contains(quote) || is_alert()) {
            return Lex::Thing(TextAssertion::Name(quote.clone()));
        }
    }
    Lex::Thing(said.clone())
}

/// The words and marks of a range in which nothing was read as a thing.
fn words(reading: &TextReading, range: Range<usize>, all: &mut Vec<Lexeme>) {
    let Some(text) = reading.rest.get(range.clone()) else {
        return;
    };
    let mut begin: Option<usize> = None;
    let ends: Vec<(usize, char)> = text.char_indices().chain([(text.len(), ' ')]).collect();
    for (at, c) in ends {
        let inside = c.is_alphanumeric() || matches!(c, '_' | '-' | '\'' | '’');
        if inside {
            begin = begin.or(Some(at));
            continue;
        }
        if let Some(begin) = begin.take()
            && let Some(word) = text.get(begin..at)
        {
            word_of(word, range.start + begin, all);
        }
        // quotation marks say nothing beside the quotation that was read
        if !c.is_whitespace() && !matches!(c, '"' | '“' | '”' | '`' | '«' | '»' | '‘' | '*') {
            let at = range.start + at;
            all.push(Lexeme { at: at..at + c.len_utf8(), what: Lex::Mark(c) });
        }
    }
}

/// One word; a possessive ending says nothing, `n't` is a denial.
fn word_of(word: &str, at: usize, all: &mut Vec<Lexeme>) {
    let plain = word.replace('’', "'");
    let plain = plain.trim_start_matches(['\'', '-']).trim_end_matches(['\'', '-']);
    let end = at + word.len();
    if plain == "s" && word.starts_with(['\'', '’']) || plain.is_empty() {
        return;
    }
    let (stem, denied) = match plain.strip_suffix("n't") {
        Some(stem) => (stem, true),
        None => (plain.strip_suffix("'s").unwrap_or(plain), false),
    };
    all.push(Lexeme { at: at..end, what: Lex::Unknown(stem.to_owned()) });
    if denied {
        all.push(Lexeme { at: at..end, what: Lex::Unknown("not".to_owned()) });
    }
}

/// Words before a number that are a part of it: `about 40`, `more than 1,000`. A moment has no more and no less: what says
/// so before one is not read.
fn hedges(all: &mut Vec<Lexeme>) {
    const HEDGES: [&str; 19] = [
        "about",
        "around",
        "roughly",
        "approximately",
        "some",
        "nearly",
        "almost",
        "close to",
        "circa",
        "more than",
        "over",
        "above",
        "at least",
        "less than",
        "under",
        "below",
        "fewer than",
        "at most",
        "up to",
    ];
    /// How many of them say nearly.
    const NEARLY: usize = 9;
    let mut index = 0;
    while index < all.len() {
        let is_moment = matches!(all.get(index).map(|lexeme| &lexeme.what), Some(Lex::Thing(TextAssertion::Moment(_))));
        let may = if is_moment { &HEDGES[..NEARLY] } else { &HEDGES[..] };
        let measured = matches!(
            all.get(index).map(|lexeme| &lexeme.what),
            Some(Lex::Thing(TextAssertion::Figure(_) | TextAssertion::Stretch(_) | TextAssertion::Moment(_)))
        );
        let word = |back: usize| match index.checked_sub(back).and_then(|at| all.get(at)).map(|lexeme| &lexeme.what) {
            Some(Lex::Unknown(word)) => word.clone(),
            Some(Lex::Mark(c @ ('~' | '≈'))) => c.to_string(),
            _ => String::new(),
        };
        let (one, two) = (word(1), format!("{} {}", word(2), word(1)));
        let length = if !measured {
            0
        } else if may.contains(&two.as_str()) {
            2
        } else {
            usize::from(may.contains(&one.as_str()) || one == "~" || one == "≈")
        };
        if length > 0
            && let Some(start) = all.get(index - length).map(|lexeme| lexeme.at.start)
            && let Some(lexeme) = all.get_mut(index)
        {
            lexeme.at.start = start;
            all.drain(index - length..index);
            index -= length;
        }
        index += 1;
    }
}

/// Names that the cited events know and that look like plain words: receivers, alerts of one word.
fn named(all: &mut [Lexeme], known: &KnownNames) {
    let receivers: Vec<String> = known.notices.values().map(|(receiver, _)| receiver.to_lowercase()).collect();
    let alerts: Vec<String> = known.alerts.values().flatten().map(|name| name.to_lowercase()).collect();
    for lexeme in all {
        let Lex::Unknown(word) = &lexeme.what else {
            continue;
        };
        let word = word.clone();
        if receivers.contains(&word) {
            lexeme.what = Lex::Receiver(word);
        } else if word.len() > 3 && alerts.contains(&word) && vocabulary::find(&[word.as_str()]).is_none() {
            lexeme.what = Lex::Thing(TextAssertion::Name(word));
        }
    }
}

/// Words of ours, the longest phrase first.
fn phrases(all: &mut Vec<Lexeme>) {
    let mut index = 0;
    while index < all.len() {
        for length in (1..=vocabulary::WORDS_MAX).rev() {
            let Some(slice) = all.get(index..index + length) else {
                continue;
            };
            let words: Vec<&str> = slice
                .iter()
                .filter_map(|lexeme| match &lexeme.what {
                    Lex::Unknown(word) => Some(word.as_str()),
                    _ => None,
                })
                .collect();
            if words.len() < length {
                continue;
            }
            let (Some(entry), Some(first), Some(last)) = (vocabulary::find(&words), slice.first(), slice.last()) else {
                continue;
            };
            let merged = Lexeme { at: first.at.start..last.at.end, what: Lex::Entry(entry) };
            all.splice(index..index + length, [merged]);
            break;
        }
        index += 1;
    }
}

fn ordinals(all: &mut [Lexeme]) {
    const WORDS: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];
    for lexeme in all {
        let Lex::Unknown(word) = &lexeme.what else {
            continue;
        };
        let digits: String = word.chars().take_while(char::is_ascii_digit).collect();
        let ending = word.get(digits.len()..).unwrap_or_default();
        let number = match digits.parse() {
            Ok(number) if ["st", "nd", "rd", "th"].contains(&ending) => Some(number),
            _ => WORDS.iter().position(|known| known == word).and_then(|index| u32::try_from(index + 1).ok()),
        };
        if let Some(number) = number {
            lexeme.what = Lex::Ordinal(number);
        }
    }
}

/// Words of the names of metrics that the events know.
fn metrics(all: &mut [Lexeme], known: &KnownNames) {
    for lexeme in all {
        if let Lex::Unknown(word) = &lexeme.what
            && known.metrics.iter().any(|name| metric::is_word_of(word, name))
        {
            lexeme.what = Lex::Metric(word.clone());
        }
    }
}
