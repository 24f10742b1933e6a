//! Where an alert goes: held back by a silence, back to its incident, into one that fits, or into one of
//! its own. And what its end means for the incident that it belongs to.

use hindcast_correlation::assign::{self, Assignment};
use hindcast_correlation::baseline::Usualness;
use hindcast_correlation::evidence::AlertEvidence;
use hindcast_correlation::groups::IncidentGroup;
use hindcast_correlation::pair::PairScorer;
use hindcast_correlation::parameters::PARAMETERS;
use hindcast_correlation::traits::Newcomer;
use hindcast_domain::alert::{Suppressed, TEST_SERVICE, Unsuppressed};
use hindcast_domain::event::{Draft, Event};
use hindcast_domain::incident::{self, AlertJoined, Grouping, Incident, Opened, Reopened};
use hindcast_domain::silence::{Kind, Silence};
use hindcast_domain::words::{GroupingRule, ResolvedBy, SilenceEnd, SuppressionKind};
use hindcast_domain::{EventId, Fingerprint, IncidentId, Partition, Span, Time};

use crate::ending;
use crate::second;
use crate::state::{CorrelatorState, is_closed_by_a_person};
use crate::title;

/// Why an alert looks for its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlacingReason {
    /// It begins to fire, or fires when nothing suppresses it any more.
    Fires,
    /// It is said to fire long after a person resolved its incident.
    StillFires,
}

/// How long after its end an alert that comes back belongs to its open incident without being asked.
const STAYS: Span = Span::seconds(PARAMETERS.end_least_s.value);

/// The silence that holds an alert back, if one of those does that `may`. One that the alert is exempt from hides no other.
#[must_use]
pub fn silence_over<'a>(
    state: &'a CorrelatorState,
    lane: &Partition,
    firing: &Newcomer<'_>,
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

/// The suppression of an alert that returns as it usually does and pages nobody; `None` for every other. It has an end:
/// what fires still by then is asked.
#[must_use]
pub fn usual(state: &CorrelatorState, firing: &Newcomer<'_>, now: Time) -> Option<Suppressed> {
    let usualness = || state.grouped.baseline.usualness(&state.grouped.traits(firing), now);
    if firing.severity.pages() || usualness() != Usualness::Usual {
        return None;
    }
    let entity = firing.about.and_then(|about| about.entity.as_ref()).map(ToString::to_string);
    let place = entity.or_else(|| firing.service.map(ToOwned::to_owned)).map(|place| format!(" of {place}"));
    let by = format!("usual {}{}", firing.name, place.unwrap_or_default());
    let exempt = state.book.alerts.get(firing.fingerprint).and_then(|alert| alert.exempt_from.as_deref());
    let until = now + Span::seconds(PARAMETERS.usual_for_s.value);
    (exempt != Some(by.as_str())).then_some(Suppressed { by, kind: SuppressionKind::Usual, until })
}

/// Finds the place of an alert that fires. `cause` seeds the id of an incident that it may open.
#[must_use]
pub fn place(
    state: &CorrelatorState,
    firing: &Newcomer<'_>,
    why: PlacingReason,
    cause: &EventId,
    now: Time,
) -> Vec<Draft> {
    // A test of an endpoint is a sign of nothing.
    if firing.service == Some(TEST_SERVICE) && !firing.severity.pages() {
        return Vec::new();
    }
    if why == PlacingReason::Fires
        && let Some(drafts) = at_home(state, firing, now)
    {
        return drafts;
    }
    let evidence = AlertEvidence::of(firing, state.grouped.traits(firing), &state.grouped.baseline, now);
    let scorer = PairScorer::new(state.seen.weights(), state.seen.topology());
    let joins = |group: &IncidentGroup| state.is_joinable(group, group.has_quiet(&evidence), now);
    let mut assignment = assign::assign(&evidence, &state.grouped.groups, &scorer, now, joins);
    let Some(incident) = assignment.incident.as_ref().and_then(|id| state.book.incidents.get(id)) else {
        if why == PlacingReason::StillFires {
            assignment.grouping.rule = GroupingRule::StillFiring;
        }
        let opens = firing.severity.opens_incident();
        let opened = opens.then(|| open(state, firing, assignment.grouping, cause, now));
        let left = opened.as_ref().and_then(|_| leaving(state, firing, None));
        return opened.into_iter().chain(left).collect();
    };
    let mut drafts = joining(state, incident, firing, &assignment, now);
    drafts.extend(leaving(state, firing, Some(&incident.id)));
    if let Some(second) = &assignment.second {
        drafts.extend(second::bridged(state, &evidence, firing.fingerprint, &incident.id, second));
    }
    drafts
}

/// The place of an alert that is a sign of nothing else: its own incident of a moment ago, or a new one.
#[must_use]
pub(crate) fn back_or_alone(
    state: &CorrelatorState,
    firing: &Newcomer<'_>,
    grouping: Grouping,
    cause: &EventId,
    now: Time,
) -> Vec<Draft> {
    let opens = firing.severity.opens_incident();
    at_home(state, firing, now)
        .unwrap_or_else(|| opens.then(|| open(state, firing, grouping, cause, now)).into_iter().collect())
}

