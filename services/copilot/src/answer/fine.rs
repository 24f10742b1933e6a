//! Whether something is fine. It is never said that it is: what is seen and what is not is said, with what was looked at.

use hindcast_api::{Alert, Citation, Incident, Problem};
use hindcast_domain::text::listed;
use hindcast_domain::{alert, incident};
use hindcast_queries::{FindingFilter, ListPart};

use super::line::{AnswerLine, IntentAnswer, said, stated};
use super::scene::{AnswerScene, LATELY};
use crate::evidence::when;
use crate::understand::names::NamedKind;

/// Words by which a question asks whether something is wrong: "yes" then means trouble.
const WRONG: [&str; 38] = [
    "down",
    "broken",
    "slow",
    "full",
    "failing",
    "degraded",
    "affected",
    "trouble",
    "problem",
    "problems",
    "wrong",
    "issue",
    "issues",
    "errors",
    "exhausted",
    "hit",
    "dead",
    "out",
    "erroring",
    "sick",
    "unhealthy",
    "bad",
    "fail",
    "failed",
    "firing",
    "fire",
    "fired",
    "kaputt",
    "overloaded",
    "stuck",
    "hurt",
    "impacted",
    "unavailable",
    "offline",
    "unreachable",
    "active",
    "alerting",
    "broke",
];
/// Words by which it asks whether something is well: "no" then means trouble.
const WELL: [&str; 16] = [
    "ok",
    "okay",
    "fine",
    "healthy",
    "well",
    "good",
    "alright",
    "normal",
    "working",
    "recovered",
    "back",
    "safe",
    "happy",
    "stable",
    "green",
    "clean",
];
/// Alerts that are told.
const TOLD_MAX: usize = 4;
/// Findings that are read.
const FINDINGS_MAX: usize = 200;

/// What is seen of something.
struct SignsSeen<'a> {
    firing: Vec<&'a Alert>,
    over: Vec<&'a Alert>,
    open: Vec<&'a Incident>,
    findings: Vec<(String, Citation)>,
}

/// Whether something is fine.
pub(super) async fn fine(scene: &AnswerScene<'_>) -> Result<IntentAnswer, Problem> {
    let asks_for_trouble = scene.part.has(&WRONG) || !scene.part.topics.is_empty() && !scene.part.has(&WELL);
    let signs = signs(scene).await?;
    let subject = words(scene);
    if let Some(worst) = signs.firing.iter().copied().reduce(|a, b| if b.severity > a.severity { b } else { a }) {
        let is_polar = !matches!(scene.part.first(), "how" | "what" | "which" | "where");
        let yes = match (is_polar, asks_for_trouble) {
            (false, _) => "",
            (true, true) => "Yes: ",
            (true, false) => "No: ",
        };
        let mut answer = IntentAnswer::new(scene.alert_line(worst, yes).await?);
        for alert in signs.firing.iter().filter(|alert| alert.fingerprint != worst.fingerprint).take(TOLD_MAX) {
            answer.line(scene.alert_line(alert, "").await?);
        }
        if signs.firing.len() > TOLD_MAX + 1 {
            answer.line(stated(format!("{} alerts about {subject} fire {}", signs.firing.len(), scene.as_of())));
        }
        for one in &signs.open {
            answer.line(opened(scene, one).await?);
        }
        return Ok(answer);
    }
    let no = if asks_for_trouble { "No such sign is seen" } else { "No sign of trouble is seen" };
    let mut answer = IntentAnswer::new(stated(match others_fire(scene) {
        true => format!("No alert says so of {subject} {}, but others about it fire, see below", scene.as_of()),
        false => format!("{no} on {subject} {}: {}", scene.as_of(), scope(&signs)),
    }));
    for (text, cited) in signs.findings.iter().take(2) {
        answer.line(said([text.clone()], [cited.clone()]).of_event());
    }
    for one in signs.open.iter().take(2) {
        answer.line(opened(scene, one).await?);
    }
    elsewhere(scene, &mut answer).await?;
    if let Some(last) = signs.over.first() {
        answer.line(scene.alert_line(last, "Before: ").await?);
    }
    Ok(answer)
}

/// What is asked about, in words.
fn words(scene: &AnswerScene<'_>) -> String {
    // "Down" names a state and no part.
    let named = scene.part.topics.iter().map(|topic| topic.name.as_str());
    let topics: Vec<&str> = named.filter(|name| *name != "down" || scene.subject().is_none()).collect();
    match (scene.subject(), topics.is_empty()) {
        (Some(name), true) => name,
        (Some(name), false) => format!("the {} of {name}", listed(&topics, 3)),
        (None, false) => format!("the {}", listed(&topics, 3)),
        (None, true) => "anything".to_owned(),
    }
}

/// Whether alerts of other symptoms fire on what is named.
fn others_fire(scene: &AnswerScene<'_>) -> bool {
    let services = scene.services();
    let is_of = |alert: &Alert| alert.service.as_deref().is_some_and(|service| services.contains(&service));
    scene.book.alerts.iter().any(|alert| alert.status == alert::Status::Firing && is_of(alert))
}

