use super::Real;
use super::dropout_forward::is_kept;
use crate::plan::{DropoutShape, StepParams};

/// `dy[i] = dy[i] / (1 - rate)` where [`dropout_forward`](super::dropout_forward) kept the element, else 0, in place; outside
/// training dy stays. dy `[len]`.
pub fn dropout_backward<T: Real>(s: &DropoutShape, step: &StepParams, dy: &mut [T]) {
    let scale = T::of(f64::from(s.scale));
    for (i, dy) in dy.iter_mut().enumerate() {
        *dy = match (step.training, is_kept(s, step, i)) {
            (0, _) => *dy,
            (_, true) => scale * *dy,
            (_, false) => T::zero(),
        };
    }
}