/// What it means for the open incident that an alert belonged to that it goes elsewhere.
fn leaving(state: &CorrelatorState, firing: &Newcomer<'_>, to: Option<&IncidentId>) -> Option<Draft> {
    let home = state.last_incident(firing.fingerprint).filter(|home| home.is_live() && Some(&home.id) != to)?;
    quiet(state, &home.id, firing.fingerprint)
}

fn joining(
    state: &CorrelatorState,
    incident: &Incident,
    firing: &Newcomer<'_>,
    assignment: &Assignment,
    now: Time,
) -> Vec<Draft> {
    let back = (!incident.is_live()).then(|| reopened(state, incident, firing, now));
    let joined = joined(state, incident, firing, Some(assignment.grouping.clone()));
    back.into_iter().chain([Draft::system(&incident.id, Event::IncidentAlertJoined(joined))]).collect()
}

/// The incident that an alert goes back to without being asked: its own, if it left it a moment ago; only what it changes
/// is told. After a pause it is asked anew, and after a person resolved its incident, it begins a new one.
fn at_home(state: &CorrelatorState, firing: &Newcomer<'_>, now: Time) -> Option<Vec<Draft>> {
    let home = state.last_incident(firing.fingerprint)?;
    let known = state.book.alerts.get(firing.fingerprint)?;
    if !home.is_live() {
        let ended = home.resolved_at.unwrap_or(now);
        let is_lately = now.since(ended) <= state.seen.rules.reopen_within();
        return (!is_closed_by_a_person(home) && is_lately).then(|| vec![reopened(state, home, firing, now)]);
    }
    let left = known.occurrences.iter().filter_map(|occurrence| occurrence.closed_at).max();
    let stays = known.flapping_until.is_some() || left.is_none_or(|left| now.since(left) <= STAYS);
    let is_member = home.members.contains_key(firing.fingerprint);
    let is_worse = !home.severity_set && firing.severity > home.severity;
    let is_new = firing.service.is_some_and(|service| !home.services.contains(service));
    let changes = is_worse || is_new || !is_member;
    let again = AlertJoined { team: None, ..joined(state, home, firing, None) };
    let told = changes.then(|| Draft::system(&home.id, Event::IncidentAlertJoined(again)));
    stays.then(|| told.into_iter().collect())
}

fn reopened(state: &CorrelatorState, incident: &Incident, firing: &Newcomer<'_>, now: Time) -> Draft {
    let reopened = Reopened {
        count: incident.reopened + 1,
        fingerprint: Some(firing.fingerprint.clone()),
        severity: Some(firing.severity),
        worse: firing.severity > incident.peak_severity,
        keeps_acknowledgement: incident.keeps_acknowledgement(now, state.seen.rules.keep_acknowledged()),
    };
    Draft::system(&incident.id, Event::IncidentReopened(reopened))
}

/// The team that answers for an alert: by the catalogue, or as its own labels say.
fn team(state: &CorrelatorState, firing: &Newcomer<'_>) -> Option<String> {
    let owner = firing.service.and_then(|service| state.seen.topology().owner(service));
    owner.map(ToOwned::to_owned).or_else(|| {
        ["team", "owner", "squad"]
            .iter()
            .find_map(|name| firing.labels.get(*name))
            .filter(|team| !team.is_empty())
            .cloned()
    })
}

fn joined(
    state: &CorrelatorState,
    incident: &Incident,
    firing: &Newcomer<'_>,
    grouping: Option<Grouping>,
) -> AlertJoined {
    AlertJoined {
        fingerprint: firing.fingerprint.clone(),
        severity: firing.severity,
        service: firing.service.map(ToOwned::to_owned),
        team: team(state, firing),
        starts_at: firing.starts_at,
        grouping,
        title: title::following(state, incident, firing),
    }
}

fn open(state: &CorrelatorState, firing: &Newcomer<'_>, grouping: Grouping, cause: &EventId, now: Time) -> Draft {
    let id = IncidentId::derive(&[cause.as_str().as_bytes(), firing.fingerprint.as_str().as_bytes()]);
    let recurrence_of = recurrence(state, firing, now).map(|before| before.id.clone());
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

/// The earlier incident that was the same problem, as far as its first alert tells: one that consisted of this alert's
/// rule alone. An alert that stood in an incident among others may be a sign of many problems.
fn recurrence<'a>(state: &'a CorrelatorState, firing: &Newcomer<'_>, now: Time) -> Option<&'a Incident> {
    let before = state.last_incident(firing.fingerprint)?;
    let within = Span::seconds(state.seen.rules.recurrence_within_s);
    let is_lately = before.resolved_at.is_some_and(|at| now.since(at) <= within);
    let mut members = before.members.keys().filter_map(|fingerprint| state.book.alerts.get(fingerprint));
    (is_lately && members.all(|alert| alert.name == firing.name)).then_some(before)
}

/// What it means for an incident that `ending` fires no more: when it was the last one, the incident is
/// over. Alerts whose sender fell silent keep it open for a while, flapping ones until they settle.
#[must_use]
pub fn quiet(state: &CorrelatorState, id: &IncidentId, ending: &Fingerprint) -> Option<Draft> {
    let incident = state.book.home(id).filter(|incident| incident.is_live())?;
    let others_quiet = state.roster.is_quiet_besides(&incident.id, ending);
    others_quiet.then(|| ending::resolved(incident, ResolvedBy::Quiet))
}
