use super::Real;
use super::tripwire::{held, refused};
use super::weight_decay::decayed;
use crate::model::Sgd;
use crate::plan::StepParams;

/// Gradient descent without momentum; the formula stands with [`Sgd`].
///
/// What [`held`] and [`refused`] forbid stays as it is.
///
/// gradient and parameter `[len]`; loss `[_]`, tripwire `[1]`.
pub fn sgd_update<T: Real>(
    sgd: &Sgd,
    step: &StepParams,
    gradient: &[T],
    loss: &[T],
    tripwire: &mut [u32],
    parameter: &mut [T],
) {
    if held(step, loss, tripwire) {
        return;
    }
    let learning_rate = T::of(f64::from(step.learning_rate));
    for (w, &g) in parameter.iter_mut().zip(gradient) {
        if refused(step, g, tripwire) {
            continue;
        }
        *w = decayed(sgd.weight_decay, step, *w) - learning_rate * g;
    }
}
