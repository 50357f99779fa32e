//! The errors of the library that are not those of one module.

mod attribution;
mod collective;
mod divergence;
mod import;
mod resume;
mod run;
mod setting;
mod weights;

pub use attribution::AttributionError;
pub use collective::CollectiveError;
pub use divergence::{Bad, Divergence, Found};
pub use import::{ImportError, OtherShape};
pub use resume::{DamagedCheckpoint, ResumeError};
pub use run::RunError;
pub(crate) use setting::Said;
pub use setting::SettingError;
pub use weights::WeightFileError;

use crate::data::DataError;
use crate::executor::ExecutorError;
use crate::gpu::GpuError;
use crate::message::debug_is_message;
use crate::model::ModelError;
use crate::plan::PlanError;

/// Everything that can go wrong between a model and its results.
#[derive(thiserror::Error)]
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
    /// A device could not be used.
    #[error(transparent)]
    Device(#[from] GpuError),
    /// An executor, or the device that it runs on.
    #[error(transparent)]
    Executor(#[from] ExecutorError),
    /// A device failed during training.
    #[error("training stopped after step {step}, in epoch {epoch}: {error}")]
    DeviceInTraining {
        /// The last step whose metrics were known, counted from 1; 0 if it failed before any.
        step: usize,
        /// The epoch, counted from 1.
        epoch: usize,
        /// What happened.
        error: ExecutorError,
    },
    /// Weight files.
    #[error(transparent)]
    Weights(#[from] WeightFileError),
    /// Somebody else's weights.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// An invalid setting of training or evaluation.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The folder of a run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Checkpoints that training cannot go on from.
    #[error(transparent)]
    Resume(#[from] ResumeError),
    /// Samples of the wrong size were given to `predict`.
    #[error("{numbers} numbers are not a whole number of samples of {size} numbers")]
    SampleLength {
        /// The numbers that were given.
        numbers: usize,
        /// Numbers of one sample.
        size: usize,
    },
    /// What a map of a score was asked of.
    #[error(transparent)]
    Attribution(#[from] AttributionError),
    /// What several processes or threads exchange.
    #[error(transparent)]
    Collective(#[from] CollectiveError),
    /// A number in training is not finite.
    #[error(transparent)]
    Diverged(#[from] Box<Divergence>),
    /// A callback interrupted a cross-validation.
    #[error("the cross-validation was interrupted in fold {fold} of {folds}, before all scores were known")]
    Interrupted {
        /// The fold that was trained, counted from 1.
        fold: usize,
        /// How many there are.
        folds: usize,
    },
    /// A callback of `fit` failed; the message is its own.
    #[error(transparent)]
    Callback(Box<dyn std::error::Error + Send + Sync>),
}

debug_is_message!(Error);
