//! What a card says, for any vendor: a function of an incident's state at a position. Owns the words, their order
//! and which buttons stand there in which state; refuses to know how a vendor shows them. All text is plain: what
//! comes from telemetry is escaped by whoever renders it.

mod answer;
mod parts;
mod wording;

use hindcast_api::{Causes, Hypothesis, Incident, Proposal, Similar};
use hindcast_domain::act::ActEntry;
use hindcast_domain::incident::Status;
use hindcast_domain::label::About;
use hindcast_domain::words::ResolvedBy;
use hindcast_domain::{IncidentId, Severity, Span};

use crate::buttons;
use crate::view::IncidentView;

pub use answer::{AnswerBlock, answer, note};
pub(crate) use parts::judge;
pub use parts::{Button, CardLine, Section, Style};
pub use wording::short;
use wording::{clock, left_out, named, span, time_of_day, times};

/// Claims that an answer shows; the rest is on its web page.
const CLAIMS_MAX: usize = 12;
/// Changes that were looked at and are not it.
const REFUTED_MAX: usize = 2;
/// Services that are named.
const SERVICES_MAX: usize = 8;
/// From when on it is said that an incident was opened later than it began.
const OPENED_LATE: Span = Span::minutes(1);

/// A card, for any vendor.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// How bad it is now; the colour follows from it.
    pub severity: Severity,
    /// Whether it is over: the colour follows from that too.
    pub over: bool,
    /// Such as `CRITICAL · open`.
    pub status: String,
    /// The heading, one line of plain text.
    pub title: String,
    /// Its web page.
    pub url: String,
    /// Name and value, short.
    pub facts: Vec<(String, String)>,
    /// What is known.
    pub sections: Vec<Section>,
    /// What can be done.
    pub buttons: Vec<Button>,
    /// What else can be done, behind a menu.
    pub more: Vec<Button>,
    /// Where the figures are from.
    pub footer: String,
    /// All of it in one line, for notifications and screen readers.
    pub fallback: String,
}

/// The card of an incident.
#[must_use]
pub fn card(view: &IncidentView) -> Card {
    let incident = &view.incident;
    let id: Option<IncidentId> = incident.id.parse().ok();
    let over = incident.status == Status::Resolved;
    let status = status(view);
    let fallback = format!("{}: {} ({status})", incident.severity.to_string().to_uppercase(), incident.title);
    let mut sections = Vec::new();
    if let Some((title, url)) = &view.merged_into {
        let line = CardLine::Link { text: title.clone(), url: url.clone(), rest: String::new() };
        sections.push(Section { heading: "Merged into".to_owned(), lines: vec![line], buttons: Vec::new() });
    } else {
        sections.extend(cause(view, id.as_ref()));
        sections.extend(seen(view, id.as_ref()));
        sections.extend(proposed(view, id.as_ref()));
    }
    sections.extend(said(view));
    Card {
        severity: incident.severity,
        over,
        status: format!("{} · {status}", incident.severity.to_string().to_uppercase()),
        title: incident.title.clone(),
        url: incident.url.clone(),
        facts: facts(view),
        sections,
        more: id.as_ref().map(|id| buttons::more(view, id)).unwrap_or_default(),
        buttons: id.map(|id| buttons::row(view, &id)).unwrap_or_default(),
        footer: format!("{} · as of position {}{}", short(&incident.id), view.position, memory(view)),
        fallback,
    }
}

/// How far the memory of past incidents was, where it had not reached the position of the card.
fn memory(view: &IncidentView) -> String {
    let behind = view.similar.as_ref().and_then(|page| page.behind);
    behind.map_or_else(String::new, |reached| format!(", past incidents as of position {reached}"))
}

/// How much a list of a dialog leaves out, and what to type instead.
pub(crate) fn more_are_left(act: &ActEntry, incident: &Incident, more: usize, typed: &str) -> String {
    let chat = act.chat.map_or(act.word, |chat| chat.word);
    let joint = act.chat.and_then(|chat| chat.joint).map_or_else(String::new, |joint| format!(" {joint}"));
    format!("{more} more are open. For one of them, {typed}: {chat} {}{joint} …", short(&incident.id))
}

