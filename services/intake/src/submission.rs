//! What one request hands to the chain of commits. Owns nothing else, so that both those who gather requests and those
//! who gather repeats may name it.

use hindcast_domain::Time;
use hindcast_events::NewEvent;
use hindcast_facts::{Appended, SubmitError};
use tokio::sync::oneshot;

/// The events of one request, and where it waits for its answer.
pub(crate) struct Submission {
    pub(crate) events: Vec<NewEvent>,
    pub(crate) answer: oneshot::Sender<Result<Appended, SubmitError>>,
    /// When it came.
    pub(crate) at: Time,
}
