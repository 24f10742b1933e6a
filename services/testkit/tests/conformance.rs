//! The suite against the ledger in memory; and, with a guarantee switched off, that the suite's own checks
//! turn red.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests say what they expect

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use hindcast_eventlog::snapshot::SnapshotStore;
use hindcast_eventlog::verify;
use hindcast_ledger::memory::{self, AppendFault};
use hindcast_ledger::{Ledger, Shared};
use hindcast_testkit::conformance::{Factory, Harm, Site, toy};

struct InMemory {
    contended: bool,
}

struct Place {
    ledger: memory::MemoryLedger,
    scratch: PathBuf,
}

#[async_trait]
impl Factory for InMemory {
    async fn site(&self, ledger_id: &str) -> Box<dyn Site> {
        let ledger = if self.contended {
            memory::MemoryLedger::contended(ledger_id)
        } else {
            memory::MemoryLedger::new(ledger_id)
        };
        let scratch = format!("hindcast-memory-{}-{ledger_id}-{}", std::process::id(), self.contended);
        Box::new(Place { ledger, scratch: std::env::temp_dir().join(scratch) })
    }
}

#[async_trait]
impl Site for Place {
    fn ledger(&self) -> Shared {
        self.ledger.share()
    }

    async fn another(&self) -> Shared {
        self.ledger.share()
    }

    fn scratch(&self) -> PathBuf {
        self.scratch.clone()
    }

    async fn reopen(&mut self, _harm: Harm) -> Result<Shared, String> {
        Ok(self.ledger.share())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.scratch).ok();
    }
}

mod alone {
    use super::InMemory;
    hindcast_testkit::conformance_suite!(InMemory { contended: false });
}

mod contended {
    use super::InMemory;
    hindcast_testkit::conformance_suite!(InMemory { contended: true });
}

#[tokio::test]
async fn copies_are_verbatim() {
    let ledger = |id: &str| memory::MemoryLedger::new(id).share();
    let (from, through, to, foreign) = (ledger("COPY"), ledger("COPY"), ledger("COPY"), ledger("OTHER"));
    hindcast_testkit::conformance::storage::a_copy_keeps_every_byte(from, through, to, foreign).await;
}

/// Leases that are taken away again and again: every input is still decided once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn owners_whose_leases_expire_decide_each_input_once() {
    const FACTS: u64 = 60;
    let ledger = memory::MemoryLedger::contended("EXPIRE");
    let shared = ledger.share();
    let owners = ["one", "two", "three"].map(|owner| toy::Running::start(&shared, owner, SnapshotStore::none()));
    let door = toy::writer(&shared, "door", 10);
    for n in 0..FACTS {
        door.facts().submit(&toy::partition(), vec![toy::fact(&n.to_string())]).await.unwrap();
        ledger.expire_leases();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    toy::decided(shared.as_ref(), usize::try_from(FACTS).unwrap()).await;
    for owner in owners {
        owner.stop().await;
    }
    door.stop().await;
    let counted: Vec<u64> = toy::decisions(shared.as_ref()).await.iter().map(|(count, _, _)| *count).collect();
    assert_eq!(counted, (1..=FACTS).collect::<Vec<_>>());
    toy::assert_sound(shared.as_ref()).await;
}

/// The fence switched off: two commits then follow the same one, and the walk says so.
#[tokio::test]
async fn without_the_fence_the_walk_turns_red() {
    let ledger = memory::MemoryLedger::new("RED");
    let subject = toy::intake("a");
    let mut chains = toy::Chains::default();
    chains.append(&ledger, &subject).await.unwrap();
    let rival = toy::Chains::default();
    let (expected, payload) = rival.next(&ledger, &subject, &[b"{}".to_vec()]);
    assert!(ledger.append(&subject, expected, payload.clone()).await.is_err(), "the fence holds");
    assert!(verify::verify(&ledger, |_, _| ()).await.unwrap().is_sound());
    ledger.inject(AppendFault::IgnoreExpectation);
    ledger.append(&subject, expected, payload).await.unwrap();
    let report = verify::verify(&ledger, |_, _| ()).await.unwrap();
    assert!(report.damage.iter().any(|damage| damage.detail.contains("expected to follow")), "{report:?}");
}

/// Every kind of damage that the walk knows is found where it is.
#[tokio::test]
async fn the_walk_finds_a_flipped_bit_wherever_it_is() {
    let ledger = memory::MemoryLedger::new("BITS");
    let subject = toy::intake("a");
    let mut chains = toy::Chains::default();
    for _ in 0..3 {
        chains.append(&ledger, &subject).await.unwrap();
    }
    let payload = ledger.get(2).await.unwrap().unwrap().payload;
    for byte in 0..payload.len() {
        assert!(ledger.flip_bit(2, byte));
        let report = verify::verify(&ledger, |_, _| ()).await.unwrap();
        // zstd has a few bits that mean nothing: there the events and the hash are still the same.
        let now = ledger.get(2).await.unwrap().unwrap().payload;
        let same = hindcast_ledger::commit::decode(&now).ok() == hindcast_ledger::commit::decode(&payload).ok();
        assert!(same || report.damage.iter().any(|damage| damage.seq == 2 || damage.seq == 3), "byte {byte}");
        assert!(ledger.flip_bit(2, byte));
    }
    assert!(verify::verify(&ledger, |_, _| ()).await.unwrap().is_sound());
}

/// A cursor that runs ahead, or names another commit's hash, is found.
#[tokio::test]
async fn the_walk_finds_a_cursor_that_lies() {
    use hindcast_domain::Time;
    use hindcast_ledger::{CommitHeader, ConsumedThrough, Hash, commit};
    let ledger = memory::MemoryLedger::new("CURSOR");
    let mut chains = toy::Chains::default();
    let intake = toy::intake("a");
    chains.append(&ledger, &intake).await.unwrap();
    let (_, hash) = commit::decode_header(&ledger.get(1).await.unwrap().unwrap().payload).unwrap();
    for (n, (seq, hash, sound)) in
        [(1, hash, true), (1, Hash::of(b"lie"), false), (9, hash, false)].into_iter().enumerate()
    {
        let subject = hindcast_ledger::Subject::lane(&toy::partition(), &format!("lane-{n}"));
        let header = CommitHeader {
            consumed: vec![ConsumedThrough { subject: intake.clone(), seq, hash }],
            ..CommitHeader::next("CURSOR".to_owned(), subject.clone(), 1, (0, Hash::ZERO), Time::from_millis(1))
        };
        let (payload, _): (Bytes, Hash) = commit::encode(header, &[]).unwrap();
        let at = ledger.append(&subject, 0, payload).await.unwrap();
        let report = verify::verify(&ledger, |_, _| ()).await.unwrap();
        assert_eq!(!report.damage.iter().any(|damage| damage.seq == at), sound, "cursor {n}: {report:?}");
    }
}