/// Where an incident is in its life.
fn status(view: &IncidentView) -> String {
    let incident = &view.incident;
    match (incident.status, &view.merged_into) {
        (_, Some((title, _))) => format!("merged into {title}"),
        (Status::Open, _) => "open, not acknowledged".to_owned(),
        (Status::Acknowledged, _) => match &view.acknowledged_by {
            Some(who) => format!("acknowledged by {who}"),
            None => "acknowledged".to_owned(),
        },
        (Status::Resolved, _) => match incident.resolved_by {
            Some(ResolvedBy::Stale) => "resolved automatically: its alerts are no longer sent".to_owned(),
            Some(ResolvedBy::Person) => "resolved by a person".to_owned(),
            Some(ResolvedBy::Quiet | ResolvedBy::Merged | ResolvedBy::Other(_)) | None => {
                "resolved automatically: all alerts cleared".to_owned()
            }
        },
    }
}

fn facts(view: &IncidentView) -> Vec<(String, String)> {
    let incident = &view.incident;
    let mut facts = Vec::new();
    let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
    let severity = if incident.peak_severity == incident.severity {
        incident.severity.to_string()
    } else {
        format!("{} now, {} at its peak", incident.severity, incident.peak_severity)
    };
    fact("Severity", severity);
    if !incident.services.is_empty() {
        fact("Services", named(&incident.services));
    }
    // How long it goes on would be wrong a minute later, and nobody touches a card for that.
    let lasted = incident.resolved_at.map(|end| format!(", lasted {}", span(end, incident.started_at)));
    fact("Began", clock(incident.started_at) + &lasted.unwrap_or_default());
    if incident.opened_at.since(incident.started_at) >= OPENED_LATE {
        fact("Opened", format!("{} later", span(incident.opened_at, incident.started_at)));
    }
    let alerts = match incident.status {
        Status::Resolved => format!("{}, received {} times", incident.alerts, incident.occurrences),
        _ => format!("{} ({} firing), received {} times", incident.alerts, incident.firing, incident.occurrences),
    };
    fact("Alerts", alerts);
    if let Some(owner) = &incident.owner {
        fact("Owner", owner.clone());
    }
    if incident.reopened > 0 {
        fact("Reopened", times(incident.reopened));
    }
    if let Some(earlier) = &incident.recurrence_of {
        fact("Recurrence of", short(earlier).to_owned());
    }
    if let Some(until) = incident.snoozed_until {
        fact("Snoozed", format!("until {}", clock(until)));
    }
    facts
}

fn cause(view: &IncidentView, id: Option<&IncidentId>) -> Option<Section> {
    let incident = &view.incident;
    if let Some(cause) = &incident.cause {
        let mut lines = vec![CardLine::Text(cause.clone())];
        lines.extend(incident.resolution.as_ref().map(|ended| CardLine::Text(format!("Resolution: {ended}"))));
        return Some(Section { heading: "Cause".to_owned(), lines, buttons: Vec::new() });
    }
    let causes = view.causes.as_ref()?;
    let Some(best) = causes.items.first().filter(|_| !causes.unresolved) else {
        let why = causes
            .why_unresolved
            .as_deref()
            .unwrap_or("the evidence does not explain it well enough to name a root cause");
        let mut lines = vec![CardLine::Text(format!("Unresolved: {why}."))];
        lines.extend(refuted(causes));
        return Some(Section { heading: "Cause".to_owned(), lines, buttons: Vec::new() });
    };
    let mut lines = vec![CardLine::Text(format!("{} (score {:.2})", best.cause, best.score))];
    lines.extend(path(best));
    lines.extend(refuted(causes));
    let buttons = id.map(|id| {
        let about = About::Incident { incident: id.clone() };
        let text = Some(best.cause.clone());
        vec![judge("This was the cause", id, about, "cause", text, incident.revision)]
    });
    Some(Section { heading: "Likely cause".to_owned(), lines, buttons: buttons.unwrap_or_default() })
}

fn path(of: &Hypothesis) -> Vec<CardLine> {
    let word = |role| match role {
        hindcast_api::StepRole::Broke => "root cause",
        hindcast_api::StepRole::Then => "propagated to",
        hindcast_api::StepRole::Alarmed => "first alert",
    };
    of.path
        .iter()
        .map(|step| {
            CardLine::Text(format!("{} {} {}: {}", word(step.role), time_of_day(step.time), step.service, step.text))
        })
        .collect()
}

