//! Metrics of predicted classes: confusion matrix, precision, recall, F1, top-k accuracy.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::figures::{ClassFigures, MacroFigures, harmonic, share};
use crate::error::SettingError;

/// The most classes whose counts are written as a square.
const MOST_IN_SQUARE: usize = 1000;

/// How often samples of each class were predicted as each class.
///
/// As JSON it is the square [`counts`](Self::counts), or, of more than 1,000 classes, the list of [`cells`](Self::cells).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionMatrix {
    /// Of each true class, what it was predicted as: most are never taken for most.
    rows: Vec<BTreeMap<usize, u64>>,
}

impl Serialize for ConfusionMatrix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.classes() {
            few if few <= MOST_IN_SQUARE => self.counts().serialize(serializer),
            _ => serializer.collect_seq(self.cells()),
        }
    }
}

/// Of `[true class][predicted class]`, square.
impl From<Vec<Vec<u64>>> for ConfusionMatrix {
    fn from(counts: Vec<Vec<u64>>) -> Self {
        let row = |row: Vec<u64>| row.into_iter().enumerate().filter(|(_, count)| *count > 0).collect();
        ConfusionMatrix { rows: counts.into_iter().map(row).collect() }
    }
}

/// All metrics of one set of predictions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The number of samples.
    pub samples: usize,
    /// Share of samples whose most probable class is the right one.
    pub accuracy: f64,
    /// The `k` of `top_k_accuracy`.
    pub k: usize,
    /// Share of samples whose class is among the `k` most probable ones.
    pub top_k_accuracy: f64,
    /// Per class.
    pub classes: Vec<ClassFigures>,
    /// Over the classes.
    #[serde(rename = "macro")]
    pub means: MacroFigures,
    /// How often each class was predicted as each class.
    pub confusion: ConfusionMatrix,
}

impl Report {
    /// Evaluates probabilities `[labels.len(), classes]`, or any scores of which the largest wins.
    ///
    /// # Errors
    /// When there are no labels, the scores are not one row of `classes` for each label, a label is not below `classes`,
    /// or `k` is not from 1 to `classes`.
    pub fn new(scores: &[f32], labels: &[u32], classes: usize, k: usize) -> Result<Self, SettingError> {
        let confusion = ConfusionMatrix::new(scores, labels, classes)?;
        let top_k_accuracy = top_k_accuracy(scores, labels, classes, k)?;
        Ok(Report {
            samples: labels.len(),
            accuracy: confusion.accuracy(),
            k,
            top_k_accuracy,
            classes: confusion.figures(),
            means: confusion.means(),
            confusion,
        })
    }

    /// With the names of the classes, in order; classes past the last name have none.
    pub fn named(mut self, names: &[String]) -> Self {
        for (figures, name) in self.classes.iter_mut().zip(names) {
            figures.name = Some(name.clone());
        }
        self
    }
}

impl ConfusionMatrix {
    /// Counts, for scores `[labels.len(), classes]`, which class has the largest one, the first of equal ones.
    ///
    /// # Errors
    /// As [`Report::new`].
    pub fn new(scores: &[f32], labels: &[u32], classes: usize) -> Result<Self, SettingError> {
        check(scores, labels, classes)?;
        let mut rows = vec![BTreeMap::new(); classes];
        for (row, &label) in scores.chunks_exact(classes).zip(labels) {
            let mut largest = 0;
            for (class, score) in row.iter().enumerate() {
                if *score > row[largest] {
                    largest = class;
                }
            }
            *rows[label as usize].entry(largest).or_insert(0) += 1;
        }
        Ok(ConfusionMatrix { rows })
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.rows.len()
    }

    /// How many samples of a class were predicted as another, or as itself.
    pub fn count(&self, class: usize, predicted: usize) -> u64 {
        self.rows.get(class).and_then(|row| row.get(&predicted)).copied().unwrap_or(0)
    }

