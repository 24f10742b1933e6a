//! The contract of a lane: who decides, on what, and how its state is found again.
//!
//! A lane is one partition of one deciding service: one owner, one order, one fence. Its state has two
//! halves that never touch each other: what its own decisions made (`evolve`), and what it has seen of
//! other lanes and of the door (`seen`). Since they commute, the state after a restart, which folds all
//! inputs up to the cursor and all decisions, equals the state that decided.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::event::{Draft, Recorded};
use crate::id::Partition;
use crate::shelf::{ShelfError, ShelvedPart};
use crate::time::{Span, Time};

/// What is due, and when. Ties are broken by the id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Timer {
    /// When it is due; `now` of what it decides.
    pub due: Time,
    /// What is due, such as `stale/9f3c…`; also the seed of the ids of what it decides.
    pub id: String,
}

/// What a lane's state is about to be asked about.
#[derive(Clone, Copy, Debug)]
pub enum Upcoming<'a> {
    /// An input that is seen or decided.
    Input(&'a Recorded),
    /// A decision that is folded.
    Decision(&'a Recorded),
    /// A timer that fires.
    Timer(&'a Timer),
}

/// What every subject of a ledger begins with.
pub const SUBJECT_ROOT: &str = "hc";

/// The subject of a lane, as its commits and the ids of its decisions name it.
#[must_use]
pub fn subject(partition: &Partition, lane: &str) -> String {
    format!("{SUBJECT_ROOT}.{}.{}.{lane}", partition.tenant, partition.environment)
}

/// How urgent an undecided input is, while others are undecided too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// It can page somebody, or a person asked for it.
    Pages,
    /// Everything else.
    Waits,
}

/// The line in which an undecided input waits under a backlog. Order is kept within a line, and per alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingLine<'a> {
    /// How urgent it is.
    pub urgency: Urgency,
    /// Who sent it.
    pub source: &'a str,
    /// The alert that it is about: inputs of one alert never overtake each other, whatever their line.
    pub alert: Option<&'a str>,
}

/// Whose events a lane reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Facts from outside, of one partition.
    Intake,
    /// Another lane's decisions, by the lane's name.
    Lane(&'static str),
}

/// The names of the lanes.
pub mod names {
    /// Configuration, silences and activations; one a tenant.
    pub const CONTROL: &str = "control";
    /// Alerts and incidents; one a partition.
    pub const INCIDENTS: &str = "incidents";
    /// Notices and receivers' budgets; one a tenant.
    pub const NOTICES: &str = "notices";
    /// Labels; one a partition.
    pub const LABELS: &str = "labels";
    /// What is shown in Slack and Teams; one a tenant.
    pub const CHAT: &str = "chat";
}

/// A pure decider. Everything it reads is in its arguments.
pub trait Decider: Send + Sync + 'static {
    /// What it decides on.
    type State: Clone + Default + Serialize + DeserializeOwned + Send + Sync;

    /// The lane's name, one of [`names`].
    fn name(&self) -> &'static str;

    /// Whether this lane, in `lane`, reads `input` of the partition `of`.
    fn reads(&self, lane: &Partition, input: Input, of: &Partition) -> bool;

    /// The lane that must exist once `input` of `of` was written; `None` where that founds none.
    fn founds(&self, input: Input, of: &Partition) -> Option<Partition>;

    /// Whether an input that decides nothing is to be sealed with a cursor.
    fn seals(&self, input: &Recorded) -> bool;

    /// Whether an input is decided before the timers that are due by its time: what moves timers is.
    fn precedes_timers(&self, input: &Recorded) -> bool {
        matches!(input.event, crate::Event::DoorOpened(_))
    }

    /// Whether an input is folded before it is decided, so that `decide` finds the state after it.
    fn sees_first(&self) -> bool {
        false
    }

    /// The line in which an input waits under a backlog; `None`, for every input of a decider, where it decides in the
    /// order of the ledger alone.
    fn line<'a>(&self, _input: &'a Recorded) -> Option<WaitingLine<'a>> {
        None
    }

    /// Folds an input that was consumed. Must not touch what [`Decider::evolve`] touches.
    fn seen(&self, state: &mut Self::State, input: &Recorded);

    /// Folds a decision of this lane. Must not read what [`Decider::seen`] made, but for indexes that `seen`
    /// makes anew.
    fn evolve(&self, state: &mut Self::State, decision: &Recorded);

    /// Decides about one input, at `now`.
    fn decide(&self, state: &Self::State, lane: &Partition, input: &Recorded, now: Time) -> Vec<Draft>;

    /// What is due next.
    fn due(&self, state: &Self::State) -> Option<Timer>;

    /// Decides about a timer that is due; `timer.due` is `now`. What it decides must clear the timer.
    fn fire(&self, state: &Self::State, lane: &Partition, timer: &Timer) -> Vec<Draft>;

    /// The revision of an aggregate of this lane; 0 where it does not exist yet.
    fn revision(&self, state: &Self::State, subject: &str) -> u64;

    /// Parts of the state that may stand on the shelf and that what comes reads. It is asked again once they are back,
    /// because what they name may be read too; a part that is named in vain is named again.
    fn missing(&self, _state: &Self::State, _lane: &Partition, _of: Upcoming<'_>) -> Vec<String> {
        Vec::new()
    }

    /// Parts of the state that were over for `kept` at `now` and that nothing reads before [`Decider::missing`] names them.
    /// What comes is not before `now`.
    fn over(&self, _state: &Self::State, _now: Time, _kept: Span) -> Vec<ShelvedPart> {
        Vec::new()
    }

    /// Lets go of parts that stand on the shelf now.
    fn shelved(&self, _state: &mut Self::State, _parts: &[ShelvedPart]) {}

    /// Takes a part back.
    ///
    /// # Errors
    /// When it cannot be read.
    fn taken_back(&self, _state: &mut Self::State, id: &str, _part: &[u8]) -> Result<(), ShelfError> {
        Err(ShelfError(format!("expected nothing of this lane on a shelf, got {id}")))
    }
}
