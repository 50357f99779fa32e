//! Bounds of weight updates.

use super::Case;
use super::inputs::{Argument, Values};
use super::reference::{Bound, Output, twin};
use super::tolerance::{DIVISION, FLUSHED, HALF_ULP, SQUARE_ROOT, ULP, sum_of_products};
use crate::model::RmsProp;
use crate::plan::{MatmulShape, Op};

/// The gradient of a dense layer's kernel and bias, each element with its error; `None` when the twin does not take these
/// arguments.
pub(super) fn product_with_errors(
    case: &Case,
    product: &MatmulShape,
    arguments: &[Argument],
) -> Option<Vec<[f64; 2]>> {
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
/// gives; `[state, parameter]`. The others are not touched.
pub(super) fn rmsprop_bounds(
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
        bounds[1][i] = u_error + (f64::from(parameter[i]) - u).abs() * ULP + FLUSHED;
    }
    bounds.map(Bound::Each)
}
