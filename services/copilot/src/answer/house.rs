//! Counts and lists over all alerts and incidents, what one alert says, and silences.

use std::collections::BTreeMap;

use hindcast_api::{Alert, Incident, Problem, Silence};
use hindcast_domain::silence::SilenceState;
use hindcast_domain::text::listed;
use hindcast_domain::{Severity, alert, incident};
use hindcast_queries::ListPart;

use super::line::{AnswerLine, IntentAnswer, said, stated};
use super::scene::{AnswerScene, cite};
use crate::evidence::when;
use crate::understand::names::NamedKind;
use crate::understand::part::AskedPart;

/// Things that are told.
const TOLD_MAX: usize = 5;
/// Words by which a question asks for what began.
const STARTED: [&str; 9] = ["started", "start", "began", "fired", "new", "came", "arrived", "triggered", "opened"];
/// Names in one line.
const NAMES_MAX: usize = 8;

/// The severity that a part names.
fn severity_asked(part: &AskedPart) -> Option<Severity> {
    let words = ["critical", "high", "medium", "low", "info"];
    words.iter().find(|word| part.has(&[word])).and_then(|word| word.parse().ok())
}

/// The incidents that a part asks for.
fn incidents<'a>(scene: &'a AnswerScene<'_>) -> (Vec<&'a Incident>, String) {
    let (part, services) = (scene.part, scene.services());
    let status = if part.has(&["open", "ongoing", "active", "unresolved", "current", "now"]) {
        Some("open")
    } else if part.has(&["resolved", "closed", "over", "solved"]) {
        Some("resolved")
    } else if part.has(&["acknowledged", "acked"]) {
        Some("acknowledged")
    } else {
        None
    };
    let severity = severity_asked(part);
    let fits = |one: &&Incident| {
        let by_status = match status {
            Some("open") => one.status != incident::Status::Resolved,
            Some("resolved") => one.status == incident::Status::Resolved,
            Some(_) => one.status == incident::Status::Acknowledged,
            None => true,
        };
        let by_service =
            services.is_empty() || services.iter().any(|service| one.services.iter().any(|of| of == service));
        let began = part.has(&STARTED);
        let by_time = scene.stretch.is_none_or(|(from, to)| {
            let until = if began { one.opened_at } else { one.resolved_at.unwrap_or(to) };
            one.opened_at <= to && until >= from
        });
        let by_topic = part.topics.is_empty() || scene.incident_speaks(one);
        by_status && by_service && by_time && by_topic && severity.is_none_or(|severity| one.severity == severity)
    };
    let mut words: Vec<String> = Vec::new();
    words.extend(severity.map(|severity| severity.to_string()));
    words.extend(status.map(ToOwned::to_owned));
    (scene.book.incidents.iter().filter(fits).collect(), words.join(" "))
}

/// Where and when things were counted, in words.
fn place(scene: &AnswerScene<'_>) -> String {
    let on = scene.subject().map(|name| format!(" about {name}")).unwrap_or_default();
    match scene.stretch {
        Some((from, to)) => format!("{on} from {} to {}", when(from), when(to)),
        None => format!("{on} {}", scene.as_of()),
    }
}

/// How many.
pub(super) async fn count(scene: &AnswerScene<'_>, one: Option<&Incident>) -> Result<IntentAnswer, Problem> {
    let part = scene.part;
    if part.has(&["most", "noisiest"]) {
        return Ok(most(scene));
    }
    if part.has(&["deploys", "deploy", "changes", "releases", "deployments"]) {
        let events = scene.events("intake.change").await?;
        let inside: Vec<_> = events
            .iter()
            .filter(|event| scene.stretch.is_none_or(|(from, to)| event.time >= from && event.time <= to))
            .collect();
        let lead = format!("{} changes are recorded{}", inside.len(), place(scene));
        let mut answer = IntentAnswer::new(said([lead], inside.iter().map(|event| cite(event))));
        answer.all(inside.iter().rev().map(|event| super::timeline::event_line(event)));
        return Ok(answer);
    }
    if part.has(&["times", "often"]) && (!part.of(NamedKind::Alert).is_empty() || !scene.services().is_empty()) {
        return fired_times(scene).await;
    }
    if part.has(&["services", "service"]) && !part.has(&["alerts", "incidents"]) {
        let firing: std::collections::BTreeSet<&str> = scene
            .book
            .alerts
            .iter()
            .filter(|alert| alert.status == alert::Status::Firing)
            .filter_map(|alert| alert.service.as_deref())
            .collect();
        let names: Vec<&str> = firing.iter().copied().collect();
        let all = scene.book.services.len();
        return Ok(IntentAnswer::new(stated(format!(
            "{} of {all} services have an alert that fires {}: {}",
            names.len(),
            scene.as_of(),
            or_none(&names)
        ))));
    }
    if part.has(&["alerts", "alert", "firing", "alarms"]) && !part.has(&["incidents"]) {
        return alerts(scene, one, true).await;
    }
    let (found, words) = incidents(scene);
    let words = if words.is_empty() { String::new() } else { format!("{words} ") };
    let plural = if found.len() == 1 { "incident" } else { "incidents" };
    let mut answer = IntentAnswer::new(stated(format!("{} {words}{plural}{}", found.len(), place(scene))));
    for one in found.iter().take(TOLD_MAX) {
        answer.line(incident_line(scene, one).await?);
    }
    Ok(answer)
}

