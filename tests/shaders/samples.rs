//! Steps for which every kernel is tried: those of whole models, and sizes that no model gives.

use shadegrad::model::{Adadelta, Adam, Loss, Regularizer, RmsProp, Sgd};
use shadegrad::plan::{
    AugmentShape, ConvPoolShape, ConvShape, DropoutShape, Hole, MatmulShape, Op, Plan, PoolShape,
};

use crate::common::{activation_models, small, tutorial, unusual_models};

/// A step kind with its sizes, and where its arguments begin in their buffers.
pub struct Sample {
    /// Where it comes from, for messages.
    pub place: String,
    pub op: Op,
    pub bases: Vec<usize>,
}

/// Number of step kinds; `kind_number` counts them.
pub const KINDS: usize = 51;

/// Stops compiling when a kind is added: give it the next number here, and [`KINDS`] and [`samples`] their share.
pub fn kind_number(op: &Op) -> usize {
    match op {
        Op::GatherImages { .. } => 0,
        Op::AugmentImages(_) => 38,
        Op::OneHot { .. } => 1,
        Op::Conv2dForward { .. } => 2,
        Op::Conv2dBackwardInput(_) => 3,
        Op::Conv2dBackwardKernel(_) => 4,
        Op::MaxpoolForward(_) => 5,
        Op::MaxpoolBackward(_) => 6,
        Op::Matmul(_) => 7,
        Op::MatmulAtB { .. } => 8,
        Op::MatmulABt(_) => 9,
        Op::SumPartials { .. } => 10,
        Op::ColumnSum { .. } => 11,
        Op::BiasAdd { .. } => 12,
        Op::ReluForward { .. } => 13,
        Op::ReluBackward { .. } => 14,
        Op::Softmax { .. } => 15,
        Op::SoftmaxCrossEntropy { .. } => 16,
        Op::BatchMetrics { .. } => 17,
        Op::RmspropUpdate { .. } => 18,
        Op::GatherBatch { .. } => 19,
        Op::Conv2dMaxpoolForward(_) => 20,
        Op::Conv2dMaxpoolBackwardKernel(_) => 21,
        Op::SumPartialsBias { .. } => 22,
        Op::DenseForward { .. } => 23,
        Op::DenseBackward { .. } => 24,
        Op::SoftmaxCrossEntropyMetrics { .. } => 25,
        Op::DenseSoftmaxCrossEntropy { .. } => 26,
        Op::DenseRmspropUpdate { .. } => 27,
        Op::SumOfSquares { .. } => 28,
        Op::ClipByValue { .. } => 29,
        Op::ClipByNorm { .. } => 30,
        Op::WeightPenalty { .. } => 31,
        Op::WeightPenaltyGradient { .. } => 32,
        Op::AddPenalty => 33,
        Op::SgdUpdate { .. } => 34,
        Op::SgdMomentumUpdate { .. } => 35,
        Op::AdadeltaUpdate { .. } => 36,
        Op::AdamUpdate { .. } => 37,
        Op::SigmoidForward { .. } => 39,
        Op::SigmoidBackward { .. } => 40,
        Op::TanhForward { .. } => 41,
        Op::TanhBackward { .. } => 42,
        Op::LeakyReluForward { .. } => 43,
        Op::LeakyReluBackward { .. } => 44,
        Op::Copy { .. } => 45,
        Op::DropoutForward(_) => 46,
        Op::DropoutBackward(_) => 47,
        Op::SoftmaxBackward { .. } => 48,
        Op::MeanSquaredError { .. } => 49,
        Op::CrossEntropy { .. } => 50,
    }
}

/// Every sample once.
pub fn samples() -> Vec<Sample> {
    let mut all = Vec::new();
    let plain = unusual_models().into_iter().chain([("tutorial", tutorial()), ("small", small())]);
    let plain = plain.map(|(name, model)| (name, model, Loss::default()));
    for (name, model, loss) in plain.chain(activation_models()) {
        for batch in [1, 32, 64] {
            let network = model.network().unwrap();
            for (flags, rmsprop) in rmsprop_flags() {
                let plan = Plan::build(&network, loss, rmsprop.into(), batch).unwrap();
                let place = format!("{name}, batch {batch}, {flags}");
                let fused = plan.clone().fuse();
                all.extend(plan.steps.into_iter().chain(fused.steps).map(|step| Sample {
                    place: format!("{place}, {}", step.name),
                    op: step.op,
                    bases: step.args.iter().map(|tensor| tensor.offset).collect(),
                }));
            }
        }
    }
    for op in unusual_sizes() {
        for base in [0, 4096] {
            let bases = vec![base; op.args().len()];
            all.push(Sample { place: format!("{op:?} at {base}"), op, bases });
        }
    }
    let mut seen = std::collections::HashSet::new();
    all.retain(|sample| seen.insert(format!("{:?}{:?}", sample.op, sample.bases)));
    all
}

