//! What `fit` reports while it runs.

use serde::{Deserialize, Serialize};

use super::checkpoint::{Checkpoint, Checkpoints};
use super::crossval::FoldResult;
use super::stopping::Stopped;
use crate::profile::Profile;

/// The size of a training run, known before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Epochs that will be started, unless training ends earlier.
    pub epochs: usize,
    /// Batches of a full epoch.
    pub steps_per_epoch: usize,
    /// Batches trained before this call: not 0 when training resumes from a checkpoint.
    pub steps_done: usize,
    /// Batches in total; fewer than the epochs hold when `max_steps` cuts the run short.
    pub steps: usize,
}

/// One optimizer step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StepRecord {
    /// Counted from 1 over the whole run.
    pub step: usize,
    /// Counted from 1.
    pub epoch: usize,
    /// Mean loss of the batch, before the update.
    pub loss: f32,
    /// Correct predictions in the batch.
    pub correct: u32,
    /// Samples of the batch.
    pub n: u32,
}

/// One epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean loss over the epoch's samples, each before its own update, as Keras reports it.
    pub loss: f64,
    /// Share of the epoch's samples that were classified correctly.
    pub accuracy: f64,
    /// Mean loss over the validation set after the epoch.
    pub val_loss: Option<f64>,
    /// Accuracy on the validation set after the epoch.
    pub val_accuracy: Option<f64>,
    /// The learning rate of the epoch's last step.
    pub learning_rate: f32,
    /// Training time of the epoch in seconds, without validation.
    pub seconds: f64,
}

/// Every epoch of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// In order.
    pub epochs: Vec<EpochRecord>,
    /// Optimizer steps taken.
    pub steps: usize,
    /// Why and when training ended; `None` while it runs.
    pub stopped: Option<Stopped>,
    /// Checkpoints that this call made.
    pub checkpoints: usize,
    /// Seconds spent making them and handing them to the callback.
    pub checkpoint_seconds: f64,
    /// How long the steps of the plan took, where that was measured.
    pub profile: Option<Profile>,
}

/// Any error of a callback; it ends the run and is returned by `fit`.
pub type CallbackError = Box<dyn std::error::Error + Send + Sync>;

/// Receives what happens while `fit` runs. Batches are reported in order, but some time after they ran.
pub trait Callback {
    /// Before the first batch.
    fn on_train_begin(&mut self, _schedule: &Schedule) -> Result<(), CallbackError> {
        Ok(())
    }

    /// Before the first batch of each epoch; epochs count from 1.
    fn on_epoch_begin(&mut self, _epoch: usize) -> Result<(), CallbackError> {
        Ok(())
    }

    /// After each batch.
    fn on_step(&mut self, _record: &StepRecord) -> Result<(), CallbackError> {
        Ok(())
    }

    /// After each epoch and its validation.
    fn on_epoch_end(&mut self, _record: &EpochRecord) -> Result<(), CallbackError> {
        Ok(())
    }

    /// Whether training should stop as soon as it can; asked after each batch. Work already on the device is finished
    /// first, and a checkpoint is made if checkpoints are made at all.
    fn interrupted(&self) -> bool {
        false
    }

    /// When checkpoints are made; asked once, before the first batch.
    fn checkpoints(&self) -> Checkpoints {
        Checkpoints::Never
    }

    /// At each checkpoint.
    fn on_checkpoint(&mut self, _checkpoint: &Checkpoint) -> Result<(), CallbackError> {
        Ok(())
    }

    /// After each fold of a cross-validation.
    fn on_fold_end(&mut self, _result: &FoldResult) -> Result<(), CallbackError> {
        Ok(())
    }
}

/// A callback that does nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCallback;

impl Callback for NoCallback {}
