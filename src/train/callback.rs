//! What `fit` reports while it runs.

use super::checkpoint::{Checkpoint, Checkpoints};
use super::records::{EpochRecord, FoldResult, History, Schedule, StepRecord};
use super::requests::Requests;
use crate::profile::ProfileSoFar;

/// Any error of a callback; it ends the run and is returned by `fit`.
pub type CallbackError = Box<dyn std::error::Error + Send + Sync>;

/// Receives what happens while `fit` runs. Several are one: a tuple of two or three, or a `Vec<Box<dyn Callback>>`. A `&mut` of one is
/// one, too: `model.fit(&data, &options, &mut (&mut mine, on_step(..)))`. [`on_step`](super::on_step) and
/// [`on_epoch_end`](super::on_epoch_end) make one of a function. Batches are reported in order, but some time after they ran.
pub trait Callback {
    /// Before the first batch.
    fn on_train_begin(&mut self, _schedule: &Schedule) -> Result<(), CallbackError> {
        Ok(())
    }

    /// Where the steps of the plan are measured ([`FitOptions::profile`](super::FitOptions::profile)), before the first batch: their times,
    /// which grow as training goes on. It is not called where a batch is computed as several micro-batches: then the parts of a training
    /// step are measured, and [`History::step_times`] has them at the end.
    fn on_profile(&mut self, _times: ProfileSoFar) -> Result<(), CallbackError> {
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

    /// Whether training should stop as soon as it can, to be resumed later; asked after each batch. Work already on the device is finished
    /// first, and a checkpoint is made if checkpoints are made at all. A reason to stop that is [asked for](Self::requests) with the same
    /// batch outranks it.
    fn interrupted(&self) -> bool {
        false
    }

    /// What it asks of training: to end for a reason of its own, another learning rate, a checkpoint. Asked after each batch, and after
    /// [`on_epoch_end`](Self::on_epoch_end); what is returned counts once.
    fn requests(&mut self) -> Requests {
        Requests::default()
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

    /// Once at the end of each call of [`fit`](super::Model::fit) or [`resume`](super::Model::resume), with what it returns; the model has
    /// the weights that it ends with. An error ends the call without it, be it one of the device, of another callback or
    /// [`Error::Diverged`](crate::Error::Diverged).
    fn on_train_end(&mut self, _history: &History) -> Result<(), CallbackError> {
        Ok(())
    }
}

/// A callback that does nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCallback;

impl Callback for NoCallback {}
