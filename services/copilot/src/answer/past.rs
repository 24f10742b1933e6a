//! What was before: whether it was seen, what ended it, and how two incidents differ.

use hindcast_api::{Citation, Incident, Problem, Similar};
use hindcast_domain::incident;
use hindcast_domain::text::listed;

use super::line::{AnswerLine, IntentAnswer, said, stated};
use super::scene::AnswerScene;
use super::told::told;
use crate::evidence::{self, when};
use crate::situation::Situation;
use crate::understand::names::NamedKind;

/// Past incidents that are told.
const TOLD_MAX: usize = 4;

fn resolved_event(situation: &Situation) -> Option<Citation> {
    situation.last(&["incident.resolved"]).map(evidence::about::cited)
}

/// Whether it was seen before.
pub(super) async fn seen(scene: &AnswerScene<'_>, situation: &Situation) -> Result<IntentAnswer, Problem> {
    let named =
        !scene.part.of(NamedKind::Alert).is_empty() || !scene.services().is_empty() || !scene.part.topics.is_empty();
    if named && !scene.part.has(&["similar", "like"]) {
        return of_named(scene, situation).await;
    }
    let (said_of, missing) = told(evidence::conclusions::seen, situation);
    let same: Vec<&Similar> = situation.similar.iter().flat_map(|page| &page.items).filter(|one| one.same).collect();
    let lead = match same.first() {
        Some(first) => said(
            [
                format!(
                    "Yes: {} \"{}\", opened at {}, was the same problem",
                    first.incident,
                    first.title,
                    when(first.opened_at)
                ),
                format!("Yes: {} was the same problem", first.incident),
            ],
            first.citations.iter().cloned(),
        ),
        None => stated(format!("No past incident is the same problem as {} {}", situation.incident.id, scene.as_of())),
    };
    let mut answer = IntentAnswer::new(lead);
    if same.len() > 1 {
        answer.line(stated(format!("{} past incidents were the same problem", same.len())));
    }
    answer.all(said_of);
    answer.missing.extend(missing);
    answer.shows.similar = true;
    Ok(answer)
}

/// Earlier incidents of a service, alert or symptom.
async fn of_named(scene: &AnswerScene<'_>, situation: &Situation) -> Result<IntentAnswer, Problem> {
    let of_alerts: Vec<&str> = scene
        .book
        .alerts
        .iter()
        .filter(|alert| scene.concerns(alert))
        .filter_map(|alert| alert.incident.as_deref())
        .collect();
    let services = scene.services();
    let concerns = |one: &&Incident| {
        one.id != situation.incident.id
            && one.opened_at < situation.incident.opened_at
            && (of_alerts.contains(&one.id.as_str())
                || services.iter().any(|service| one.services.iter().any(|of| of == service))
                    && scene.speaks_of_topics(&one.title)
                || services.is_empty() && !scene.part.topics.is_empty() && scene.speaks_of_topics(&one.title))
    };
    let before: Vec<&Incident> = scene.book.incidents.iter().filter(concerns).collect();
    let fired =
        scene.book.alerts.iter().filter(|alert| scene.concerns(alert)).map(|alert| alert.fired).max().unwrap_or(0);
    let what = scene.subject().unwrap_or_else(|| "that".to_owned());
    let Some(last) = before.first() else {
        let text = if fired > 1 {
            format!("Yes: an alert about {what} fired {fired} times {}", scene.as_of())
        } else {
            format!("Not recorded: no earlier incident is about {what} {}", scene.as_of())
        };
        return Ok(IntentAnswer::new(stated(text)));
    };
    let cited = scene.last_event("incident.opened", &last.id).await?;
    let lead = format!(
        "Yes: {} earlier incidents are about {what}, the last one {} \"{}\", opened at {}",
        before.len(),
        last.id,
        last.title,
        when(last.opened_at)
    );
    let mut answer = IntentAnswer::new(said([lead], cited));
    for one in before.iter().skip(1).take(TOLD_MAX) {
        let cited = scene.last_event("incident.opened", &one.id).await?;
        let text = format!("{} \"{}\" was opened at {}", one.id, one.title, when(one.opened_at));
        answer.line(said([text], cited).of_event());
    }
    answer.shows.similar = true;
    Ok(answer)
}

/// What ended it, or the same problem before.
pub(super) fn fixed(scene: &AnswerScene<'_>, situation: &Situation) -> IntentAnswer {
    let one = &situation.incident;
    let asks_before = scene.part.has(&["last", "before", "then", "earlier", "previous", "previously"]);
    let past = situation.similar.iter().flat_map(|page| &page.items).filter(|one| one.same && one.resolution.is_some());
    let mut past: Vec<AnswerLine> = past
        .map(|past| {
            let what = past.resolution.clone().unwrap_or_default();
            said(
                [
                    format!("{what} (that ended {}, the same problem before)", past.incident),
                    format!("What ended {}: {what}", past.incident),
                ],
                past.citations.iter().cloned(),
            )
        })
        .collect();
    let own = one.resolution.as_ref().map(|resolution| {
        said(
            [format!("{resolution} (that ended {})", one.id), format!("What ended it: {resolution}")],
            resolved_event(situation),
        )
    });
    let not_own = match one.status {
        incident::Status::Resolved => match &one.resolved_by {
            Some(by) => format!("Not recorded: {} was resolved ({by}), and nobody said what ended it", one.id),
            None => format!("Not recorded: nobody said what ended {}", one.id),
        },
        _ => format!("Nothing yet: {} \"{}\" is not resolved {}", one.id, one.title, scene.as_of()),
    };
    let lead = match (asks_before && !past.is_empty(), own) {
        (true, own) => {
            let lead = past.remove(0);
            past.extend(own);
            lead
        }
        (false, Some(own)) => own,
        (false, None) => stated(not_own),
    };
    let mut answer = IntentAnswer::new(lead);
    answer.all(past);
    if let (Some(at), Some(cited)) = (one.resolved_at, resolved_event(situation)) {
        answer.line(said([format!("{} was resolved at {}", one.id, when(at))], [cited]).of_event());
    }
    answer.shows.similar = true;
    answer.shows.proposals = one.status != incident::Status::Resolved;
    answer
}

