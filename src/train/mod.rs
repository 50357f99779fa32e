//! Training: the compiled model, its loop, when that ends, and what is reported on the way.

mod adapt;
mod attribution;
mod callback;
mod callbacks;
mod check;
mod checkpoint;
pub mod collective;
mod compile;
mod crossval;
mod divergence;
mod ending;
mod epoch;
mod fit;
mod held;
mod keep;
mod metrics;
mod micro;
mod model;
mod monitor;
mod on_batch;
mod one_cycle;
mod options;
mod passes;
mod plateau;
mod rate;
mod rate_curve;
mod rate_trial;
#[cfg(test)]
mod recorded;
mod records;
mod requests;
mod rows;
mod run;
mod start;
mod state;
mod stopping;
mod targets;

pub use crate::error::{Bad, Divergence, Found};
pub use attribution::Maps;
pub use callback::{Callback, CallbackError, NoCallback};
pub use callbacks::{OnEpochEnd, OnStep, on_epoch_end, on_step};
pub use checkpoint::{Checkpoint, Checkpoints};
pub use collective::{Collective, Updates};
pub use compile::Compile;
pub use crossval::{CrossValidation, Spread, cross_validate, cross_validate_on};
pub use held::held_to;
pub use metrics::{
    ClassFigures, ConfusionMatrix, Judgement, LabelReport, MacroFigures, OutputFigures, Report, THRESHOLD,
    ValueReport, main_metric, top_k_accuracy,
};
pub use model::Model;
#[cfg(feature = "report")]
pub(crate) use model::write_weights;
pub use monitor::Monitor;
pub use one_cycle::OneCycle;
pub use options::FitOptions;
pub use plateau::{PlateauState, ReduceOnPlateau};
pub use rate::{CosineDecay, ExponentialDecay, LearningRateSchedule, StepDecay};
pub use rate_curve::{CurveEnd, NoSuggestion, RateCurve, RatePoint, RateRange, RateSuggestion, top_of_curve};
pub use records::{EpochRecord, Evaluation, FoldResult, History, Schedule, StepRecord, StopReason, Stopped};
pub use requests::Requests;
pub use state::{RunState, TrainingState, Within};
pub use stopping::{EarlyStopping, EarlyStoppingState};
