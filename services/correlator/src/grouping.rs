//! Where an alert goes: held back by a silence, back to its incident, into one that fits, or into one of
//! its own. And what its end means for the incident that it belongs to.

use hindcast_correlation::cluster::{self, Newcomer};
use hindcast_domain::alert::{Alert, Labels, Suppressed, Unsuppressed};
use hindcast_domain::entity::AlertSubject;
use hindcast_domain::event::{Draft, Event};
use hindcast_domain::incident::{self, AlertJoined, Grouping, Incident, Opened, Reopened};
use hindcast_domain::silence::{Kind, Silence};
use hindcast_domain::words::{ResolvedBy, SilenceEnd, SuppressionKind};
use hindcast_domain::{EventId, Fingerprint, IncidentId, Partition, Severity, Span, Time};

use crate::state::CorrelatorState;

/// An alert that fires and looks for its place. Borrowed from a decision that is not folded yet, or from
/// an alert that is known.
#[derive(Clone, Copy)]
pub struct FiringAlert<'a> {
    /// Computed from the labels, not the sender's own.
    pub fingerprint: &'a Fingerprint,
    /// The rule's name.
    pub name: &'a str,
    /// Service of the alert; absent when no label names one.
    pub service: Option<&'a str>,
    /// What it is about, apart from who observed it.
    pub about: Option<&'a AlertSubject>,
    /// How bad it is.
    pub severity: Severity,
    /// All labels.
    pub labels: &'a Labels,
    /// All annotations.
    pub annotations: &'a Labels,
    /// When it began.
    pub starts_at: Time,
}

impl<'a> FiringAlert<'a> {
    /// From an alert as it stands.
    #[must_use]
    pub fn of(alert: &'a Alert) -> Self {
        Self {
            fingerprint: &alert.fingerprint,
            name: &alert.name,
            service: alert.service.as_deref(),
            about: alert.about.as_ref(),
            severity: alert.severity,
            labels: &alert.labels,
            annotations: &alert.annotations,
            starts_at: alert.occurrence().starts_at,
        }
    }
}

/// The silence that holds an alert back, if one of those does that `may`. One that the alert is exempt from hides no other.
#[must_use]
pub fn silence_over<'a>(
    state: &'a CorrelatorState,
    lane: &Partition,
    firing: &FiringAlert<'_>,
    may: impl Fn(&Silence) -> bool,
) -> Option<&'a Silence> {
    let exempt = state.book.alerts.get(firing.fingerprint).and_then(|alert| alert.exempt_from.as_deref());
    let may = |silence: &Silence| exempt != Some(silence.id.as_str()) && may(silence);
    state.seen.silences.covering(&lane.environment, firing.labels, may)
}

/// The decision that holds an alert back.
#[must_use]
pub fn suppress(fingerprint: &Fingerprint, silence: &Silence) -> Draft {
    let kind = match silence.terms.kind {
        Kind::Silence => SuppressionKind::Silence,
        Kind::Maintenance => SuppressionKind::Maintenance,
    };
    let held = Suppressed { by: silence.id.to_string(), kind, until: silence.terms.ends_at };
    Draft::system(fingerprint, Event::AlertSuppressed(held))
}

/// The decision that holds it back no more.
#[must_use]
pub fn unsuppress(fingerprint: &Fingerprint, by: &str, reason: SilenceEnd, exempt: bool) -> Draft {
    let lifted = Unsuppressed { by: by.to_owned(), reason, exempt };
    Draft::system(fingerprint, Event::AlertUnsuppressed(lifted))
}

/// Finds the place of an alert that fires. `cause` seeds the id of an incident that it may open.
#[must_use]
pub fn place(state: &CorrelatorState, firing: &FiringAlert<'_>, cause: &EventId, now: Time) -> Vec<Draft> {
    if let Some(home) = state.last_incident(firing.fingerprint) {
        if home.is_live() {
            return at_home(home, firing);
        }
        let ended = home.resolved_at.unwrap_or(now);
        if now.since(ended) <= state.seen.rules.reopen_within() {
            return reopen(state, home, firing, None, now);
        }
    }
    let newcomer = Newcomer {
        name: firing.name,
        service: firing.service,
        about: firing.about,
        labels: firing.labels,
        annotations: firing.annotations,
        starts_at: firing.starts_at,
    };
    let candidates = state.candidates(&newcomer, now);
    let assignment = cluster::assign(&newcomer, &candidates, state.seen.topology(), state.seen.weights());
    match assignment.incident.as_ref().and_then(|id| state.book.incidents.get(id)) {
        Some(incident) if incident.is_live() => {
            vec![Draft::system(
                &incident.id,
                Event::IncidentAlertJoined(joined(state, firing, Some(assignment.grouping))),
            )]
        }
        Some(incident) => {
            let joined = joined(state, firing, Some(assignment.grouping));
            reopen(state, incident, firing, Some(joined), now)
        }
        None if firing.severity.opens_incident() => {
            vec![open(state, firing, assignment.grouping, cause, now)]
        }
        None => Vec::new(),
    }
}

