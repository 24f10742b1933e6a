//! Two lanes side by side: what is in force and a candidate decide the same inputs, read and unpacked once.
//! Owns the threads and what lies between them, which is bounded; refuses to know what is right.
//!
//! A run is a function of its inputs: what the candidate decided is hashed as it comes, in the order in which
//! it was decided, and two runs over the same past give the same hash.

use std::collections::BTreeSet;
use std::sync::Arc;

use hindcast_correlation::cluster::GroupingWeights;
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::lane::Decider;
use hindcast_domain::{EventId, Partition, Time};
use hindcast_ledger::{ReadError, Record};
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
}

/// What one lane made of it.
struct Ran {
    outcome: RunOutcome,
    hash: String,
    inputs: u64,
}

type InputBatch = Arc<Vec<Recorded>>;

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
    let (to_champion, champions) = mpsc::channel::<InputBatch>(BEHIND);
    let (to_candidate, candidates) = mpsc::channel::<InputBatch>(BEHIND);
    let reader = make();
    let unpack = tokio::task::spawn_blocking(move || unpack(records, to, &[to_champion, to_candidate]));
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
        !early && reader.reads(&of, input, subject.partition())
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
    unpacked?;
    let (champion, candidate) = (first.await?, second.await?);
    assert_eq!(champion.inputs, candidate.inputs, "both lanes read the same inputs");
    Ok(DecidedTwice {
        champion: champion.outcome,
        candidate: candidate.outcome,
        hash: candidate.hash,
        inputs: candidate.inputs,
        unpaired: u32::try_from(unpaired).unwrap_or(u32::MAX),
    })
}

/// Unpacks records for both lanes; ends where one of them takes no more.
fn unpack(
    mut records: mpsc::Receiver<Record>,
    to: u64,
    lanes: &[mpsc::Sender<InputBatch>; 2],
) -> Result<(), ReadError> {
    while let Some(record) = records.blocking_recv() {
        let mut events = history::events(&record, |_| true)?;
        events.retain(|event| event.position <= to && redecide::takes(event));
        let batch = Arc::new(events);
        if lanes.iter().any(|lane| lane.blocking_send(Arc::clone(&batch)).is_err()) {
            return Ok(());
        }
    }
    Ok(())
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
    fn over(mut self, mut inputs: mpsc::Receiver<InputBatch>, fired: &mpsc::Sender<BTreeSet<EventId>>) -> Ran {
        let mut hash = DecisionDigest::default();
        while let Some(batch) = inputs.blocking_recv() {
            if fired.blocking_send(self.take(&batch, &mut hash)).is_err() {
                break;
            }
        }
        Ran { outcome: self.outcome, hash: hash.finish(), inputs: self.inputs }
    }

    /// Decides a batch; the observations with which alerts began to fire.
    fn take(&mut self, batch: &[Recorded], hash: &mut DecisionDigest) -> BTreeSet<EventId> {
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
        for input in batch {
            if !std::mem::replace(begun, true) {
                let in_force = redecide::in_force(weights, &input.partition, input.time);
                lane.input(&in_force, &mut out);
            }
            lane.input(input, &mut out);
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
