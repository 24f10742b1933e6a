//! One thing that is asked, with what it names: a question has one or several.

use super::concepts::{self, SymptomTopic};
use super::names::{NameBook, NamedKind, NamedThing, is_version};
use super::plain;
use crate::intent::words::QuestionWord;

/// One thing that is asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct AskedPart {
    /// Its words, in lower case, times left out.
    pub(crate) words: Vec<String>,
    /// The words with placeholders for what is named, as examples have them: symptoms in words of their own.
    pub(crate) pattern: String,
    /// The same with symptoms as placeholders too.
    pub(crate) pattern_topics: String,
    /// What it names, in its order.
    pub(crate) things: Vec<NamedThing>,
    /// Symptoms that it names.
    pub(crate) topics: Vec<&'static SymptomTopic>,
    /// Names that nothing is known by.
    pub(crate) unknown: Vec<String>,
    /// Whether its words are English ones: one that is not known is then a name where a name would stand.
    is_english: bool,
    /// Names that were taken for others, which are spelt nearly so.
    pub(crate) taken_for: Vec<(String, String)>,
}

/// Words behind which a name stands.
const BEFORE_NAMES: [&str; 31] = [
    "is", "are", "was", "were", "does", "did", "has", "of", "on", "with", "about", "to", "for", "in", "from",
    "against", "by", "owns", "own", "restart", "compare", "deploy", "fix", "blame", "suspect", "silence", "and", "or",
    "not", "why", "vs",
];
/// Words before which a name stands.
const AFTER_NAMES: [&str; 22] = [
    "alert",
    "alerts",
    "incident",
    "incidents",
    "service",
    "server",
    "host",
    "node",
    "pod",
    "team",
    "database",
    "cluster",
    "queue",
    "topic",
    "outage",
    "deploy",
    "release",
    "fine",
    "ok",
    "healthy",
    "down",
    "up",
];
/// Labels that may stand beside a plain word that is one of their values.
const LABEL_WORDS: [&str; 16] = [
    "database",
    "db",
    "queue",
    "topic",
    "node",
    "host",
    "instance",
    "pod",
    "cluster",
    "device",
    "target",
    "namespace",
    "region",
    "zone",
    "volume",
    "shard",
];

impl AskedPart {
    /// Reads what words name.
    pub(crate) fn read(words: &[QuestionWord], book: &NameBook, is_english: bool) -> Self {
        let mut part =
            Self { is_english, words: words.iter().map(|word| word.text.clone()).collect(), ..Self::default() };
        let texts: Vec<String> = part.words.clone();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        part.topics = concepts::named(&texts);
        let (mut pattern, mut with_topics): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        let mut named: Vec<&str> = Vec::new();
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let (name, length) = part.name_at(word, at, &texts, book);
            let length = length.max(1);
            match name {
                Some(placeholder) => {
                    named.extend(texts.get(at..at + length).unwrap_or_default());
                    pattern.push(placeholder.to_owned());
                    with_topics.push(placeholder.to_owned());
                }
                None => {
                    pattern.push(word.text.clone());
                    let is_topic = concepts::of_word(&word.text).is_some();
                    with_topics.push(if is_topic { "{con}".to_owned() } else { word.text.clone() });
                }
            }
            at += length;
        }
        // A word that named a service names no symptom.
        part.topics.retain(|topic| !named.iter().any(|word| topic.is_asked_by_alone(word, &texts)));
        part.pattern = pattern.join(" ");
        part.pattern_topics = with_topics.join(" ");
        part
    }

    /// The placeholder of what is named at a word, and how many words it has.
    fn name_at(
        &mut self,
        word: &QuestionWord,
        at: usize,
        texts: &[&str],
        book: &NameBook,
    ) -> (Option<&'static str>, usize) {
        if word.text == "{time}" {
            return (Some("{time}"), 1);
        }
        if let Some((thing, length)) = book.at(texts.get(at..).unwrap_or_default())
            && (length > 1 || fits(&thing, at, texts))
        {
            return (Some(self.take(thing)), length);
        }
        if let Some(id) = incident_id(&word.text) {
            let mut found = book.incidents.iter().filter(|incident| incident.id.starts_with(&id));
            let place = match (found.next(), found.next()) {
                (Some(one), None) => self.take(NamedThing { kind: NamedKind::Incident, name: one.id.clone() }),
                _ => self.take(NamedThing { kind: NamedKind::Incident, name: id }),
            };
            return (Some(place), 1);
        }
        if is_version(&word.text) {
            return (Some(self.take(NamedThing { kind: NamedKind::Version, name: word.text.clone() })), 1);
        }
        let is_plain = plain::is_plain(&word.text)
            || concepts::of_word(&word.text).is_some()
            || word.text.contains('-') && concepts::of_word(&word.text.replace('-', " ")).is_some();
        if is_plain || word.text.chars().count() < 3 {
            return (None, 1);
        }
        if let Some(near) = book.nearly(&word.text) {
            let near = near.clone();
            self.taken_for.push((word.raw.clone(), near.name.clone()));
            return (Some(self.take(near)), 1);
        }
        if looks_like_a_name(&word.raw) || self.is_english && stands_like_a_name(&word.raw, at, texts) {
            self.unknown.push(word.raw.clone());
            return (Some("{x}"), 1);
        }
        (None, 1)
    }

    fn take(&mut self, thing: NamedThing) -> &'static str {
        let place = match thing.kind {
            NamedKind::Service | NamedKind::Thing => "{x}",
            NamedKind::Alert => "{alert}",
            NamedKind::Incident => "{inc}",
            NamedKind::Person | NamedKind::Team => "{who}",
            NamedKind::Version => "{ver}",
        };
        if !self.things.contains(&thing) {
            self.things.push(thing);
        }
        place
    }

    /// The names of one kind.
    pub(crate) fn of(&self, kind: NamedKind) -> Vec<&str> {
        self.things.iter().filter(|thing| thing.kind == kind).map(|thing| thing.name.as_str()).collect()
    }

    /// Whether any of these words is asked with.
    pub(crate) fn has(&self, words: &[&str]) -> bool {
        self.words.iter().any(|word| words.contains(&word.as_str()))
    }

    /// Whether it is asked with words in this order, one behind the other.
    pub(crate) fn says(&self, phrase: &str) -> bool {
        format!(" {} ", self.words.join(" ")).contains(&format!(" {phrase} "))
    }

    /// Its first word.
    pub(crate) fn first(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// Whether it names nothing that an answer could be about.
    pub(crate) fn names_nothing(&self) -> bool {
        self.things.is_empty() && self.topics.is_empty() && self.unknown.is_empty()
    }
}