fn or_none(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { listed(names, NAMES_MAX) }
}

/// How often an alert fired.
async fn fired_times(scene: &AnswerScene<'_>) -> Result<IntentAnswer, Problem> {
    let all: Vec<&Alert> = scene.book.alerts.iter().filter(|alert| scene.concerns(alert)).collect();
    let fired: u64 = all.iter().map(|alert| alert.fired).sum();
    let what = scene.subject().unwrap_or_else(|| "it".to_owned());
    let mut answer = IntentAnswer::new(stated(format!("{fired} times: {what} fired so often {}", scene.as_of())));
    for alert in all.iter().take(TOLD_MAX) {
        let cited = scene.last_event("alert.fired", &alert.fingerprint).await?;
        let on = alert.service.as_deref().map(|service| format!(" on {service}")).unwrap_or_default();
        answer.line(said(
            [
                format!("{}{on} fired {} times, last at {}", alert.name, alert.fired, when(alert.starts_at)),
                format!("{}{on} fired at {}", alert.name, when(alert.starts_at)),
            ],
            cited,
        ));
    }
    Ok(answer)
}

/// Services by incidents, or alerts by how often they fired, the largest first.
fn most(scene: &AnswerScene<'_>) -> IntentAnswer {
    let mut by: BTreeMap<String, u64> = BTreeMap::new();
    let of_service = scene.part.has(&["service", "services"]);
    if of_service && scene.part.has(&["incidents", "incident"]) {
        for one in &scene.book.incidents {
            one.services.iter().for_each(|service| *by.entry(service.clone()).or_default() += 1);
        }
    } else {
        for alert in &scene.book.alerts {
            let key = if of_service { alert.service.clone().unwrap_or_default() } else { alert.name.clone() };
            *by.entry(key).or_default() += alert.fired;
        }
    }
    let mut all: Vec<(u64, String)> = by.into_iter().map(|(name, count)| (count, name)).collect();
    all.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let mut lines = all.iter().map(|(count, name)| stated(format!("{name}: {count} {}", scene.as_of())));
    let mut answer = IntentAnswer::new(lines.next().unwrap_or_else(|| stated("Nothing is recorded")));
    answer.all(lines.take(4));
    answer
}

async fn incident_line(scene: &AnswerScene<'_>, one: &Incident) -> Result<AnswerLine, Problem> {
    let opened = scene.last_event("incident.opened", &one.id).await?;
    let ended = one.resolved_at.map(|at| format!(", resolved at {}", when(at))).unwrap_or_default();
    let text = format!("{} \"{}\", {}, opened at {}{ended}", one.id, one.title, one.severity, when(one.opened_at));
    let short = format!("{} \"{}\" was opened at {}", one.id, one.title, when(one.opened_at));
    let resolved = scene.last_event("incident.resolved", &one.id).await?.filter(|_| one.resolved_at.is_some());
    Ok(said([text, short], opened.into_iter().chain(resolved)))
}

