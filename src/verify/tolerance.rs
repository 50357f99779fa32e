//! How far a kernel may be from its twin in f64. Bounds belong to the step kind and follow from the accuracy that WGSL
//! asks for (section "Floating Point Accuracy" of its specification); none was fitted to a device.
//!
//! To first order in [`ULP`]; what is left out is below 1e-4 of a bound.

use super::activation;
use super::augment::augment_bounds;
use super::inputs::{Argument, Values};
use super::loss::Rows;
use super::reference::{Bound, Output, twin};
use super::softmax::{cross_entropy_bounds, last_layer_bounds, softmax_bounds};
use super::update;
use super::{Case, Numbers};
use crate::plan::{ConvPoolShape, ConvShape, Op, PoolShape};

/// Relative error of one correctly rounded operation: WGSL lets it go to either neighbour.
pub(super) const ULP: f64 = 1.0 / 8_388_608.0; // 2^-23
/// Relative error of a constant rounded to nearest.
pub(super) const HALF_ULP: f64 = ULP / 2.0;
/// What is smaller than this may be taken as zero, wherever it arises.
pub(super) const FLUSHED: f64 = f32::MIN_POSITIVE as f64;
/// Division: 2.5 ULP.
pub(super) const DIVISION: f64 = 2.5 * ULP;
/// Square root: inherited from `1 / inverseSqrt(x)`, of 2 ULP.
pub(super) const SQUARE_ROOT: f64 = DIVISION + 2.0 * ULP;

/// Error of a sum of `terms` products, relative to the sum of their magnitudes.
///
/// Rounding errors add like a random walk of `terms` steps of 2^-24 each; eight standard deviations for the worst of
/// millions of elements. A single product is rounded once.
pub(super) fn sum_of_products(terms: usize) -> f64 {
    if terms <= 1 { ULP } else { 8.0 * HALF_ULP * (terms as f64).sqrt() }
}

/// Relative error of `exp` of an exact number: 3 + 2|x| ULP.
pub(super) fn exp_error(x: f64) -> f64 {
    (3.0 + 2.0 * x.abs()) * ULP
}

