//! The labeller: a pure decider that turns what people do, and what they leave undone, into labels.
//!
//! It reads the door (judgements, proposals, commands that take a label back), the lane of incidents, and
//! the notices of its tenant. [`people`] is what follows from an event at once, [`later`] what follows from
//! a day in which nothing happened. A label is retracted when the event behind it is undone, and a person's
//! word retracts what was concluded of the same thing.

mod due;
mod given;
mod later;
mod people;
mod state;

use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::events;
use hindcast_domain::lane::{Decider, Input, Timer, names};
use hindcast_domain::{LabelId, Partition, Time};

pub use people::check;
pub use state::LabellerState;

/// The lane's name.
pub const LANE: &str = hindcast_domain::lane::names::LABELS;

/// Labels that follow from one event, at the most.
pub const LABELS_MAX: usize = 256;

/// Decides about the labels of one partition.
#[derive(Clone, Copy, Debug, Default)]
pub struct Labeller;

impl Decider for Labeller {
    type State = LabellerState;

    fn name(&self) -> &'static str {
        LANE
    }

    fn reads(&self, lane: &Partition, input: Input, of: &Partition) -> bool {
        match input {
            Input::Intake => lane == of,
            Input::Lane(name) if name == names::INCIDENTS => lane == of,
            Input::Lane(name) => name == names::NOTICES && lane.tenant == of.tenant,
        }
    }

    fn founds(&self, input: Input, of: &Partition) -> Option<Partition> {
        (matches!(input, Input::Lane(name) if name == names::INCIDENTS) && !of.is_whole()).then(|| of.clone())
    }

    fn seals(&self, _input: &Recorded) -> bool {
        false
    }

    fn seen(&self, state: &mut LabellerState, input: &Recorded) {
        state.see(input);
    }

    fn evolve(&self, state: &mut LabellerState, decision: &Recorded) {
        state.evolve(decision);
    }

    fn decide(&self, state: &LabellerState, _lane: &Partition, input: &Recorded, now: Time) -> Vec<Draft> {
        match &input.event {
            Event::LabelGiven(_) | Event::LabelRetracted(_) => Vec::new(),
            Event::LabelJudged(_)
            | events! { intake, finding, conversation, proposal, model, chat, alert, incident, silence, control, notice } => {
                people::decide(state, input, now)
            }
        }
    }

    fn due(&self, state: &LabellerState) -> Option<Timer> {
        state.due()
    }

    fn fire(&self, state: &LabellerState, _lane: &Partition, timer: &Timer) -> Vec<Draft> {
        due::fire(state, timer)
    }

    fn revision(&self, state: &LabellerState, subject: &str) -> u64 {
        let id = subject.parse::<LabelId>().ok();
        id.and_then(|id| state.labels.0.get(&id)).map_or(0, |label| label.revision)
    }
}
