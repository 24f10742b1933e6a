//! Response addresses, by the idempotency key of the command that they belong to: secrets that live for minutes, kept in memory alone,
//! bounded, and used once.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// Addresses that are kept.
const KEPT_MAX: usize = 1_024;

/// The addresses of this process. Cheap to clone; all clones are the same.
#[derive(Clone, Default)]
pub struct ReplyAddresses {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    addresses: BTreeMap<String, String>,
    in_order: VecDeque<String>,
}

impl core::fmt::Debug for ReplyAddresses {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Replies")
    }
}

impl ReplyAddresses {
    /// Keeps the address for what becomes of a command. It is kept before the command is written, so that whoever
    /// is quick finds it.
    pub(crate) fn keep(&self, key: String, address: String) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.in_order.len() == KEPT_MAX
            && let Some(oldest) = inner.in_order.pop_front()
        {
            inner.addresses.remove(&oldest);
        }
        inner.in_order.push_back(key.clone());
        inner.addresses.insert(key, address);
    }

    /// Takes the address of a command, if there is one.
    pub(crate) fn take(&self, key: &str) -> Option<String> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).addresses.remove(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_used_once_and_the_oldest_is_let_go() {
        let replies = ReplyAddresses::default();
        (0..=KEPT_MAX).for_each(|n| replies.keep(n.to_string(), n.to_string()));
        assert_eq!(replies.take("0"), None);
        assert_eq!(replies.take("1"), Some("1".to_owned()));
        assert_eq!(replies.take("1"), None);
        assert_eq!(format!("{replies:?}"), "Replies");
    }
}
