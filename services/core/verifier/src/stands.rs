//! Whether what a text says stands in the cited events: in those that are about the services of its clause,
//! where it names any. Owns the comparison of each kind of thing; refuses to know order and denial.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::ClaimFault;
use crate::court::Court;
use crate::facts::{EventFacts, Number};
use crate::figures::{FigureUnit, WrittenFigure};
use crate::read::{TextAssertion, TextReading, TextToken};
use crate::times::{WrittenSpan, WrittenTime};
use crate::words::{fold, has_word};

/// Nouns of which a claim counts how many are cited, with the types of the events that are one each. Any event
/// is one where none is named.
const COUNTED: [(&str, &[&str]); 16] = [
    ("alert", &["alert.", "intake.alert"]),
    ("rule", &["alert.", "intake.alert"]),
    ("member", &["incident.opened", "incident.alert_joined", "alert."]),
    ("deploy", &["intake.change"]),
    ("release", &["intake.change"]),
    ("change", &["intake.change"]),
    ("finding", &["finding."]),
    ("incident", &["incident."]),
    ("page", &["notice."]),
    ("notice", &["notice."]),
    ("event", &[]),
    ("sign", &[]),
    ("step", &[]),
    ("symptom", &[]),
    ("service", &[]),
    ("dependent", &[]),
];

/// Checks each thing that the text says.
pub(crate) fn stands(reading: &TextReading, cited: &[Arc<EventFacts>], court: &Court) -> Result<(), ClaimFault> {
    for token in &reading.tokens {
        if !checked(&token.said, court) {
            continue;
        }
        let text = reading.written(&token.at);
        let alone = cited.iter().any(|facts| says(facts, &token.said, court));
        let stands = match count(token, reading) {
            // what is counted is not any number that happens to be the same
            Some((figure, noun)) => counted(figure, noun, token, reading, cited),
            None => alone || together(token, cited),
        };
        if !stands {
            return Err(missing(&token.said, text));
        }
        bound(token, text, reading, cited, court)?;
    }
    Ok(())
}

fn checked(said: &TextAssertion, court: &Court) -> bool {
    let checks = &court.checks;
    match said {
        TextAssertion::Quote(_) => checks.quotes,
        TextAssertion::Id(_) | TextAssertion::Position(_) | TextAssertion::Version(_) | TextAssertion::Name(_) => {
            checks.ids
        }
        TextAssertion::Moment(_) | TextAssertion::Stretch(_) => checks.times,
        TextAssertion::Figure(_) => checks.numbers,
        TextAssertion::Service(_) => checks.services,
        TextAssertion::Person(_) => checks.people,
        TextAssertion::Severity(_) => checks.severities,
    }
}

fn missing(said: &TextAssertion, text: &str) -> ClaimFault {
    let what = match said {
        TextAssertion::Quote(_) => "the quotation",
        TextAssertion::Id(_) => "the id",
        TextAssertion::Position(_) => "the position",
        TextAssertion::Moment(_) => "the time",
        TextAssertion::Stretch(_) => "the length of time",
        TextAssertion::Figure(_) => "the number",
        TextAssertion::Version(_) => "the version",
        TextAssertion::Name(_) => "the name",
        TextAssertion::Service(_) => "the service",
        TextAssertion::Person(_) => "the person",
        TextAssertion::Severity(_) => "the severity",
    };
    ClaimFault::Unsupported(format!("{what} {text:?} is in none of the cited events"))
}

