//! The recorded past decides itself again, to the byte: over random histories with late inputs, timers, several
//! partitions, promotions, silences, and owners that are killed. A difference that is planted turns it red.
//!
//! `HINDCAST_TEST_HISTORIES` says how many histories are lived, `HINDCAST_TEST_SEED` repeats an earlier run.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod history;

use std::collections::{BTreeMap, BTreeSet};

use hindcast_control::Control;
use hindcast_correlator::Correlator;
use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::lane::{Decider, Input, Timer, Upcoming};
use hindcast_domain::shelf::{ShelfError, ShelvedPart};
use hindcast_domain::{Partition, Span, Time};
use hindcast_engine::ENGINE_VERSION;
use hindcast_eventlog::lane::{Redecider, Redecision, redecide};
use hindcast_eventlog::snapshot::SnapshotStore;
use hindcast_ledger::memory::MemoryLedger;
use hindcast_ledger::{Record, Shared, Subject, commit};
use hindcast_mlops::Labeller;
use hindcast_pager::Pager;
use hindcast_testkit::conformance::toy;
use hindcast_testkit::seeds::{asked, seed};

/// Histories of a usual run; `cargo xtask prove` lives fifty times as many.
const HISTORIES: u64 = 20;

async fn again<D: Decider>(ledger: &Shared, decider: D) -> Redecision {
    redecide(ledger, decider, ledger.head().await.unwrap()).await.unwrap()
}

/// What every lane makes of a ledger.
async fn all(ledger: &Shared) -> Vec<Redecision> {
    vec![
        again(ledger, Control).await,
        again(ledger, Correlator).await,
        again(ledger, Pager).await,
        again(ledger, Labeller).await,
    ]
}

/// A document without positions: the place of a decision is given by the append, and its owner never reads it.
fn placeless(mut document: serde_json::Value) -> serde_json::Value {
    match &mut document {
        serde_json::Value::Object(fields) => {
            fields.remove("position");
            // Why a label counts no more, and where that was said.
            if let Some(serde_json::Value::Array(retracted)) = fields.get_mut("retracted") {
                retracted.truncate(1);
            }
            fields.values_mut().for_each(|value| *value = placeless(value.take()));
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| *item = placeless(item.take())),
        _ => {}
    }
    document
}

/// What the lanes have in a ledger, in a form that can be compared.
async fn states<D: Decider>(ledger: &Shared, decider: D) -> BTreeMap<String, serde_json::Value> {
    let mut redecider = Redecider::new(decider);
    for record in toy::all(ledger.as_ref()).await {
        redecider.take(&record).unwrap();
    }
    let text = |(partition, state): (&Partition, &D::State)| {
        (partition.to_string(), placeless(serde_json::to_value(state).unwrap()))
    };
    redecider.states().into_iter().map(text).collect()
}

#[tokio::test]
async fn every_history_decides_itself_again_byte_for_byte() {
    let (first, count) = (seed(), asked("HINDCAST_TEST_HISTORIES").unwrap_or(HISTORIES));
    let (mut commits, mut events, mut clocks, mut kinds) = (0, 0, 0, BTreeSet::new());
    for seed in first..first + count {
        let ledger = history::lived(seed).await;
        toy::assert_sound(ledger.as_ref()).await;
        for redecided in all(&ledger).await {
            assert_eq!(redecided.divergences, [], "seed {seed}");
            assert_eq!(redecided.folded, 0, "seed {seed}: every commit is of this engine");
            commits += redecided.commits;
            events += redecided.events;
        }
        for (header, event) in toy::events(ledger.as_ref()).await {
            clocks += u64::from(header.clock.is_some());
            let kind = serde_json::to_value(&event.event).unwrap()["type"].as_str().unwrap().to_owned();
            kinds.insert(kind);
        }
    }
    eprintln!("{count} histories: {commits} commits with {events} events decided again, {clocks} events by the clock");
    assert!(commits > count * 20 && events > count * 30 && clocks > count, "histories in which something happens");
    for kind in
        ["incident.opened", "alert.stale", "alert.suppressed", "notice.requested", "model.promoted", "intake.repeats"]
    {
        assert!(kinds.contains(kind), "expected {kind} in some history, got {kinds:?}");
    }
}

