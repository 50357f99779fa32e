//! The constants of a step kind, as its shader sees them.

use crate::model::{Adadelta, Adam, Regularizer, RmsProp, Sgd};
use crate::plan::{Op, PROBABILITIES, Split, image_stride};
use crate::random::Purpose;

/// A module constant of a shader.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Constant {
    U32(usize),
    F32(f32),
    Bool(bool),
}

impl Constant {
    /// As a declaration in WGSL; the shortest text of a float reads back as the same float.
    pub(super) fn declare(self, name: &str) -> String {
        match self {
            Constant::U32(value) => format!("const {name} = {value}u;\n"),
            Constant::F32(value) => format!("const {name} = {value:e}f;\n"),
            Constant::Bool(value) => format!("const {name} = {value};\n"),
        }
    }
}

/// The sizes and settings of a step kind, by the names that its shader uses.
pub(super) fn constants(op: &Op) -> Vec<(&'static str, Constant)> {
    use Constant::{Bool, F32, U32};
    let mut list = match *op {
        Op::GatherImages { pixels, .. } => {
            vec![("PIXELS", U32(pixels)), ("STRIDE_WORDS", U32(image_stride(pixels) / size_of::<u32>()))]
        }
        Op::GatherBatch { batch, pixels, classes } => vec![
            ("BATCH", U32(batch)),
            ("PIXELS", U32(pixels)),
            ("STRIDE_WORDS", U32(image_stride(pixels) / size_of::<u32>())),
            ("CLASSES", U32(classes)),
        ],
        Op::OneHot { classes, .. } => vec![("CLASSES", U32(classes))],
        Op::AugmentImages(s) => vec![
            ("HEIGHT", U32(s.height)),
            ("WIDTH_PIXELS", U32(s.width)),
            ("CHANNELS", U32(s.channels)),
            ("NOISY", Bool(s.noise > 0.0)),
            ("NOISE", F32(s.noise)),
            ("PURPOSE_NOISE", U32(Purpose::Noise as usize)),
        ],
        Op::Conv2dForward { conv: s, .. } | Op::Conv2dBackwardInput(s) | Op::Conv2dBackwardKernel(s) => vec![
            ("IN_H", U32(s.in_h)),
            ("IN_W", U32(s.in_w)),
            ("IN_C", U32(s.in_c)),
            ("KERNEL_H", U32(s.kernel_h)),
            ("KERNEL_W", U32(s.kernel_w)),
            ("STRIDE_H", U32(s.stride_h)),
            ("STRIDE_W", U32(s.stride_w)),
            ("OUT_H", U32(s.out_h)),
            ("OUT_W", U32(s.out_w)),
            ("OUT_C", U32(s.out_c)),
        ],
        Op::MaxpoolForward(s) | Op::MaxpoolBackward(s) => vec![
            ("IN_H", U32(s.in_h)),
            ("IN_W", U32(s.in_w)),
            ("CHANNELS", U32(s.channels)),
            ("POOL_H", U32(s.pool_h)),
            ("POOL_W", U32(s.pool_w)),
            ("STRIDE_H", U32(s.stride_h)),
            ("STRIDE_W", U32(s.stride_w)),
            ("OUT_H", U32(s.out_h)),
            ("OUT_W", U32(s.out_w)),
        ],
        Op::Conv2dMaxpoolForward(s) | Op::Conv2dMaxpoolBackwardKernel(s) => vec![
            ("IN_H", U32(s.conv.in_h)),
            ("IN_W", U32(s.conv.in_w)),
            ("IN_C", U32(s.conv.in_c)),
            ("KERNEL_H", U32(s.conv.kernel_h)),
            ("KERNEL_W", U32(s.conv.kernel_w)),
            ("STRIDE_H", U32(s.conv.stride_h)),
            ("STRIDE_W", U32(s.conv.stride_w)),
            ("POOL_H", U32(s.pool.pool_h)),
            ("POOL_W", U32(s.pool.pool_w)),
            ("POOL_STRIDE_H", U32(s.pool.stride_h)),
            ("POOL_STRIDE_W", U32(s.pool.stride_w)),
            ("BATCH", U32(s.conv.batch)),
            ("OUT_H", U32(s.pool.out_h)),
            ("OUT_W", U32(s.pool.out_w)),
            ("OUT_C", U32(s.conv.out_c)),
            ("RELU", Bool(s.relu)),
        ],
        Op::Matmul(s) | Op::MatmulAtB { product: s, .. } | Op::MatmulABt(s) => {
            vec![("M", U32(s.m)), ("N", U32(s.n)), ("K", U32(s.k))]
        }
        Op::SumPartials { parts, len } => vec![("PARTS", U32(parts)), ("LEN", U32(len))],
        Op::SumPartialsBias { parts, rows, columns, relu } => {
            vec![("PARTS", U32(parts)), ("ROWS", U32(rows)), ("COLUMNS", U32(columns)), ("RELU", Bool(relu))]
        }
        Op::DenseForward { product: s, relu }
        | Op::DenseBackward { product: s, relu }
        | Op::DenseSoftmaxCrossEntropy { product: s, relu } => {
            vec![("M", U32(s.m)), ("N", U32(s.n)), ("K", U32(s.k)), ("RELU", Bool(relu))]
        }
        Op::SoftmaxCrossEntropyMetrics { rows, columns } => {
            vec![("ROWS", U32(rows)), ("COLUMNS", U32(columns))]
        }
        Op::ColumnSum { rows, columns } => vec![("ROWS", U32(rows)), ("COLUMNS", U32(columns))],
        Op::BiasAdd { columns, .. }
        | Op::Softmax { columns, .. }
        | Op::SoftmaxBackward { columns, .. }
        | Op::MeanSquaredError { columns, .. }
        | Op::SoftmaxCrossEntropy { columns, .. } => vec![("COLUMNS", U32(columns))],
        Op::LeakyReluForward { slope, .. } | Op::LeakyReluBackward { slope, .. } => {
            vec![("SLOPE", F32(slope))]
        }
        Op::DropoutForward(s) | Op::DropoutBackward(s) => vec![
            ("LAYER", U32(s.layer)),
            ("PURPOSE", U32(Purpose::Dropout as usize)),
            ("THRESHOLD", U32(s.threshold as usize)),
            ("SCALE", F32(s.scale)),
        ],
        Op::CrossEntropy { columns, .. } => {
            let [least, largest] = PROBABILITIES;
            vec![("COLUMNS", U32(columns)), ("LEAST", F32(least)), ("LARGEST", F32(largest))]
        }
        Op::ReluForward { .. }
        | Op::ReluBackward { .. }
        | Op::SigmoidForward { .. }
        | Op::SigmoidBackward { .. }
        | Op::TanhForward { .. }
        | Op::TanhBackward { .. }
        | Op::Copy { .. }
        | Op::BatchMetrics { .. } => vec![],
        Op::SumOfSquares { len } => vec![("LEN", U32(len))],
        Op::ClipByValue { limit, .. } | Op::ClipByNorm { limit, .. } => {
            vec![("LIMIT", F32(limit as f32))]
        }
        Op::WeightPenalty { len, regularizer } => {
            [&[("LEN", U32(len))][..], &regularizer_constants(&regularizer)].concat()
        }
        Op::WeightPenaltyGradient { regularizer, .. } => regularizer_constants(&regularizer).to_vec(),
        Op::AddPenalty => vec![],
        Op::SgdUpdate { sgd, .. } => weight_decay(sgd.weight_decay).to_vec(),
        Op::SgdMomentumUpdate { sgd, .. } => sgd_constants(&sgd),
        Op::AdadeltaUpdate { len, adadelta } => adadelta_constants(len, &adadelta),
        Op::AdamUpdate { len, adam } => adam_constants(len, &adam),
        Op::RmspropUpdate { len, rmsprop, hole } => {
            let sizes = [("LEN", U32(len)), ("HOLE_FIRST", U32(hole.first)), ("HOLE_LEN", U32(hole.len))];
            [&sizes[..], &rmsprop_constants(&rmsprop)].concat()
        }
        Op::DenseRmspropUpdate { product: s, first, len, rmsprop } => {
            let product = [("M", U32(s.m)), ("OUT_M", U32(s.m + 1)), ("N", U32(s.n)), ("K", U32(s.k))];
            let arena = [("FIRST", U32(first)), ("LEN", U32(len))];
            [&product[..], &arena, &rmsprop_constants(&rmsprop)].concat()
        }
    };
    if let Op::Conv2dForward { relu, .. } = *op {
        list.push(("RELU", Bool(relu)));
    }
    if let Op::MatmulAtB { product, bias } = *op {
        list.push(("OUT_M", U32(product.m + usize::from(bias))));
    }
    if let Some(Split { terms, terms_per_part, .. }) = op.split() {
        list.push(("TERMS", U32(terms)));
        list.push(("TERMS_PER_PART", U32(terms_per_part)));
    }
    list
}

