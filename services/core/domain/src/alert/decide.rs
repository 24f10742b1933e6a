//! What an observation means for an alert: a transition, or a repeat of a state that is known.
//!
//! Dedup runs against *every* recent state of a fingerprint, not just the last: replicas of a sender that
//! disagree for a second, resends that overtake each other and ends that are sent for a quarter of an hour
//! are repeats; only a state that was never heard of is a transition. Of several senders each ends what it fired.

use super::clock::CLOCK_TOLERANCE;
use super::{Alert, Fired, Flapping, Observation, Occurrence, Repeat, Repeated, Resolved, Signal, Stale, Status};
use crate::event::{Draft, Event};
use crate::id::EventId;
use crate::limits::CLAMP_PAST;
use crate::repeats::LastRepeats;
use crate::time::{Span, Time};

/// How far a replica of a sender may lag: as long as an Alertmanager sends an end again.
const LAGS: Span = Span::minutes(15);
/// How far a start may seem to lie after its receipt because seconds are rounded.
const ROUNDING: Span = Span::seconds(1);

/// What is known of an observation beside what it says.
#[derive(Clone, Copy, Debug)]
pub struct Reception<'a> {
    /// The `intake.alert` event.
    pub observed: &'a EventId,
    /// The alert's service, by the catalogue's name.
    pub service: Option<&'a str>,
    /// How far the clock of its source is ahead of ours; negative: behind.
    pub ahead: Option<Span>,
    /// What senders sent again.
    pub repeats: &'a LastRepeats,
    /// When it is decided.
    pub now: Time,
}

impl Reception<'_> {
    /// A time of the sender by our clock.
    #[must_use]
    pub fn by_our_clock(&self, sent: Time) -> Time {
        self.ahead.map_or(sent, |ahead| sent - ahead)
    }

    fn is_in_the_future(&self, sent: Time) -> bool {
        self.by_our_clock(sent).since(self.now) > CLOCK_TOLERANCE
    }

    fn starts_at(&self, observation: &Observation) -> Time {
        let sent = observation.starts_at.map_or(self.now, |sent| self.by_our_clock(sent));
        sent.clamped(self.now - CLAMP_PAST, self.now)
    }

    fn ends_at(&self, observation: &Observation, stretch: &Occurrence) -> Time {
        let sent = observation.ends_at.map_or(self.now, |sent| self.by_our_clock(sent));
        sent.clamped(stretch.starts_at, self.now)
    }
}

/// The shortest time without a transition after which an alert has calmed down.
const CALM_LEAST: Span = Span::seconds(30);

/// The rules that dedup, flapping and staleness follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long after its end an old state that is sent again is believed to be late, not back.
    pub late: Span,
    /// The window in which transitions are counted.
    pub flap_window: Span,
    /// Transitions inside the window from which on an alert flaps.
    pub flap_transitions: u32,
    /// How long flapping lasts without a further transition, at most.
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

/// Decides about one observation.
#[must_use]
pub fn observe(
    alert: Option<&Alert>,
    observation: &Observation,
    reception: &Reception<'_>,
    rules: &Rules,
) -> Vec<Draft> {
    let draft = |event| Draft::system(&observation.fingerprint, event);
    let mut drafts = match (alert, observation.signal) {
        (None, Signal::Firing) => vec![draft(fired(None, observation, reception))],
        // An end of something that never began is a fact at the door and no alert.
        (None, Signal::Resolved) => Vec::new(),
        (Some(alert), Signal::Firing) => vec![draft(firing(alert, observation, reception, rules))],
        (Some(alert), Signal::Resolved) => vec![draft(resolved(alert, observation, reception))],
    };
    if let Some(alert) = alert
        && let Some(flapping) = flapping(alert, &drafts, reception.now, rules)
    {
        drafts.push(draft(flapping));
    }
    drafts
}

/// Decides about an alert whose senders all fell silent: what some of them said of its end holds.
#[must_use]
pub fn silent(alert: &Alert, last_seen_at: Time) -> Event {
    match alert.last_end() {
        Some(end) => Event::AlertResolved(Resolved {
            observed: end.observed.clone(),
            ends_at: end.ends_at,
            ends_at_sent: None,
            source: None,
            replica_of: None,
        }),
        None => Event::AlertStale(Stale { last_seen_at }),
    }
}

