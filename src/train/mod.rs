//! Training: the compiled model, its loop, when that ends, and what is reported on the way.

mod callback;
mod checkpoint;
mod crossval;
mod divergence;
mod fit;
mod metrics;
mod model;
mod monitor;
mod options;
mod passes;
mod plateau;
mod rate;
#[cfg(test)]
mod recorded;
mod state;
mod stopping;

pub use crate::error::{Bad, Divergence, Found};
pub use callback::{Callback, CallbackError, EpochRecord, History, NoCallback, Schedule, StepRecord};
pub use checkpoint::{Checkpoint, Checkpoints};
pub use crossval::{CrossValidation, FoldResult, Spread, cross_validate};
pub use metrics::{ClassFigures, ConfusionMatrix, MacroFigures, Report, top_k_accuracy};
#[cfg(feature = "cli")]
pub(crate) use model::write_weights;
pub use model::{Compile, Evaluation, Model};
pub use monitor::Monitor;
pub use options::FitOptions;
pub use plateau::{PlateauState, ReduceOnPlateau};
pub use rate::{CosineDecay, ExponentialDecay, LearningRateSchedule, StepDecay};
pub use state::{RunState, TrainingState, Within};
pub use stopping::{EarlyStopping, EarlyStoppingState, StopReason, Stopped};