/// What is planted in a decider, to be found.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// It decides with another `now`.
    Late,
    /// It looks at an input only after it decided, or the other way round.
    SeesOtherwise,
    /// It lets a timer fire a second later.
    SlowTimers,
    /// It says one thing less.
    Silent,
    /// It does not say what it is about to read of what left memory.
    Forgets,
}

/// A decider with a fault.
struct Planted<D>(D, Fault);

impl<D: Decider> Decider for Planted<D> {
    type State = D::State;

    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn reads(&self, lane: &Partition, input: Input, of: &Partition) -> bool {
        self.0.reads(lane, input, of)
    }

    fn founds(&self, input: Input, of: &Partition) -> Option<Partition> {
        self.0.founds(input, of)
    }

    fn seals(&self, input: &Recorded) -> bool {
        self.0.seals(input)
    }

    fn sees_first(&self) -> bool {
        self.0.sees_first() != matches!(self.1, Fault::SeesOtherwise)
    }

    fn seen(&self, state: &mut D::State, input: &Recorded) {
        self.0.seen(state, input);
    }

    fn evolve(&self, state: &mut D::State, decision: &Recorded) {
        self.0.evolve(state, decision);
    }

    fn decide(&self, state: &D::State, lane: &Partition, input: &Recorded, now: Time) -> Vec<Draft> {
        let late = if matches!(self.1, Fault::Late) { Span::seconds(90) } else { Span::ZERO };
        let mut drafts = self.0.decide(state, lane, input, now + late);
        if matches!(self.1, Fault::Silent) && drafts.len() > 1 {
            drafts.pop();
        }
        drafts
    }

    fn due(&self, state: &D::State) -> Option<Timer> {
        let slow = if matches!(self.1, Fault::SlowTimers) { Span::seconds(1) } else { Span::ZERO };
        self.0.due(state).map(|timer| Timer { due: timer.due + slow, ..timer })
    }

    fn fire(&self, state: &D::State, lane: &Partition, timer: &Timer) -> Vec<Draft> {
        self.0.fire(state, lane, timer)
    }

    fn revision(&self, state: &D::State, subject: &str) -> u64 {
        self.0.revision(state, subject)
    }

    fn missing(&self, state: &D::State, lane: &Partition, of: Upcoming<'_>) -> Vec<String> {
        if matches!(self.1, Fault::Forgets) { Vec::new() } else { self.0.missing(state, lane, of) }
    }

    fn over(&self, state: &D::State, now: Time, kept: Span) -> Vec<ShelvedPart> {
        self.0.over(state, now, kept)
    }

    fn shelved(&self, state: &mut D::State, parts: &[ShelvedPart]) {
        self.0.shelved(state, parts);
    }

    fn taken_back(&self, state: &mut D::State, id: &str, part: &[u8]) -> Result<(), ShelfError> {
        self.0.taken_back(state, id, part)
    }
}

/// Decides a ledger again while what is over leaves memory after each commit.
async fn shelving<D: Decider>(ledger: &Shared, decider: D) -> (Redecision, u64) {
    let folder = tempfile::tempdir().unwrap();
    let store = SnapshotStore::at(folder.path()).shelving_after(Some(Span::seconds(20)));
    let mut redecider = Redecider::new(decider).shelving(&store);
    for record in toy::all(ledger.as_ref()).await {
        redecider.take(&record).unwrap();
    }
    (redecider.report().clone(), redecider.taken_back())
}

/// Whatever leaves memory is back before it is read; a decider that does not say what it reads is found.
#[tokio::test]
async fn what_is_over_leaves_memory_and_nothing_is_decided_otherwise() {
    let first = seed();
    let (mut forgotten, mut back) = ([0, 0], [0, 0]);
    // Few histories live long enough for something that was over to matter again.
    for seed in first..first + 100 {
        let is_shown = back.iter().all(|parts| *parts > 0) && forgotten[0] > 0;
        if seed >= first + 12 && is_shown {
            break;
        }
        let ledger = history::lived(seed).await;
        for (of, redecided) in [shelving(&ledger, Correlator).await, shelving(&ledger, Pager).await].iter().enumerate()
        {
            assert_eq!(redecided.0.divergences, [], "seed {seed}");
            back[of] += redecided.1;
        }
        forgotten[0] += shelving(&ledger, Planted(Correlator, Fault::Forgets)).await.0.divergences.len();
        forgotten[1] += shelving(&ledger, Planted(Pager, Fault::Forgets)).await.0.divergences.len();
    }
    assert!(back.iter().all(|parts| *parts > 0) && forgotten[0] > 0, "{back:?} came back, {forgotten:?} were found");
    eprintln!("{back:?} came back, {forgotten:?} were found");
}