fn firing(alert: &Alert, observation: &Observation, reception: &Reception<'_>, rules: &Rules) -> Event {
    let current = alert.occurrence();
    if let Some(late) = late_stretch(alert, observation, reception, rules) {
        return repeated(alert, observation, reception, late.number, Repeat::Late, None);
    }
    if !alert.is_firing() {
        return fired(Some(alert), observation, reception);
    }
    let why = match observation.starts_at {
        Some(sent) if !current.starts_sent.contains(&sent) => Repeat::Replica,
        _ => Repeat::Resent,
    };
    let stale_at = reception.now + observation.stale_after;
    repeated(alert, observation, reception, current.number, why, Some(stale_at))
}

/// The stretch that is over where its sender said so, and that the sender says late to fire. A sender that said that it
/// ended began it at another time if it were back. An end by silence is no end that a sender knows of, so any word from
/// it is a refire; and one sender's end never makes another's word late.
fn late_stretch<'a>(
    alert: &'a Alert,
    observation: &Observation,
    reception: &Reception<'_>,
    rules: &Rules,
) -> Option<&'a Occurrence> {
    let sent = observation.starts_at?;
    let newest = alert.occurrence();
    let fires_there = alert.is_firing() && alert.is_fired_by(observation.sender());
    if alert.status == Status::Stale || fires_there && newest.starts_sent.contains(&sent) {
        return None;
    }
    alert.occurrences.iter().rev().find(|occurrence| is_late(occurrence, observation, sent, reception, rules))
}

fn is_late(
    occurrence: &Occurrence,
    observation: &Observation,
    sent: Time,
    reception: &Reception<'_>,
    rules: &Rules,
) -> bool {
    let mut own = occurrence.ends_sent.iter().filter(|end| end.sender == observation.sender()).peekable();
    let Some(learnt_at) = own.peek().map(|first| first.learnt_at) else { return false };
    if reception.now.since(learnt_at) > rules.late.max(LAGS) {
        return false;
    }
    if occurrence.starts_sent.contains(&sent) {
        return true;
    }
    let ends: Vec<_> = own.collect();
    match ends.iter().find(|end| end.source == observation.source) {
        Some(end) if sent <= end.sent => true,
        // A start ahead of our clock where the end was not is of another clock behind the same name.
        Some(end) => {
            let (start_leads, end_leads) = (sent.since(reception.now), end.sent.since(end.learnt_at));
            reception.is_in_the_future(sent) && end_leads.as_millis() * 2 < start_leads.as_millis()
        }
        None => {
            let by_our_clock = reception.by_our_clock(sent);
            // Nothing begins after it is reported: a replica whose clock is not known yet is ahead, however little it
            // leads. Another replica ended the stretch, and says it too if it is back.
            let is_ahead = reception.ahead.is_none() && sent.since(reception.now) > ROUNDING;
            ends.iter().any(|end| by_our_clock <= end.ends_at) || is_ahead || reception.is_in_the_future(sent)
        }
    }
}

fn resolved(alert: &Alert, observation: &Observation, reception: &Reception<'_>) -> Event {
    let current = alert.occurrence();
    let again = |occurrence, why, stale_at| repeated(alert, observation, reception, occurrence, why, stale_at);
    if !alert.is_firing() {
        return match alert.status {
            // Silence became an end that the sender confirms.
            Status::Stale => Event::AlertResolved(end(alert, observation, reception)),
            _ => again(current.number, Repeat::ResolvedAgain, None),
        };
    }
    if let Some(older) = older_stretch(alert, observation, reception) {
        return again(older.number, Repeat::ResolvedAgain, None);
    }
    let sender = observation.sender();
    if !alert.is_fired_by(sender) {
        let has_ended = alert.senders.get(sender).is_some_and(|word| word.ended.is_some());
        let why = if has_ended { Repeat::ResolvedAgain } else { Repeat::FiresElsewhere };
        return again(current.number, why, None);
    }
    // Where several fire it, it goes on as long as one of the others was heard of lately.
    let last = alert.last_lease(Some(sender), reception.repeats).filter(|lease| *lease > reception.now);
    match last {
        Some(lease) => again(current.number, Repeat::FiresElsewhere, Some(lease)),
        None => Event::AlertResolved(end(alert, observation, reception)),
    }
}

