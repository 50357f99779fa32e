//! Bounds of weight updates, of penalties, and of the clipping of gradients.

use super::Case;
use super::inputs::{Argument, Values};
use super::reference::{Bound, Output, twin};
use super::rough::Rough;
use super::tolerance::{DIVISION, FLUSHED, HALF_ULP, SQUARE_ROOT, ULP, sum_of_products};
use crate::model::{Adadelta, Adam, Regularizer, RmsProp, Sgd};
use crate::plan::{MatmulShape, Op};

/// A bound for each argument of a step that this file knows; `None` for the others, and when the twin does not take these
/// arguments.
pub(super) fn bounds(case: &Case, arguments: &[Argument]) -> Option<Vec<Bound>> {
    let floats = |at: usize| arguments[at].floats();
    let read_and_written = |bound| vec![Bound::Exact, bound];
    if case.wire.holds() {
        return Some(vec![Bound::Exact; arguments.len()]);
    }
    Some(match case.op {
        Op::ClipByValue { limit, .. } => vec![clip_by_value_bounds(limit, floats(0))],
        Op::ClipByNorm { limit, .. } => read_and_written(clip_by_norm_bounds(limit, floats(0)[0], floats(1))),
        Op::WeightPenalty { regularizer, .. } => {
            read_and_written(penalty_bounds(&regularizer, case, floats(0))?)
        }
        Op::WeightPenaltyGradient { regularizer, .. } => {
            read_and_written(penalty_gradient_bounds(&regularizer, floats(0), floats(1)))
        }
        Op::AddPenalty => read_and_written(add_penalty_bounds(case, floats(0)[0], floats(1))),
        Op::SgdUpdate { sgd, .. } | Op::SgdMomentumUpdate { sgd, .. } => sgd_bounds(&sgd, case, arguments),
        Op::AdadeltaUpdate { adadelta, .. } => adadelta_bounds(&adadelta, case, arguments),
        Op::AdamUpdate { adam, .. } => adam_bounds(&adam, case, arguments),
        Op::RmspropUpdate { rmsprop, hole, .. } => {
            let gradient = floats(0);
            let weights = (0..hole.first).chain(hole.first + hole.len..gradient.len());
            let of = |at: usize| [f64::from(gradient[at]), 0.0];
            let [state, parameter] = rmsprop_bounds(&rmsprop, case, weights, &of, [floats(3), floats(4)]);
            vec![Bound::Exact, Bound::Exact, Bound::Exact, state, parameter]
        }
        Op::DenseRmspropUpdate { product, first, rmsprop, .. } => {
            let gradient = product_with_errors(case, &product, arguments)?;
            let weights = first..first + gradient.len();
            let of = |at: usize| gradient[at - first];
            let [state, parameter] = rmsprop_bounds(&rmsprop, case, weights, &of, [floats(4), floats(5)]);
            vec![Bound::Exact, Bound::Exact, Bound::Exact, Bound::Exact, state, parameter]
        }
        _ => return None,
    })
}

/// The gradient of a dense layer's kernel and bias, each element with its error; `None` when the twin does not take these
/// arguments.
fn product_with_errors(case: &Case, product: &MatmulShape, arguments: &[Argument]) -> Option<Vec<[f64; 2]>> {
    let plain = Case { op: Op::MatmulAtB { product: *product, bias: true }, ..*case };
    let spec = plain.op.args().pop()?;
    let unwritten = Values::Floats(vec![0.0; spec.shape.iter().product()]);
    let mut factors = arguments[..2].to_vec();
    factors.push(Argument { spec, values: unwritten });
    let floats = |map| match twin(&plain, &factors, map)?.pop()? {
        Output::Floats(values) => Some(values),
        _ => None,
    };
    let (values, magnitudes) = (floats(|x| x)?, floats(f64::abs)?);
    let flushed = FLUSHED * product.k as f64;
    let error = |magnitude: f64| magnitude * sum_of_products(product.k) + flushed;
    Some(values.into_iter().zip(magnitudes).map(|(value, magnitude)| [value, error(magnitude)]).collect())
}

