//! What a part of a question asks for, with how sure that is. Owns the threshold below which it is not understood.

use std::collections::BTreeMap;

use super::part::AskedPart;
use crate::intent::nearest::BUILT_IN;
use crate::intent::{Intent, features};

/// Least score at which a question counts as understood.
pub(crate) const UNDERSTOOD_MIN: f64 = 0.40;
/// Least score where no other intent comes near, and how far the next one must be.
const CLEAR_MIN: f64 = 0.33;
const CLEAR_BY: f64 = 0.08;
/// Readings that are offered where it is not.
const READINGS: usize = 3;
/// How much an embedder counts beside shared words.
const EMBEDDED: f64 = 0.5;

/// What a part asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct AskedFor {
    /// Best first.
    pub(crate) ranked: Vec<(Intent, f64)>,
}

impl AskedFor {
    /// What it asks for, where that is sure enough.
    pub(crate) fn intent(&self) -> Option<Intent> {
        let (intent, score) = *self.ranked.first()?;
        let next = self.ranked.get(1).map_or(0.0, |(_, score)| *score);
        let clear = score >= CLEAR_MIN && score - next >= CLEAR_BY;
        (score >= UNDERSTOOD_MIN || clear).then_some(intent)
    }

    /// What it may ask for.
    pub(crate) fn readings(&self) -> Vec<Intent> {
        let told = self.ranked.iter().map(|(intent, _)| *intent);
        told.filter(|intent| !matches!(intent, Intent::Act | Intent::Beyond)).take(READINGS).collect()
    }
}

/// Ranks what a part may ask for; `embedded` is how near an embedder finds each example, in their order.
pub(crate) fn rank(part: &AskedPart, embedded: Option<&[f64]>) -> AskedFor {
    let (plain, topics) = (BUILT_IN.nearness(&part.pattern), BUILT_IN.nearness(&part.pattern_topics));
    let near = plain.iter().zip(&topics).map(|(a, b)| a.max(*b));
    let near: Vec<f64> = match embedded {
        Some(embedded) => {
            near.zip(embedded).map(|(words, meant)| words * (1.0 - EMBEDDED) + meant * EMBEDDED).collect()
        }
        None => near.collect(),
    };
    let mut scores: BTreeMap<Intent, f64> = BUILT_IN.scores(&near);
    // A question of which no word is known is of no form either.
    if near.iter().any(|near| *near > 0.0) {
        features::weigh(&mut scores, part);
    }
    let mut ranked: Vec<(Intent, f64)> = scores.into_iter().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    AskedFor { ranked }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::understand::names::NameBook;
    use crate::understand::{moment, read};

    const PARAPHRASES: &str = include_str!("../intent/paraphrases.txt");
    /// Least share of paraphrases that are understood rightly, and the largest that are understood wrongly.
    const RIGHT_MIN: f64 = 0.9;
    const WRONG_MAX: f64 = 0.06;

    #[test]
    #[allow(clippy::cast_precision_loss)] // counts of a file
    fn paraphrases_are_understood() {
        let book = NameBook::of_names(
            &["postgres", "checkout", "redis", "search", "cart", "nginx", "backup"],
            &["NginxHigh5xxRate", "RedisDown", "RedisMemoryNearMax", "BackupTooOld"],
        );
        let now = "2026-11-24T18:00:00Z".parse().unwrap();
        let (mut right, mut wrong, mut all) = (0, Vec::new(), 0);
        for line in PARAPHRASES.lines().filter(|line| !line.starts_with('#')) {
            let (name, question) = line.split_once(" | ").unwrap();
            let parts = read(question, moment(question, now), &book).parts;
            let asked = rank(&parts[0], None);
            all += 1;
            match asked.intent() {
                Some(intent) if intent.name() == name => right += 1,
                Some(intent) => {
                    wrong.push(format!("{question}: {} for {name} {:?}", intent.name(), &asked.ranked[..3]))
                }
                None => println!("not understood: {question} ({name}) {:?}", &asked.ranked[..3]),
            }
        }
        println!("{right} of {all} right, {} wrong:\n{}", wrong.len(), wrong.join("\n"));
        assert!(f64::from(right) / f64::from(all) >= RIGHT_MIN, "{right} of {all}");
        assert!(wrong.len() as f64 / f64::from(all) <= WRONG_MAX, "{wrong:#?}");
    }
}
