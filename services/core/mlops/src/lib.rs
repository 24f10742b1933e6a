//! Learning: what people do with incidents becomes labelled history, and the scorer that says whether two
//! alerts are one problem is learnt from it, judged against the past, and promoted or refused.
//!
//! The one contract of this crate: *no version replaces another on faith, and none learns from what it
//! decided alone*. Labels come from people; features are taken as known when the younger alert fired, and
//! labels as known at the training position ([`dataset`]); two versions decide the same past again
//! ([`redecide`]) and are compared problem by problem ([`compare`]); only a pass promotes ([`gate`],
//! [`registry`]). Everything here is pure: the regression stands behind [`train::Trainer`], the decider that
//! is run again is handed in, and seeds are arguments.
//!
//! Where to look: [`table`] is which event gives which label; [`labeller`] the decider that gives them;
//! [`standing`] where people disagree and what has no cause; [`truth`] how labels become problems;
//! [`card`] what is written about a version.

pub mod card;
pub mod compare;
pub mod dataset;
pub mod evidence;
pub mod gate;
pub mod labeller;
pub mod outcome;
pub mod redecide;
pub mod registry;
pub mod seeded;
pub mod seen;
pub mod standing;
pub mod status;
pub mod table;
pub mod train;
pub mod truth;

pub use labeller::Labeller;
