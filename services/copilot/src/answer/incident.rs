//! How an incident stands: its state, its severity, when it began and ended, what happened when, who has it.

use hindcast_api::{Alert, Citation, Incident, Problem};
use hindcast_domain::text::listed;
use hindcast_domain::{alert, incident};

use super::line::{AnswerLine, IntentAnswer, said, stated};
use super::scene::AnswerScene;
use super::told::{lines, told};
use crate::evidence::{self, when};
use crate::situation::Situation;
use crate::understand::names::NamedKind;

const OPENED: &[&str] = &["incident.opened", "incident.declared"];
const ENDED: &[&str] = &["incident.resolved", "incident.merged"];
/// Incidents that are named in one line.
const NAMED_MAX: usize = 4;

/// How an incident, or everything, stands.
pub(super) fn state(scene: &AnswerScene<'_>, situation: &Situation) -> IntentAnswer {
    let one = &situation.incident;
    let open: Vec<&Incident> =
        scene.book.incidents.iter().filter(|one| one.status != incident::Status::Resolved).collect();
    // The title and the severity may be those of an alert that joined later.
    let joined = situation.symptoms.iter().filter_map(|symptom| symptom.joined.clone());
    let cited = situation.first(OPENED).map(evidence::about::cited).into_iter().chain(joined);
    let what = format!("{} \"{}\"", one.id, one.title);
    let standing = match (one.status, one.resolved_at) {
        (incident::Status::Resolved, Some(at)) => format!("{what} is resolved since {}", when(at)),
        (status, _) => format!("{what} is {}, severity {}, since {}", word(status), one.severity, when(one.opened_at)),
    };
    let general = scene.part.names_nothing();
    let lead = match (open.len(), one.status) {
        (0, incident::Status::Resolved) if general => {
            stated(format!("No incident is open {}; the last one, {standing}", scene.as_of()))
        }
        (2.., _) if general => {
            stated(format!("{} incidents are open {}; the worst: {standing}", open.len(), scene.as_of()))
        }
        _ if one.status == incident::Status::Resolved => {
            let ended = one.resolved_at.map(|at| format!("{what} was resolved at {}", when(at)));
            said(std::iter::once(standing).chain(ended), situation.end().map(evidence::about::cited))
        }
        _ => {
            let at = when(one.opened_at);
            let short = format!("{} is {}, severity {}, since {at}", one.id, word(one.status), one.severity);
            said([standing, short, format!("{} was opened at {at}", one.id)], cited)
        }
    };
    let mut answer = IntentAnswer::new(lead);
    let (cause, missing) = told(evidence::conclusions::cause, situation);
    answer.line(cause.into_iter().next());
    answer.missing.extend(missing);
    answer.line(firing(scene, one));
    answer.all(lines(evidence::conclusions::blast, situation).into_iter().take(1));
    if one.status == incident::Status::Resolved {
        answer.line(resolution(situation));
    } else {
        answer.all(lines(evidence::about::who, situation).into_iter().take(1));
    }
    if general && open.len() > 1 {
        let others: Vec<String> = open
            .iter()
            .filter(|other| other.id != one.id)
            .take(NAMED_MAX)
            .map(|one| format!("{} \"{}\"", one.id, one.title))
            .collect();
        answer.line(stated(format!("Also open: {}", others.join(", "))));
    }
    lines(evidence::about::going, situation).into_iter().for_each(|line| answer.fold(line));
    answer.shows.causes = true;
    answer.shows.proposals = true;
    answer.shows.similar = true;
    answer
}

/// The word for a status.
pub(super) const fn word(status: incident::Status) -> &'static str {
    match status {
        incident::Status::Open => "open",
        incident::Status::Acknowledged => "acknowledged",
        incident::Status::Resolved => "resolved",
    }
}

