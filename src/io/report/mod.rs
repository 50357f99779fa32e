//! A run as a page: its curves, mistakes, filters and settings in one self-contained HTML file. It belongs to the
//! program, whose commands it names.

mod classes;
mod html;
mod images;
mod layers;
mod logs;
mod page;
mod plots;

use std::path::Path;

use crate::data::Dataset;
use crate::error::Error;
use crate::files;
use crate::io::SavedRun;
use crate::io::run::{MODEL_FILE, RunResult};
use crate::train::Report;
use images::{Image, sample};
use layers::LayerView;
use logs::{Epoch, Profile};
pub use plots::{PLOTS, Plot, is_plot};

/// The most mistakes that are shown.
const MISTAKES: usize = 24;
/// The test image that is followed through the layers.
const FOLLOWED: usize = 0;

/// The most characters of a class name.
const MOST_CHARACTERS: usize = 100;

/// Why a page cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A log of the run is damaged.
    #[error("`{path}`, line {line}: {problem}; remove the file to have a report without it")]
    Log {
        /// The file.
        path: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A file of the run cannot be read.
    #[error("`{path}` cannot be read: {cause}")]
    Read {
        /// The file.
        path: String,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// Curves cannot be drawn.
    #[error("the plot `{plot}` cannot be drawn: {problem}")]
    Plot {
        /// Its name.
        plot: &'static str,
        /// What the plotting library said.
        problem: String,
    },
    /// A picture cannot be made.
    #[error("a picture for the report cannot be made: {problem}")]
    Image {
        /// What the image library said.
        problem: String,
    },
    /// The library failed on something of the run.
    #[error(transparent)]
    Run(#[from] Error),
}

/// A test image that was predicted wrongly.
#[derive(Debug)]
struct Mistake {
    /// Its place in the test set.
    index: usize,
    label: usize,
    predicted: usize,
    /// Of the predicted class.
    probability: f32,
    image: Image,
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
    run: &'a SavedRun,
    result: Option<&'a RunResult>,
    judged: Judged,
    /// Images of the test set.
    samples: usize,
    /// The text of `model.toml`.
    model_toml: String,
    epochs: Vec<Epoch>,
    plots: Vec<Plot>,
    figures: Report,
    mistakes: Vec<Mistake>,
    filters: Option<LayerView>,
    followed: Image,
    followed_label: usize,
    followed_probabilities: Vec<f32>,
    activations: Vec<LayerView>,
    /// How many more layers there are.
    layers_left_out: usize,
    profile: Option<Profile>,
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

    /// The page.
    pub fn html(&self) -> String {
        page::html(self)
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

/// A text, cut to its beginning if it is very long.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}\u{2026}", &text[..end]),
        None => text.to_owned(),
    }
}

/// The index of the largest value, the first of equal ones.
fn largest(row: &[f32]) -> usize {
    (0..row.len()).fold(0, |best, at| if row[at] > row[best] { at } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_shortened() {
        for (length, expected) in [(3, 3), (MOST_CHARACTERS, MOST_CHARACTERS), (500, MOST_CHARACTERS + 1)] {
            assert_eq!(shortened(&"\u{fc}".repeat(length)).chars().count(), expected, "{length}");
        }
    }

    #[test]
    fn the_most_certain_mistakes_come_first() {
        let test = Dataset::new(vec![7; 4], vec![0, 1, 1, 0], [1, 1, 1], 2).unwrap();
        let found = mistakes(&test, &[0.4, 0.6, 0.2, 0.8, 0.9, 0.1, 0.4, 0.6], 2).unwrap();
        let found: Vec<_> = found.iter().map(|m| (m.index, m.label, m.predicted, m.probability)).collect();
        assert_eq!(found, [(2, 1, 0, 0.9), (0, 0, 1, 0.6), (3, 0, 1, 0.6)]);
    }
}
