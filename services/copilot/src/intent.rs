//! What a question asks for, by its words. Owns a small table of words; refuses to know any answer.
//! A question that none of them fits gets everything.

use std::collections::BTreeSet;

/// One thing that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Intent {
    /// The current state of an incident.
    Going,
    /// What caused it.
    Cause,
    /// Whether it was seen before.
    Seen,
    /// What to do.
    Todo,
    /// What was changed.
    Changes,
    /// Who takes care.
    Who,
    /// What happened when.
    Timeline,
    /// Whom it hits.
    Blast,
    /// The duration of an incident.
    HowLong,
}

// The words and phrases by which a question is recognised.
const GOING: &[&str] = &[
    "going on",
    "happening",
    "what is wrong",
    "whats wrong",
    "what is broken",
    "summary",
    "summarise",
    "summarize",
    "status",
    "overview",
    "healthy",
    "everything ok",
    "any incident",
];
const CAUSE: &[&str] = &[
    "cause",
    "causes",
    "caused",
    "causing",
    "why",
    "root",
    "reason",
    "culprit",
    "blame",
    "broke",
    "explain",
    "hypothesis",
    "hypotheses",
];
const SEEN: &[&str] = &[
    "before",
    "similar",
    "seen",
    "again",
    "history",
    "past",
    "last time",
    "recurring",
    "recurrence",
    "happened previously",
    "previously",
    "earlier incident",
];
const TODO: &[&str] = &[
    "do",
    "fix",
    "mitigate",
    "mitigation",
    "runbook",
    "runbooks",
    "remedy",
    "action",
    "actions",
    "next step",
    "next steps",
    "resolve",
    "propose",
    "proposal",
    "should i",
    "should we",
    "help",
];
const CHANGES: &[&str] = &[
    "changed",
    "change",
    "changes",
    "deploy",
    "deploys",
    "deployed",
    "deployment",
    "release",
    "released",
    "rollout",
    "config",
    "flag",
    "version",
    "roll back",
    "rollback",
];
const WHO: &[&str] = &["who", "owner", "owns", "assigned", "acknowledged", "on call", "oncall", "team", "responsible"];
const TIMELINE: &[&str] = &["timeline", "when", "sequence", "chronology", "order of events", "step by step", "events"];
const BLAST: &[&str] = &[
    "blast",
    "radius",
    "affected",
    "impact",
    "impacted",
    "hit",
    "hits",
    "services",
    "users",
    "downstream",
    "upstream",
    "at risk",
    "spread",
];
const HOW_LONG: &[&str] = &["how long", "duration", "since when", "lasted", "ongoing since", "over yet", "still"];

impl Intent {
    /// All of them, in the order in which an answer tells them.
    pub const ALL: [Self; 9] = [
        Self::Going,
        Self::Cause,
        Self::Blast,
        Self::Seen,
        Self::Todo,
        Self::Changes,
        Self::Who,
        Self::HowLong,
        Self::Timeline,
    ];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Going => "going",
            Self::Cause => "cause",
            Self::Seen => "seen",
            Self::Todo => "todo",
            Self::Changes => "changes",
            Self::Who => "who",
            Self::Timeline => "timeline",
            Self::Blast => "blast",
            Self::HowLong => "how-long",
        }
    }

    /// Words and phrases that ask for it, in lower case. A phrase of several words stands before its parts
    /// in meaning: "what changed" is about changes, not about what is going on.
    const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Going => GOING,
            Self::Cause => CAUSE,
            Self::Seen => SEEN,
            Self::Todo => TODO,
            Self::Changes => CHANGES,
            Self::Who => WHO,
            Self::Timeline => TIMELINE,
            Self::Blast => BLAST,
            Self::HowLong => HOW_LONG,
        }
    }
}

/// Words that carry no meaning of their own in a question.
const FILLERS: &[&str] = &[
    "a",
    "about",
    "all",
    "an",
    "and",
    "any",
    "are",
    "at",
    "be",
    "been",
    "by",
    "can",
    "could",
    "did",
    "does",
    "for",
    "from",
    "going",
    "happened",
    "happening",
    "has",
    "have",
    "i",
    "in",
    "incident",
    "is",
    "it",
    "its",
    "know",
    "me",
    "now",
    "of",
    "on",
    "ongoing",
    "or",
    "our",
    "please",
    "problem",
    "right",
    "should",
    "show",
    "so",
    "tell",
    "that",
    "the",
    "there",
    "this",
    "to",
    "us",
    "was",
    "we",
    "were",
    "what",
    "whats",
    "which",
    "with",
    "wrong",
    "you",
    "your",
];

/// The words of a text, in lower case.
fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase().replace(['\'', '’'], "");
    let split = lower.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_' || c == '.' || c == ':'));
    split.map(|word| word.trim_matches(['.', ':', '-']).to_owned()).filter(|word| !word.is_empty()).collect()
}

/// What a question asks for; everything where it names nothing.
#[must_use]
pub fn of(question: &str) -> BTreeSet<Intent> {
    let found = named(question);
    if found.is_empty() { Intent::ALL.into_iter().collect() } else { found }
}

fn named(question: &str) -> BTreeSet<Intent> {
    let text = format!(" {} ", words(question).join(" "));
    let asks = |intent: &Intent| intent.words().iter().any(|word| text.contains(&format!(" {word} ")));
    Intent::ALL.into_iter().filter(asks).collect()
}

/// The class of a question: what it asks for, and the words that are left. Two questions of one class about
/// one state are one question.
#[must_use]
pub fn class(question: &str) -> String {
    let asked = named(question);
    let carries = |word: &&String| {
        let is_filler = FILLERS.contains(&word.as_str());
        let is_asking =
            asked.iter().any(|intent| intent.words().iter().any(|of| of.split(' ').any(|part| part == *word)));
        !is_filler && !is_asking
    };
    let all = words(question);
    let rest: BTreeSet<&str> = all.iter().filter(carries).map(String::as_str).collect();
    let names: Vec<&str> = asked.iter().map(|intent| intent.name()).chain(rest).collect();
    names.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(question: &str, expect: &[Intent]) {
        let expect: BTreeSet<Intent> = expect.iter().copied().collect();
        assert_eq!(of(question), expect, "{question}");
    }

    #[test]
    fn a_question_is_known_by_its_words() {
        check("What's going on?", &[Intent::Going]);
        check("what caused it", &[Intent::Cause]);
        check("Why is checkout slow?", &[Intent::Cause]);
        check("Have we seen this before?", &[Intent::Seen]);
        check("What should I do?", &[Intent::Todo]);
        check("what changed?", &[Intent::Changes]);
        check("Who is on it?", &[Intent::Who]);
        check("Show me the timeline", &[Intent::Timeline]);
        check("What is the blast radius?", &[Intent::Blast]);
        check("How long has it lasted?", &[Intent::HowLong]);
        check("what caused it, and what should we do", &[Intent::Cause, Intent::Todo]);
    }

    #[test]
    fn a_question_that_fits_nothing_gets_everything() {
        check("hello there", &Intent::ALL);
        check("", &Intent::ALL);
    }

    #[test]
    fn a_class_is_the_same_for_other_words_of_the_same_meaning_and_differs_by_what_is_named() {
        assert_eq!(class("What caused it?"), class("what is the cause of this incident"));
        assert_eq!(class("WHY?"), class("what was the reason"));
        assert_ne!(class("What caused it?"), class("What caused the alert on redis?"));
        assert_ne!(class("What caused it?"), class("What should we do?"));
        assert_eq!(class("cache-2 slow: why"), class("why is cache-2 slow"));
    }
}
