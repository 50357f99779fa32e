use super::Real;
use super::tripwire::{held, refused};
use super::weight_decay::decayed;
use crate::model::RmsProp;
use crate::plan::{Hole, StepParams};

/// RMSprop of all weights outside the hole; the formula stands with [`RmsProp`].
///
/// What [`held`] and [`refused`] forbid stays as it is.
///
/// gradient and parameter `[len]`; loss `[_]`, tripwire `[1]`; state `[slots, len]`: slot 0 is `v`, then `m` with momentum, then `a` when centered.
#[expect(clippy::too_many_arguments, reason = "those of its shader, and its settings")]
pub fn rmsprop_update<T: Real>(
    rmsprop: &RmsProp,
    hole: &Hole,
    step: &StepParams,
    gradient: &[T],
    loss: &[T],
    tripwire: &mut [u32],
    state: &mut [T],
    parameter: &mut [T],
) {
    if held(step, loss, tripwire) {
        return;
    }
    let len = parameter.len();
    let rho = T::of(rmsprop.rho);
    let one_minus_rho = T::of(1.0 - rmsprop.rho);
    let momentum = T::of(rmsprop.momentum);
    let epsilon = T::of(rmsprop.epsilon);
    let learning_rate = T::of(f64::from(step.learning_rate));
    let with_momentum = rmsprop.momentum > 0.0;
    let (v, rest) = state.split_at_mut(len);
    let (m, a) = rest.split_at_mut(if with_momentum { len } else { 0 });
    for i in (0..hole.first).chain(hole.first + hole.len..len) {
        let g = gradient[i];
        if refused(step, g, tripwire) {
            continue;
        }
        v[i] = rho * v[i] + one_minus_rho * (g * g);
        let mut d = v[i];
        if rmsprop.centered {
            a[i] = rho * a[i] + one_minus_rho * g;
            d -= a[i] * a[i];
        }
        let u = learning_rate * g / (d + epsilon).sqrt();
        let w = decayed(rmsprop.weight_decay, step, parameter[i]);
        if with_momentum {
            m[i] = momentum * m[i] + u;
            parameter[i] = w - m[i];
        } else {
            parameter[i] = w - u;
        }
    }
}
