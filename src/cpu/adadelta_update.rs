use super::Real;
use super::tripwire::{held, refused};
use super::weight_decay::decayed;
use crate::model::Adadelta;
use crate::plan::StepParams;

/// Adadelta; the formula stands with [`Adadelta`].
///
/// What [`held`] and [`refused`] forbid stays as it is.
///
/// gradient and parameter `[len]`; loss `[_]`, tripwire `[1]`; state `[2, len]`: `a`, then `d`.
pub fn adadelta_update<T: Real>(
    adadelta: &Adadelta,
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
    let learning_rate = T::of(f64::from(step.learning_rate));
    let rho = T::of(adadelta.rho);
    let one_minus_rho = T::of(1.0 - adadelta.rho);
    let epsilon = T::of(adadelta.epsilon);
    let (a, d) = state.split_at_mut(len);
    for i in 0..len {
        let g = gradient[i];
        if refused(step, g, tripwire) {
            continue;
        }
        a[i] = rho * a[i] + one_minus_rho * (g * g);
        let u = (d[i] + epsilon).sqrt() * g / (a[i] + epsilon).sqrt();
        d[i] = rho * d[i] + one_minus_rho * (u * u);
        parameter[i] = decayed(adadelta.weight_decay, step, parameter[i]) - learning_rate * u;
    }
}