    /// `(true class, predicted class, count)` of what occurred, in order.
    pub fn cells(&self) -> impl Iterator<Item = (usize, usize, u64)> {
        let row = |(class, row)| {
            let row: &BTreeMap<usize, u64> = row;
            row.iter().map(move |(&predicted, &count)| (class, predicted, count))
        };
        self.rows.iter().enumerate().flat_map(row)
    }

    /// All counts, `[true class][predicted class]`: as many as the square of the number of classes.
    pub fn counts(&self) -> Vec<Vec<u64>> {
        let row = |class| (0..self.classes()).map(|predicted| self.count(class, predicted)).collect();
        (0..self.classes()).map(row).collect()
    }

    /// The share of samples on the diagonal.
    pub fn accuracy(&self) -> f64 {
        let right = (0..self.classes()).map(|class| self.count(class, class)).sum();
        share(right, self.cells().map(|(.., count)| count).sum())
    }

    /// The metrics of each class.
    pub fn figures(&self) -> Vec<ClassFigures> {
        let mut predicted = vec![0; self.classes()];
        self.cells().for_each(|(_, class, count)| predicted[class] += count);
        let figures = |class: usize| {
            let right = self.count(class, class);
            let support = self.rows[class].values().sum();
            let precision = share(right, predicted[class]);
            let recall = share(right, support);
            ClassFigures { class, name: None, precision, recall, f1: harmonic(precision, recall), support }
        };
        (0..self.classes()).map(figures).collect()
    }

    /// Means over the classes.
    pub fn means(&self) -> MacroFigures {
        MacroFigures::of(&self.figures())
    }
}

/// The share of samples whose class is among the `k` with the largest of its scores `[labels.len(), classes]`: fewer
/// than `k` classes have a larger one. Of equal scores either all count or none, as in `keras.ops.in_top_k`.
///
/// # Errors
/// As [`Report::new`].
pub fn top_k_accuracy(scores: &[f32], labels: &[u32], classes: usize, k: usize) -> Result<f64, SettingError> {
    check(scores, labels, classes)?;
    if k == 0 || k > classes {
        return Err(SettingError::new("k", k, "from 1 to the number of classes"));
    }
    let hits = scores.chunks_exact(classes).zip(labels).filter(|(row, label)| {
        let own = row[**label as usize];
        own.is_finite() && row.iter().filter(|&&score| score > own).count() < k
    });
    Ok(share(hits.count() as u64, labels.len() as u64))
}

