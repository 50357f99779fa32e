use super::Real;
use super::tripwire::{held, refused};
use super::weight_decay::decayed;
use crate::model::Sgd;
use crate::plan::StepParams;

/// Gradient descent with momentum; the formula stands with [`Sgd`].
///
/// What [`held`] and [`refused`] forbid stays as it is.
///
/// gradient and parameter `[len]`; loss `[_]`, tripwire `[1]`; state `[1, len]`: `m`.
pub fn sgd_momentum_update<T: Real>(
    sgd: &Sgd,
    step: &StepParams,
    gradient: &[T],
    loss: &[T],
    tripwire: &mut [u32],
    m: &mut [T],
    parameter: &mut [T],
) {
    if held(step, loss, tripwire) {
        return;
    }
    let learning_rate = T::of(f64::from(step.learning_rate));
    let momentum = T::of(sgd.momentum);
    for i in 0..parameter.len() {
        if refused(step, gradient[i], tripwire) {
            continue;
        }
        let u = learning_rate * gradient[i];
        m[i] = momentum * m[i] - u;
        let w = decayed(sgd.weight_decay, step, parameter[i]);
        parameter[i] = if sgd.nesterov { w + (momentum * m[i] - u) } else { w + m[i] };
    }
}
