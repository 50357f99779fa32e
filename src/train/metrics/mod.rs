//! Metrics of predictions, by what is predicted: classes, labels, or numbers.

mod classes;
mod figures;
mod labels;
mod rows;
mod values;

use std::collections::BTreeMap;

use serde::Serialize;

pub use classes::{ConfusionMatrix, Report, top_k_accuracy};
pub use figures::{ClassFigures, MacroFigures};
pub use labels::{LabelReport, THRESHOLD};
pub use values::{OutputFigures, ValueReport};

use crate::data::{Dataset, TargetKind};
use crate::error::SettingError;

/// All metrics of one set of predictions.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Judgement {
    /// Of classes.
    Classes(Report),
    /// Of any number of labels.
    Labels(LabelReport),
    /// Of numbers.
    Values(ValueReport),
}

impl Judgement {
    /// Evaluates what [`Model::predict_data`](super::Model::predict_data) gives for a data set. `k` is that of the top-k accuracy
    /// of classes.
    ///
    /// # Errors
    /// When the predictions are not those of this data set, or `k` is out of range.
    pub fn new(predictions: &[f32], data: &Dataset, k: usize) -> Result<Self, SettingError> {
        let classes = predictions.len() / data.len();
        Ok(match data.target() {
            TargetKind::Classes => Judgement::Classes(Report::new(predictions, data.labels(), classes, k)?),
            TargetKind::MultiLabel => {
                Judgement::Labels(LabelReport::new(predictions, data.target_rows(), data.classes())?)
            }
            TargetKind::Values => {
                Judgement::Values(ValueReport::new(predictions, data.target_rows(), data.classes())?)
            }
        })
    }

    /// With the names of the classes, labels or outputs, in order.
    pub fn named(self, names: &[String]) -> Self {
        match self {
            Judgement::Classes(report) => Judgement::Classes(report.named(names)),
            Judgement::Labels(report) => Judgement::Labels(report.named(names)),
            Judgement::Values(report) => Judgement::Values(report.named(names)),
        }
    }

    /// The metrics over all classes, labels or outputs, by name.
    pub fn figures(&self) -> BTreeMap<&'static str, f64> {
        match self {
            Judgement::Classes(Report { accuracy, means, .. }) => BTreeMap::from([
                ("accuracy", *accuracy),
                ("precision", means.precision),
                ("recall", means.recall),
                ("f1", means.f1),
            ]),
            Judgement::Labels(LabelReport { binary_accuracy, exact_match, means, .. }) => BTreeMap::from([
                ("binary_accuracy", *binary_accuracy),
                ("exact_match", *exact_match),
                ("precision", means.precision),
                ("recall", means.recall),
                ("f1", means.f1),
            ]),
            Judgement::Values(ValueReport { mae, rmse, r2, .. }) => {
                let r2 = r2.map(|r2| ("r2", r2));
                [("mae", *mae), ("rmse", *rmse)].into_iter().chain(r2).collect()
            }
        }
    }

    /// The one metric that stands for all, with its name: accuracy, the mean F1 of the labels, or the mean absolute error.
    pub fn main(&self) -> (&'static str, f64) {
        match self {
            Judgement::Classes(report) => (main_metric(TargetKind::Classes), report.accuracy),
            Judgement::Labels(report) => (main_metric(TargetKind::MultiLabel), report.means.f1),
            Judgement::Values(report) => (main_metric(TargetKind::Values), report.mae),
        }
    }
}

/// The name of the one metric that stands for all where targets are of this kind.
pub fn main_metric(target: TargetKind) -> &'static str {
    match target {
        TargetKind::Classes => "accuracy",
        TargetKind::MultiLabel => "F1",
        TargetKind::Values => "MAE",
    }
}