/// Which of its alerts fire.
fn firing(scene: &AnswerScene<'_>, one: &Incident) -> Option<AnswerLine> {
    let firing: Vec<&Alert> =
        scene.alerts_of(&one.id).into_iter().filter(|alert| alert.status == alert::Status::Firing).collect();
    let mut names: Vec<&str> = firing.iter().map(|alert| alert.name.as_str()).collect();
    names.dedup();
    (!firing.is_empty()).then(|| {
        stated(format!("{} of its {} alerts fire {}: {}", firing.len(), one.alerts, scene.as_of(), listed(&names, 6)))
    })
}

/// What ended it, in a person's words.
pub(super) fn resolution(situation: &Situation) -> Option<AnswerLine> {
    let resolution = situation.incident.resolution.as_ref()?;
    let cited = situation.last(&["incident.resolved"]).map(evidence::about::cited);
    Some(said([format!("What ended it: {resolution}")], cited).of_event())
}

/// How bad it is.
pub(super) fn severity(situation: &Situation) -> IntentAnswer {
    let one = &situation.incident;
    let worst = situation.symptoms.iter().reduce(|a, b| if b.alert.severity > a.alert.severity { b } else { a });
    let cited = worst.map(|symptom| symptom.fired.clone());
    let peak = if one.peak_severity == one.severity {
        "it was never worse".to_owned()
    } else {
        format!("at its worst it was {}", one.peak_severity)
    };
    let mut answer = IntentAnswer::new(said(
        [
            format!("{} \"{}\" has severity {}; {peak}", one.id, one.title, one.severity),
            format!("Severity {}; {peak}", one.severity),
        ],
        cited,
    ));
    if let Some(worst) = worst {
        let on = worst.alert.service.as_deref().map(|service| format!(" on {service}")).unwrap_or_default();
        let text = format!("{}{on} fired at severity {}", worst.alert.name, worst.alert.severity);
        answer.line(said([text], [worst.fired.clone()]).of_event());
        if let Some(summary) = worst.alert.annotations.get("description").or(worst.alert.annotations.get("summary")) {
            answer.line(said([format!("The alert says: \"{summary}\"")], [worst.fired.clone()]));
        }
    }
    answer.all(lines(evidence::conclusions::blast, situation).into_iter().take(1));
    answer
}

/// An alert that a part names, with the event by which it fired.
struct AskedAlert<'a> {
    alert: &'a Alert,
    fired: Option<Citation>,
}

/// The alerts that a part names, oldest first: as they were in the incident that is asked about, where they are of it.
async fn named_alerts<'a>(
    scene: &'a AnswerScene<'_>,
    situation: Option<&'a Situation>,
) -> Result<Vec<AskedAlert<'a>>, Problem> {
    let named =
        !scene.part.of(NamedKind::Alert).is_empty() || !scene.services().is_empty() || !scene.part.topics.is_empty();
    if !named {
        return Ok(Vec::new());
    }
    let own = situation.into_iter().flat_map(|situation| &situation.symptoms);
    let mut all: Vec<AskedAlert<'_>> = own
        .filter(|symptom| scene.concerns(&symptom.alert))
        .map(|symptom| AskedAlert { alert: &symptom.alert, fired: Some(symptom.fired.clone()) })
        .collect();
    if all.is_empty() {
        for alert in scene.book.alerts.iter().filter(|alert| scene.concerns(alert)) {
            let fired = scene.last_event("alert.fired", &alert.fingerprint).await?;
            all.push(AskedAlert { alert, fired });
        }
    }
    all.sort_by_key(|one| one.alert.starts_at);
    Ok(all)
}