/// The settings of RMSprop, by the names that `shared/rmsprop.wgsl` uses.
fn rmsprop_constants(rmsprop: &RmsProp) -> [(&'static str, Constant); 10] {
    use Constant::{Bool, F32, U32};
    let [decays, weight_decay] = weight_decay(rmsprop.weight_decay);
    [
        decays,
        weight_decay,
        ("RHO", F32(rmsprop.rho as f32)),
        ("ONE_MINUS_RHO", F32((1.0 - rmsprop.rho) as f32)),
        ("MOMENTUM", F32(rmsprop.momentum as f32)),
        ("EPSILON", F32(rmsprop.epsilon as f32)),
        ("CENTERED", Bool(rmsprop.centered)),
        ("WITH_MOMENTUM", Bool(rmsprop.momentum > 0.0)),
        ("M_SLOT", U32(1)),
        ("A_SLOT", U32(1 + usize::from(rmsprop.momentum > 0.0))),
    ]
}

/// Weight decay, by the names that `shared/weight_decay.wgsl` uses.
fn weight_decay(weight_decay: Option<f64>) -> [(&'static str, Constant); 2] {
    let factor = weight_decay.unwrap_or_default() as f32;
    [("DECAYS", Constant::Bool(weight_decay.is_some())), ("WEIGHT_DECAY", Constant::F32(factor))]
}

fn sgd_constants(sgd: &Sgd) -> Vec<(&'static str, Constant)> {
    let own = [("MOMENTUM", Constant::F32(sgd.momentum as f32)), ("NESTEROV", Constant::Bool(sgd.nesterov))];
    [own, weight_decay(sgd.weight_decay)].concat()
}

fn adadelta_constants(len: usize, adadelta: &Adadelta) -> Vec<(&'static str, Constant)> {
    use Constant::{F32, U32};
    let own = [
        ("LEN", U32(len)),
        ("RHO", F32(adadelta.rho as f32)),
        ("ONE_MINUS_RHO", F32((1.0 - adadelta.rho) as f32)),
        ("EPSILON", F32(adadelta.epsilon as f32)),
    ];
    [&own[..], &weight_decay(adadelta.weight_decay)].concat()
}

fn adam_constants(len: usize, adam: &Adam) -> Vec<(&'static str, Constant)> {
    use Constant::{F32, U32};
    let own = [
        ("LEN", U32(len)),
        ("ONE_MINUS_BETA_1", F32((1.0 - adam.beta_1) as f32)),
        ("ONE_MINUS_BETA_2", F32((1.0 - adam.beta_2) as f32)),
        ("EPSILON", F32(adam.epsilon as f32)),
    ];
    [&own[..], &weight_decay(adam.weight_decay)].concat()
}

fn regularizer_constants(regularizer: &Regularizer) -> [(&'static str, Constant); 2] {
    let Regularizer { l1, l2 } = *regularizer;
    [("L1", Constant::F32(l1 as f32)), ("L2", Constant::F32(l2 as f32))]
}
