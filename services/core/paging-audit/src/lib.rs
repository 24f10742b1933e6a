//! The paging auditor: what people were told, compared with what was true.
//!
//! The one contract of this crate: *it knows nothing of whoever decides to page.* It reads facts from outside, what
//! receivers took ([`hindcast_domain::notice::DeliveredMessage`]), suppressions with their ends, and what happened to
//! incidents. Requests, and the state that they come from, it does not read; no crate of its dependencies decides
//! about notifications, and a rule of the repository holds that.
//!
//! The rules, each with its name in a report:
//!
//! - `by_name`: each stretch of firing at a paging severity is named, or counted in a group of its kind, in a message
//!   that was made after it began and delivered within [`BOUND`]; or a named suppression with an end holds it.
//! - `last_word`: [`BOUND`] after a change the last message that a receiver took about an incident agrees with it.
//! - `false_state`: no message says what was not so when it was made, or was so inside one delivery only.
//! - `acknowledgement`: an incident stays acknowledged when one delivery ends one alert of it and begins another, and
//!   an acknowledged incident pages for what is new in kind, entity or severity.
//! - `breadth`: an incident whose alerts fail in many entities of many services pages, whatever their severity.
//!
//! Time that nobody could use does not count: while every receiver that wants a message fails, and before the process
//! was started again. A stretch that began and ended at one instant is no stretch.

mod duties;
mod episodes;
mod incidents;
mod judge;
mod report;
mod rules;
mod said;
mod taken;
mod watch;

use hindcast_domain::Span;

pub use report::{AuditRule, PageAuditReport, PagingViolation};
pub use watch::PageAuditor;

/// How long after a change people are to know of it.
pub const BOUND: Span = Span::seconds(60);

/// How much earlier than a message the state may have been read that it tells of.
pub(crate) const SLACK: Span = Span::seconds(2);
