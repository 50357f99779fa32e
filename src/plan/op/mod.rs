//! Step kinds: what one step computes, on which arguments, and at what cost.
//!
//! A kind has one name, shared by the WGSL file, the CPU twin and the row of the kernel table. Its arguments have
//! one order, shared by the shader's bindings and the twin's parameters.

mod args;
mod cost;

use super::shapes::{AugmentShape, ConvPoolShape, ConvShape, DropoutShape, MatmulShape, PoolShape, Split};
use crate::model::{Adadelta, Adam, Regularizer, RmsProp, Sgd};

/// How a step uses an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read only.
    In,
    /// Every element is written; what was there before is not read.
    Out,
    /// Read and written.
    InOut,
}

/// What the elements of an argument are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    /// 32-bit floats.
    F32,
    /// 32-bit unsigned integers.
    U32,
    /// Bytes, four to a 32-bit word, the first in the lowest bits.
    Bytes,
}

impl Dtype {
    /// Size of one element in bytes.
    pub fn bytes(self) -> u64 {
        match self {
            Dtype::F32 | Dtype::U32 => 4,
            Dtype::Bytes => 1,
        }
    }
}

/// A dimension whose size belongs to the data set and not to the plan.
pub const DATA: usize = 0;

/// One argument of a step kind.
#[derive(Debug, Clone, PartialEq)]
pub struct ArgSpec {
    /// Its name in the shader and in messages.
    pub name: &'static str,
    /// How the step uses it.
    pub access: Access,
    /// What its elements are.
    pub dtype: Dtype,
    /// Its dimensions; [`DATA`] for one that the data set decides.
    pub shape: Vec<usize>,
}

/// The indices of the element with this number in a tensor of these dimensions, the first of which may be unknown.
pub(crate) fn indices(shape: &[usize], at: usize) -> Vec<usize> {
    let mut left = at;
    let mut indices: Vec<usize> = Vec::new();
    for &dim in shape.iter().skip(1).rev() {
        indices.push(left % dim.max(1));
        left /= dim.max(1);
    }
    indices.push(left);
    indices.reverse();
    indices
}

/// Weights that an update leaves to another step: `len` of them from `first` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "both are named above")]
pub struct Hole {
    pub first: usize,
    pub len: usize,
}

