//! What training remembers beside weights and optimizer state.

use serde::{Deserialize, Serialize};

use super::plateau::PlateauState;
use super::stopping::EarlyStoppingState;

/// Everything that decides how training goes on, but for the weights, the best weights and the optimizer's state.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct TrainingState {
    /// Epochs begun by all calls of `fit`: each is shuffled in its own way.
    pub epochs_begun: usize,
    /// Optimizer steps begun by all calls of `fit`: each makes its own random draws and has its place in the schedule.
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
    /// Of the learning rate's reduction.
    pub plateau: PlateauState,
    /// Of early stopping, the best figure and its epoch with it.
    pub early_stopping: EarlyStoppingState,
}
