use super::Real;
use super::weight_decay::decayed;
use crate::model::Sgd;
use crate::plan::StepParams;

/// Gradient descent without momentum; the formula stands with [`Sgd`].
///
/// gradient and parameter `[len]`.
pub fn sgd_update<T: Real>(sgd: &Sgd, step: &StepParams, gradient: &[T], parameter: &mut [T]) {
    let learning_rate = T::of(f64::from(step.learning_rate));
    for (w, &g) in parameter.iter_mut().zip(gradient) {
        *w = decayed(sgd.weight_decay, step, *w) - learning_rate * g;
    }
}