/// What one step computes. The formulas stand with the CPU twins in [`crate::cpu`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named as in the twins")]
pub enum Op {
    /// Batch of images from the data set: bytes through a table, rows past the batch's size zero.
    GatherImages { batch: usize, pixels: usize },
    /// Batch of one-hot targets, rows past the batch's size zero.
    OneHot { batch: usize, classes: usize },
    /// Both of these at once.
    GatherBatch { batch: usize, pixels: usize, classes: usize },
    /// Each image seen through a transform of its own, and noise, in training.
    AugmentImages(AugmentShape),
    /// Convolution plus bias, ReLU where asked for.
    Conv2dForward { conv: ConvShape, relu: bool },
    /// Gradient of a convolution with respect to its input.
    Conv2dBackwardInput(ConvShape),
    /// Gradient of a convolution with respect to its kernel, in parts.
    Conv2dBackwardKernel(ConvShape),
    /// Maximum of each window and which element it was.
    MaxpoolForward(PoolShape),
    /// Gradient sent back to the elements that won.
    MaxpoolBackward(PoolShape),
    /// Convolution plus bias, ReLU where asked for, and the maximum of each window and which element it was.
    Conv2dMaxpoolForward(ConvPoolShape),
    /// Gradients of kernel and bias of such a convolution, in parts.
    Conv2dMaxpoolBackwardKernel(ConvPoolShape),
    /// `a b`, in parts.
    Matmul(MatmulShape),
    /// `a^T b`, in parts; with `bias`, as if a had a column of ones after its last, so that the sums of b follow.
    MatmulAtB { product: MatmulShape, bias: bool },
    /// `a b^T`, in parts.
    MatmulABt(MatmulShape),
    /// The sum of parts, in order.
    SumPartials { parts: usize, len: usize },
    /// The sum of parts, in order, plus a bias, ReLU where asked for.
    SumPartialsBias { parts: usize, rows: usize, columns: usize, relu: bool },
    /// A small dense layer: `x kernel + bias`, ReLU where asked for.
    DenseForward { product: MatmulShape, relu: bool },
    /// Both gradients of a small dense layer of this forward product; with `relu`, its input came out of one.
    DenseBackward { product: MatmulShape, relu: bool },
    /// The sum of each column, in parts.
    ColumnSum { rows: usize, columns: usize },
    /// A bias added to each row.
    BiasAdd { rows: usize, columns: usize },
    /// ReLU in place.
    ReluForward { len: usize },
    /// Gradient of ReLU in place.
    ReluBackward { len: usize },
    /// Sigmoid in place.
    SigmoidForward { len: usize },
    /// Gradient of sigmoid in place.
    SigmoidBackward { len: usize },
    /// Hyperbolic tangent in place.
    TanhForward { len: usize },
    /// Gradient of the hyperbolic tangent in place.
    TanhBackward { len: usize },
    /// Leaky ReLU in place.
    LeakyReluForward { len: usize, slope: f32 },
    /// Gradient of leaky ReLU in place.
    LeakyReluBackward { len: usize, slope: f32 },
    /// The same values again.
    Copy { len: usize },
    /// In training, values dropped at random and the others scaled; else the same values.
    DropoutForward(DropoutShape),
    /// Gradient of dropout in place: the same elements are dropped.
    DropoutBackward(DropoutShape),
    /// Gradient of the softmax of each row in place.
    SoftmaxBackward { rows: usize, columns: usize },
    /// Loss and hit of each row and the gradient of the mean loss: squared errors.
    MeanSquaredError { rows: usize, columns: usize },
    /// Loss and hit of each row and the gradient of the mean loss: cross-entropy of outputs taken as probabilities.
    CrossEntropy { rows: usize, columns: usize },
    /// Softmax of each row.
    Softmax { rows: usize, columns: usize },
    /// Loss and hit of each row and the gradient of the mean loss.
    SoftmaxCrossEntropy { rows: usize, columns: usize },
    /// The gradient of the mean loss, and loss and number of hits of the batch.
    SoftmaxCrossEntropyMetrics { rows: usize, columns: usize },
    /// Loss and number of hits of the batch.
    BatchMetrics { rows: usize },
    /// The last layer of a classifier in training: dense forward, loss and hits, dense backward; `product` is the forward
    /// one, with `relu` its input came out of one.
    DenseSoftmaxCrossEntropy { product: MatmulShape, relu: bool },
    /// The sum of squares, in parts.
    SumOfSquares { len: usize },
    /// Gradients cut to `[-limit, limit]` in place.
    ClipByValue { len: usize, limit: f64 },
    /// Gradients scaled in place so that their norm is at most `limit`; takes the sum of squares.
    ClipByNorm { len: usize, limit: f64 },
    /// The penalty of a kernel, in parts.
    WeightPenalty { len: usize, regularizer: Regularizer },
    /// The gradient of that penalty, added to the kernel's in place.
    WeightPenaltyGradient { len: usize, regularizer: Regularizer },
    /// A penalty added to the loss of the batch.
    AddPenalty,
    /// Gradient descent over the parameter arena.
    SgdUpdate { len: usize, sgd: Sgd },
    /// Gradient descent with momentum over the parameter arena.
    SgdMomentumUpdate { len: usize, sgd: Sgd },
    /// Adadelta over the parameter arena.
    AdadeltaUpdate { len: usize, adadelta: Adadelta },
    /// Adam over the parameter arena.
    AdamUpdate { len: usize, adam: Adam },
    /// RMSprop over the parameter arena, but for a hole.
    RmspropUpdate { len: usize, rmsprop: RmsProp, hole: Hole },
    /// Gradient of a dense layer's kernel and bias, as [`Op::MatmulAtB`] with its bias, straight into RMSprop of the
    /// weights that begin at `first` of the arena.
    DenseRmspropUpdate { product: MatmulShape, first: usize, len: usize, rmsprop: RmsProp },
}