/// The stretch before the newest that an end is about: its start is, or it lies before the newest one began and there
/// is an older one that it could mean.
fn older_stretch<'a>(alert: &'a Alert, observation: &Observation, reception: &Reception<'_>) -> Option<&'a Occurrence> {
    let current = alert.occurrence();
    let names =
        |occurrence: &Occurrence| observation.starts_at.is_some_and(|sent| occurrence.starts_sent.contains(&sent));
    if names(current) {
        return None;
    }
    let older = || alert.occurrences.iter().rev().filter(|occurrence| occurrence.number < current.number);
    let said_before = |occurrence: &&Occurrence| {
        let mut own = occurrence.ends_sent.iter().filter(|end| end.source == observation.source);
        observation.ends_at.is_some_and(|ends| own.any(|end| ends <= end.sent))
    };
    let before_it_began = observation.ends_at.is_some_and(|ends| reception.by_our_clock(ends) < current.starts_at);
    older()
        .find(|occurrence| names(occurrence))
        .or_else(|| older().find(said_before))
        .or_else(|| older().next().filter(|_| before_it_began))
}

/// The source of an observation and what it is a replica of, where an alert's event has to tell them.
fn other_source(alert: &Alert, observation: &Observation) -> (Option<String>, Option<String>) {
    if alert.senders.is_empty() && alert.source == observation.source && alert.replica_of == observation.replica_of {
        return (None, None);
    }
    (Some(observation.source.clone()), observation.replica_of.clone())
}

fn end(alert: &Alert, observation: &Observation, reception: &Reception<'_>) -> Resolved {
    let (source, replica_of) = other_source(alert, observation);
    let ends_at = reception.ends_at(observation, alert.occurrence());
    // One sender's end is the alert's where the others ended before.
    let ends_at = alert.last_end().map_or(ends_at, |other| ends_at.max(other.ends_at));
    Resolved { observed: reception.observed.clone(), ends_at, ends_at_sent: observation.ends_at, source, replica_of }
}

fn fired(alert: Option<&Alert>, observation: &Observation, reception: &Reception<'_>) -> Event {
    let Reception { observed, service, now, .. } = *reception;
    let in_the_future = observation.starts_at.map(|sent| sent.since(now)).filter(|lead| *lead > CLOCK_TOLERANCE);
    Event::AlertFired(Fired {
        observed: observed.clone(),
        occurrence: alert.map_or(0, |alert| alert.fired) + 1,
        source_fingerprint: observation.source_fingerprint.clone(),
        source: observation.source.clone(),
        replica_of: observation.replica_of.clone(),
        sender_ahead: reception.ahead.or(in_the_future),
        name: observation.name.clone(),
        service: service.map(ToOwned::to_owned),
        about: observation.about.clone(),
        severity: observation.severity,
        labels: observation.labels.clone(),
        annotations: observation.annotations.clone(),
        starts_at: reception.starts_at(observation),
        starts_at_sent: observation.starts_at,
        stale_at: now + observation.stale_after,
        url: observation.url.clone(),
    })
}

fn repeated(
    alert: &Alert,
    observation: &Observation,
    reception: &Reception<'_>,
    occurrence: u64,
    why: Repeat,
    stale_at: Option<Time>,
) -> Event {
    // A late word about the past changes nothing about the present.
    let news = matches!(why, Repeat::Resent | Repeat::Replica);
    let (source, replica_of) = other_source(alert, observation);
    let known = alert.occurrences.iter().find(|it| it.number == occurrence);
    let is_new = |stretch: &&Occurrence| stretch.ends_sent.iter().all(|end| end.source != observation.source);
    let is_end = matches!(why, Repeat::FiresElsewhere | Repeat::ResolvedAgain);
    let new_end = known.filter(is_new).filter(|_| is_end);
    Event::AlertRepeated(Repeated {
        observed: reception.observed.clone(),
        why,
        occurrence,
        source,
        replica_of,
        starts_at_sent: observation.starts_at.filter(|_| why == Repeat::Replica),
        ends_at: new_end.map(|stretch| reception.ends_at(observation, stretch)),
        ends_at_sent: observation.ends_at.filter(|_| new_end.is_some()),
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
        .then(|| Event::AlertFlapping(Flapping { transitions, until: now + calm(alert, now, rules) }))
}

/// How long an alert has to be calm until it flaps no more: twice the longest pause between its latest transitions. One
/// that comes and goes in seconds has calmed down long before one that does so in minutes.
fn calm(alert: &Alert, now: Time, rules: &Rules) -> Span {
    let mut at: Vec<Time> = alert.transitions().chain([now]).collect();
    at.sort_unstable();
    let latest = at.len().saturating_sub(rules.flap_transitions as usize);
    let pauses = at.iter().zip(at.iter().skip(1)).skip(latest).map(|(one, next)| next.since(*one));
    let longest = pauses.max().unwrap_or(CALM_LEAST);
    Span::millis(longest.as_millis() * 2).max(CALM_LEAST).min(rules.flap_calm)
}
