//! What each step kind costs.

use super::Op;
use crate::model::RmsProp;
use crate::plan::shapes::{DropoutShape, METRICS_LANES, MatmulShape};

impl Op {
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
    pub(in crate::plan) fn updated(&self) -> Option<[usize; 2]> {
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
