//! Every bound of the copilot in one place, with its unit last in its name. What an operator may set stands in
//! [`crate::Caps`]; what is here holds for everybody.

use hindcast_domain::Span;

/// Longest question that is accepted.
pub const QUESTION_BYTES_MAX: usize = 4 * 1024;
/// Bytes of the word that names a conversation.
pub const CONVERSATION_BYTES_MAX: usize = 256;
/// Open incidents that are looked through for the worst.
pub const OPEN_READ_MAX: usize = 200;
/// Citations of one claim.
pub const CITATIONS_MAX: usize = 8;
/// Bytes of one claim's text.
pub const CLAIM_BYTES_MAX: usize = 1_024;
/// Past incidents that an answer from evidence tells.
pub const SIMILAR_TOLD_MAX: usize = 3;
/// Runbooks that an answer from evidence tells.
pub const PROPOSALS_TOLD_MAX: usize = 3;
/// Services that one sentence names.
pub const SERVICES_TOLD_MAX: usize = 8;
/// Events that are read to judge an answer.
pub const COURT_EVENTS_MAX: usize = 400;

/// Turns of a conversation.
pub const TURNS_MAX: u32 = 200;
/// Earlier turns that a prompt tells.
pub const HISTORY_TURNS_MAX: usize = 4;
/// Bytes of one earlier turn in a prompt.
pub const HISTORY_TURN_BYTES_MAX: usize = 1_024;
/// Events of one conversation that are read.
pub const CONVERSATION_EVENTS_MAX: usize = 5_000;
/// Conversations whose last turn is kept in memory, until the views have seen it.
pub const CONVERSATIONS_KEPT_MAX: usize = 1_024;

/// Events that a prompt shows.
pub const PROMPT_EVENTS_MAX: usize = 24;
/// Bytes of one event's words in a prompt.
pub const PROMPT_EVENT_BYTES_MAX: usize = 320;
/// Events that the model of one answer can cite: those of the prompt and those that tools showed.
pub const ALIASES_MAX: usize = 96;
/// Bytes of a tool's output that a model is shown; the ledger keeps it whole.
pub const TOOL_SHOWN_BYTES_MAX: usize = 6 * 1024;
/// Calls that one reply of a model may make.
pub const CALLS_PER_STEP_MAX: usize = 3;
/// Claims that a model may make.
pub const MODEL_CLAIMS_MAX: usize = 6;
/// Runbooks that a model may name in one answer.
pub const NAMED_RUNBOOKS_MAX: usize = 2;

/// How far back calls count for an incident's caps.
pub const SPEND_REMEMBERED: Span = Span::hours(24 * 30);
/// What counts as a day.
pub const DAY: Span = Span::hours(24);
/// Events of calls that are read at once.
pub const SPEND_PAGE: usize = 500;
/// Questions of one class about one incident that are remembered.
pub const ASKED_KEPT_MAX: usize = 8;
/// Calls that are remembered.
pub const SPEND_ENTRIES_MAX: usize = 50_000;

const _: () = assert!(PROMPT_EVENTS_MAX <= ALIASES_MAX, "every event of the prompt can be cited");
