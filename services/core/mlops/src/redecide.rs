//! Re-deciding: runs a decider again over recorded inputs, in memory and in isolation. Owns a lane that no
//! ledger knows; refuses to know which decider it is, so that the binary hands in the one that serves.
//!
//! Effects do not exist here: what is decided is handed to a closure and kept by nobody else. Inputs are
//! decided in the order of their places, timers that are due before an input's time first, as the lane's
//! runner does it.

use hindcast_domain::events;
use std::borrow::Borrow as _;
use std::collections::BTreeMap;

use hindcast_correlation::cluster::GroupingWeights;
use hindcast_domain::command::{Command, Configured};
use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::lane::Decider;
use hindcast_domain::model::PAIR_SCORER;
use hindcast_domain::{EventId, Partition, Time};

/// The configuration section that holds the weights that are set by hand, under `weights`.
pub const SECTION: &str = "correlation";

/// A partition that is decided again in memory; nothing is recorded.
pub struct MemoryLane<D: Decider> {
    decider: D,
    partition: Partition,
    state: D::State,
    /// `now` of the last decision.
    now: Time,
    /// The last place: a decision stands behind the input that it follows from.
    pub position: u64,
}

impl<D: Decider> MemoryLane<D> {
    /// A lane that saw nothing yet.
    pub fn new(decider: D, partition: Partition) -> Self {
        Self { decider, partition, state: D::State::default(), now: Time::ZERO, position: 0 }
    }

    /// A lane that has seen what `state` holds and decided nothing yet.
    pub fn of(decider: D, partition: Partition, state: D::State) -> Self {
        Self { decider, partition, state, now: Time::ZERO, position: 0 }
    }

    /// What it decides on.
    pub const fn state(&self) -> &D::State {
        &self.state
    }

    /// Takes one input: timers that are due first, then the input itself. Each decision goes to `out`.
    pub fn input(&mut self, input: &Recorded, out: &mut impl FnMut(Recorded)) {
        self.position = self.position.max(input.position);
        if !self.decider.precedes_timers(input) {
            self.pass(input.time, out);
        }
        let now = self.now.max(input.time);
        if self.decider.sees_first() {
            self.decider.seen(&mut self.state, input);
        }
        let drafts = self.decider.decide(&self.state, &self.partition, input, now);
        self.adopt(drafts, input.id.as_str().as_bytes(), now, Some(&input.id), out);
        if !self.decider.sees_first() {
            self.decider.seen(&mut self.state, input);
        }
    }

    /// Lets time pass: every timer that is due by `until` fires at its own time.
    pub fn pass(&mut self, until: Time, out: &mut impl FnMut(Recorded)) {
        while let Some(timer) = self.decider.due(&self.state).filter(|timer| timer.due <= until) {
            let drafts = self.decider.fire(&self.state, &self.partition, &timer);
            assert!(!drafts.is_empty(), "a timer that is due decides something, or it would be due for ever");
            let now = self.now.max(timer.due);
            self.adopt(drafts, timer.id.as_bytes(), now, None, out);
        }
    }

    fn adopt(
        &mut self,
        drafts: Vec<Draft>,
        seed: &[u8],
        now: Time,
        cause: Option<&EventId>,
        out: &mut impl FnMut(Recorded),
    ) {
        let mut revisions: BTreeMap<String, u64> = BTreeMap::new();
        for (index, draft) in drafts.into_iter().enumerate() {
            let known = revisions.get(&draft.subject).copied();
            let revision = known.unwrap_or_else(|| self.decider.revision(&self.state, &draft.subject) + 1);
            revisions.insert(draft.subject.clone(), revision);
            self.position += 1;
            self.now = self.now.max(now);
            let decided = Recorded {
                id: EventId::derive(&[seed, &now.nanos().to_be_bytes(), &(index as u64).to_be_bytes()]),
                position: self.position,
                partition: self.partition.clone(),
                subject: draft.subject,
                revision: Some(revision),
                time: now,
                actor: draft.actor,
                cause: cause.cloned(),
                event: draft.event,
            };
            self.decider.evolve(&mut self.state, &decided);
            out(decided);
        }
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
        | Event::Change(_)
        | Event::Parked(_)
        | Event::Unparked(_)
        | Event::Activated(_)
        | Event::Restored(_)
        | Event::Owned(_)
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
        id: EventId::derive(&[b"weights in force", &weights.version.to_be_bytes()]),
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

/// Decides recorded inputs again with `weights`; each decision goes to `out`. `until` lets timers fire that
/// are due after the last input.
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
            lane.input(&in_force(weights, partition, input.time), out);
        }
        if takes(input) {
            lane.input(input, out);
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
