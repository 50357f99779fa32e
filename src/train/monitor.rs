//! The metric of an epoch that callbacks decide by.

use serde::{Deserialize, Serialize};

use super::records::EpochRecord;

/// Which metric of an epoch is monitored; the names are Keras's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monitor {
    /// Loss on the training set.
    Loss,
    /// Accuracy on the training set.
    Accuracy,
    /// Loss on the validation set; the default.
    #[default]
    ValLoss,
    /// Accuracy on the validation set.
    ValAccuracy,
}

impl Monitor {
    /// The name in files and messages.
    pub fn name(self) -> &'static str {
        match self {
            Monitor::Loss => "loss",
            Monitor::Accuracy => "accuracy",
            Monitor::ValLoss => "val_loss",
            Monitor::ValAccuracy => "val_accuracy",
        }
    }

    /// Whether there is such a metric only where targets are classes.
    pub fn is_of_classes(self) -> bool {
        matches!(self, Monitor::Accuracy | Monitor::ValAccuracy)
    }

    /// Whether it is a metric of the validation set.
    pub fn is_of_validation(self) -> bool {
        matches!(self, Monitor::ValLoss | Monitor::ValAccuracy)
    }

    /// The metric's value in an epoch; `None` when there was no validation, or where targets are no classes.
    pub fn figure(self, record: &EpochRecord) -> Option<f64> {
        match self {
            Monitor::Loss => Some(record.loss),
            Monitor::Accuracy => record.accuracy,
            Monitor::ValLoss => record.val_loss,
            Monitor::ValAccuracy => record.val_accuracy,
        }
    }

    /// Whether a value is better than the best so far by more than `min_delta`: a smaller loss, a larger accuracy. A
    /// value that is not finite never is, so that it does not hide what comes after it; the first finite one always
    /// is.
    pub(super) fn improves(self, figure: f64, best: Option<f64>, min_delta: f64) -> bool {
        let Some(best) = best else { return figure.is_finite() };
        match self {
            Monitor::Loss | Monitor::ValLoss => figure + min_delta < best,
            Monitor::Accuracy | Monitor::ValAccuracy => figure - min_delta > best,
        }
    }
}
