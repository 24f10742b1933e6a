//! Which receivers take what they are sent: kept by delivery, so that the record says when one begins to fail, and what
//! waits for one is sent as soon as it takes something again.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;

/// What is known of one receiver since the process began.
#[derive(Clone, Copy, Default)]
struct ReceiverReach {
    /// Messages that it took.
    taken: u64,
    /// Whether the last that was written down of it is a failure.
    fails: bool,
}

/// All receivers by name.
pub(crate) struct Reach(watch::Sender<BTreeMap<String, ReceiverReach>>);

impl Default for Reach {
    fn default() -> Self {
        Self(watch::Sender::new(BTreeMap::new()))
    }
}

impl Reach {
    /// How many messages a receiver took so far.
    pub(crate) fn taken(&self, receiver: &str) -> u64 {
        self.0.borrow().get(receiver).map_or(0, |known| known.taken)
    }

    /// Whether the last that was written down of a receiver is a failure.
    pub(crate) fn fails(&self, receiver: &str) -> bool {
        self.0.borrow().get(receiver).is_some_and(|known| known.fails)
    }

    /// It took a message, and that is written down.
    pub(crate) fn took(&self, receiver: &str) {
        self.change(receiver, |known| *known = ReceiverReach { taken: known.taken + 1, fails: false });
    }

    /// It did not, and that is written down.
    pub(crate) fn refused(&self, receiver: &str) {
        self.change(receiver, |known| known.fails = true);
    }

    fn change(&self, receiver: &str, change: impl FnOnce(&mut ReceiverReach)) {
        self.0.send_modify(|all| change(all.entry(receiver.to_owned()).or_default()));
    }

    /// Waits for `pause`, or until a receiver has taken more than `taken` messages: true then.
    pub(crate) async fn wait(&self, receiver: &str, taken: u64, pause: Duration) -> bool {
        let mut all = self.0.subscribe();
        let again = all.wait_for(|all| all.get(receiver).is_some_and(|known| known.taken > taken));
        tokio::time::timeout(pause, again).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_waits_for_a_receiver_goes_on_when_it_takes_something() {
        let reach = Reach::default();
        assert!(!reach.wait("phone", reach.taken("phone"), Duration::from_secs(60)).await, "nothing was taken");
        let seen = reach.taken("phone");
        reach.took("channel");
        assert!(!reach.wait("phone", seen, Duration::from_secs(60)).await, "another one took something");
        reach.took("phone");
        assert!(reach.wait("phone", seen, Duration::from_secs(60)).await);
        assert!(!reach.wait("phone", reach.taken("phone"), Duration::from_secs(60)).await, "once for each message");
    }

    #[test]
    fn a_failure_after_a_message_that_was_taken_is_a_new_one() {
        let reach = Reach::default();
        assert!(!reach.fails("phone"));
        reach.refused("phone");
        assert!(reach.fails("phone") && !reach.fails("channel"));
        reach.took("phone");
        assert!(!reach.fails("phone"));
    }
}
