//! How documents of the outside contract are made: from the fold that they show, or new with nothing done to them yet.
//! A field that is added to a document gets its first value here.

use std::collections::BTreeMap;

use hindcast_domain::{Severity, Time, alert, incident};

use crate::{Alert, Incident};

impl Incident {
    /// An open incident with one alert, which nobody has acted on.
    #[must_use]
    pub fn opened(id: &str, title: &str, severity: Severity, environment: &str, at: Time) -> Self {
        Self {
            id: id.to_owned(),
            title: title.to_owned(),
            status: incident::Status::Open,
            severity,
            peak_severity: severity,
            services: Vec::new(),
            teams: Vec::new(),
            environment: environment.to_owned(),
            owner: None,
            started_at: at,
            opened_at: at,
            updated_at: at,
            acknowledged_at: None,
            acknowledged_by: None,
            resolved_at: None,
            resolved_by: None,
            cause: None,
            resolution: None,
            alerts: 1,
            firing: 1,
            occurrences: 1,
            reopened: 0,
            recurrence_of: None,
            merged_into: None,
            merged_from: Vec::new(),
            split_from: None,
            snoozed_until: None,
            weights: 1,
            grouped_by: Vec::new(),
            shadow: None,
            revision: 1,
            url: String::new(),
        }
    }

    /// The fold of an incident as it is shown. A fold does not know which of its alerts fire and how often they were
    /// received: `firing` and `occurrences` are 0 until somebody who does sets them.
    #[must_use]
    pub fn of(fold: incident::Incident, environment: String, url: String) -> Self {
        let merged = fold.lineage.iter().filter(|past| past.how == "merged" && past.undone_by.is_none());
        Self {
            merged_from: merged.map(|past| past.other.to_string()).collect(),
            url,
            environment,
            id: fold.id.to_string(),
            title: fold.title,
            status: fold.status,
            severity: fold.severity,
            peak_severity: fold.peak_severity,
            services: fold.services.into_iter().collect(),
            teams: fold.teams.into_iter().collect(),
            owner: fold.owner,
            started_at: fold.started_at,
            opened_at: fold.opened_at,
            updated_at: fold.updated_at,
            acknowledged_at: fold.acknowledged_at,
            acknowledged_by: fold.acknowledged_by,
            resolved_at: fold.resolved_at,
            resolved_by: fold.resolved_by,
            cause: fold.cause,
            resolution: fold.resolution,
            alerts: fold.members.len() as u64,
            firing: 0,
            occurrences: 0,
            reopened: fold.reopened,
            recurrence_of: fold.recurrence_of.map(|id| id.to_string()),
            merged_into: fold.merged_into.map(|id| id.to_string()),
            split_from: fold.split_from.map(|id| id.to_string()),
            snoozed_until: fold.snoozed_until,
            weights: fold.weights,
            grouped_by: fold.grouped_by.into_iter().collect(),
            shadow: None,
            revision: fold.revision,
        }
    }
}

impl Alert {
    /// An alert that fires for the first time and belongs to no incident.
    #[must_use]
    pub fn fired(fingerprint: &str, name: &str, severity: Severity, environment: &str, at: Time) -> Self {
        Self {
            fingerprint: fingerprint.to_owned(),
            source_fingerprint: None,
            source: String::new(),
            clock_ahead_s: None,
            senders: Vec::new(),
            name: name.to_owned(),
            service: None,
            entity: None,
            observed_by: None,
            entity_rule: None,
            environment: environment.to_owned(),
            status: alert::Status::Firing,
            severity,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            starts_at: at,
            ends_at: None,
            first_seen_at: at,
            last_seen_at: at,
            occurrences: 1,
            fired: 1,
            incident: None,
            suppressed_by: None,
            suppressed_until: None,
            flapping_until: None,
            url: None,
            revision: 1,
            receipt: String::new(),
        }
    }
}
