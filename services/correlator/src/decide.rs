//! The decider: one input at a time, in the order of the ledger.

use hindcast_correlation::traits::Newcomer;
use hindcast_domain::alert::decide::Reception;
use hindcast_domain::alert::{self, Observation, Repeat, Signal, Status};
use hindcast_domain::catalog::Topology;
use hindcast_domain::entity::EntityKind;
use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::events;
use hindcast_domain::incident;
use hindcast_domain::lane::{Decider, Input, Timer, Upcoming, Urgency, WaitingLine, names};
use hindcast_domain::shelf::{ShelfError, ShelvedPart};
use hindcast_domain::words::{SilenceEnd, SuppressionKind};
use hindcast_domain::{EventId, Fingerprint, IncidentId, Partition, Span, Time};

use crate::grouping::{self, PlacingReason};
use crate::state::CorrelatorState;
use crate::{heartbeats, people, repeats, shelf, timers};

/// Decides about alerts and incidents of one partition.
#[derive(Clone, Copy, Debug, Default)]
pub struct Correlator;

impl Decider for Correlator {
    type State = CorrelatorState;

    fn name(&self) -> &'static str {
        names::INCIDENTS
    }

    fn reads(&self, lane: &Partition, input: Input, of: &Partition) -> bool {
        match input {
            Input::Intake => lane == of,
            Input::Lane(name) => name == names::CONTROL && lane.tenant == of.tenant,
        }
    }

    fn founds(&self, input: Input, of: &Partition) -> Option<Partition> {
        (input == Input::Intake && !of.is_whole()).then(|| of.clone())
    }

    fn seals(&self, input: &Recorded) -> bool {
        input.event.kind() == hindcast_domain::event::Kind::Intake
    }

    fn line<'a>(&self, input: &'a Recorded) -> Option<WaitingLine<'a>> {
        let whose = |urgency| WaitingLine { urgency, source: "", alert: None };
        Some(match &input.event {
            Event::Observed(seen) => {
                let pages = seen.signal == Signal::Firing && seen.severity.pages();
                let urgency = if pages { Urgency::Pages } else { Urgency::Waits };
                WaitingLine { urgency, source: &seen.source, alert: Some(&input.subject) }
            }
            // What a person asks for, and what holds for all: it counts for what is decided from then on.
            Event::Command(_) | events! { silence, control } => whose(Urgency::Pages),
            Event::Delivery(_)
            | Event::Repeats(_)
            | Event::DoorOpened(_)
            | Event::Change(_)
            | Event::Parked(_)
            | Event::Unparked(_)
            | events! { finding, conversation, proposal, label, model, chat, alert, incident, notice } => {
                whose(Urgency::Waits)
            }
        })
    }

    fn seen(&self, state: &mut CorrelatorState, input: &Recorded) {
        state.see(input);
    }

    fn evolve(&self, state: &mut CorrelatorState, decision: &Recorded) {
        state.evolve(decision);
    }

    fn decide(&self, state: &CorrelatorState, lane: &Partition, input: &Recorded, now: Time) -> Vec<Draft> {
        let mut drafts = heartbeats::heard(state, lane, input, now);
        drafts.extend(self.about(state, lane, input, now));
        drafts
    }

    fn due(&self, state: &CorrelatorState) -> Option<Timer> {
        state.next_timer()
    }

    fn fire(&self, state: &CorrelatorState, lane: &Partition, timer: &Timer) -> Vec<Draft> {
        timers::fire(state, lane, timer)
    }

    fn revision(&self, state: &CorrelatorState, subject: &str) -> u64 {
        if let Ok(fingerprint) = subject.parse::<Fingerprint>() {
            return state.book.alerts.get(&fingerprint).map_or(0, |alert| alert.revision);
        }
        if let Ok(id) = subject.parse::<IncidentId>() {
            return state.book.incidents.get(&id).map_or(0, |incident| incident.revision);
        }
        0
    }

    fn missing(&self, state: &CorrelatorState, lane: &Partition, of: Upcoming<'_>) -> Vec<String> {
        shelf::missing(state, lane, of)
    }

    fn over(&self, state: &CorrelatorState, now: Time, kept: Span) -> Vec<ShelvedPart> {
        shelf::over(state, now, kept)
    }

    fn shelved(&self, state: &mut CorrelatorState, parts: &[ShelvedPart]) {
        shelf::shelved(state, parts);
    }

    fn taken_back(&self, state: &mut CorrelatorState, id: &str, part: &[u8]) -> Result<(), ShelfError> {
        shelf::taken_back(state, id, part)
    }
}

