//! A ledger in memory, for tests. It keeps every promise of the port but durability, and can be told to
//! break one: to lose an acknowledgement, to answer a conflict, to flip a bit. It refuses to know files.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use hindcast_domain::limits::COMMIT_BYTES_MAX;
use tokio::sync::watch;

use crate::memo::RecordMemo;
use crate::port::{AppendError, Durability, Info, Lease, LeaseError, ReadError, Record, Seq, Shared, Tail};
use crate::subject::Subject;

/// Records that one [`Tail::next`] answers at most.
const BATCH_RECORDS_MAX: usize = 256;

/// What befalls the next append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendFault {
    /// It is written; its acknowledgement is lost.
    LoseAcknowledgement,
    /// It is lost on its way, and the caller cannot tell.
    LoseRequest,
    /// It is answered a conflict although there is none.
    Conflict,
    /// It is refused.
    Refuse,
    /// The guarantee broken on purpose: the expectation is not looked at. For tests that must turn red.
    IgnoreExpectation,
}

/// The lost message behind an unknown outcome.
#[derive(Debug, thiserror::Error)]
#[error("the acknowledgement was lost on purpose")]
struct Lost;

#[derive(Default)]
struct MemoryLedgerState {
    records: Vec<Record>,
    last: BTreeMap<Subject, Vec<Seq>>,
    faults: VecDeque<AppendFault>,
    leases: BTreeMap<String, String>,
}

struct MemoryLedgerCore {
    info: Info,
    state: Mutex<MemoryLedgerState>,
    head: watch::Sender<Seq>,
}