/// When it began.
pub(super) async fn since(scene: &AnswerScene<'_>, situation: Option<&Situation>) -> Result<IntentAnswer, Problem> {
    let named = named_alerts(scene, situation).await?;
    if let Some(AskedAlert { alert: first, fired }) = named.first() {
        let began = when(first.starts_at);
        let on = first.service.as_deref().map(|service| format!(" on {service}")).unwrap_or_default();
        let texts =
            [format!("Since {began}: {}{on} fired", first.name), format!("{}{on} fired at {began}", first.name)];
        let mut answer = IntentAnswer::new(said(texts, fired.clone()).of_event());
        answer.all(named.iter().skip(1).take(3).map(|AskedAlert { alert, fired }| {
            let on = alert.service.as_deref().map(|service| format!(" on {service}")).unwrap_or_default();
            said([format!("{}{on} fired at {}", alert.name, when(alert.starts_at))], fired.clone()).of_event()
        }));
        return Ok(answer);
    }
    let Some(situation) = situation else { return Ok(super::help::no_incident(scene)) };
    let one = &situation.incident;
    let mut answer = IntentAnswer::new(match situation.symptoms.first() {
        Some(first) => {
            let on = first.alert.service.as_deref().map(|service| format!(" on {service}")).unwrap_or_default();
            let began = when(first.alert.starts_at);
            said(
                [
                    format!("It began at {began}: {}{on} fired", first.alert.name),
                    format!("{}{on} fired at {began}", first.alert.name),
                ],
                [first.fired.clone()],
            )
        }
        None => stated(format!("It began at {}", when(one.started_at))),
    });
    if let Some(opened) = situation.first(OPENED) {
        answer.line(said(
            [format!("{} \"{}\" was opened at {}", one.id, one.title, when(opened.time))],
            [evidence::about::cited(opened)],
        ));
    }
    let before = situation.findings.iter().find(|found| found.finding.at < one.started_at);
    if let Some(found) = before {
        let cited = hindcast_api::Citation { event: found.event.clone(), position: found.position };
        answer.line(said(
            [format!("The first sign in telemetry, at {}: {}", when(found.finding.at), found.finding.title)],
            [cited],
        ));
    }
    Ok(answer)
}

/// The end of what is named, else of the incident; one that still fires has none.
pub(super) async fn ended(scene: &AnswerScene<'_>, situation: Option<&Situation>) -> Result<IntentAnswer, Problem> {
    let named: Vec<&Alert> = named_alerts(scene, situation).await?.iter().map(|one| one.alert).collect();
    if let Some(last) = named.iter().max_by_key(|alert| alert.ends_at) {
        let firing: Vec<&&Alert> = named.iter().filter(|alert| alert.status == alert::Status::Firing).collect();
        if let Some(still) = firing.first() {
            return Ok(IntentAnswer::new(scene.alert_line(still, "It has not ended: ").await?));
        }
        if let Some(at) = last.ends_at {
            let cited = scene.last_event("alert.resolved", &last.fingerprint).await?;
            let text = format!("At {}: {} was resolved", when(at), last.name);
            return Ok(IntentAnswer::new(said([text], cited).of_event()));
        }
    }
    let Some(situation) = situation else { return Ok(super::help::no_incident(scene)) };
    let one = &situation.incident;
    match (one.status, situation.last(ENDED)) {
        (incident::Status::Resolved, Some(entry)) => {
            let at = one.resolved_at.unwrap_or(entry.time);
            let mut answer = IntentAnswer::new(
                said(
                    [
                        format!("It ended at {}: {} \"{}\" was resolved", when(at), one.id, one.title),
                        format!("It ended at {}", when(at)),
                    ],
                    [evidence::about::cited(entry)],
                )
                .of_event(),
            );
            answer.line(resolution(situation));
            Ok(answer)
        }
        _ => {
            let lead =
                format!("It has not ended {}: {} \"{}\" is {}", scene.as_of(), one.id, one.title, word(one.status));
            Ok(IntentAnswer::new(stated(lead)))
        }
    }
}

