//! Seeds of what is tested at random. Owns that every run draws a fresh one, says which, and can be asked for it again.

use std::time::{SystemTime, UNIX_EPOCH};

/// A number that the environment asks for.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a test is asked by its environment")]
pub fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The first seed: a fresh one for every run, or that of `HINDCAST_TEST_SEED`. It is printed.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a fresh seed is of the clock")]
pub fn seed() -> u64 {
    let fresh = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos().into();
    let seed = asked("HINDCAST_TEST_SEED").unwrap_or_else(fresh);
    eprintln!("HINDCAST_TEST_SEED={seed}");
    seed
}
