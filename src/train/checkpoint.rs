//! Checkpoints: all that training needs to go on as if it had never stopped.

use super::callback::EpochRecord;
use super::state::TrainingState;
use super::stopping::Stopped;
use crate::model::{Network, Weights};
use crate::plan::{Plan, PlanError};

/// When checkpoints are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Checkpoints {
    /// Not at all.
    #[default]
    Never,
    /// After each epoch, and where training is interrupted or `max_steps` ends it within an epoch.
    Epochs,
    /// Also after every so many steps of an epoch.
    Steps(usize),
}

/// A state of training, after some steps: training that goes on from it takes the same steps, to the bit, as if it had not
/// stopped there, on the same device with the same settings and data.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Counters, what the epoch under way has come to, the learning rate's reduction, early stopping.
    pub training: TrainingState,
    /// The weights.
    pub weights: Weights,
    /// The optimizer's state, slot after slot, each laid out as the plan's parameters.
    pub optimizer_state: Vec<f32>,
    /// The weights of the best epoch so far, where early stopping is to bring them back.
    pub best_weights: Option<Weights>,
    /// The epochs that are over.
    pub epochs: Vec<EpochRecord>,
    /// Why training ended, if it did.
    pub stopped: Option<Stopped>,
}

impl Checkpoint {
    /// Steps taken by the call of `fit` that it was made in.
    pub fn steps(&self) -> usize {
        self.training.run.step + self.training.run.within.rows
    }

    /// Whether it stands between two epochs.
    pub fn is_after_epoch(&self) -> bool {
        self.training.run.within.rows == 0
    }

    /// Floats of the optimizer's state of a network.
    ///
    /// # Errors
    /// When the network cannot be lowered.
    pub fn optimizer_state_len(network: &Network, compile: &super::Compile) -> Result<usize, PlanError> {
        Ok(Plan::build(network, compile.loss, compile.optimizer, 1)?.state.map_or(0, |state| state.len()))
    }
}
