//! What is known of training: its size, its batches, its epochs, its end.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

#[cfg(doc)]
use super::metrics::Judgement;
use crate::profile::{Profile, StepTimes};

/// The size of a training run, known before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
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

impl Schedule {
    /// So many full epochs of so many steps, from the beginning: for whoever calls a [`Callback`](super::Callback) without `fit`.
    pub const fn new(epochs: usize, steps_per_epoch: usize) -> Self {
        Schedule { epochs, steps_per_epoch, steps_done: 0, steps: epochs.saturating_mul(steps_per_epoch) }
    }
}

/// One optimizer step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StepRecord {
    /// Counted from 1 over the whole run.
    pub step: usize,
    /// Counted from 1.
    pub epoch: usize,
    /// Mean loss of the batch, before the update.
    pub loss: f32,
    /// Correct predictions in the batch; `None` where targets are no classes.
    pub correct: Option<u32>,
    /// Samples of the batch.
    pub n: u32,
    /// The learning rate of its update. Not part of `steps.jsonl`.
    #[serde(skip)]
    pub learning_rate: f32,
}

impl StepRecord {
    /// A step with this loss on a batch of `n` samples; the figures that are not always known are `None`, and the rate is 0.
    pub const fn new(step: usize, epoch: usize, loss: f32, n: u32) -> Self {
        StepRecord { step, epoch, loss, correct: None, n, learning_rate: 0.0 }
    }
}

/// One epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean loss over the epoch's samples, each before its own update, as Keras reports it.
    pub loss: f64,
    /// Share of the epoch's samples that were classified correctly; `None` where targets are no classes.
    pub accuracy: Option<f64>,
    /// Mean loss over the validation set after the epoch.
    pub val_loss: Option<f64>,
    /// Accuracy on the validation set after the epoch.
    pub val_accuracy: Option<f64>,
    /// The learning rate of the epoch's last step.
    pub learning_rate: f32,
    /// Training time of the epoch in seconds, without validation.
    pub seconds: f64,
}

impl EpochRecord {
    /// An epoch with this loss; the figures that are not always known are `None`, rate and seconds are 0.
    pub const fn new(epoch: usize, loss: f64) -> Self {
        EpochRecord {
            epoch,
            loss,
            accuracy: None,
            val_loss: None,
            val_accuracy: None,
            learning_rate: 0.0,
            seconds: 0.0,
        }
    }
}

/// Metrics of a model on a data set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation {
    /// Mean loss over the samples.
    pub loss: f64,
    /// Share of the samples that were classified correctly; `None` where targets are no classes.
    pub accuracy: Option<f64>,
}

/// One fold: the model is trained on all others and evaluated on this one.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FoldResult {
    /// Counted from 1.
    pub fold: usize,
    /// Mean loss over the fold; NaN where training diverged.
    pub loss: f64,
    /// Accuracy on the fold; NaN likewise, and `None` where targets are no classes.
    pub accuracy: Option<f64>,
    /// Where targets are no classes, the metrics on the fold by name ([`Judgement::figures`]); empty where training diverged.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<&'static str, f64>,
    /// Training time of its epochs in seconds.
    pub seconds: f64,
    /// Why and when training ended, unless it diverged.
    pub stopped: Option<Stopped>,
    /// What was not finite, where training diverged.
    pub diverged: Option<String>,
    /// The fold's epochs, without one that was not finished.
    pub history: Vec<EpochRecord>,
}

/// Why training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StopReason {
    /// All epochs are done.
    Epochs,
    /// `max_steps` were taken.
    MaxSteps,
    /// The values of `until_loss` and `until_accuracy` were reached.
    GoodEnough,
    /// [`EarlyStopping`](super::EarlyStopping) saw no improvement.
    EarlyStopping,
    /// A callback asked for it; [`Stopped::why`] is its reason.
    Callback,
    /// A callback interrupted it.
    Interrupted,
}

/// Why and when training ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stopped {
    /// Why.
    pub reason: StopReason,
    /// The reason that a callback gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The last epoch, counted from 1.
    pub epoch: usize,
    /// The epoch that the weights are from; not the last one if the best weights were restored.
    pub weights_of_epoch: usize,
}

impl Stopped {
    /// Whether it is so however far the options go: then there is nothing left to do for a resumed call.
    pub(super) fn is_final(&self) -> bool {
        match self.reason {
            StopReason::GoodEnough | StopReason::EarlyStopping | StopReason::Callback => true,
            StopReason::Epochs | StopReason::MaxSteps | StopReason::Interrupted => false,
        }
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, why) = match self.reason {
            StopReason::Epochs => ("after", "all epochs are done"),
            StopReason::MaxSteps => ("after", "the maximum number of steps is reached"),
            StopReason::GoodEnough => ("after", "the metrics that were asked for are reached"),
            StopReason::EarlyStopping => ("after", "no improvement any more"),
            StopReason::Callback => ("in", self.why.as_deref().unwrap_or("a callback asked for it")),
            StopReason::Interrupted => return write!(f, "in epoch {}: interrupted", self.epoch),
        };
        write!(f, "{place} epoch {}: {why}", self.epoch)?;
        if self.weights_of_epoch != self.epoch {
            write!(f, "; the weights are those of epoch {}", self.weights_of_epoch)?;
        }
        Ok(())
    }
}

/// Every epoch of a run.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
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
    /// How long the parts of steps took in this process, where gradients of micro-batches were added up.
    pub step_times: Option<StepTimes>,
}
