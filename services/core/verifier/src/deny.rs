//! What is denied must not have happened, and what moved must have moved the way that is told. Owns the words
//! that tell of what happened; where nothing can be decided, it lets pass.

use std::sync::{Arc, LazyLock};

use regex::Regex;

use crate::ClaimFault;
use crate::court::Court;
use crate::facts::EventFacts;
use crate::figures::FigureUnit;
use crate::read::{TextAssertion, TextReading, pattern};
use crate::words::has_word;

/// A word that tells of what happened, and the types of the events that say that it did.
struct DeniedVerb {
    word: &'static str,
    kinds: &'static [&'static str],
    /// Whether nothing else may be meant by it, so that it needs such an event.
    strict: bool,
}

const VERBS: [DeniedVerb; 17] = [
    DeniedVerb { word: r"fired?|firing|alarmed|alerted", kinds: &["alert.fired", "intake.alert"], strict: false },
    DeniedVerb { word: r"resolved", kinds: &["alert.resolved", "incident.resolved"], strict: true },
    DeniedVerb { word: r"recovered", kinds: &["alert.resolved", "incident.resolved"], strict: false },
    DeniedVerb { word: r"acknowledged", kinds: &["incident.acknowledged", "intake.command"], strict: true },
    DeniedVerb { word: r"reopened", kinds: &["incident.reopened", "intake.command"], strict: true },
    DeniedVerb {
        word: r"merged",
        kinds: &["incident.merged", "incident.resolved", "incident.undone", "intake.command"],
        strict: true,
    },
    DeniedVerb { word: r"split", kinds: &["incident.split", "incident.undone", "intake.command"], strict: false },
    DeniedVerb { word: r"declared", kinds: &["incident.declared", "intake.command"], strict: true },
    DeniedVerb { word: r"snoozed", kinds: &["incident.snoozed", "intake.command"], strict: true },
    DeniedVerb {
        word: r"silenced|suppressed|muted",
        kinds: &["alert.suppressed", "silence.created", "silence.started", "notice.held", "intake.command"],
        strict: true,
    },
    DeniedVerb { word: r"assigned", kinds: &["incident.assigned", "intake.command"], strict: true },
    DeniedVerb { word: r"flapp(?:ing|ed)", kinds: &["alert.flapping"], strict: true },
    DeniedVerb {
        word: r"paged",
        kinds: &["notice.requested", "notice.delivered", "notice.failed", "notice.expired", "notice.held"],
        strict: true,
    },
    DeniedVerb { word: r"deployed|deploy|released|rolled (?:out|back)", kinds: &["intake.change"], strict: false },
    DeniedVerb { word: r"joined", kinds: &["incident.alert_joined"], strict: false },
    DeniedVerb { word: r"opened", kinds: &["incident.opened", "incident.declared"], strict: false },
    DeniedVerb { word: r"changed", kinds: &["intake.change"], strict: false },
];

struct DenialRule {
    regex: Regex,
    word: &'static str,
    kinds: &'static [&'static str],
    strict: bool,
}

