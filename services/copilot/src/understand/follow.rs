//! A question that follows on what was said: what it leaves out it takes from the turn before. Owns which words follow.

use super::part::AskedPart;
use crate::intent::Intent;

/// What was spoken of last.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpokenOf {
    pub(crate) intent: Option<Intent>,
    pub(crate) part: AskedPart,
}

/// One part of a question, resolved.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResolvedPart {
    pub(crate) part: AskedPart,
    /// Absent where it was not understood.
    pub(crate) intent: Option<Intent>,
    pub(crate) readings: Vec<Intent>,
    /// What was spoken of before it.
    pub(crate) spoken: SpokenOf,
}

/// Words that carry no question by themselves.
const JOINING: [&str; 26] = [
    "and", "or", "but", "then", "what", "about", "how", "the", "one", "it", "that", "this", "also", "too", "for", "of",
    "on", "same", "other", "a", "an", "ok", "so", "with", "at", "{time}",
];
/// Words that speak of something that was named before.
const PRONOUNS: [&str; 12] =
    ["it", "that", "this", "they", "them", "those", "these", "its", "there", "one", "he", "she"];

/// Whether a part only names something, as "and the backup one?" does: it asks what was asked before.
pub(crate) fn only_names(part: &AskedPart) -> bool {
    let begins = matches!(part.first(), "and" | "or" | "but") || part.says("what about") || part.says("how about");
    let bare = part.pattern_topics.split(' ').all(|word| JOINING.contains(&word) || word.starts_with('{'));
    bare && (begins || !part.words.is_empty()) && (!part.names_nothing() || part.has(&["{time}"]))
}

/// Whether a part names nothing itself and speaks of something, or of nothing at all.
pub(crate) fn leans(part: &AskedPart) -> bool {
    part.names_nothing() && (part.has(&PRONOUNS) || part.words.len() <= 3)
}

/// Whether a part asks for a reason and says nothing else, as "and if not, why not?" does.
pub(crate) fn only_why(part: &AskedPart) -> bool {
    const BESIDE: [&str; 13] =
        ["why", "and", "but", "so", "if", "not", "yes", "no", "then", "ok", "is", "that", "come"];
    part.has(&["why"]) && part.words.iter().all(|word| BESIDE.contains(&word.as_str()))
}

/// Whether a part tells something and asks for nothing, as "dana shipped v10 a minute before" does.
pub(crate) fn is_remark(part: &AskedPart) -> bool {
    const ASKING: [&str; 46] = [
        "what",
        "who",
        "whom",
        "whose",
        "why",
        "when",
        "how",
        "which",
        "where",
        "is",
        "are",
        "was",
        "were",
        "did",
        "does",
        "do",
        "has",
        "have",
        "had",
        "can",
        "could",
        "should",
        "shall",
        "would",
        "will",
        "show",
        "list",
        "give",
        "tell",
        "write",
        "draft",
        "compare",
        "explain",
        "summarise",
        "summarize",
        "any",
        "anything",
        "anyone",
        "print",
        "paste",
        "plot",
        "count",
        "need",
        "want",
        "please",
        "find",
    ];
    const TELLING: [&str; 24] = [
        "broke", "went", "was", "were", "is", "are", "got", "came", "has", "had", "died", "fell", "see", "saw",
        "think", "looks", "look", "seems", "keep", "keeps", "fails", "complain", "say", "says",
    ];
    let tells = |word: &String| TELLING.contains(&word.as_str()) || word.len() > 4 && word.ends_with("ed");
    !ASKING.contains(&part.first()) && !part.has(&["please"]) && part.words.len() > 2 && part.words.iter().any(tells)
}

/// What a part that leans on the one before asks for, by its word alone: "when?", "who did that?", "and the risk?".
pub(crate) fn by_word(part: &AskedPart, before: Intent) -> Option<Intent> {
    if !part.names_nothing() || part.words.len() > 4 {
        return None;
    }
    if part.words.iter().all(|word| ["when", "and", "since", "was", "that", "exactly"].contains(&word.as_str())) {
        let ends = matches!(before, Intent::Over | Intent::Fixed | Intent::EndWhen);
        let same = matches!(before, Intent::Changed | Intent::Notified | Intent::Who | Intent::WasIt);
        let since = part.has(&["since"]);
        return Some(match (since, ends, same) {
            (false, true, _) => Intent::EndWhen,
            (false, _, true) => before,
            _ => Intent::SinceWhen,
        });
    }
    if part.has(&["risk", "risks"]) && matches!(before, Intent::Todo | Intent::Command) {
        return Some(Intent::Todo);
    }
    (part.has(&["who"]) && before == Intent::Changed).then_some(Intent::Who)
}

/// What "why?" asks for after a question.
pub(crate) const fn why_after(intent: Intent, denied: bool) -> Intent {
    match intent {
        Intent::Notified if denied => Intent::WhyNotPaged,
        Intent::Notified | Intent::WhyPaged => Intent::WhyPaged,
        Intent::WhyNotPaged => Intent::WhyNotPaged,
        Intent::WhyGrouped => Intent::WhyGrouped,
        Intent::WhyApart => Intent::WhyApart,
        Intent::WasIt => Intent::WasIt,
        Intent::Todo | Intent::Command => Intent::Evidence,
        _ => Intent::Cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::understand::names::NameBook;

    fn part(question: &str) -> AskedPart {
        super::super::read(question, None, &NameBook::default()).parts.remove(0)
    }

    #[test]
    fn what_only_names_something_asks_what_was_asked() {
        assert!(only_names(&part("and the backup one?")) && only_names(&part("what about the disk?")));
        assert!(is_remark(&part("dana shipped it a minute before")) && !is_remark(&part("postgres logs please")));
        assert!(only_why(&part("and if not why not?")) && !only_why(&part("why did nobody get paged?")));
        assert_eq!(by_word(&part("when?"), Intent::Over), Some(Intent::EndWhen));
        assert_eq!(by_word(&part("since when?"), Intent::Fine), Some(Intent::SinceWhen));
        assert_eq!(by_word(&part("who did that?"), Intent::Changed), Some(Intent::Who));
        assert!(!only_names(&part("why?")) && !only_names(&part("and since when is the disk full?")));
        assert!(leans(&part("since when?")) && leans(&part("is it over yet?")));
        assert!(!leans(&part("is the disk full?")));
    }
}