/// Which alerts; how many where that is asked.
async fn alerts(scene: &AnswerScene<'_>, one: Option<&Incident>, counts: bool) -> Result<IntentAnswer, Problem> {
    let part = scene.part;
    let of_incident = one.filter(|_| part.has(&["incident", "it", "this"]) || !part.of(NamedKind::Incident).is_empty());
    let is_narrower = scene.stretch.is_some() || !part.topics.is_empty() || scene.subject().is_some();
    if let Some(one) = of_incident.filter(|_| !is_narrower && !part.has(&["firing", "fires", "active"])) {
        return super::members::of_incident(scene, one).await;
    }
    let past = part.has(&["fired", "were", "did", "all", "belong", "have"]) && !part.has(&["now", "firing", "active"])
        || scene.stretch.is_some();
    let severity = severity_asked(part);
    let began = part.has(&STARTED) && !part.has(&["firing", "active", "open"]) || part.says("started firing");
    let fits = |alert: &&Alert| {
        let firing = alert.status == alert::Status::Firing;
        // What began in a stretch is something else than what went on in it.
        let by_time = scene.stretch.is_none_or(|(from, to)| {
            let until = if began { alert.starts_at } else { alert.ends_at.unwrap_or(to) };
            alert.starts_at <= to && until >= from
        });
        let by_incident = of_incident.is_none_or(|one| alert.incident.as_deref() == Some(one.id.as_str()));
        (firing || past || of_incident.is_some())
            && by_time
            && by_incident
            && scene.concerns(alert)
            && severity.is_none_or(|severity| alert.severity == severity)
    };
    let found: Vec<&Alert> = scene.book.alerts.iter().filter(fits).collect();
    let firing = found.iter().filter(|alert| alert.status == alert::Status::Firing).count();
    let names: Vec<String> = found
        .iter()
        .map(|alert| {
            alert
                .service
                .as_deref()
                .map_or_else(|| alert.name.clone(), |service| format!("{} on {service}", alert.name))
        })
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let of = of_incident.map(|one| format!(" of {}", one.id)).unwrap_or_default();
    let sort = severity.map(|severity| format!("{severity} ")).unwrap_or_default();
    let lead = if found.is_empty() {
        let what = match (past, began) {
            (true, true) => "No alert that began",
            (true, false) => "No alert",
            (false, _) => "None: no alert that fires",
        };
        format!("{what}{of} is recorded{}", place(scene))
    } else if began && scene.stretch.is_some() {
        format!("{} {sort}alerts{of} began to fire{}: {}", found.len(), place(scene), listed(&names, NAMES_MAX))
    } else if past || of_incident.is_some() {
        format!(
            "{} {sort}alerts{of}, {firing} of them fire{}: {}",
            found.len(),
            place(scene),
            listed(&names, NAMES_MAX)
        )
    } else {
        format!("{} {sort}alerts{of} fire{}: {}", found.len(), place(scene), listed(&names, NAMES_MAX))
    };
    let mut answer = IntentAnswer::new(stated(lead));
    let told = if counts { 3 } else { TOLD_MAX };
    for alert in found.iter().take(told) {
        answer.line(scene.alert_line(alert, "").await?);
    }
    for alert in found.iter().skip(told).take(20) {
        let line = scene.alert_line(alert, "").await?;
        answer.fold(line);
    }
    Ok(answer)
}

/// Incidents, services or alerts, by what the words ask for.
pub(super) async fn list(scene: &AnswerScene<'_>, one: Option<&Incident>) -> Result<IntentAnswer, Problem> {
    let part = scene.part;
    let of_incidents = part.has(&["incidents", "incident", "outages", "open"])
        && !part.has(&["alerts", "firing", "fires", "fire", "fired"]);
    if of_incidents {
        let (found, words) = incidents(scene);
        let words = if words.is_empty() { String::new() } else { format!("{words} ") };
        let plural = if found.len() == 1 { "incident" } else { "incidents" };
        let ids: Vec<String> = found.iter().map(|one| format!("{} \"{}\"", one.id, one.title)).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let lead = match ids.is_empty() {
            true => format!("None: no {words}incident{}", place(scene)),
            false => format!("{} {words}{plural}{}: {}", found.len(), place(scene), listed(&ids, 4)),
        };
        let mut answer = IntentAnswer::new(stated(lead));
        for one in found.iter().take(TOLD_MAX) {
            answer.line(incident_line(scene, one).await?);
        }
        return Ok(answer);
    }
    if part.has(&["services"]) {
        let firing = |name: &&str| {
            scene
                .book
                .alerts
                .iter()
                .any(|alert| alert.status == alert::Status::Firing && alert.service.as_deref() == Some(*name))
        };
        let all: Vec<&str> = scene.book.services.iter().map(String::as_str).collect();
        let failing: Vec<&str> = all.iter().copied().filter(firing).collect();
        let lead = if part.has(&["down", "failing", "broken", "affected", "wrong"]) {
            format!("{} services have an alert that fires {}: {}", failing.len(), scene.as_of(), or_none(&failing))
        } else {
            format!("{} services are known {}: {}", all.len(), scene.as_of(), listed(&all, 20))
        };
        return Ok(IntentAnswer::new(stated(lead)));
    }
    alerts(scene, one, false).await
}

