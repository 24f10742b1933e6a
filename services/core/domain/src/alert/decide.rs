//! What an observation means for an alert: a transition, or a repeat of a state that is known.
//!
//! Dedup runs against *every* recent state of a fingerprint, not just the last: replicas of a sender that
//! disagree for a second, resends that overtake each other and ends that are sent for a quarter of an hour
//! are repeats; only a state that was never heard of is a transition.

use super::{Alert, Fired, Flapping, Observation, Occurrence, Repeat, Repeated, Resolved, Signal, Status};
use crate::event::{Draft, Event};
use crate::id::EventId;
use crate::limits::CLAMP_PAST;
use crate::time::{Span, Time};

/// How far a replica of a sender may lag: as long as an Alertmanager sends an end again.
const LAGS: Span = Span::minutes(15);

/// The rules that dedup, flapping and staleness follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long after its end an old state that is sent again is believed to be late, not back.
    pub late: Span,
    /// The window in which transitions are counted.
    pub flap_window: Span,
    /// Transitions inside the window from which on an alert flaps.
    pub flap_transitions: u32,
    /// How long flapping lasts without a further transition.
    pub flap_calm: Span,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            late: Span::seconds(30),
            flap_window: Span::minutes(10),
            flap_transitions: 6,
            flap_calm: Span::minutes(10),
        }
    }
}

/// Decides about one observation. `service` is its service by the catalogue's name; `door_opened_at` is
/// when we could last begin to hear, which defers staleness after an outage of ours.
#[must_use]
pub fn observe(
    alert: Option<&Alert>,
    observation: &Observation,
    observed: &EventId,
    service: Option<&str>,
    now: Time,
    rules: &Rules,
) -> Vec<Draft> {
    let draft = |event| Draft::system(&observation.fingerprint, event);
    let mut drafts = match (alert, observation.signal) {
        (None, Signal::Firing) => vec![draft(fired(None, observation, observed, service, now))],
        // An end of something that never began is a fact at the door and no alert.
        (None, Signal::Resolved) => Vec::new(),
        (Some(alert), Signal::Firing) => vec![draft(firing(alert, observation, observed, service, now, rules))],
        (Some(alert), Signal::Resolved) => vec![draft(resolved(alert, observation, observed, now))],
    };
    if let Some(alert) = alert
        && let Some(flapping) = flapping(alert, &drafts, now, rules)
    {
        drafts.push(draft(flapping));
    }
    drafts
}

fn firing(
    alert: &Alert,
    observation: &Observation,
    observed: &EventId,
    service: Option<&str>,
    now: Time,
    rules: &Rules,
) -> Event {
    let current = alert.occurrence();
    if alert.is_firing() {
        let why = match observation.starts_at {
            Some(sent) if !current.starts_sent.contains(&sent) => Repeat::Replica,
            _ => Repeat::Resent,
        };
        return repeated(alert, observation, observed, current.number, why, Some(now + observation.stale_after));
    }
    // A start that belongs to a stretch which is over: late, unless it is said long after the end.
    // An end by silence is no end that the sender knows of, so any word from it is a refire.
    let known = observation
        .starts_at
        .and_then(|sent| alert.occurrences.iter().rev().find(|occurrence| occurrence.starts_sent.contains(&sent)));
    match known {
        Some(known)
            if alert.status == Status::Resolved
                && known
                    .closed_at
                    .is_some_and(|closed| now.since(closed) <= late(known, alert, observation, rules)) =>
        {
            repeated(alert, observation, observed, known.number, Repeat::Late, None)
        }
        _ => fired(Some(alert), observation, observed, service, now),
    }
}

/// How long after its end a stretch that is said to fire is late. A sender that said itself that it ended began it at
/// another time if it were back, so what says the same start is a replica of it that lags.
fn late(known: &Occurrence, alert: &Alert, observation: &Observation, rules: &Rules) -> Span {
    let is_its_own_end = known.ends_at.is_some() && alert.source == observation.source;
    if is_its_own_end { rules.late.max(LAGS) } else { rules.late }
}

