//! What an answer may look at: one snapshot, what is known by names in it, and the incident that the question is about.

use hindcast_api::{Alert, Citation, Event, Incident, Problem};
use hindcast_domain::{Span, Time, alert};
use hindcast_queries::{EventFilter, ListPart, Snapshot};

use super::line::{AnswerLine, said};
use crate::Options;
use crate::evidence::when;
use crate::situation::Situation;
use crate::understand::names::{NameBook, NamedKind};
use crate::understand::part::AskedPart;

/// How long before the moment of a question findings count as "now".
pub(crate) const LATELY: Span = Span::minutes(15);
/// Events of one kind that are looked through.
const EVENTS_MAX: usize = 500;

/// What one part of a question is answered from.
#[derive(Clone, Copy)]
pub(crate) struct AnswerScene<'a> {
    pub(crate) options: &'a Options,
    pub(crate) seen: &'a Snapshot,
    pub(crate) book: &'a NameBook,
    pub(crate) part: &'a AskedPart,
    /// From, until, where the question names a stretch.
    pub(crate) stretch: Option<(Time, Time)>,
    /// The moment of the question.
    pub(crate) now: Time,
    pub(crate) incident: Option<&'a Incident>,
    pub(crate) situation: Option<&'a Situation>,
}

impl AnswerScene<'_> {
    /// As of when, in words.
    pub(crate) fn as_of(&self) -> String {
        format!("as of {}", when(self.now))
    }

    /// The services that the part names.
    pub(crate) fn services(&self) -> Vec<&str> {
        self.part.of(NamedKind::Service)
    }

    /// What is asked about, in words: a name, a symptom of a name, or everything.
    pub(crate) fn subject(&self) -> Option<String> {
        let kinds = [NamedKind::Alert, NamedKind::Service, NamedKind::Thing];
        let names: Vec<&str> = kinds.iter().flat_map(|kind| self.part.of(*kind)).collect();
        (!names.is_empty()).then(|| hindcast_domain::text::listed(&names, 3))
    }

    /// Whether an alert is about what the part names; about everything where it names nothing.
    pub(crate) fn concerns(&self, alert: &Alert) -> bool {
        let alerts = self.part.of(NamedKind::Alert);
        let services = self.part.of(NamedKind::Service);
        let things = self.part.of(NamedKind::Thing);
        let by_alert = alerts.is_empty() || alerts.contains(&alert.name.as_str());
        let of_service = |service: &&&str| alert.service.as_deref() == Some(**service);
        let by_service = services.is_empty() || services.iter().any(|service| of_service(&service));
        let is_thing = |thing: &&str| {
            alert.entity.as_ref().is_some_and(|entity| entity.name == **thing)
                || alert.labels.values().any(|value| value == thing)
        };
        let by_thing = things.is_empty() || things.iter().any(is_thing);
        by_alert && by_service && by_thing && self.speaks_of_topics(&texts_of(alert))
    }

    /// Whether a text speaks of the symptoms that the part names; of any where it names none.
    pub(crate) fn speaks_of_topics(&self, text: &str) -> bool {
        self.part.topics.is_empty() || self.part.topics.iter().any(|topic| topic.is_in(text))
    }

    /// Whether an incident's title or one of its alerts speaks of the symptoms that the part names; not where it names none.
    pub(crate) fn incident_speaks(&self, one: &Incident) -> bool {
        let alerts = || self.alerts_of(&one.id).into_iter().any(|alert| self.speaks_of_topics(&texts_of(alert)));
        !self.part.topics.is_empty() && (self.speaks_of_topics(&one.title) || alerts())
    }

    /// Alerts about what the part names, of one status, newest first.
    pub(crate) fn alerts(&self, status: alert::Status) -> Vec<&Alert> {
        self.book.alerts.iter().filter(|alert| alert.status == status && self.concerns(alert)).collect()
    }

    /// Alerts of an incident.
    pub(crate) fn alerts_of(&self, incident: &str) -> Vec<&Alert> {
        self.book.alerts.iter().filter(|alert| alert.incident.as_deref() == Some(incident)).collect()
    }

    /// The event of an alert's last such step.
    ///
    /// # Errors
    /// When the views cannot be read.
    pub(crate) async fn last_event(&self, kind: &str, subject: &str) -> Result<Option<Citation>, Problem> {
        let filter =
            EventFilter { kind: Some(kind.to_owned()), subject: Some(subject.to_owned()), ..EventFilter::default() };
        let page = self.seen.events(filter, ListPart::first(EVENTS_MAX)).await?;
        Ok(page.items.last().map(cite))
    }

    /// Events of a kind, oldest first.
    ///
    /// # Errors
    /// When the views cannot be read.
    pub(crate) async fn events(&self, kind: &str) -> Result<Vec<Event>, Problem> {
        let filter = EventFilter { kind: Some(kind.to_owned()), ..EventFilter::default() };
        Ok(self.seen.events(filter, ListPart::first(EVENTS_MAX)).await?.items)
    }

    /// That an alert fires, or fired, with its event.
    ///
    /// # Errors
    /// When the views cannot be read.
    pub(crate) async fn alert_line(&self, alert: &Alert, before: &str) -> Result<AnswerLine, Problem> {
        let fired = self.last_event("alert.fired", &alert.fingerprint).await?;
        let ended = match alert.ends_at {
            Some(_) => self.last_event("alert.resolved", &alert.fingerprint).await?,
            None => None,
        };
        let on = alert.service.as_deref().map(|service| format!(" on {service}")).unwrap_or_default();
        let text = match (alert.status, alert.ends_at) {
            (alert::Status::Firing, _) => {
                format!("{}{on} fires since {}, severity {}", alert.name, when(alert.starts_at), alert.severity)
            }
            (_, Some(ended)) => {
                format!("{}{on} fired from {} to {}", alert.name, when(alert.starts_at), when(ended))
            }
            (_, None) => format!("{}{on} fired at {}", alert.name, when(alert.starts_at)),
        };
        let plain = format!("{}{on} fired", alert.name);
        let texts = [text, format!("{plain} at {}", when(alert.starts_at)), plain];
        Ok(said(texts.map(|text| format!("{before}{text}")), fired.into_iter().chain(ended)))
    }
}

/// The citation of an event.
pub(crate) fn cite(event: &Event) -> Citation {
    Citation { event: event.id.clone(), position: event.position }
}

/// The texts of an alert in which a symptom may be named.
pub(crate) fn texts_of(alert: &Alert) -> String {
    let notes = ["summary", "description", "message", "title"].iter().filter_map(|key| alert.annotations.get(*key));
    let labels = ["mountpoint", "device", "datname", "target"].iter().filter(|key| alert.labels.contains_key(**key));
    let labels: Vec<&str> = labels.copied().collect();
    let notes: Vec<&str> = notes.map(String::as_str).collect();
    format!("{} {} {}", alert.name, notes.join(" "), labels.join(" "))
}
