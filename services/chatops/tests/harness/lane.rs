//! An incident lane that takes commands: the domain's own decisions, behind the idempotency keys that the real
//! one keeps.

use std::collections::BTreeMap;

use hindcast_domain::book::Book;
use hindcast_domain::command::{Code, Rejected};
use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::incident::decide;
use hindcast_domain::lane::{Decider, Input, Timer, names};
use hindcast_domain::{EventId, Partition, Time};
use serde::{Deserialize, Serialize};

pub struct Incidents;

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct State {
    book: Book,
    keys: BTreeMap<String, EventId>,
}

impl Decider for Incidents {
    type State = State;

    fn name(&self) -> &'static str {
        names::INCIDENTS
    }

    fn reads(&self, lane: &Partition, input: Input, of: &Partition) -> bool {
        input == Input::Intake && lane == of
    }

    fn founds(&self, input: Input, of: &Partition) -> Option<Partition> {
        (input == Input::Intake && !of.is_whole()).then(|| of.clone())
    }

    fn seals(&self, _: &Recorded) -> bool {
        false
    }

    fn seen(&self, state: &mut State, input: &Recorded) {
        if let Event::Command(received) = &input.event {
            state.keys.entry(received.key.clone()).or_insert_with(|| input.id.clone());
        }
    }

    fn evolve(&self, state: &mut State, decision: &Recorded) {
        state.book.evolve(decision);
    }

    fn decide(&self, state: &State, _: &Partition, input: &Recorded, now: Time) -> Vec<Draft> {
        let Event::Command(received) = &input.event else { return Vec::new() };
        let decided = match state.keys.get(&received.key) {
            Some(first) => Err(Rejected::new(Code::KeyReused, format!("its key came with {first} already"))),
            None => decide::command(&state.book, received, &input.id, &input.actor, now),
        };
        decided.unwrap_or_else(|rejected| vec![Draft::by(&input.actor, &input.id, Event::CommandRejected(rejected))])
    }

    fn due(&self, _: &State) -> Option<Timer> {
        None
    }

    fn fire(&self, _: &State, _: &Partition, _: &Timer) -> Vec<Draft> {
        Vec::new()
    }

    fn revision(&self, state: &State, subject: &str) -> u64 {
        let id = subject.parse().ok();
        id.and_then(|id| state.book.incidents.get(&id)).map_or(0, |incident| incident.revision)
    }
}
