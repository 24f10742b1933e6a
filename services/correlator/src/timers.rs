//! What happens when nobody speaks: senders that fell silent, flapping that calmed down, silences and
//! snoozes that ended. Each timer is cleared by what it decides.

use hindcast_correlation::traits::Newcomer;
use hindcast_domain::alert::{self, Alert, Settled, Status};
use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::incident::Awoken;
use hindcast_domain::lane::Timer;
use hindcast_domain::silence::{Silence, SilenceState};
use hindcast_domain::words::{ResolvedBy, SilenceEnd};
use hindcast_domain::{EventId, Fingerprint, IncidentId, Partition, Time};

use crate::ending;
use crate::grouping::{self, PlacingReason};
use crate::heartbeats;
use crate::provisional::provisional;
use crate::second::{self, seed};
use crate::state::CorrelatorState;
use crate::state::agenda::silent_key;

/// Decides about a timer that is due.
pub(crate) fn fire(state: &CorrelatorState, lane: &Partition, timer: &Timer) -> Vec<Draft> {
    let Some((what, id)) = timer.id.split_once('/') else {
        return Vec::new();
    };
    let alert = || id.parse::<Fingerprint>().ok().and_then(|fingerprint| state.book.alerts.get(&fingerprint));
    let incident = || id.parse::<IncidentId>().ok().and_then(|id| state.book.incidents.get(&id));
    match what {
        "stale" => alert().map(|alert| stale(state, alert)).unwrap_or_default(),
        "settle" => alert().map(|alert| settle(state, alert)).unwrap_or_default(),
        "silent" => heartbeats::silent(state, lane, &silent_key(id), timer.due),
        "unsuppress" => alert()
            .map(|alert| lift(state, lane, alert, &SilenceEnd::Elapsed, &seed(timer), timer.due, None))
            .unwrap_or_default(),
        "awake" => incident()
            .map(|incident| vec![Draft::system(&incident.id, Event::IncidentAwoken(Awoken {}))])
            .unwrap_or_default(),
        "quiet" => incident().map(|incident| vec![ending::resolved(incident, ResolvedBy::Stale)]).unwrap_or_default(),
        "review" => incident().map(|incident| second::review(state, &incident.id, timer)).unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn stale(state: &CorrelatorState, alert: &Alert) -> Vec<Draft> {
    let last_seen_at = state.seen.repeated_since(alert).map_or(alert.last_seen_at, |last| last.at);
    let silent = alert::decide::silent(alert, last_seen_at);
    let is_over = matches!(silent, Event::AlertResolved(_)) && alert.flapping_until.is_none();
    let home = alert.incident.as_ref().filter(|_| is_over);
    let quiet = home.and_then(|incident| grouping::quiet(state, incident, &alert.fingerprint));
    std::iter::once(Draft::system(&alert.fingerprint, silent)).chain(quiet).collect()
}

fn settle(state: &CorrelatorState, alert: &Alert) -> Vec<Draft> {
    let mut drafts = vec![Draft::system(&alert.fingerprint, Event::AlertSettled(Settled {}))];
    if alert.status == Status::Resolved
        && let Some(incident) = &alert.incident
    {
        drafts.extend(grouping::quiet(state, incident, &alert.fingerprint));
    }
    drafts
}

/// Lifts what holds an alert back; if it fires still, another silence may hold it, or it finds its place.
/// `ended` is the silence that just ended, which counts as over although it is not folded yet.
pub(crate) fn lift(
    state: &CorrelatorState,
    lane: &Partition,
    alert: &Alert,
    reason: &SilenceEnd,
    cause: &EventId,
    now: Time,
    ended: Option<&str>,
) -> Vec<Draft> {
    let Some(held) = &alert.suppressed else {
        return Vec::new();
    };
    let mut drafts =
        vec![grouping::unsuppress(&alert.fingerprint, &held.by, reason.clone(), *reason == SilenceEnd::Undone)];
    if !alert.is_firing() {
        return drafts;
    }
    let firing = Newcomer::of(alert);
    let goes_on =
        |other: &Silence| other.id.as_str() != held.by && ended != Some(other.id.as_str()) && other.terms.ends_at > now;
    let other = grouping::silence_over(state, lane, &firing, goes_on);
    match other {
        Some(silence) => drafts.push(grouping::suppress(&alert.fingerprint, silence)),
        None => drafts.extend(grouping::place(state, &firing, PlacingReason::Fires, cause, now)),
    }
    drafts
}

/// A silence began to hold: alerts that fire and are covered are held back from now on.
pub(crate) fn silence_began(state: &CorrelatorState, lane: &Partition, input: &Recorded) -> Vec<Draft> {
    let mut silences = state.seen.silences.clone();
    silences.evolve(input);
    let Some(silence) = input.subject.parse().ok().and_then(|id| silences.0.remove(&id)) else {
        return Vec::new();
    };
    if silence.state != SilenceState::Active {
        return Vec::new();
    }
    let covered = |alert: &&Alert| {
        alert.is_firing()
            && alert.suppressed.is_none()
            && alert.exempt_from.as_deref() != Some(silence.id.as_str())
            && silence.terms.covers(&lane.environment, &alert.labels)
    };
    state.book.alerts.values().filter(covered).map(|alert| hold(alert, &silence)).collect()
}

fn hold(alert: &Alert, silence: &Silence) -> Draft {
    grouping::suppress(&alert.fingerprint, silence)
}

/// A silence ended: what it held is lifted.
pub(crate) fn silence_ended(
    state: &CorrelatorState,
    lane: &Partition,
    input: &Recorded,
    reason: &SilenceEnd,
    now: Time,
) -> Vec<Draft> {
    let ended = Some(input.subject.as_str());
    let held = |alert: &&Alert| alert.suppressed.as_ref().map(|held| held.by.as_str()) == ended;
    let held: Vec<&Alert> = state.book.alerts.values().filter(held).collect();
    // What several of them open may be one problem: each is placed in sight of what was decided about the
    // one before, on a copy that is thrown away. That is rare enough to pay for.
    let mut drafts = Vec::new();
    let mut ahead = (held.len() > 1).then(|| state.clone());
    for alert in held {
        let decided = lift(ahead.as_ref().unwrap_or(state), lane, alert, reason, &input.id, now, ended);
        if let Some(ahead) = &mut ahead {
            decided.iter().for_each(|draft| ahead.evolve(&provisional(draft, lane, now)));
        }
        drafts.extend(decided);
    }
    drafts
}