static RULES: LazyLock<Vec<DenialRule>> = LazyLock::new(|| {
    let rule = |verb: &DeniedVerb| DenialRule {
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
pub(crate) fn deny(reading: &TextReading, cited: &[Arc<EventFacts>], court: &Court) -> Result<(), ClaimFault> {
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
fn scope<'a>(reading: &TextReading, place: usize, cited: &'a [Arc<EventFacts>]) -> Vec<&'a Arc<EventFacts>> {
    let clause = reading.clause(place);
    let services = reading.services(&clause);
    let theirs: Vec<&Arc<EventFacts>> =
        cited.iter().filter(|facts| services.iter().any(|service| facts.about.contains(*service))).collect();
    if theirs.is_empty() && services.is_empty() { cited.iter().collect() } else { theirs }
}

fn is_denied(reading: &TextReading, at: &std::ops::Range<usize>) -> bool {
    let clause = reading.clause(at.start);
    let head = reading.rest.get(clause.start..at.start).unwrap_or_default();
    let tail = reading.rest.get(at.end..).unwrap_or_default();
    DENIED.is_match(head) && !UNLESS.is_match(tail) && !UNLESS.is_match(head)
}

fn verb(
    rule: &DenialRule,
    at: std::ops::Range<usize>,
    reading: &TextReading,
    cited: &[Arc<EventFacts>],
) -> Result<(), ClaimFault> {
    let word = reading.written(&at);
    let of_kind = |facts: &EventFacts| rule.kinds.contains(&facts.kind.as_str());
    if is_denied(reading, &at) {
        return match scope(reading, at.start, cited).into_iter().find(|facts| of_kind(facts)) {
            Some(facts) => Err(ClaimFault::Unsupported(format!("it denies what {} says: {word:?}", facts.id))),
            None => Ok(()),
        };
    }
    let said = |facts: &EventFacts| of_kind(facts) || rule.word.split('|').any(|word| has_word(&facts.text, word));
    if rule.strict && !cited.iter().any(|facts| said(facts)) {
        return Err(ClaimFault::Unsupported(format!("none of the cited events says {word:?}")));
    }
    Ok(())
}

/// Which way a level moved, and from what to what.
fn directions(reading: &TextReading, cited: &[Arc<EventFacts>]) -> Result<(), ClaimFault> {
    for (regex, up) in [(&*UP, true), (&*DOWN, false)] {
        for found in regex.find_iter(&reading.rest) {
            let moved: Vec<&Arc<EventFacts>> =
                scope(reading, found.start(), cited).into_iter().filter(|facts| facts.moved.is_some()).collect();
            let fits = |facts: &EventFacts| facts.moved.is_some_and(|(before, after)| (after > before) == up);
            let any = moved.iter().any(|facts| fits(facts));
            if !moved.is_empty() && any == is_denied(reading, &found.range()) {
                return Err(ClaimFault::Unsupported(format!(
                    "{:?} is not the way that it moved",
                    reading.written(&found.range())
                )));
            }
        }
    }
    for found in FLAT.find_iter(&reading.rest) {
        let moved = scope(reading, found.start(), cited);
        if !moved.is_empty() && moved.iter().all(|facts| facts.moved.is_some()) && !is_denied(reading, &found.range()) {
            return Err(ClaimFault::Unsupported(format!(
                "{:?} is said of what moved",
                reading.written(&found.range())
            )));
        }
    }
    from_to(reading, cited)
}

/// `from A to B`: A is the level before, B the one after.
fn from_to(reading: &TextReading, cited: &[Arc<EventFacts>]) -> Result<(), ClaimFault> {
    let measures: Vec<(std::ops::Range<usize>, &TextAssertion)> = reading
        .tokens
        .iter()
        .filter(|token| match &token.said {
            TextAssertion::Figure(figure) => !figure.word,
            TextAssertion::Stretch(stretch) => !stretch.ago,
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
            return Err(ClaimFault::Unsupported("no cited event tells of that move".to_owned()));
        }
    }
    Ok(())
}

/// Whether a measure is how a person would write a level.
fn is(said: &TextAssertion, level: f64) -> bool {
    match said {
        TextAssertion::Stretch(stretch) => stretch.is(level) || stretch.is(level / 1_000.0),
        TextAssertion::Figure(figure) => match figure.unit {
            FigureUnit::None => figure.is(level),
            FigureUnit::Percent => figure.is(level) || figure.is(level * 100.0),
            FigureUnit::Times(factor) => figure.is(level / factor),
            FigureUnit::Bytes(small, large) => figure.is(level / small) || figure.is(level / large),
        },
        _ => false,
    }
}

/// That a service shows nothing cannot rest on an event in which it does.
fn no_sign(reading: &TextReading, cited: &[Arc<EventFacts>]) -> Result<(), ClaimFault> {
    for found in NO_SIGN.find_iter(&reading.rest) {
        let clause = reading.clause(found.start());
        let services = reading.services(&clause);
        let [service] = services.as_slice() else {
            continue;
        };
        let shows = |facts: &&Arc<EventFacts>| {
            matches!(facts.kind.as_str(), "alert.fired" | "finding.raised" | "intake.alert")
                && facts.about.contains(*service)
        };
        if let Some(facts) = cited.iter().find(shows) {
            return Err(ClaimFault::Unsupported(format!("{} is a sign of {service}", facts.id)));
        }
    }
    Ok(())
}