/// Whether one event says a thing by itself.
pub(crate) fn says(facts: &EventFacts, said: &TextAssertion, court: &Court) -> bool {
    match said {
        TextAssertion::Quote(quote) => quotes(facts, quote),
        TextAssertion::Id(id) => facts.text.contains(id.as_str()),
        TextAssertion::Position(position) => facts.position == *position,
        TextAssertion::Moment(moment) => facts.times.iter().any(|time| moment.is(*time)),
        TextAssertion::Stretch(stretch) => stretches(facts, stretch, court),
        TextAssertion::Figure(figure) => facts.numbers.iter().any(|number| is(figure, number)),
        TextAssertion::Version(version) => {
            // a bare number is a version only where an event says so
            let dotted = version.contains('.') && has_word(&facts.text, version);
            let named = facts.text.contains(&format!("version: {version}\n"))
                || has_word(&facts.text, &format!("version {version}"));
            dotted || named || has_word(&facts.text, &format!("v{version}"))
        }
        TextAssertion::Person(person) => has_word(&facts.text, person),
        TextAssertion::Name(name) => facts.text.contains(&fold(name)) || is_product(name, facts, court),
        TextAssertion::Service(service) => facts.services.contains(service),
        TextAssertion::Severity(severity) => {
            facts.severities.contains(*severity)
                || (*severity == "warning" && facts.severities.contains("warn"))
                || (matches!(*severity, "critical" | "warning") && has_word(&facts.text, severity))
        }
    }
}

/// Whether a name is the spelling of a service as a product: `PostgreSQL` for `postgres`, `MongoDB` for `mongo`.
fn is_product(name: &str, facts: &EventFacts, court: &Court) -> bool {
    let spelt = |known: &str| known.len() >= 4 && name.strip_prefix(known).is_some_and(|tail| tail.len() <= 2);
    court.names().services.iter().any(|(known, one)| spelt(known) && facts.services.contains(one))
}

/// The parts of a quotation, between what was left out, stand in the event in their order.
fn quotes(facts: &EventFacts, quote: &str) -> bool {
    let parts = quote.split('…').flat_map(|part| part.split("...")).map(str::trim).filter(|part| !part.is_empty());
    let mut from = 0;
    for part in parts {
        let Some(at) = facts.text.get(from..).and_then(|text| text.find(part)) else {
            return false;
        };
        from += at + part.len();
    }
    true
}

fn is(figure: &WrittenFigure, number: &Number) -> bool {
    let value = number.value;
    match figure.unit {
        FigureUnit::Percent if number.percent => figure.is(value),
        FigureUnit::Percent => {
            // a share of one, or of a hundred
            let share = if value.abs() <= 1.0 { value * 100.0 } else { value };
            number.field && share.abs() <= 100.0 && figure.is(share)
        }
        FigureUnit::None => (!number.percent && figure.is(value)) || (number.percent && figure.is(value / 100.0)),
        FigureUnit::Times(factor) => figure.is(value / factor),
        FigureUnit::Bytes(small, large) => {
            (number.field || number.bytes) && (figure.is(value / small) || figure.is(value / large))
        }
    }
}

fn stretches(facts: &EventFacts, stretch: &WrittenSpan, court: &Court) -> bool {
    if stretch.ago {
        return facts
            .marks
            .iter()
            .any(|mark| *mark <= court.now() && stretch.is(court.now().since(*mark).as_secs_f64()));
    }
    let measured = || facts.numbers.iter().filter(|number| number.field).map(|number| number.value);
    let of_time = ["second", "latency", "duration", "age", "delay", "lag", "elapsed", "timeout"];
    facts.stretches.iter().any(|seconds| stretch.is(*seconds))
        || (of_time.iter().any(|word| facts.text.contains(word))
            && measured().any(|value| stretch.is(value) || stretch.is(value / 1_000.0)))
        || (stretch.between && between(&facts.marks, &facts.marks, stretch))
}

fn between(a: &[hindcast_domain::Time], b: &[hindcast_domain::Time], stretch: &WrittenSpan) -> bool {
    a.iter().any(|a| b.iter().any(|b| a != b && stretch.is(a.distance(*b).as_secs_f64())))
}

/// Whether the cited events say a thing only together: how far they lie apart, or how many they are.
fn together(token: &TextToken, cited: &[Arc<EventFacts>]) -> bool {
    match &token.said {
        TextAssertion::Stretch(stretch) if stretch.between && !stretch.ago => {
            cited.iter().enumerate().any(|(index, a)| {
                let told = |facts: &EventFacts| [facts.begun, facts.time];
                cited.iter().skip(index + 1).any(|b| between(&told(a), &told(b), stretch))
            })
        }
        // a word such as "two" that counts nothing of ours
        TextAssertion::Figure(figure) => figure.word,
        _ => false,
    }
}