/// RMSprop in every combination of its flags.
fn rmsprop_flags() -> [(&'static str, RmsProp); 5] {
    let plain = RmsProp::default();
    [
        ("plain", plain),
        ("momentum", RmsProp { momentum: 0.9, ..plain }),
        ("centered", RmsProp { centered: true, ..plain }),
        ("decaying", RmsProp { weight_decay: Some(0.004), ..plain }),
        ("centered with momentum", RmsProp { centered: true, momentum: 0.9, ..plain }),
    ]
}

/// One of everything, sizes that no vector or tile divides, and more groups than one dimension of a dispatch holds.
fn unusual_sizes() -> Vec<Op> {
    let mut ops = vec![Op::SumPartials { parts: 3, len: 5_000_001 }, Op::ReluForward { len: 5_000_001 }];
    for n in [1, 2, 3, 7, 8, 33, 64] {
        let conv = ConvShape::valid([n, n + 2, n + 3, n], [2, 3], [1, 2], n);
        let pool = PoolShape::valid([n, n + 2, n + 3, n], [2, 3], [1, 2]);
        let pool_of_conv = PoolShape::valid([n, conv.out_h, conv.out_w, n], [1, 1], [2, 1]);
        let conv_pool = ConvPoolShape { conv, pool: pool_of_conv, relu: n % 2 == 0 };
        let product = MatmulShape { m: n, n, k: n };
        let relu = n % 2 == 0;
        ops.extend([
            Op::GatherImages { batch: n, pixels: n },
            Op::OneHot { batch: n, classes: n },
            Op::AugmentImages(AugmentShape::new([n, n, n + 1, n], 0.1)),
            Op::Conv2dForward { conv, relu },
            Op::Conv2dBackwardInput(conv),
            Op::Conv2dBackwardKernel(conv),
            Op::MaxpoolForward(pool),
            Op::MaxpoolBackward(pool),
            Op::Matmul(product),
            Op::MatmulAtB { product, bias: relu },
            Op::GatherBatch { batch: n, pixels: n, classes: n },
            Op::Conv2dMaxpoolForward(conv_pool),
            Op::Conv2dMaxpoolBackwardKernel(conv_pool),
            Op::SumPartialsBias { parts: n, rows: n, columns: n, relu },
            Op::DenseForward { product, relu },
            Op::DenseBackward { product, relu },
            Op::SoftmaxCrossEntropyMetrics { rows: n, columns: n },
            Op::MatmulABt(product),
            Op::SumPartials { parts: n, len: n },
            Op::ColumnSum { rows: n, columns: n },
            Op::BiasAdd { rows: n, columns: n },
            Op::ReluForward { len: n },
            Op::ReluBackward { len: n },
            Op::SigmoidForward { len: n },
            Op::SigmoidBackward { len: n },
            Op::TanhForward { len: n },
            Op::TanhBackward { len: n },
            Op::LeakyReluForward { len: n, slope: 0.3 },
            Op::LeakyReluBackward { len: n, slope: 0.0 },
            Op::Copy { len: n },
            Op::DropoutForward(DropoutShape::new(n, n, 1.0 / n as f64 * 0.9)),
            Op::DropoutBackward(DropoutShape::new(n, n, 0.0)),
            Op::SoftmaxBackward { rows: n, columns: n },
            Op::MeanSquaredError { rows: n, columns: n },
            Op::CrossEntropy { rows: n, columns: n },
            Op::Softmax { rows: n, columns: n },
            Op::SoftmaxCrossEntropy { rows: n, columns: n },
            Op::BatchMetrics { rows: n },
        ]);
        if n * n <= 2048 {
            ops.push(Op::DenseSoftmaxCrossEntropy { product, relu });
        }
        let regularizer = Regularizer::l1_l2(0.01, 0.1);
        ops.extend([
            Op::SumOfSquares { len: n },
            Op::ClipByValue { len: n, limit: 0.5 },
            Op::ClipByNorm { len: n, limit: 0.5 },
            Op::WeightPenalty { len: n, regularizer },
            Op::WeightPenaltyGradient { len: n, regularizer },
            Op::AddPenalty,
        ]);
        for weight_decay in [None, Some(0.004)] {
            let sgd = Sgd { weight_decay, ..Sgd::default() };
            let momentum = Sgd { momentum: 0.9, nesterov: n % 2 == 0, ..sgd };
            ops.extend([
                Op::SgdUpdate { len: n, sgd },
                Op::SgdMomentumUpdate { len: n, sgd: momentum },
                Op::AdadeltaUpdate { len: n, adadelta: Adadelta { weight_decay, ..Adadelta::default() } },
                Op::AdamUpdate { len: n, adam: Adam { weight_decay, ..Adam::default() } },
            ]);
        }
        for (_, rmsprop) in rmsprop_flags() {
            let len = (n + 1) * n + 8;
            ops.push(Op::RmspropUpdate { len, rmsprop, hole: Hole::default() });
            ops.push(Op::RmspropUpdate { len, rmsprop, hole: Hole { first: 8, len: n } });
            ops.push(Op::DenseRmspropUpdate { product, first: 8, len, rmsprop });
        }
    }
    ops
}
