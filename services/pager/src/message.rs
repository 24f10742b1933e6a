//! What a message says: which alerts it names, and its words. Made from the state as it is when the message is asked
//! for; refuses to know who is told and why.

use std::collections::BTreeMap;

use hindcast_domain::alert::{Alert, Signal};
use hindcast_domain::incident::{Incident, decide};
use hindcast_domain::notice::{NamedAlert, Reason};
use hindcast_domain::{Fingerprint, IncidentId, Severity, Time};

use crate::state::NoticesState;
use crate::state::firing::{AlertNews, Audibility};

/// Alerts that one message names; the rest is counted by kind.
const NAMED_MAX: usize = 40;
/// Alerts that one digest names; the rest is counted by incident and kind.
const DIGEST_NAMED_MAX: usize = 100;
/// Alerts that the lines of a message spell out.
const SPELLED_MAX: usize = 5;

/// What a message is about to say of an incident.
pub(crate) struct MessageWords {
    pub(crate) title: String,
    pub(crate) lines: Vec<String>,
    pub(crate) alerts: Vec<NamedAlert>,
}

/// One alert that a message tells of.
struct ToldAlert<'a> {
    alert: &'a Alert,
    news: &'a AlertNews,
}

impl NoticesState {
    /// The words about an incident for a receiver.
    pub(crate) fn words(&self, incident: &Incident, receiver: &str, reason: Reason) -> MessageWords {
        let untold = self
            .told_alerts(self.index.untold(&incident.id, receiver).into_iter().flatten().map(|(_, id)| id), incident);
        let is_end = matches!(reason, Reason::Resolved | Reason::Merged | Reason::Acknowledged);
        let tells_all = matches!(
            reason,
            Reason::Opened
                | Reason::Reopened
                | Reason::Retried
                | Reason::Reminder
                | Reason::StillThere
                | Reason::Unacknowledged
        );
        let mut told = untold;
        if tells_all || told.is_empty() && !is_end {
            told = self.told_alerts(self.seen.firing.members(&incident.id), incident);
            told.retain(|told| {
                told.news.audibility == Audibility::Loud
                    || self.index.untold_of(&told.alert.fingerprint, receiver).is_some()
            });
        }
        told.sort_by_key(|told| {
            (told.news.audibility != Audibility::Loud, std::cmp::Reverse(told.alert.severity), told.news.stretch.since)
        });
        let first = told.iter().find(|told| told.news.audibility == Audibility::Loud).filter(|_| !is_end);
        let title = first.map_or_else(|| incident.title.clone(), |told| decide::title(told.alert));
        let lines = lines(self, incident, receiver, &told, reason);
        MessageWords { title, lines, alerts: named(&told, None, NAMED_MAX) }
    }

    /// The alerts of several incidents, for one message about them.
    pub(crate) fn digest_alerts(&self, incidents: &[&Incident]) -> Vec<NamedAlert> {
        let each = (DIGEST_NAMED_MAX / incidents.len().max(1)).max(1);
        let of = |incident: &&Incident| {
            let mut told = self.told_alerts(self.seen.firing.members(&incident.id), incident);
            told.retain(|told| told.news.audibility != Audibility::Quiet && told.alert.severity.pages());
            told.sort_by_key(|told| (told.news.audibility != Audibility::Loud, std::cmp::Reverse(told.alert.severity)));
            named(&told, Some(&incident.id), each)
        };
        incidents.iter().flat_map(of).collect()
    }

    fn told_alerts<'a>(
        &'a self,
        ids: impl Iterator<Item = &'a Fingerprint>,
        incident: &Incident,
    ) -> Vec<ToldAlert<'a>> {
        let Some(book) = self.book_of(&incident.id) else { return Vec::new() };
        let of =
            |id: &Fingerprint| Some(ToldAlert { alert: book.alerts.get(id)?, news: self.seen.firing.alerts.get(id)? });
        ids.filter_map(of).collect()
    }
}

