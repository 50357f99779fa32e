//! The error of the library's main path.

use crate::data::DataError;
use crate::gpu::GpuError;
use crate::model::ModelError;
use crate::plan::PlanError;

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
    /// Weight files.
    #[error(transparent)]
    Weights(#[from] crate::io::WeightFileError),
    /// A setting of `fit` that cannot be.
    #[error("`{setting}` is {value}, but must be {expected}")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// What it is.
        value: usize,
        /// What it may be.
        expected: &'static str,
    },
    /// Images of the wrong size were given to `predict`.
    #[error("{bytes} bytes are not a whole number of images of {pixels} bytes")]
    ImageBytes {
        /// What was given.
        bytes: usize,
        /// Bytes of one image.
        pixels: usize,
    },
    /// A callback of `fit` failed; the message is its own.
    #[error(transparent)]
    Callback(Box<dyn std::error::Error + Send + Sync>),
}
