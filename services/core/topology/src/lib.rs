//! Who depends on whom, and who answers for what, from what passes by: log lines, spans, alerts, merges of people, and
//! files of Backstage.
//!
//! The one contract of this crate: *what is proposed names services that are known*, from a catalogue, from telemetry or
//! from alerts, and is proposed again only when there is more evidence. It decides nothing: what evidence is worth
//! together, the domain says, and whether it is so, a person.

pub mod backstage;
mod counted;
mod lines;
mod spans;
mod watch;

pub use spans::SpanSeen;
pub use watch::{AlertSeen, TopologyWatch};
