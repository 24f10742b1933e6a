//! Robust figures of small samples, shared by whoever compares a value with its own history.

/// The median; 0 of an empty sample. Of an even number of values it is the middle of the two middle ones.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    let middle = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    let even = values.len().is_multiple_of(2);
    let (lower, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if even { f64::midpoint(lower.iter().copied().fold(f64::NEG_INFINITY, f64::max), upper) } else { upper }
}
