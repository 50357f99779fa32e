//! One case: a step, the numbers it runs on, and its printed name.

use crate::model::{Regularizer, RmsProp};
use crate::plan::{ConvShape, MatmulShape, Op, PoolShape, StepParams};

/// What the floats of a case's inputs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// Uniform in `[-1, 1)`.
    Uniform,
    /// Multiples of 1/8 in `[-1, 1]`: ties and zeros abound, and sums are exact in any order.
    Eighths,
    /// Uniform in `[-80, 80)`: logits whose exponentials span the range of f32.
    Large,
    /// All the same.
    Equal,
}

/// What an update finds: the tripwire, the loss of its row, its gradients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// All is well, and so it is in training.
    Clear,
    /// Nobody looks: an earlier row has tripped, and the loss is not finite.
    Unguarded,
    /// An earlier row has tripped.
    TrippedBefore,
    /// Another update of this row has tripped.
    TrippedNow,
    /// The loss is not finite.
    BadLoss,
    /// Some gradients are not finite.
    BadGradients,
}

impl Wire {
    /// What an update must do under it, all but where it is clear.
    pub const NOT_CLEAR: [Wire; 5] =
        [Wire::Unguarded, Wire::TrippedBefore, Wire::TrippedNow, Wire::BadLoss, Wire::BadGradients];

    /// Whether an update does nothing at all.
    pub(super) fn holds(self) -> bool {
        matches!(self, Wire::TrippedBefore | Wire::BadLoss)
    }
}

/// A step on inputs that its place in the table decides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Case {
    /// What is computed.
    pub op: Op,
    /// What the step reads of the pass.
    pub step: StepParams,
    /// What its inputs are.
    pub numbers: Numbers,
    /// Whether workgroups are folded into a square, as if a dimension had room for no more, with a few to spare.
    pub folded: bool,
    /// What an update finds.
    pub wire: Wire,
}

impl Case {
    /// The step on a full batch of uniform numbers.
    pub fn of(op: Op) -> Self {
        let batch_size = samples(&op) as u32;
        let step = StepParams { batch_size, learning_rate: 0.01, guarded: 1, ..StepParams::default() };
        Case { op, step, numbers: Numbers::Uniform, folded: false, wire: Wire::Clear }
    }

    /// With other numbers.
    pub fn with(self, numbers: Numbers) -> Self {
        Case { numbers, ..self }
    }

    /// With workgroups folded into a square.
    pub fn folded(self) -> Self {
        Case { folded: true, ..self }
    }

    /// An update of a later row that finds this.
    pub fn finds(self, wire: Wire) -> Self {
        let guarded = u32::from(wire != Wire::Unguarded);
        Case { wire, step: StepParams { slot: 3, guarded, ..self.step }, ..self }
    }

    /// With a batch of `batch_size` samples that begins at `first` of the order and writes metrics at `slot`.
    pub fn batch(self, batch_size: u32, first: u32, slot: u32) -> Self {
        Case { step: StepParams { batch_size, first, slot, position: first + 2, ..self.step }, ..self }
    }

    /// As a step of training with this number, under a seed that fills both of its words.
    pub fn training(self, number: u32) -> Self {
        let [seed_low, seed_high] = [0x9ABC_DEF0, 0x1234_5678];
        Case { step: StepParams { training: 1, step: number, seed_low, seed_high, ..self.step }, ..self }
    }

    /// With this correction of the bias of Adam's running means.
    pub fn corrected(self, correction: f32) -> Self {
        Case { step: StepParams { correction, ..self.step }, ..self }
    }

    /// What sets the case apart from the others of its kind.
    pub fn name(&self) -> String {
        let mut name = sizes(&self.op);
        let StepParams { batch_size, first, slot, .. } = self.step;
        if batch_size as usize != samples(&self.op) || first != 0 || slot != 0 {
            name += &format!(", batch of {batch_size} from {first} into slot {slot}");
        }
        if self.step.training == 1 {
            name += &format!(", training step {}", self.step.step);
        }
        if self.step.correction != 1.0 {
            name += &format!(", correction {}", self.step.correction);
        }
        name += match self.numbers {
            Numbers::Uniform => "",
            Numbers::Eighths => ", eighths",
            Numbers::Large => ", large",
            Numbers::Equal => ", all equal",
        };
        name += match self.wire {
            Wire::Clear => "",
            Wire::Unguarded => ", unguarded",
            Wire::TrippedBefore => ", tripped before",
            Wire::TrippedNow => ", tripped now",
            Wire::BadLoss => ", bad loss",
            Wire::BadGradients => ", bad gradients",
        };
        if self.folded { name + ", folded" } else { name }
    }
}

/// Rows of a step that knows of samples; 0 for the others.
pub(super) fn samples(op: &Op) -> usize {
    match *op {
        Op::GatherImages { batch, .. } | Op::OneHot { batch, .. } | Op::GatherBatch { batch, .. } => batch,
        Op::AugmentImages(s) => s.batch,
        Op::SoftmaxCrossEntropy { rows, .. }
        | Op::SoftmaxCrossEntropyMetrics { rows, .. }
        | Op::MeanSquaredError { rows, .. }
        | Op::CrossEntropy { rows, .. }
        | Op::BatchMetrics { rows } => rows,
        Op::DenseSoftmaxCrossEntropy { product, .. } => product.m,
        _ => 0,
    }
}

