//! The trait that an adapter implements. It knows subjects, sequences and bytes; what the bytes mean is
//! [`crate::commit`]'s business, so that an adapter cannot get it wrong.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::memo::RecordMemo;
use crate::subject::Subject;

/// A commit's place in the one total order: 1, 2, 3, …
pub type Seq = u64;

/// A shared ledger.
pub type Shared = Arc<dyn Ledger>;

/// What an acknowledgement of this ledger is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It follows a sync of the commit to disk (or to a quorum).
    Synced,
    /// It may be lost with the machine; somebody accepted that explicitly.
    Lossy,
    /// It is gone with the process; for tests.
    Volatile,
}

/// What a ledger says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// Its identity, drawn once when it is made and copied with it.
    pub ledger_id: String,
    /// `embedded`, `nats` or `memory`.
    pub kind: &'static str,
    /// What an acknowledgement is worth.
    pub durability: Durability,
    /// Whether several processes can write to it, so that owners need a lease and an `Owned` event.
    pub shared: bool,
}

/// One commit as it lies in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the total order.
    pub seq: Seq,
    /// The partition and item that the record is about.
    pub subject: Subject,
    /// The commit's bytes, verbatim.
    pub payload: Bytes,
    /// What a reader made of them, shared by all who hold this record.
    pub memo: RecordMemo,
}

/// Why an append did not answer `Ok`.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Another commit stands where ours was expected to follow. Nothing was written.
    #[error("expected sequence {expected} to be the last of {subject}, it is not")]
    Conflict {
        /// The subject that another commit reached first.
        subject: Subject,
        /// The expected last sequence.
        expected: Seq,
    },
    /// It may or may not be written; read the leader before anything else.
    #[error("the outcome of an append to {subject} is unknown")]
    Unknown {
        /// The subject whose commit may or may not have been written.
        subject: Subject,
        /// What went wrong.
        #[source]
        source: AdapterError,
    },
    /// It is not written and cannot be now: full, read-only, not ready.
    #[error("the ledger takes nothing now: {0}")]
    Refused(String),
    /// The payload is over the limit of a commit.
    #[error("expected a commit of at most {max} bytes, got {got}")]
    TooLarge {
        /// Bytes that one commit may have.
        max: usize,
        /// What came.
        got: usize,
    },
}

/// Why a read failed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The ledger is not reachable now; try again.
    #[error("the ledger cannot be reached")]
    Unavailable(#[source] AdapterError),
    /// What is there is not what was written.
    #[error("the ledger is damaged at sequence {seq}: {detail}")]
    Damaged {
        /// Sequence number of the damaged commit.
        seq: Seq,
        /// The check that failed.
        detail: String,
    },
}

/// An adapter's own error.
pub type AdapterError = Box<dyn std::error::Error + Send + Sync>;

/// Why a lease was not given.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Somebody else holds it.
    #[error("{holder} holds {name}")]
    Held {
        /// The lease's name.
        name: String,
        /// The process that owns the lease.
        holder: String,
    },
    /// It cannot be told.
    #[error("the lease {0} cannot be asked for")]
    Unavailable(String, #[source] AdapterError),
}

/// A hint that this process is the owner of something. Safety is the fence of `append`, never this.
#[async_trait]
pub trait Lease: Send + Sync {
    /// Whether it is still ours; renews it.
    async fn renew(&self) -> bool;
    /// Gives it back.
    async fn release(&self);
}

/// The one total order.
#[async_trait]
pub trait Ledger: Send + Sync + 'static {
    /// What it says of itself.
    fn info(&self) -> &Info;

    /// Appends one commit to `subject`, whose last sequence must be `expected` (0 for none), and answers
    /// its place once it is durable.
    async fn append(&self, subject: &Subject, expected: Seq, payload: Bytes) -> Result<Seq, AppendError>;

    /// The same, with what the payload was written from: readers of this process find it with the record where the
    /// adapter hands them what was appended, and unpack the payload where it does not.
    async fn append_from(
        &self,
        subject: &Subject,
        expected: Seq,
        payload: Bytes,
        memo: RecordMemo,
    ) -> Result<Seq, AppendError> {
        drop(memo);
        self.append(subject, expected, payload).await
    }

    /// The first record of `subject` after `after`, read from the leader: never stale.
    async fn first_after(&self, subject: &Subject, after: Seq) -> Result<Option<Record>, ReadError>;

    /// The last record of `subject`, read from the leader: never stale.
    async fn last(&self, subject: &Subject) -> Result<Option<Record>, ReadError>;

    /// The record at `seq`.
    async fn get(&self, seq: Seq) -> Result<Option<Record>, ReadError>;

    /// The last sequence of the whole order; 0 for an empty ledger.
    async fn head(&self) -> Result<Seq, ReadError>;

    /// Every subject that was ever written to, with its last sequence.
    async fn subjects(&self) -> Result<Vec<(Subject, Seq)>, ReadError>;

    /// A reader of the whole order from `from` (1 for the beginning) on.
    fn tail(&self, from: Seq) -> Box<dyn Tail>;

    /// Asks for the lease of that name for `holder`. Where [`Info::shared`] is false it is always given.
    async fn lease(&self, name: &str, holder: &str) -> Result<Box<dyn Lease>, LeaseError>;
}

/// A reader's position. It is its own, in memory only: who reads keeps it with its data.
#[async_trait]
pub trait Tail: Send {
    /// The next records in order, at least one; waits for one where there is none yet.
    /// Dropping the future loses nothing: the next call begins where the last *finished* one ended.
    async fn next(&mut self) -> Result<Vec<Record>, ReadError>;
}