/// The length of what is named, else of the incident, else until somebody acknowledged it.
pub(super) async fn how_long(scene: &AnswerScene<'_>, situation: Option<&Situation>) -> Result<IntentAnswer, Problem> {
    let to_acknowledge = scene.part.has(&["acknowledge", "acknowledged", "ack", "acked", "react"]);
    let all = named_alerts(scene, situation).await?;
    let named: Vec<&Alert> = all.iter().map(|one| one.alert).collect();
    if let (Some(first), false) = (named.first(), to_acknowledge) {
        let still = named.iter().any(|alert| alert.status == alert::Status::Firing);
        let end = if still { None } else { named.iter().filter_map(|alert| alert.ends_at).max() };
        let length = end.unwrap_or(scene.now).since(first.starts_at);
        let fired = all.first().and_then(|one| one.fired.clone());
        let on = first.service.as_deref().map(|service| format!(" on {service}")).unwrap_or_default();
        let text = match end {
            Some(end) => format!("{length}: from {} to {}, by {}{on}", when(first.starts_at), when(end), first.name),
            None => format!("{length} so far: {}{on} fires since {}", first.name, when(first.starts_at)),
        };
        return Ok(IntentAnswer::new(said([text], fired)));
    }
    let Some(situation) = situation else { return Ok(super::help::no_incident(scene)) };
    let one = &situation.incident;
    if to_acknowledge {
        let Some(entry) = situation.last(&["incident.acknowledged"]) else {
            return Ok(IntentAnswer::new(stated(format!("Nobody acknowledged it {}", scene.as_of()))));
        };
        let opened = situation.first(OPENED).map(evidence::about::cited);
        let text = format!("{}, from {} to {}", entry.time.since(one.opened_at), when(one.opened_at), when(entry.time));
        return Ok(IntentAnswer::new(said([text], opened.into_iter().chain([evidence::about::cited(entry)]))));
    }
    let opened = situation.first(OPENED).map(evidence::about::cited);
    let lead = match (one.status, one.resolved_at) {
        (incident::Status::Resolved, Some(end)) => {
            let length = end.since(one.opened_at);
            let ended = situation.end().map(evidence::about::cited);
            said(
                [format!("It lasted {length}, from {} to {}", when(one.opened_at), when(end))],
                opened.into_iter().chain(ended),
            )
            .asserting(evidence::about::lasted(&one.id, one.opened_at, end))
        }
        _ => {
            let length = scene.now.since(one.opened_at);
            said([format!("{length} so far: it has been open since {}", when(one.opened_at))], opened)
        }
    };
    let mut answer = IntentAnswer::new(lead);
    answer.line(said(
        [format!("That is {} \"{}\"", one.id, one.title)],
        situation.first(OPENED).map(evidence::about::cited),
    ));
    answer.line(resolution(situation));
    Ok(answer)
}

/// Who acknowledged it, has it, resolved it.
pub(super) fn who(scene: &AnswerScene<'_>, situation: &Situation) -> IntentAnswer {
    let one = &situation.incident;
    let (said_of, missing) = told(evidence::about::who, situation);
    let ended = scene.part.has(&["resolved", "resolve", "closed", "fixed", "ended", "solved"]);
    if ended {
        let lead = match situation.last(ENDED) {
            Some(entry) if entry.actor != "system" => {
                said([format!("{} resolved it at {}", entry.actor, when(entry.time))], [evidence::about::cited(entry)])
                    .of_event()
            }
            Some(entry) => said(
                [
                    format!("Nobody: it was resolved by itself at {}, when its alerts had cleared", when(entry.time)),
                    format!("It was resolved at {}", when(entry.time)),
                ],
                [evidence::about::cited(entry)],
            )
            .of_event(),
            None => stated(format!("It is not resolved {}", scene.as_of())),
        };
        let mut answer = IntentAnswer::new(lead);
        answer.line(resolution(situation));
        return answer;
    }
    let mut said_of = said_of.into_iter();
    let acknowledged = one.acknowledged_at.is_some();
    let polar = matches!(scene.part.first(), "is" | "has" | "did" | "was");
    let lead = if acknowledged || one.owner.is_some() {
        said_of.next()
    } else if polar {
        Some(stated(format!("No: nobody has acknowledged {} \"{}\" {}", one.id, one.title, scene.as_of())))
    } else {
        Some(stated(format!(
            "Nobody: {} \"{}\" is not acknowledged and not assigned {}",
            one.id,
            one.title,
            scene.as_of()
        )))
    };
    let mut answer = IntentAnswer::new(lead.unwrap_or_else(|| stated("Not recorded")));
    answer.all(said_of);
    if acknowledged || one.owner.is_some() {
        answer.missing.extend(missing);
    } else {
        answer.missing.extend(missing.into_iter().filter(|text| text.contains("nobody")));
    }
    answer
}
