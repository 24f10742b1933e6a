//! Response addresses, by the command that they belong to: secrets that live for minutes, kept in memory alone,
//! bounded, and used once.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use hindcast_domain::EventId;

/// Addresses that are kept.
const KEPT_MAX: usize = 1_024;

/// The addresses of this process. Cheap to clone; all clones are the same.
#[derive(Clone, Default)]
pub struct Replies {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    addresses: BTreeMap<EventId, String>,
    in_order: VecDeque<EventId>,
}

impl core::fmt::Debug for Replies {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Replies")
    }
}

impl Replies {
    /// Keeps the address for what becomes of a command.
    pub(crate) fn keep(&self, command: EventId, address: String) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.in_order.len() == KEPT_MAX
            && let Some(oldest) = inner.in_order.pop_front()
        {
            inner.addresses.remove(&oldest);
        }
        inner.in_order.push_back(command.clone());
        inner.addresses.insert(command, address);
    }

    /// Takes the address of a command, if there is one.
    pub(crate) fn take(&self, command: &EventId) -> Option<String> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).addresses.remove(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_used_once_and_the_oldest_is_let_go() {
        let replies = Replies::default();
        let command = |n: usize| EventId::derive(&[&n.to_be_bytes()]);
        (0..=KEPT_MAX).for_each(|n| replies.keep(command(n), n.to_string()));
        assert_eq!(replies.take(&command(0)), None);
        assert_eq!(replies.take(&command(1)), Some("1".to_owned()));
        assert_eq!(replies.take(&command(1)), None);
        assert_eq!(format!("{replies:?}"), "Replies");
    }
}