/// The other incident that the words mean, as "the disk one" does: the last one before, else the first one after.
fn meant<'a>(scene: &'a AnswerScene<'_>, one: &Incident) -> Option<&'a Incident> {
    let services = scene.services();
    let is_meant = |it: &&Incident| {
        let title = it.title.to_lowercase();
        let of_service = services.iter().any(|service| title.contains(service));
        let of_topic = scene.incident_speaks(it);
        it.id != one.id && (of_topic || scene.part.topics.is_empty() && of_service)
    };
    let mut all = scene.book.incidents.iter().filter(is_meant);
    let before = all.clone().find(|it| it.opened_at < one.opened_at);
    before.or_else(|| all.next_back())
}

/// How two incidents differ.
pub(super) async fn compare(scene: &AnswerScene<'_>, situation: &Situation) -> Result<IntentAnswer, Problem> {
    let one = &situation.incident;
    let named = scene.part.of(NamedKind::Incident);
    let other =
        named.iter().find(|id| **id != one.id).and_then(|id| scene.book.incidents.iter().find(|it| it.id == **id));
    let similar = situation.similar.iter().flat_map(|page| &page.items);
    let of_similar =
        similar.clone().next().and_then(|it| scene.book.incidents.iter().find(|known| known.id == it.incident));
    let before = scene.book.incidents.iter().find(|it| it.opened_at < one.opened_at && it.id != one.id);
    let after = scene.book.incidents.iter().find(|it| it.id != one.id);
    let Some(other) = other.or_else(|| meant(scene, one)).or(of_similar).or(before).or(after) else {
        return Ok(IntentAnswer::new(stated(format!("There is nothing to compare {} with {}", one.id, scene.as_of()))));
    };
    let known = similar.clone().find(|it| it.incident == other.id);
    let polar = scene.part.has(&["same", "again", "repeat", "is", "was", "did"]) && !scene.part.has(&["how", "what"]);
    let verdict = |word: &'static str| if polar { word } else { "" };
    let lead = match known {
        Some(known) if known.same => {
            said([format!("{}{} was the same problem", verdict("Yes: "), other.id)], known.citations.iter().cloned())
        }
        Some(known) => {
            said([format!("{}{} is another problem", verdict("No: "), other.id)], known.citations.iter().cloned())
        }
        None => stated(format!("{} and {} are not known as the same problem {}", one.id, other.id, scene.as_of())),
    };
    let mut answer = IntentAnswer::new(lead);
    let of_known = known.map(|known| match known.same {
        true => ("What they share", words(&known.why)),
        false => ("What differs", words(&known.differs)),
    });
    if let Some((what, reasons)) = of_known.filter(|(_, reasons)| !reasons.is_empty()) {
        answer.line(stated(format!("{what}: {}", listed(&reasons, 3))));
    }
    beside(scene, one, other, &mut answer).await?;
    answer.shows.similar = true;
    Ok(answer)
}

/// Two incidents beside each other, line by line.
async fn beside(
    scene: &AnswerScene<'_>,
    one: &Incident,
    other: &Incident,
    answer: &mut IntentAnswer,
) -> Result<(), Problem> {
    for it in [one, other] {
        let cited = scene.last_event("incident.opened", &it.id).await?;
        let ended =
            scene.last_event("incident.resolved", &it.id).await?.filter(|_| it.status == incident::Status::Resolved);
        let length = it
            .resolved_at
            .map_or_else(|| "not over".to_owned(), |end| format!("it lasted {}", end.since(it.opened_at)));
        let text = format!(
            "{} \"{}\": opened at {}, {length}, severity {}, {} alerts",
            it.id,
            it.title,
            when(it.opened_at),
            it.peak_severity,
            it.alerts
        );
        answer.line(said(
            [text, format!("{} \"{}\" was opened at {}", it.id, it.title, when(it.opened_at))],
            cited.into_iter().chain(ended),
        ));
    }
    let only = |a: &Incident, b: &Incident| -> Vec<String> {
        a.services.iter().filter(|service| !b.services.contains(service)).cloned().collect()
    };
    let (ours, theirs) = (only(one, other), only(other, one));
    if ours.is_empty() && theirs.is_empty() {
        answer.line(stated(format!("Both are about {}", listed(&words(&one.services), 8))));
    } else {
        answer.line(stated(format!(
            "Only in {}: {}; only in {}: {}",
            one.id,
            or_nothing(&ours),
            other.id,
            or_nothing(&theirs)
        )));
    }
    for it in [one, other] {
        if let Some(cause) = &it.cause {
            let cited = scene.last_event("incident.resolved", &it.id).await?;
            answer.line(said([format!("A person named as the cause of {}: {cause}", it.id)], cited));
        }
    }
    Ok(())
}

fn words(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}

fn or_nothing(all: &[String]) -> String {
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}