fn check(scores: &[f32], labels: &[u32], classes: usize) -> Result<(), SettingError> {
    if labels.is_empty() {
        return Err(SettingError::new("labels", "empty", "at least one"));
    }
    if labels.len().checked_mul(classes) != Some(scores.len()) {
        let found = format!("{} numbers for {} labels", scores.len(), labels.len());
        return Err(SettingError::new("scores", found, "a row with one number per class for each label"));
    }
    match labels.iter().find(|&&label| label as usize >= classes) {
        Some(label) => Err(SettingError::new("labels", *label, "below the number of classes")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three classes; the labels 0 0 0, 1 1, 2 2 are predicted as 0 0 1, 1 1, 0 2.
    const LABELS: [u32; 7] = [0, 0, 0, 1, 1, 2, 2];
    const SCORES: [f32; 21] = [
        0.8, 0.1, 0.1, //
        0.5, 0.3, 0.2, //
        0.3, 0.6, 0.1, //
        0.1, 0.7, 0.2, //
        0.2, 0.5, 0.3, //
        0.6, 0.3, 0.1, //
        0.0, 0.4, 0.6,
    ];

    #[test]
    fn figures_are_those_worked_out_by_hand() {
        let report = Report::new(&SCORES, &LABELS, 3, 2).unwrap();
        assert_eq!(report.confusion.counts(), [vec![2, 1, 0], vec![0, 2, 0], vec![1, 0, 1]]);
        assert_eq!((report.samples, report.accuracy), (7, 5.0 / 7.0));
        // (precision, recall, support)
        let rows = [(2.0 / 3.0, 2.0 / 3.0, 3), (2.0 / 3.0, 1.0, 2), (1.0, 0.5, 2)];
        for (class, (precision, recall, support)) in rows.into_iter().enumerate() {
            let f1 = 2.0 / (1.0 / precision + 1.0 / recall);
            let found = &report.classes[class];
            assert_eq!(
                (found.precision, found.recall, found.support),
                (precision, recall, support),
                "{class}"
            );
            assert!((found.f1 - f1).abs() < 1e-15, "{class}: {} {f1}", found.f1);
        }
        assert!((report.means.precision - 7.0 / 9.0).abs() < 1e-15);
        assert!((report.means.recall - 13.0 / 18.0).abs() < 1e-15);
        // The sixth sample has its class in the last place.
        assert_eq!(report.top_k_accuracy, 6.0 / 7.0);
    }

    #[test]
    fn very_many_classes_take_little_room() {
        let (classes, mut scores) = (50_000, vec![0.0; 2 * 50_000]);
        (scores[49_999], scores[50_000 + 7]) = (1.0, 1.0);
        let found = ConfusionMatrix::new(&scores, &[49_999, 8], classes).unwrap();
        assert_eq!(
            serde_json::to_value(&found).unwrap(),
            serde_json::json!([[8, 7, 1], [49_999, 49_999, 1]])
        );
        assert_eq!((found.accuracy(), found.count(8, 7), found.figures()[49_999].f1), (0.5, 1, 1.0));
        let small = ConfusionMatrix::from(vec![vec![1, 0], vec![2, 3]]);
        assert_eq!(serde_json::to_value(&small).unwrap(), serde_json::json!([[1, 0], [2, 3]]));
    }

    #[test]
    fn top_k_counts_what_is_larger() {
        // (scores of one sample, label, k, whether it counts)
        let rows: [(&[f32], u32, usize, bool); 8] = [
            (&[0.1, 0.2, 0.7], 2, 1, true),
            (&[0.1, 0.2, 0.7], 1, 1, false),
            (&[0.1, 0.2, 0.7], 1, 2, true),
            (&[0.1, 0.2, 0.7], 0, 2, false),
            (&[0.1, 0.2, 0.7], 0, 3, true),
            (&[0.4, 0.4, 0.2], 1, 1, true),
            (&[f32::NAN, 0.4, 0.2], 0, 3, false),
            (&[f32::NAN, 0.4, 0.2], 1, 1, true),
        ];
        for (scores, label, k, hit) in rows {
            let found = top_k_accuracy(scores, &[label], 3, k).unwrap();
            assert_eq!(found, f64::from(u8::from(hit)), "{scores:?} {label} {k}");
        }
    }

    #[test]
    fn a_class_that_never_occurs_has_zeros() {
        let report = Report::new(&[0.9, 0.1, 0.0], &[0], 3, 1).unwrap();
        let ClassFigures { precision, recall, f1, support, .. } = report.classes[2];
        assert_eq!((precision, recall, f1, support), (0.0, 0.0, 0.0, 0));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let rows: [(&[f32], &[u32], usize, &str); 5] = [
            (&[], &[], 1, "`labels` is empty"),
            (&[0.1; 5], &[0, 0], 1, "`scores` is 5 numbers for 2 labels"),
            (&[0.1; 6], &[0, 3], 1, "`labels` is 3"),
            (&[0.1; 6], &[0, 2], 0, "`k` is 0"),
            (&[0.1; 6], &[0, 2], 4, "`k` is 4"),
        ];
        for (scores, labels, k, expected) in rows {
            let message = Report::new(scores, labels, 3, k).unwrap_err().to_string();
            assert!(message.contains(expected), "{message:?} lacks {expected:?}");
        }
    }
}
