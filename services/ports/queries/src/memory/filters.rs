//! Which documents a filter takes. It refuses to know how documents are kept.

use hindcast_api::{Alert, Event, Finding, Incident, Label, Notice};

use crate::{AlertFilter, EventFilter, FindingFilter, IncidentFilter, LabelFilter, NoticeFilter};

fn is<T: PartialEq + ?Sized, W: AsRef<T>>(wanted: Option<&W>, value: &T) -> bool {
    wanted.is_none_or(|wanted| wanted.as_ref() == value)
}

/// `services` are all names of the service that is asked for; `words` gives all that is said of the incident, which
/// takes long and is asked for only where words are looked for.
pub(super) fn incident(
    filter: &IncidentFilter,
    incident: &Incident,
    services: &[String],
    words: impl Fn() -> String,
) -> bool {
    let words = if filter.q.is_some() { words().to_lowercase() } else { String::new() };
    (filter.status.is_empty() || filter.status.contains(&incident.status))
        && (filter.severity.is_empty() || filter.severity.contains(&incident.severity))
        && (filter.service.is_none() || services.iter().any(|name| incident.services.contains(name)))
        && filter.q.iter().flat_map(|q| q.split_whitespace()).all(|word| words.contains(&word.to_lowercase()))
        && filter.since.is_none_or(|since| incident.opened_at >= since)
        && filter.until.is_none_or(|until| incident.opened_at < until)
        && is::<str, _>(filter.environment.as_ref(), &incident.environment)
}

/// All of the filter but the incident and the fingerprint, which need other documents.
pub(super) fn alert(filter: &AlertFilter, alert: &Alert) -> bool {
    is::<str, _>(filter.name.as_ref(), &alert.name)
        && (filter.status.is_empty() || filter.status.contains(&alert.status))
        && filter.labels.iter().all(|(name, value)| alert.labels.get(name) == Some(value))
        && filter.suppressed.is_none_or(|wanted| wanted == alert.suppressed_by.is_some())
}

pub(super) fn finding(filter: &FindingFilter, finding: &Finding) -> bool {
    is::<str, _>(filter.service.as_ref(), &finding.finding.service)
        && is::<str, _>(filter.environment.as_ref(), &finding.environment)
        && filter.since.is_none_or(|since| finding.finding.at >= since)
        && filter.until.is_none_or(|until| finding.finding.at < until)
}

/// All of the filter but the incident, which is an id or a prefix.
pub(super) fn notice(filter: &NoticeFilter, notice: &Notice) -> bool {
    (filter.status.is_empty() || filter.status.contains(&notice.status))
        && filter.page.is_none_or(|page| page == notice.page)
}

pub(super) fn event(filter: &EventFilter, event: &Event) -> bool {
    let first = event.event_type.split('.').next().unwrap_or_default();
    filter.kind.as_deref().is_none_or(|kind| [event.kind.as_str(), event.event_type.as_str(), first].contains(&kind))
        && is::<str, _>(filter.subject.as_ref(), &event.subject)
        && filter.incident.as_deref().is_none_or(|wanted| {
            let of_these =
                ["proposal.made", "proposal.rejected", "conversation.asked"].contains(&event.event_type.as_str());
            of_these && event.data.get("incident").and_then(|id| id.as_str()) == Some(wanted)
        })
        && filter.from.is_none_or(|from| event.position >= from)
        && filter.to.is_none_or(|to| event.position <= to)
}

pub(super) fn label(filter: &LabelFilter, label: &Label) -> bool {
    filter.kind.is_none_or(|kind| kind == label.kind)
        && filter.rule.as_ref().is_none_or(|rule| *rule == label.rule)
        && filter.provenance.is_none_or(|provenance| provenance == label.provenance)
        && is::<str, _>(filter.by.as_ref(), &label.by)
        && is::<str, _>(filter.environment.as_ref(), &label.environment)
        && (filter.incident.is_none() || filter.incident == label.incident)
        && filter.retracted.is_none_or(|wanted| wanted == label.retracted.is_some())
        && filter.disputed.is_none_or(|wanted| wanted == label.disputed)
}
