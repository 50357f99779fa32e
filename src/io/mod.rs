//! Files: weights, and the folder that a run writes.

pub mod run;
mod weights;

pub use weights::{WeightFileError, read_weights, weights_to_bytes};
