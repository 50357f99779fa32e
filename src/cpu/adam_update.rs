use super::Real;
use super::tripwire::{held, refused};
use super::weight_decay::decayed;
use crate::model::Adam;
use crate::plan::StepParams;

/// Adam; the formula stands with [`Adam`].
///
/// What [`held`] and [`refused`] forbid stays as it is.
///
/// gradient and parameter `[len]`; loss `[_]`, tripwire `[1]`; state `[2, len]`: `m`, then `v`.
pub fn adam_update<T: Real>(
    adam: &Adam,
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
    let alpha = T::of(f64::from(step.learning_rate)) * T::of(f64::from(step.correction));
    let one_minus_beta_1 = T::of(1.0 - adam.beta_1);
    let one_minus_beta_2 = T::of(1.0 - adam.beta_2);
    let epsilon = T::of(adam.epsilon);
    let (m, v) = state.split_at_mut(len);
    for i in 0..len {
        let g = gradient[i];
        if refused(step, g, tripwire) {
            continue;
        }
        m[i] += (g - m[i]) * one_minus_beta_1;
        v[i] += (g * g - v[i]) * one_minus_beta_2;
        let w = decayed(adam.weight_decay, step, parameter[i]);
        parameter[i] = w - m[i] * alpha / (v[i].sqrt() + epsilon);
    }
}