#[tokio::test]
async fn a_planted_difference_is_found() {
    let first = seed();
    let (mut late, mut sees, mut slow, mut silent) = (0, 0, 0, 0);
    for seed in first..first + 6 {
        let ledger = history::lived(seed).await;
        let found = |redecided: &Redecision| redecided.divergences.len();
        late += found(&again(&ledger, Planted(Correlator, Fault::Late)).await);
        sees += found(&again(&ledger, Planted(Pager, Fault::SeesOtherwise)).await);
        slow += found(&again(&ledger, Planted(Correlator, Fault::SlowTimers)).await);
        silent += found(&again(&ledger, Planted(Correlator, Fault::Silent)).await);
    }
    assert!([late, sees, slow, silent].into_iter().all(|found| found > 0), "{late} {sees} {slow} {silent}");
}

/// The same commits with other headers: chained anew, and every cursor as the new hashes have it.
async fn rewritten(ledger: &Shared, change: impl Fn(&mut commit::CommitHeader)) -> Shared {
    let copy = MemoryLedger::new("HISTORY").share();
    let (mut hashes, mut tips) = (BTreeMap::new(), BTreeMap::<Subject, commit::Hash>::new());
    for Record { seq, subject, payload, .. } in toy::all(ledger.as_ref()).await {
        let commit = commit::decode(&payload).unwrap();
        let mut header = commit.header;
        header.previous = tips.get(&subject).copied().unwrap_or_default();
        for cursor in header.consumed.iter_mut().chain(&mut header.ahead) {
            cursor.hash = hashes[&cursor.seq];
        }
        change(&mut header);
        let expected = header.expected;
        let (payload, hash) = commit::encode(header, &commit.events).unwrap();
        assert_eq!(copy.append(&subject, expected, payload).await.unwrap(), seq);
        hashes.insert(seq, hash);
        tips.insert(subject, hash);
    }
    copy
}

#[tokio::test]
async fn a_past_of_another_engine_is_folded_to_the_same_state_and_compared_with_nothing() {
    let seed = seed();
    let ledger = history::lived(seed).await;
    let older = rewritten(&ledger, |header| (header.engine, header.clock) = (0, None)).await;
    toy::assert_sound(older.as_ref()).await;
    for (redecided, now) in all(&older).await.into_iter().zip(all(&ledger).await) {
        assert_eq!((redecided.commits, redecided.folded), (0, now.commits), "seed {seed}");
        assert!(redecided.engines.iter().all(|engine| *engine == 0) && redecided.divergences.is_empty());
        assert!(now.engines.iter().all(|engine| *engine == ENGINE_VERSION));
    }
    assert_eq!(states(&older, Control).await, states(&ledger, Control).await, "seed {seed}");
    assert_eq!(states(&older, Correlator).await, states(&ledger, Correlator).await, "seed {seed}");
    assert_eq!(states(&older, Pager).await, states(&ledger, Pager).await, "seed {seed}");
    assert_eq!(states(&older, Labeller).await, states(&ledger, Labeller).await, "seed {seed}");
}

/// The clock is an input too: a header that leaves out what it said is found.
#[tokio::test]
async fn a_header_that_hides_a_timer_is_found() {
    let first = seed();
    for seed in first..first + 20 {
        let ledger = history::lived(seed).await;
        let hidden = rewritten(&ledger, |header| header.clock = None).await;
        let fired = toy::events(ledger.as_ref())
            .await
            .iter()
            .any(|(header, event)| header.clock.is_some() && !matches!(event.event, Event::SilenceStarted(_)));
        if fired {
            let found: usize = all(&hidden).await.iter().map(|redecided| redecided.divergences.len()).sum();
            assert!(found > 0, "seed {seed}");
            return;
        }
    }
    panic!("expected a timer in twenty histories");
}
