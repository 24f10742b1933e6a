//! Order in free text: "after", "before", "led to", "because of", "→". What is told to come first must have
//! begun first, and what is told to have caused something must be depended on by it. Where a side names no
//! event by itself, nothing is decided.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use hindcast_domain::{Span, Time};
use regex::Regex;

use crate::ClaimFault;
use crate::court::Court;
use crate::facts::EventFacts;
use crate::read::{TextAssertion, TextReading, pattern};
use crate::stands::says;
use crate::words::{content, has_word, stem};

/// Which side came first, and whether it is told to be the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Join {
    left_first: bool,
    causes: bool,
}

/// Times nearer than this are the same: scrapes and clocks differ by as much.
const SAME: Span = Span::seconds(1);

static JOINS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?P<back_cause>\b(?:was |were |is |are |being )?(?:caused by|triggered by|broken by|taken down by)\b|\bbecause(?: of)?\b|\bdue to\b|\bas a result of\b|\bowing to\b)",
        r"|(?P<fore>\bfollowed by\b|\bbefore\b|\bthen\b|\bahead of\b|\bpreceded\b|\bprior to\b)",
        r"|(?P<fore_cause>→|->|\bled to\b|\bleading to\b|\bcaused\b|\bcausing\b|\bcauses\b|\bresult(?:ed|ing|s) in\b|\btriggered\b|\btriggering\b|\btook down\b|\bbrought down\b|\bdragged down\b)",
        r"|(?P<back>\bafter\b|\bfollowing\b|\bonce\b|\bfollowed\b)"
    ))
});
static DEPENDS: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bdepend(?:s|ed|ing)?\son\b"));
static DENIED: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(?:not|never|no|nothing|nobody|whether|if)\b|n['’]t\b"));
static SENTENCES: LazyLock<Regex> = LazyLock::new(|| pattern(r"[.;!?]\s|\n"));

/// Checks every joining word.
pub(crate) fn order(reading: &TextReading, cited: &[Arc<EventFacts>], court: &Court) -> Result<(), ClaimFault> {
    if !court.checks.order {
        return Ok(());
    }
    dependencies(reading, court)?;
    if cited.len() < 2 {
        return Ok(());
    }
    let joins: Vec<(Range<usize>, Join)> = JOINS
        .captures_iter(&reading.rest)
        .filter_map(|captures| {
            let named = |name: &str| captures.name(name).is_some();
            let join = Join {
                left_first: named("fore") || named("fore_cause"),
                causes: named("fore_cause") || named("back_cause"),
            };
            Some((captures.get(0)?.range(), join))
        })
        .collect();
    for (index, (at, join)) in joins.iter().enumerate() {
        let previous = index.checked_sub(1).and_then(|index| joins.get(index)).map_or(0, |(at, _)| at.end);
        let next = joins.get(index + 1).map_or(reading.rest.len(), |(at, _)| at.start);
        let (left, right) = sides(reading, at, previous, next);
        compare(reading, &left, &right, *join, cited, court)?;
    }
    Ok(())
}

/// The text on either side of a joining word, within its sentence. Where the word opens the sentence
/// ("After A, B"), A stands to its right and B behind the comma.
fn sides(reading: &TextReading, at: &Range<usize>, previous: usize, next: usize) -> (Range<usize>, Range<usize>) {
    let (from, to) = (cut_before(reading, at.start), cut_after(reading, at.end));
    let head = reading.text.get(from..at.start).unwrap_or_default();
    if head.trim().is_empty()
        && let Some(comma) = reading.rest.get(at.end..to).and_then(|tail| tail.find(", "))
    {
        return (at.end + comma..to, at.end..at.end + comma);
    }
    (previous.max(from)..at.start, at.end..next.min(to))
}

fn compare(
    reading: &TextReading,
    left: &Range<usize>,
    right: &Range<usize>,
    join: Join,
    cited: &[Arc<EventFacts>],
    court: &Court,
) -> Result<(), ClaimFault> {
    let (mut a, mut b) = (named(reading, left, cited, court), named(reading, right, cited, court));
    let shared: Vec<String> =
        a.iter().filter(|facts| b.iter().any(|b| b.id == facts.id)).map(|f| f.id.clone()).collect();
    a.retain(|facts| !shared.contains(&facts.id));
    b.retain(|facts| !shared.contains(&facts.id));
    let (first, second) = if join.left_first { (a, b) } else { (b, a) };
    let begun = |side: &[&Arc<EventFacts>]| -> Option<Time> { side.iter().map(|facts| facts.begun).min() };
    let (Some(one), Some(other)) = (begun(&first), begun(&second)) else {
        return Ok(());
    };
    if one > other + SAME {
        return Err(ClaimFault::Unsupported(format!("the first of the two began at {one}, the other at {other}")));
    }
    if join.causes {
        let (cause, effect) = if join.left_first { (left, right) } else { (right, left) };
        direction(reading, cause, effect, court)?;
    }
    Ok(())
}

/// "A and B depend on C" is what the catalogue says or denies.
fn dependencies(reading: &TextReading, court: &Court) -> Result<(), ClaimFault> {
    let Some(topology) = court.known_topology() else {
        return Ok(());
    };
    for at in DEPENDS.find_iter(&reading.rest) {
        let (from, to) = (cut_before(reading, at.start()), cut_after(reading, at.end()));
        let head = reading.rest.get(from..at.start()).unwrap_or_default();
        if DENIED.is_match(head) {
            continue;
        }
        let above = reading.services(&(from..at.start()));
        // the first one behind the words, whatever else the sentence goes on to say
        let behind = reading.tokens.iter().find(|token| token.at.start >= at.end() && token.at.end <= to);
        let Some(TextAssertion::Service(below)) = behind.map(|token| &token.said) else {
            continue;
        };
        let known = |name: &str| topology.resolve(name).is_some();
        let wrong = above.iter().find(|name| known(name) && known(below) && topology.depends(name, below).is_none());
        if let Some(name) = wrong {
            return Err(ClaimFault::Unsupported(format!("{name} does not depend on {below}")));
        }
    }
    Ok(())
}

fn cut_before(reading: &TextReading, at: usize) -> usize {
    SENTENCES.find_iter(&reading.rest).filter(|end| end.end() <= at).map(|end| end.end()).last().unwrap_or(0)
}

fn cut_after(reading: &TextReading, at: usize) -> usize {
    SENTENCES.find_iter(&reading.rest).find(|end| end.start() >= at).map_or(reading.rest.len(), |end| end.start())
}

/// What broke is depended on by what it broke.
fn direction(
    reading: &TextReading,
    cause: &Range<usize>,
    effect: &Range<usize>,
    court: &Court,
) -> Result<(), ClaimFault> {
    let (causes, effects) = (reading.services(cause), reading.services(effect));
    let ([cause], [effect], Some(topology)) = (causes.as_slice(), effects.as_slice(), court.known_topology()) else {
        return Ok(());
    };
    let known = topology.resolve(cause).is_some() && topology.resolve(effect).is_some();
    if known && cause != effect && topology.depends(effect, cause).is_none() {
        return Err(ClaimFault::Unsupported(format!("{effect} does not depend on {cause}")));
    }
    Ok(())
}

/// The events that a stretch of text speaks of more than of the others.
fn named<'a>(
    reading: &TextReading,
    range: &Range<usize>,
    cited: &'a [Arc<EventFacts>],
    court: &Court,
) -> Vec<&'a Arc<EventFacts>> {
    let inside: Vec<&TextAssertion> = reading
        .tokens
        .iter()
        .filter(|token| token.at.start >= range.start && token.at.end <= range.end)
        .map(|token| &token.said)
        .collect();
    let rest = reading.rest.get(range.clone()).unwrap_or_default();
    let score = |facts: &EventFacts| -> u32 {
        let mut score = 0;
        for said in &inside {
            score += match said {
                TextAssertion::Service(service) if facts.about.contains(service) => 4,
                TextAssertion::Name(_) | TextAssertion::Quote(_) | TextAssertion::Version(_)
                    if says(facts, said, court) =>
                {
                    4
                }
                TextAssertion::Moment(_) | TextAssertion::Figure(_) if says(facts, said, court) => 2,
                _ => 0,
            };
        }
        score + kind_words(rest, facts)
    };
    let scored: Vec<(u32, &Arc<EventFacts>)> = cited.iter().map(|facts| (score(facts), facts)).collect();
    let best = scored.iter().map(|(score, _)| *score).max().unwrap_or(0);
    if best < 2 {
        return Vec::new();
    }
    scored.into_iter().filter(|(score, _)| *score == best).map(|(_, facts)| facts).collect()
}

/// Words that tell what sort of event is meant.
fn kind_words(rest: &str, facts: &EventFacts) -> u32 {
    let words: &[&str] = match facts.kind.as_str() {
        "intake.change" => &[
            "deploy",
            "deployment",
            "release",
            "rollout",
            "change",
            "rollback",
            "upgrade",
            "deployed",
            "released",
            "version",
        ],
        "alert.fired" | "intake.alert" => &["alert", "alerts", "alarm", "fired", "page"],
        "finding.raised" => &["finding", "log", "logs", "line", "lines", "logged"],
        "alert.resolved" | "incident.resolved" => &["resolved", "recovered", "over", "ended"],
        "incident.acknowledged" => &["acknowledged", "acknowledgement"],
        "incident.opened" => &["opened", "incident"],
        _ => &[],
    };
    let kind = if words.iter().any(|word| has_word(rest, word)) { 2 } else { 0 };
    let shared =
        content(rest).iter().filter(|word| facts.text.contains(word.as_str()) && stem(word).len() >= 4).count();
    kind + u32::from(shared > 0)
}
