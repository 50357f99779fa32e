//! Metrics of predicted labels, of which a sample may have any number.

use serde::Serialize;

use super::figures::{ClassFigures, MacroFigures, harmonic, share};
use super::rows::{rows, with_names};
use crate::error::SettingError;

/// From which probability on a label is predicted: above it, as in Keras's metrics.
pub const THRESHOLD: f32 = 0.5;

/// All metrics of one set of predicted labels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelReport {
    /// The number of samples.
    pub samples: usize,
    /// From which probability on a label is predicted.
    pub threshold: f32,
    /// Share of all predictions, one for each label of each sample, that are right, as Keras's `BinaryAccuracy`.
    pub binary_accuracy: f64,
    /// Share of the samples all of whose labels are predicted rightly.
    pub exact_match: f64,
    /// Per label.
    pub labels: Vec<ClassFigures>,
    /// Over the labels.
    #[serde(rename = "macro")]
    pub means: MacroFigures,
}

impl LabelReport {
    /// Evaluates probabilities `[samples, labels]` by targets of the same shape: 1 where a label holds, else 0. A label is
    /// predicted where its probability is above [`THRESHOLD`], and holds where the target is.
    ///
    /// # Errors
    /// When there are no samples, or not one row of `labels` numbers of both for each.
    pub fn new(probabilities: &[f32], targets: &[f32], labels: usize) -> Result<Self, SettingError> {
        // Of each label: predicted and true, predicted, true.
        let mut counts = vec![[0u64; 3]; labels];
        let (mut right, mut exact, mut samples) = (0, 0, 0);
        for (found, wanted) in rows(probabilities, targets, labels)? {
            let mut right_here = 0;
            for ((count, found), wanted) in counts.iter_mut().zip(found).zip(wanted) {
                let (found, wanted) = (*found > THRESHOLD, *wanted > THRESHOLD);
                count[0] += u64::from(found && wanted);
                count[1] += u64::from(found);
                count[2] += u64::from(wanted);
                right_here += u64::from(found == wanted);
            }
            right += right_here;
            exact += u64::from(right_here == labels as u64);
            samples += 1;
        }
        let figures = |(class, [both, found, support]): (usize, [u64; 3])| {
            let (precision, recall) = (share(both, found), share(both, support));
            ClassFigures { class, name: None, precision, recall, f1: harmonic(precision, recall), support }
        };
        let figures: Vec<_> = counts.into_iter().enumerate().map(figures).collect();
        Ok(LabelReport {
            samples,
            threshold: THRESHOLD,
            binary_accuracy: share(right, (samples * labels) as u64),
            exact_match: share(exact, samples as u64),
            means: MacroFigures::of(&figures),
            labels: figures,
        })
    }

    /// With the names of the labels, in order; labels past the last name have none.
    pub fn named(mut self, names: &[String]) -> Self {
        with_names(self.labels.iter_mut().map(|label| &mut label.name), names);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_worked_out_by_hand() {
        let probabilities = [0.9, 0.2, 0.6, 0.5, 0.1, 0.9, 0.7, 0.3];
        let targets = [1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0];
        // Label 0 is predicted of samples 0, 1, 3 and holds of 0, 3; label 1 is predicted of 2 (0.5 is not above the
        // threshold) and holds of 1, 2, 3.
        let report = LabelReport::new(&probabilities, &targets, 2).unwrap();
        let [first, second] = &report.labels[..] else { panic!("{report:?}") };
        assert_eq!((first.precision, first.recall, first.support), (2.0 / 3.0, 1.0, 2));
        assert_eq!((second.precision, second.recall, second.support), (1.0, 1.0 / 3.0, 3));
        assert!((first.f1 - 0.8).abs() < 1e-15 && (second.f1 - 0.5).abs() < 1e-15);
        assert_eq!((report.binary_accuracy, report.exact_match, report.samples), (5.0 / 8.0, 0.5, 4));
        assert!((report.means.f1 - 0.65).abs() < 1e-15);
        let names = ["red".to_owned()];
        let named = report.named(&names);
        assert_eq!((named.labels[0].name.as_deref(), named.labels[1].name.as_deref()), (Some("red"), None));
    }

    #[test]
    fn a_label_that_never_holds_has_zeros() {
        let report = LabelReport::new(&[0.1, 0.9], &[0.0, 1.0], 2).unwrap();
        let ClassFigures { precision, recall, f1, support, .. } = report.labels[0];
        assert_eq!((precision, recall, f1, support), (0.0, 0.0, 0.0, 0));
    }
}
