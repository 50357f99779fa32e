//! Ending training early: because nothing improves, or because the result is good enough.

use serde::{Deserialize, Serialize};

use super::monitor::Monitor;
use super::records::EpochRecord;
use crate::error::SettingError;

/// Ends training once the monitored metric has not improved for `patience` epochs.
///
/// A metric improves when it is better than the best so far by more than `min_delta`. Source:
/// `keras/src/callbacks/early_stopping.py`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EarlyStopping {
    /// The metric to monitor; default `val_loss`.
    pub monitor: Monitor,
    /// Epochs without improvement before training ends; with 0 the first such epoch ends it. Default 0.
    pub patience: usize,
    /// The metric must improve by more than this to count as better; default 0.
    pub min_delta: f64,
    /// An improvement starts `patience` anew only if the metric is better than this by more than `min_delta`; default
    /// none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
    /// Whether to restore the weights of the best epoch when training ends, also when it ends with the last epoch;
    /// the optimizer's state stays. Default false.
    pub restore_best_weights: bool,
    /// Epochs at the start that are not counted; default 0.
    pub start_from_epoch: usize,
}

/// Its state from epoch to epoch of one call of `fit`. The best weights themselves are kept elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct EarlyStoppingState {
    /// The best value so far.
    pub best: Option<f64>,
    /// The epoch whose weights are to be kept, counted from 1; 0 before the first that counts.
    pub best_epoch: usize,
    /// Epochs without improvement since then.
    pub wait: usize,
}

/// What early stopping decides after an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Verdict {
    /// These weights are the best so far.
    pub keep: bool,
    /// Training ends here.
    pub stop: bool,
}

impl EarlyStopping {
    /// Refuses settings outside their ranges.
    pub fn check(&self) -> Result<(), SettingError> {
        if !(self.min_delta >= 0.0 && self.min_delta.is_finite()) {
            let expected = "a finite number, at least 0";
            return Err(SettingError::new("early_stopping.min_delta", self.min_delta, expected));
        }
        match self.baseline.filter(|baseline| !baseline.is_finite()) {
            Some(baseline) => Err(SettingError::new("early_stopping.baseline", baseline, "a finite number")),
            None => Ok(()),
        }
    }

    /// Records an epoch.
    pub(super) fn after_epoch(&self, state: &mut EarlyStoppingState, record: &EpochRecord) -> Verdict {
        let Some(figure) = self.monitor.figure(record) else { return Verdict::default() };
        if record.epoch <= self.start_from_epoch {
            return Verdict::default();
        }
        // Until something improves, the weights of the first epoch that counts are the best there are.
        let first = state.best_epoch == 0;
        if self.monitor.improves(figure, state.best, self.min_delta) {
            let beaten =
                self.baseline.is_none() || self.monitor.improves(figure, self.baseline, self.min_delta);
            let wait = if beaten { 0 } else { state.wait + 1 };
            *state = EarlyStoppingState { best: Some(figure), best_epoch: record.epoch, wait };
            return Verdict { keep: true, stop: false };
        }
        if first {
            state.best_epoch = record.epoch;
        }
        state.wait += 1;
        Verdict { keep: first, stop: state.wait >= self.patience && record.epoch > 1 }
    }
}
