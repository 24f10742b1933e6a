//! What happened when: of an incident, or in a stretch of time.

use hindcast_api::{Event, Problem};
use hindcast_domain::{Span, Time};
use hindcast_queries::{EventFilter, ListPart};

use super::line::{AnswerLine, IntentAnswer, said, stated};
use super::scene::{AnswerScene, cite};
use crate::evidence::{self, when};
use crate::situation::Situation;

/// Types of events that happened to something: not what was merely repeated, delivered or configured.
const HAPPENED: [&str; 14] = [
    "alert.fired",
    "alert.resolved",
    "incident.opened",
    "incident.declared",
    "incident.acknowledged",
    "incident.resolved",
    "incident.reopened",
    "incident.merged",
    "incident.split",
    "incident.assigned",
    "intake.change",
    "notice.delivered",
    "silence.created",
    "finding.raised",
];
/// How long before a moment it is told what happened, where no stretch is named.
const BEFORE: Span = Span::minutes(10);
/// Events that are read.
const READ_MAX: usize = 500;

/// What happened.
pub(super) async fn timeline(scene: &AnswerScene<'_>, situation: Option<&Situation>) -> Result<IntentAnswer, Problem> {
    if scene.part.has(&["first"])
        && let Some(situation) = situation
    {
        return Ok(first(situation));
    }
    if let Some(stretch) = scene.stretch {
        return within(scene, stretch).await;
    }
    match situation {
        Some(situation) if scene.seen.is_now() || scene.part.has(&["timeline", "unfold"]) => {
            Ok(of_incident(scene, situation))
        }
        _ => within(scene, (scene.now - BEFORE, scene.now)).await,
    }
}

fn first(situation: &Situation) -> IntentAnswer {
    let mut all = situation.symptoms.iter().map(|symptom| {
        let on = symptom.alert.service.as_deref().map(|service| format!(" on {service}")).unwrap_or_default();
        let at = when(symptom.alert.starts_at);
        (format!("{}{on}, at {at}", symptom.alert.name), symptom.fired.clone())
    });
    let Some((text, cited)) = all.next() else { return IntentAnswer::new(stated("No alert of it is recorded")) };
    let mut answer = IntentAnswer::new(said([format!("First: {text}")], [cited]).of_event());
    answer.all(all.map(|(text, cited)| said([format!("Then: {text}")], [cited]).of_event()));
    answer
}

fn of_incident(scene: &AnswerScene<'_>, situation: &Situation) -> IntentAnswer {
    let one = &situation.incident;
    let told: Vec<_> =
        situation.timeline.iter().filter(|entry| HAPPENED.contains(&entry.event_type.as_str())).collect();
    let line = |entry: &&hindcast_api::TimelineEntry| {
        let time = when(entry.time);
        let short = entry.text.rsplit_once(": ").map_or(entry.text.as_str(), |(short, _)| short);
        said([format!("{time}: {}", entry.text), format!("{time}: {short}")], [evidence::about::cited(entry)])
            .of_event()
    };
    let latest = scene.part.has(&["last", "latest", "new", "news", "update", "updates"]);
    if latest && let Some(last) = told.last() {
        let mut answer = IntentAnswer::new(line(last));
        answer.all(told.iter().rev().skip(1).take(4).map(line));
        return answer;
    }
    let span = match (told.first(), told.last()) {
        (Some(first), Some(last)) => format!("{} lines from {} to {}", told.len(), when(first.time), when(last.time)),
        _ => "nothing is recorded".to_owned(),
    };
    let mut answer = IntentAnswer::new(stated(format!("{} \"{}\": {span}", one.id, one.title)));
    // How it began and how it stands; what lies between is folded.
    let key = [
        "incident.opened",
        "incident.declared",
        "incident.acknowledged",
        "incident.resolved",
        "incident.reopened",
        "intake.change",
    ];
    let mut shown: Vec<_> = told.iter().filter(|entry| key.contains(&entry.event_type.as_str())).take(5).collect();
    if shown.len() < 5 {
        shown.extend(told.iter().filter(|entry| entry.event_type == "alert.fired").take(5 - shown.len()));
    }
    shown.sort_by_key(|entry| (entry.time, entry.position));
    answer.all(shown.iter().map(|entry| line(entry)));
    told.iter().for_each(|entry| answer.fold(line(entry)));
    answer
}

