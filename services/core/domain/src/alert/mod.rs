//! An alert: what a sender says is wrong, as one aggregate per fingerprint. [`event`] holds what can
//! happen to it, [`decide`] what an observation means for it, [`senders`] whose word counts, [`clock`] how far their
//! clocks are wrong, and here stands its state and fold.

pub mod clock;
pub mod decide;
pub mod event;
mod labels;
pub mod senders;

use crate::events;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

pub use labels::Labels;

pub use event::{
    Fired, Flapping, Observation, Repeat, Repeated, Resolved, Settled, Signal, Stale, Suppressed, Unsuppressed,
};

use senders::{EndSent, SenderWords};

use crate::entity::AlertSubject;
use crate::event::{Event, Recorded};
use crate::id::{EventId, Fingerprint, IncidentId};
use crate::limits::{OCCURRENCES_KEPT_MAX, STARTS_KEPT_MAX};
use crate::severity::Severity;
use crate::shared::SharedCopy;
use crate::time::{Span, Time};
use crate::words::SuppressionKind;

/// The service of the alerts of `source add` and `source test`: they are a test of an endpoint and count nowhere.
pub const TEST_SERVICE: &str = "hindcast-test";

/// Where an alert is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is wrong now.
    Firing,
    /// The sender said that it is over.
    Resolved,
    /// The sender fell silent while it fired.
    Stale,
}

/// One stretch of firing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// 1 for the first.
    pub number: u64,
    /// When it began, clamped once.
    pub starts_at: Time,
    /// Every start that a sender named for it, unclamped: replicas differ by a second or two.
    pub starts_sent: Vec<Time>,
    /// How its end was sent, by each source that sent one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ends_sent: Vec<EndSent>,
    /// When it ended.
    pub ends_at: Option<Time>,
    /// When we learnt of it.
    pub first_seen_at: Time,
    /// When we learnt that it ended, or that the sender fell silent.
    pub closed_at: Option<Time>,
}

/// A named reason for holding an alert back, with its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suppression {
    /// The silence's id.
    pub by: String,
    /// What kind of silence it is.
    pub kind: SuppressionKind,
    /// Until when at the latest.
    pub until: Time,
    /// The event that decided it.
    pub event: EventId,
}

/// An alert as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Computed from the labels; the sender's own is a separate field.
    pub fingerprint: Fingerprint,
    /// The sender's own.
    pub source_fingerprint: Option<String>,
    /// The configured source's name: the one that began the newest stretch of firing.
    pub source: String,
    /// The source that this one is a replica of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica_of: Option<String>,
    /// How far the clock of that source was ahead of ours when the stretch began; negative: behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_ahead: Option<Span>,
    /// What each sender says, where several fire it.
    #[serde(default, skip_serializing_if = "SenderWords::is_empty")]
    pub senders: SenderWords,
    /// The rule's name.
    pub name: String,
    /// The service that it is about.
    pub service: Option<String>,
    /// What it is about, apart from who observed it; absent in a ledger of before that was resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<SharedCopy<AlertSubject>>,
    /// How bad it says it is.
    pub severity: Severity,
    /// All labels of the newest observation that changed them.
    pub labels: Labels,
    /// All annotations, likewise.
    pub annotations: Labels,
    /// Where the sender shows it.
    pub url: Option<String>,
    /// Where it is in its life.
    pub status: Status,
    /// When we first learnt of it.
    pub first_seen_at: Time,
    /// When the sender last spoke of it.
    pub last_seen_at: Time,
    /// When the sender's silence becomes a fact.
    pub stale_at: Option<Time>,
    /// The newest stretches of firing, oldest first.
    #[serde(deserialize_with = "without_room")]
    pub occurrences: Vec<Occurrence>,
    /// Stretches of firing so far.
    pub fired: u64,
    /// Messages about it so far, repeats included.
    pub messages: u64,
    /// The incident that it belongs to.
    pub incident: Option<IncidentId>,
    /// What holds it back.
    pub suppressed: Option<Box<Suppression>>,
    /// A silence that a person lifted from it: it holds it no more.
    pub exempt_from: Option<String>,
    /// Until when it counts as flapping.
    pub flapping_until: Option<Time>,
    /// Decisions on it so far.
    pub revision: u64,
}

