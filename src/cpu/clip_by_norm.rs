use super::Real;

/// `g = g * limit / max(norm, limit)` in place, with `norm = sqrt(square_sum)`; within the limit g stays as it is.
///
/// square_sum `[1]`, of these gradients or of these and more; gradient `[len]`.
pub fn clip_by_norm<T: Real>(limit: f64, square_sum: &[T], gradient: &mut [T]) {
    let limit = T::of(limit);
    let norm = square_sum[0].sqrt();
    if norm > limit {
        for g in gradient {
            *g *= limit / norm;
        }
    }
}