/// A number with the noun that it counts, where that is one of ours.
fn count<'a>(
    token: &'a TextToken,
    reading: &'a TextReading,
) -> Option<(&'a WrittenFigure, &'static (&'static str, &'static [&'static str]))> {
    let TextAssertion::Figure(figure) = &token.said else {
        return None;
    };
    if figure.unit != FigureUnit::None {
        return None;
    }
    let tail = reading.text.get(token.at.end..)?;
    let word = tail.split_whitespace().next()?.trim_end_matches(|c: char| !c.is_alphanumeric());
    let word =
        if matches!(word, "firing" | "open" | "other" | "critical") { tail.split_whitespace().nth(1)? } else { word };
    let word = word.trim_end_matches(|c: char| !c.is_alphanumeric());
    let noun = COUNTED.iter().find(|(noun, _)| word.strip_suffix('s').unwrap_or(word) == *noun || word == *noun)?;
    Some((figure, noun))
}

/// Whether so many are cited, or an event says that there are so many.
fn counted(
    figure: &WrittenFigure,
    (noun, kinds): &(&str, &[&str]),
    token: &TextToken,
    reading: &TextReading,
    cited: &[Arc<EventFacts>],
) -> bool {
    #[allow(clippy::cast_precision_loss)] // bounded by the citations
    let is = |count: usize| figure.is(count as f64);
    let written = reading.text.get(token.at.clone()).unwrap_or_default().trim().to_owned();
    let said = |facts: &Arc<EventFacts>| {
        facts.lengths.iter().any(|length| is(*length)) || facts.text.contains(&format!("{written} {noun}"))
    };
    if cited.iter().any(said) {
        return true;
    }
    let is_one = |facts: &&Arc<EventFacts>| kinds.is_empty() || kinds.iter().any(|kind| facts.kind.starts_with(kind));
    let ours: Vec<&Arc<EventFacts>> = cited.iter().filter(is_one).collect();
    let subjects: BTreeSet<&str> = ours.iter().map(|facts| facts.subject.as_str()).collect();
    let mut all = vec![ours.len(), subjects.len()];
    if *noun == "alert" {
        let joined = ["incident.opened", "incident.alert_joined"];
        all.push(cited.iter().filter(|facts| joined.contains(&facts.kind.as_str())).count());
    }
    if matches!(*noun, "service" | "dependent" | "symptom") {
        let about: BTreeSet<&String> = cited.iter().flat_map(|facts| &facts.about).collect();
        all = vec![about.len(), reading.services(&reading.clause(token.at.start)).len()];
    }
    all.into_iter().any(is)
}

/// What stands in a clause about one service must stand in an event about it, not in one about another.
fn bound(
    token: &TextToken,
    text: &str,
    reading: &TextReading,
    cited: &[Arc<EventFacts>],
    court: &Court,
) -> Result<(), ClaimFault> {
    if cited.len() < 2
        || matches!(
            token.said,
            TextAssertion::Service(_) | TextAssertion::Id(_) | TextAssertion::Position(_) | TextAssertion::Stretch(_)
        )
    {
        return Ok(());
    }
    let clause = reading.clause(token.at.start);
    let services = reading.services(&clause);
    let theirs: Vec<&Arc<EventFacts>> =
        cited.iter().filter(|facts| services.iter().any(|service| facts.services.contains(*service))).collect();
    if theirs.is_empty() || theirs.len() == cited.len() {
        return Ok(());
    }
    let alone = cited.iter().any(|facts| says(facts, &token.said, court));
    if !alone || theirs.iter().any(|facts| says(facts, &token.said, court)) {
        return Ok(());
    }
    if let TextAssertion::Moment(WrittenTime::Day(..)) = token.said {
        return Ok(());
    }
    Err(ClaimFault::Unsupported(format!("{text:?} is in an event that is not about {}", services.join(" or "))))
}