/// A bound for each argument; `None` when the twin does not take these arguments.
pub(super) fn bounds(case: &Case, arguments: &[Argument], outputs: &[Output]) -> Option<Vec<Bound>> {
    if let Some(bounds) = update::bounds(case, arguments) {
        return Some(bounds);
    }
    let mut bounds = vec![Bound::Exact; outputs.len()];
    match case.op {
        // Copies, masks and choices of numbers that are already there.
        Op::GatherImages { .. }
        | Op::OneHot { .. }
        | Op::GatherBatch { .. }
        | Op::Copy { .. }
        | Op::MaxpoolForward(_)
        | Op::ReluForward { .. }
        | Op::ReluBackward { .. } => {}
        Op::Conv2dMaxpoolForward(s) => {
            if case.numbers != Numbers::Eighths {
                [bounds[3], bounds[4]] = window_bounds(case, &s, arguments)?;
            }
        }
        Op::SigmoidForward { .. } => bounds[0] = each(arguments, |[x, _]| activation::sigmoid(x)),
        Op::TanhForward { .. } => bounds[0] = each(arguments, |[x, _]| activation::tanh(x)),
        Op::LeakyReluForward { .. } => bounds[0] = each(arguments, |[x, _]| activation::scaled(x)),
        Op::SigmoidBackward { .. } => {
            bounds[1] = each(arguments, |[y, dy]| activation::sigmoid_gradient(y, dy));
        }
        Op::TanhBackward { .. } => bounds[1] = each(arguments, |[y, dy]| activation::tanh_gradient(y, dy)),
        Op::LeakyReluBackward { .. } => bounds[1] = each(arguments, |[_, dy]| activation::scaled(dy)),
        Op::DropoutForward(_) => bounds[1] = relative(&outputs[1], ULP, 1),
        Op::DropoutBackward(_) => bounds[0] = relative(&outputs[0], ULP, 1),
        Op::SoftmaxBackward { columns, .. } => {
            let (y, dy) = (arguments[0].floats(), arguments[1].floats());
            bounds[1] = Bound::Each(activation::softmax_gradient(columns, y, dy));
        }
        Op::MeanSquaredError { columns, .. } | Op::CrossEntropy { columns, .. } => {
            let (outputs, targets) = (arguments[0].floats(), arguments[1].floats());
            let rows = Rows { columns, batch_size: case.step.batch_size, outputs, targets };
            let squared = matches!(case.op, Op::MeanSquaredError { .. });
            let [loss, gradient] = if squared { rows.mean_squared_error() } else { rows.cross_entropy() };
            (bounds[2], bounds[4]) = (Bound::Each(loss), Bound::Each(gradient));
        }
        Op::Softmax { columns, .. } => {
            bounds[1] = Bound::Each(softmax_bounds(columns, arguments[0].floats()));
        }
        Op::SoftmaxCrossEntropy { columns, .. } => {
            let (logits, targets) = (arguments[0].floats(), arguments[1].floats());
            let [loss, gradient] = cross_entropy_bounds(columns, case.step.batch_size, logits, targets);
            (bounds[2], bounds[4]) = (Bound::Each(loss), Bound::Each(gradient));
        }
        Op::DenseBackward { product: s, .. } => {
            if case.numbers != Numbers::Eighths {
                let magnitudes = twin(case, arguments, f64::abs)?;
                bounds[3] = relative(&magnitudes[3], sum_of_products(s.m), s.m);
                bounds[4] = relative(&magnitudes[4], sum_of_products(s.n), s.n);
            }
        }
        Op::SoftmaxCrossEntropyMetrics { columns, .. } => {
            let (logits, targets) = (arguments[0].floats(), arguments[1].floats());
            let [loss, gradient] = cross_entropy_bounds(columns, case.step.batch_size, logits, targets);
            bounds[2] = Bound::Each(gradient);
            bounds[3] = Bound::Each(fused_metrics_bounds(case, &loss, &outputs[3]));
        }
        Op::BatchMetrics { .. } => {
            bounds[2] = Bound::Each(metrics_bounds(case, arguments[0].floats(), &outputs[2]));
        }
        Op::DenseSoftmaxCrossEntropy { product, .. } => {
            let [gradient, dx, loss] = last_layer_bounds(&product, case.step.batch_size, arguments);
            (bounds[4], bounds[5]) = (Bound::Each(gradient), Bound::Each(dx));
            bounds[6] = Bound::Each(fused_metrics_bounds(case, &loss, &outputs[6]));
        }
        Op::AugmentImages(s) => {
            let (transforms, source) = (arguments[0].floats(), arguments[1].floats());
            bounds[2] = Bound::Each(augment_bounds(&s, case, transforms, source));
        }
        Op::BiasAdd { .. } => bounds[1] = relative(&outputs[1], ULP, 1),
        _ => {
            let terms = longest_sum(&case.op);
            let copied = terms == 1 && !multiplies(&case.op);
            // Eighths and their products are multiples of 1/64 of at most 1: fewer than 2^18 of them, in any order
            // and with any roundings, give the exact sum.
            let exact = case.numbers == Numbers::Eighths && terms < 1 << 18;
            if let (false, Some(last)) = (copied || exact, bounds.last_mut()) {
                let magnitudes = twin(case, arguments, f64::abs)?.pop()?;
                *last = relative(&magnitudes, sum_of_products(terms), terms);
            }
        }
    }
    Some(bounds)
}

/// A fraction of each magnitude, and what `terms` flushed terms take away.
fn relative(magnitudes: &Output, fraction: f64, terms: usize) -> Bound {
    match magnitudes {
        Output::Floats(values) => {
            let flushed = FLUSHED * terms as f64;
            Bound::Each(values.iter().map(|value| value.abs() * fraction + flushed).collect())
        }
        _ => Bound::Exact,
    }
}

/// A bound from each element of the first argument and, where there is a second, of that.
fn each(arguments: &[Argument], bound: fn([f64; 2]) -> f64) -> Bound {
    let first = arguments[0].floats().iter().map(|&value| f64::from(value));
    let second = arguments.get(1).map_or(&[][..], Argument::floats);
    let second = second.iter().map(|&value| f64::from(value)).chain(std::iter::repeat(0.0));
    Bound::Each(first.zip(second).map(|(first, second)| bound([first, second])).collect())
}

fn multiplies(op: &Op) -> bool {
    !matches!(op, Op::MaxpoolBackward(_) | Op::SumPartials { .. } | Op::ColumnSum { .. })
}

