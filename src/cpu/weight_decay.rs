use super::Real;
use crate::plan::StepParams;

/// A weight before its update: `w - w * weight_decay * learning_rate` where there is weight decay.
pub(super) fn decayed<T: Real>(weight_decay: Option<f64>, step: &StepParams, w: T) -> T {
    match weight_decay {
        Some(weight_decay) => w - w * T::of(weight_decay) * T::of(f64::from(step.learning_rate)),
        None => w,
    }
}