fn refuted(causes: &Causes) -> Vec<CardLine> {
    let reason = |of: &Hypothesis| of.refutes.first().map_or(String::new(), |why| format!(": {}", why.text));
    let line = |of: &Hypothesis| CardLine::Text(format!("ruled out: {}{}", of.cause, reason(of)));
    let mut lines: Vec<CardLine> = causes.refuted.iter().take(REFUTED_MAX).map(line).collect();
    lines.extend(left_out(causes.refuted.len(), REFUTED_MAX, "ruled out"));
    lines
}

fn seen(view: &IncidentView, id: Option<&IncidentId>) -> Option<Section> {
    let similar = view.similar.as_ref()?;
    let Some(same) = similar.items.iter().find(|item| item.same) else {
        let mut lines = vec![CardLine::Text("No matching past incident.".to_owned())];
        lines.extend(similar.items.first().map(|item| link(view, item, &differs(item))));
        return Some(Section { heading: "Past incidents".to_owned(), lines, buttons: Vec::new() });
    };
    let mut lines = vec![link(view, same, &format!(" {}", same.title))];
    lines.extend(same.cause.as_ref().map(|cause| CardLine::Text(format!("Cause: {cause}"))));
    lines.extend(same.resolution.as_ref().map(|ended| CardLine::Text(format!("Resolution: {ended}"))));
    lines.extend(same.why.first().map(|why| CardLine::Text(format!("Similar: {why}"))));
    lines.extend(left_out(similar.items.iter().filter(|item| item.same).count(), 1, "times before"));
    let buttons = id.zip(same.incident.parse::<IncidentId>().ok()).map(|(id, similar)| {
        let about = About::Recall { incident: id.clone(), similar };
        let revision = view.incident.revision;
        let yes = judge("Same problem", id, about.clone(), "confirmed", None, revision);
        let no = judge("Not the same", id, about, "dismissed", None, revision);
        vec![yes, no]
    });
    Some(Section { heading: "Past incidents".to_owned(), lines, buttons: buttons.unwrap_or_default() })
}

fn differs(item: &Similar) -> String {
    let why = item.differs.first().map_or(String::new(), |why| format!(": {why}"));
    format!(": similar symptoms, different cause{why}")
}

fn link(view: &IncidentView, item: &Similar, rest: &str) -> CardLine {
    let url = format!("{}/{}", view.public_url.trim_end_matches('/'), item.incident);
    CardLine::Link { text: short(&item.incident).to_owned(), url, rest: rest.to_owned() }
}

fn proposed(view: &IncidentView, id: Option<&IncidentId>) -> Option<Section> {
    if view.incident.status == Status::Resolved {
        return None;
    }
    let best: &Proposal = view.proposals.first()?;
    let params: Vec<String> = best.params.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let mut lines = vec![CardLine::Text(best.title.clone())];
    if !params.is_empty() {
        lines.push(CardLine::Text(params.join(", ")));
    }
    lines.push(CardLine::Text(format!("Risk: {}", best.risk)));
    if best.worked.of > 0 {
        lines.push(CardLine::Text(format!(
            "It resolved the same problem {} of {} times.",
            best.worked.ended, best.worked.of
        )));
    }
    lines.push(CardLine::Text(format!("Runbook {}. Hindcast runs nothing: a person decides.", best.runbook)));
    lines.extend(left_out(view.proposals.len(), 1, "proposed"));
    let buttons = id.zip(best.id.parse().ok()).map(|(id, proposal)| {
        let about = About::Proposal { proposal };
        let revision = view.incident.revision;
        let yes = judge("Right step", id, about.clone(), "approved", None, revision);
        vec![yes, judge("Wrong step", id, about, "rejected", None, revision)]
    });
    Some(Section { heading: "Proposed".to_owned(), lines, buttons: buttons.unwrap_or_default() })
}

fn said(view: &IncidentView) -> Option<Section> {
    if view.labels.is_empty() {
        return None;
    }
    let lines = view.labels.iter().cloned().map(CardLine::Text).collect();
    Some(Section { heading: "Feedback".to_owned(), lines, buttons: Vec::new() })
}

/// One line of a list of incidents.
#[must_use]
pub fn listed(of: &Incident) -> CardLine {
    let status = match of.status {
        Status::Open => "open",
        Status::Acknowledged => "acknowledged",
        Status::Resolved => "over",
    };
    CardLine::Link {
        text: short(&of.id).to_owned(),
        url: of.url.clone(),
        rest: format!("{} · {status} · {}", of.severity, of.title),
    }
}
