//! Step kinds: what one step computes, on which arguments, and at what cost.
//!
//! A kind has one name, shared by the WGSL file, the CPU twin and the row of the kernel table. Its arguments have
//! one order, shared by the shader's bindings and the twin's parameters.

use super::shapes::{
    AugmentShape, ConvPoolShape, ConvShape, DropoutShape, METRICS_LANES, MatmulShape, PoolShape, Split,
};
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

/// Weights that an update leaves to another step: `len` of them from `first` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "both are named above")]
pub struct Hole {
    pub first: usize,
    pub len: usize,
}

fn arg(name: &'static str, access: Access, dtype: Dtype, shape: &[usize]) -> ArgSpec {
    ArgSpec { name, access, dtype, shape: shape.to_vec() }
}

/// Arguments of an update of `len` weights with `slots` values of state for each.
fn update_args(len: usize, slots: usize) -> Vec<ArgSpec> {
    vec![
        arg("gradient", Access::In, Dtype::F32, &[len]),
        arg("state", Access::InOut, Dtype::F32, &[slots, len]),
        arg("parameter", Access::InOut, Dtype::F32, &[len]),
    ]
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

    /// The arguments, in the order of the shader's bindings.
    pub fn args(&self) -> Vec<ArgSpec> {
        use Access::{In, InOut, Out};
        use Dtype::{Bytes, F32, U32};
        match *self {
            Op::GatherImages { batch, pixels } => vec![
                arg("images", In, Bytes, &[DATA, image_stride(pixels)]),
                arg("order", In, U32, &[DATA]),
                arg("scale", In, F32, &[256]),
                arg("x", Out, F32, &[batch, pixels]),
            ],
            Op::OneHot { batch, classes } => vec![
                arg("labels", In, Bytes, &[DATA]),
                arg("order", In, U32, &[DATA]),
                arg("one_hot", Out, F32, &[batch, classes]),
            ],
            Op::GatherBatch { batch, pixels, classes } => vec![
                arg("images", In, Bytes, &[DATA, image_stride(pixels)]),
                arg("labels", In, Bytes, &[DATA]),
                arg("order", In, U32, &[DATA]),
                arg("scale", In, F32, &[256]),
                arg("x", Out, F32, &[batch, pixels]),
                arg("one_hot", Out, F32, &[batch, classes]),
            ],
            Op::AugmentImages(s) => vec![
                arg("transforms", In, F32, &[DATA, AugmentShape::TRANSFORM]),
                arg("source", In, F32, &s.x()),
                arg("x", Out, F32, &s.x()),
            ],
            Op::Conv2dForward { conv, .. } => vec![
                arg("x", In, F32, &conv.x()),
                arg("kernel", In, F32, &conv.kernel()),
                arg("bias", In, F32, &[conv.out_c]),
                arg("y", Out, F32, &conv.y()),
            ],
            Op::Conv2dBackwardInput(conv) => vec![
                arg("dy", In, F32, &conv.y()),
                arg("kernel", In, F32, &conv.kernel()),
                arg("dx", Out, F32, &conv.x()),
            ],
            Op::Conv2dBackwardKernel(conv) => {
                let parts = [&[self.parts()], &conv.kernel()[..]].concat();
                vec![
                    arg("x", In, F32, &conv.x()),
                    arg("dy", In, F32, &conv.y()),
                    arg("partial", Out, F32, &parts),
                ]
            }
            Op::MaxpoolForward(pool) => vec![
                arg("x", In, F32, &pool.x()),
                arg("y", Out, F32, &pool.y()),
                arg("winner", Out, U32, &pool.y()),
            ],
            Op::MaxpoolBackward(pool) => vec![
                arg("dy", In, F32, &pool.y()),
                arg("winner", In, U32, &pool.y()),
                arg("dx", Out, F32, &pool.x()),
            ],
            Op::Conv2dMaxpoolForward(ConvPoolShape { conv, pool, .. }) => vec![
                arg("x", In, F32, &conv.x()),
                arg("kernel", In, F32, &conv.kernel()),
                arg("bias", In, F32, &[conv.out_c]),
                arg("y", Out, F32, &pool.y()),
                arg("winner", Out, U32, &pool.y()),
            ],
            Op::Conv2dMaxpoolBackwardKernel(s) => vec![
                arg("x", In, F32, &s.conv.x()),
                arg("dy", In, F32, &s.pool.y()),
                arg("winner", In, U32, &s.pool.y()),
                arg("partial", Out, F32, &[&[self.parts()], &s.gradient()[..]].concat()),
            ],
            Op::Matmul(MatmulShape { m, n, k }) => vec![
                arg("a", In, F32, &[m, k]),
                arg("b", In, F32, &[k, n]),
                arg("partial", Out, F32, &[self.parts(), m, n]),
            ],
            Op::MatmulAtB { product: MatmulShape { m, n, k }, bias } => vec![
                arg("a", In, F32, &[k, m]),
                arg("b", In, F32, &[k, n]),
                arg("partial", Out, F32, &[self.parts(), m + usize::from(bias), n]),
            ],
            Op::MatmulABt(MatmulShape { m, n, k }) => vec![
                arg("a", In, F32, &[m, k]),
                arg("b", In, F32, &[n, k]),
                arg("partial", Out, F32, &[self.parts(), m, n]),
            ],
            Op::SumPartials { parts, len } => {
                vec![arg("partial", In, F32, &[parts, len]), arg("sum", Out, F32, &[len])]
            }
            Op::SumPartialsBias { parts, rows, columns, .. } => vec![
                arg("partial", In, F32, &[parts, rows, columns]),
                arg("bias", In, F32, &[columns]),
                arg("y", Out, F32, &[rows, columns]),
            ],
            Op::DenseForward { product: MatmulShape { m, n, k }, .. } => vec![
                arg("x", In, F32, &[m, k]),
                arg("kernel", In, F32, &[k, n]),
                arg("bias", In, F32, &[n]),
                arg("y", Out, F32, &[m, n]),
            ],
            Op::DenseBackward { product: MatmulShape { m, n, k }, .. } => vec![
                arg("x", In, F32, &[m, k]),
                arg("kernel", In, F32, &[k, n]),
                arg("dy", In, F32, &[m, n]),
                arg("gradient", Out, F32, &[k + 1, n]),
                arg("dx", Out, F32, &[m, k]),
            ],
            Op::ColumnSum { rows, columns } => {
                vec![arg("x", In, F32, &[rows, columns]), arg("partial", Out, F32, &[self.parts(), columns])]
            }
            Op::BiasAdd { rows, columns } => {
                vec![arg("bias", In, F32, &[columns]), arg("y", InOut, F32, &[rows, columns])]
            }
            Op::ReluForward { len }
            | Op::SigmoidForward { len }
            | Op::TanhForward { len }
            | Op::LeakyReluForward { len, .. } => vec![arg("y", InOut, F32, &[len])],
            Op::ReluBackward { len }
            | Op::SigmoidBackward { len }
            | Op::TanhBackward { len }
            | Op::LeakyReluBackward { len, .. } => {
                vec![arg("y", In, F32, &[len]), arg("dy", InOut, F32, &[len])]
            }
            Op::Copy { len } | Op::DropoutForward(DropoutShape { len, .. }) => {
                vec![arg("x", In, F32, &[len]), arg("y", Out, F32, &[len])]
            }
            Op::DropoutBackward(DropoutShape { len, .. }) => vec![arg("dy", InOut, F32, &[len])],
            Op::SoftmaxBackward { rows, columns } => {
                vec![arg("y", In, F32, &[rows, columns]), arg("dy", InOut, F32, &[rows, columns])]
            }
            Op::MeanSquaredError { rows, columns } | Op::CrossEntropy { rows, columns } => vec![
                arg("y", In, F32, &[rows, columns]),
                arg("one_hot", In, F32, &[rows, columns]),
                arg("row_loss", Out, F32, &[rows]),
                arg("row_correct", Out, U32, &[rows]),
                arg("dy", Out, F32, &[rows, columns]),
            ],
            Op::Softmax { rows, columns } => vec![
                arg("logits", In, F32, &[rows, columns]),
                arg("probabilities", Out, F32, &[rows, columns]),
            ],
            Op::SoftmaxCrossEntropy { rows, columns } => vec![
                arg("logits", In, F32, &[rows, columns]),
                arg("one_hot", In, F32, &[rows, columns]),
                arg("row_loss", Out, F32, &[rows]),
                arg("row_correct", Out, U32, &[rows]),
                arg("dlogits", Out, F32, &[rows, columns]),
            ],
            Op::SoftmaxCrossEntropyMetrics { rows, columns } => vec![
                arg("logits", In, F32, &[rows, columns]),
                arg("one_hot", In, F32, &[rows, columns]),
                arg("dlogits", Out, F32, &[rows, columns]),
                arg("loss", InOut, F32, &[DATA]),
                arg("correct", InOut, U32, &[DATA]),
            ],
            Op::BatchMetrics { rows } => vec![
                arg("row_loss", In, F32, &[rows]),
                arg("row_correct", In, U32, &[rows]),
                arg("loss", InOut, F32, &[DATA]),
                arg("correct", InOut, U32, &[DATA]),
            ],
            Op::DenseSoftmaxCrossEntropy { product: MatmulShape { m, n, k }, .. } => vec![
                arg("x", In, F32, &[m, k]),
                arg("kernel", In, F32, &[k, n]),
                arg("bias", In, F32, &[n]),
                arg("one_hot", In, F32, &[m, n]),
                arg("gradient", Out, F32, &[k + 1, n]),
                arg("dx", Out, F32, &[m, k]),
                arg("loss", InOut, F32, &[DATA]),
                arg("correct", InOut, U32, &[DATA]),
            ],
            Op::DenseRmspropUpdate { product: MatmulShape { m, n, k }, len, rmsprop, .. } => vec![
                arg("a", In, F32, &[k, m]),
                arg("b", In, F32, &[k, n]),
                arg("state", InOut, F32, &[rmsprop.slots(), len]),
                arg("parameter", InOut, F32, &[len]),
            ],
            Op::SumOfSquares { len } => {
                vec![arg("x", In, F32, &[len]), arg("partial", Out, F32, &[self.parts()])]
            }
            Op::ClipByValue { len, .. } => vec![arg("gradient", InOut, F32, &[len])],
            Op::ClipByNorm { len, .. } => {
                vec![arg("square_sum", In, F32, &[1]), arg("gradient", InOut, F32, &[len])]
            }
            Op::WeightPenalty { len, .. } => {
                vec![arg("kernel", In, F32, &[len]), arg("partial", Out, F32, &[self.parts()])]
            }
            Op::WeightPenaltyGradient { len, .. } => {
                vec![arg("kernel", In, F32, &[len]), arg("gradient", InOut, F32, &[len])]
            }
            Op::AddPenalty => vec![arg("penalty", In, F32, &[1]), arg("loss", InOut, F32, &[DATA])],
            Op::SgdUpdate { len, .. } => {
                vec![arg("gradient", In, F32, &[len]), arg("parameter", InOut, F32, &[len])]
            }
            Op::SgdMomentumUpdate { len, .. } => update_args(len, 1),
            Op::AdadeltaUpdate { len, .. } => update_args(len, Adadelta::SLOTS),
            Op::AdamUpdate { len, .. } => update_args(len, Adam::SLOTS),
            Op::RmspropUpdate { len, rmsprop, .. } => update_args(len, rmsprop.slots()),
        }
    }

    /// Floating-point operations of one execution; a multiply-add counts as two, a comparison as one.
    pub fn flops(&self) -> u64 {
        let count = match *self {
            Op::GatherImages { .. } | Op::OneHot { .. } | Op::GatherBatch { .. } | Op::Copy { .. } => 0,
            Op::SigmoidForward { len } | Op::TanhForward { len } | Op::TanhBackward { len } => 4 * len,
            Op::SigmoidBackward { len } => 3 * len,
            Op::LeakyReluForward { len, .. } | Op::LeakyReluBackward { len, .. } => 2 * len,
            Op::DropoutForward(s) | Op::DropoutBackward(s) => 2 * s.len,
            Op::SoftmaxBackward { rows, columns } => 4 * rows * columns,
            Op::MeanSquaredError { rows, columns } => 6 * rows * columns,
            Op::CrossEntropy { rows, columns } => 9 * rows * columns,
            Op::AugmentImages(s) => {
                s.x().iter().product::<usize>() * (21 + if s.noise > 0.0 { 2 } else { 0 })
            }
            Op::Conv2dForward { conv, relu } => {
                conv.positions() * conv.out_c * (2 * conv.terms() + 1 + usize::from(relu))
            }
            Op::Conv2dBackwardInput(conv) | Op::Conv2dBackwardKernel(conv) => {
                conv.positions() * conv.out_c * 2 * conv.terms()
            }
            Op::MaxpoolForward(pool) => pool.y().iter().product::<usize>() * pool.pool_h * pool.pool_w,
            Op::MaxpoolBackward(pool) => pool.y().iter().product(),
            Op::Conv2dMaxpoolForward(s) => {
                s.pool.y().iter().product::<usize>() * s.none_won() * (2 * s.conv.terms() + 2)
            }
            Op::Conv2dMaxpoolBackwardKernel(s) => {
                s.pool.y().iter().product::<usize>() * (2 * s.conv.terms() + 1)
            }
            Op::Matmul(mm) | Op::MatmulABt(mm) => 2 * mm.m * mm.n * mm.k,
            Op::MatmulAtB { product: mm, bias } => (2 * mm.m + usize::from(bias)) * mm.n * mm.k,
            Op::SumPartials { parts, len } => parts * len,
            Op::SumPartialsBias { parts, rows, columns, .. } => (parts + 2) * rows * columns,
            Op::DenseForward { product: mm, .. } => 2 * (mm.k + 1) * mm.m * mm.n,
            Op::DenseBackward { product: mm, .. } => (4 * mm.k + 1) * mm.m * mm.n,
            Op::ColumnSum { rows, columns } | Op::BiasAdd { rows, columns } => rows * columns,
            Op::ReluForward { len } | Op::ReluBackward { len } => len,
            Op::Softmax { rows, columns } => 4 * rows * columns,
            Op::SoftmaxCrossEntropy { rows, columns } => 8 * rows * columns,
            Op::SoftmaxCrossEntropyMetrics { rows, columns } => 8 * rows * columns + 2 * rows,
            Op::BatchMetrics { rows } => 2 * rows,
            Op::DenseSoftmaxCrossEntropy { product: mm, .. } => (6 * mm.k + 10) * mm.m * mm.n,
            Op::SumOfSquares { len } | Op::ClipByValue { len, .. } => 2 * len,
            Op::ClipByNorm { len, .. } => len,
            Op::WeightPenalty { len, .. } | Op::WeightPenaltyGradient { len, .. } => 4 * len,
            Op::AddPenalty => 1,
            Op::SgdUpdate { len, sgd } => len * (2 + decay_flops(sgd.weight_decay)),
            Op::SgdMomentumUpdate { len, sgd } => {
                len * (4 + if sgd.nesterov { 2 } else { 0 } + decay_flops(sgd.weight_decay))
            }
            Op::AdadeltaUpdate { len, adadelta } => len * (16 + decay_flops(adadelta.weight_decay)),
            Op::AdamUpdate { len, adam } => len * (12 + decay_flops(adam.weight_decay)),
            Op::RmspropUpdate { len, rmsprop, hole } => (len - hole.len) * update_flops(&rmsprop),
            Op::DenseRmspropUpdate { product: mm, rmsprop, .. } => {
                (2 * mm.m + 1) * mm.n * mm.k + (mm.m + 1) * mm.n * update_flops(&rmsprop)
            }
        };
        count as u64
    }

    /// How many of the weights of an arena an update touches, and how many there are.
    pub(super) fn updated(&self) -> Option<[usize; 2]> {
        match *self {
            Op::RmspropUpdate { len, hole, .. } => Some([len - hole.len, len]),
            Op::DenseRmspropUpdate { product, len, .. } => Some([(product.m + 1) * product.n, len]),
            _ => None,
        }
    }

    /// Most iterations, over all its loops, of one invocation of the plainest kernel of this kind.
    pub fn longest_loop(&self) -> usize {
        match *self {
            Op::Conv2dForward { conv, .. } => conv.terms(),
            Op::Conv2dBackwardInput(conv) => conv.kernel_h * conv.kernel_w * conv.out_c,
            Op::MaxpoolForward(pool) => pool.pool_h * pool.pool_w,
            Op::MaxpoolBackward(pool) => {
                pool.pool_h.div_ceil(pool.stride_h) * pool.pool_w.div_ceil(pool.stride_w)
            }
            Op::Conv2dMaxpoolForward(s) => s.none_won() * s.conv.terms(),
            Op::Conv2dMaxpoolBackwardKernel(s) => s.row_split().terms_per_part * s.pool.out_w * s.none_won(),
            Op::SumPartials { parts, .. } => parts,
            Op::Softmax { columns, .. }
            | Op::SoftmaxCrossEntropy { columns, .. }
            | Op::CrossEntropy { columns, .. } => 3 * columns,
            Op::SoftmaxBackward { columns, .. } => 2 * columns,
            Op::MeanSquaredError { columns, .. } => columns,
            Op::DropoutForward(_) | Op::DropoutBackward(_) => DropoutShape::ROUNDS,
            Op::SumPartialsBias { parts, .. } => parts,
            Op::DenseForward { product, .. } => product.k,
            Op::DenseBackward { product, .. } => product.m.max(product.n),
            Op::SoftmaxCrossEntropyMetrics { rows, columns } => rows.div_ceil(METRICS_LANES) * 3 * columns,
            Op::BatchMetrics { rows } => rows.div_ceil(METRICS_LANES),
            Op::DenseSoftmaxCrossEntropy { product: MatmulShape { m, n, k }, .. } => {
                let of_all = |elements: usize, terms: usize| elements.div_ceil(METRICS_LANES) * terms;
                of_all(m, n * (k + 3)) + of_all((k + 1) * n, m) + of_all(m * k, n)
            }
            Op::DenseRmspropUpdate { product, .. } => product.k,
            Op::Conv2dBackwardKernel(conv) => conv.row_split().terms_per_part * conv.out_w,
            _ => self.split().map_or(0, |split| split.terms_per_part),
        }
    }
}

/// Operations of RMSprop on one weight.
fn update_flops(rmsprop: &RmsProp) -> usize {
    let centered = if rmsprop.centered { 5 } else { 0 };
    let momentum = if rmsprop.momentum > 0.0 { 2 } else { 0 };
    9 + centered + momentum + decay_flops(rmsprop.weight_decay)
}

/// Operations of weight decay on one weight.
fn decay_flops(weight_decay: Option<f64>) -> usize {
    if weight_decay.is_some() { 3 } else { 0 }
}

/// Bytes from one image of a data set to the next: images begin at whole words.
pub fn image_stride(pixels: usize) -> usize {
    pixels.next_multiple_of(size_of::<u32>())
}