fn sizes(op: &Op) -> String {
    match *op {
        Op::GatherImages { batch, pixels } => format!("{batch} images of {pixels} bytes"),
        Op::OneHot { batch, classes } => format!("{batch} labels of {classes} classes"),
        Op::AugmentImages(s) => {
            let noise = if s.noise > 0.0 { ", noise" } else { "" };
            format!("x {:?}{noise}", s.x())
        }
        Op::Conv2dForward { conv: s, relu } => {
            let relu = if relu { ", relu" } else { "" };
            format!("{}{relu}", convolution(&s))
        }
        Op::Conv2dBackwardInput(s) | Op::Conv2dBackwardKernel(s) => convolution(&s),
        Op::MaxpoolForward(s) | Op::MaxpoolBackward(s) => pooling(&s),
        Op::Conv2dMaxpoolForward(s) | Op::Conv2dMaxpoolBackwardKernel(s) => {
            let relu = if s.relu { ", relu" } else { "" };
            format!("{}{relu}, {}", convolution(&s.conv), window(&s.pool))
        }
        Op::Matmul(s) | Op::MatmulABt(s) => product(&s),
        Op::MatmulAtB { product: s, bias } => {
            let bias = if bias { ", bias" } else { "" };
            format!("{}{bias}", product(&s))
        }
        Op::DenseForward { product: s, relu }
        | Op::DenseBackward { product: s, relu }
        | Op::DenseSoftmaxCrossEntropy { product: s, relu } => {
            let relu = if relu { ", relu" } else { "" };
            format!("{}{relu}", product(&s))
        }
        Op::SumPartialsBias { parts, rows, columns, relu } => {
            let relu = if relu { ", relu" } else { "" };
            format!("{parts} parts of {rows} rows of {columns}{relu}")
        }
        Op::GatherBatch { batch, pixels, classes } => {
            format!("{batch} images of {pixels} bytes, {classes} classes")
        }
        Op::SumPartials { parts, len } => format!("{parts} parts of {len}"),
        Op::ColumnSum { rows, columns }
        | Op::BiasAdd { rows, columns }
        | Op::Softmax { rows, columns }
        | Op::SoftmaxBackward { rows, columns }
        | Op::MeanSquaredError { rows, columns }
        | Op::CrossEntropy { rows, columns }
        | Op::SoftmaxCrossEntropy { rows, columns }
        | Op::SoftmaxCrossEntropyMetrics { rows, columns } => format!("{rows} rows of {columns}"),
        Op::ReluForward { len }
        | Op::ReluBackward { len }
        | Op::SigmoidForward { len }
        | Op::SigmoidBackward { len }
        | Op::TanhForward { len }
        | Op::TanhBackward { len }
        | Op::Copy { len } => format!("{len} elements"),
        Op::LeakyReluForward { len, slope } | Op::LeakyReluBackward { len, slope } => {
            format!("{len} elements, slope {slope}")
        }
        Op::DropoutForward(s) | Op::DropoutBackward(s) => {
            format!("{} elements, layer {}, threshold {}", s.len, s.layer, s.threshold)
        }
        Op::BatchMetrics { rows } => format!("{rows} rows"),
        Op::SumOfSquares { len } => format!("{len} elements"),
        Op::ClipByValue { len, limit } | Op::ClipByNorm { len, limit } => {
            format!("{len} gradients, limit {limit}")
        }
        Op::WeightPenalty { len, regularizer } | Op::WeightPenaltyGradient { len, regularizer } => {
            let Regularizer { l1, l2 } = regularizer;
            format!("{len} weights, l1 {l1}, l2 {l2}")
        }
        Op::AddPenalty => "one penalty".to_owned(),
        Op::SgdUpdate { len, sgd } => format!("{len} parameters{}", decays(sgd.weight_decay)),
        Op::SgdMomentumUpdate { len, sgd } => {
            let nesterov = if sgd.nesterov { ", nesterov" } else { "" };
            format!("{len} parameters, momentum {}{nesterov}{}", sgd.momentum, decays(sgd.weight_decay))
        }
        Op::AdadeltaUpdate { len, adadelta } => {
            format!("{len} parameters, epsilon {:e}{}", adadelta.epsilon, decays(adadelta.weight_decay))
        }
        Op::AdamUpdate { len, adam } => {
            format!("{len} parameters, epsilon {:e}{}", adam.epsilon, decays(adam.weight_decay))
        }
        Op::RmspropUpdate { len, rmsprop, hole } => {
            let hole = match hole.len {
                0 => String::new(),
                len => format!(" but {len} from {}", hole.first),
            };
            format!("{len} parameters{hole}{}", settings(&rmsprop))
        }
        Op::DenseRmspropUpdate { product: s, first, len, rmsprop } => {
            format!("{}, from {first} of {len} parameters{}", product(&s), settings(&rmsprop))
        }
    }
}

fn settings(rmsprop: &RmsProp) -> String {
    let momentum = if rmsprop.momentum > 0.0 { ", momentum" } else { "" };
    let centered = if rmsprop.centered { ", centered" } else { "" };
    format!("{momentum}{centered}{}", decays(rmsprop.weight_decay))
}

fn decays(weight_decay: Option<f64>) -> &'static str {
    if weight_decay.is_some() { ", weight decay" } else { "" }
}

fn product(s: &MatmulShape) -> String {
    format!("m {}, n {}, k {}", s.m, s.n, s.k)
}

fn convolution(s: &ConvShape) -> String {
    let stride = format!("{}x{}", s.stride_h, s.stride_w);
    format!("x {:?}, kernel {:?}, stride {stride}", s.x(), s.kernel())
}

fn pooling(s: &PoolShape) -> String {
    format!("x {:?}, {}", s.x(), window(s))
}

fn window(s: &PoolShape) -> String {
    let PoolShape { pool_h, pool_w, stride_h, stride_w, .. } = s;
    format!("window {pool_h}x{pool_w}, stride {stride_h}x{stride_w}")
}
