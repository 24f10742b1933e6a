//! Judges a free text: what the grammar read is checked value by value, what it did not read is not checked. Owns which
//! things stand nowhere at all; refuses to guess what a word may mean.

use std::collections::BTreeSet;
use std::sync::Arc;

use hindcast_api::Claim;

use crate::ClaimFault;
use crate::court::Court;
use crate::facts::EventFacts;
use crate::read::{self, TextAssertion, TextReading};
use crate::{exact, grammar, path, stands};

/// Checks the text of a claim, and its path.
pub(crate) fn check(claim: &Claim, cited: &[Arc<EventFacts>], court: &Court) -> Result<(), ClaimFault> {
    let reading = read::read(&claim.text, court.names());
    nowhere(&reading, court)?;
    path::path(&claim.path, court)?;
    if !claim.path.is_empty() && is_way(&reading, claim, court) {
        return Ok(());
    }
    elsewhere(&reading, cited, court)?;
    let mut used = BTreeSet::new();
    let mut doubt: Option<String> = None;
    let parsed = grammar::parse(&reading, court);
    let nothing = parsed.is_empty();
    for one in parsed {
        let found = match one {
            Ok(assertion) => exact::check(&assertion, cited, &claim.citations, court),
            Err(unread) => {
                let least = unread.doubt.iter().map(|least| exact::check(least, cited, &claim.citations, court));
                let wrong = least.into_iter().find(|found| matches!(found, Err(ClaimFault::Unsupported(_))));
                wrong.unwrap_or(Err(ClaimFault::Unverifiable(unread.why)))
            }
        };
        match found {
            Ok(witnesses) => used.extend(witnesses),
            Err(ClaimFault::Unverifiable(why)) => doubt = doubt.or(Some(why)),
            wrong => return wrong.map(|_| ()),
        }
    }
    if nothing {
        return Err(ClaimFault::Unverifiable("it says nothing that could be looked up".to_owned()));
    }
    if let Some(why) = doubt {
        return Err(ClaimFault::Unverifiable(why));
    }
    // an alert that was grouped is named by the event by which it fired
    let names = |facts: &Arc<EventFacts>| {
        let alert = matches!(facts.kind.as_str(), "alert.fired" | "intake.alert");
        alert
            && cited.iter().any(|other| used.contains(&other.id) && other.text.contains(&facts.subject.to_lowercase()))
    };
    let idle = |facts: &&Arc<EventFacts>| !used.is_empty() && !used.contains(&facts.id) && !names(facts);
    match cited.iter().find(|facts| court.checks.bears && idle(facts)) {
        Some(idle) => Err(ClaimFault::Unverifiable(format!("{} says nothing of it", idle.id))),
        None => Ok(()),
    }
}

/// An id, a version, a quotation or a link that stands nowhere in what was known.
fn nowhere(reading: &TextReading, court: &Court) -> Result<(), ClaimFault> {
    let checks = &court.checks;
    for token in &reading.tokens {
        let (what, is_checked) = match &token.said {
            TextAssertion::Id(_) => ("the id", checks.ids),
            TextAssertion::Position(_) => ("the position", checks.ids),
            TextAssertion::Version(_) => ("the version", checks.ids),
            TextAssertion::Quote(_) => ("the quotation", checks.quotes),
            TextAssertion::Name(name) if name.contains("://") => ("the link", checks.ids),
            _ => continue,
        };
        if is_checked && !court.all().any(|facts| stands::says(&facts, &token.said, court)) {
            let written = reading.written(&token.at);
            return Err(ClaimFault::Unsupported(format!("{what} {written:?} is in nothing that was known")));
        }
    }
    Ok(())
}

/// Words for what only an event of its own can say, as they stand and as that event's type writes them.
const OWN: [(&str, &str); 8] = [
    ("acknowledged", "acknowledg"),
    ("reopened", "reopen"),
    ("merged", "merge"),
    ("declared", "declare"),
    ("snoozed", "snooze"),
    ("silenced", "silence"),
    ("muted", "silence"),
    ("assigned", "assign"),
];

/// Something is said to have been done to an incident, and no cited event is about that or speaks of it.
fn elsewhere(reading: &TextReading, cited: &[Arc<EventFacts>], court: &Court) -> Result<(), ClaimFault> {
    if !court.checks.denials {
        return Ok(());
    }
    let denied = ["not", "never", "nobody", "no", "n't", "without"];
    let mut words = reading.rest.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty());
    if words.clone().any(|word| denied.iter().any(|no| word == *no || word.ends_with("n't"))) {
        return Ok(());
    }
    let found = words.find_map(|word| OWN.iter().find(|(known, _)| *known == word));
    match found {
        Some((word, stem)) if !cited.iter().any(|facts| facts.text.contains(stem)) => {
            Err(ClaimFault::Unsupported(format!("none of the cited events says {word:?}")))
        }
        _ => Ok(()),
    }
}

/// Whether a text only names the services of its path, in their order.
fn is_way(reading: &TextReading, claim: &Claim, court: &Court) -> bool {
    let joins = |c: char| c.is_whitespace() || matches!(c, '→' | ',' | '-' | '>');
    if !reading.rest.split(joins).all(|word| word.is_empty() || word == "then") {
        return false;
    }
    let named: Option<Vec<&str>> = reading
        .tokens
        .iter()
        .map(|token| match &token.said {
            TextAssertion::Service(service) => Some(service.as_str()),
            _ => None,
        })
        .collect();
    let mut walked: Vec<&str> = claim.path.iter().map(|step| court.names().resolve(&step.service)).collect();
    walked.dedup();
    named.is_some_and(|named| named == walked)
}