impl Op {
    /// The name of the kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Op::GatherImages { .. } => "gather_images",
            Op::OneHot { .. } => "one_hot",
            Op::GatherBatch { .. } => "gather_batch",
            Op::AugmentImages(_) => "augment_images",
            Op::Conv2dForward { .. } => "conv2d_forward",
            Op::Conv2dBackwardInput(_) => "conv2d_backward_input",
            Op::Conv2dBackwardKernel(_) => "conv2d_backward_kernel",
            Op::MaxpoolForward(_) => "maxpool_forward",
            Op::MaxpoolBackward(_) => "maxpool_backward",
            Op::Conv2dMaxpoolForward(_) => "conv2d_maxpool_forward",
            Op::Conv2dMaxpoolBackwardKernel(_) => "conv2d_maxpool_backward_kernel",
            Op::Matmul(_) => "matmul",
            Op::MatmulAtB { .. } => "matmul_at_b",
            Op::MatmulABt(_) => "matmul_a_bt",
            Op::SumPartials { .. } => "sum_partials",
            Op::SumPartialsBias { .. } => "sum_partials_bias",
            Op::DenseForward { .. } => "dense_forward",
            Op::DenseBackward { .. } => "dense_backward",
            Op::ColumnSum { .. } => "column_sum",
            Op::BiasAdd { .. } => "bias_add",
            Op::ReluForward { .. } => "relu_forward",
            Op::ReluBackward { .. } => "relu_backward",
            Op::SigmoidForward { .. } => "sigmoid_forward",
            Op::SigmoidBackward { .. } => "sigmoid_backward",
            Op::TanhForward { .. } => "tanh_forward",
            Op::TanhBackward { .. } => "tanh_backward",
            Op::LeakyReluForward { .. } => "leaky_relu_forward",
            Op::LeakyReluBackward { .. } => "leaky_relu_backward",
            Op::Copy { .. } => "copy",
            Op::DropoutForward(_) => "dropout_forward",
            Op::DropoutBackward(_) => "dropout_backward",
            Op::SoftmaxBackward { .. } => "softmax_backward",
            Op::MeanSquaredError { .. } => "mean_squared_error",
            Op::CrossEntropy { .. } => "cross_entropy",
            Op::Softmax { .. } => "softmax",
            Op::SoftmaxCrossEntropy { .. } => "softmax_cross_entropy",
            Op::SoftmaxCrossEntropyMetrics { .. } => "softmax_cross_entropy_metrics",
            Op::BatchMetrics { .. } => "batch_metrics",
            Op::DenseSoftmaxCrossEntropy { .. } => "dense_softmax_cross_entropy",
            Op::SumOfSquares { .. } => "sum_of_squares",
            Op::ClipByValue { .. } => "clip_by_value",
            Op::ClipByNorm { .. } => "clip_by_norm",
            Op::WeightPenalty { .. } => "weight_penalty",
            Op::WeightPenaltyGradient { .. } => "weight_penalty_gradient",
            Op::AddPenalty => "add_penalty",
            Op::SgdUpdate { .. } => "sgd_update",
            Op::SgdMomentumUpdate { .. } => "sgd_momentum_update",
            Op::AdadeltaUpdate { .. } => "adadelta_update",
            Op::AdamUpdate { .. } => "adam_update",
            Op::RmspropUpdate { .. } => "rmsprop_update",
            Op::DenseRmspropUpdate { .. } => "dense_rmsprop_update",
        }
    }

    /// How the long sums of this kind are cut; `None` for kinds without one.
    pub fn split(&self) -> Option<Split> {
        match self {
            Op::Conv2dBackwardKernel(conv) => Some(conv.row_split()),
            Op::Conv2dMaxpoolBackwardKernel(s) => Some(s.row_split()),
            Op::Matmul(mm) | Op::MatmulAtB { product: mm, .. } | Op::MatmulABt(mm) => Some(mm.split()),
            Op::ColumnSum { rows, .. } => Some(Split::of(*rows)),
            Op::SumOfSquares { len } | Op::WeightPenalty { len, .. } => Some(Split::of(*len)),
            _ => None,
        }
    }

    /// Number of parts of [`Op::split`].
    fn parts(&self) -> usize {
        self.split().map_or(1, |split| split.parts)
    }
}

/// Bytes from one image of a data set to the next: images begin at whole words.
pub fn image_stride(pixels: usize) -> usize {
    pixels.next_multiple_of(size_of::<u32>())
}
