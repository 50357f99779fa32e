//! Layer normalization, each way: statistics of each row by itself, a row being the channels of a position or the features of a sample.

mod backward_input;
mod backward_scale;
mod backward_sums;
mod forward;
mod shape;
mod statistics;

pub use backward_input::LayerNormBackwardInput;
pub use backward_scale::LayerNormBackwardScale;
pub use backward_sums::LayerNormBackwardSums;
pub use forward::LayerNormForward;
pub use shape::LayerNormShape;
pub use statistics::LayerNormStatistics;
