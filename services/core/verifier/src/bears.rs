//! Whether each cited event has something to do with the claim, and whether the claim says anything that can
//! be looked up at all. Owns the comparison of plain words; refuses to weigh them as truth.

use std::collections::BTreeSet;
use std::sync::Arc;

use hindcast_api::Claim;

use crate::ClaimFault;
use crate::court::Court;
use crate::facts::EventFacts;
use crate::read::{TextAssertion, TextReading, read};
use crate::stands::says;
use crate::words::{content, has_word, written};

/// The share of a claim's plain words that its events must hold, where nothing stronger ties it to them, in
/// percent.
const WORDS_PERCENT_MIN: usize = 34;

/// Checks that every citation bears on the claim.
pub(crate) fn bears(
    reading: &TextReading,
    claim: &Claim,
    cited: &[Arc<EventFacts>],
    court: &Court,
) -> Result<(), ClaimFault> {
    if !court.checks.bears {
        return Ok(());
    }
    let mut tokens: Vec<TextAssertion> = reading.tokens.iter().map(|token| token.said.clone()).collect();
    let mut words = content(&reading.rest);
    for step in &claim.path {
        let step_reading = read(&step.text, court.names());
        words.extend(content(&step_reading.rest));
        tokens.extend(step_reading.tokens.into_iter().map(|token| token.said));
        tokens.push(TextAssertion::Service(court.names().resolve(&step.service).to_owned()));
    }
    for facts in cited {
        let tied = tokens.iter().any(|said| says(facts, said, court)) || words.iter().any(|word| holds(facts, word));
        let pair = cited.len() == 2 && tokens.iter().any(|said| matches!(said, TextAssertion::Stretch(_)));
        let counted = cited.len() > 1 && tokens.iter().any(|said| matches!(said, TextAssertion::Figure(_)));
        let alike =
            || cited.iter().all(|other| other.kind == facts.kind) || words.iter().any(|word| kind_is(facts, word));
        if !(tied || pair || counted && alike()) {
            let why = format!("{} says nothing of it", facts.id);
            // two plain words are no statement that could be false of it
            let vague = tokens.is_empty() && words.len() < 3;
            return Err(if vague { ClaimFault::Unverifiable(why) } else { ClaimFault::Unsupported(why) });
        }
    }
    let strong = reading.tokens.iter().any(|token| is_strong(&token.said));
    if strong || !claim.path.is_empty() {
        return Ok(());
    }
    plain(reading, &words, cited)
}

/// Whether a thing ties a claim to an event by itself. A service or a severity does not: many events share it.
const fn is_strong(said: &TextAssertion) -> bool {
    match said {
        TextAssertion::Service(_) | TextAssertion::Severity(_) => false,
        TextAssertion::Figure(figure) => !figure.word,
        _ => true,
    }
}

/// A claim in plain words alone: enough of them must stand in its events.
fn plain(reading: &TextReading, words: &BTreeSet<String>, cited: &[Arc<EventFacts>]) -> Result<(), ClaimFault> {
    let missing: Vec<&str> = words
        .iter()
        .filter(|word| !cited.iter().any(|facts| holds(facts, word) || kind_is(facts, word)))
        .map(|stem| written(&reading.raw, stem))
        .collect();
    let found = words.len() - missing.len();
    if words.is_empty() {
        let named = reading.tokens.iter().any(|token| matches!(token.said, TextAssertion::Service(_)));
        return if named {
            Ok(())
        } else {
            Err(ClaimFault::Unverifiable("it says nothing that could be looked up".to_owned()))
        };
    }
    if found * 100 >= words.len() * WORDS_PERCENT_MIN {
        return Ok(());
    }
    let named = reading.tokens.iter().any(|token| matches!(token.said, TextAssertion::Service(_)));
    let why = format!("the cited events do not speak of {}", missing.join(", "));
    Err(if named { ClaimFault::Unsupported(why) } else { ClaimFault::Unverifiable(why) })
}

/// Whether an event's text holds a stem.
fn holds(facts: &EventFacts, stem: &str) -> bool {
    facts.text.match_indices(stem).any(|(at, _)| {
        let before = facts.text.get(..at).and_then(|head| head.chars().next_back());
        // at the beginning of a word, or inside a name of several words written as one
        stem.len() >= 5 || !before.is_some_and(char::is_alphanumeric)
    })
}

/// Stems of words for trouble: what any alert or finding is a sign of.
const TROUBLE: [&str; 26] = [
    "sign",
    "hit",
    "fail",
    "failur",
    "error",
    "troubl",
    "suff",
    "suffer",
    "affect",
    "impact",
    "break",
    "broke",
    "broken",
    "problem",
    "issu",
    "degrad",
    "symptom",
    "outag",
    "wrong",
    "abnormal",
    "unhealthy",
    "unhealth",
    "bad",
    "trip",
    "struggl",
    "react",
];

/// Plain words for types of events.
fn kind_is(facts: &EventFacts, stem: &str) -> bool {
    let words: &[&str] = match facts.kind.as_str() {
        "alert.fired" | "intake.alert" => &["alarm", "alert", "fir", "trigger", "ring", "rang", "start", "firing"],
        "alert.resolved" | "incident.resolved" => &["resolv", "recover", "quiet", "end", "clos", "clear", "stopp"],
        "intake.change" => &["deploy", "releas", "chang", "roll", "rollout", "ship", "updat", "upgrad", "version"],
        "finding.raised" => &["log", "lin", "metric", "logged", "wrot", "writ", "find", "found", "new"],
        "incident.opened" | "incident.declared" => &["open", "declar", "start"],
        "incident.acknowledged" => &["acknowledg", "took", "ack", "care"],
        "incident.alert_joined" => &["join", "member"],
        "notice.requested" | "notice.delivered" => &["pag", "notifi", "told", "sent", "woke"],
        _ => &[],
    };
    let trouble = ["alert.fired", "intake.alert", "finding.raised", "incident.opened", "incident.alert_joined"];
    words.contains(&stem)
        || has_word(&facts.kind, stem)
        || (trouble.contains(&facts.kind.as_str()) && TROUBLE.iter().any(|word| crate::words::stem(word) == stem))
}
