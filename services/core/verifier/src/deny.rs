//! What is denied must not have happened, and what moved must have moved the way that is told. Owns the words
//! that tell of what happened; where nothing can be decided, it lets pass.

use std::sync::{Arc, LazyLock};

use regex::Regex;

use crate::Wrong;
use crate::court::Court;
use crate::facts::Facts;
use crate::figures::Unit;
use crate::read::{Reading, Said, pattern};
use crate::words::has_word;

/// A word that tells of what happened, and the types of the events that say that it did.
struct Verb {
    word: &'static str,
    kinds: &'static [&'static str],
    /// Whether nothing else may be meant by it, so that it needs such an event.
    strict: bool,
}

const VERBS: [Verb; 17] = [
    Verb { word: r"fired?|firing|alarmed|alerted", kinds: &["alert.fired", "intake.alert"], strict: false },
    Verb { word: r"resolved", kinds: &["alert.resolved", "incident.resolved"], strict: true },
    Verb { word: r"recovered", kinds: &["alert.resolved", "incident.resolved"], strict: false },
    Verb { word: r"acknowledged", kinds: &["incident.acknowledged", "intake.command"], strict: true },
    Verb { word: r"reopened", kinds: &["incident.reopened", "intake.command"], strict: true },
    Verb {
        word: r"merged",
        kinds: &["incident.merged", "incident.resolved", "incident.undone", "intake.command"],
        strict: true,
    },
    Verb { word: r"split", kinds: &["incident.split", "incident.undone", "intake.command"], strict: false },
    Verb { word: r"declared", kinds: &["incident.declared", "intake.command"], strict: true },
    Verb { word: r"snoozed", kinds: &["incident.snoozed", "intake.command"], strict: true },
    Verb {
        word: r"silenced|suppressed|muted",
        kinds: &["alert.suppressed", "silence.created", "silence.started", "notice.held", "intake.command"],
        strict: true,
    },
    Verb { word: r"assigned", kinds: &["incident.assigned", "intake.command"], strict: true },
    Verb { word: r"flapp(?:ing|ed)", kinds: &["alert.flapping"], strict: true },
    Verb {
        word: r"paged",
        kinds: &["notice.requested", "notice.delivered", "notice.failed", "notice.expired", "notice.held"],
        strict: true,
    },
    Verb { word: r"deployed|deploy|released|rolled (?:out|back)", kinds: &["intake.change"], strict: false },
    Verb { word: r"joined", kinds: &["incident.alert_joined"], strict: false },
    Verb { word: r"opened", kinds: &["incident.opened", "incident.declared"], strict: false },
    Verb { word: r"changed", kinds: &["intake.change"], strict: false },
];

struct Rule {
    regex: Regex,
    word: &'static str,
    kinds: &'static [&'static str],
    strict: bool,
}

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let rule = |verb: &Verb| Rule {
        regex: pattern(&format!(r"\b(?:{})\b", verb.word)),
        word: verb.word,
        kinds: verb.kinds,
        strict: verb.strict,
    };
    VERBS.iter().map(rule).collect()
});
/// A denial that reaches the word behind it.
static DENIED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:\b(?:not|never|no|nobody|without|neither|nor)\b|n['’]t\b)(?:\s+[a-z]+){0,3}\s*$"));
/// What ends the reach of a denial.
static UNLESS: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\W*(?:until|before|again|yet|unless|only)\b|\bonly\b"));
static UP: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:rose|rises|risen|rising|increased?s?|increasing|climb(?:s|ed|ing)?|jump(?:s|ed|ing)?|grew|grows|growing|went up|soar(?:s|ed|ing)?|surg(?:e|es|ed|ing)|spik(?:e|es|ed|ing))\b",
    )
});
static DOWN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:fell|falls|fallen|falling|drop(?:s|ped|ping)?|decreas(?:e|es|ed|ing)|declin(?:e|es|ed|ing)|sank|went down|shr(?:ank|inks|unk)|plung(?:e|es|ed|ing)|collaps(?:e|es|ed|ing))\b",
    )
});
static FLAT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(?:stayed flat|flat|unchanged|steady|remained constant)\b"));
static NO_SIGN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:no (?:signs?|alerts?|errors?|findings?|anomal(?:y|ies))|nothing (?:of its own|abnormal|unusual|wrong)|unharmed|unaffected|healthy)\b",
    )
});

/// Checks what is denied, and which way levels moved.
pub(crate) fn deny(reading: &Reading, cited: &[Arc<Facts>], court: &Court) -> Result<(), Wrong> {
    if !court.checks.denials {
        return Ok(());
    }
    for rule in RULES.iter() {
        for found in rule.regex.find_iter(&reading.rest) {
            verb(rule, found.range(), reading, cited)?;
        }
    }
    directions(reading, cited)?;
    no_sign(reading, cited)
}

/// The events that a clause speaks of: those about its services, or all.
fn scope<'a>(reading: &Reading, place: usize, cited: &'a [Arc<Facts>]) -> Vec<&'a Arc<Facts>> {
    let clause = reading.clause(place);
    let services = reading.services(&clause);
    let theirs: Vec<&Arc<Facts>> =
        cited.iter().filter(|facts| services.iter().any(|service| facts.about.contains(*service))).collect();
    if theirs.is_empty() && services.is_empty() { cited.iter().collect() } else { theirs }
}

