//! Keeps a lease for whoever acts upon the world: of several processes that could, one does. Owns when it is asked
//! for, renewed and given back; refuses to say what may be done while nobody can tell whose it is.
//!
//! A lease is a hint (see [`hindcast_ledger::port::Lease`]), so at a hand-over two may act for as long as it takes to find out.
//! Effects carry a key of their own for that reason, and whoever takes over looks for what was begun before.

use std::time::Duration;

use tokio::sync::watch;

use hindcast_ledger::port::{Lease, LeaseError, Shared};

/// How often it is asked for, or renewed.
const EVERY: Duration = Duration::from_secs(1);
/// How long an answer is waited for; a lease that cannot be renewed by then is lost. Less than a lease lives.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whose a lease is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hold {
    /// It cannot be told.
    #[default]
    Unknown,
    /// Somebody else's.
    Others,
    /// Ours; the number counts how often it became so in this run.
    Ours(u64),
}

impl Hold {
    /// Whether it is ours.
    #[must_use]
    pub const fn is_ours(self) -> bool {
        matches!(self, Self::Ours(_))
    }
}

/// Keeps the lease of that name for `holder`, who is the same after a restart, until nobody looks any more. What one
/// installation of several does bears its name, so that another one cannot hold it up.
#[must_use]
pub fn keep(ledger: Shared, name: String, holder: String) -> watch::Receiver<Hold> {
    let (told, hold) = watch::channel(Hold::Unknown);
    tokio::spawn(async move {
        let mut tenures = 0;
        loop {
            match tokio::time::timeout(PATIENCE, ledger.lease(&name, &holder)).await {
                Ok(Ok(lease)) => {
                    tenures += 1;
                    tracing::debug!(name, tenures, "a lease is ours");
                    told.send_replace(Hold::Ours(tenures));
                    if !hold_on(lease.as_ref(), &told).await {
                        return;
                    }
                    tracing::warn!(name, "a lease was lost");
                    told.send_replace(Hold::Unknown);
                }
                Ok(Err(LeaseError::Held { holder, .. })) => {
                    tracing::trace!(name, holder, "a lease is somebody else's");
                    told.send_if_modified(|hold| std::mem::replace(hold, Hold::Others) != Hold::Others);
                }
                Ok(Err(LeaseError::Unavailable(..))) | Err(_) => {
                    told.send_if_modified(|hold| std::mem::replace(hold, Hold::Unknown) != Hold::Unknown);
                }
            }
            tokio::select! {
                () = told.closed() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    });
    hold
}

/// Renews it; false where nobody looks any more, and it was given back.
async fn hold_on(lease: &dyn Lease, told: &watch::Sender<Hold>) -> bool {
    loop {
        tokio::select! {
            () = told.closed() => {
                tokio::time::timeout(PATIENCE, lease.release()).await.ok();
                return false;
            }
            () = tokio::time::sleep(EVERY) => {}
        }
        if !matches!(tokio::time::timeout(PATIENCE, lease.renew()).await, Ok(true)) {
            return true;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test says so by panicking
mod tests {
    use super::*;
    use hindcast_ledger::memory::MemoryLedger;

    async fn is(hold: &mut watch::Receiver<Hold>, wanted: impl Fn(Hold) -> bool) -> Hold {
        tokio::time::timeout(Duration::from_secs(30), hold.wait_for(|hold| wanted(*hold)))
            .await
            .unwrap()
            .map(|hold| *hold)
            .unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn one_of_two_holds_it_and_the_other_takes_over_when_the_first_is_gone_or_silent() {
        let ledger = MemoryLedger::contended("L");
        let keeper = |holder: &str| keep(ledger.share(), "delivery".to_owned(), holder.to_owned());
        let mut one = keeper("one");
        assert_eq!(is(&mut one, Hold::is_ours).await, Hold::Ours(1));
        let mut two = keeper("two");
        assert_eq!(is(&mut two, |hold| hold != Hold::Unknown).await, Hold::Others);
        drop(one);
        assert_eq!(is(&mut two, Hold::is_ours).await, Hold::Ours(1));
        // Whoever was silent for too long has lost it, and says so before anything else.
        ledger.expire_leases();
        assert_eq!(is(&mut two, |hold| !hold.is_ours()).await, Hold::Unknown);
        assert_eq!(is(&mut two, Hold::is_ours).await, Hold::Ours(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_holder_that_comes_back_has_it_at_once() {
        let ledger = MemoryLedger::contended("L");
        let held = ledger.share().lease("delivery", "one").await.unwrap();
        let mut again = keep(ledger.share(), "delivery".to_owned(), "one".to_owned());
        assert_eq!(is(&mut again, Hold::is_ours).await, Hold::Ours(1));
        drop(held);
    }
}
