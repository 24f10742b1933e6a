//! The trainer: logistic regression by linfa (L-BFGS). Owns how rows become its matrices and how a weight
//! becomes a repetition; refuses to know what a feature means.
//!
//! linfa-logistic knows no weights of rows, so a row counts by how often it stands in the matrix, in
//! quarters of a whole label. It starts from zero and draws nothing, so the same rows give the same fit.

use hindcast_training::{Trainer, TrainingRow};
use linfa::dataset::Dataset;
use linfa::traits::Fit as _;
use linfa_logistic::LogisticRegression;
use ndarray_0_16::{Array1, Array2};

/// What one repetition stands for, in thousandths of a label.
const STEP: u32 = 250;
/// Repetitions of one row, at the most: two whole labels.
const REPEATS_MAX: u32 = 8;
/// Steps of the solver; with nine columns it needs a few dozen.
const STEPS_MAX: u64 = 500;
/// Where the gradient counts as flat.
const FLAT: f64 = 1e-5;

/// Logistic regression by linfa, with a penalty on the distance from the parent version.
#[derive(Clone, Copy, Debug, Default)]
pub struct Linfa;

impl Trainer for Linfa {
    fn name(&self) -> &'static str {
        "linfa-logistic 0.8.1 (L-BFGS)"
    }

    fn fit(&self, rows: &[TrainingRow], penalty: f64) -> Result<Vec<f64>, String> {
        let width = rows.first().map_or(0, |row| row.features.len());
        if width == 0 || rows.iter().any(|row| row.features.len() != width) {
            return Err(format!("expected rows of one width above 0, got a first one of {width}"));
        }
        let repeated = || {
            rows.iter().flat_map(|row| {
                let times = (row.weight + STEP / 2) / STEP;
                std::iter::repeat_n(row, times.clamp(1, REPEATS_MAX) as usize)
            })
        };
        let same: Vec<bool> = repeated().map(|row| row.same).collect();
        let height = same.len();
        let values: Vec<f64> = repeated().flat_map(|row| row.features.iter().copied()).collect();
        let matrix = Array2::from_shape_vec((height, width), values).map_err(|error| error.to_string())?;
        let data = Dataset::new(matrix, Array1::from_vec(same));
        let model = LogisticRegression::default()
            .with_intercept(false)
            // A whole label stands in the matrix several times, and so does what is weighed against it.
            .alpha(penalty * f64::from(1_000 / STEP))
            .max_iterations(STEPS_MAX)
            .gradient_tolerance(FLAT)
            .fit(&data)
            .map_err(|error| error.to_string())?;
        // linfa calls the class that it meets more of, or first, the positive one; ours is `same`.
        let turned = if model.labels().pos.class { 1.0 } else { -1.0 };
        Ok(model.params().iter().map(|value| turned * value).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(features: &[f64], same: bool, weight: u32) -> TrainingRow {
        TrainingRow { features: features.to_vec(), same, weight }
    }

    /// One column that tells, one that does not.
    fn rows(same_first: bool) -> Vec<TrainingRow> {
        let mut rows: Vec<TrainingRow> = (0..40)
            .map(|index| {
                let same = index % 2 == 0;
                let telling = if same { 0.4 } else { -0.4 };
                row(&[telling, f64::from(index % 5) / 5.0], same, 1_000)
            })
            .collect();
        rows.sort_by_key(|row| row.same != same_first);
        rows
    }

    #[test]
    fn what_tells_gets_the_weight_whatever_class_comes_first() {
        for same_first in [true, false] {
            let fit = Linfa.fit(&rows(same_first), 0.1).unwrap();
            assert!(fit[0] > 3.0 && fit[1].abs() < 1.0, "{same_first}: {fit:?}");
        }
    }

    #[test]
    fn the_same_rows_give_the_same_fit() {
        assert_eq!(Linfa.fit(&rows(true), 1.0), Linfa.fit(&rows(true), 1.0));
    }

    #[test]
    fn a_row_counts_by_its_weight() {
        let with = |weight: u32| {
            let mut rows = rows(true);
            rows.extend((0..20).map(|_| row(&[0.4, 0.5], false, weight)));
            Linfa.fit(&rows, 0.1).unwrap()[0]
        };
        assert!(with(1_000) < with(250), "{} {}", with(1_000), with(250));
    }

    #[test]
    fn rows_of_two_widths_and_of_one_class_are_refused() {
        assert!(Linfa.fit(&[row(&[1.0], true, 1), row(&[1.0, 2.0], false, 1)], 1.0).is_err());
        assert!(Linfa.fit(&[row(&[1.0], true, 1), row(&[0.5], true, 1)], 1.0).is_err());
        assert!(Linfa.fit(&[], 1.0).is_err());
    }
}
