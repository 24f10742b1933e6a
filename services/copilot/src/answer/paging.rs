//! Who was notified, why somebody was, and why nobody was.

use hindcast_api::{Alert, Citation, Incident, Notice, Problem, TimelineEntry};
use hindcast_domain::{notice, text};
use hindcast_queries::{ListPart, NoticeFilter};

use super::line::{AnswerLine, IntentAnswer, said, stated};
use super::scene::AnswerScene;
use crate::evidence::when;
use crate::understand::names::NamedKind;

/// Notices that are read.
const READ_MAX: usize = 500;

fn cited(one: &Notice) -> [Citation; 1] {
    [Citation { event: one.event.clone(), position: one.position }]
}

/// What kind of message it is.
const fn sort(one: &Notice) -> &'static str {
    if one.page { "page" } else { "notification" }
}

/// A notice and what became of it.
fn line(one: &Notice, why: Option<&str>) -> AnswerLine {
    let to = one.receiver.as_deref().map(|receiver| format!(" to {receiver}")).unwrap_or_default();
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    let held = one.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    let text = match (one.status, one.delivered_at) {
        (notice::Status::Delivered, Some(at)) => format!("A {}{to} was delivered at {}{why}", sort(one), when(at)),
        (notice::Status::Held, _) => format!("A {}{to} is held until {}{held}", sort(one), when(one.until)),
        (notice::Status::Released, _) => format!("A {}{to} was held at {}, which ended{held}", sort(one), when(one.at)),
        (notice::Status::Expired, _) => {
            format!("A {}{to} of {} was given up after {} attempts", sort(one), when(one.at), one.attempts)
        }
        (_, _) => format!("A {}{to} was requested at {}{why}", sort(one), when(one.at)),
    };
    said([text], cited(one))
}

/// Why a notice was sent, in the words of the timeline.
fn reason<'a>(one: &Notice, timeline: &'a [TimelineEntry]) -> Option<&'a str> {
    let entry = timeline.iter().find(|entry| entry.event == one.event)?;
    entry.text.split_once(": ").map(|(_, why)| why)
}

async fn notices(scene: &AnswerScene<'_>, one: &Incident) -> Result<(Vec<Notice>, Vec<TimelineEntry>), Problem> {
    let filter = NoticeFilter { incident: Some(one.id.clone()), ..NoticeFilter::default() };
    let mut all = scene.seen.notices(filter, ListPart::first(READ_MAX)).await?.items;
    all.sort_by_key(|notice| notice.position);
    let timeline = scene.seen.timeline(&one.id, ListPart::first(READ_MAX)).await?.items;
    Ok((all, timeline))
}

/// Who was notified of an incident, and when.
pub(super) async fn notified(scene: &AnswerScene<'_>, one: &Incident) -> Result<IntentAnswer, Problem> {
    let (all, timeline) = notices(scene, one).await?;
    let pages_only = scene.part.has(&["page", "paged", "pages", "paging", "woken", "woke"]);
    let told: Vec<&Notice> = all.iter().filter(|one| !pages_only || one.page).collect();
    let pages = all.iter().filter(|one| one.page).count();
    let people: Vec<&str> = scene.part.of(NamedKind::Person);
    let receivers: std::collections::BTreeSet<&str> = told.iter().filter_map(|one| one.receiver.as_deref()).collect();
    let receivers: Vec<&str> = receivers.into_iter().collect();
    let polar = matches!(scene.part.first(), "did" | "was" | "were" | "has" | "is" | "do");
    let id = format!("{} \"{}\"", one.id, one.title);
    let Some(first) = told.first() else {
        let none =
            if all.is_empty() { "no notice".to_owned() } else { format!("no page, only {} notifications", all.len()) };
        let no = if polar { "No: " } else { "Nobody: " };
        let mut answer = IntentAnswer::new(stated(format!("{no}{none} of {id} is recorded {}", scene.as_of())));
        answer.all(all.iter().map(|one| line(one, reason(one, &timeline))));
        return Ok(answer);
    };
    let asks_when = scene.part.first() == "when"
        || ["what time", "how fast", "how quickly", "how soon"].iter().any(|phrase| scene.part.says(phrase));
    let counts = scene.part.says("how many") || scene.part.says("how often");
    let what = if pages_only {
        text::count(pages as u64, "page")
    } else {
        format!("{}, {pages} of them pages,", text::count(all.len() as u64, "notice"))
    };
    let lead = match (counts, polar, people.first()) {
        (_, _, Some(person)) if !receivers.contains(person) => {
            stated(format!("Not recorded: receivers are recorded, not people; {id} went to {}", receivers.join(", ")))
        }
        _ if asks_when => said(
            [format!("At {}: the first {} for {id} went to {}", when(first.at), sort(first), receivers.join(", "))],
            cited(first),
        ),
        (true, _, _) => said(
            [format!("{what} went out for {id}, to {}", receivers.join(", "))],
            told.iter().flat_map(|one| cited(one)),
        ),
        (_, true, _) => said(
            [format!("Yes: {what} went to {}, the first at {}", receivers.join(", "), when(first.at))],
            cited(first),
        ),
        _ => stated(format!("{}: {what} went there for {id}", receivers.join(", "))),
    };
    let mut answer = IntentAnswer::new(lead);
    answer.all(told.iter().map(|one| line(one, reason(one, &timeline))));
    Ok(answer)
}