fn is_denied(reading: &Reading, at: &std::ops::Range<usize>) -> bool {
    let clause = reading.clause(at.start);
    let head = reading.rest.get(clause.start..at.start).unwrap_or_default();
    let tail = reading.rest.get(at.end..).unwrap_or_default();
    DENIED.is_match(head) && !UNLESS.is_match(tail) && !UNLESS.is_match(head)
}

fn verb(rule: &Rule, at: std::ops::Range<usize>, reading: &Reading, cited: &[Arc<Facts>]) -> Result<(), Wrong> {
    let word = reading.written(&at);
    let of_kind = |facts: &Facts| rule.kinds.contains(&facts.kind.as_str());
    if is_denied(reading, &at) {
        return match scope(reading, at.start, cited).into_iter().find(|facts| of_kind(facts)) {
            Some(facts) => Err(Wrong::Unsupported(format!("it denies what {} says: {word:?}", facts.id))),
            None => Ok(()),
        };
    }
    let said = |facts: &Facts| of_kind(facts) || rule.word.split('|').any(|word| has_word(&facts.text, word));
    if rule.strict && !cited.iter().any(|facts| said(facts)) {
        return Err(Wrong::Unsupported(format!("none of the cited events says {word:?}")));
    }
    Ok(())
}

/// Which way a level moved, and from what to what.
fn directions(reading: &Reading, cited: &[Arc<Facts>]) -> Result<(), Wrong> {
    for (regex, up) in [(&*UP, true), (&*DOWN, false)] {
        for found in regex.find_iter(&reading.rest) {
            let moved: Vec<&Arc<Facts>> =
                scope(reading, found.start(), cited).into_iter().filter(|facts| facts.moved.is_some()).collect();
            let fits = |facts: &Facts| facts.moved.is_some_and(|(before, after)| (after > before) == up);
            let any = moved.iter().any(|facts| fits(facts));
            if !moved.is_empty() && any == is_denied(reading, &found.range()) {
                return Err(Wrong::Unsupported(format!(
                    "{:?} is not the way that it moved",
                    reading.written(&found.range())
                )));
            }
        }
    }
    for found in FLAT.find_iter(&reading.rest) {
        let moved = scope(reading, found.start(), cited);
        if !moved.is_empty() && moved.iter().all(|facts| facts.moved.is_some()) && !is_denied(reading, &found.range()) {
            return Err(Wrong::Unsupported(format!("{:?} is said of what moved", reading.written(&found.range()))));
        }
    }
    from_to(reading, cited)
}

/// `from A to B`: A is the level before, B the one after.
fn from_to(reading: &Reading, cited: &[Arc<Facts>]) -> Result<(), Wrong> {
    let measures: Vec<(std::ops::Range<usize>, &Said)> = reading
        .tokens
        .iter()
        .filter(|token| match &token.said {
            Said::Figure(figure) => !figure.word,
            Said::Stretch(stretch) => !stretch.ago,
            _ => false,
        })
        .map(|token| (token.at.clone(), &token.said))
        .collect();
    for pair in measures.windows(2) {
        let [(a, from), (b, to)] = pair else {
            continue;
        };
        let head = reading.rest.get(..a.start).unwrap_or_default().trim_end();
        let middle = reading.rest.get(a.end..b.start).unwrap_or_default().trim();
        let is_move = head.ends_with("from") && middle == "to" || matches!(middle, "→" | "->");
        if !is_move {
            continue;
        }
        let moved: Vec<(f64, f64)> = cited.iter().filter_map(|facts| facts.moved).collect();
        if !moved.is_empty() && !moved.iter().any(|(before, after)| is(from, *before) && is(to, *after)) {
            return Err(Wrong::Unsupported("no cited event tells of that move".to_owned()));
        }
    }
    Ok(())
}

/// Whether a measure is how a person would write a level.
fn is(said: &Said, level: f64) -> bool {
    match said {
        Said::Stretch(stretch) => stretch.is(level) || stretch.is(level / 1_000.0),
        Said::Figure(figure) => match figure.unit {
            Unit::None => figure.is(level),
            Unit::Percent => figure.is(level) || figure.is(level * 100.0),
            Unit::Times(factor) => figure.is(level / factor),
            Unit::Bytes(small, large) => figure.is(level / small) || figure.is(level / large),
        },
        _ => false,
    }
}

/// That a service shows nothing cannot rest on an event in which it does.
fn no_sign(reading: &Reading, cited: &[Arc<Facts>]) -> Result<(), Wrong> {
    for found in NO_SIGN.find_iter(&reading.rest) {
        let clause = reading.clause(found.start());
        let services = reading.services(&clause);
        let [service] = services.as_slice() else {
            continue;
        };
        let shows = |facts: &&Arc<Facts>| {
            matches!(facts.kind.as_str(), "alert.fired" | "finding.raised" | "intake.alert")
                && facts.about.contains(*service)
        };
        if let Some(facts) = cited.iter().find(shows) {
            return Err(Wrong::Unsupported(format!("{} is a sign of {service}", facts.id)));
        }
    }
    Ok(())
}
