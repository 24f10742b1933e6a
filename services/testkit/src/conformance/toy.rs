//! What the suite writes: small commits, small events, and a decider that says one thing for each input.
//! Nothing of it is part of any ledger's meaning.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hindcast_clock as clock;
use hindcast_domain::event::{Change, Draft, Event, Recorded};
use hindcast_domain::lane::{Decider, Input, Timer, Urgency, WaitingLine, names};
use hindcast_domain::{Partition, Time, command};
use hindcast_facts::NewFact;
use hindcast_intake::IntakeWriter;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use hindcast_eventlog::lane::{Error, Options, Runner};
use hindcast_eventlog::snapshot::SnapshotStore;
use hindcast_ledger::commit::{self, CommitHeader, ConsumedThrough, Hash};
use hindcast_ledger::port::{AppendError, Ledger, Record, Seq, Shared};
use hindcast_ledger::progress::LedgerProgress;
use hindcast_ledger::subject::Subject;

/// What a case waits at most for what must come.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The partition of the suite.
#[must_use]
pub fn partition() -> Partition {
    Partition::of_environment("conformance")
}

/// The intake subject of a slot.
#[must_use]
pub fn intake(slot: &str) -> Subject {
    Subject::intake(&partition(), slot)
}

/// The lane of the suite's decider.
#[must_use]
pub fn lane() -> Subject {
    Subject::lane(&partition(), names::INCIDENTS)
}

/// A fact that is told from others by its title.
#[must_use]
pub fn fact(title: &str) -> NewFact {
    fact_of("suite", None, title)
}

/// A fact of a source, about an alert; what begins with `urgent` is urgent.
#[must_use]
pub fn fact_of(source: &str, alert: Option<&str>, title: &str) -> NewFact {
    let change = Change {
        source: source.to_owned(),
        kind: "deploy".into(),
        title: title.to_owned(),
        service: alert.map(str::to_owned),
        version: None,
        status: None,
        at: Time::from_millis(1),
        author: None,
        url: None,
        source_id: None,
    };
    NewFact::new("suite", "suite", change)
}

/// A writer in `slot` whose clock stands at `millis`.
#[must_use]
pub fn writer(ledger: &Shared, slot: &str, millis: i64) -> IntakeWriter {
    let clock: clock::Shared = Arc::new(clock::Stepped::new(Time::from_millis(millis)));
    IntakeWriter::new(Arc::clone(ledger), clock, LedgerProgress::default(), slot)
}

/// Builds chains by hand, for cases below the writer.
#[derive(Default)]
pub struct Chains {
    tips: BTreeMap<Subject, (Seq, Hash, u64)>,
}

impl Chains {
    /// The next commit of a subject; that of a lane has consumed everything before it.
    #[must_use]
    pub fn next(&self, ledger: &dyn Ledger, subject: &Subject, events: &[Vec<u8>]) -> (Seq, Bytes) {
        let counter = self.tips.get(subject).map_or(0, |(_, _, counter)| *counter);
        self.next_at(ledger, subject, events, Time::from_millis(1 + i64::try_from(counter).unwrap_or(0)))
    }

    /// The next commit of a subject, with its stamp.
    #[must_use]
    pub fn next_at(
        &self,
        ledger: &dyn Ledger,
        subject: &Subject,
        events: &[Vec<u8>],
        stamped_at: Time,
    ) -> (Seq, Bytes) {
        let (expected, previous, counter) = self.tips.get(subject).copied().unwrap_or((0, Hash::ZERO, 0));
        let (ledger, follows) = (ledger.info().ledger_id.clone(), (expected, previous));
        let mut header = CommitHeader::next(ledger, subject.clone(), counter + 1, follows, stamped_at);
        if subject.lane_name().is_some() {
            let inputs = self.tips.iter().filter(|(input, _)| *input != subject);
            let through = |(input, (seq, hash, _)): (&Subject, &(Seq, Hash, u64))| ConsumedThrough {
                subject: input.clone(),
                seq: *seq,
                hash: *hash,
            };
            header.consumed = inputs.map(through).collect();
        }
        (expected, commit::encode(header, events).expect("a small commit").0)
    }

    /// Notes that a commit lies there.
    pub fn follow(&mut self, subject: &Subject, seq: Seq, payload: &[u8]) {
        let (header, hash) = commit::decode_header(payload).expect("a commit of the suite");
        self.tips.insert(subject.clone(), (seq, hash, header.counter));
    }

    /// Appends the next commit of a subject.
    ///
    /// # Errors
    /// As the ledger answers.
    pub async fn append(&mut self, ledger: &dyn Ledger, subject: &Subject) -> Result<Seq, AppendError> {
        let events = [format!("{{\"n\":{}}}", self.tips.len()).into_bytes()];
        let (expected, payload) = self.next(ledger, subject, &events);
        let seq = ledger.append(subject, expected, payload.clone()).await?;
        self.follow(subject, seq, &payload);
        Ok(seq)
    }
}

/// Everything that lies in the ledger now.
pub async fn all(ledger: &dyn Ledger) -> Vec<Record> {
    let head = ledger.head().await.expect("the head can be read");
    let mut records: Vec<Record> = Vec::new();
    let mut tail = ledger.tail(1);
    while (records.len() as Seq) < head {
        let more = tokio::time::timeout(PATIENCE, tail.next()).await.expect("a tail reads up to the head");
        records.extend(more.expect("a tail can be read"));
    }
    records.truncate(usize::try_from(head).unwrap_or(usize::MAX));
    records
}