impl MemoryLedgerCore {
    fn with<T>(&self, work: impl FnOnce(&mut MemoryLedgerState) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The ledger. Cheap to clone; all clones are the same one.
#[derive(Clone)]
pub struct MemoryLedger {
    core: Arc<MemoryLedgerCore>,
}

impl MemoryLedger {
    /// An empty ledger of that identity, of one process.
    #[must_use]
    pub fn new(ledger_id: &str) -> Self {
        Self::of_kind(ledger_id, false)
    }

    /// An empty ledger that says that other processes write to it too, so that owners need a lease.
    #[must_use]
    pub fn contended(ledger_id: &str) -> Self {
        Self::of_kind(ledger_id, true)
    }

    fn of_kind(ledger_id: &str, shared: bool) -> Self {
        let info = Info { ledger_id: ledger_id.to_owned(), kind: "memory", durability: Durability::Volatile, shared };
        Self { core: Arc::new(MemoryLedgerCore { info, state: Mutex::default(), head: watch::Sender::new(0) }) }
    }

    /// As the port's shared form.
    #[must_use]
    pub fn share(&self) -> Shared {
        Arc::new(self.clone())
    }

    /// Lets `fault` befall the next append that has none yet.
    pub fn inject(&self, fault: AppendFault) {
        self.core.with(|state| state.faults.push_back(fault));
    }

    /// Flips one bit of the payload at `seq`; false where there is no such record.
    #[must_use]
    pub fn flip_bit(&self, seq: Seq, byte: usize) -> bool {
        self.core.with(|state| {
            let Some(record) = index_of(seq).and_then(|at| state.records.get_mut(at)) else {
                return false;
            };
            let mut bytes = record.payload.to_vec();
            let Some(byte) = bytes.get_mut(byte) else {
                return false;
            };
            *byte ^= 1;
            record.payload = bytes.into();
            record.memo = RecordMemo::default();
            true
        })
    }

    /// Takes `holder`'s leases away, as a broker does that has not heard of it for too long.
    pub fn expire_leases(&self) {
        self.core.with(|state| state.leases.clear());
    }
}

fn index_of(seq: Seq) -> Option<usize> {
    usize::try_from(seq.checked_sub(1)?).ok()
}

impl MemoryLedgerState {
    fn at(&self, seq: Seq) -> Option<Record> {
        self.records.get(index_of(seq)?).cloned()
    }

    fn append(
        &mut self,
        subject: &Subject,
        expected: Seq,
        (payload, memo): (Bytes, RecordMemo),
        look: bool,
    ) -> Result<Seq, AppendError> {
        let last = self.last.get(subject).and_then(|seqs| seqs.last()).copied().unwrap_or(0);
        if look && last != expected {
            return Err(AppendError::Conflict { subject: subject.clone(), expected });
        }
        let seq = self.records.len() as Seq + 1;
        assert!(last < seq, "a subject's last sequence lies below the head");
        self.records.push(Record { seq, subject: subject.clone(), payload, memo });
        self.last.entry(subject.clone()).or_default().push(seq);
        Ok(seq)
    }
}

#[async_trait]
impl crate::port::Ledger for MemoryLedger {
    fn info(&self) -> &Info {
        &self.core.info
    }

    async fn append(&self, subject: &Subject, expected: Seq, payload: Bytes) -> Result<Seq, AppendError> {
        self.append_from(subject, expected, payload, RecordMemo::default()).await
    }

    async fn append_from(
        &self,
        subject: &Subject,
        expected: Seq,
        payload: Bytes,
        memo: RecordMemo,
    ) -> Result<Seq, AppendError> {
        if payload.len() > COMMIT_BYTES_MAX {
            return Err(AppendError::TooLarge { max: COMMIT_BYTES_MAX, got: payload.len() });
        }
        let unknown = || AppendError::Unknown { subject: subject.clone(), source: Box::new(Lost) };
        let (written, fault) = self.core.with(|state| {
            let fault = state.faults.pop_front();
            let written = match fault {
                Some(AppendFault::LoseRequest) => Err(unknown()),
                Some(AppendFault::Conflict) => Err(AppendError::Conflict { subject: subject.clone(), expected }),
                Some(AppendFault::Refuse) => Err(AppendError::Refused("refused on purpose".to_owned())),
                _ => state.append(subject, expected, (payload, memo), fault != Some(AppendFault::IgnoreExpectation)),
            };
            (written, fault)
        });
        let seq = written?;
        self.core.head.send_if_modified(|head| {
            let grew = *head < seq;
            *head = (*head).max(seq);
            grew
        });
        if fault == Some(AppendFault::LoseAcknowledgement) { Err(unknown()) } else { Ok(seq) }
    }

    async fn first_after(&self, subject: &Subject, after: Seq) -> Result<Option<Record>, ReadError> {
        Ok(self.core.with(|state| {
            let seqs = state.last.get(subject)?;
            let at = seqs.partition_point(|seq| *seq <= after);
            state.at(*seqs.get(at)?)
        }))
    }

    async fn last(&self, subject: &Subject) -> Result<Option<Record>, ReadError> {
        Ok(self.core.with(|state| state.at(*state.last.get(subject)?.last()?)))
    }

    async fn get(&self, seq: Seq) -> Result<Option<Record>, ReadError> {
        Ok(self.core.with(|state| state.at(seq)))
    }

    async fn head(&self) -> Result<Seq, ReadError> {
        Ok(*self.core.head.borrow())
    }

    async fn subjects(&self) -> Result<Vec<(Subject, Seq)>, ReadError> {
        let last = |(subject, seqs): (&Subject, &Vec<Seq>)| (subject.clone(), seqs.last().copied().unwrap_or(0));
        Ok(self.core.with(|state| state.last.iter().map(last).collect()))
    }

    fn tail(&self, from: Seq) -> Box<dyn Tail> {
        Box::new(MemoryTail { core: Arc::clone(&self.core), head: self.core.head.subscribe(), next: from.max(1) })
    }

    async fn lease(&self, name: &str, holder: &str) -> Result<Box<dyn Lease>, LeaseError> {
        let lease = HeldLease { core: Arc::clone(&self.core), name: name.to_owned(), holder: holder.to_owned() };
        if !self.core.info.shared {
            return Ok(Box::new(lease));
        }
        let held = self.core.with(|state| {
            let held = state.leases.entry(name.to_owned()).or_insert_with(|| holder.to_owned()).clone();
            (held != holder).then_some(held)
        });
        match held {
            Some(holder) => Err(LeaseError::Held { name: name.to_owned(), holder }),
            None => Ok(Box::new(lease)),
        }
    }
}

struct MemoryTail {
    core: Arc<MemoryLedgerCore>,
    head: watch::Receiver<Seq>,
    next: Seq,
}

#[async_trait]
impl Tail for MemoryTail {
    async fn next(&mut self) -> Result<Vec<Record>, ReadError> {
        let next = self.next;
        if self.head.wait_for(|head| *head >= next).await.is_err() {
            return std::future::pending().await;
        }
        let from = index_of(next).unwrap_or(0);
        let records: Vec<Record> =
            self.core.with(|state| state.records.iter().skip(from).take(BATCH_RECORDS_MAX).cloned().collect());
        assert!(!records.is_empty(), "a head that was announced can be read");
        self.next += records.len() as Seq;
        Ok(records)
    }
}

struct HeldLease {
    core: Arc<MemoryLedgerCore>,
    name: String,
    holder: String,
}

#[async_trait]
impl Lease for HeldLease {
    async fn renew(&self) -> bool {
        !self.core.info.shared
            || self.core.with(|state| state.leases.get(&self.name).is_some_and(|holder| *holder == self.holder))
    }

    async fn release(&self) {
        self.core.with(|state| {
            if state.leases.get(&self.name).is_some_and(|holder| *holder == self.holder) {
                state.leases.remove(&self.name);
            }
        });
    }
}