/// What was looked at and not found.
fn scope(signs: &SignsSeen<'_>) -> String {
    let findings = if signs.findings.is_empty() { "no finding in the 15 minutes before" } else { "findings are below" };
    let open = if signs.open.is_empty() { "no open incident names it" } else { "an open incident names it, see below" };
    format!("no alert about it fires, {open}, {findings}. That does not prove that it is fine")
}

async fn signs<'a>(scene: &'a AnswerScene<'_>) -> Result<SignsSeen<'a>, Problem> {
    let mut over = scene.alerts(alert::Status::Resolved);
    over.sort_by_key(|alert| std::cmp::Reverse(alert.ends_at));
    let firing = scene.alerts(alert::Status::Firing);
    let services = scene.services();
    let is_open = |one: &&Incident| one.status != incident::Status::Resolved;
    let names = |one: &&Incident| {
        let by_service = services.iter().any(|service| one.services.iter().any(|of| of == service));
        let by_topic = !scene.part.topics.is_empty() && scene.speaks_of_topics(&one.title);
        let all = scene.part.names_nothing();
        all || if services.is_empty() { by_topic } else { by_service && scene.speaks_of_topics(&one.title) }
    };
    let open = scene.book.incidents.iter().filter(is_open).filter(names).collect();
    let mut findings = Vec::new();
    let named_alert = !scene.part.of(NamedKind::Alert).is_empty();
    if !named_alert && (!services.is_empty() || !scene.part.topics.is_empty()) {
        let filter = FindingFilter { since: Some(scene.now - LATELY), ..FindingFilter::default() };
        for found in scene.seen.findings(filter, ListPart::first(FINDINGS_MAX)).await?.items {
            let by_service = services.is_empty() || services.contains(&found.finding.service.as_str());
            if by_service && scene.speaks_of_topics(&found.finding.title) {
                let text = format!("A detector found at {}: {}", when(found.finding.at), found.finding.title);
                findings.push((text, Citation { event: found.event, position: found.position }));
            }
        }
    }
    Ok(SignsSeen { firing, over, open, findings })
}

async fn opened(scene: &AnswerScene<'_>, one: &Incident) -> Result<AnswerLine, Problem> {
    let opened = match scene.last_event("incident.opened", &one.id).await? {
        Some(found) => Some(found),
        None => scene.last_event("incident.declared", &one.id).await?,
    };
    Ok(said([format!("{} \"{}\" is open since {}", one.id, one.title, when(one.opened_at))], opened))
}

/// What fires on what it depends on, or on the same services about something else.
async fn elsewhere(scene: &AnswerScene<'_>, answer: &mut IntentAnswer) -> Result<(), Problem> {
    let services = scene.services();
    let below: Vec<&str> = scene
        .book
        .catalog
        .services
        .iter()
        .filter(|service| services.contains(&service.name.as_str()))
        .flat_map(|service| service.depends_on.iter().map(String::as_str))
        .collect();
    let firing = scene.book.alerts.iter().filter(|alert| alert.status == alert::Status::Firing);
    for alert in firing.take(50) {
        let Some(service) = alert.service.as_deref() else { continue };
        if services.contains(&service) {
            answer.line(scene.alert_line(alert, "Something else is: ").await?);
        } else if below.contains(&service) {
            answer.line(scene.alert_line(alert, "What it depends on: ").await?);
        }
    }
    Ok(())
}

/// Whether an incident is over.
pub(super) async fn over(scene: &AnswerScene<'_>, one: &Incident) -> Result<IntentAnswer, Problem> {
    let (id, title) = (&one.id, &one.title);
    if one.status == incident::Status::Resolved {
        let ended = scene.last_event("incident.resolved", id).await?;
        let at = one.resolved_at.map(|at| format!(" at {}", when(at))).unwrap_or_default();
        let mut answer = IntentAnswer::new(
            said([format!("Yes: {id} \"{title}\" was resolved{at}"), format!("Yes: it was resolved{at}")], ended)
                .of_event(),
        );
        if let Some(resolution) = &one.resolution {
            answer
                .line(said([format!("What ended it: {resolution}")], scene.last_event("incident.resolved", id).await?));
        }
        let firing = scene.alerts_of(id).into_iter().filter(|alert| alert.status == alert::Status::Firing).count();
        if firing > 0 {
            answer.line(stated(format!("{firing} of its alerts fire again {}", scene.as_of())));
        }
        return Ok(answer);
    }
    let since = when(one.opened_at);
    let lead = if one.firing > 0 {
        format!("No: {id} \"{title}\" is open since {since}, and {} of its alerts fire {}", one.firing, scene.as_of())
    } else {
        format!("Not yet: {id} \"{title}\" is open since {since}, though none of its alerts fires {}", scene.as_of())
    };
    let mut answer = IntentAnswer::new(stated(lead));
    for alert in scene.alerts_of(id).into_iter().filter(|alert| alert.status == alert::Status::Firing).take(TOLD_MAX) {
        answer.line(scene.alert_line(alert, "").await?);
    }
    Ok(answer)
}
