//! The error of the library's main path.

use crate::data::DataError;
use crate::gpu::GpuError;
use crate::model::ModelError;
use crate::plan::PlanError;
use crate::train::Divergence;

/// A setting that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{setting}` is {value}, but must be {expected}")]
pub struct SettingError {
    /// The setting.
    pub setting: &'static str,
    /// What it is.
    pub value: String,
    /// What it may be.
    pub expected: &'static str,
}

impl SettingError {
    /// Of a setting, its value and what it may be.
    pub(crate) fn new(setting: &'static str, value: impl ToString, expected: &'static str) -> Self {
        SettingError { setting, value: value.to_string(), expected }
    }
}

/// Anything that can go wrong between a model and its results.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A data set or its files.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A model or a model file.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Lowering a model.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A device.
    #[error(transparent)]
    Device(#[from] GpuError),
    /// A device failed during training.
    #[error("training stopped after step {step}, in epoch {epoch}: {error}")]
    DeviceInTraining {
        /// The last step whose figures were known, counted from 1; 0 where it failed before.
        step: usize,
        /// The epoch, counted from 1.
        epoch: usize,
        /// What happened.
        error: GpuError,
    },
    /// Weight files.
    #[error(transparent)]
    Weights(#[from] crate::io::WeightFileError),
    /// A setting of training or judging that cannot be.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The folder of a run.
    #[error(transparent)]
    Run(#[from] crate::io::run::RunError),
    /// Images of the wrong size were given to `predict`.
    #[error("{bytes} bytes are not a whole number of images of {pixels} bytes")]
    ImageBytes {
        /// What was given.
        bytes: usize,
        /// Bytes of one image.
        pixels: usize,
    },
    /// A number of training is not finite.
    #[error(transparent)]
    Diverged(#[from] Box<Divergence>),
    /// A callback of `fit` failed; the message is its own.
    #[error(transparent)]
    Callback(Box<dyn std::error::Error + Send + Sync>),
}
