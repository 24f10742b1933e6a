//! The ledger port: the one total order that everything stands on, and the protocol spoken over it.
//!
//! The one contract of this crate: *what `append` answered `Ok` for is durable, stands in one place of one
//! order for ever, and followed exactly the commit that its writer had seen on that subject.*
//!
//! - [`port`] is the trait that an adapter implements: append with an expectation, read in order.
//! - [`commit`] is what is appended: many events, a chain hash, a Merkle root.
//! - [`writer`] shares one commit among concurrent requests (facts from outside).
//! - [`lane`] runs a pure decider as the one owner of its lanes (decisions).
//! - [`keep`] holds the lease of whoever acts upon the world, so that of several processes one does.
//! - [`read`] decodes commits for readers; [`verify`] walks the chains.
//! - [`progress`] is what live services say of how far they are; it is never truth.
//! - [`conformance`] is the suite that every adapter runs.
//!
//! The rules are numbered in `docs/specs/ledger.md`, each with the test that holds it.

pub mod commit;
pub mod conformance;
pub mod copy;
pub mod feed;
pub mod heads;
pub mod keep;
pub mod lane;
pub mod memory;
pub mod port;
pub mod progress;
pub mod read;
pub mod snapshot;
pub mod subject;
pub mod verify;
pub mod writer;

pub use commit::{Commit, Cursor, Hash, Header};
pub use port::{AppendError, Durability, Info, Ledger, ReadError, Record, Seq, Shared, Tail};
pub use progress::Progress;
pub use subject::Subject;