/// The formula of [`RmsProp`] with the error of each of its operations, for weights whose gradient and its error `gradient`
/// gives; `[state, parameter]`. The others, and those whose gradient is not finite, are not touched.
fn rmsprop_bounds(
    rmsprop: &RmsProp,
    case: &Case,
    weights: impl Iterator<Item = usize>,
    gradient: &dyn Fn(usize) -> [f64; 2],
    [state, parameter]: [&[f32]; 2],
) -> [Bound; 2] {
    let len = parameter.len();
    let with_momentum = rmsprop.momentum > 0.0;
    let a_slot = 1 + usize::from(with_momentum);
    let one_minus_rho = 1.0 - rmsprop.rho;
    let mut bounds = [vec![0.0; state.len()], vec![0.0; len]];
    for i in weights {
        let [g, g_error] = gradient(i);
        if !g.is_finite() {
            continue;
        }
        let slot = |slot: usize| f64::from(state[slot * len + i]);
        // rho and 1 - rho are rounded constants, g*g and each product are rounded, and so is the sum.
        let v = rmsprop.rho * slot(0) + one_minus_rho * g * g;
        let of_gradient = one_minus_rho * (2.0 * g.abs() + g_error) * g_error;
        let v_error = v * (HALF_ULP + 3.0 * ULP) + of_gradient + 3.0 * FLUSHED;
        bounds[0][i] = v_error;
        let (mut d, mut d_error) = (v, v_error);
        if rmsprop.centered {
            let terms = [rmsprop.rho * slot(a_slot), one_minus_rho * g];
            let a = terms[0] + terms[1];
            let rounding = (terms[0].abs() + terms[1].abs()) * (HALF_ULP + 2.0 * ULP);
            let a_error = rounding + one_minus_rho * g_error + 3.0 * FLUSHED;
            bounds[0][a_slot * len + i] = a_error;
            d -= a * a;
            d_error += 2.0 * a.abs() * a_error + a * a * ULP + d.abs() * ULP;
        }
        let radicand = d + rmsprop.epsilon;
        let radicand_error = d_error + rmsprop.epsilon * HALF_ULP + radicand * ULP;
        // Of 1/sqrt: half the relative error at the least radicand that the errors allow.
        let root_error = 0.5 * radicand_error / (radicand - radicand_error).max(0.0) + SQUARE_ROOT;
        let learning_rate = f64::from(case.step.learning_rate);
        let mut u = learning_rate * g / radicand.sqrt();
        let of_gradient = learning_rate * g_error / radicand.sqrt();
        let mut u_error =
            u.abs() * (ULP + root_error + DIVISION) + of_gradient + 2.0 * FLUSHED / radicand.sqrt();
        if with_momentum {
            let kept = rmsprop.momentum * slot(1);
            u += kept;
            u_error += kept.abs() * (HALF_ULP + ULP) + u.abs() * ULP + FLUSHED;
            bounds[0][len + i] = u_error;
        }
        let w = decayed(rmsprop.weight_decay, case, parameter[i]);
        bounds[1][i] = w.error + u_error + (w.value - u).abs() * ULP + FLUSHED;
    }
    bounds.map(Bound::Each)
}

/// A weight after weight decay.
fn decayed(weight_decay: Option<f64>, case: &Case, w: f32) -> Rough {
    let w = Rough::exact(w);
    match weight_decay {
        Some(factor) => w - w * Rough::constant(factor) * Rough::exact(case.step.learning_rate),
        None => w,
    }
}

/// One weight's gradient, state and value before the update.
struct Before {
    g: Rough,
    state: [f32; 2],
    w: f32,
}

/// Bounds of an update whose arguments are gradient, loss, tripwire, state of so many slots, and weights; `after` gives state and weight.
fn each_weight(
    arguments: &[Argument],
    slots: usize,
    after: impl Fn(Before) -> ([Rough; 2], Rough),
) -> Vec<Bound> {
    let gradient = arguments[0].floats();
    let (parameter, state) = match arguments {
        [_, _, _, state, parameter] => (parameter.floats(), state.floats()),
        _ => (arguments[3].floats(), &[][..]),
    };
    let len = parameter.len();
    let mut of_state = vec![0.0; state.len()];
    let mut of_parameter = vec![0.0; len];
    // A gradient that is not finite moves nothing.
    for i in (0..len).filter(|&i| gradient[i].is_finite()) {
        let slot = |slot: usize| state.get(slot * len + i).copied().unwrap_or_default();
        let before = Before { g: Rough::exact(gradient[i]), state: [slot(0), slot(1)], w: parameter[i] };
        let (state, w) = after(before);
        (0..slots).for_each(|slot| of_state[slot * len + i] = state[slot].error);
        of_parameter[i] = w.error;
    }
    let mut bounds = vec![Bound::Exact; 3];
    if slots > 0 {
        bounds.push(Bound::Each(of_state));
    }
    bounds.push(Bound::Each(of_parameter));
    bounds
}

/// The formulas of [`Sgd`].
fn sgd_bounds(sgd: &Sgd, case: &Case, arguments: &[Argument]) -> Vec<Bound> {
    let learning_rate = Rough::exact(case.step.learning_rate);
    let momentum = Rough::constant(sgd.momentum);
    let none = Rough::exact(0.0);
    let slots = arguments.len() - 4;
    each_weight(arguments, slots, |Before { g, state: [m, _], w }| {
        let w = decayed(sgd.weight_decay, case, w);
        let u = learning_rate * g;
        if slots == 0 {
            return ([none; 2], w - u);
        }
        let m = momentum * Rough::exact(m) - u;
        ([m, none], if sgd.nesterov { w + (momentum * m - u) } else { w + m })
    })
}

