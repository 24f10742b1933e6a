//! Telemetry in files: append-only segments of compressed frames, and pinned blocks beside them.
//!
//! The one contract of this crate: *what [`Files`] answered is synced, and what leaves is counted*. Concurrent
//! appends share one sync; a tail that a crash tore is cut when the store is opened; whole segments leave when
//! they are too old or there are too many bytes, and pinned blocks never do. It refuses to know what a record
//! means and who asks for it.
//!
//! Where to look: `frame` is the unit that is written and read, `segment` a file of frames,
//! `index` what is known of a closed segment without reading it, `committer` the one thread that writes,
//! `retention` what leaves, `query` and `pin` what is read and kept.

mod bytes;
mod codec;
mod committer;
mod disk;
mod frame;
mod index;
mod merge;
mod options;
mod pin;
mod query;
mod recovery;
mod retention;
mod segment;
mod shelf;
mod store;

pub use disk::FrameFaults;
pub use options::{OpenError, Options};
pub use store::Files;
