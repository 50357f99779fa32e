//! What a page shows.

use std::path::Path;

use super::error::ReportError;
use super::images::{Image, sample};
use super::layers::{self, LayerView};
use super::logs::{self, Epoch, Profile};
use super::plots::{self, Plot};
use crate::data::Dataset;
use crate::error::Error;
use crate::files;
use crate::io::SavedRun;
use crate::io::run::{MODEL_FILE, RunResult};
use crate::train::Report;

/// The most mistakes that are shown.
const MISTAKES: usize = 24;

/// The test image that is followed through the layers.
pub(super) const FOLLOWED: usize = 0;

/// A test image that was predicted wrongly.
#[derive(Debug)]
pub(super) struct Mistake {
    /// Its place in the test set.
    pub(super) index: usize,
    pub(super) label: usize,
    pub(super) predicted: usize,
    /// Of the predicted class.
    pub(super) probability: f32,
    pub(super) image: Image,
}

/// What the model was evaluated on for the page.
#[derive(Debug, Default)]
pub struct Judged {
    /// `mnist` or a folder; empty where it is not known.
    pub data: String,
    /// Whether it differs from the test set that the run was evaluated on: then the run's loss is not the loss on
    /// this one.
    pub is_other: bool,
}

/// Everything that the page shows.
#[derive(Debug)]
pub struct RunReport<'a> {
    pub(super) run: &'a SavedRun,
    pub(super) result: Option<&'a RunResult>,
    pub(super) judged: Judged,
    /// Images of the test set.
    pub(super) samples: usize,
    /// The text of `model.toml`.
    pub(super) model_toml: String,
    pub(super) epochs: Vec<Epoch>,
    pub(super) plots: Vec<Plot>,
    pub(super) figures: Report,
    pub(super) mistakes: Vec<Mistake>,
    pub(super) filters: Option<LayerView>,
    pub(super) followed: Image,
    pub(super) followed_label: usize,
    pub(super) followed_probabilities: Vec<f32>,
    pub(super) activations: Vec<LayerView>,
    /// How many more layers there are.
    pub(super) layers_left_out: usize,
    pub(super) profile: Option<Profile>,
}

impl<'a> RunReport<'a> {
    /// Gathers it from a run folder, a test set, and the model's predictions for it: `[samples, classes]`. The logs
    /// and the result of the run may be missing.
    ///
    /// # Errors
    /// When a log is damaged, or predictions and test set do not fit together.
    pub fn new(
        dir: &Path,
        run: &'a SavedRun,
        result: Option<&'a RunResult>,
        test: &Dataset,
        probabilities: &[f32],
    ) -> Result<Self, ReportError> {
        let path = dir.join(MODEL_FILE);
        let model_toml = files::read_text(&path)
            .map_err(|cause| ReportError::Read { path: path.display().to_string(), cause })?;
        let classes = run.network.classes();
        let epochs = logs::epochs(dir)?;
        let (activations, layers_left_out) = layers::within_budget(layers::activations(run, test, FOLLOWED)?);
        let image = |index| sample(test.shape(), test.image(index).unwrap_or_default());
        Ok(RunReport {
            run,
            result,
            judged: Judged::default(),
            samples: test.len(),
            model_toml,
            plots: plots::plots(&epochs, &logs::step_losses(dir)?)?,
            epochs,
            figures: Report::new(probabilities, test.labels(), classes, 1).map_err(Error::from)?,
            mistakes: mistakes(test, probabilities, classes)?,
            filters: layers::filters(run)?,
            followed: image(FOLLOWED)?,
            followed_label: test.label(FOLLOWED).unwrap_or_default().into(),
            followed_probabilities: probabilities[FOLLOWED * classes..][..classes].to_vec(),
            activations,
            layers_left_out,
            profile: logs::profile(dir)?,
        })
    }

    /// Says what the test set is.
    pub fn on(self, judged: Judged) -> Self {
        RunReport { judged, ..self }
    }

    /// The plots in it.
    pub fn plots(&self) -> &[Plot] {
        &self.plots
    }
}

/// The wrong predictions of which the model was most certain, the highest probability first.
fn mistakes(test: &Dataset, probabilities: &[f32], classes: usize) -> Result<Vec<Mistake>, ReportError> {
    let mut wrong: Vec<(usize, usize, usize, f32)> = Vec::new();
    for (index, (row, &label)) in probabilities.chunks_exact(classes).zip(test.labels()).enumerate() {
        let predicted = largest(row);
        if predicted != usize::from(label) {
            wrong.push((index, label.into(), predicted, row[predicted]));
        }
    }
    // A stable sort: ties stay in order.
    wrong.sort_by(|a, b| b.3.total_cmp(&a.3));
    wrong
        .into_iter()
        .take(MISTAKES)
        .map(|(index, label, predicted, probability)| {
            let image = sample(test.shape(), test.image(index).unwrap_or_default())?;
            Ok(Mistake { index, label, predicted, probability, image })
        })
        .collect()
}

/// The index of the largest value, the first of equal ones.
fn largest(row: &[f32]) -> usize {
    (0..row.len()).fold(0, |best, at| if row[at] > row[best] { at } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_certain_mistakes_come_first() {
        let test = Dataset::new(vec![7; 4], vec![0, 1, 1, 0], [1, 1, 1], 2).unwrap();
        let found = mistakes(&test, &[0.4, 0.6, 0.2, 0.8, 0.9, 0.1, 0.4, 0.6], 2).unwrap();
        let found: Vec<_> = found.iter().map(|m| (m.index, m.label, m.predicted, m.probability)).collect();
        assert_eq!(found, [(2, 1, 0, 0.9), (0, 0, 1, 0.6), (3, 0, 1, 0.6)]);
    }
}