/// The formula of [`Adadelta`].
fn adadelta_bounds(adadelta: &Adadelta, case: &Case, arguments: &[Argument]) -> Vec<Bound> {
    let learning_rate = Rough::exact(case.step.learning_rate);
    let (rho, rest) = (Rough::constant(adadelta.rho), Rough::constant(1.0 - adadelta.rho));
    let epsilon = Rough::constant(adadelta.epsilon);
    each_weight(arguments, Adadelta::SLOTS, |Before { g, state, w }| {
        let [a, d] = state.map(Rough::exact);
        let a = rho * a + rest * (g * g);
        let u = ((d + epsilon).sqrt() * g).over((a + epsilon).sqrt());
        let d = rho * d + rest * (u * u);
        ([a, d], decayed(adadelta.weight_decay, case, w) - learning_rate * u)
    })
}

/// The formula of [`Adam`].
fn adam_bounds(adam: &Adam, case: &Case, arguments: &[Argument]) -> Vec<Bound> {
    let alpha = Rough::exact(case.step.learning_rate) * Rough::exact(case.step.correction);
    let rest_1 = Rough::constant(1.0 - adam.beta_1);
    let rest_2 = Rough::constant(1.0 - adam.beta_2);
    let epsilon = Rough::constant(adam.epsilon);
    each_weight(arguments, Adam::SLOTS, |Before { g, state, w }| {
        let [m, v] = state.map(Rough::exact);
        let m = m + (g - m) * rest_1;
        let v = v + (g * g - v) * rest_2;
        ([m, v], decayed(adam.weight_decay, case, w) - (m * alpha).over(v.sqrt() + epsilon))
    })
}

/// What is past the limit becomes the limit, rounded to f32; what is within is not touched.
fn clip_by_value_bounds(limit: f64, gradient: &[f32]) -> Bound {
    let error = Rough::constant(limit).error;
    let bound = |&g: &f32| if f64::from(g).abs() >= limit - error { error } else { 0.0 };
    Bound::Each(gradient.iter().map(bound).collect())
}

/// Scaling by the quotient of limit and norm, wherever the norm may be above the limit.
fn clip_by_norm_bounds(limit: f64, square_sum: f32, gradient: &[f32]) -> Bound {
    let (norm, limit) = (Rough::exact(square_sum).sqrt(), Rough::constant(limit));
    if norm.value + norm.error < limit.value - limit.error {
        return Bound::Exact;
    }
    let scale = limit.over(norm);
    Bound::Each(gradient.iter().map(|&g| (Rough::exact(g) * scale).error).collect())
}

/// The sum of a part: each term with its own error, and the rounding of the sum. No term is negative.
fn penalty_bounds(regularizer: &Regularizer, case: &Case, kernel: &[f32]) -> Option<Bound> {
    let split = case.op.split()?;
    let (l1, l2) = (Rough::constant(regularizer.l1), Rough::constant(regularizer.l2));
    let bound = |part| {
        let terms = kernel[split.range(part)].iter().map(|&w| {
            let w = Rough::exact(w);
            l1 * w.abs() + l2 * (w * w)
        });
        let sum = terms.fold(Rough::exact(0.0), |sum, term| Rough {
            value: sum.value + term.value,
            error: sum.error + term.error,
        });
        sum.error + sum.value * sum_of_products(split.range(part).len())
    };
    Some(Bound::Each((0..split.parts).map(bound).collect()))
}

/// `g + l1*sign(w) + 2*l2*w`.
fn penalty_gradient_bounds(regularizer: &Regularizer, kernel: &[f32], gradient: &[f32]) -> Bound {
    let (l1, two_l2) = (Rough::constant(regularizer.l1), Rough::constant(2.0 * regularizer.l2));
    let bound = |(&w, &g): (&f32, &f32)| {
        let sign = if w == 0.0 { 0.0 } else { w.signum() };
        (Rough::exact(g) + (l1 * Rough::exact(sign) + two_l2 * Rough::exact(w))).error
    };
    Bound::Each(kernel.iter().zip(gradient).map(bound).collect())
}

/// `loss[slot] + penalty`; the other slots are left alone.
fn add_penalty_bounds(case: &Case, penalty: f32, loss: &[f32]) -> Bound {
    let mut bounds = vec![0.0; loss.len()];
    let slot = case.step.slot as usize;
    bounds[slot] = (Rough::exact(loss[slot]) + Rough::exact(penalty)).error;
    Bound::Each(bounds)
}