/// What one alert says.
pub(super) async fn alert_detail(scene: &AnswerScene<'_>) -> Result<IntentAnswer, Problem> {
    let found: Vec<&Alert> = scene.book.alerts.iter().filter(|alert| scene.concerns(alert)).collect();
    let Some(first) = found.first() else {
        return Ok(IntentAnswer::new(stated(format!("No such alert is recorded {}", scene.as_of()))));
    };
    let fired = scene.last_event("alert.fired", &first.fingerprint).await?;
    let says = ["description", "summary"].iter().filter_map(|key| first.annotations.get(*key)).next();
    let on = first.service.as_deref().map(|service| format!(" on {service}")).unwrap_or_default();
    let lead = match says {
        Some(text) => format!("{}{on} says: \"{text}\"", first.name),
        None => format!("{}{on}, severity {}: its sender gave no description", first.name, first.severity),
    };
    let mut answer = IntentAnswer::new(said([lead], fired.clone()));
    answer.line(scene.alert_line(first, "").await?);
    if let Some(id) = &first.incident {
        answer.line(stated(format!("It is in {id}; it came {} times from {}", first.occurrences, first.source)));
    }
    for alert in found.iter().skip(1).take(2) {
        answer.line(scene.alert_line(alert, "Also: ").await?);
    }
    let labels: Vec<String> = first.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let labels = stated(format!("Labels: {}", labels.join(", ")));
    if scene.part.has(&["labels", "label"]) {
        answer.line(labels)
    } else {
        answer.fold(labels)
    }
    Ok(answer)
}

/// Silences and maintenance windows.
pub(super) async fn silences(scene: &AnswerScene<'_>, one: Option<&Incident>) -> Result<IntentAnswer, Problem> {
    if scene.part.has(&["snoozed", "snooze"])
        && let Some(one) = one
    {
        return Ok(IntentAnswer::new(stated(match one.snoozed_until {
            Some(until) => format!("Yes: {} is snoozed until {}", one.id, when(until)),
            None => format!("No: {} is not snoozed {}", one.id, scene.as_of()),
        })));
    }
    let all = scene.seen.silences(ListPart::first(200)).await?.items;
    let services = scene.services();
    let names = scene.part.of(NamedKind::Alert);
    let concerns = |one: &&Silence| {
        let matched = |alert: &&Alert| one.terms.matchers.iter().all(|matcher| matcher.matches(&alert.labels));
        names.is_empty() && services.is_empty()
            || scene.book.alerts.iter().filter(|alert| scene.concerns(alert)).any(|alert| matched(&alert))
    };
    let held: Vec<&Alert> =
        scene.book.alerts.iter().filter(|alert| alert.suppressed_by.is_some() && scene.concerns(alert)).collect();
    let active: Vec<&Silence> =
        all.iter().filter(|one| matches!(one.state, SilenceState::Active)).filter(concerns).collect();
    let what = scene.subject().map(|name| format!(" on {name}")).unwrap_or_default();
    let lead = if active.is_empty() {
        format!("No: no silence and no maintenance window{what} is active {}", scene.as_of())
    } else {
        format!(
            "{} silences or windows{what} are active {}, holding {} alerts",
            active.len(),
            scene.as_of(),
            held.len()
        )
    };
    let mut answer = IntentAnswer::new(stated(lead));
    for one in active.iter().take(TOLD_MAX) {
        answer.line(silence_line(one));
    }
    let others = all.iter().filter(|one| !matches!(one.state, SilenceState::Active)).filter(concerns);
    others.take(3).for_each(|one| answer.line(silence_line(one)));
    Ok(answer)
}

fn silence_line(one: &Silence) -> AnswerLine {
    let matchers: Vec<String> = one.terms.matchers.iter().map(ToString::to_string).collect();
    let state = match one.state {
        SilenceState::Pending => "begins later",
        SilenceState::Active => "is active",
        SilenceState::Expired => "is over",
    };
    stated(format!(
        "{} {state}: {} by {} from {} until {}",
        one.id,
        matchers.join(", "),
        one.terms.created_by,
        when(one.terms.starts_at),
        when(one.terms.ends_at)
    ))
}
