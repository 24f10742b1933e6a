//! Two lanes side by side: what is in force and a candidate decide the same inputs, read and unpacked once.
//! Owns the threads and what lies between them, which is bounded; refuses to know what is right.
//!
//! Inputs come in the order in which the owner of the lane decided them, as its commits say, each with the stamp of
//! its own commit; what no commit speaks of comes last, in the order of the ledger. A run is a function of its
//! inputs: what the candidate decided is hashed as it comes, and two runs over the same past give the same hash.

use std::collections::BTreeSet;
use std::sync::Arc;

use hindcast_correlation::weights::GroupingWeights;
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::lane::Decider;
use hindcast_domain::{EventId, Partition, Time};
use hindcast_engine::InputTime;
use hindcast_eventlog::lane::{DecodedCommit, RecordedInput, RecordedOrder, RecordedStep};
use hindcast_ledger::{ReadError, Record, Subject, commit};
use hindcast_mlops::outcome::RunOutcome;
use hindcast_mlops::redecide::{self, MemoryLane};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::history::{self, Range, ReadingEnd};

/// Records' inputs that a lane may be behind.
const BEHIND: usize = 4;

/// What is decided again.
pub struct Past {
    /// Which part of the ledger.
    pub range: Range,
    /// Whose alerts.
    pub partition: Partition,
    /// The first record of intake; what stands before it is seen for its configuration alone.
    pub intake_from: u64,
    /// The last position.
    pub to: u64,
    /// The firings that are compared.
    pub compared: BTreeSet<EventId>,
}

/// What two runs made of it.
pub struct DecidedTwice {
    /// The champion's.
    pub champion: RunOutcome,
    /// The candidate's.
    pub candidate: RunOutcome,
    /// SHA-256 of what the candidate decided.
    pub hash: String,
    /// Inputs that were decided.
    pub inputs: u64,
    /// Firings that one of the two knows alone.
    pub unpaired: u32,
    /// The engines that decided this past when it was recorded.
    pub engines: BTreeSet<u32>,
}

/// What one lane made of it.
struct Ran {
    outcome: RunOutcome,
    hash: String,
    inputs: u64,
}

type StepBatch = Arc<Vec<RecordedStep>>;
/// Inputs of one batch that no commit of the lane speaks of.
const REST: usize = 4_096;

/// Decides a past with both weights. Dropping the future ends all of it.
///
/// # Errors
/// When the ledger is damaged or holds what this binary does not know.
pub async fn decide<D: Decider>(
    past: Past,
    make: impl Fn() -> D,
    champion: &GroupingWeights,
    candidate: &GroupingWeights,
) -> Result<DecidedTwice, ReadingEnd> {
    let Past { range, partition, intake_from, to, compared } = past;
    let (records_in, records) = mpsc::channel::<Record>(BEHIND);
    let (to_champion, champions) = mpsc::channel::<StepBatch>(BEHIND);
    let (to_candidate, candidates) = mpsc::channel::<StepBatch>(BEHIND);
    let reader = make();
    let own = Subject::lane(&partition, reader.name());
    let reading = Unpacking { own: own.clone(), to, order: RecordedOrder::default() };
    let unpack = tokio::task::spawn_blocking(move || reading.over(records, &[to_champion, to_candidate]));
    let lane = |weights: &GroupingWeights, inputs, hashed| {
        let (decider, weights, partition) = (make(), weights.clone(), partition.clone());
        let outcome = RunOutcome::of(compared.clone());
        // A lane may be ahead of the other by what waits between them, and no more.
        let (fired, heard) = mpsc::channel(2 * BEHIND);
        let run = tokio::task::spawn_blocking(move || {
            LaneRun { lane: MemoryLane::new(decider, partition), weights, outcome, hashed, inputs: 0, begun: false }
                .over(inputs, &fired)
        });
        (run, heard)
    };
    let (first, mut first_fired) = lane(champion, champions, false);
    let (second, mut second_fired) = lane(candidate, candidates, true);
    let of = partition.clone();
    let wants = |subject: &hindcast_ledger::Subject, seq| {
        let Some(input) = history::input_of(subject) else { return false };
        let early = input == hindcast_domain::lane::Input::Intake && seq < intake_from;
        *subject == own || (!early && reader.reads(&of, input, subject.partition()))
    };
    let pairing = async {
        let mut unpaired = 0_usize;
        while let (Some(a), Some(b)) = (first_fired.recv().await, second_fired.recv().await) {
            unpaired += a.symmetric_difference(&b).count();
        }
        unpaired
    };
    let (sent, unpaired) = tokio::join!(range.send(wants, records_in), pairing);
    let unpacked = unpack.await?;
    sent?;
    let engines = unpacked?;
    let (champion, candidate) = (first.await?, second.await?);
    assert_eq!(champion.inputs, candidate.inputs, "both lanes read the same inputs");
    Ok(DecidedTwice {
        champion: champion.outcome,
        candidate: candidate.outcome,
        hash: candidate.hash,
        inputs: candidate.inputs,
        unpaired: u32::try_from(unpaired).unwrap_or(u32::MAX),
        engines,
    })
}

