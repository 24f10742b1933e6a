//! Draws from a seed. Owns the one generator of this crate (SplitMix64, Steele, Lea and Flood 2014); refuses
//! to be seeded by anything but an argument.

/// A generator.
#[derive(Clone, Debug)]
pub struct Seeded(u64);

impl Seeded {
    /// From a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number below `bound`; 0 where that is 0. The bias of the remainder is below 2⁻³² for our bounds.
    pub const fn below(&mut self, bound: usize) -> usize {
        if bound == 0 {
            return 0;
        }
        (self.draw() % bound as u64) as usize
    }

    /// True in so many of a thousand draws.
    pub const fn chance(&mut self, thousandths: u64) -> bool {
        self.draw() % 1_000 < thousandths
    }
}

/// A hash of a text under a seed, for a split that does not depend on an order.
#[must_use]
pub fn hash(seed: u64, text: &str) -> u64 {
    text.bytes().fold(mix(seed), |state, byte| mix(state ^ u64::from(byte)))
}

const fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_sequence_and_another_seed_another() {
        let of = |seed| (0..4).scan(Seeded::new(seed), |it, _| Some(it.draw())).collect::<Vec<_>>();
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }
}
