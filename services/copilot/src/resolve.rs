//! A question resolved against the ledger: as of when it is about, which incident, and what each part of it asks for.
//! Owns the order, and what of the conversation before is taken over. Nothing after the resolved moment is looked at.

use hindcast_api::{AsOf, Incident, Problem};
use hindcast_domain::{Span, Time};
use hindcast_queries::{EventFilter, ListPart, Snapshot};

use crate::evidence::when;
use crate::history::Earlier;
use crate::intent::Intent;
use crate::intent::embedded::EmbeddedExamples;
use crate::pick;
use crate::understand::asked_for;
use crate::understand::follow::{self, ResolvedPart, SpokenOf};
use crate::understand::moments::{Landmark, TimeMeant, WordedMoment};
use crate::understand::names::NameBook;
use crate::understand::part::AskedPart;
use crate::understand::{self, ReadQuestion};

/// How long a ledger may be idle until a clock time means the day of its last event.
const IDLE: Span = Span::hours(24);
/// How long after the end of something a clock time still belongs to it.
const AFTERMATH: Span = Span::hours(1);
/// How a note begins that says that there is nothing of the day that is asked about.
pub(crate) const NOTHING_TODAY: &str = "nothing is recorded today";
/// Earlier turns that are read again for what they spoke of.
const TURNS_READ_MAX: usize = 6;
/// Events that are looked through for a happening.
const EVENTS_MAX: usize = 500;

/// What the words of a question mean in the ledger.
pub(crate) struct ResolvedQuestion {
    pub(crate) moment: Snapshot,
    pub(crate) incident: Option<Incident>,
    /// What is known by names as of the moment.
    pub(crate) book: NameBook,
    pub(crate) parts: Vec<ResolvedPart>,
    pub(crate) stretch: Option<(Time, Time)>,
    /// What was taken for what, and what is ambiguous.
    pub(crate) notes: Vec<String>,
}

impl ResolvedQuestion {
    /// Whether any part of it is answered from what is known of one incident.
    pub(crate) fn is_of_incident(&self) -> bool {
        self.parts.iter().any(|part| part.intent.is_some_and(crate::answer::is_of_incident))
    }
}