/// It is a member already; only what it changes is told.
fn at_home(home: &Incident, firing: &FiringAlert<'_>) -> Vec<Draft> {
    let known = home.members.contains_key(firing.fingerprint);
    let worse = !home.severity_set && firing.severity > home.severity;
    if known && !worse {
        return Vec::new();
    }
    let again = AlertJoined {
        fingerprint: firing.fingerprint.clone(),
        severity: firing.severity,
        service: firing.service.map(ToOwned::to_owned),
        team: None,
        starts_at: firing.starts_at,
        grouping: None,
    };
    vec![Draft::system(&home.id, Event::IncidentAlertJoined(again))]
}

fn reopen(
    state: &CorrelatorState,
    incident: &Incident,
    firing: &FiringAlert<'_>,
    newcomer: Option<AlertJoined>,
    now: Time,
) -> Vec<Draft> {
    let reopened = Reopened {
        count: incident.reopened + 1,
        fingerprint: Some(firing.fingerprint.clone()),
        severity: Some(firing.severity),
        worse: firing.severity > incident.peak_severity,
        keeps_acknowledgement: incident.keeps_acknowledgement(now, state.seen.rules.keep_acknowledged()),
    };
    let mut drafts = vec![Draft::system(&incident.id, Event::IncidentReopened(reopened))];
    drafts.extend(newcomer.map(|joined| Draft::system(&incident.id, Event::IncidentAlertJoined(joined))));
    drafts
}

/// The team that answers for an alert: by the catalogue, or as its own labels say.
fn team(state: &CorrelatorState, firing: &FiringAlert<'_>) -> Option<String> {
    let owner = firing.service.and_then(|service| state.seen.topology().owner(service));
    owner.map(ToOwned::to_owned).or_else(|| {
        ["team", "owner", "squad"]
            .iter()
            .find_map(|name| firing.labels.get(*name))
            .filter(|team| !team.is_empty())
            .cloned()
    })
}

fn joined(state: &CorrelatorState, firing: &FiringAlert<'_>, grouping: Option<Grouping>) -> AlertJoined {
    AlertJoined {
        fingerprint: firing.fingerprint.clone(),
        severity: firing.severity,
        service: firing.service.map(ToOwned::to_owned),
        team: team(state, firing),
        starts_at: firing.starts_at,
        grouping,
    }
}

fn open(state: &CorrelatorState, firing: &FiringAlert<'_>, grouping: Grouping, cause: &EventId, now: Time) -> Draft {
    let id = IncidentId::derive(&[cause.as_str().as_bytes(), firing.fingerprint.as_str().as_bytes()]);
    let within = Span::seconds(state.seen.rules.recurrence_within_s);
    let recurrence_of = state
        .last_incident(firing.fingerprint)
        .filter(|before| before.resolved_at.is_some_and(|at| now.since(at) <= within))
        .map(|before| before.id.clone());
    let opened = Opened {
        title: incident::decide::title_of(firing.name, firing.service, firing.annotations),
        fingerprint: firing.fingerprint.clone(),
        severity: firing.severity,
        service: firing.service.map(ToOwned::to_owned),
        team: team(state, firing),
        started_at: firing.starts_at.min(now),
        grouping,
        recurrence_of,
    };
    Draft::system(&id, Event::IncidentOpened(opened))
}

/// What it means for an incident that `ending` fires no more: when it was the last one, the incident is
/// over. Alerts whose sender fell silent keep it open for a while, flapping ones until they settle.
#[must_use]
pub fn quiet(state: &CorrelatorState, id: &IncidentId, ending: &Fingerprint) -> Option<Draft> {
    let incident = state.book.home(id).filter(|incident| incident.is_live())?;
    let others_quiet = state.roster.is_quiet_besides(&incident.id, ending);
    others_quiet.then(|| resolved(incident, ResolvedBy::Quiet))
}

/// The decision that an incident is over by itself.
#[must_use]
pub fn resolved(incident: &Incident, by: ResolvedBy) -> Draft {
    let over = incident::Resolved { by, cause: None, resolution: None };
    Draft::system(&incident.id, Event::IncidentResolved(over))
}
