//! Training: the compiled model, its loop, and what is reported on the way.

mod callback;
mod fit;
mod model;

pub use callback::{Callback, CallbackError, EpochRecord, History, NoCallback, Schedule, StepRecord};
pub use fit::FitOptions;
#[cfg(feature = "cli")]
pub(crate) use model::write_weights;
pub use model::{Compile, Evaluation, Model};