/// Which incident a question is about before its words are looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum IncidentNamed<'a> {
    /// By whoever asks, beside the question.
    Beside(&'a str),
    /// By what was recorded when it was asked.
    Recorded(Option<&'a str>),
    /// By the question or by nothing.
    InWords,
}

/// Resolves a question.
///
/// # Errors
/// When the views cannot be read, or an incident that is named is not there.
pub(crate) async fn resolve(
    base: &Snapshot,
    question: &str,
    earlier: &[Earlier],
    named: IncidentNamed<'_>,
    now: Time,
    examples: &EmbeddedExamples,
) -> Result<ResolvedQuestion, Problem> {
    let mut notes = Vec::new();
    let at = match base.asked() {
        Some(AsOf::Time(time)) => time,
        Some(AsOf::Position(_)) => base.recorded_at(),
        None => now,
    };
    let first = NameBook::read(base).await?;
    let last = last_known(named, &first).unwrap_or_else(|| base.recorded_at());
    let worded = worded(question, at, last, &mut notes);
    let read = understand::read(question, worded.clone(), &first);
    let beside = match named {
        IncidentNamed::Beside(id) | IncidentNamed::Recorded(Some(id)) => Some(id),
        IncidentNamed::Recorded(None) | IncidentNamed::InWords => None,
    };
    let (moment, stretch) = moved(base, worded.as_ref(), &read, (at, beside), &mut notes).await?;
    let book = if moment.position() == base.position() { first } else { NameBook::read(&moment).await? };
    let parts = parts(&read, earlier, &book, examples).await;
    let incident = match named {
        IncidentNamed::Recorded(None) => None,
        IncidentNamed::Recorded(Some(id)) | IncidentNamed::Beside(id) => match moment.incident(Some(id)).await {
            Ok(found) => Some(found),
            // By the time that the words name it need not have been there.
            Err(_) if moment.position() != base.position() => {
                base.incident(Some(id)).await?;
                notes.push(format!("{id} was not there yet at that time"));
                None
            }
            Err(problem) => return Err(problem),
        },
        IncidentNamed::InWords => {
            let picked =
                pick::pick(&moment, &book, &parts, question, crate::history::incident(earlier), worded.is_some())
                    .await?;
            notes.extend(picked.note);
            picked.incident
        }
    };
    for part in &parts {
        notes.extend(part.part.taken_for.iter().map(|(word, name)| format!("\"{word}\" was taken for {name}")));
    }
    notes.extend(
        read.language.map(|language| format!("the question seems to be in {language}; answers are in English")),
    );
    Ok(ResolvedQuestion { moment, incident, book, parts, stretch, notes })
}

/// When what a question looks at was last heard of: the end of the incident beside it, else of all incidents and alerts. The
/// settings of a server and its own start say nothing of that.
fn last_known(named: IncidentNamed<'_>, book: &NameBook) -> Option<Time> {
    let id = match named {
        IncidentNamed::Beside(id) | IncidentNamed::Recorded(Some(id)) => Some(id),
        IncidentNamed::Recorded(None) | IncidentNamed::InWords => None,
    };
    let asked = id.and_then(|id| book.incidents.iter().find(|one| one.id == id));
    if let Some(one) = asked {
        return one.resolved_at.map(|at| at + AFTERMATH);
    }
    let of_alerts = book.alerts.iter().map(|alert| alert.ends_at.unwrap_or(alert.starts_at));
    let of_incidents = book.incidents.iter().map(|one| one.resolved_at.unwrap_or(one.opened_at));
    of_alerts.chain(of_incidents).max().map(|at| at + AFTERMATH)
}

/// The time that a question names. A bare clock time, asked long after, means the day of what it looks at.
fn worded(question: &str, at: Time, last: Time, notes: &mut Vec<String>) -> Option<WordedMoment> {
    let found = understand::moment(question, at)?;
    if found.bare_clock && at.since(last) > IDLE {
        let again = understand::moment(question, last)?;
        if let TimeMeant::By(time) | TimeMeant::Since(time) | TimeMeant::During(_, time) = again.meant {
            notes.push(format!("\"{}\" was taken for {}, the last day with events", again.words, when(time)));
        }
        return Some(again);
    }
    let is_today = ["today", "tonight", "this morning", "this afternoon", "this evening"];
    if let TimeMeant::During(from, _) = found.meant
        && is_today.iter().any(|word| found.words.contains(word))
        && last < from
        && at.since(last) > IDLE
    {
        notes.push(format!("{NOTHING_TODAY}; on the last day with an alert, {}", day(last)));
        return understand::moment(question, last);
    }
    Some(found)
}

/// The day of a time.
fn day(at: Time) -> String {
    at.to_string().chars().take(10).collect()
}

/// The moment that a question is about, and the stretch that it names.
async fn moved(
    base: &Snapshot,
    worded: Option<&WordedMoment>,
    read: &ReadQuestion,
    (at, beside): (Time, Option<&str>),
    notes: &mut Vec<String>,
) -> Result<(Snapshot, Option<(Time, Time)>), Problem> {
    let Some(worded) = worded else { return Ok((base.clone(), None)) };
    match &worded.meant {
        TimeMeant::By(time) => Ok((base.earlier(AsOf::Time(*time)).await?, None)),
        TimeMeant::During(from, to) => Ok((base.earlier(AsOf::Time((*to).min(at))).await?, Some((*from, *to)))),
        TimeMeant::Since(from) => Ok((base.clone(), Some((*from, at)))),
        TimeMeant::SinceLandmark(landmark) => match happened(base, landmark, read, beside).await? {
            Some((_, time)) => Ok((base.clone(), Some((time, at)))),
            None => {
                notes.push(format!("\"{}\": no such happening is recorded", worded.words));
                Ok((base.clone(), None))
            }
        },
        TimeMeant::ByLandmark { landmark, before, distance } => {
            let Some((position, time)) = happened(base, landmark, read, beside).await? else {
                notes.push(format!("\"{}\": no such happening is recorded", worded.words));
                return Ok((base.clone(), None));
            };
            let then = match (before, *distance == Span::ZERO) {
                (true, true) => AsOf::Position(position.saturating_sub(1)),
                (true, false) => AsOf::Time(time - *distance),
                (false, true) => AsOf::Position(position),
                (false, false) => AsOf::Time(time + *distance),
            };
            Ok((base.earlier(then).await?, None))
        }
    }
}

/// Where and when something happened: the last time that it did.
async fn happened(
    base: &Snapshot,
    landmark: &Landmark,
    read: &ReadQuestion,
    beside: Option<&str>,
) -> Result<Option<(u64, Time)>, Problem> {
    let kinds: &[&str] = match landmark {
        Landmark::Change(_) => &["intake.change"],
        Landmark::Began => &["incident.opened", "incident.declared"],
        Landmark::Acknowledged => &["incident.acknowledged"],
        Landmark::Ended => &["incident.resolved"],
    };
    let mut found = Vec::new();
    for kind in kinds {
        let filter = EventFilter { kind: Some((*kind).to_owned()), ..EventFilter::default() };
        found.extend(base.events(filter, ListPart::first(EVENTS_MAX)).await?.items);
    }
    found.sort_by_key(|event| event.position);
    // What began or ended is the incident beside the question, where there is one.
    if let Some(id) = beside.filter(|_| !matches!(landmark, Landmark::Change(_))) {
        found.retain(|event| event.subject == id);
    }
    let things: Vec<&str> =
        read.parts.iter().flat_map(|part| part.things.iter().map(|thing| thing.name.as_str())).collect();
    let wanted: Option<String> = match landmark {
        Landmark::Change(Some(word)) => Some(word.to_lowercase()),
        _ => None,
    };
    let says = |event: &&hindcast_api::Event, word: &str| {
        event.subject.eq_ignore_ascii_case(word) || event.data.to_string().to_lowercase().contains(&word.to_lowercase())
    };
    if let Some(word) = wanted {
        return Ok(found.iter().rev().find(|event| says(event, &word)).map(|event| (event.position, event.time)));
    }
    let named = found.iter().rev().find(|event| things.iter().any(|thing| says(event, thing)));
    Ok(named.or(found.last()).map(|event| (event.position, event.time)))
}

/// Each part with what it asks for; what it leaves out is taken from what was spoken of.
async fn parts(
    read: &ReadQuestion,
    earlier: &[Earlier],
    book: &NameBook,
    examples: &EmbeddedExamples,
) -> Vec<ResolvedPart> {
    let mut spoken = SpokenOf::default();
    let skip = earlier.len().saturating_sub(TURNS_READ_MAX);
    for turn in earlier.iter().skip(skip) {
        let moment = understand::moment(&turn.question, Time::ZERO);
        for part in understand::read(&turn.question, moment, book).parts {
            spoken = spoken_of(&resolved(part, &spoken, examples).await);
        }
    }
    let mut all = Vec::new();
    for part in &read.parts {
        let one = resolved(part.clone(), &spoken, examples).await;
        spoken = spoken_of(&one);
        all.push(one);
    }
    // A remark before a question is what that speaks of, and asks for nothing.
    let asks = |one: &ResolvedPart| one.intent.is_some() && !follow::is_remark(&one.part);
    if all.last().is_some_and(asks) {
        all.retain(|one| asks(one));
    }
    all
}

fn spoken_of(part: &ResolvedPart) -> SpokenOf {
    SpokenOf { intent: part.intent.or(part.spoken.intent), part: part.part.clone() }
}

async fn resolved(mut part: AskedPart, spoken: &SpokenOf, examples: &EmbeddedExamples) -> ResolvedPart {
    let embedded = examples.nearness(&part.pattern).await;
    let asked = asked_for::rank(&part, embedded.as_deref());
    let mut intent = asked.intent();
    if let Some(before) = spoken.intent {
        if follow::only_names(&part) {
            intent = Some(before);
        } else if follow::only_why(&part) {
            intent = Some(follow::why_after(before, part.has(&["not"])));
        } else if let Some(meant) = follow::by_word(&part, before) {
            intent = Some(meant);
            // Who did a change is who deployed it.
            if meant == Intent::Who && before == Intent::Changed {
                part.words.push("deployed".to_owned());
            }
        }
        // "So it was that one" after a question for changes means the change.
        if intent == Some(Intent::WasIt) && before == Intent::Changed && part.names_nothing() {
            part.words.push("change".to_owned());
        }
    }
    let spoken_of_something = spoken.intent.is_some() || !spoken.part.names_nothing();
    // A name and nothing else asks how that is.
    if intent.is_none() && spoken.intent.is_none() && follow::only_names(&part) && !part.has(&["{time}"]) {
        intent = Some(Intent::Fine);
    }
    if spoken_of_something && follow::leans(&part) {
        part.things = spoken.part.things.clone();
        part.topics = spoken.part.topics.clone();
    }
    ResolvedPart { part, intent, readings: asked.readings(), spoken: spoken.clone() }
}