/// Whether a name of one word is meant where it stands: teams and values of labels may be plain words too.
fn fits(thing: &NamedThing, at: usize, texts: &[&str]) -> bool {
    let beside = |words: &[&str]| {
        let before = at.checked_sub(1).and_then(|at| texts.get(at));
        [before, texts.get(at + 1)].into_iter().flatten().any(|word| words.contains(word))
    };
    let is_plain = thing.name.chars().all(|sign| sign.is_ascii_lowercase());
    match thing.kind {
        NamedKind::Team => beside(&["team", "teams"]) || texts.contains(&"team"),
        NamedKind::Thing => {
            !is_plain || !texts.get(at).is_some_and(|word| plain::is_plain(word)) || beside(&LABEL_WORDS)
        }
        _ => true,
    }
}

/// An incident's id, or a prefix of one.
fn incident_id(word: &str) -> Option<String> {
    let digits = word.strip_prefix("inc-")?;
    (!digits.is_empty() && digits.chars().all(|sign| sign.is_ascii_alphanumeric())).then(|| word.to_ascii_uppercase())
}

/// Whether a word is spelt like a name and not like a word.
fn looks_like_a_name(raw: &str) -> bool {
    let mut signs = raw.chars();
    let first = signs.next();
    let inside_upper = signs.clone().any(char::is_uppercase) && raw.chars().any(char::is_lowercase);
    let has_digit = raw.chars().any(|sign| sign.is_ascii_digit()) && raw.chars().any(char::is_alphabetic);
    let joined = raw.contains(['_', '/', '@']) || raw.contains('.') && has_digit;
    let is_word = |part: &str| part.is_empty() || plain::is_plain(&part.to_lowercase());
    let hyphened = raw.split('-').count() >= 2 && !raw.split('-').all(is_word);
    first.is_some_and(char::is_alphabetic) && (inside_upper || has_digit || joined || hyphened)
}

/// Whether a word that is no word of ours stands where a name would.
fn stands_like_a_name(raw: &str, at: usize, texts: &[&str]) -> bool {
    let before = at.checked_sub(1).and_then(|at| texts.get(at));
    // What follows an article is a common noun, unless it is spelt like a name.
    let behind_article = before.is_some_and(|word| ["the", "our", "my"].contains(word));
    let before = before.is_some_and(|word| BEFORE_NAMES.contains(word))
        || behind_article && raw.chars().next().is_some_and(char::is_uppercase);
    let behind = texts.get(at + 1).is_some_and(|word| AFTER_NAMES.contains(word));
    before && texts.get(at).is_some_and(|word| !word.ends_with("ing") && !word.ends_with("ly") && !word.ends_with("ed"))
        || behind
}
