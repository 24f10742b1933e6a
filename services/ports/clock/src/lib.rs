//! The clock port: the one door through which time enters.
//!
//! The one contract of this crate: *nobody learns what time it is except by asking a [`Clock`]*, and
//! nobody may ask while a replay is going on: inside [`forbidden`], a system clock panics. The lint
//! `disallowed-methods` keeps every other way shut.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hindcast_domain::Time;
use tokio::sync::watch;

/// Tells the time, and waits for it.
#[async_trait]
pub trait Clock: Send + Sync + 'static {
    /// What time it is.
    fn now(&self) -> Time;

    /// Ends once `now() >= until`.
    async fn sleep_until(&self, until: Time);
}

/// A shared clock.
pub type Shared = Arc<dyn Clock>;

thread_local! {
    static FORBIDDEN: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` with clock and network forbidden on this thread: a port that could reach either panics.
/// Replay runs inside, so that a fold which asks for the time cannot go unnoticed.
pub fn forbidden<T>(work: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            FORBIDDEN.with(|flag| flag.set(self.0));
        }
    }
    let _restore = Restore(FORBIDDEN.with(|flag| flag.replace(true)));
    work()
}

/// Panics inside [`forbidden`]. Every port that can reach clock or network calls this first.
///
/// # Panics
/// When a replay is going on on this thread.
pub fn assert_allowed(what: &str) {
    assert!(!FORBIDDEN.with(Cell::get), "a replay reached for {what}: what is not deterministic must be recorded");
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl System {
    /// The machine's clock, shared.
    #[must_use]
    pub fn shared() -> Shared {
        Arc::new(Self)
    }
}

#[async_trait]
impl Clock for System {
    #[allow(clippy::disallowed_methods)] // this is the door
    fn now(&self) -> Time {
        assert_allowed("the clock");
        let nanos = jiff::Timestamp::now().as_nanosecond();
        Time::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
    }

    async fn sleep_until(&self, until: Time) {
        loop {
            let left = until.since(self.now());
            if left.nanos() == 0 {
                return;
            }
            // Short naps, since the machine's clock may be set while we sleep.
            let nap = u64::try_from(left.nanos()).unwrap_or(0).min(60_000_000_000);
            tokio::time::sleep(Duration::from_nanos(nap)).await;
        }
    }
}

/// A clock that stands still until it is set, then can be let run on with the machine's.
///
/// The demo's driver and the tests hold it; time never runs backward.
#[derive(Clone, Debug)]
pub struct Stepped {
    state: Arc<watch::Sender<SteppedState>>,
}

#[derive(Clone, Copy, Debug)]
enum SteppedState {
    Still(Time),
    /// The offset, in nanoseconds, from the machine's clock.
    Running(i64),
}

impl Stepped {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn new(start: Time) -> Self {
        Self { state: Arc::new(watch::Sender::new(SteppedState::Still(start))) }
    }

    /// Moves the clock forward; an earlier time leaves it where it is.
    pub fn set(&self, to: Time) {
        self.state.send_if_modified(|state| match state {
            SteppedState::Still(now) if *now < to => {
                *now = to;
                true
            }
            _ => false,
        });
    }

    /// Lets the clock run on from where it stands, at the machine's pace.
    pub fn run(&self) {
        self.state.send_modify(|state| {
            if let SteppedState::Still(now) = *state {
                *state = SteppedState::Running(now.nanos() - System.now().nanos());
            }
        });
    }
}

#[async_trait]
impl Clock for Stepped {
    fn now(&self) -> Time {
        assert_allowed("the clock");
        match *self.state.borrow() {
            SteppedState::Still(now) => now,
            SteppedState::Running(offset) => Time::from_nanos(System.now().nanos() + offset),
        }
    }

    async fn sleep_until(&self, until: Time) {
        let mut changes = self.state.subscribe();
        loop {
            let state = *changes.borrow_and_update();
            match state {
                SteppedState::Still(now) if now >= until => return,
                SteppedState::Still(_) => {
                    if changes.changed().await.is_err() {
                        return;
                    }
                }
                SteppedState::Running(offset) => {
                    return System.sleep_until(Time::from_nanos(until.nanos() - offset)).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "a replay reached for the clock")]
    fn a_replay_that_asks_for_the_time_panics() {
        forbidden(|| System.now());
    }

    #[test]
    fn after_a_replay_the_clock_may_be_asked_again() {
        forbidden(|| ());
        assert!(System.now() > Time::ZERO);
    }

    #[tokio::test]
    async fn a_stepped_clock_wakes_sleepers_when_it_is_set() {
        let clock = Stepped::new(Time::from_millis(10));
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(Time::from_millis(30)).await }
        });
        clock.set(Time::from_millis(20));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.set(Time::from_millis(30));
        sleeper.await.unwrap();
        clock.set(Time::from_millis(5));
        assert_eq!(clock.now(), Time::from_millis(30), "time never runs backward");
    }
}
