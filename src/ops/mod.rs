//! Ops: what one step of a plan computes, and all that is said of it.
//!
//! An op has one room: a file, or a folder of its name. There stand its formula, its sizes, its arguments in binding order,
//! how its long sums are cut, its cost, the constants and rows of its kernels, its twin in plain Rust, the cases that
//! `verify` tries, and the bound of its errors. `kit` is what all of that is written with; it knows no op. The executors and
//! `verify` run what stands here and know no op either.
//!
//! `list` names all ops; nothing else does but the rewrites of [`Plan::fuse`](crate::plan::Plan::fuse).

mod activation;
mod adadelta;
mod adam;
mod augment_images;
mod batch_metrics;
mod bias_add;
mod clip_by_norm;
mod clip_by_value;
mod column_sum;
mod conv2d;
mod conv2d_maxpool;
mod copy;
mod cross_entropy;
mod dense;
mod dense_rmsprop_update;
mod dense_softmax_cross_entropy;
mod dropout;
mod gather_batch;
mod gather_images;
pub(crate) mod kit;
mod list;
mod matmul;
mod maxpool;
mod mean_squared_error;
mod one_hot;
mod outputs_loss;
mod rmsprop;
mod sgd;
mod softmax;
mod softmax_cross_entropy;
mod sum_partials;
mod sum_partials_bias;
mod weight_penalty;

pub use activation::*;
pub(crate) use activation::{By, OnnxForm};
pub use adadelta::AdadeltaUpdate;
pub use adam::AdamUpdate;
pub use augment_images::{AugmentImages, AugmentShape};
pub use batch_metrics::BatchMetrics;
pub use bias_add::BiasAdd;
pub use clip_by_norm::{ClipByNorm, SumOfSquares};
pub use clip_by_value::ClipByValue;
pub use column_sum::ColumnSum;
pub use conv2d::{Conv2dBackwardInput, Conv2dBackwardKernel, Conv2dForward, ConvShape};
pub use conv2d_maxpool::{Conv2dMaxpoolBackwardKernel, Conv2dMaxpoolForward, ConvPoolShape};
pub use copy::Copy;
pub use cross_entropy::{CrossEntropy, PROBABILITIES};
pub use dense::{DenseBackward, DenseForward};
pub use dense_rmsprop_update::DenseRmspropUpdate;
pub use dense_softmax_cross_entropy::DenseSoftmaxCrossEntropy;
pub use dropout::{DropoutBackward, DropoutForward, DropoutShape};
pub use gather_batch::GatherBatch;
pub use gather_images::{GatherImages, byte_scale};
pub use kit::{
    Access, Arg, ArgSpec, BatchParams, Case, DATA, Dtype, Element, Extent, FUNCTION, Kernel, Kinks,
    MAX_ITERATIONS, METRICS_LANES, Numbers, OtherArguments, Real, SHARED, Source, Split, Wire, image_stride,
};
pub use list::{Op, cases};
pub use matmul::{Matmul, MatmulABt, MatmulAtB, MatmulShape};
pub use maxpool::{MaxpoolBackward, MaxpoolForward, PoolShape};
pub use mean_squared_error::MeanSquaredError;
pub use one_hot::OneHot;
pub use rmsprop::{Hole, RmspropUpdate};
pub use sgd::{SgdMomentumUpdate, SgdUpdate};
pub use softmax::{Softmax, SoftmaxBackward};
pub use softmax_cross_entropy::{SoftmaxCrossEntropy, SoftmaxCrossEntropyMetrics};
pub use sum_partials::SumPartials;
pub use sum_partials_bias::SumPartialsBias;
pub use weight_penalty::{AddPenalty, WeightPenalty, WeightPenaltyGradient};
