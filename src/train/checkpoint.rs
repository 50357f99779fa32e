//! Checkpoints: everything that training needs to continue as if it had never stopped.

use super::compile::Compile;
use super::records::{EpochRecord, Stopped};
use super::state::TrainingState;
use crate::model::{Network, Weights};
use crate::plan::{Plan, PlanError};

/// When checkpoints are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Checkpoints {
    /// Never.
    #[default]
    Never,
    /// After each epoch, and where training is interrupted or `max_steps` ends it within an epoch.
    Epochs,
    /// Also within an epoch, each time after this many batches.
    Steps(usize),
}

/// The state of training after some batch. Training that resumes from it, on the same device with the same settings
/// and data, gives the same results, to the bit, as if it had not stopped.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Checkpoint {
    /// Counters, sums of the current epoch, the learning rate's reduction, early stopping.
    pub training: TrainingState,
    /// The weights.
    pub weights: Weights,
    /// The optimizer's state, slot after slot, each laid out as the plan's parameters.
    pub optimizer_state: Vec<f32>,
    /// The weights of the best epoch so far, where early stopping is to restore them.
    pub best_weights: Option<Weights>,
    /// The finished epochs.
    pub epochs: Vec<EpochRecord>,
    /// Why training ended, if it did.
    pub stopped: Option<Stopped>,
    /// Whether a callback asked for it ([`Requests::checkpoint`](super::Requests::checkpoint)).
    pub asked_for: bool,
}

impl Checkpoint {
    /// Batches trained by the call of `fit`, or by the loop, that made it.
    pub fn steps(&self) -> usize {
        self.training.run.step + self.training.run.within.rows
    }

    /// Whether it was made between two epochs.
    pub fn is_after_epoch(&self) -> bool {
        self.training.run.within.rows == 0
    }

    /// The length of the optimizer's state for a network, in floats.
    ///
    /// # Errors
    /// When the network cannot be lowered.
    pub fn optimizer_state_len(network: &Network, compile: &Compile) -> Result<usize, PlanError> {
        Ok(Plan::build(network, compile.loss, compile.optimizer, 1)?.state.map_or(0, |state| state.len()))
    }
}