impl Correlator {
    /// What an input means by itself.
    fn about(&self, state: &CorrelatorState, lane: &Partition, input: &Recorded, now: Time) -> Vec<Draft> {
        match &input.event {
            Event::Observed(observation) => observe(state, lane, observation, &input.id, now),
            Event::Repeats(batch) => repeats::again(state, lane, batch, input, now),
            Event::Command(received) => people::command(state, lane, received, input, now),
            Event::SilenceCreated(_) | Event::SilenceStarted(_) => timers::silence_began(state, lane, input),
            Event::SilenceEnded(ended) => timers::silence_ended(state, lane, input, &ended.reason, now),
            Event::Delivery(_)
            | Event::DoorOpened(_)
            | Event::Change(_)
            | Event::Parked(_)
            | Event::Unparked(_)
            | events! { finding, conversation, proposal, label, model, chat, alert, incident, control, notice } => {
                Vec::new()
            }
        }
    }
}

/// The service that an alert is about, by the catalogue's name. An exporter stands beside each database or broker, so a
/// catalogue may list the exporter's job as another name of the one that it measures.
fn service_of<'a>(observation: &'a Observation, topology: &'a Topology) -> Option<&'a str> {
    let told = observation.service.as_deref();
    let known = told.and_then(|name| topology.resolve(name));
    let entity = observation.about.as_ref().and_then(|about| about.entity.as_ref());
    let has_exporter = entity.is_some_and(|entity| matches!(entity.kind, EntityKind::Database | EntityKind::Broker));
    let by_alias = || {
        if !has_exporter {
            return None;
        }
        let names = ["service", "job", "container"].iter().filter_map(|label| observation.labels.get(*label));
        names.into_iter().find_map(|name| topology.resolve(name))
    };
    known.or_else(by_alias).or(told)
}

/// When an alert that fires began anew, by our clock, where its sender names a start that is not known.
fn new_start(alert: &alert::Alert, observation: &Observation, reception: &Reception<'_>) -> Option<Time> {
    let new = observation.starts_at.filter(|sent| !alert.occurrence().starts_sent.contains(sent));
    new.map(|sent| reception.by_our_clock(sent)).filter(|start| *start <= reception.now)
}

pub(crate) fn observe(
    state: &CorrelatorState,
    lane: &Partition,
    observation: &Observation,
    id: &EventId,
    now: Time,
) -> Vec<Draft> {
    let known = state.book.alerts.get(&observation.fingerprint);
    let topology = state.seen.topology();
    let service = service_of(observation, topology);
    let rules = state.seen.rules.alert();
    let ahead = state.clocks.ahead(&observation.source);
    let reception = Reception { observed: id, service, ahead, repeats: &state.seen.repeats, now };
    let mut drafts = alert::decide::observe(known, observation, &reception, &rules);
    let flaps = known.is_some_and(|alert| alert.flapping_until.is_some())
        || drafts.iter().any(|draft| matches!(draft.event, Event::AlertFlapping(_)));
    let mut follow_ups = Vec::new();
    for draft in &drafts {
        match &draft.event {
            Event::AlertFired(fired) => {
                let firing = Newcomer {
                    fingerprint: &observation.fingerprint,
                    source: &fired.source,
                    name: &fired.name,
                    service: fired.service.as_deref(),
                    about: fired.about.as_deref(),
                    severity: fired.severity,
                    labels: &fired.labels,
                    annotations: &fired.annotations,
                    starts_at: fired.starts_at,
                };
                follow_ups.extend(fire(state, lane, &firing, PlacingReason::Fires, id, now));
            }
            Event::AlertRepeated(repeated) => {
                let Some(alert) = known else { continue };
                follow_ups.extend(worse(state, alert, repeated.severity));
                follow_ups.extend(no_longer_usual(state, alert, repeated.severity, id, now));
                let is_said = matches!(repeated.why, Repeat::Resent | Repeat::Replica);
                let goes_on = goes_on(state, alert, new_start(alert, observation, &reception), now);
                if let Some(why) =
                    goes_on.filter(|_| is_said).or_else(|| is_worse_alone(state, alert, repeated.severity))
                {
                    let severity = repeated.severity.unwrap_or(alert.severity);
                    follow_ups.extend(fire(state, lane, &Newcomer { severity, ..Newcomer::of(alert) }, why, id, now));
                }
            }
            Event::AlertResolved(_) => {
                if let Some(incident) = known.and_then(|alert| alert.incident.as_ref())
                    && !flaps
                {
                    follow_ups.extend(grouping::quiet(state, incident, &observation.fingerprint));
                }
            }
            Event::AlertStale(_)
            | Event::AlertSuppressed(_)
            | Event::AlertUnsuppressed(_)
            | Event::AlertFlapping(_)
            | Event::AlertSettled(_)
            | events! { intake, finding, conversation, proposal, label, model, chat, incident, silence, control, notice } =>
                {}
        }
    }
    drafts.extend(follow_ups);
    drafts
}

