//! The arguments of a case, from its kind and its number among the cases of that kind: a failure comes back.

use super::case::samples;
use super::{Case, Numbers, Wire};
use crate::data::{Augmentation, TRANSFORM};
use crate::plan::{Access, ArgSpec, AugmentShape, DATA, Dtype, Op, StepParams};
use crate::random::{Purpose, Stream};

/// Seed of all inputs.
const SEED: u64 = 1;
/// Most arguments of a step.
const MOST_ARGUMENTS: u32 = 16;
/// Samples of the data sets that are gathered from: one more than a multiple of 4.
const SAMPLES: usize = 61;
/// Elements of the order and of the metrics that follow those in use.
const SPARE: usize = 3;

/// What floats hold that no kernel may use: finite, and too large to be overlooked in any sum.
pub(super) const HOSTILE_F32: f32 = 1e30;
/// What integers hold that no kernel may use.
pub(super) const HOSTILE_U32: u32 = 0x7E57_0DD5;
/// What bytes hold that no kernel may use.
pub(super) const HOSTILE_BYTE: u8 = 0xA5;
/// What outputs hold before they are written; a NaN when read as a float.
pub(super) const UNWRITTEN: u32 = 0x7FC0_5A5A;

/// The elements of an argument.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Values {
    Floats(Vec<f32>),
    Integers(Vec<u32>),
    Bytes(Vec<u8>),
}

/// An argument as it is before the step runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Argument {
    pub(super) spec: ArgSpec,
    pub(super) values: Values,
}

impl Argument {
    /// Its floats; none for integers and bytes.
    pub(super) fn floats(&self) -> &[f32] {
        match &self.values {
            Values::Floats(values) => values,
            _ => &[],
        }
    }
}

impl Numbers {
    fn draw(self, stream: &mut Stream) -> f32 {
        match self {
            Numbers::Uniform => 2.0 * stream.unit_f32() - 1.0,
            Numbers::Eighths => (stream.below(17) as f32 - 8.0) / 8.0,
            Numbers::Large => 160.0 * stream.unit_f32() - 80.0,
            Numbers::Equal => 0.75,
        }
    }
}

/// The arguments of the case with this number among those of its kind, in the order of [`Op::args`]. Other kinds change nothing.
pub(super) fn arguments(case: &Case, number: u32) -> Vec<Argument> {
    let mut done: Vec<Argument> = Vec::new();
    for (spec, place) in case.op.args().into_iter().zip(0..) {
        let stream =
            &mut Stream::new(seed(case.op.kind()), Purpose::Verification, number * MOST_ARGUMENTS + place);
        let len = length(case, &spec);
        let values = match (spec.access, spec.dtype) {
            (Access::Out, Dtype::F32) => Values::Floats(vec![f32::from_bits(UNWRITTEN); len]),
            (Access::Out, _) => Values::Integers(vec![UNWRITTEN; len]),
            (_, Dtype::F32) => Values::Floats(floats(case, spec.name, len, &done, stream)),
            (_, Dtype::U32) => Values::Integers(integers(case, spec.name, len, stream)),
            (_, Dtype::Bytes) => Values::Bytes(bytes(&case.op, spec.name, len, stream)),
        };
        done.push(Argument { spec, values });
    }
    done
}

