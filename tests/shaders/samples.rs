//! Steps for which every kernel is tried: those of whole models, and sizes that no model gives.

use shadegrad::model::{Adadelta, Adam, Loss, Regularizer, RmsProp, Sgd};
use shadegrad::ops::*;
use shadegrad::plan::Plan;

use crate::common::{activation_models, small, tutorial, unusual_models};

/// A step kind with its sizes, and where its arguments begin in their buffers.
pub struct Sample {
    /// Where it comes from, for messages.
    pub place: String,
    pub op: Op,
    pub bases: Vec<usize>,
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
    let mut ops: Vec<Op> = vec![
        SumPartials { parts: 3, len: 5_000_001 }.into(),
        ActivationForward { len: 5_000_001, function: Relu.into() }.into(),
    ];
    for n in [1, 2, 3, 7, 8, 33, 64] {
        let conv = ConvShape::valid([n, n + 2, n + 3, n], [2, 3], [1, 2], n);
        let pool = PoolShape::valid([n, n + 2, n + 3, n], [2, 3], [1, 2]);
        let pool_of_conv = PoolShape::valid([n, conv.out_h, conv.out_w, n], [1, 1], [2, 1]);
        let conv_pool = ConvPoolShape { conv, pool: pool_of_conv, relu: n % 2 == 0 };
        let product = MatmulShape { m: n, n, k: n };
        let relu = n % 2 == 0;
        ops.extend::<Vec<Op>>(vec![
            GatherImages { batch: n, pixels: n }.into(),
            OneHot { batch: n, classes: n }.into(),
            AugmentImages(AugmentShape::new([n, n, n + 1, n], 0.1)).into(),
            Conv2dForward { conv, relu }.into(),
            Conv2dBackwardInput(conv).into(),
            Conv2dBackwardKernel(conv).into(),
            MaxpoolForward(pool).into(),
            MaxpoolBackward(pool).into(),
            Matmul(product).into(),
            MatmulAtB { product, bias: relu }.into(),
            GatherBatch { batch: n, pixels: n, classes: n }.into(),
            Conv2dMaxpoolForward(conv_pool).into(),
            Conv2dMaxpoolBackwardKernel(conv_pool).into(),
            SumPartialsBias { parts: n, rows: n, columns: n, relu }.into(),
            DenseForward { product, relu }.into(),
            DenseBackward { product, relu }.into(),
            SoftmaxCrossEntropyMetrics { rows: n, columns: n }.into(),
            MatmulABt(product).into(),
            SumPartials { parts: n, len: n }.into(),
            ColumnSum { rows: n, columns: n }.into(),
            BiasAdd { rows: n, columns: n }.into(),
            ActivationForward { len: n, function: Relu.into() }.into(),
            ActivationBackward { len: n, function: Relu.into() }.into(),
            ActivationForward { len: n, function: Sigmoid.into() }.into(),
            ActivationBackward { len: n, function: Sigmoid.into() }.into(),
            ActivationForward { len: n, function: Tanh.into() }.into(),
            ActivationBackward { len: n, function: Tanh.into() }.into(),
            ActivationForward { len: n, function: LeakyRelu { slope: 0.3 }.into() }.into(),
            ActivationBackward { len: n, function: LeakyRelu { slope: 0.0 }.into() }.into(),
            Copy { len: n }.into(),
            DropoutForward(DropoutShape::new(n, n, 1.0 / n as f64 * 0.9)).into(),
            DropoutBackward(DropoutShape::new(n, n, 0.0)).into(),
            SoftmaxBackward { rows: n, columns: n }.into(),
            MeanSquaredError { rows: n, columns: n }.into(),
            CrossEntropy { rows: n, columns: n }.into(),
            Softmax { rows: n, columns: n }.into(),
            SoftmaxCrossEntropy { rows: n, columns: n }.into(),
            BatchMetrics { rows: n }.into(),
        ]);
        if n * n <= 2048 {
            ops.push(DenseSoftmaxCrossEntropy { product, relu }.into());
        }
        let regularizer = Regularizer::l1_l2(0.01, 0.1);
        ops.extend::<Vec<Op>>(vec![
            SumOfSquares { len: n }.into(),
            ClipByValue { len: n, limit: 0.5 }.into(),
            ClipByNorm { len: n, limit: 0.5 }.into(),
            WeightPenalty { len: n, regularizer }.into(),
            WeightPenaltyGradient { len: n, regularizer }.into(),
            AddPenalty.into(),
        ]);
        for weight_decay in [None, Some(0.004)] {
            let sgd = Sgd { weight_decay, ..Sgd::default() };
            let momentum = Sgd { momentum: 0.9, nesterov: n % 2 == 0, ..sgd };
            ops.extend::<Vec<Op>>(vec![
                SgdUpdate { len: n, sgd }.into(),
                SgdMomentumUpdate { len: n, sgd: momentum }.into(),
                AdadeltaUpdate { len: n, adadelta: Adadelta { weight_decay, ..Adadelta::default() } }.into(),
                AdamUpdate { len: n, adam: Adam { weight_decay, ..Adam::default() } }.into(),
            ]);
        }
        for (_, rmsprop) in rmsprop_flags() {
            let len = (n + 1) * n + 8;
            ops.push(RmspropUpdate { len, rmsprop, hole: Hole::default() }.into());
            ops.push(RmspropUpdate { len, rmsprop, hole: Hole { first: 8, len: n } }.into());
            ops.push(DenseRmspropUpdate { product, first: 8, len, rmsprop }.into());
        }
    }
    ops
}
