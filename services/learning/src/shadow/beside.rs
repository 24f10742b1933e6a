//! The lanes of a run: one a partition, in memory and in isolation. Each decides what the lane beside it has decided,
//! in the same order. Owns what a decision means as a fact; refuses to write one.

use hindcast_domain::events;
use std::collections::BTreeMap;
use std::sync::Arc;

use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::incident::Grouping;
use hindcast_domain::lane::{Decider, Input};
use hindcast_domain::model::PAIR_SCORER;
use hindcast_domain::model::Placed;
use hindcast_domain::words::GroupingRule;
use hindcast_domain::{EventId, Fingerprint, Partition};
use hindcast_engine::InputTime;
use hindcast_eventlog::lane::{DecodedCommit, RecordedInput, RecordedOrder, RecordedStep};
use hindcast_ledger::{ReadError, Record, commit};
use hindcast_mlops::redecide::{self, MemoryLane};

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
    /// What the lane beside it has not decided yet.
    order: RecordedOrder,
    /// The position of the newest input that was decided.
    newest: u64,
    placing: ShadowPlacing,
}

/// Reads what was decided as what the shadow would have done.
struct ShadowPlacing {
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
        template.input(&in_force, InputTime::in_order(in_force.time), &mut |_| {});
        let decider = make();
        Self { make, decider, session: session.clone(), tenant: tenant.to_owned(), template, lanes: BTreeMap::new() }
    }

    /// Whether the lanes read a record.
    pub(super) fn wants(&self, record: &Record) -> bool {
        let of = record.subject.partition();
        let Some(input) = history::input_of(&record.subject).filter(|_| of.tenant == self.tenant) else {
            return false;
        };
        if history::is_lane(&record.subject, self.decider.name()) {
            return self.lanes.contains_key(of);
        }
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

    /// Takes a record; what was placed, in the order in which it was.
    pub(super) fn take(&mut self, record: &Record) -> Result<Vec<(Partition, Placed)>, ReadError> {
        let (header, hash) = commit::decode_header(&record.payload)
            .map_err(|source| ReadError::Damaged { seq: record.seq, detail: source.to_string() })?;
        let of = record.subject.partition();
        if history::is_lane(&record.subject, self.decider.name()) {
            let Some(one) = self.lanes.get_mut(of) else { return Ok(Vec::new()) };
            let steps = one.order.follow(&header);
            let placed = steps.iter().flat_map(|step| one.step(step));
            return Ok(placed.map(|placed| (of.clone(), placed)).collect());
        }
        // What a shadow said is by its type nobody's input, and so not its own.
        let mut events = history::events(record, |kind| kind != "shadow.placed")?;
        if of.is_whole() {
            let decoded = Arc::new(DecodedCommit::new(record, &header, hash, events));
            for input in decoded.events().iter().filter(|event| redecide::takes(event)) {
                self.template.input(input, InputTime::in_order(header.stamped_at), &mut |_| {});
            }
            self.lanes.values_mut().for_each(|one| one.order.push(&decoded));
            return Ok(Vec::new());
        }
        events.retain(|event| event.position >= self.session.from);
        if !events.is_empty() {
            let (version, template) = (self.session.version(), &self.template);
            let one = self.lanes.entry(of.clone()).or_insert_with(|| One {
                lane: MemoryLane::of((self.make)(), of.clone(), template.state().clone()),
                order: RecordedOrder::default(),
                newest: 0,
                placing: ShadowPlacing { version, newest: BTreeMap::new() },
            });
            one.order.push(&Arc::new(DecodedCommit::new(record, &header, hash, events)));
        }
        Ok(Vec::new())
    }
}

impl<D: Decider> One<D> {
    /// Does what the lane beside it did; what was placed.
    fn step(&mut self, step: &RecordedStep) -> Vec<Placed> {
        let Self { lane, placing, newest, .. } = self;
        let mut placed = Vec::new();
        match step {
            // What a timer places has no input of its own.
            RecordedStep::Clock(timer) => {
                lane.pass_to(timer, &mut |decided| placed.extend(placing.see(&decided, *newest)));
            }
            RecordedStep::Input(recorded) if redecide::takes(recorded.input.event()) => {
                let input = recorded.input.event();
                *newest = (*newest).max(input.position);
                lane.input(input, RecordedInput::time(recorded), &mut |decided| {
                    placed.extend(placing.see(&decided, input.position));
                });
            }
            RecordedStep::Input(_) => {}
        }
        placed
    }
}

impl ShadowPlacing {
    /// What a decision on the input at `at` did with an alert. An alert that goes home is where it was.
    fn see(&mut self, decided: &Recorded, at: u64) -> Option<Placed> {
        let (fingerprint, grouping, began) = match &decided.event {
            Event::AlertFired(fired) => {
                self.newest.insert(decided.subject.parse().ok()?, fired.observed.clone());
                return None;
            }
            Event::IncidentOpened(opened) => (&opened.fingerprint, &opened.grouping, true),
            Event::IncidentAlertJoined(joined) => {
                let asked = joined.grouping.as_ref().filter(|why| why.rule != GroupingRule::SameFingerprint)?;
                (&joined.fingerprint, asked, false)
            }
            Event::IncidentDeclared(_)
            | events! { intake, finding, conversation, proposal, label, model, chat, silence, control, notice, lineage, incident_status, care, alert_course } =>
            {
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

/// The id of a shadow's group, which no incident has.
fn group(version: u32, incident: &str) -> String {
    let id = EventId::derive(&[b"shadow", &version.to_be_bytes(), incident.as_bytes()]);
    format!("GRP-{}", id.as_str().trim_start_matches(EventId::PREFIX))
}
