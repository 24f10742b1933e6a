//! Vectors as bytes: one scale a vector and a signed byte a number, with the length of what that leaves out.
//! Owns the arithmetic; refuses to know rows and files.
//!
//! Sums of products of bytes are whole numbers, so they are the same in any order and on every machine. The
//! lengths of what was left out bound how far a product of two coded vectors can be from the true one
//! (Cauchy–Schwarz), which is what makes a search exact: see [`Coded::error`].

/// The greatest code.
const CODE_MAX: f32 = 127.0;

/// What of a coded vector is not its codes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Coded {
    /// What a code stands for.
    pub(crate) scale: f32,
    /// The length of the vector that the codes stand for.
    pub(crate) length: f32,
    /// The length of what they leave out.
    pub(crate) left_out: f32,
}

/// Codes a vector into `codes`, which grows by its length.
pub(crate) fn encode(vector: &[f32], codes: &mut Vec<i8>) -> Coded {
    let most = vector.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let scale = if most > 0.0 { most / CODE_MAX } else { 1.0 };
    let (mut length, mut left_out) = (0.0_f64, 0.0_f64);
    for x in vector {
        let code = code(x / scale);
        codes.push(code);
        let stands_for = f64::from(code) * f64::from(scale);
        length += stands_for * stands_for;
        left_out += (f64::from(*x) - stands_for).powi(2);
    }
    Coded { scale, length: narrow(length.sqrt()), left_out: narrow(left_out.sqrt()) }
}

/// The nearest code; what is no number is 0.
#[allow(clippy::cast_possible_truncation)] // clamped to the range of a code
fn code(x: f32) -> i8 {
    x.round().clamp(-CODE_MAX, CODE_MAX) as i8
}

#[allow(clippy::cast_possible_truncation)] // lengths near 1
fn narrow(x: f64) -> f32 {
    x as f32
}

/// The product of two rows of codes.
pub(crate) fn product(a: &[i8], b: &[i8]) -> i32 {
    a.iter().zip(b).map(|(x, y)| i32::from(*x) * i32::from(*y)).sum()
}

impl Coded {
    /// What a product of codes stands for.
    #[allow(clippy::cast_precision_loss)] // a few bits of 24, far below the error that is counted in
    pub(crate) fn stands_for(&self, other: &Self, product: i32) -> f32 {
        self.scale * other.scale * product as f32
    }

    /// How far that may be from the true product: what either leaves out, times what stands on the other side.
    pub(crate) fn error(&self, other: &Self) -> f32 {
        const ROUNDING: f32 = 1e-5;
        self.left_out * (other.length + other.left_out) + self.length * other.left_out + ROUNDING
    }
}

#[cfg(test)]
mod tests {
    use hindcast_similarity::dot;

    use super::*;

    fn vector(seed: u32, dimension: usize) -> Vec<f32> {
        let mut state = seed.wrapping_mul(2_654_435_761).max(1);
        let mut vector: Vec<f32> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            f32::from(u16::try_from(state >> 16).unwrap()) / 32_768.0 - 1.0
        })
        .take(dimension)
        .collect();
        let length = dot(&vector, &vector).sqrt();
        vector.iter_mut().for_each(|x| *x /= length);
        vector
    }

    #[test]
    fn the_error_bounds_how_far_a_coded_product_is_from_the_true_one() {
        let mut greatest = 0.0_f32;
        for seed in 0..500 {
            let (a, b) = (vector(seed * 2 + 1, 384), vector(seed * 2 + 2, 384));
            let (mut ca, mut cb) = (Vec::new(), Vec::new());
            let (na, nb) = (encode(&a, &mut ca), encode(&b, &mut cb));
            let off = (na.stands_for(&nb, product(&ca, &cb)) - dot(&a, &b)).abs();
            assert!(off <= na.error(&nb), "expected at most {}, got {off}", na.error(&nb));
            greatest = greatest.max(off);
        }
        assert!(greatest > 1e-5, "codes do leave something out, so the bound was put to the test: {greatest}");
    }

    #[test]
    fn a_vector_of_zeroes_has_no_product() {
        let mut codes = Vec::new();
        let coded = encode(&[0.0; 8], &mut codes);
        assert_eq!((product(&codes, &codes), coded.length, coded.left_out), (0, 0.0, 0.0));
    }
}
