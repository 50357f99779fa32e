//! The worst predictions.

use super::error::ReportError;
use super::images::{Image, sample};
use crate::data::{Dataset, TargetKind};
use crate::train::THRESHOLD;

/// The most mistakes that are shown.
const MISTAKES: usize = 24;

/// What a sample is, or is taken for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Target {
    /// A class.
    Class(usize),
    /// These labels.
    Labels(Vec<usize>),
    /// These numbers.
    Values(Vec<f32>),
}

impl Target {
    /// Of a sample of a test set.
    pub(super) fn of(test: &Dataset, index: usize) -> Self {
        let row = || test.target_rows()[index * test.classes()..][..test.classes()].to_vec();
        match test.target() {
            TargetKind::Classes => Target::Class(test.label(index).unwrap_or_default() as usize),
            TargetKind::MultiLabel => Target::Labels(above(&row())),
            TargetKind::Values => Target::Values(row()),
        }
    }
}

/// A test sample that was predicted wrongly.
#[derive(Debug)]
pub(super) struct Mistake {
    /// Its place in the test set.
    pub(super) index: usize,
    /// What it is called; `None` where samples have no names.
    pub(super) name: Option<String>,
    pub(super) target: Target,
    pub(super) predicted: Target,
    /// How wrong: of a class the probability of the predicted one; else the mean absolute error of its outputs.
    pub(super) by: f32,
    /// `None` where samples are no images.
    pub(super) image: Option<Image>,
}

/// The worst predictions, the worst first: wrong classes of which the model was most certain, samples with a wrong label and
/// those of values by their errors.
pub(super) fn worst(test: &Dataset, outputs: &[f32], columns: usize) -> Result<Vec<Mistake>, ReportError> {
    let mut wrong: Vec<(usize, Target, f32)> = Vec::new();
    for (index, row) in outputs.chunks_exact(columns).enumerate() {
        let mean_error = || {
            let wanted = &test.target_rows()[index * columns..][..columns];
            row.iter().zip(wanted).map(|(y, t)| (y - t).abs()).sum::<f32>() / columns as f32
        };
        let (predicted, by) = match test.target() {
            TargetKind::Classes => (Target::Class(largest(row)), row[largest(row)]),
            TargetKind::MultiLabel => (Target::Labels(above(row)), mean_error()),
            TargetKind::Values => (Target::Values(row.to_vec()), mean_error()),
        };
        if predicted != Target::of(test, index) {
            wrong.push((index, predicted, by));
        }
    }
    // A stable sort: ties stay in order.
    wrong.sort_by(|a, b| b.2.total_cmp(&a.2));
    wrong
        .into_iter()
        .take(MISTAKES)
        .map(|(index, predicted, by)| {
            let (target, image) = (Target::of(test, index), image(test, index)?);
            let name = test.sample_name(index).map(str::to_owned);
            Ok(Mistake { index, name, target, predicted, by, image })
        })
        .collect()
}

/// A sample of a test set, if it is an image of bytes.
pub(super) fn image(test: &Dataset, index: usize) -> Result<Option<Image>, ReportError> {
    let shape = test.shape().image();
    shape.zip(test.image(index)).map(|(shape, bytes)| sample(shape, bytes)).transpose()
}

/// The index of the largest value, the first of equal ones.
fn largest(row: &[f32]) -> usize {
    (0..row.len()).fold(0, |best, at| if row[at] > row[best] { at } else { best })
}

/// The labels that hold.
fn above(row: &[f32]) -> Vec<usize> {
    (0..row.len()).filter(|&at| row[at] > THRESHOLD).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Targets;

    #[test]
    fn the_most_certain_mistakes_come_first() {
        let test = Dataset::new(vec![7; 4], vec![0, 1, 1, 0], [1, 1, 1], 2).unwrap();
        let found = worst(&test, &[0.4, 0.6, 0.2, 0.8, 0.9, 0.1, 0.4, 0.6], 2).unwrap();
        let found: Vec<_> = found.into_iter().map(|m| (m.index, m.target, m.predicted, m.by)).collect();
        let class = Target::Class;
        assert_eq!(
            found,
            [(2, class(1), class(0), 0.9), (0, class(0), class(1), 0.6), (3, class(0), class(1), 0.6)]
        );
    }

    #[test]
    fn the_largest_errors_come_first() {
        let outputs = [0.75, 0.0, 0.5, 0.25, 1.0, 1.0];
        let targets = [[0.0, 0.0], [0.5, 0.25], [1.0, 0.0]];
        for (kind, expected) in [
            (Targets::values(targets, 2), vec![(2, 0.5), (0, 0.375)]),
            (
                Targets::multi_label([[0, 0], [0, 0], [1, 0]].map(|row: [u8; 2]| row), 2),
                vec![(2, 0.5), (0, 0.375)],
            ),
        ] {
            let test = Dataset::from_parts(vec![0u8; 3], kind.unwrap(), [1, 1, 1]).unwrap();
            let found = worst(&test, &outputs, 2).unwrap();
            assert_eq!(found.iter().map(|m| (m.index, m.by)).collect::<Vec<_>>(), expected);
            assert!(found.iter().all(|mistake| mistake.image.is_some()));
        }
    }
}