/// Why somebody was notified.
pub(super) async fn why(scene: &AnswerScene<'_>, one: &Incident) -> Result<IntentAnswer, Problem> {
    let (all, timeline) = notices(scene, one).await?;
    let alerts = scene.part.of(NamedKind::Alert);
    let names = |notice: &&&Notice| alerts.iter().any(|name| notice.title.contains(name));
    let pages: Vec<&Notice> = all.iter().filter(|one| one.page).collect();
    let asked = pages.iter().find(names).copied();
    let Some(page) = asked.or_else(|| pages.first().copied()) else {
        let mut answer = not_paged(scene, one, &all, &timeline);
        answer.lead = stated(format!("No page of {} \"{}\" is recorded {}", one.id, one.title, scene.as_of()));
        return Ok(answer);
    };
    let why = reason(page, &timeline).unwrap_or("it is recorded as requested");
    let receiver = page.receiver.as_deref().unwrap_or("the receiver");
    let text =
        format!("Because {why}: \"{}\", severity {}, paged {receiver} at {}", page.title, page.severity, when(page.at));
    let short = format!("\"{}\", severity {}, paged at {}", page.title, page.severity, when(page.at));
    let mut answer = IntentAnswer::new(said([text, short], cited(page)));
    answer.all(pages.iter().filter(|other| other.id != page.id).map(|one| line(one, reason(one, &timeline))));
    answer.line(stated("Alerts of severity critical and high page, unless the settings name other severities"));
    Ok(answer)
}

/// Why nobody was notified.
pub(super) async fn why_not(scene: &AnswerScene<'_>, one: Option<&Incident>) -> Result<IntentAnswer, Problem> {
    let named = scene.part.of(NamedKind::Alert);
    let mut alerts: Vec<&Alert> = scene.book.alerts.iter().filter(|alert| scene.concerns(alert)).collect();
    alerts.retain(|_| !named.is_empty() || !scene.services().is_empty());
    if let Some(held) = alerts.iter().find(|alert| alert.suppressed_by.is_some()) {
        let by = held.suppressed_by.clone().unwrap_or_default();
        let until = held.suppressed_until.map(|until| format!(" until {}", when(until))).unwrap_or_default();
        let cited = scene.last_event("alert.suppressed", &held.fingerprint).await?;
        return Ok(IntentAnswer::new(said([format!("Because {} is suppressed by {by}{until}", held.name)], cited)));
    }
    let of_alert = alerts.iter().find_map(|alert| alert.incident.as_deref());
    let other = of_alert.and_then(|id| scene.book.incidents.iter().find(|one| one.id == id));
    let Some(one) = other.or(one) else {
        return Ok(IntentAnswer::new(stated(format!("Nothing is recorded that could have paged {}", scene.as_of()))));
    };
    let (all, timeline) = notices(scene, one).await?;
    let mut answer = not_paged(scene, one, &all, &timeline);
    for alert in alerts.iter().take(1) {
        let receipt = scene.seen.receipt(Some(&alert.fingerprint)).await?;
        answer.line(stated(format!(
            "{} is accounted for as {} {}",
            alert.name,
            receipt.accounted.as_str().replace('_', " "),
            scene.as_of()
        )));
    }
    Ok(answer)
}

fn not_paged(scene: &AnswerScene<'_>, one: &Incident, all: &[Notice], timeline: &[TimelineEntry]) -> IntentAnswer {
    let id = format!("{} \"{}\"", one.id, one.title);
    let held = all.iter().find(|notice| matches!(notice.status, notice::Status::Held));
    let page = all.iter().find(|notice| notice.page && !matches!(notice.status, notice::Status::Held));
    let snoozed = one.snoozed_until.filter(|until| *until > scene.now);
    let mut answer = match (page, held, snoozed) {
        (Some(page), _, _) => {
            let receiver = page.receiver.as_deref().unwrap_or("a receiver");
            IntentAnswer::new(said(
                [format!("It did page: {receiver} was paged for {id} at {}", when(page.at))],
                cited(page),
            ))
        }
        (None, Some(held), _) => IntentAnswer::new(line(held, None)),
        (None, None, Some(until)) => {
            IntentAnswer::new(stated(format!("Because {id} is snoozed until {}", when(until))))
        }
        (None, None, None) => {
            let told = if all.is_empty() { "nothing was sent" } else { "a notification was sent that wakes nobody" };
            IntentAnswer::new(stated(format!(
                "Because {id} never was worse than {}: {told}; by default severities critical and high page",
                one.peak_severity
            )))
        }
    };
    answer.all(all.iter().map(|one| line(one, reason(one, timeline))));
    answer
}
