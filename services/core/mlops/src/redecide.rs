//! Re-deciding: runs a decider again over recorded inputs, in memory and in isolation. Owns a lane that no
//! ledger knows; refuses to know which decider it is, so that the binary hands in the one that serves.
//!
//! Effects do not exist here: what is decided is handed to a closure and kept by nobody else. Each step is one of
//! the engine that serves; which input comes next is said by the caller, who reads it from the lane's own commits.

use hindcast_domain::events;
use std::borrow::Borrow as _;
use std::sync::Arc;

use hindcast_correlation::weights::GroupingWeights;
use hindcast_domain::command::{Command, Configured};
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::lane::{Decider, Timer};
use hindcast_domain::model::PAIR_SCORER;
use hindcast_domain::{EventId, Partition, Time};
use hindcast_engine::{DeadTimer, InputTime, LaneEngine};

/// The configuration section that holds the weights that are set by hand, under `weights`.
pub const SECTION: &str = "correlation";

/// A partition that is decided again in memory by the engine that serves; nothing is recorded.
pub struct MemoryLane<D: Decider> {
    engine: LaneEngine<D>,
    /// The last place: a decision stands behind the input that it follows from.
    pub position: u64,
    /// Timers that were due and decided nothing.
    pub dead_timers: u64,
}

impl<D: Decider> MemoryLane<D> {
    /// A lane that saw nothing yet.
    pub fn new(decider: D, partition: Partition) -> Self {
        Self::of(decider, partition, D::State::default())
    }

    /// A lane that has seen what `state` holds and decided nothing yet.
    pub fn of(decider: D, partition: Partition, state: D::State) -> Self {
        Self { engine: LaneEngine::new(Arc::new(decider), partition, state), position: 0, dead_timers: 0 }
    }

    /// What it decides on.
    pub const fn state(&self) -> &D::State {
        self.engine.state()
    }

    /// Takes one input: timers that are due first, then the input itself. Each decision goes to `out`.
    pub fn input(&mut self, input: &Recorded, time: InputTime, out: &mut impl FnMut(Recorded)) {
        self.position = self.position.max(input.position);
        self.step(out, |engine, out| engine.input(input, time, out));
    }

    /// Lets time pass: every timer that is due by `until` fires at its own time.
    pub fn pass(&mut self, until: Time, out: &mut impl FnMut(Recorded)) {
        self.step(out, |engine, out| engine.pass(until, out));
    }

    /// Fires the timers up to `last`, which a clock has reached.
    pub fn pass_to(&mut self, last: &Timer, out: &mut impl FnMut(Recorded)) {
        self.step(out, |engine, out| engine.pass_to(last, out));
    }

    /// One step of the engine; what it decides is given places.
    fn step(
        &mut self,
        out: &mut impl FnMut(Recorded),
        step: impl FnOnce(&mut LaneEngine<D>, &mut dyn FnMut(Recorded)) -> Result<(), DeadTimer>,
    ) {
        let Self { engine, position, dead_timers } = self;
        let fired = step(engine, &mut |decision| {
            *position += 1;
            out(Recorded { position: *position, ..decision });
        });
        *dead_timers += u64::from(fired.is_err());
    }
}

/// Whether a run with weights of its own takes an input in.
///
/// The weights of the run stand where those of a promoted version stand, over those of the rules, so that all
/// other rules hold as they are; what was promoted in that past is left out. Commands of people about incidents
/// are left out too: a merge or a split would give the answer away, and a resolve was meant for another state.
#[must_use]
pub fn takes(input: &Recorded) -> bool {
    match &input.event {
        Event::Configured(section) => section.section != PAIR_SCORER,
        Event::Command(received) => !is_about_an_incident(&received.command),
        Event::Delivery(_)
        | Event::DoorOpened(_)
        | Event::Observed(_)
        | Event::Repeats(_)
        | Event::Change(_)
        | Event::Parked(_)
        | Event::Unparked(_)
        | Event::Activated(_)
        | Event::Restored(_)
        | Event::Owned(_)
        | Event::LinkProposed(_)
        | Event::LinkJudged(_)
        | Event::CommandRejected(_)
        | events! { finding, conversation, proposal, label, model, chat, alert, incident, silence, notice } => true,
    }
}

/// The weights that are set by hand in a section [`SECTION`]; the defaults where it names none.
///
/// # Errors
/// Which weight cannot be read.
pub fn by_hand(section: &Configured) -> Result<GroupingWeights, String> {
    match section.content.get("weights") {
        Some(weights) => serde_json::from_value(weights.clone()).map_err(|error| error.to_string()),
        None => Ok(GroupingWeights::default()),
    }
}

/// The input by which weights are in force, before everything else that is decided on.
#[must_use]
pub fn in_force(weights: &GroupingWeights, partition: &Partition, at: Time) -> Recorded {
    let content = serde_json::to_value(weights).unwrap_or_default();
    assert!(content.is_object(), "weights of ours always have a JSON form");
    let hash = format!("weights {}", weights.version);
    let configured = Configured { section: PAIR_SCORER.into(), hash, content };
    Recorded {
        id: EventId::derive(&[b"weights in production", &weights.version.to_be_bytes()]),
        position: 0,
        partition: Partition::whole(&partition.tenant),
        subject: PAIR_SCORER.to_owned(),
        revision: None,
        time: at,
        actor: hindcast_domain::event::SYSTEM.to_owned(),
        cause: None,
        event: Event::Configured(configured),
    }
}

/// Decides inputs with `weights` in the order in which they come, each at its own time; each decision goes to `out`.
/// `until` lets timers fire that are due after the last input.
pub fn run<D: Decider>(
    decider: D,
    partition: &Partition,
    weights: &GroupingWeights,
    inputs: impl IntoIterator<Item: std::borrow::Borrow<Recorded>>,
    until: Option<Time>,
    out: &mut impl FnMut(Recorded),
) {
    let mut lane = MemoryLane::new(decider, partition.clone());
    let mut first = true;
    for input in inputs {
        let input = input.borrow();
        if std::mem::take(&mut first) {
            lane.input(&in_force(weights, partition, input.time), InputTime::in_order(input.time), out);
        }
        if takes(input) {
            lane.input(input, InputTime::in_order(input.time), out);
        }
    }
    if let Some(until) = until {
        lane.pass(until, out);
    }
}

const fn is_about_an_incident(command: &Command) -> bool {
    !matches!(
        command,
        Command::CreateSilence { .. }
            | Command::ExpireSilence { .. }
            | Command::Configure(_)
            | Command::Activate(_)
            | Command::Restore(_)
    )
}
