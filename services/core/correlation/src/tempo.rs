//! How fast alerts follow one another. Owns a mean of gaps that is the same after a state was written and read again.

use serde::{Deserialize, Serialize};

use crate::math::{exp, ln, thousandths};

/// The gaps between alerts, as the sum of their logarithms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tempo {
    /// In thousandths.
    pub(crate) sum: i64,
    pub(crate) gaps: i64,
}

impl Tempo {
    pub(crate) fn add(&mut self, gap_s: f64) {
        self.sum += i64::from(thousandths(ln(gap_s)));
        self.gaps += 1;
    }

    /// The geometric mean, with `gaps` gaps of `tempo_s` before any was seen.
    #[allow(clippy::cast_precision_loss)] // sums of a few hundred gaps
    pub(crate) fn mean_s(self, tempo_s: f64, gaps: i64) -> f64 {
        let before = i64::from(thousandths(ln(tempo_s))) * gaps;
        exp((self.sum + before) as f64 / (self.gaps + gaps) as f64 / 1_000.0)
    }
}
