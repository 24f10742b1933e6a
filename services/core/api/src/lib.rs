//! The outside contract as types: what the routes answer and take, and what refusals look like.
//!
//! The one contract of this crate: *names here are promises*. A field is added freely and renamed only with
//! the old name kept. Nothing here knows how an answer is found or sent.

pub mod advice;
pub mod assertion;
pub mod chat;
mod claim;
pub mod heartbeat;
pub mod impact;
pub mod learn;
mod made;
pub mod model;
pub mod page;
pub mod problem;
pub mod receivers;
mod told;
pub mod topology;
pub mod words;

pub use advice::*;
pub use assertion::{Assertion, AssertionKind, AssertionRole, AssertionSource};
pub use chat::*;
pub use claim::{Citation, Claim, ClaimVerdict, PathStep, StepRole};
pub use heartbeat::{HeartbeatStatus, SenderHeartbeat};
pub use impact::{Impact, IncidentRisk, ServiceRisk};
pub use learn::*;
pub use model::*;
pub use page::{AsOf, Cursor, LIMIT_DEFAULT, LIMIT_MAX, Page};
pub use problem::{Code, Problem, ProblemCode};
pub use receivers::ReceiverTest;
pub use topology::{TopologyEvidence, TopologyLink};
pub use words::{
    ChatMessageKind, EventKind, HypothesisKind, PageAccount, ProposalStatus, ReadyStatus, ReceiptStage, RiskLevel,
};
