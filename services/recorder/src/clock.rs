//! Owns the one place where the recorder asks for the time: a recording *is* the arrival times, so nobody can hand them in.

use jiff::Timestamp;

/// The time now, to the millisecond, which is as fine as a recording is.
#[allow(
    clippy::disallowed_methods,
    reason = "what is recorded here is when a request arrived; no replay passes this way"
)]
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
