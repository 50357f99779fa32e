//! What training remembers beside weights and optimizer state.

use serde::{Deserialize, Serialize};

use super::model::Evaluation;
use super::plateau::PlateauState;
use super::stopping::EarlyStoppingState;

/// Everything that decides how training goes on, but for the weights, the best weights and the optimizer's state.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct TrainingState {
    /// Epochs done or given up by all calls of `fit`: each is shuffled in its own way.
    pub epochs_begun: usize,
    /// Optimizer steps taken in these epochs: each makes its own random draws and has its place in the schedule.
    pub steps_begun: usize,
    /// The learning rate where it was reduced, else `None`: the optimizer's.
    pub learning_rate: Option<f32>,
    /// Of the current call of `fit`, or of the last one.
    pub run: RunState,
}

/// How far one call of `fit` is.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct RunState {
    /// Epochs that are over.
    pub epoch: usize,
    /// Optimizer steps taken in them.
    pub step: usize,
    /// What the epoch under way has come to.
    pub within: Within,
    /// Of the learning rate's reduction.
    pub plateau: PlateauState,
    /// Of early stopping, the best figure and its epoch with it.
    pub early_stopping: EarlyStoppingState,
}

/// How far an epoch is, and its figures so far.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Within {
    /// Steps taken.
    pub rows: usize,
    /// Sum of the samples' losses.
    pub loss: f64,
    /// Samples that were classified rightly.
    pub correct: u64,
    /// Samples.
    pub samples: u64,
    /// Training time in seconds.
    pub seconds: f64,
}

impl Within {
    pub(super) fn add(&mut self, loss: f32, correct: u32, n: u32) {
        self.loss += f64::from(loss) * f64::from(n);
        self.correct += u64::from(correct);
        self.samples += u64::from(n);
    }

    pub(super) fn mean(&self) -> Evaluation {
        Evaluation {
            loss: self.loss / self.samples as f64,
            accuracy: self.correct as f64 / self.samples as f64,
        }
    }
}

impl TrainingState {
    /// Begins another call of `fit`; an epoch that was not brought to its end is over.
    pub(super) fn begin(&mut self) {
        if self.run.within.rows > 0 {
            self.epochs_begun += 1;
            self.steps_begun += self.run.within.rows;
        }
        self.run = RunState::default();
    }

    /// Closes the epoch under way.
    pub(super) fn end_epoch(&mut self) {
        let rows = self.run.within.rows;
        self.epochs_begun += 1;
        self.steps_begun += rows;
        self.run.epoch += 1;
        self.run.step += rows;
        self.run.within = Within::default();
    }
}
