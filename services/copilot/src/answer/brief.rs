//! Short texts for others: what was known at a time, a handover, a status for people outside, a postmortem.

use hindcast_api::{Incident, Problem};
use hindcast_domain::{Span, alert, incident};

use super::line::{IntentAnswer, said, stated};
use super::scene::{AnswerScene, LATELY, cite};
use super::told::{lines, told};
use crate::evidence::{self, when};
use crate::situation::Situation;

/// Incidents that are told.
const TOLD_MAX: usize = 4;
/// How far a handover looks back.
const SHIFT: Span = Span::hours(12);

/// What was known at a time.
pub(super) async fn known_at(scene: &AnswerScene<'_>, situation: Option<&Situation>) -> Result<IntentAnswer, Problem> {
    let book = scene.book;
    let open: Vec<&Incident> = book.incidents.iter().filter(|one| one.status != incident::Status::Resolved).collect();
    let firing = book.alerts.iter().filter(|alert| alert.status == alert::Status::Firing).count();
    let named = match open.as_slice() {
        [] => "no incident was open".to_owned(),
        [one] => format!("1 incident was open, {} \"{}\", {}", one.id, one.title, one.severity),
        [one, ..] => format!("{} incidents were open, the newest {} \"{}\"", open.len(), one.id, one.title),
    };
    let mut answer = IntentAnswer::new(stated(format!("By {}: {named}; {firing} alerts fired", when(scene.now))));
    if let Some(situation) = situation.filter(|situation| situation.incident.status != incident::Status::Resolved) {
        let (cause, missing) = told(evidence::conclusions::cause, situation);
        answer.line(cause.into_iter().next());
        answer.missing.extend(missing);
        answer.all(lines(evidence::conclusions::blast, situation).into_iter().take(1));
        answer.shows.causes = true;
    }
    for alert in book.alerts.iter().filter(|alert| alert.status == alert::Status::Firing).take(TOLD_MAX) {
        answer.line(scene.alert_line(alert, "").await?);
    }
    for event in
        scene.events("intake.change").await?.iter().rev().filter(|event| event.time >= scene.now - LATELY).take(2)
    {
        let title = event.data.get("title").and_then(serde_json::Value::as_str).unwrap_or_default();
        answer.line(said([format!("A change was known, of {}: \"{title}\"", when(event.time))], [cite(event)]));
    }
    if open.is_empty()
        && let Some(last) = book.incidents.first()
    {
        let ended = scene.last_event("incident.resolved", &last.id).await?;
        answer.line(said([format!("The last one, {} \"{}\", was resolved", last.id, last.title)], ended));
    }
    Ok(answer)
}

/// What the next shift must know.
pub(super) async fn handover(scene: &AnswerScene<'_>) -> Result<IntentAnswer, Problem> {
    // A shift in which nothing happened for days is that of the last incident.
    let last = scene.book.incidents.iter().filter_map(|one| one.resolved_at).max();
    let end = last.filter(|last| *last < scene.now - SHIFT).unwrap_or(scene.now);
    let from = scene.stretch.map_or(end - SHIFT, |(from, _)| from);
    let is_asked = |one: &Incident| scene.incident.is_some_and(|asked| asked.id == one.id);
    let is_recent = |one: &&Incident| {
        is_asked(one) || one.status != incident::Status::Resolved || one.resolved_at.is_some_and(|at| at >= from)
    };
    let mut recent: Vec<&Incident> = scene.book.incidents.iter().filter(is_recent).collect();
    // Open ones first, then the one that the asker looks at.
    recent.sort_by_key(|one| (one.status == incident::Status::Resolved, !is_asked(one)));
    let open = recent.iter().filter(|one| one.status != incident::Status::Resolved).count();
    let unacked = recent.iter().filter(|one| one.status == incident::Status::Open).count();
    let lead = format!(
        "Handover {}: {open} incidents are open, {unacked} of them acknowledged by nobody; {} were resolved since {}",
        scene.as_of(),
        recent.len() - open,
        when(from)
    );
    let mut answer = IntentAnswer::new(stated(lead));
    for one in &recent {
        let open = one.status != incident::Status::Resolved;
        let kind = if open { "incident.opened" } else { "incident.resolved" };
        let cited = scene.last_event(kind, &one.id).await?;
        let text = match (one.resolved_at, &one.resolution) {
            (Some(at), Some(how)) if !open => {
                format!("Over: {} \"{}\", resolved at {}: {how}", one.id, one.title, when(at))
            }
            (Some(at), None) if !open => format!("Over: {} \"{}\", resolved at {}", one.id, one.title, when(at)),
            _ => format!(
                "Open: {} \"{}\", severity {}, since {}, {} alerts fire",
                one.id,
                one.title,
                one.severity,
                when(one.opened_at),
                one.firing
            ),
        };
        answer.line(said([text], cited));
    }
    let silenced = scene.book.alerts.iter().filter(|alert| alert.suppressed_by.is_some()).count();
    if silenced > 0 {
        answer.line(stated(format!("{silenced} alerts are suppressed by silences")));
    }
    answer.missing.push("what people said outside of Hindcast is not known".to_owned());
    Ok(answer)
}

/// A status for people outside.
pub(super) fn stakeholders(scene: &AnswerScene<'_>, situation: &Situation) -> IntentAnswer {
    let one = &situation.incident;
    let services = hindcast_domain::text::listed(&one.services.iter().map(String::as_str).collect::<Vec<_>>(), 5);
    let lead = match (one.status, one.resolved_at) {
        (incident::Status::Resolved, Some(at)) => {
            format!("Resolved: from {} to {} there were errors on {services}", when(one.opened_at), when(at))
        }
        (incident::Status::Acknowledged, _) => {
            format!("We are working on errors on {services} since {}", when(one.opened_at))
        }
        _ => format!("There are errors on {services} since {}; nobody has acknowledged it yet", when(one.opened_at)),
    };
    let opened = situation.first(&["incident.opened", "incident.declared"]).map(evidence::about::cited);
    let ended = situation
        .last(&["incident.resolved"])
        .map(evidence::about::cited)
        .filter(|_| one.status == incident::Status::Resolved);
    let mut answer = IntentAnswer::new(said([lead], opened.into_iter().chain(ended)));
    match &one.cause {
        Some(cause) => answer.line(said(
            [format!("Cause, by a person: {cause}")],
            situation.last(&["incident.resolved"]).map(evidence::about::cited),
        )),
        None => {
            let known =
                situation.causes.as_ref().and_then(|causes| causes.items.first()).filter(|_| !situation.unresolved());
            answer.line(stated(known.map_or_else(
                || "The cause is not known yet".to_owned(),
                |first| format!("The likely cause lies with {}; it is not confirmed by a person", first.service),
            )));
        }
    }
    answer.line(super::incident::resolution(situation));
    answer.line(stated(format!("This draft is {}; read it before you send it", scene.as_of())));
    answer.missing.push("how many people were affected is not recorded".to_owned());
    answer
}

/// The draft is made elsewhere: the way to it, with what a reader wants first.
pub(super) fn postmortem(situation: &Situation) -> IntentAnswer {
    let id = &situation.incident.id;
    let mut answer =
        IntentAnswer::new(stated(format!("`hindcast postmortem {id}` drafts it, and so does the page of {id}")));
    let (cause, _) = told(evidence::conclusions::cause, situation);
    answer.line(super::incident::resolution(situation));
    answer.all(cause.into_iter().take(2));
    answer.all(lines(evidence::about::how_long, situation).into_iter().take(1));
    answer.shows.causes = true;
    answer
}
