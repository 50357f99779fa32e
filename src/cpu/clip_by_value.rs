use super::Real;

/// `g = min(max(g, -limit), limit)` in place, by comparisons, so that a NaN stays one.
///
/// gradient `[len]`.
pub fn clip_by_value<T: Real>(limit: f64, gradient: &mut [T]) {
    let limit = T::of(limit);
    for g in gradient {
        if *g > limit {
            *g = limit;
        } else if *g < -limit {
            *g = -limit;
        }
    }
}
