//! Which incident a question is about: the one that it names by id, by words of its title, by a service or an alert; else
//! the one that was spoken of; else the worst that is open, else the newest. What is ambiguous is said.

use hindcast_api::{Incident, Problem};
use hindcast_domain::incident;
use hindcast_queries::Snapshot;

use crate::question;
use crate::situation;
use crate::understand::follow::ResolvedPart;
use crate::understand::names::{NameBook, NamedKind};
use crate::understand::part::AskedPart;

/// What a mention counts.
const BY_ALERT: u32 = 6;
const BY_SERVICE: u32 = 4;
const BY_TOPIC: u32 = 5;
const BY_TITLE_WORD: u32 = 2;
/// What breaks a tie: an incident that is open.
const BY_BEING_OPEN: u32 = 1;
/// Incidents that are named where several fit alike.
const NAMED_MAX: usize = 3;

/// What a question is about, and what else it may be about.
pub(crate) struct PickedIncident {
    pub(crate) incident: Option<Incident>,
    /// Which others fit as well.
    pub(crate) note: Option<String>,
}

/// Picks the incident.
///
/// # Errors
/// When the views cannot be read, or an id that is named is none.
pub(crate) async fn pick(
    moment: &Snapshot,
    book: &NameBook,
    parts: &[ResolvedPart],
    question: &str,
    spoken: Option<&str>,
    in_the_past: bool,
) -> Result<PickedIncident, Problem> {
    let one = |incident| PickedIncident { incident, note: None };
    if let Some(id) = question::named_incident(question) {
        return match moment.incident(Some(&id)).await {
            Ok(found) => Ok(one(Some(found))),
            // What is named may not have been there by the time that the words name.
            Err(_) if in_the_past => Ok(one(None)),
            Err(problem) => Err(problem),
        };
    }
    if let Some(ordinal) = by_order(book, parts) {
        return Ok(one(Some(ordinal)));
    }
    let mut scored: Vec<(u32, &Incident)> = book
        .incidents
        .iter()
        .map(|it| (parts.iter().map(|part| mentions(&part.part, it, book)).sum::<u32>(), it))
        .filter(|(score, _)| *score > 0)
        .map(|(score, it)| (score * 2 + if it.status == incident::Status::Resolved { 0 } else { BY_BEING_OPEN }, it))
        .collect();
    let asks_of_cause = parts.iter().any(|part| part.intent == Some(crate::intent::Intent::WasIt));
    if let (Some(id), true) = (spoken, scored.is_empty() || asks_of_cause || leaning(parts)) {
        return Ok(one(moment.incident(Some(id)).await.ok()));
    }
    // A suspect need not be hit by the incident that it is suspected of.
    if asks_of_cause && !names_incident(parts) {
        let open = situation::choose(moment, None, "").await?;
        return Ok(one(open));
    }
    // Newest first, so that of equals the newest stays.
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    let Some((best, first)) = scored.first().copied() else {
        return Ok(one(situation::choose(moment, None, "").await?));
    };
    let others: Vec<&Incident> = scored.iter().skip(1).filter(|(score, _)| *score == best).map(|(_, it)| *it).collect();
    let note = (!others.is_empty()).then(|| {
        let ids: Vec<&str> = others.iter().take(NAMED_MAX).map(|it| it.id.as_str()).collect();
        let more = if others.len() > NAMED_MAX { " and others" } else { "" };
        format!(
            "{} incidents fit; this is about the newest, {}; also: {}{more}",
            others.len() + 1,
            first.id,
            ids.join(", ")
        )
    });
    Ok(PickedIncident { incident: Some(moment.incident(Some(&first.id)).await?), note })
}

/// Whether the parts name nothing themselves.
fn leaning(parts: &[ResolvedPart]) -> bool {
    parts.iter().all(|part| {
        part.part.things == part.spoken.part.things
            && part.part.topics == part.spoken.part.topics
            && !part.part.things.is_empty()
    })
}

fn names_incident(parts: &[ResolvedPart]) -> bool {
    parts.iter().any(|part| !part.part.of(NamedKind::Incident).is_empty())
}

/// The first, the last, the one before: incidents by their order.
fn by_order(book: &NameBook, parts: &[ResolvedPart]) -> Option<Incident> {
    let says = |phrase: &str| parts.iter().any(|part| part.part.says(phrase));
    let noun = ["incident", "outage", "one"];
    let any = |word: &str| noun.iter().any(|noun| says(&format!("{word} {noun}")));
    if any("first") || any("oldest") {
        return book.incidents.last().cloned();
    }
    if any("last") || any("latest") || any("newest") || any("most recent") {
        return book.incidents.first().cloned();
    }
    None
}

/// How much of an incident a part names.
fn mentions(part: &AskedPart, one: &Incident, book: &NameBook) -> u32 {
    let alerts = book.alerts.iter().filter(|alert| alert.incident.as_deref() == Some(one.id.as_str()));
    let names: Vec<&str> = alerts.clone().map(|alert| alert.name.as_str()).collect();
    let mut score = 0;
    if part.of(NamedKind::Incident).contains(&one.id.as_str()) {
        score += 10 * BY_ALERT;
    }
    score += part.of(NamedKind::Alert).iter().filter(|name| names.contains(name)).map(|_| BY_ALERT).sum::<u32>();
    for service in part.of(NamedKind::Service) {
        if one.services.iter().any(|of| of == service) {
            // The service that it began on is what people call it by.
            let is_first = one.services.len() == 1 || one.title.to_lowercase().contains(service);
            score += BY_SERVICE + u32::from(is_first);
        }
    }
    for thing in part.of(NamedKind::Thing) {
        let of = alerts.clone().any(|alert| alert.labels.values().any(|value| value == thing));
        score += if of { BY_SERVICE } else { 0 };
    }
    let by_topic = |topic: &&&crate::understand::concepts::SymptomTopic| {
        topic.is_in(&one.title) || names.iter().any(|name| topic.is_in(name))
    };
    score +=
        part.topics.iter().filter(by_topic).map(|topic| BY_TOPIC - u32::from(!topic.is_in(&one.title))).sum::<u32>();
    let title = one.title.to_lowercase();
    let words = title.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 4);
    score + words.filter(|word| part.words.iter().any(|asked| asked == word)).map(|_| BY_TITLE_WORD).sum::<u32>()
}
