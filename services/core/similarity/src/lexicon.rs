//! Which texts share a question's telling words. Owns the counting of words and how it is put together with what the
//! embedder says; refuses to know where texts lie.
//!
//! A word tells the more, the fewer texts have it, and the first time more than the tenth (Okapi BM25: Robertson and
//! Walker, SIGIR 1994). An embedder hears what is meant and loses names; this hears names.

use std::collections::{BTreeMap, BTreeSet};

use crate::{camel_words, unit};

/// How soon a word that comes again tells nothing more.
const SATURATES: f64 = 1.2;
/// How much a long text is held to have words by its length alone.
const LENGTH: f64 = 0.75;
/// How much words count in what is put together; the rest is the cosine.
const WORDS: f64 = 0.6;
/// Words of one text that are counted.
const WORDS_MAX: usize = 20_000;

/// The words of some texts, counted.
#[derive(Clone, Debug, Default)]
pub struct Lexicon {
    texts: Vec<TermCounts>,
    /// How many texts have a word.
    having: BTreeMap<String, usize>,
    /// Words of a text, on average.
    length: f64,
}

#[derive(Clone, Debug)]
struct TermCounts {
    words: BTreeMap<String, f64>,
    length: f64,
}

impl Lexicon {
    /// Counts the words of texts; their order is that of every answer.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // counts of words
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut lexicon = Self::default();
        for text in texts {
            let mut counted = TermCounts { words: BTreeMap::new(), length: 0.0 };
            for word in words(text) {
                counted.length += 1.0;
                *counted.words.entry(word).or_default() += 1.0;
            }
            for word in counted.words.keys() {
                *lexicon.having.entry(word.clone()).or_default() += 1;
            }
            lexicon.texts.push(counted);
        }
        let all: f64 = lexicon.texts.iter().map(|text| text.length).sum();
        lexicon.length = (all / lexicon.texts.len().max(1) as f64).max(1.0);
        lexicon
    }

    /// How much of what the question's words tell stands in each text, 0 to 1.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // counts of texts
    pub fn shared(&self, question: &str) -> Vec<f64> {
        let asked: BTreeSet<String> = words(question).collect();
        let total = self.texts.len() as f64;
        let telling = |word: &String| {
            let having = self.having.get(word).copied().unwrap_or(0) as f64;
            (1.0 + (total - having + 0.5) / (having + 0.5)).ln()
        };
        let asked: Vec<(&String, f64)> = asked.iter().map(|word| (word, telling(word))).collect();
        let most: f64 = asked.iter().map(|(_, telling)| telling * (SATURATES + 1.0)).sum();
        let of = |text: &TermCounts| {
            let room = SATURATES * (1.0 - LENGTH + LENGTH * text.length / self.length);
            let part = |(word, telling): &(&String, f64)| {
                let count = text.words.get(*word).copied().unwrap_or(0.0);
                telling * count * (SATURATES + 1.0) / (count + room)
            };
            if most > 0.0 { asked.iter().map(part).sum::<f64>() / most } else { 0.0 }
        };
        self.texts.iter().map(of).collect()
    }

    /// How near each text is to a question, 0 to 1, by its words and by the cosines that an embedder gave, one a text.
    #[must_use]
    pub fn near(&self, question: &str, cosines: &[f32]) -> Vec<f64> {
        let cosine = |at: usize| unit(cosines.get(at).copied().unwrap_or(0.0));
        let both = |(at, shared): (usize, f64)| WORDS * shared + (1.0 - WORDS) * cosine(at);
        self.shared(question).into_iter().enumerate().map(both).collect()
    }
}

/// The words of a text, without the endings of plurals and participles.
fn words(text: &str) -> impl Iterator<Item = String> {
    let long = camel_words(text).filter(|word| word.chars().count() >= 2);
    long.take(WORDS_MAX).map(|word| stem(&word).to_owned())
}

fn stem(word: &str) -> &str {
    let long = |stem: &&str| stem.chars().count() >= 4;
    let cut = ["ing", "ies", "ed", "es", "s"].into_iter().find_map(|ending| word.strip_suffix(ending).filter(long));
    cut.unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 3] = [
        "The database ran out of connections; idle transactions were ended.",
        "The certificate of the gateway expired, and the gateway refused connections.",
        "Deploying search broke the shards of the index.",
    ];

    fn first(scores: &[f64]) -> Option<usize> {
        (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b]))
    }

    #[test]
    fn rare_words_find_the_text_that_has_them() {
        let lexicon = Lexicon::of(TEXTS);
        let shared = lexicon.shared("GatewayCertificateExpires: connections refused");
        assert_eq!(first(&shared), Some(1), "{shared:?}");
        assert!(shared.iter().all(|share| (0.0..=1.0).contains(share)));
        assert_eq!(lexicon.shared("nothing known"), [0.0; 3]);
        assert!(Lexicon::default().near("x", &[]).is_empty());
    }

    #[test]
    fn where_words_say_nothing_the_embedder_decides() {
        let lexicon = Lexicon::of(TEXTS);
        assert_eq!(first(&lexicon.near("zzz", &[0.1, 0.2, 0.9])), Some(2));
        assert_eq!(first(&lexicon.near("the idle transactions of the database", &[0.5, 0.55, 0.5])), Some(0));
    }
}
