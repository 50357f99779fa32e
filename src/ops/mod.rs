//! Ops: what one step of a plan computes, and all that is said of it.
//!
//! An op has one room: a file, or a folder of its name. There stand its formula, its sizes, its arguments in binding order,
//! how its long sums are cut, its cost, the constants and rows of its kernels, its twin in plain Rust, the cases that
//! `verify` tries, and the bound of its errors. `kit` is what all of that is written with; it knows no op. The executors and
//! `verify` run what stands here and know no op either.
//!
//! A new op is a file here, and its name in this one: as a module, for others to use, and in the list. Else
//! ops are named only by what makes steps of them, layers and [`plan`](crate::plan), and by its fusion. Nothing else matches
//! over them.

#[macro_use]
mod list;

mod activation;
mod adadelta;
mod adam;
mod add;
mod augment_images;
mod avgpool;
mod batch_metrics;
mod batch_norm;
mod bias_add;
mod binary_cross_entropy;
mod broadcast;
mod clip_by_norm;
mod clip_by_value;
mod column_sum;
mod concatenate;
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
mod gather_values;
mod huber;
pub(crate) mod kit;
mod layer_norm;
mod lion;
mod matmul;
mod maxpool;
mod mean_absolute_error;
mod mean_squared_error;
mod moving_average;
mod multiply;
mod normalize;
mod one_hot;
mod outputs_loss;
mod pad;
mod random_flip;
mod random_shift;
mod rescale;
mod rmsprop;
mod sgd;
mod sigmoid_cross_entropy;
mod softmax;
mod softmax_cross_entropy;
mod sum_partials;
mod sum_partials_bias;
mod weigh_rows;
mod weight_penalty;

pub use activation::*;
pub(crate) use activation::{By, OnnxForm, OnnxInput};
pub use adadelta::AdadeltaUpdate;
pub use adam::AdamUpdate;
pub use add::{Add, AddTo};
pub use augment_images::{AugmentImages, AugmentShape};
pub use avgpool::{AveragePoolShape, AvgpoolBackward, AvgpoolForward};
pub use batch_metrics::BatchMetrics;
pub use batch_norm::{
    BatchNormBackwardInput, BatchNormBackwardScale, BatchNormForward, BatchNormSquares, BatchNormStatistics,
    BatchNormSums, BatchNormUpdate, NormShape,
};
pub use bias_add::BiasAdd;
pub use binary_cross_entropy::BinaryCrossEntropy;
pub use broadcast::{Broadcast, BroadcastBackward, BroadcastShape};
pub use clip_by_norm::{ClipByNorm, SumOfSquares};
pub use clip_by_value::ClipByValue;
pub use column_sum::ColumnSum;
pub use concatenate::{Concatenate, Slice};
pub use conv2d::{Conv2dBackwardInput, Conv2dBackwardKernel, Conv2dForward, ConvShape, ImagePart};
pub use conv2d_maxpool::{Conv2dMaxpoolBackwardKernel, Conv2dMaxpoolForward, ConvPoolShape};
pub use copy::Copy;
pub use cross_entropy::{CrossEntropy, PROBABILITIES};
pub use dense::{DenseBackward, DenseForward};
pub use dense_rmsprop_update::DenseRmspropUpdate;
pub use dense_softmax_cross_entropy::DenseSoftmaxCrossEntropy;
pub use dropout::{DropoutBackward, DropoutForward, DropoutShape};
pub use gather_batch::GatherBatch;
pub use gather_images::{GatherImages, byte_scale, byte_values};
pub use gather_values::GatherValues;
pub use huber::Huber;
pub(crate) use kit::fused;
pub use kit::{
    Access, Arg, ArgSpec, BatchParams, Case, DATA, Dtype, Element, Extent, FUNCTION, Form, Kernel, Kinks,
    MAX_ITERATIONS, METRICS_LANES, Numbers, OtherArguments, Real, Room, SHARED, Scratch, Source, Split, Wire,
    image_stride,
};
pub use layer_norm::{
    LayerNormBackwardInput, LayerNormBackwardScale, LayerNormBackwardSums, LayerNormForward, LayerNormShape,
    LayerNormStatistics,
};
pub use lion::LionUpdate;
pub use matmul::{Matmul, MatmulABt, MatmulAtB, MatmulShape};
pub use maxpool::{MaxpoolBackward, MaxpoolForward, PoolShape};
pub use mean_absolute_error::MeanAbsoluteError;
pub use mean_squared_error::MeanSquaredError;
pub use moving_average::MovingAverage;
pub use multiply::Multiply;
pub use normalize::{Normalize, NormalizeShape};
pub use one_hot::{OneHot, TargetColumns};
pub use pad::{Crop, Pad, PadShape};
pub use random_flip::RandomFlip;
pub use random_shift::{FillMode, RandomShiftBackward, RandomShiftForward, ShiftShape};
pub use rescale::Rescale;
pub use rmsprop::{Hole, RmspropUpdate};
pub use sgd::{SgdMomentumUpdate, SgdUpdate};
pub use sigmoid_cross_entropy::SigmoidCrossEntropy;
pub use softmax::{Softmax, SoftmaxBackward};
pub use softmax_cross_entropy::{SoftmaxCrossEntropy, SoftmaxCrossEntropyMetrics};
pub use sum_partials::SumPartials;
pub use sum_partials_bias::SumPartialsBias;
pub use weigh_rows::WeighRows;
pub use weight_penalty::{AddPenalty, WeightPenalty, WeightPenaltyGradient};