fn resolved(alert: &Alert, observation: &Observation, observed: &EventId, now: Time) -> Event {
    let current = alert.occurrence();
    if !alert.is_firing() {
        return match alert.status {
            // Silence became an end that the sender confirms.
            Status::Stale => Event::AlertResolved(end(alert, observation, observed, now)),
            _ => repeated(alert, observation, observed, current.number, Repeat::ResolvedAgain, None),
        };
    }
    // An end belongs to an older stretch when its start does, or when it lies before this one began and
    // there is an older one that it could mean.
    let names_this_one = observation.starts_at.is_some_and(|sent| current.starts_sent.contains(&sent));
    let older = || alert.occurrences.iter().filter(|occurrence| occurrence.number < current.number);
    let of_an_older_one = !names_this_one
        && observation.starts_at.is_some_and(|sent| older().any(|occurrence| occurrence.starts_sent.contains(&sent)));
    let before_it_began =
        !names_this_one && older().next().is_some() && observation.ends_at.is_some_and(|ends| ends < current.starts_at);
    if of_an_older_one || before_it_began {
        return repeated(alert, observation, observed, current.number, Repeat::ResolvedAgain, None);
    }
    Event::AlertResolved(end(alert, observation, observed, now))
}

fn end(alert: &Alert, observation: &Observation, observed: &EventId, now: Time) -> Resolved {
    let ends_at = observation.ends_at.unwrap_or(now).clamped(alert.occurrence().starts_at, now);
    Resolved { observed: observed.clone(), ends_at }
}

fn fired(
    alert: Option<&Alert>,
    observation: &Observation,
    observed: &EventId,
    service: Option<&str>,
    now: Time,
) -> Event {
    let starts_at = observation.starts_at.unwrap_or(now).clamped(now - CLAMP_PAST, now);
    Event::AlertFired(Fired {
        observed: observed.clone(),
        occurrence: alert.map_or(0, |alert| alert.fired) + 1,
        source_fingerprint: observation.source_fingerprint.clone(),
        source: observation.source.clone(),
        name: observation.name.clone(),
        service: service.map(ToOwned::to_owned),
        about: observation.about.clone(),
        severity: observation.severity,
        labels: observation.labels.clone(),
        annotations: observation.annotations.clone(),
        starts_at,
        starts_at_sent: observation.starts_at,
        stale_at: now + observation.stale_after,
        url: observation.url.clone(),
    })
}

fn repeated(
    alert: &Alert,
    observation: &Observation,
    observed: &EventId,
    occurrence: u64,
    why: Repeat,
    stale_at: Option<Time>,
) -> Event {
    // A late word about the past changes nothing about the present.
    let news = matches!(why, Repeat::Resent | Repeat::Replica);
    Event::AlertRepeated(Repeated {
        observed: observed.clone(),
        why,
        occurrence,
        starts_at_sent: observation.starts_at.filter(|_| why == Repeat::Replica),
        stale_at,
        severity: (news && alert.severity != observation.severity).then_some(observation.severity),
        labels: (news && alert.labels != observation.labels).then(|| observation.labels.clone()),
        annotations: (news && alert.annotations != observation.annotations).then(|| observation.annotations.clone()),
    })
}

fn flapping(alert: &Alert, drafts: &[Draft], now: Time, rules: &Rules) -> Option<Event> {
    let is_transition =
        drafts.iter().any(|draft| matches!(draft.event, Event::AlertFired(_) | Event::AlertResolved(_)));
    if !is_transition {
        return None;
    }
    let transitions = u32::try_from(alert.transitions_since(now - rules.flap_window)).unwrap_or(u32::MAX) + 1;
    let already = alert.flapping_until.is_some();
    (already || transitions >= rules.flap_transitions)
        .then(|| Event::AlertFlapping(Flapping { transitions, until: now + rules.flap_calm }))
}
