//! Where the deliverer says how chat is, for whoever asks. Owns nothing but the last word; refuses to know how it is
//! found.

use std::sync::{Arc, Mutex, PoisonError};

pub use hindcast_api::{ChatStatus, ChatWaiting, Chats};

/// Messages that wait and are shown.
pub(crate) const WAITING_MAX: usize = 20;

/// Where the deliverer says how it is. Cheap to clone; all clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Handle {
    inner: Arc<Mutex<Chats>>,
}

impl Handle {
    /// Chat is set up here: from now on it is only a matter of reading the ledger.
    pub fn is_set_up(&self) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).set_up = true;
    }

    /// The deliveries of every vendor, as they were last reported.
    #[must_use]
    pub fn status(&self) -> Chats {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn tell(&self, chats: Chats) {
        *self.inner.lock().unwrap_or_else(PoisonError::into_inner) = chats;
    }
}