/// The seed of a kind: FNV-1a of its name over [`SEED`].
fn seed(kind: &str) -> u64 {
    kind.bytes().fold(SEED ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Elements of an argument; those that a data set decides are chosen here.
fn length(case: &Case, spec: &ArgSpec) -> usize {
    let StepParams { batch_size, first, slot, position, .. } = case.step;
    let data = match spec.name {
        "order" => (first + batch_size) as usize + SPARE,
        "transforms" => (position + batch_size) as usize + SPARE,
        "loss" | "correct" => slot as usize + 1 + SPARE,
        _ => SAMPLES,
    };
    spec.shape.iter().map(|&dim| if dim == DATA { data } else { dim }).product()
}

fn bytes(op: &Op, name: &str, len: usize, stream: &mut Stream) -> Vec<u8> {
    let values = match (op, name) {
        (Op::OneHot { classes, .. } | Op::GatherBatch { classes, .. }, "labels") => {
            (*classes).min(256) as u32
        }
        _ => 256,
    };
    (0..len).map(|_| stream.below(values) as u8).collect()
}

fn integers(case: &Case, name: &str, len: usize, stream: &mut Stream) -> Vec<u32> {
    if name == "tripwire" {
        // Rows count from 1, so that this one is slot + 1.
        return vec![match case.wire {
            Wire::Clear | Wire::BadLoss | Wire::BadGradients => 0,
            Wire::Unguarded | Wire::TrippedBefore => case.step.slot,
            Wire::TrippedNow => case.step.slot + 1,
        }];
    }
    let bound = match (&case.op, name) {
        // The number past the window's elements is none of them.
        (Op::MaxpoolBackward(pool), "winner") => (pool.pool_h * pool.pool_w) as u32 + 1,
        (Op::Conv2dMaxpoolBackwardKernel(s), "winner") => s.none_won() as u32 + 1,
        (_, "order") => SAMPLES as u32,
        (_, "row_correct") => 2,
        _ => HOSTILE_U32,
    };
    let packed = match (&case.op, name) {
        (Op::MaxpoolBackward(pool), "winner") => pool.packs_winners(),
        (Op::Conv2dMaxpoolBackwardKernel(s), "winner") => s.pool.packs_winners(),
        _ => false,
    };
    let mut draw = || match packed {
        true => u32::from_le_bytes(std::array::from_fn(|_| stream.below(bound) as u8)),
        false => stream.below(bound),
    };
    let mut values: Vec<u32> = (0..len).map(|_| draw()).collect();
    if name == "row_correct" {
        values[case.step.batch_size as usize..].fill(HOSTILE_U32);
    }
    values
}

fn floats(case: &Case, name: &str, len: usize, done: &[Argument], stream: &mut Stream) -> Vec<f32> {
    let mut values = plain_floats(case, name, len, done, stream);
    let is_update = case.op.args().iter().any(|spec| spec.name == "tripwire");
    let bad = case.wire == Wire::BadGradients;
    match (&case.op, name) {
        (_, "loss") if is_update => return losses(case, len),
        (Op::DenseRmspropUpdate { .. }, "a") if bad => values[len / 2] = f32::NAN,
        (Op::DenseRmspropUpdate { .. }, "b") if bad => values[0] = f32::INFINITY,
        (_, "gradient") if bad && is_update => {
            let bad = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
            values.iter_mut().step_by(5).zip(bad.into_iter().cycle()).for_each(|(value, bad)| *value = bad);
        }
        _ => {}
    }
    values
}

/// The loss of each row of the pass, of which an update may look at its own only.
fn losses(case: &Case, len: usize) -> Vec<f32> {
    let bad = matches!(case.wire, Wire::Unguarded | Wire::BadLoss);
    let (own, others) = if bad { (f32::NEG_INFINITY, 0.5) } else { (0.5, f32::NAN) };
    let mut values = vec![others; len];
    values[case.step.slot as usize] = own;
    values
}

fn plain_floats(case: &Case, name: &str, len: usize, done: &[Argument], stream: &mut Stream) -> Vec<f32> {
    match (&case.op, name) {
        (
            Op::SoftmaxCrossEntropy { columns, .. }
            | Op::SoftmaxCrossEntropyMetrics { columns, .. }
            | Op::MeanSquaredError { columns, .. }
            | Op::CrossEntropy { columns, .. },
            "one_hot",
        ) => {
            return targets(case, *columns, done[0].floats(), stream);
        }
        (Op::DenseSoftmaxCrossEntropy { product, .. }, "one_hot") => {
            return classes(case, product.n, len, stream);
        }
        (Op::RmspropUpdate { rmsprop, .. } | Op::DenseRmspropUpdate { rmsprop, .. }, "state") => {
            let slot = len / rmsprop.slots();
            return optimizer_state(slot, rmsprop.momentum > 0.0, rmsprop.centered, stream);
        }
        (Op::AugmentImages(s), "transforms") => return transforms(case, s, len, stream),
        (Op::SgdMomentumUpdate { .. }, "state") => return first_mean(len, stream),
        (Op::AdamUpdate { .. }, "state") => {
            let squares = optimizer_state(len / 2, false, false, stream);
            return [first_mean(len / 2, stream), squares].concat();
        }
        (Op::AdadeltaUpdate { .. }, "state") => {
            let squares = optimizer_state(len / 2, false, false, stream);
            let of_steps = squares.iter().map(|v| v * 1e-3).collect();
            return [squares, of_steps].concat();
        }
        (
            Op::RmspropUpdate { .. }
            | Op::SgdUpdate { .. }
            | Op::SgdMomentumUpdate { .. }
            | Op::AdadeltaUpdate { .. }
            | Op::AdamUpdate { .. },
            "gradient",
        ) => return gradients(len, stream),
        _ => {}
    }
    let mut values: Vec<f32> = (0..len).map(|_| case.numbers.draw(stream)).collect();
    match case.op {
        Op::ReluForward { .. }
        | Op::ReluBackward { .. }
        | Op::SigmoidForward { .. }
        | Op::TanhForward { .. }
        | Op::LeakyReluForward { .. }
        | Op::LeakyReluBackward { .. }
            if name == "y" =>
        {
            // Both zeros, on purpose, under gradients that are not zero.
            values.iter_mut().step_by(5).for_each(|value| *value *= 0.0);
        }
        Op::DenseBackward { relu: true, .. } | Op::DenseSoftmaxCrossEntropy { relu: true, .. }
            if name == "x" =>
        {
            values.iter_mut().step_by(5).for_each(|value| *value *= 0.0);
        }
        Op::WeightPenalty { .. } | Op::WeightPenaltyGradient { .. } if name == "kernel" => {
            // Both zeros, where the sign is 0.
            values.iter_mut().step_by(5).for_each(|value| *value *= 0.0);
        }
        Op::ClipByNorm { .. } if name == "square_sum" => {
            values.iter_mut().for_each(|value| *value = 4.0 * value.abs() + 0.25);
        }
        Op::CrossEntropy { columns, .. } if name == "y" => probabilities(&mut values, columns),
        _ => {}
    }
    if matches!(name, "row_loss" | "logits" | "y") && samples(&case.op) > 0 {
        // Rows past the batch's size are nobody's business.
        let rows = samples(&case.op);
        values[case.step.batch_size as usize * (len / rows)..].fill(HOSTILE_F32);
    }
    values
}

/// One-hot targets: by turns the first largest logit (a hit), the last largest (a miss when there are two), any class,
/// and two classes with half each.
fn targets(case: &Case, columns: usize, logits: &[f32], stream: &mut Stream) -> Vec<f32> {
    let mut targets = vec![0.0; logits.len()];
    for (r, (target, row)) in targets.chunks_mut(columns).zip(logits.chunks(columns)).enumerate() {
        if r >= case.step.batch_size as usize {
            target.fill(HOSTILE_F32);
            continue;
        }
        let largest = row.iter().copied().fold(f32::MIN, f32::max);
        let any = stream.below(columns as u32) as usize;
        let class = match r % 4 {
            0 => row.iter().position(|&z| z == largest),
            1 => row.iter().rposition(|&z| z == largest),
            _ => Some(any),
        };
        target[class.unwrap_or(any)] = 1.0;
        if r % 4 == 3 {
            target[any] = 0.5;
            target[stream.below(columns as u32) as usize] += 0.5;
        }
    }
    targets
}

/// Outputs to be taken as probabilities: by turns positive ones, some that are 0 or just above, one that is all of the row,
/// and small negative ones among them. No row's sum cancels.
fn probabilities(values: &mut [f32], columns: usize) {
    for (r, row) in values.chunks_mut(columns).enumerate() {
        let largest = r % columns;
        for (c, value) in row.iter_mut().enumerate() {
            *value = match r % 4 {
                _ if c == largest => value.abs() + 0.5,
                0 => value.abs(),
                1 => value.abs() * [0.0, 2e-7][c % 2],
                2 => 0.0,
                _ => *value * 0.1 / columns as f32,
            };
        }
    }
}

/// One-hot targets of any class.
fn classes(case: &Case, columns: usize, len: usize, stream: &mut Stream) -> Vec<f32> {
    let mut targets = vec![0.0; len];
    for (r, target) in targets.chunks_mut(columns).enumerate() {
        let class = stream.below(columns as u32) as usize;
        match r < case.step.batch_size as usize {
            true => target[class] = 1.0,
            false => target.fill(HOSTILE_F32),
        }
    }
    targets
}

/// Transforms as training draws them, and by turns one that changes nothing, one that lies at halves of pixels, and one
/// from far outside; what is not read is hostile.
fn transforms(case: &Case, s: &AugmentShape, len: usize, stream: &mut Stream) -> Vec<f32> {
    let settings = Augmentation {
        rotation_range: 180.0,
        height_shift_range: 0.5,
        width_shift_range: 0.5,
        shear_range: 30.0,
        zoom_range: 0.5,
        noise_stddev: 0.0,
    };
    let order: Vec<u32> = (0..(len / TRANSFORM) as u32).collect();
    let mut drawn = settings.transforms(SEED, stream.below(100) as usize, &order, [s.height, s.width]);
    let read = case.step.position as usize..(case.step.position + case.step.batch_size) as usize;
    for (at, t) in drawn.iter_mut().enumerate() {
        if !read.contains(&at) {
            t.fill(HOSTILE_F32);
            continue;
        }
        match at % 5 {
            1 => *t = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, HOSTILE_F32, HOSTILE_F32],
            2 => *t = [1.0, 0.0, 0.5, 0.0, 1.0, -1.5, HOSTILE_F32, HOSTILE_F32],
            3 => *t = [0.0, 0.0, -1e9, 1e-3, -1.0, 1e9, HOSTILE_F32, HOSTILE_F32],
            _ => t[6..].fill(HOSTILE_F32),
        }
    }
    drawn.as_flattened().to_vec()
}

/// Gradients of every magnitude down to those whose square vanishes, and none at all.
fn gradients(len: usize, stream: &mut Stream) -> Vec<f32> {
    let scales = [1.0, 1e-2, 1e-4, 1e-6, 1e-20, 0.0, 10.0];
    (0..len).map(|i| scales[i % scales.len()] * Numbers::Uniform.draw(stream)).collect()
}

/// A running mean of gradients as training leaves it; fresh zeros at every ninth place.
fn first_mean(len: usize, stream: &mut Stream) -> Vec<f32> {
    let mean = |i: usize| if i % 9 == 8 { 0.0 } else { Numbers::Uniform.draw(stream) * 0.01 };
    (0..len).map(mean).collect()
}

/// State as training leaves it: `v`, then `m`, then `a` with `a^2` well below `v`; fresh zeros at every ninth place.
fn optimizer_state(len: usize, momentum: bool, centered: bool, stream: &mut Stream) -> Vec<f32> {
    let fresh = |i: usize| i % 9 == 8;
    let a: Vec<f32> =
        (0..len).map(|i| if fresh(i) { 0.0 } else { Numbers::Uniform.draw(stream) * 0.1 }).collect();
    let v = a.iter().map(|a| 2.0 * a * a);
    let mut state: Vec<f32> = v.collect();
    if momentum {
        state.extend(first_mean(len, stream));
    }
    if centered {
        state.extend(a);
    }
    state
}
