//! The lanes of a run: one a partition, in memory and in isolation. Owns what a decision means as a fact;
//! refuses to write one.

use hindcast_domain::events;
use std::collections::BTreeMap;
use std::sync::Arc;

use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::incident::Grouping;
use hindcast_domain::lane::{Decider, Input};
use hindcast_domain::model::PAIR_SCORER;
use hindcast_domain::model::Placed;
use hindcast_domain::{EventId, Fingerprint, Partition};
use hindcast_ledger::{ReadError, Record, commit};
use hindcast_mlops::redecide::{self, MemoryLane};

use super::group;
use super::watch::ShadowSession;
use crate::history;

/// Makes the decider that serves.
pub(super) type Make<D> = Arc<dyn Fn() -> D + Send + Sync>;

/// The lanes, and what every new one has to have seen.
pub(super) struct Beside<D: Decider> {
    make: Make<D>,
    decider: D,
    session: ShadowSession,
    tenant: String,
    /// The lane of no environment: it sees configuration and silences, and no alert.
    template: MemoryLane<D>,
    lanes: BTreeMap<Partition, One<D>>,
}

struct One<D: Decider> {
    lane: MemoryLane<D>,
    placing: Placing,
}

/// Reads what was decided as what the shadow would have done.
struct Placing {
    version: u32,
    /// The observation with which each alert last began to fire.
    newest: BTreeMap<Fingerprint, EventId>,
}

impl<D: Decider> Beside<D> {
    /// Lanes that have seen nothing but the weights.
    pub(super) fn new(make: Make<D>, session: &ShadowSession, tenant: &str) -> Self {
        let whole = Partition::whole(tenant);
        let mut template = MemoryLane::new(make(), whole.clone());
        let in_force = redecide::in_force(&session.weights, &whole, hindcast_domain::Time::ZERO);
        template.input(&in_force, &mut |_| {});
        let decider = make();
        Self { make, decider, session: session.clone(), tenant: tenant.to_owned(), template, lanes: BTreeMap::new() }
    }

    /// Whether the lanes read a record.
    pub(super) fn wants(&self, record: &Record) -> bool {
        let of = record.subject.partition();
        let Some(input) = history::input_of(&record.subject).filter(|_| of.tenant == self.tenant) else {
            return false;
        };
        match (input, of.is_whole()) {
            (Input::Intake, true) => false,
            (Input::Intake, false) => {
                record.seq >= commit::seq_of(self.session.from) && self.decider.reads(of, input, of)
            }
            (Input::Lane(_), _) => {
                let any = Partition { tenant: self.tenant.clone(), environment: Partition::ENVIRONMENT.to_owned() };
                let lane = if of.is_whole() { &any } else { of };
                self.decider.reads(lane, input, of)
            }
        }
    }

    /// Decides about a record's events; what was placed, in the order in which it was.
    pub(super) fn take(&mut self, record: &Record) -> Result<Vec<(Partition, Placed)>, ReadError> {
        let mut placed = Vec::new();
        // What a shadow said is by its type nobody's input, and so not its own.
        for event in history::events(record, |kind| kind != "shadow.placed")? {
            if !redecide::takes(&event) {
                continue;
            }
            if event.partition.is_whole() {
                self.template.input(&event, &mut |_| {});
                for (partition, one) in &mut self.lanes {
                    one.input(&event, partition, &mut placed);
                }
            } else if event.position >= self.session.from {
                let partition = event.partition.clone();
                let one = self.lanes.entry(partition.clone()).or_insert_with(|| One {
                    lane: MemoryLane::of((self.make)(), partition.clone(), self.template.state().clone()),
                    placing: Placing { version: self.session.version(), newest: BTreeMap::new() },
                });
                one.input(&event, &partition, &mut placed);
            }
        }
        Ok(placed)
    }
}

impl<D: Decider> One<D> {
    fn input(&mut self, input: &Recorded, partition: &Partition, placed: &mut Vec<(Partition, Placed)>) {
        let Self { lane, placing } = self;
        lane.input(input, &mut |decided| {
            placed.extend(placing.see(&decided, input.position).map(|placed| (partition.clone(), placed)));
        });
    }
}

impl Placing {
    /// What a decision on the input at `at` did with an alert. An alert that goes home is where it was.
    fn see(&mut self, decided: &Recorded, at: u64) -> Option<Placed> {
        let (fingerprint, grouping, began) = match &decided.event {
            Event::AlertFired(fired) => {
                self.newest.insert(decided.subject.parse().ok()?, fired.observed.clone());
                return None;
            }
            Event::IncidentOpened(opened) => (&opened.fingerprint, &opened.grouping, true),
            Event::IncidentAlertJoined(joined) => (&joined.fingerprint, joined.grouping.as_ref()?, false),
            Event::AlertRepeated(_)
            | Event::AlertResolved(_)
            | Event::AlertStale(_)
            | Event::AlertSuppressed(_)
            | Event::AlertUnsuppressed(_)
            | Event::AlertFlapping(_)
            | Event::AlertSettled(_)
            | Event::IncidentDeclared(_)
            | Event::IncidentAcknowledged(_)
            | Event::IncidentUnacknowledged(_)
            | Event::IncidentResolved(_)
            | Event::IncidentReopened(_)
            | Event::IncidentMerged(_)
            | Event::IncidentSplit(_)
            | Event::IncidentUndone(_)
            | Event::IncidentAssigned(_)
            | Event::IncidentNoted(_)
            | Event::IncidentSeveritySet(_)
            | Event::IncidentSnoozed(_)
            | Event::IncidentAwoken(_)
            | Event::IncidentFeedback(_)
            | events! { intake, finding, conversation, proposal, label, model, chat, silence, control, notice } => {
                return None;
            }
        };
        Some(Placed {
            name: PAIR_SCORER.to_owned(),
            version: self.version,
            alert: fingerprint.clone(),
            observed: self.newest.get(fingerprint)?.clone(),
            at,
            group: group(self.version, &decided.subject),
            began,
            score: best(grouping),
            like: grouping.like.clone(),
        })
    }
}

/// The score of the best group, taken or not.
fn best(grouping: &Grouping) -> i32 {
    let considered = grouping.considered.iter().map(|other| other.score);
    considered.chain([grouping.score]).max().unwrap_or(0)
}
