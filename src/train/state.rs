//! The state of training beside weights and optimizer state.

use serde::{Deserialize, Serialize};

use super::plateau::PlateauState;
use super::records::Evaluation;
use super::stopping::EarlyStoppingState;
use crate::data::TargetKind;

/// Everything that decides how training continues, except the weights, the best weights and the optimizer's state.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrainingState {
    /// Epochs finished or abandoned in all calls of `fit`: each is shuffled differently.
    pub epochs_begun: usize,
    /// Optimizer steps taken in these epochs: each has its own random draws and its place in the schedule.
    pub steps_begun: usize,
    /// The learning rate if it was reduced, else `None`: the optimizer's.
    pub learning_rate: Option<f32>,
    /// What callbacks asked to multiply the rate by, beyond that; `None` is 1.
    #[serde(default)]
    pub rate_factor: Option<f32>,
    /// Whether `learning_rate` was set by hand.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rate_is_set: bool,
    /// Samples of the largest batch of a loop of one's own since the last call of `fit`; 0 before the first.
    #[serde(default, skip_serializing_if = "crate::numbers::is_zero")]
    pub loop_batch: usize,
    /// Of the current call of `fit`, or of the last one, or of the loop since then.
    pub run: RunState,
}

/// How far one call of `fit` has come.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunState {
    /// Finished epochs.
    pub epoch: usize,
    /// Optimizer steps taken in them.
    pub step: usize,
    /// The sums of the current epoch.
    pub within: Within,
    /// The state of the learning rate's reduction.
    pub plateau: PlateauState,
    /// The state of early stopping, with the best value and its epoch.
    pub early_stopping: EarlyStoppingState,
}

/// How far an epoch has come, and its sums so far.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Within {
    /// Steps taken.
    pub rows: usize,
    /// Sum of the samples' losses.
    pub loss: f64,
    /// Correct predictions; 0 where targets are no classes.
    pub correct: u64,
    /// Samples.
    pub samples: u64,
    /// Training time in seconds.
    pub seconds: f64,
}

impl Within {
    pub(super) fn add(&mut self, loss: f32, correct: Option<u32>, n: u32) {
        self.loss += f64::from(loss) * f64::from(n);
        self.correct += u64::from(correct.unwrap_or(0));
        self.samples += u64::from(n);
    }

    /// With an accuracy where targets are classes.
    pub(super) fn mean(&self, target: TargetKind) -> Evaluation {
        let share = self.correct as f64 / self.samples as f64;
        Evaluation {
            loss: self.loss / self.samples as f64,
            accuracy: (target == TargetKind::Classes).then_some(share),
        }
    }
}

impl TrainingState {
    /// Starts another call of `fit`; an epoch that was not finished is over.
    pub(super) fn begin(&mut self) {
        if self.run.within.rows > 0 {
            self.epochs_begun += 1;
            self.steps_begun += self.run.within.rows;
        }
        self.run = RunState::default();
    }

    /// Ends the current epoch.
    pub(super) fn end_epoch(&mut self) {
        let rows = self.run.within.rows;
        self.epochs_begun += 1;
        self.steps_begun += rows;
        self.run.epoch += 1;
        self.run.step += rows;
        self.run.within = Within::default();
    }
}
