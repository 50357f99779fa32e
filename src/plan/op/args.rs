//! The arguments of each step kind.

use super::{Access, ArgSpec, DATA, Dtype, Op, image_stride};
use crate::model::{Adadelta, Adam};
use crate::plan::shapes::{AugmentShape, ConvPoolShape, DropoutShape, MatmulShape};

impl Op {
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
                arg("winner", Out, U32, &pool.winner()),
            ],
            Op::MaxpoolBackward(pool) => vec![
                arg("dy", In, F32, &pool.y()),
                arg("winner", In, U32, &pool.winner()),
                arg("dx", Out, F32, &pool.x()),
            ],
            Op::Conv2dMaxpoolForward(ConvPoolShape { conv, pool, .. }) => vec![
                arg("x", In, F32, &conv.x()),
                arg("kernel", In, F32, &conv.kernel()),
                arg("bias", In, F32, &[conv.out_c]),
                arg("y", Out, F32, &pool.y()),
                arg("winner", Out, U32, &pool.winner()),
            ],
            Op::Conv2dMaxpoolBackwardKernel(s) => vec![
                arg("x", In, F32, &s.conv.x()),
                arg("dy", In, F32, &s.pool.y()),
                arg("winner", In, U32, &s.pool.winner()),
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
                arg("loss", In, F32, &[DATA]),
                arg("tripwire", InOut, U32, &[1]),
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
            Op::SgdUpdate { len, .. } => update_args(len, 0),
            Op::SgdMomentumUpdate { len, .. } => update_args(len, 1),
            Op::AdadeltaUpdate { len, .. } => update_args(len, Adadelta::SLOTS),
            Op::AdamUpdate { len, .. } => update_args(len, Adam::SLOTS),
            Op::RmspropUpdate { len, rmsprop, .. } => update_args(len, rmsprop.slots()),
        }
    }
}

fn arg(name: &'static str, access: Access, dtype: Dtype, shape: &[usize]) -> ArgSpec {
    ArgSpec { name, access, dtype, shape: shape.to_vec() }
}

/// Arguments of an update of `len` weights with `slots` values of state for each.
fn update_args(len: usize, slots: usize) -> Vec<ArgSpec> {
    let state = (slots > 0).then(|| arg("state", Access::InOut, Dtype::F32, &[slots, len]));
    let mut args = vec![
        arg("gradient", Access::In, Dtype::F32, &[len]),
        arg("loss", Access::In, Dtype::F32, &[DATA]),
        arg("tripwire", Access::InOut, Dtype::U32, &[1]),
    ];
    args.extend(state);
    args.push(arg("parameter", Access::InOut, Dtype::F32, &[len]));
    args
}