/// Bounds of `y` and `winner`: a maximum is off by no more than the worst of its window, and any element wins that may
/// be the largest within the errors of two, or none where the largest may be cut off.
fn window_bounds(case: &Case, s: &ConvPoolShape, arguments: &[Argument]) -> Option<[Bound; 2]> {
    let terms = s.conv.terms() + 1;
    let y = relative(&twin(case, arguments, f64::abs)?[3], sum_of_products(terms), terms);
    let Bound::Each(errors) = &y else { return None };
    let plain = Case { op: Op::Conv2dForward { conv: s.conv, relu: false }, ..*case };
    let y_spec = plain.op.args().pop()?;
    let unpooled = Values::Floats(vec![0.0; y_spec.shape.iter().product()]);
    let mut unpooled_arguments = arguments[..3].to_vec();
    unpooled_arguments.push(Argument { spec: y_spec, values: unpooled });
    let Output::Floats(convolved) = twin(&plain, &unpooled_arguments, |x| x)?.pop()? else { return None };
    let PoolShape { in_h, in_w, pool_w, stride_h, stride_w, out_h, out_w, channels, .. } = s.pool;
    let allowed = errors.iter().enumerate().map(|(at, error)| {
        let (c, j, i) = (at % channels, at / channels % out_w, at / (channels * out_w) % out_h);
        let n = at / (channels * out_w * out_h);
        let value = |element: usize| {
            let (h, w) = (i * stride_h + element / pool_w, j * stride_w + element % pool_w);
            convolved[((n * in_h + h) * in_w + w) * channels + c]
        };
        let largest = (0..s.none_won()).map(value).fold(f64::MIN, f64::max);
        let wins =
            |element: usize| value(element) >= largest - 2.0 * error && (!s.relu || value(element) > -error);
        let elements = (0..s.none_won()).filter(|&element| wins(element)).map(|element| 1 << element);
        let none = if s.relu && largest <= *error { 1 << s.none_won() } else { 0 };
        elements.sum::<u64>() | none
    });
    let allowed = allowed.collect();
    let allowed = if s.pool.packs_winners() { Bound::BytesAmong(allowed) } else { Bound::Among(allowed) };
    Some([y, allowed])
}

/// Most terms in one element of a sum.
fn longest_sum(op: &Op) -> usize {
    let covered = |window: usize, stride: usize| window.div_ceil(stride);
    match *op {
        Op::Conv2dForward { conv, .. } => conv.terms() + 1,
        Op::Conv2dBackwardInput(ConvShape { kernel_h, kernel_w, stride_h, stride_w, out_c, .. }) => {
            covered(kernel_h, stride_h) * covered(kernel_w, stride_w) * out_c
        }
        Op::Conv2dBackwardKernel(s) => s.row_split().range(0).len() * s.out_w,
        Op::Conv2dMaxpoolBackwardKernel(s) => s.row_split().range(0).len() * s.pool.out_w,
        Op::MaxpoolBackward(PoolShape { pool_h, pool_w, stride_h, stride_w, .. }) => {
            covered(pool_h, stride_h) * covered(pool_w, stride_w)
        }
        Op::SumPartials { parts, .. } => parts,
        Op::SumPartialsBias { parts, .. } => parts + 1,
        Op::DenseForward { product, .. } => product.k + 1,
        _ => op.split().map_or(1, |split| split.range(0).len()),
    }
}

/// `loss[slot]` is a sum of `batch_size` terms, divided by their number; the other slots are left alone.
fn metrics_bounds(case: &Case, row_loss: &[f32], loss: &Output) -> Vec<f64> {
    let Output::Floats(loss) = loss else { return Vec::new() };
    let n = case.step.batch_size as usize;
    let slot = case.step.slot as usize;
    let magnitude: f64 = row_loss[..n].iter().map(|&x| f64::from(x).abs()).sum();
    // With one row there is nothing to add, but a division all the same.
    let sum = if n == 1 { 0.0 } else { sum_of_products(n) * magnitude };
    let mut bounds = vec![0.0; loss.len()];
    bounds[slot] = sum / n as f64 + DIVISION * loss[slot].abs() + FLUSHED;
    bounds
}

/// Likewise, of rows that are off themselves; no loss of a row is negative, so that the mean is their magnitude.
fn fused_metrics_bounds(case: &Case, row_bounds: &[f64], loss: &Output) -> Vec<f64> {
    let Output::Floats(loss) = loss else { return Vec::new() };
    let n = case.step.batch_size as usize;
    let slot = case.step.slot as usize;
    let rows = row_bounds[..n].iter().sum::<f64>() / n as f64;
    let mut bounds = vec![0.0; loss.len()];
    bounds[slot] = rows + (sum_of_products(n) + DIVISION) * (loss[slot].abs() + rows) + FLUSHED;
    bounds
}