/// Unpacks records for both lanes.
struct Unpacking {
    /// The lane whose commits say in which order was decided.
    own: Subject,
    to: u64,
    order: RecordedOrder,
}

impl Unpacking {
    /// Hands steps on; ends where one of the lanes takes no more. The engines that decided.
    fn over(
        mut self,
        mut records: mpsc::Receiver<Record>,
        lanes: &[mpsc::Sender<StepBatch>; 2],
    ) -> Result<BTreeSet<u32>, ReadError> {
        let send = |steps: Vec<RecordedStep>| {
            let batch = Arc::new(steps);
            lanes.iter().all(|lane| lane.blocking_send(Arc::clone(&batch)).is_ok())
        };
        while let Some(record) = records.blocking_recv() {
            let steps = self.take(&record)?;
            if !steps.is_empty() && !send(steps) {
                return Ok(self.order.engines().clone());
            }
        }
        let mut rest = self.order.rest().into_iter().map(RecordedStep::Input).peekable();
        while rest.peek().is_some() && send(rest.by_ref().take(REST).collect()) {}
        Ok(self.order.engines().clone())
    }

    fn take(&mut self, record: &Record) -> Result<Vec<RecordedStep>, ReadError> {
        let (header, hash) = commit::decode_header(&record.payload)
            .map_err(|source| ReadError::Damaged { seq: record.seq, detail: source.to_string() })?;
        if record.subject == self.own {
            return Ok(self.order.follow(&header));
        }
        let mut events = history::events(record, |_| true)?;
        events.retain(|event| event.position <= self.to);
        self.order.push(&Arc::new(DecodedCommit::new(record, &header, hash, events)));
        Ok(Vec::new())
    }
}

struct LaneRun<D: Decider> {
    lane: MemoryLane<D>,
    weights: GroupingWeights,
    outcome: RunOutcome,
    hashed: bool,
    inputs: u64,
    begun: bool,
}

impl<D: Decider> LaneRun<D> {
    fn over(mut self, mut inputs: mpsc::Receiver<StepBatch>, fired: &mpsc::Sender<BTreeSet<EventId>>) -> Ran {
        let mut hash = DecisionDigest::default();
        while let Some(batch) = inputs.blocking_recv() {
            if fired.blocking_send(self.take(&batch, &mut hash)).is_err() {
                break;
            }
        }
        Ran { outcome: self.outcome, hash: hash.finish(), inputs: self.inputs }
    }

    /// Takes the steps of a batch; the observations with which alerts began to fire.
    fn take(&mut self, batch: &[RecordedStep], hash: &mut DecisionDigest) -> BTreeSet<EventId> {
        let mut fired = BTreeSet::new();
        let Self { lane, weights, outcome, hashed, inputs, begun } = self;
        let mut out = |decided: Recorded| {
            if let Event::AlertFired(firing) = &decided.event {
                fired.insert(firing.observed.clone());
            }
            if *hashed {
                hash.take(&decided);
            }
            outcome.see(&decided);
        };
        for step in batch {
            let recorded = match step {
                RecordedStep::Clock(timer) => {
                    lane.pass_to(timer, &mut out);
                    continue;
                }
                RecordedStep::Input(recorded) => recorded,
            };
            let input = recorded.input.event();
            if !redecide::takes(input) {
                continue;
            }
            if !std::mem::replace(begun, true) {
                let in_force = redecide::in_force(weights, &input.partition, input.time);
                lane.input(&in_force, InputTime::in_order(recorded.input.stamped_at()), &mut out);
            }
            lane.input(input, RecordedInput::time(recorded), &mut out);
            *inputs += 1;
        }
        fired
    }
}

/// The canonical form of a decision: what it says and of whom, and no place, which a run of its own has not.
#[derive(Serialize)]
struct Canonical<'a> {
    id: &'a EventId,
    subject: &'a str,
    revision: Option<u64>,
    time: Time,
    actor: &'a str,
    cause: Option<&'a EventId>,
    event: &'a Event,
}

/// SHA-256 over decisions, each behind its length.
#[derive(Default)]
struct DecisionDigest {
    hasher: Sha256,
    bytes: Vec<u8>,
}

impl DecisionDigest {
    fn take(&mut self, decided: &Recorded) {
        let canonical = Canonical {
            id: &decided.id,
            subject: &decided.subject,
            revision: decided.revision,
            time: decided.time,
            actor: &decided.actor,
            cause: decided.cause.as_ref(),
            event: &decided.event,
        };
        self.bytes.clear();
        let written = serde_json::to_writer(&mut self.bytes, &canonical);
        assert!(written.is_ok(), "a decision of ours always has a JSON form");
        self.hasher.update((self.bytes.len() as u64).to_be_bytes());
        self.hasher.update(&self.bytes);
    }

    fn finish(self) -> String {
        hindcast_domain::hex::hex(&self.hasher.finalize())
    }
}