/// The titles of all facts in the ledger, in order.
pub async fn titles(ledger: &dyn Ledger) -> Vec<String> {
    let title = |event: Event| {
        if let Event::Change(change) = event { Some(change.title) } else { None }
    };
    events(ledger).await.into_iter().filter_map(|(_, event)| title(event.event)).collect()
}

/// All events that this binary knows, each with its commit's header.
pub async fn events(ledger: &dyn Ledger) -> Vec<(CommitHeader, Recorded)> {
    let mut known = Vec::new();
    for record in all(ledger).await {
        let commit = hindcast_eventlog::read::commit(&record).expect("a commit of the suite");
        for item in hindcast_eventlog::read::events(&record, &commit).expect("events of the suite") {
            if let hindcast_eventlog::read::ReadEvent::Known(event) = item {
                known.push((commit.header.clone(), *event));
            }
        }
    }
    known
}

/// Every chain of the ledger holds.
pub async fn assert_sound(ledger: &dyn Ledger) {
    let report = hindcast_eventlog::verify::verify(ledger, |_, _| ()).await.expect("a ledger can be walked");
    assert!(report.is_sound(), "expected every chain to hold, found {:?}", report.damage);
}

/// Decides one thing for each fact: that it saw it.
pub struct Counter;

/// What [`Counter`] knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    seen: u64,
    decided: u64,
}

impl Decider for Counter {
    type State = Count;

    fn name(&self) -> &'static str {
        names::INCIDENTS
    }

    fn reads(&self, lane: &Partition, input: Input, of: &Partition) -> bool {
        input == Input::Intake && lane == of
    }

    fn founds(&self, input: Input, of: &Partition) -> Option<Partition> {
        (input == Input::Intake).then(|| of.clone())
    }

    fn seals(&self, _input: &Recorded) -> bool {
        true
    }

    fn line<'a>(&self, input: &'a Recorded) -> Option<WaitingLine<'a>> {
        let Event::Change(change) = &input.event else {
            return Some(WaitingLine { urgency: Urgency::Waits, source: "", alert: None });
        };
        let urgency = if change.title.starts_with("urgent") { Urgency::Pages } else { Urgency::Waits };
        Some(WaitingLine { urgency, source: &change.source, alert: change.service.as_deref() })
    }

    fn seen(&self, state: &mut Count, _input: &Recorded) {
        state.seen += 1;
    }

    fn evolve(&self, state: &mut Count, decision: &Recorded) {
        if matches!(decision.event, Event::Restored(_)) {
            state.decided += 1;
        }
    }

    fn decide(&self, state: &Count, _lane: &Partition, input: &Recorded, _now: Time) -> Vec<Draft> {
        // The suite reads this back: which input it was, as the decider counted it.
        let said = command::Restored { position: state.decided + 1, hash: input.id.as_str().to_owned() };
        vec![Draft::system("suite", Event::Restored(said))]
    }

    fn due(&self, _state: &Count) -> Option<Timer> {
        None
    }

    fn fire(&self, _state: &Count, _lane: &Partition, _timer: &Timer) -> Vec<Draft> {
        Vec::new()
    }

    fn revision(&self, state: &Count, _subject: &str) -> u64 {
        state.decided
    }
}

/// A decider that runs.
pub struct Running {
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<Result<(), Error>>,
}

impl Running {
    /// Starts one as `owner`.
    #[must_use]
    pub fn start(ledger: &Shared, owner: &str, snapshots: SnapshotStore) -> Self {
        Self::start_behind(ledger, owner, snapshots, hindcast_eventlog::lane::BACKLOG)
    }

    /// Starts one for which more than `backlog` undecided inputs are a backlog.
    #[must_use]
    pub fn start_behind(ledger: &Shared, owner: &str, snapshots: SnapshotStore, backlog: usize) -> Self {
        let stop = watch::Sender::new(false);
        let options = Options {
            ledger: Arc::clone(ledger),
            clock: Arc::new(clock::Stepped::new(Time::from_millis(1_000_000))),
            progress: LedgerProgress::default(),
            snapshots,
            owner: owner.to_owned(),
            backlog,
        };
        let task = tokio::spawn(Runner::new(Counter, options).run(stop.subscribe()));
        Self { stop, task }
    }

    /// Ends it wherever it is.
    pub async fn kill(self) {
        self.task.abort();
        self.task.await.ok();
    }

    /// Whether it ended by itself.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// How it ended by itself.
    pub async fn outcome(self) -> Result<(), Error> {
        let ended = tokio::time::timeout(PATIENCE, self.task).await.expect("the decider ends by itself");
        ended.expect("a decider does not panic")
    }

    /// Asks it to stop, and waits.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let ended = tokio::time::timeout(PATIENCE, self.task).await.expect("a decider stops when asked");
        ended.expect("a decider does not panic").expect("a decider of the suite ends well");
    }
}

/// What was decided, in order: the counter, the input's id, and `now`.
pub async fn decisions(ledger: &dyn Ledger) -> Vec<(u64, String, Time)> {
    let decision = |recorded: Recorded| match recorded.event {
        Event::Restored(said) => Some((said.position, said.hash, recorded.time)),
        _ => None,
    };
    events(ledger).await.into_iter().filter_map(|(_, event)| decision(event)).collect()
}

/// Waits until that many decisions are in the ledger.
pub async fn decided(ledger: &dyn Ledger, count: usize) {
    let work = async {
        while decisions(ledger).await.len() < count {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, work).await.expect("what was written is decided");
}
