//! Metrics of estimated numbers.

use serde::Serialize;

use super::rows::{rows, with_names};
use crate::error::SettingError;

/// Metrics of one output, over the samples.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutputFigures {
    /// The output, counted from 0.
    pub output: usize,
    /// Its name, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Mean absolute error: the mean of `|y - t|`.
    pub mae: f64,
    /// Root mean squared error: the root of the mean of `(y - t)^2`.
    pub rmse: f64,
    /// Coefficient of determination: `1 - sum (y - t)^2 / sum (t - mean of t)^2`. 1 is perfect, 0 as good as the mean of the
    /// targets, below 0 worse. `None` where all targets are equal.
    pub r2: Option<f64>,
}

/// All metrics of one set of estimated numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ValueReport {
    /// The number of samples.
    pub samples: usize,
    /// Mean absolute error over all numbers, as Keras's `MeanAbsoluteError`.
    pub mae: f64,
    /// Root mean squared error over all numbers, as Keras's `RootMeanSquaredError`.
    pub rmse: f64,
    /// The mean of the outputs' coefficients of determination, as Keras's `R2Score`, of those that have one.
    pub r2: Option<f64>,
    /// Per output.
    pub outputs: Vec<OutputFigures>,
}

impl ValueReport {
    /// Evaluates outputs `[samples, columns]` by targets of the same shape.
    ///
    /// # Errors
    /// When there are no samples, or not one row of `columns` numbers of both for each.
    pub fn new(outputs: &[f32], targets: &[f32], columns: usize) -> Result<Self, SettingError> {
        let samples = rows(outputs, targets, columns)?.count();
        let mut means = vec![0.0; columns];
        for (at, &target) in targets.iter().enumerate() {
            means[at % columns] += f64::from(target) / samples as f64;
        }
        // Of each output the sums of |y - t|, (y - t)^2 and (t - mean)^2.
        let mut sums = vec![[0.0f64; 3]; columns];
        for (found, wanted) in rows(outputs, targets, columns)? {
            for (((sums, mean), &y), &t) in sums.iter_mut().zip(&means).zip(found).zip(wanted) {
                let error = f64::from(y) - f64::from(t);
                sums[0] += error.abs();
                sums[1] += error * error;
                sums[2] += (f64::from(t) - mean).powi(2);
            }
        }
        let n = samples as f64;
        let figures = |(output, [absolute, squares, spread]): (usize, &[f64; 3])| OutputFigures {
            output,
            name: None,
            mae: absolute / n,
            rmse: (squares / n).sqrt(),
            r2: (*spread > 0.0).then(|| 1.0 - squares / spread),
        };
        let figures: Vec<OutputFigures> = sums.iter().enumerate().map(figures).collect();
        let total = |of: usize| sums.iter().map(|sums| sums[of]).sum::<f64>() / (n * columns as f64);
        let scores: Vec<f64> = figures.iter().filter_map(|output| output.r2).collect();
        Ok(ValueReport {
            samples,
            mae: total(0),
            rmse: total(1).sqrt(),
            r2: (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64),
            outputs: figures,
        })
    }

    /// With the names of the outputs, in order; outputs past the last name have none.
    pub fn named(mut self, names: &[String]) -> Self {
        with_names(self.outputs.iter_mut().map(|output| &mut output.name), names);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_worked_out_by_hand() {
        // Errors 1, -1, 2 of targets 0, 3, 3; and 0, 0, 3 of equal targets.
        let report =
            ValueReport::new(&[1.0, 5.0, 2.0, 5.0, 5.0, 8.0], &[0.0, 5.0, 3.0, 5.0, 3.0, 5.0], 2).unwrap();
        let [first, second] = &report.outputs[..] else { panic!("{report:?}") };
        assert!((first.mae - 4.0 / 3.0).abs() < 1e-15 && (first.rmse - 2f64.sqrt()).abs() < 1e-15);
        // The targets' squares around 2 are 4, 1, 1.
        assert!(first.r2.is_some_and(|r2| r2.abs() < 1e-15), "{first:?}");
        assert_eq!((second.mae, second.rmse, second.r2), (1.0, 3f64.sqrt(), None));
        assert!((report.mae - 7.0 / 6.0).abs() < 1e-15 && (report.rmse - 2.5f64.sqrt()).abs() < 1e-15);
        assert!(report.r2.is_some_and(|r2| r2.abs() < 1e-15), "{report:?}");
        assert_eq!(report.samples, 3);
        let perfect = ValueReport::new(&[1.0, 2.0], &[1.0, 2.0], 1).unwrap();
        assert_eq!((perfect.mae, perfect.rmse, perfect.r2), (0.0, 0.0, Some(1.0)));
    }
}