/// The first so many alerts by name, and of the rest one for each kind with their number.
fn named(told: &[ToldAlert<'_>], incident: Option<&IncidentId>, max: usize) -> Vec<NamedAlert> {
    let (by_name, counted) = told.split_at(told.len().min(max));
    let mut named: Vec<NamedAlert> = by_name.iter().map(|told| name(told, incident, None)).collect();
    let mut kinds: BTreeMap<&str, (&ToldAlert<'_>, u64)> = BTreeMap::new();
    for told in counted {
        kinds.entry(told.alert.name.as_str()).or_insert((told, 0)).1 += 1;
    }
    named.extend(kinds.into_values().map(|(told, count)| name(told, incident, Some(count))));
    named
}

fn name(told: &ToldAlert<'_>, incident: Option<&IncidentId>, count: Option<u64>) -> NamedAlert {
    let alert = told.alert;
    NamedAlert {
        fingerprint: alert.fingerprint.clone(),
        name: alert.name.clone(),
        status: if alert.is_firing() { Signal::Firing } else { Signal::Resolved },
        entity: alert.about.as_ref().and_then(|about| about.entity.clone()),
        service: alert.service.clone(),
        severity: alert.severity,
        since: alert.occurrence().starts_at,
        incident: incident.cloned(),
        count,
        links: links(alert),
    }
}

/// Annotations that hold a link, by what it is.
const LINKS: [(&str, &[&str]); 5] = [
    ("runbook", &["runbook_url", "runbook"]),
    ("dashboard", &["dashboard_url", "dashboard"]),
    ("panel", &["panel_url"]),
    ("image", &["image_url"]),
    ("silence", &["silence_url"]),
];

/// The sender's links of an alert. What is no address is left out.
fn links(alert: &Alert) -> BTreeMap<String, String> {
    let is_web = |link: &&String| link.starts_with("http://") || link.starts_with("https://");
    let of = |names: &[&str]| names.iter().find_map(|name| alert.annotations.get(*name).filter(is_web)).cloned();
    let known = LINKS.iter().filter_map(|(what, names)| Some(((*what).to_owned(), of(names)?)));
    known.chain(alert.url.as_ref().filter(is_web).map(|url| ("source".to_owned(), url.clone()))).collect()
}

/// What a severity means for whoever reads it.
pub(crate) const fn meaning(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "users are affected now",
        Severity::High => "somebody must look now",
        Severity::Medium => "somebody should look today",
        Severity::Low => "look at it when there is time",
        Severity::Info => "for the record",
    }
}

fn lines(
    state: &NoticesState,
    incident: &Incident,
    receiver: &str,
    told: &[ToldAlert<'_>],
    reason: Reason,
) -> Vec<String> {
    let mut lines = Vec::new();
    let firing: Vec<&ToldAlert<'_>> = told.iter().filter(|told| told.alert.is_firing()).collect();
    for told in firing.iter().take(SPELLED_MAX) {
        lines.push(format!("{}: {}", word(reason), spell(told.alert, told.alert.occurrence().starts_at)));
    }
    if firing.len() > SPELLED_MAX {
        lines.push(format!("and {} more", firing.len() - SPELLED_MAX));
    }
    let shown = firing.first().or(told.first().as_ref()).map(|told| links(told.alert)).unwrap_or_default();
    let ended = told.iter().filter(|told| !told.alert.is_firing());
    lines.extend(ended.take(SPELLED_MAX).map(|told| {
        let at = told.alert.occurrence().closed_at.map(|at| format!(", over since {at}")).unwrap_or_default();
        format!("ended: {}{at}", told.alert.name)
    }));
    if let Some(into) = &incident.merged_into {
        lines.push(format!("it is a part of {into} now"));
    }
    if let Some(by) = incident.acknowledged_by.as_ref().filter(|_| reason == Reason::Acknowledged) {
        lines.push(format!("acknowledged by {by}"));
    }
    let lost = |notice: &_| state.is_lost(notice);
    let last = state.heard.of(&incident.id, receiver).and_then(|heard| heard.last(&lost));
    if let Some(last) = last.filter(|_| word(reason) == "new") {
        let (new, over) = (firing.len(), told.len() - firing.len());
        lines.push(format!("since the message of {}: {new} more firing, {over} ended", last.at));
    }
    let severity = state.severity(incident);
    if incident.is_live() {
        lines.push(format!("{severity}: {}", meaning(severity)));
    }
    if !incident.services.is_empty() {
        lines.push(format!("services: {}", incident.services.iter().cloned().collect::<Vec<_>>().join(", ")));
    }
    lines.push(format!("began {}, {} alerts", incident.started_at, incident.members.len()));
    if incident.reopened > 0 {
        lines.push(format!("reopened {} times", incident.reopened));
    }
    lines.extend(shown.into_iter().map(|(what, link)| format!("{what}: {link}")));
    lines
}

const fn word(reason: Reason) -> &'static str {
    match reason {
        Reason::Worse | Reason::NewAlert | Reason::NewService | Reason::NewTeam => "new",
        Reason::Opened
        | Reason::Breadth
        | Reason::Reopened
        | Reason::Unacknowledged
        | Reason::StillThere
        | Reason::Reminder
        | Reason::SilenceEnds
        | Reason::Retried
        | Reason::Storm
        | Reason::Digest
        | Reason::Acknowledged
        | Reason::Merged
        | Reason::Resolved => "firing",
    }
}

fn spell(alert: &Alert, since: Time) -> String {
    let entity = alert.about.as_ref().and_then(|about| about.entity.as_ref()).map(ToString::to_string);
    let place = entity.or_else(|| alert.service.clone()).map(|place| format!(" on {place}")).unwrap_or_default();
    format!("{}{place} ({}) since {since}", alert.name, alert.severity)
}