/// What happened in a stretch, by when it was recorded.
async fn within(scene: &AnswerScene<'_>, (from, to): (Time, Time)) -> Result<IntentAnswer, Problem> {
    let events = recorded(scene, from).await?;
    let inside: Vec<&Event> = events
        .iter()
        .filter(|event| event.time >= from && event.time <= to && HAPPENED.contains(&event.event_type.as_str()))
        .filter(|event| event.event_type != "finding.raised")
        .collect();
    let stretch = format!("from {} to {}", when(from), when(to));
    if inside.is_empty() {
        return Ok(IntentAnswer::new(stated(format!(
            "Nothing is recorded {stretch}: no alert began or ended, no incident, no change, no notice"
        ))));
    }
    let mut answer = IntentAnswer::new(stated(format!("{} things happened {stretch}", inside.len())));
    // The weightiest first, then told in their order.
    let weight = |event: &&&Event| match event.event_type.as_str() {
        "incident.opened" | "incident.declared" | "incident.resolved" | "intake.change" | "incident.acknowledged" => 0,
        "alert.fired" => 1,
        _ => 2,
    };
    let mut shown: Vec<&&Event> = inside.iter().collect();
    shown.sort_by_key(|event| (weight(event), event.position));
    shown.truncate(5);
    shown.sort_by_key(|event| event.position);
    answer.all(shown.iter().map(|event| event_line(event)));
    inside.iter().for_each(|event| answer.fold(event_line(event)));
    Ok(answer)
}

async fn recorded(scene: &AnswerScene<'_>, from: Time) -> Result<Vec<Event>, Problem> {
    let begin = scene.seen.earlier(hindcast_api::AsOf::Time(from)).await?.position();
    let mut found = Vec::new();
    for kind in ["alert.fired", "alert.resolved", "incident", "intake.change", "notice.delivered", "silence.created"] {
        let filter = EventFilter { kind: Some(kind.to_owned()), from: Some(begin), ..EventFilter::default() };
        found.extend(scene.seen.events(filter, ListPart::first(READ_MAX)).await?.items);
    }
    found.sort_by_key(|event| event.position);
    Ok(found)
}

/// An event in words.
pub(super) fn event_line(event: &Event) -> AnswerLine {
    let text = |name: &str| event.data.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    let on = match text("service") {
        service if service.is_empty() => String::new(),
        service => format!(" on {service}"),
    };
    let (at, subject) = (when(event.time), &event.subject);
    let what = match event.event_type.as_str() {
        "alert.fired" => format!("{}{on} fired", text("name")),
        "alert.resolved" => format!("the alert {subject} was resolved"),
        "incident.opened" | "incident.declared" => format!("{subject} \"{}\" was opened", text("title")),
        "incident.acknowledged" => format!("{subject} was acknowledged by {}", event.actor),
        "incident.resolved" => format!("{subject} was resolved"),
        "incident.reopened" => format!("{subject} was reopened"),
        "incident.merged" => format!("{subject} was merged"),
        "incident.assigned" => format!("{subject} was assigned"),
        "intake.change" => {
            let version = match text("version") {
                version if version.is_empty() => String::new(),
                version => format!(" to {version}"),
            };
            format!("{} of {}{version}: \"{}\"", text("kind"), text("service"), text("title"))
        }
        "notice.delivered" => format!("the notice {subject} was delivered"),
        _ => format!("{} {subject}", event.event_type),
    };
    said([format!("{at}: {what}"), format!("{at}: {}", event.event_type)], [cite(event)]).of_event()
}
