use super::Real;
use crate::plan::StepParams;

/// `g = min(max(g, -limit), limit)` in place, by comparisons, so that a NaN stays one. Where the step is guarded, what is
/// infinite stays so too: the update that follows is to see it.
///
/// gradient `[len]`.
pub fn clip_by_value<T: Real>(limit: f64, step: &StepParams, gradient: &mut [T]) {
    let limit = T::of(limit);
    for g in gradient {
        if step.guarded != 0 && g.is_infinite() {
            continue;
        }
        if *g > limit {
            *g = limit;
        } else if *g < -limit {
            *g = -limit;
        }
    }
}