/// An alert begins to fire: suppressed, or placed.
fn fire(
    state: &CorrelatorState,
    lane: &Partition,
    firing: &Newcomer<'_>,
    why: PlacingReason,
    cause: &EventId,
    now: Time,
) -> Vec<Draft> {
    let known = state.book.alerts.get(firing.fingerprint);
    let held = known.and_then(|alert| alert.suppressed.as_ref());
    if let Some(silence) = grouping::silence_over(state, lane, firing, |_| true) {
        return if held.is_some() { Vec::new() } else { vec![grouping::suppress(firing.fingerprint, silence)] };
    }
    let usual = grouping::usual(state, firing, now);
    if usual.is_some() && held.is_some_and(|held| held.kind == SuppressionKind::Usual) {
        return Vec::new();
    }
    // What a silence held that covers it no more (its labels changed) is lifted, and placed.
    let lifted =
        held.map(|held| grouping::unsuppress(firing.fingerprint, &held.by, SilenceEnd::NoLongerCovered, false));
    let mut drafts: Vec<_> = lifted.into_iter().collect();
    match usual {
        Some(usual) => drafts.push(Draft::system(firing.fingerprint, Event::AlertSuppressed(usual))),
        None => drafts.extend(grouping::place(state, firing, why, cause, now)),
    }
    drafts
}

/// A usual alert that is said to be so bad that it pages is suppressed no more.
fn no_longer_usual(
    state: &CorrelatorState,
    alert: &alert::Alert,
    severity: Option<hindcast_domain::Severity>,
    cause: &EventId,
    now: Time,
) -> Vec<Draft> {
    let held = alert.suppressed.as_ref().filter(|held| held.kind == SuppressionKind::Usual);
    let (Some(held), Some(severity)) = (held, severity.filter(|severity| severity.pages())) else {
        return Vec::new();
    };
    let firing = Newcomer { severity, ..Newcomer::of(alert) };
    let lifted = grouping::unsuppress(&alert.fingerprint, &held.by, SilenceEnd::NoLongerCovered, false);
    let placed = grouping::place(state, &firing, PlacingReason::Fires, cause, now);
    std::iter::once(lifted).chain(placed).collect()
}

/// Whether an alert fires on although a person resolved its incident: it began anew after that, or it is still said long
/// after. A resolved incident absorbs nothing in silence.
pub(crate) fn goes_on(
    state: &CorrelatorState,
    alert: &alert::Alert,
    starts_at: Option<Time>,
    now: Time,
) -> Option<PlacingReason> {
    let home = alert.incident.as_ref().and_then(|incident| state.book.home(incident))?;
    let resolved_at = home.resolved_at.filter(|_| !home.is_live())?;
    if !alert.is_firing() || alert.suppressed.is_some() || alert.flapping_until.is_some() {
        return None;
    }
    let began_anew = starts_at.is_some_and(|starts| starts > resolved_at);
    let goes_on = now.since(resolved_at) > hindcast_domain::Span::seconds(state.seen.rules.lag_s);
    match (began_anew, goes_on) {
        (true, _) => Some(PlacingReason::Fires),
        (false, true) => Some(PlacingReason::StillFires),
        (false, false) => None,
    }
}

/// Whether a repeat makes an alert worse that is a part of nothing that goes on: too harmless for an incident until now,
/// or of one that a person resolved. What pages now is more than what was resolved.
fn is_worse_alone(
    state: &CorrelatorState,
    alert: &alert::Alert,
    severity: Option<hindcast_domain::Severity>,
) -> Option<PlacingReason> {
    let severity = severity.filter(|severity| *severity > alert.severity)?;
    if !alert.is_firing() || alert.suppressed.is_some() {
        return None;
    }
    match alert.incident.as_ref().and_then(|incident| state.book.home(incident)) {
        Some(home) => (!home.is_live() && severity.pages()).then_some(PlacingReason::StillFires),
        None => severity.opens_incident().then_some(PlacingReason::Fires),
    }
}

/// A repeat may say that it is worse than it was.
fn worse(state: &CorrelatorState, alert: &alert::Alert, severity: Option<hindcast_domain::Severity>) -> Option<Draft> {
    let severity = severity.filter(|severity| *severity > alert.severity)?;
    let home = state.book.home(alert.incident.as_ref()?)?;
    // What a silence holds is told when the silence ends.
    let held = alert.suppressed.is_some();
    if held || alert.status != Status::Firing || !home.is_live() || home.severity_set || severity <= home.severity {
        return None;
    }
    let joined = incident::AlertJoined {
        fingerprint: alert.fingerprint.clone(),
        severity,
        service: alert.service.clone(),
        team: None,
        starts_at: alert.occurrence().starts_at,
        grouping: None,
        title: (severity > home.peak_severity).then(|| incident::decide::title(alert)),
    };
    Some(Draft::system(&home.id, Event::IncidentAlertJoined(joined)))
}
