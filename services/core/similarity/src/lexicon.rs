//! Which texts share a question's telling words. Owns the counting of words and how it is put together with what the
//! embedder says; refuses to know where texts lie.
//!
//! A word tells the more, the fewer texts have it, and the first time more than the tenth (Okapi BM25: Robertson and
//! Walker, SIGIR 1994). An embedder hears what is meant and loses names; this hears names. A long text is also looked at
//! passage by passage, because what it is about may stand in one of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::{camel_words, unit};

/// How soon a word that comes again tells nothing more.
const SATURATES: f64 = 1.2;
/// How much a long text is held to have words by its length alone.
const LENGTH: f64 = 0.75;
/// Words of one text that are counted.
const WORDS_MAX: usize = 20_000;
/// Words between blanks in a passage: about as many as a small embedder reads at once.
const PASSAGE: usize = 90;
/// Words from the beginning of a passage to that of the next one.
const PASSAGE_STEP: usize = 70;

/// How much of a likeness comes from where. The values in use lie where both families of `bench/similar.py` do well.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LikenessShares {
    /// Of words, 0 to 1; the rest is the cosine.
    pub words: f64,
    /// Of the best passage among words, 0 to 1; the rest is the whole text.
    pub passages: f64,
}

impl Default for LikenessShares {
    fn default() -> Self {
        Self { words: 0.8, passages: 0.5 }
    }
}

/// The words of some texts, counted.
#[derive(Clone, Debug, Default)]
pub struct Lexicon {
    whole: CountedTexts,
    passages: CountedTexts,
    /// Of each passage, which text it is of.
    owners: Vec<usize>,
}

/// Texts or passages, with their words.
#[derive(Clone, Debug, Default)]
struct CountedTexts {
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

/// The passages of a text, which overlap: one for a short text, and never none.
#[must_use]
pub fn passages(text: &str) -> Vec<&str> {
    // Where each word begins and ends.
    let word = |word: &str| {
        let begin = word.as_ptr() as usize - text.as_ptr() as usize;
        (begin, begin + word.len())
    };
    let words: Vec<(usize, usize)> = text.split_whitespace().map(word).collect();
    let mut found = Vec::new();
    for begin in (0..words.len()).step_by(PASSAGE_STEP) {
        let end = words.len().min(begin + PASSAGE);
        if let (Some((from, _)), Some((_, to))) = (words.get(begin), words.get(end - 1)) {
            found.extend(text.get(*from..*to));
        }
        if end == words.len() {
            break;
        }
    }
    if found.is_empty() { vec![text] } else { found }
}

impl Lexicon {
    /// Counts the words of texts; their order is that of every answer.
    #[must_use]
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let texts: Vec<&str> = texts.into_iter().collect();
        let (mut parts, mut owners) = (Vec::new(), Vec::new());
        for (owner, text) in texts.iter().enumerate() {
            for passage in passages(text) {
                parts.push(passage);
                owners.push(owner);
            }
        }
        Self { passages: CountedTexts::of(&parts), whole: CountedTexts::of(&texts), owners }
    }

    /// How much of what the question's words tell stands in each text, and in the best passage of it; 0 to 1.
    #[must_use]
    pub fn shared(&self, question: &str) -> Vec<(f64, f64)> {
        let whole = self.whole.shared(question);
        let mut best = vec![0.0_f64; whole.len()];
        for (owner, shared) in self.owners.iter().zip(self.passages.shared(question)) {
            if let Some(best) = best.get_mut(*owner) {
                *best = best.max(shared);
            }
        }
        whole.into_iter().zip(best).collect()
    }

    /// How near each text is to a question, 0 to 1, by its words and by the cosines that an embedder gave, one a text:
    /// that of its best passage where there are several.
    #[must_use]
    pub fn near(&self, question: &str, cosines: &[f32]) -> Vec<f64> {
        let LikenessShares { words, passages } = LikenessShares::default();
        let cosine = |at: usize| unit(cosines.get(at).copied().unwrap_or(0.0));
        let all = |(at, (whole, passage)): (usize, (f64, f64))| {
            words * ((1.0 - passages) * whole + passages * passage) + (1.0 - words) * cosine(at)
        };
        self.shared(question).into_iter().enumerate().map(all).collect()
    }
}

impl CountedTexts {
    #[allow(clippy::cast_precision_loss)] // counts of words
    fn of(texts: &[&str]) -> Self {
        let mut counted = Self::default();
        for text in texts {
            let mut terms = TermCounts { words: BTreeMap::new(), length: 0.0 };
            for word in words(text) {
                terms.length += 1.0;
                *terms.words.entry(word).or_default() += 1.0;
            }
            for word in terms.words.keys() {
                *counted.having.entry(word.clone()).or_default() += 1;
            }
            counted.texts.push(terms);
        }
        let all: f64 = counted.texts.iter().map(|text| text.length).sum();
        counted.length = (all / counted.texts.len().max(1) as f64).max(1.0);
        counted
    }

    #[allow(clippy::cast_precision_loss)] // counts of texts
    fn shared(&self, question: &str) -> Vec<f64> {
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
        let near = lexicon.near("GatewayCertificateExpires: connections refused", &[]);
        assert_eq!(first(&near), Some(1), "{near:?}");
        assert!(near.iter().all(|share| (0.0..=1.0).contains(share)));
        assert_eq!(lexicon.shared("nothing known"), [(0.0, 0.0); 3]);
        assert!(Lexicon::default().near("x", &[]).is_empty());
    }

    #[test]
    fn where_words_say_nothing_the_embedder_decides() {
        let lexicon = Lexicon::of(TEXTS);
        assert_eq!(first(&lexicon.near("zzz", &[0.1, 0.2, 0.9])), Some(2));
        assert_eq!(first(&lexicon.near("the idle transactions of the database", &[0.5, 0.55, 0.5])), Some(0));
    }

    #[test]
    fn passages_overlap_and_leave_nothing_out() {
        let words: Vec<String> = (0..200).map(|n| format!("w{n}")).collect();
        let text = words.join("  ");
        let parts = passages(&text);
        assert_eq!(parts.len(), 3, "0 to 90, 70 to 160, 140 to 200");
        let of = |part: &str| part.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!((of(parts[0]), of(parts[2])), (words[..90].to_vec(), words[140..].to_vec()));
        assert!(words.iter().all(|word| parts.iter().any(|part| of(part).contains(word))));
        assert_eq!(passages(" short text "), ["short text"]);
        assert_eq!((passages(""), passages(" ")), (vec![""], vec![" "]));
    }

    #[test]
    fn what_stands_together_in_a_long_text_counts_more_than_what_is_strewn_over_it() {
        let filler = |n: usize| format!("filler{n} ").repeat(100);
        let together = format!("{}{}certificate of the gateway expired {}", filler(1), filler(2), filler(3));
        let strewn = format!("certificate {}gateway {}expired {}of the", filler(4), filler(5), filler(6));
        let lexicon = Lexicon::of([strewn.as_str(), together.as_str()]);
        let shared = lexicon.shared("the certificate of the gateway expired");
        assert!((shared[0].0 - shared[1].0).abs() < 0.01, "the whole texts are alike: {shared:?}");
        assert!(shared[1].1 > shared[0].1 + 0.1, "their best passages are not: {shared:?}");
        assert_eq!(first(&lexicon.near("the certificate of the gateway expired", &[0.5, 0.5])), Some(1));
    }
}
