//! Who is told of an incident at once, and who only if nobody acknowledges it. Owns the steps; refuses to know what is
//! said. What nobody's step covers is told as if there were no steps, so that rules lose nothing.

use std::collections::BTreeSet;

use hindcast_domain::incident::Incident;
use hindcast_domain::oncall::OnCallRules;
use hindcast_domain::silence::RepeatingWindow;
use hindcast_domain::{Severity, Span, Time};

use crate::rules::{EscalationRules, EscalationStep, PagingRules};

/// An incident as the steps look at it.
pub(crate) struct EscalatedIncident<'a> {
    pub(crate) incident: &'a Incident,
    pub(crate) severity: Severity,
    /// When it began to concern whoever is to be told.
    pub(crate) since: Time,
}

impl PagingRules {
    /// How long after it began a receiver is told of an incident that nobody acknowledges; `None` where its steps are
    /// of other incidents alone.
    pub(crate) fn told_after(&self, receiver: &str, on_call: &OnCallRules, of: &EscalatedIncident<'_>) -> Option<Span> {
        let fits = self.escalations.iter().find(|escalation| escalation.fits(of));
        let Some(escalation) = fits.filter(|escalation| self.reaches_somebody(escalation, on_call, of.since)) else {
            return Some(Span::seconds(0));
        };
        let steps = escalation.steps.iter().filter(|step| step.reaches(on_call, of.since).contains(receiver));
        let first = steps.map(|step| step.after_s).min();
        match first {
            Some(after_s) => Some(Span::seconds(after_s)),
            None if self.is_escalated_to(receiver, on_call) => None,
            None => Some(Span::seconds(0)),
        }
    }

    /// Whether the steps that come at once reach a receiver that there is.
    fn reaches_somebody(&self, escalation: &EscalationRules, on_call: &OnCallRules, since: Time) -> bool {
        let receivers = self.receivers();
        let at_once = escalation.steps.iter().filter(|step| step.after_s == 0);
        at_once.flat_map(|step| step.reaches(on_call, since)).any(|name| receivers.iter().any(|it| it.name == name))
    }

    /// Whether a receiver hears of incidents by steps: one names it, or a person of a schedule that one names.
    fn is_escalated_to(&self, receiver: &str, on_call: &OnCallRules) -> bool {
        let of_schedule = |name: &String| {
            let schedule = on_call.schedules.iter().find(|schedule| schedule.name == *name);
            schedule.is_some_and(|schedule| {
                let stand_ins = schedule.overrides.iter().chain(&schedule.calendar).map(|over| &over.who);
                schedule.people.iter().chain(stand_ins).any(|who| who == receiver)
            })
        };
        self.escalations.iter().flat_map(|escalation| &escalation.steps).any(|step| {
            step.receivers.iter().any(|name| name == receiver) || step.on_call.as_ref().is_some_and(of_schedule)
        })
    }
}

impl EscalationRules {
    fn fits(&self, of: &EscalatedIncident<'_>) -> bool {
        let service = self.services.is_empty() || self.services.iter().any(|name| of.incident.services.contains(name));
        let window = self.between.as_ref().map(|text| text.parse::<RepeatingWindow>());
        let inside = window.is_none_or(|window| {
            let next = window.ok().and_then(|window| window.next(None, of.since).ok().flatten());
            next.is_some_and(|(start, _)| start <= of.since)
        });
        service && inside && of.severity >= self.at_least
    }
}

impl EscalationStep {
    /// The receivers that it reaches for what began at a time.
    fn reaches(&self, on_call: &OnCallRules, since: Time) -> BTreeSet<String> {
        let person = self.on_call.as_ref().and_then(|name| on_call.of(name, since + Span::seconds(self.after_s)));
        self.receivers.iter().cloned().chain(person).collect()
    }
}
