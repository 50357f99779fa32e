//! The main error of the library.

use crate::data::DataError;
use crate::gpu::GpuError;
use crate::model::ModelError;
use crate::plan::PlanError;
use crate::train::Divergence;

/// A setting with an invalid value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{setting}` is {value}, but must be {expected}")]
pub struct SettingError {
    /// The setting.
    pub setting: &'static str,
    /// Its value.
    pub value: String,
    /// The valid values.
    pub expected: &'static str,
}

impl SettingError {
    /// Names a setting, its value and the valid values.
    pub(crate) fn new(setting: &'static str, value: impl ToString, expected: &'static str) -> Self {
        SettingError { setting, value: value.to_string(), expected }
    }
}

/// Everything that can go wrong between a model and its results.
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
        /// The last step whose metrics were known, counted from 1; 0 if it failed before any.
        step: usize,
        /// The epoch, counted from 1.
        epoch: usize,
        /// What happened.
        error: GpuError,
    },
    /// Weight files.
    #[error(transparent)]
    Weights(#[from] crate::io::WeightFileError),
    /// An invalid setting of training or evaluation.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The folder of a run.
    #[error(transparent)]
    Run(#[from] crate::io::run::RunError),
    /// Images of the wrong size were given to `predict`.
    #[error("{bytes} bytes are not a whole number of images of {pixels} bytes")]
    ImageBytes {
        /// The bytes that were given.
        bytes: usize,
        /// Bytes of one image.
        pixels: usize,
    },
    /// A number in training is not finite.
    #[error(transparent)]
    Diverged(#[from] Box<Divergence>),
    /// A callback of `fit` failed; the message is its own.
    #[error(transparent)]
    Callback(Box<dyn std::error::Error + Send + Sync>),
}