impl Alert {
    /// The newest stretch of firing.
    ///
    /// # Panics
    /// Never on an alert that `evolve` made: it is born with its first occurrence.
    #[must_use]
    pub fn occurrence(&self) -> &Occurrence {
        assert!(!self.occurrences.is_empty(), "an alert is born with its first occurrence");
        &self.occurrences[self.occurrences.len() - 1]
    }

    /// Whether it is a test of an endpoint.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.service.as_deref() == Some(TEST_SERVICE)
    }

    /// Whether it fires now.
    #[must_use]
    pub fn is_firing(&self) -> bool {
        self.status == Status::Firing
    }

    /// What a sender says by saying again that it fires as it is known; without a name the one that fired it first.
    #[must_use]
    pub fn said_again(&self, sender: Option<&str>, stale_after: Span) -> Observation {
        Observation {
            fingerprint: self.fingerprint.clone(),
            source_fingerprint: self.source_fingerprint.clone(),
            source: sender.unwrap_or(&self.source).to_owned(),
            replica_of: self.replica_of.clone().filter(|_| sender.is_none()),
            name: self.name.clone(),
            service: self.service.clone(),
            about: self.about.clone(),
            severity: self.severity,
            signal: Signal::Firing,
            labels: self.labels.clone(),
            annotations: self.annotations.clone(),
            starts_at: self.occurrence().starts_sent.last().copied(),
            ends_at: None,
            stale_after,
            url: self.url.clone(),
            unmapped: Vec::new(),
        }
    }

    /// Transitions (fired or closed) that we learnt of at or after `since`.
    #[must_use]
    pub fn transitions_since(&self, since: Time) -> usize {
        self.transitions().filter(|at| *at >= since).count()
    }

    /// When we learnt of transitions, those of the same occurrence in order.
    pub(crate) fn transitions(&self) -> impl Iterator<Item = Time> {
        let both =
            self.occurrences.iter().flat_map(|occurrence| [Some(occurrence.first_seen_at), occurrence.closed_at]);
        both.flatten()
    }

    fn born(fingerprint: Fingerprint, fired: &Fired, now: Time) -> Self {
        Self {
            fingerprint,
            source_fingerprint: fired.source_fingerprint.clone(),
            source: fired.source.clone(),
            replica_of: fired.replica_of.clone(),
            sender_ahead: fired.sender_ahead,
            senders: SenderWords::new(),
            name: fired.name.clone(),
            service: fired.service.clone(),
            about: fired.about.clone(),
            severity: fired.severity,
            labels: fired.labels.clone(),
            annotations: fired.annotations.clone(),
            url: fired.url.clone(),
            status: Status::Firing,
            first_seen_at: now,
            last_seen_at: now,
            stale_at: Some(fired.stale_at),
            // Most alerts fire once, and there are many of them.
            occurrences: Vec::with_capacity(1),
            fired: 0,
            messages: 0,
            incident: None,
            suppressed: None,
            exempt_from: None,
            flapping_until: None,
            revision: 0,
        }
    }

    fn fire(&mut self, fired: &Fired, now: Time) {
        self.source.clone_from(&fired.source);
        self.replica_of.clone_from(&fired.replica_of);
        self.sender_ahead = fired.sender_ahead;
        self.senders.clear();
        self.service.clone_from(&fired.service);
        self.about.clone_from(&fired.about);
        self.severity = fired.severity;
        self.labels.clone_from(&fired.labels);
        self.annotations.clone_from(&fired.annotations);
        self.url.clone_from(&fired.url);
        self.status = Status::Firing;
        self.last_seen_at = now;
        self.stale_at = Some(fired.stale_at);
        self.fired = fired.occurrence;
        self.messages += 1;
        if self.occurrences.len() == OCCURRENCES_KEPT_MAX {
            self.occurrences.remove(0);
        }
        self.occurrences.push(Occurrence {
            number: fired.occurrence,
            starts_at: fired.starts_at,
            starts_sent: fired.starts_at_sent.into_iter().collect(),
            ends_sent: Vec::new(),
            ends_at: None,
            first_seen_at: now,
            closed_at: None,
        });
    }

    fn repeat(&mut self, repeated: &Repeated, now: Time) {
        self.messages += 1;
        self.last_seen_at = now;
        if !self.hear(repeated, now)
            && let Some(stale_at) = repeated.stale_at
        {
            self.stale_at = Some(stale_at);
        }
        if let Some(severity) = repeated.severity {
            self.severity = severity;
        }
        if let Some(labels) = &repeated.labels {
            self.labels.clone_from(labels);
        }
        if let Some(annotations) = &repeated.annotations {
            self.annotations.clone_from(annotations);
        }
        if let Some(occurrence) = self.occurrences.iter_mut().find(|o| o.number == repeated.occurrence)
            && let Some(sent) = repeated.starts_at_sent
            && !occurrence.starts_sent.contains(&sent)
            && occurrence.starts_sent.len() < STARTS_KEPT_MAX
        {
            occurrence.starts_sent.push(sent);
        }
    }

    fn close(&mut self, status: Status, ends_at: Option<Time>, now: Time) {
        self.status = status;
        self.stale_at = None;
        if let Some(occurrence) = self.occurrences.last_mut() {
            occurrence.ends_at = ends_at;
            occurrence.closed_at = Some(now);
        }
    }

    /// Folds one event that is about this alert.
    fn evolve(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::AlertFired(fired) => self.fire(fired, recorded.time),
            Event::AlertRepeated(repeated) => self.repeat(repeated, recorded.time),
            Event::AlertResolved(resolved) => {
                self.messages += 1;
                self.last_seen_at = recorded.time;
                self.note_resolved(resolved, recorded.time);
                self.close(Status::Resolved, Some(resolved.ends_at), recorded.time);
            }
            Event::AlertStale(_) => self.close(Status::Stale, None, recorded.time),
            Event::AlertSuppressed(suppressed) => {
                self.suppressed = Some(Box::new(Suppression {
                    by: suppressed.by.clone(),
                    kind: suppressed.kind.clone(),
                    until: suppressed.until,
                    event: recorded.id.clone(),
                }));
            }
            Event::AlertUnsuppressed(lifted) => {
                self.suppressed = None;
                if lifted.exempt {
                    self.exempt_from = Some(lifted.by.clone());
                }
            }
            Event::AlertFlapping(flapping) => self.flapping_until = Some(flapping.until),
            Event::AlertSettled(_) => self.flapping_until = None,
            events! { intake, finding, conversation, proposal, label, model, chat, incident, silence, control, notice } =>
            {
                return;
            }
        }
        self.revision = recorded.revision.unwrap_or(self.revision);
    }
}

/// Reads a list that takes no more memory than it needs.
fn without_room<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let mut list = Vec::deserialize(deserializer)?;
    list.shrink_to_fit();
    Ok(list)
}

/// Folds an event whose subject is a fingerprint; true when it was about an alert.
pub(crate) fn evolve(alerts: &mut BTreeMap<Fingerprint, Alert>, recorded: &Recorded) -> bool {
    let Ok(fingerprint) = recorded.subject.parse::<Fingerprint>() else {
        return false;
    };
    if let Event::AlertFired(fired) = &recorded.event {
        alerts
            .entry(fingerprint.clone())
            .or_insert_with(|| Alert::born(fingerprint, fired, recorded.time))
            .evolve(recorded);
        return true;
    }
    match alerts.get_mut(&fingerprint) {
        Some(alert) => {
            alert.evolve(recorded);
            true
        }
        None => false,
    }
}
