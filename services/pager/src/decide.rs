//! The decider of the notices lane.
//!
//! What people are to be told follows from the state, and not from the input at hand (`owed`): an input only moves
//! what is owed, and a timer says it when it is due, with the words of that time. At once is decided only what is no
//! message: that a silence holds an alert, and that a hold has nothing to hold any more.

use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::events;
use hindcast_domain::lane::{Decider, Input, Timer, Upcoming, names};
use hindcast_domain::shelf::{ShelfError, ShelvedPart};
use hindcast_domain::words::HoldReason;
use hindcast_domain::{EventId, NoticeId, Partition, Span, Time};

use crate::question::NoticeQuestion;
use crate::state::NoticesState;

/// Decides about notices of a tenant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pager;

impl Decider for Pager {
    type State = NoticesState;

    fn name(&self) -> &'static str {
        names::NOTICES
    }

    fn reads(&self, lane: &Partition, input: Input, of: &Partition) -> bool {
        lane.tenant == of.tenant
            && match input {
                Input::Intake => of.is_whole(),
                Input::Lane(name) => name == names::INCIDENTS || name == names::CONTROL,
            }
    }

    fn founds(&self, input: Input, of: &Partition) -> Option<Partition> {
        matches!(input, Input::Lane(names::INCIDENTS)).then(|| Partition::whole(&of.tenant))
    }

    fn seals(&self, _: &Recorded) -> bool {
        false
    }

    fn sees_first(&self) -> bool {
        true
    }

    fn seen(&self, state: &mut NoticesState, input: &Recorded) {
        state.see(input);
    }

    fn evolve(&self, state: &mut NoticesState, decision: &Recorded) {
        state.evolve(decision);
    }

    fn decide(&self, state: &NoticesState, _: &Partition, input: &Recorded, now: Time) -> Vec<Draft> {
        NoticeQuestion { state, cause: &input.id, now, before: &[] }.decide(input)
    }

    fn due(&self, state: &NoticesState) -> Option<Timer> {
        state.next_timer()
    }

    fn fire(&self, state: &NoticesState, _: &Partition, timer: &Timer) -> Vec<Draft> {
        let cause = EventId::derive(&[timer.id.as_bytes(), &timer.due.nanos().to_be_bytes()]);
        let question = NoticeQuestion { state, cause: &cause, now: timer.due, before: &[] };
        match timer.id.split_once('/') {
            Some(("hold", id)) => {
                let held = id.parse::<NoticeId>().ok().and_then(|id| state.notices.0.get(&id));
                held.map(|held| question.hold_ended(held)).unwrap_or_default()
            }
            Some(("warn", id)) => id.parse().map(|id| question.warn(&id)).unwrap_or_default(),
            Some(("tell", of)) => {
                let id = of.split_once('/').and_then(|(id, _)| id.parse().ok());
                id.map(|id| question.tell(&id)).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    fn revision(&self, state: &NoticesState, subject: &str) -> u64 {
        let id = subject.parse::<NoticeId>().ok();
        id.and_then(|id| state.notices.0.get(&id)).map_or(0, |notice| notice.revision)
    }

    fn missing(&self, state: &NoticesState, _: &Partition, of: Upcoming<'_>) -> Vec<String> {
        state.missing(of)
    }

    fn over(&self, state: &NoticesState, now: Time, kept: Span) -> Vec<ShelvedPart> {
        state.over(now, kept)
    }

    fn shelved(&self, state: &mut NoticesState, parts: &[ShelvedPart]) {
        state.shelved(parts);
    }

    fn taken_back(&self, state: &mut NoticesState, id: &str, part: &[u8]) -> Result<(), ShelfError> {
        state.taken_back(id, part)
    }
}

impl NoticeQuestion<'_> {
    fn decide(&self, input: &Recorded) -> Vec<Draft> {
        let subject = input.subject.as_str();
        match &input.event {
            Event::IncidentMerged(merged) => self.release(&merged.incident, &HoldReason::Merged),
            // Of an undone split, the other one is over.
            Event::IncidentUndone(undone) => match self.state.any_incident(&undone.other) {
                Some(other) if other.is_live() => Vec::new(),
                _ => self.release(&undone.other, &HoldReason::Merged),
            },
            Event::AlertFired(_) | Event::AlertRepeated(_) | Event::AlertSuppressed(_) => self.suppressed(input),
            Event::AlertUnsuppressed(_) | Event::AlertResolved(_) | Event::AlertStale(_) => self.release_alert(subject),
            Event::NoticeExpired(expired) => self.expired(subject, &expired.request),
            Event::AlertFlapping(_)
            | Event::AlertSettled(_)
            | Event::IncidentOpened(_)
            | Event::IncidentDeclared(_)
            | Event::IncidentAlertJoined(_)
            | Event::IncidentAcknowledged(_)
            | Event::IncidentUnacknowledged(_)
            | Event::IncidentResolved(_)
            | Event::IncidentReopened(_)
            | Event::IncidentSplit(_)
            | Event::NoticeRequested(_)
            | Event::NoticeHeld(_)
            | Event::NoticeReleased(_)
            | Event::NoticeDelivered(_)
            | Event::NoticeFailed(_)
            | events! { care, intake, finding, conversation, proposal, label, model, chat, silence, control } => {
                Vec::new()
            }
        }
    }
}
