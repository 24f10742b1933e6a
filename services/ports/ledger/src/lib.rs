//! The ledger port: the one total order that everything stands on, as an adapter implements it.
//!
//! The one contract of this crate: *what `append` answered `Ok` for is durable, stands in one place of one
//! order for ever, and followed exactly the commit that its writer had seen on that subject.*
//!
//! - [`port`] is the trait that an adapter implements: append with an expectation, read in order.
//! - [`commit`] is what is appended: many events, a chain hash, a Merkle root.
//! - [`heads`] are kept outside the ledger, so that a ledger that was cut is noticed.
//! - [`figures`] counts appends, syncs and decisions; [`lag`] says how far each service is behind.
//! - [`progress`] is what live services say of how far they are; it is never truth.
//! - [`recent`] keeps the newest records, and [`memo`] what was made of each, so that a process unpacks each once.
//! - [`memory`] is the port's one fake: a ledger in memory whose answers can be lost on purpose.
//!
//! What is spoken over the port (the writer, the lane runner, leases, reading, verification) is the event-log
//! runtime, `hindcast_eventlog`, which also has the suite that every adapter runs.

mod body;
pub mod commit;
pub mod figures;
pub mod heads;
pub mod lag;
pub mod memo;
pub mod memory;
pub mod port;
pub mod progress;
pub mod recent;
pub mod subject;

pub use commit::{Commit, CommitHeader, ConsumedThrough, DecidedRun, Hash};
pub use figures::LedgerFigures;
pub use lag::{LagBoard, LagWatch, ServiceLag};
pub use memo::RecordMemo;
pub use port::{AppendError, Durability, Info, Ledger, ReadError, Record, Seq, Shared, Tail};
pub use progress::LedgerProgress;
pub use recent::{RecentReader, RecentRecords};
pub use subject::Subject;
