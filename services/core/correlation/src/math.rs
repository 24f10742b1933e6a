//! Logarithm and powers from additions, multiplications and divisions alone. Owns that a score is the same on every
//! machine: those four are fixed by IEEE 754 to the bit, a library's `ln` and `exp` are not.

use std::f64::consts::{LN_2, SQRT_2};

/// The natural logarithm of a positive, normal number, to about 15 digits: the series of the inverse hyperbolic tangent
/// over the mantissa (Abramowitz and Stegun 4.1.27).
pub(crate) fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    #[allow(clippy::cast_possible_truncation)] // 11 bits
    let mut exponent = ((bits >> 52) & 0x7ff) as i32 - 1_023;
    let mut mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1_023 << 52));
    if mantissa > SQRT_2 {
        mantissa /= 2.0;
        exponent += 1;
    }
    let y = (mantissa - 1.0) / (mantissa + 1.0);
    let square = y * y;
    let mut sum = 0.0;
    for odd in [21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        sum = sum * square + 1.0 / odd;
    }
    f64::from(exponent) * LN_2 + 2.0 * y * sum
}

/// Two to the power of `x`, 0 below the smallest normal number.
pub(crate) fn exp2(x: f64) -> f64 {
    if x < -1_000.0 {
        return 0.0;
    }
    let whole = x.min(1_000.0).floor();
    let rest = (x.min(1_000.0) - whole) * LN_2;
    let mut power = 1.0;
    for term in (1..=18).rev() {
        power = 1.0 + power * rest / f64::from(term);
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between -1000 and 1000
    let scale = f64::from_bits(((whole as i64 + 1_023) as u64) << 52);
    power * scale
}

/// The exponential function.
pub(crate) fn exp(x: f64) -> f64 {
    exp2(x / LN_2)
}

/// Rounded thousandths.
pub(crate) fn thousandths(x: f64) -> i32 {
    #[allow(clippy::cast_possible_truncation)] // saturates
    let rounded = (x * 1_000.0).round() as i32;
    rounded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_agree_with_the_library_to_twelve_digits() {
        for step in 1..2_000 {
            let x = f64::from(step) * 0.37;
            assert!((ln(x) - x.ln()).abs() < 1e-12 * x.ln().abs().max(1.0), "ln {x}");
            let y = f64::from(step - 1_000) * 0.031;
            assert!((exp2(y) / y.exp2() - 1.0).abs() < 1e-12, "exp2 {y}");
            assert!((exp(y) / y.exp() - 1.0).abs() < 1e-12, "exp {y}");
        }
        assert!(exp2(-2_000.0).abs() < f64::MIN_POSITIVE);
    }
}
