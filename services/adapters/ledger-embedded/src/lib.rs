//! The embedded ledger: segment files in a folder, one process, one sync for all requests that wait.
//!
//! The one contract of this crate: *an acknowledgement follows the sync of the bytes it speaks of, and what
//! is read back is what was written, or a typed refusal*. It knows subjects, sequences and bytes; what the
//! bytes mean is the port's business.
//!
//! - [`ledger`] is the adapter itself; [`options`] what it takes and why it may refuse to open.
//! - `folder` owns the lock, which is the lease, and the identity.
//! - `frame` is the format on disk; `segment` the files; `scan` finds the index again at open.
//! - `committer` is the one thread that writes; `index` and `tail` read; `shared` is what they have in common.
//! - [`disk`] is the door to the disk, where tests let it fail.

mod committer;
#[doc(hidden)]
pub mod disk;
mod folder;
mod frame;
mod holder;
mod index;
pub mod ledger;
pub mod options;
mod scan;
mod segment;
mod shared;
mod tail;

pub use folder::{exists, holder};
pub use holder::Holder;
pub use ledger::EmbeddedLedger;
pub use options::{OpenError, Options};
