//! HashedCounts by the hash of what is counted, and one count that decays. Owns their bound and their one written form, in the
//! order of the hashes; refuses to know what a hash stands for.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::math::exp2;

/// One, in the millionths that counts are kept in.
pub(crate) const ONE: u64 = 1_000_000;
/// Entries from which on the faintest are let go; half of them stay.
const ENTRIES_MAX: usize = 400_000;
/// What is fainter is let go first.
const FAINT: u64 = ONE / 20;

/// What a moment has to do with counts.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) now_s: i64,
    pub(crate) slot: i64,
    /// Slots with any alert up to and with this one, in millionths.
    pub(crate) active: u64,
}

/// A count that halves with time, worked out when it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DecayingCount {
    millionths: u64,
    at_s: i64,
    /// The slot of the last addition.
    pub(crate) slot: i64,
}

impl Default for DecayingCount {
    fn default() -> Self {
        Self { millionths: 0, at_s: 0, slot: i64::MIN }
    }
}

impl DecayingCount {
    /// What is left of it, in millionths.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // far below 2^53
    pub(crate) fn at(&self, now_s: i64, half_life_s: i64) -> u64 {
        if now_s <= self.at_s || self.millionths == 0 {
            return self.millionths;
        }
        let left = exp2(-((now_s - self.at_s) as f64) / half_life_s as f64);
        (self.millionths as f64 * left).round() as u64
    }

    /// The same without what the present slot added.
    pub(crate) fn past(&self, moment: Moment, half_life_s: i64) -> u64 {
        let all = self.at(moment.now_s, half_life_s);
        if self.slot == moment.slot { all.saturating_sub(ONE) } else { all }
    }

    /// HashedCounts one more, once a slot; whether it did.
    pub(crate) fn add(&mut self, now_s: i64, half_life_s: i64, slot: i64) -> bool {
        if slot == self.slot {
            return false;
        }
        self.millionths = self.at(now_s, half_life_s) + ONE;
        self.at_s = now_s;
        self.slot = slot;
        true
    }
}

/// Hands a hash on as it is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// A map by hashes.
pub(crate) type ByHash<T> = HashMap<u64, T, BuildHasherDefault<AsItIs>>;

/// A bounded map by hashes, written in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HashedCounts<T>(ByHash<T>);

impl<T> Default for HashedCounts<T> {
    fn default() -> Self {
        Self(ByHash::default())
    }
}

impl<T> HashedCounts<T> {
    pub(crate) fn get(&self, hash: u64) -> Option<&T> {
        self.0.get(&hash)
    }

    pub(crate) fn get_mut(&mut self, hash: u64) -> Option<&mut T> {
        self.0.get_mut(&hash)
    }

    pub(crate) fn insert(&mut self, hash: u64, value: T) {
        self.0.insert(hash, value);
    }

    pub(crate) fn entry(&mut self, hash: u64) -> &mut T
    where
        T: Default,
    {
        self.0.entry(hash).or_default()
    }

    pub(crate) fn retain(&mut self, keeps: impl Fn(&T) -> bool) {
        self.0.retain(|_, value| keeps(value));
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Lets go of the faintest once there are too many, until half of them are left.
    pub(crate) fn sweep(&mut self, left: impl Fn(&T) -> u64) {
        let mut faint = FAINT;
        if self.0.len() > ENTRIES_MAX {
            while self.0.len() > ENTRIES_MAX / 2 {
                self.0.retain(|_, value| left(value) >= faint);
                faint *= 2;
            }
        }
    }
}

impl<T: Serialize> Serialize for HashedCounts<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all: Vec<(&u64, &T)> = self.0.iter().collect();
        all.sort_unstable_by_key(|(hash, _)| **hash);
        all.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for HashedCounts<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Vec::<(u64, T)>::deserialize(deserializer)?.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_halves_and_counts_a_slot_once() {
        let mut count = DecayingCount::default();
        assert!(count.add(0, 100, 0) && !count.add(1, 100, 0));
        assert_eq!(count.at(100, 100), ONE / 2);
        assert!(count.add(100, 100, 1));
        assert_eq!(count.at(100, 100), ONE * 3 / 2);
        assert_eq!(count.at(99, 100), ONE * 3 / 2, "time does not run backwards");
    }

    #[test]
    fn what_is_written_is_read_the_same_and_is_bounded() {
        let mut counts = HashedCounts::<DecayingCount>::default();
        for hash in 0..=ENTRIES_MAX as u64 {
            counts.entry(hash.wrapping_mul(0x9e37_79b9_7f4a_7c15)).add(i64::try_from(hash / 100).unwrap(), 900, 1);
        }
        counts.sweep(|count| count.at(4_000, 900));
        assert!(counts.len() <= ENTRIES_MAX / 2 && counts.len() > ENTRIES_MAX / 8, "{}", counts.len());
        let text = serde_json::to_string(&counts).unwrap();
        assert_eq!(serde_json::from_str::<HashedCounts<DecayingCount>>(&text).unwrap(), counts);
    }
}
