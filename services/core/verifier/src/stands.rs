//! Whether what a text says stands in the cited events: in those that are about the services of its clause,
//! where it names any. Owns the comparison of each kind of thing; refuses to know order and denial.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::Wrong;
use crate::court::Court;
use crate::facts::{Facts, Number};
use crate::figures::{Figure, Unit};
use crate::read::{Reading, Said, Token};
use crate::times::{Moment, Stretch};
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
pub(crate) fn stands(reading: &Reading, cited: &[Arc<Facts>], court: &Court) -> Result<(), Wrong> {
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

fn checked(said: &Said, court: &Court) -> bool {
    let checks = &court.checks;
    match said {
        Said::Quote(_) => checks.quotes,
        Said::Id(_) | Said::Position(_) | Said::Version(_) | Said::Name(_) => checks.ids,
        Said::Moment(_) | Said::Stretch(_) => checks.times,
        Said::Figure(_) => checks.numbers,
        Said::Service(_) => checks.services,
        Said::Person(_) => checks.people,
        Said::Severity(_) => checks.severities,
    }
}

fn missing(said: &Said, text: &str) -> Wrong {
    let what = match said {
        Said::Quote(_) => "the quotation",
        Said::Id(_) => "the id",
        Said::Position(_) => "the position",
        Said::Moment(_) => "the time",
        Said::Stretch(_) => "the length of time",
        Said::Figure(_) => "the number",
        Said::Version(_) => "the version",
        Said::Name(_) => "the name",
        Said::Service(_) => "the service",
        Said::Person(_) => "the person",
        Said::Severity(_) => "the severity",
    };
    Wrong::Unsupported(format!("{what} {text:?} stands in none of the cited events"))
}

/// Whether one event says a thing by itself.
pub(crate) fn says(facts: &Facts, said: &Said, court: &Court) -> bool {
    match said {
        Said::Quote(quote) => quotes(facts, quote),
        Said::Id(id) => facts.text.contains(id.as_str()),
        Said::Position(position) => facts.position == *position,
        Said::Moment(moment) => facts.times.iter().any(|time| moment.is(*time)),
        Said::Stretch(stretch) => stretches(facts, stretch, court),
        Said::Figure(figure) => facts.numbers.iter().any(|number| is(figure, number)),
        Said::Version(version) => {
            // a bare number is a version only where an event says so
            let dotted = version.contains('.') && has_word(&facts.text, version);
            let named = facts.text.contains(&format!("version: {version}\n"))
                || has_word(&facts.text, &format!("version {version}"));
            dotted || named || has_word(&facts.text, &format!("v{version}"))
        }
        Said::Person(person) => has_word(&facts.text, person),
        Said::Name(name) => facts.text.contains(&fold(name)) || is_product(name, facts, court),
        Said::Service(service) => facts.services.contains(service),
        Said::Severity(severity) => {
            facts.severities.contains(*severity)
                || (*severity == "warning" && facts.severities.contains("warn"))
                || (matches!(*severity, "critical" | "warning") && has_word(&facts.text, severity))
        }
    }
}

/// Whether a name is the spelling of a service as a product: `PostgreSQL` for `postgres`, `MongoDB` for `mongo`.
fn is_product(name: &str, facts: &Facts, court: &Court) -> bool {
    let spelt = |known: &str| known.len() >= 4 && name.strip_prefix(known).is_some_and(|tail| tail.len() <= 2);
    court.names().iter().any(|(known, one)| spelt(known) && facts.services.contains(one))
}

/// The parts of a quotation, between what was left out, stand in the event in their order.
fn quotes(facts: &Facts, quote: &str) -> bool {
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

fn is(figure: &Figure, number: &Number) -> bool {
    let value = number.value;
    match figure.unit {
        Unit::Percent if number.percent => figure.is(value),
        Unit::Percent => {
            // a share of one, or of a hundred
            let share = if value.abs() <= 1.0 { value * 100.0 } else { value };
            number.field && share.abs() <= 100.0 && figure.is(share)
        }
        Unit::None => (!number.percent && figure.is(value)) || (number.percent && figure.is(value / 100.0)),
        Unit::Times(factor) => figure.is(value / factor),
        Unit::Bytes(small, large) => {
            (number.field || number.bytes) && (figure.is(value / small) || figure.is(value / large))
        }
    }
}

fn stretches(facts: &Facts, stretch: &Stretch, court: &Court) -> bool {
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

fn between(a: &[hindcast_domain::Time], b: &[hindcast_domain::Time], stretch: &Stretch) -> bool {
    a.iter().any(|a| b.iter().any(|b| a != b && stretch.is(a.distance(*b).as_secs_f64())))
}

/// Whether the cited events say a thing only together: how far they lie apart, or how many they are.
fn together(token: &Token, cited: &[Arc<Facts>]) -> bool {
    match &token.said {
        Said::Stretch(stretch) if stretch.between && !stretch.ago => cited.iter().enumerate().any(|(index, a)| {
            let told = |facts: &Facts| [facts.begun, facts.time];
            cited.iter().skip(index + 1).any(|b| between(&told(a), &told(b), stretch))
        }),
        // a word such as "two" that counts nothing of ours
        Said::Figure(figure) => figure.word,
        _ => false,
    }
}

/// A number with the noun that it counts, where that is one of ours.
fn count<'a>(
    token: &'a Token,
    reading: &'a Reading,
) -> Option<(&'a Figure, &'static (&'static str, &'static [&'static str]))> {
    let Said::Figure(figure) = &token.said else {
        return None;
    };
    if figure.unit != Unit::None {
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
    figure: &Figure,
    (noun, kinds): &(&str, &[&str]),
    token: &Token,
    reading: &Reading,
    cited: &[Arc<Facts>],
) -> bool {
    #[allow(clippy::cast_precision_loss)] // bounded by the citations
    let is = |count: usize| figure.is(count as f64);
    let written = reading.text.get(token.at.clone()).unwrap_or_default().trim().to_owned();
    let said = |facts: &Arc<Facts>| {
        facts.lengths.iter().any(|length| is(*length)) || facts.text.contains(&format!("{written} {noun}"))
    };
    if cited.iter().any(said) {
        return true;
    }
    let is_one = |facts: &&Arc<Facts>| kinds.is_empty() || kinds.iter().any(|kind| facts.kind.starts_with(kind));
    let ours: Vec<&Arc<Facts>> = cited.iter().filter(is_one).collect();
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
fn bound(token: &Token, text: &str, reading: &Reading, cited: &[Arc<Facts>], court: &Court) -> Result<(), Wrong> {
    if cited.len() < 2 || matches!(token.said, Said::Service(_) | Said::Id(_) | Said::Position(_) | Said::Stretch(_)) {
        return Ok(());
    }
    let clause = reading.clause(token.at.start);
    let services = reading.services(&clause);
    let theirs: Vec<&Arc<Facts>> =
        cited.iter().filter(|facts| services.iter().any(|service| facts.services.contains(*service))).collect();
    if theirs.is_empty() || theirs.len() == cited.len() {
        return Ok(());
    }
    let alone = cited.iter().any(|facts| says(facts, &token.said, court));
    if !alone || theirs.iter().any(|facts| says(facts, &token.said, court)) {
        return Ok(());
    }
    if let Said::Moment(Moment::Day(..)) = token.said {
        return Ok(());
    }
    Err(Wrong::Unsupported(format!("{text:?} stands in an event that is not about {}", services.join(" or "))))
}