use kit::{Argument, Expected, FastRow, OpKind, Row, Trial, arguments, run_twin, take};

/// The fast row of an op: the first that fits.
fn fast<O: OpKind>(op: &O) -> Option<&'static FastRow<O>> {
    O::FAST.iter().find(|row| (row.fits)(op))
}

// In the order in which a training step meets them.
ops! {
    GatherImages,
    GatherValues,
    OneHot,
    GatherBatch,
    AugmentImages,
    Conv2dForward,
    Conv2dBackwardInput,
    Conv2dBackwardKernel,
    MaxpoolForward,
    MaxpoolBackward,
    AvgpoolForward,
    AvgpoolBackward,
    Pad,
    Crop,
    Conv2dMaxpoolForward,
    Conv2dMaxpoolBackwardKernel,
    Matmul,
    MatmulAtB,
    MatmulABt,
    SumPartials,
    SumPartialsBias,
    DenseForward,
    DenseBackward,
    ColumnSum,
    BiasAdd,
    ActivationForward,
    ActivationBackward,
    Copy,
    DropoutForward,
    DropoutBackward,
    Add,
    AddTo,
    Multiply,
    Normalize,
    Broadcast,
    BroadcastBackward,
    Concatenate,
    Slice,
    BatchNormSums,
    BatchNormSquares,
    BatchNormStatistics,
    BatchNormForward,
    BatchNormBackwardScale,
    BatchNormBackwardInput,
    BatchNormUpdate,
    Softmax,
    SoftmaxBackward,
    MeanSquaredError,
    MeanAbsoluteError,
    Huber,
    CrossEntropy,
    BinaryCrossEntropy,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
    SoftmaxCrossEntropyMetrics,
    WeighRows,
    BatchMetrics,
    DenseSoftmaxCrossEntropy,
    SumOfSquares,
    ClipByValue,
    ClipByNorm,
    WeightPenalty,
    WeightPenaltyGradient,
    AddPenalty,
    SgdUpdate,
    SgdMomentumUpdate,
    AdadeltaUpdate,
    AdamUpdate,
    RmspropUpdate,
    DenseRmspropUpdate,
    LionUpdate,
    LayerNormStatistics,
    LayerNormForward,
    LayerNormBackwardScale,
    LayerNormBackwardSums,
    LayerNormBackwardInput,
    RandomFlip,
    RandomShiftForward,
    RandomShiftBackward,
    MovingAverage,
    Rescale,
}
