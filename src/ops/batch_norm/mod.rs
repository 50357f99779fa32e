//! Batch normalization, each way: statistics of each channel over the true samples of a batch.
//!
//! No other op adds up values of different samples on its way forward, or brings something of other samples into a gradient on its
//! way back. So these alone know how many samples a batch has, and leave zeros in the rows past them.

mod backward_input;
mod backward_scale;
mod forward;
mod moments;
mod shape;
mod statistics;
mod update;

pub use backward_input::BatchNormBackwardInput;
pub use backward_scale::BatchNormBackwardScale;
pub use forward::BatchNormForward;
pub use moments::{BatchNormSquares, BatchNormSums};
pub use shape::NormShape;
pub use statistics::BatchNormStatistics;
pub use update::BatchNormUpdate;
