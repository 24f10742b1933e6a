//! An incident: alerts that are one problem, as one aggregate. [`event`] holds what can happen to it,
//! [`decide`] what a person's command means for it, and here stands its state and fold.
//!
//! Identity and lineage survive everything: a merge moves members and keeps the other incident as a
//! pointer, a split gives birth to one, and undoing either is a further event that reads the lineage.

pub mod decide;
pub mod event;
mod fold;
mod status;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use event::{
    Acknowledged, AlertJoined, Assigned, Awoken, Considered, Declared, Feedback, Grouping, LinkEvidence, LinkedPair,
    Merged, Noted, Opened, Reopened, Resolved, Reviewed, ReviewedPair, SeveritySet, Snoozed, Split, Unacknowledged,
    Undone,
};

pub use status::Status;

use crate::id::{EventId, Fingerprint, IncidentId};
use crate::severity::Severity;
use crate::time::{Span, Time};
use crate::words::{LineageKind, ResolvedBy};

pub(crate) use fold::evolve;

/// An alert's membership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Time at which the alert was grouped with the incident.
    pub joined_at: Time,
    /// The event by which it joined.
    pub event: EventId,
    /// How well it fits, in thousandths; `None` where a person decided or it is the first.
    pub score: Option<i32>,
}

/// What a person wrote down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Time at which the note was written.
    pub at: Time,
    /// The person who wrote the note.
    pub by: String,
    /// The note, as plain text.
    pub text: String,
}

/// A merge or split in an incident's past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    /// The event that did it.
    pub event: EventId,
    /// Which of the two.
    pub how: LineageKind,
    /// The other incident.
    pub other: IncidentId,
    /// The alerts that moved.
    pub fingerprints: Vec<Fingerprint>,
    /// The event that took it back.
    pub undone_by: Option<EventId>,
    /// The title of before, where it changed the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title_before: Option<String>,
}

/// An incident as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Its id; it keeps it for ever.
    pub id: IncidentId,
    /// In plain words.
    pub title: String,
    /// Where it is in its life.
    pub status: Status,
    /// How bad it is now: the worst firing member, or what a person set.
    pub severity: Severity,
    /// The worst it ever was.
    pub peak_severity: Severity,
    /// Whether a person set the severity.
    pub severity_set: bool,
    /// The services that its alerts are about.
    pub services: BTreeSet<String>,
    /// The teams that answer for them.
    pub teams: BTreeSet<String>,
    /// Who takes care.
    pub owner: Option<String>,
    /// The earliest symptom.
    pub started_at: Time,
    /// Time of the decision that opened the incident.
    pub opened_at: Time,
    /// When anything about it last changed.
    pub updated_at: Time,
    /// When somebody took care.
    pub acknowledged_at: Option<Time>,
    /// Who did.
    pub acknowledged_by: Option<String>,
    /// When it was over.
    pub resolved_at: Option<Time>,
    /// What ended it.
    pub resolved_by: Option<ResolvedBy>,
    /// What a person said it was.
    pub cause: Option<String>,
    /// What a person said ended it.
    pub resolution: Option<String>,
    /// The alerts that belong to it, by fingerprint.
    pub members: BTreeMap<Fingerprint, Member>,
    /// How often it came back.
    pub reopened: u64,
    /// The earlier incident of which it is a recurrence.
    pub recurrence_of: Option<IncidentId>,
    /// The incident that it became a part of.
    pub merged_into: Option<IncidentId>,
    /// The incident that it left.
    pub split_from: Option<IncidentId>,
    /// Merges and splits, oldest first.
    pub lineage: Vec<Lineage>,
    /// Until when pages wait.
    pub snoozed_until: Option<Time>,
    /// The newest notes, oldest first.
    pub notes: Vec<Note>,
    /// The version of the weights that grouped it; 0 where a person declared it.
    pub weights: u32,
    /// Every version that put an alert into it.
    pub grouped_by: BTreeSet<u32>,
    /// Decisions on it so far.
    pub revision: u64,
}

impl Incident {
    /// Whether it is still going on.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.status != Status::Resolved
    }

    /// Whether an alert that brings it back at `now` finds it acknowledged still: somebody had acknowledged it, it
    /// ended because its alerts did, and that is no longer ago than `within`.
    #[must_use]
    pub fn keeps_acknowledgement(&self, now: Time, within: Span) -> bool {
        let lately = self.resolved_at.is_some_and(|at| now.since(at) <= within);
        self.acknowledged_at.is_some() && self.resolved_by == Some(ResolvedBy::Quiet) && lately
    }

    /// An open incident without alerts, as it is before its first event says more.
    #[must_use]
    pub fn born(id: IncidentId, title: &str, severity: Severity, now: Time) -> Self {
        Self {
            id,
            title: title.to_owned(),
            status: Status::Open,
            severity,
            peak_severity: severity,
            severity_set: false,
            services: BTreeSet::new(),
            teams: BTreeSet::new(),
            owner: None,
            started_at: now,
            opened_at: now,
            updated_at: now,
            acknowledged_at: None,
            acknowledged_by: None,
            resolved_at: None,
            resolved_by: None,
            cause: None,
            resolution: None,
            members: BTreeMap::new(),
            reopened: 0,
            recurrence_of: None,
            merged_into: None,
            split_from: None,
            lineage: Vec::new(),
            snoozed_until: None,
            notes: Vec::new(),
            weights: 0,
            grouped_by: BTreeSet::new(),
            revision: 0,
        }
    }
}
