//! Files: weights, and the folder that a run writes.

mod backup;
pub mod checkpoint;
#[cfg(feature = "cli")]
pub(crate) mod destination;
mod element;
mod header;
mod history_csv;
pub mod import;
mod line_file;
mod model_file;
pub mod onnx;
mod picture_model;
#[cfg(feature = "report")]
pub(crate) mod png;
mod recorded;
#[cfg(test)]
mod reference;
#[cfg(feature = "report")]
#[doc(hidden)]
pub mod report;
mod result;
pub mod run;
mod save;
mod saved;
mod tensorboard;
mod weights;
mod whole;

pub(crate) use crate::data::sha256;
pub use crate::error::WeightFileError;
pub use backup::Backup;
pub use history_csv::HistoryCsv;
pub use model_file::{ModelFile, TUTORIAL};
pub use recorded::{Recorded, read_recorded};
pub use saved::SavedRun;
pub use tensorboard::TensorBoard;
pub use weights::{read_weights, weights_from_bytes, weights_to_bytes};
#[cfg(feature = "cli")]
pub(crate) use whole::write_whole;
